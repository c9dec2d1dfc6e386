"""`evaluate`: makes songs in many styles, or takes finished files, and prints what they measure."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_music_gen.studio.studio import Studio


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("files", metavar="FILE", nargs="*", help="audio files to measure (default: make songs)")
    parser.add_argument("--styles", metavar="LIST", help="style words separated by commas, each by itself (default: all)")
    parser.add_argument("--songs", metavar="N", default="1", help="songs of each style (default: 1)")
    parser.add_argument("--seed", metavar="N", default="1", help="of the first song (default: 1)")
    parser.add_argument("--length", metavar="SPEC", default="30s", help="of each song (default: 30s)")
    parser.add_argument("--soundfont", metavar="FILE", help="SF2 or SF3 file with the instruments")
    parser.add_argument("--out", metavar="DIR", help="keep the songs and evaluation.jsonl here; a later run goes on from there")
    parser.add_argument("--json", action="store_true", help="one JSON object a song, then the summary")


def run(arguments: argparse.Namespace) -> int:
    """Measure and print; 1 when a song could not be made."""
    from tempfile import TemporaryDirectory

    from llm_music_gen.studio.evaluation import evaluate_audio, summary

    if arguments.files:
        for name in arguments.files:
            _show(evaluate_audio(Path(name).expanduser()), as_json=arguments.json)
        return 0
    with TemporaryDirectory(prefix="llm-music-gen-", ignore_cleanup_errors=True) as scratch:
        folder = Path(arguments.out or scratch).expanduser()
        songs = []
        for facts in _songs(arguments, folder):
            songs.append(facts)
            _show(facts, as_json=arguments.json)
    good = [facts for facts in songs if "error" not in facts]
    if good:
        _show({"title": "All songs", **summary(good)}, as_json=arguments.json)
    return 0 if len(good) == len(songs) else 1


def _songs(arguments: argparse.Namespace, folder: Path) -> Iterator[dict[str, Any]]:
    """Facts of every song, from evaluation.jsonl where it was measured before."""
    from dataclasses import replace

    from llm_music_gen.paths import studio_paths
    from llm_music_gen.settings import load_settings
    from llm_music_gen.studio.request import read_seed
    from llm_music_gen.studio.studio import Studio
    from llm_music_gen.styles import load_styles

    paths = studio_paths()
    styles = load_styles(paths.styles_dir)
    names = [name.strip() for name in (arguments.styles or ",".join(styles)).split(",") if name.strip()]
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / "evaluation.jsonl"
    lines = record.read_text(encoding="utf-8").splitlines() if record.is_file() else []
    known = {facts["task"]: facts for facts in map(json.loads, lines)}
    seed = read_seed(arguments.seed)
    # The songs stay out of the user's library.
    settings = load_settings(paths.settings_file).model_copy(update={"output_dir": ""})
    with Studio(replace(paths, data_dir=folder), settings) as studio:
        for name in names:
            for number in range(read_seed(arguments.songs)):
                task = f"{name}|{seed + number}|{arguments.length}|{arguments.soundfont or ''}"
                if task not in known:
                    known[task] = {"task": task, **_one(studio, name, seed + number, arguments)}
                    with record.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(known[task], ensure_ascii=False) + "\n")
                yield known[task]


def _one(studio: Studio, style: str, seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Make and measure one song."""
    from llm_music_gen.domain.progress import finish
    from llm_music_gen.studio.evaluation import evaluate_song
    from llm_music_gen.studio.request import GenerateRequest
    from llm_music_gen.styles import load_styles

    request = GenerateRequest.from_words(
        style, length=arguments.length, seed=seed, formats="wav", soundfont=arguments.soundfont
    )  # fmt: skip
    outcome = finish(studio.generate(request))[0]
    if outcome.song is None:
        return {"title": "", "styles": [style], "error": outcome.error}
    return evaluate_song(outcome.song, load_styles(studio.paths.styles_dir))


def _show(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(facts, ensure_ascii=False), flush=True)
        return
    print(f"{facts.get('title') or facts.get('file', '')} ({', '.join(facts.get('styles', ()))})")
    for name, value in facts.items():
        if name not in ("title", "styles", "file", "task", "length_histogram", "interval_histogram"):
            print(f"  {name.replace('_', ' ')}: {value}")
