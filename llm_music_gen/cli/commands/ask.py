"""`ask`: what a request in plain English comes to, as tool calls."""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    """The request, the file it is about, and how the plan is shown."""
    parser.add_argument(
        "request", metavar="REQUEST", nargs="+", help='for example "make it warmer and louder for YouTube, remove the hiss"'
    )
    parser.add_argument("--file", metavar="FILE", help="the audio file it is about")
    parser.add_argument(
        "--plan",
        action="store_true",
        help="show the tool calls and run nothing; without it, sound is changed where --file names one",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object: calls and reply")


def run(arguments: argparse.Namespace) -> int:
    """Print the plan; without --plan, what only changes the sound of a file is carried out as `process` does it."""
    from llm_music_gen.processing.registry import REGISTRY
    from llm_music_gen.requests import Situation, plan_request

    file = arguments.file
    beside = _beside(Path(file)) if file else ()
    plan = plan_request(" ".join(arguments.request), Situation(file=file, files_in_folder=beside), REGISTRY)
    if file and not arguments.plan and plan.calls and all(call.tool in REGISTRY for call in plan.calls):
        return _process(file, " ".join(arguments.request), as_json=arguments.json)
    if arguments.json:
        print(json.dumps(plan.as_json(), ensure_ascii=False))
        return 0
    for call in plan.calls:
        print(call)
    print(plan.reply)
    if not arguments.plan:
        print("Sounds are changed where --file names one, songs are made with `generate`; this was only the plan.")
    return 0


def _process(file: str, request: str, *, as_json: bool) -> int:
    from llm_music_gen.cli.commands import process

    parser = argparse.ArgumentParser()
    process.add_options(parser)
    return process.run(parser.parse_args([*(["--json"] if as_json else []), "--", file, request]))


def _beside(file: Path) -> tuple[str, ...]:
    """Names of the audio files in the folder of a file; none where it cannot be read."""
    endings = {".wav", ".mp3", ".flac", ".ogg", ".opus", ".m4a", ".aac", ".aiff"}
    try:
        return tuple(sorted(path.name for path in file.parent.iterdir() if path.suffix.lower() in endings))[:500]
    except OSError:
        return ()
