"""`describe FILE...`: says in words what a sound is like, from what was measured."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from llm_music_gen.cli.clean_output import shown

if TYPE_CHECKING:
    from llm_music_gen.studio.describing_room import Description, Undescribed


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("files", metavar="FILE", nargs="+", help="audio files or folders")
    parser.add_argument(
        "--aspects",
        metavar="LIST",
        action="append",
        default=[],
        help="some of scene, events, loudness, affect, iso12913, caption",
    )
    parser.add_argument(
        "--calibration",
        metavar="DB",
        type=float,
        help="sound pressure level of a full-scale sine, for sone and dB(A) (default: 94)",
    )
    parser.add_argument("--model", metavar="NAME", help="a chat model (GGUF) that words the caption; its words are checked")
    parser.add_argument("--picture", action="store_true", help="draw spectrogram, loudness and circumplex beside each file")
    parser.add_argument("--output", metavar="DIR", help="where pictures go (default: beside the files)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a file; progress goes to stderr")


def run(arguments: argparse.Namespace) -> int:
    """Describe and print; 1 when a file failed."""
    from llm_music_gen.cli.follow import follow
    from llm_music_gen.studio import describing_room as room
    from llm_music_gen.studio.processing_room import files_of
    from llm_music_gen.studio.studio import Studio

    with Studio.open() as studio:
        how = room.describing_with(
            studio.paths, studio.settings, studio.library, arguments.aspects,
            calibration_db=arguments.calibration, model=arguments.model or "",
        )  # fmt: skip
        files = files_of(arguments.files)
        failed = False
        for path in files:  # one after the other, so that each is told as soon as it is known
            result = follow(room.describe_files([path], how), f"Listening to {path.name}...", sys.stderr)[0]
            _tell(result, arguments)
            failed |= isinstance(result, room.Undescribed)
    return 1 if failed else 0


def _tell(result: Description | Undescribed, arguments: argparse.Namespace) -> None:
    from llm_music_gen.studio import describing_room as room
    from llm_music_gen.studio.describing_report import draw, lines

    if isinstance(result, room.Undescribed):
        print(
            json.dumps(result.as_json(), ensure_ascii=False) if arguments.json else f"Llm-Music-Gen: {shown(result.reason)}",
            flush=True,
        )
        return
    pictures = []
    if arguments.picture:
        folder = Path(arguments.output).expanduser() if arguments.output else result.path.parent
        pictures = draw(result, folder)
    aspects = room.checked_aspects(arguments.aspects)
    if arguments.json:
        drawn = {"pictures": [str(path) for path in pictures]} if pictures else {}
        print(json.dumps({**result.as_json(aspects), **drawn}, ensure_ascii=False), flush=True)
        return
    print(f"Llm-Music-Gen: {shown(result.path.name)}")
    if not aspects or "caption" in aspects:
        print(f"  {result.caption}")
    for line in lines(result, aspects):
        print(f"    {line}")
    for note in (*result.notes, *(f"Drawn: {path}" for path in pictures)):
        print(f"  {shown(note)}")
