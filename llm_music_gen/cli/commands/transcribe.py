"""`transcribe FILE...`: writes down what is said in audio files."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from llm_music_gen.cli.clean_output import shown


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("files", metavar="FILE", nargs="+", help="audio files or folders")
    parser.add_argument(
        "--format", choices=("text", "srt", "vtt"), default="text", help="plain text or subtitles (default: text)"
    )
    parser.add_argument("--output", metavar="DIR", help="write one file for each into this folder instead of printing")
    parser.add_argument(
        "--engine",
        choices=("sphinx", "whisper"),
        default="",
        help="what hears (default: whisper where a model is there, else sphinx)",
    )
    parser.add_argument("--model", metavar="FILE", help="a Whisper model in ggml format")
    parser.add_argument("--language", metavar="L", default="", help="such as en or de, for Whisper (default: it finds out)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a file; progress goes to stderr")


def run(arguments: argparse.Namespace) -> int:
    """Transcribe one after the other; a file that fails does not stop the rest, but the command ends with 1."""
    from llm_music_gen.cli.follow import follow
    from llm_music_gen.errors import StudioError
    from llm_music_gen.paths import studio_paths
    from llm_music_gen.studio import voice_room as room
    from llm_music_gen.studio.processing_room import files_of

    model = Path(arguments.model).expanduser() if arguments.model else None
    folder = Path(arguments.output).expanduser() if arguments.output else None
    failed = False
    written: set[Path] = set()
    for name in arguments.files:
        try:
            files = files_of([name])
        except StudioError as error:
            failed = True
            _tell_failure(name, error, as_json=arguments.json)
            continue
        for path in files:
            try:
                work = room.transcribe_file(path, arguments.engine, arguments.language, studio_paths(), model)
                transcript = follow(work, f"Listening to {path.name}...", sys.stderr)
                target = room.write_transcript(transcript, arguments.format, folder, written) if folder else None
            except StudioError as error:
                failed = True
                _tell_failure(str(path), error, as_json=arguments.json)
                continue
            if arguments.json:
                made = {"written": str(target)} if target else {}
                print(json.dumps({**transcript.as_json(), **made}, ensure_ascii=False), flush=True)
            elif target:
                print(f"Llm-Music-Gen: Written: {shown(target)}", flush=True)
            else:
                _print(path, transcript.written(arguments.format), titled=len(files) > 1 or len(arguments.files) > 1)
    return 1 if failed else 0


def _print(path: Path, text: str, *, titled: bool) -> None:
    if titled:
        print(f"Llm-Music-Gen: {shown(path.name)}")
    if text.strip():
        print(text.rstrip("\n"), flush=True)
    else:
        print(f"Llm-Music-Gen: No words were heard in {shown(path.name)}.", file=sys.stderr)


def _tell_failure(name: str, error: Exception, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"file": name, "error": str(error)}, ensure_ascii=False), flush=True)
    else:
        print(f"Llm-Music-Gen: {shown(error)}", file=sys.stderr)
