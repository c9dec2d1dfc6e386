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
    parser.add_argument("--plan", action="store_true", help="show the tool calls and run nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON object: calls and reply")


def run(arguments: argparse.Namespace) -> int:
    """Print the plan."""
    from llm_music_gen.processing.registry import REGISTRY
    from llm_music_gen.requests import Situation, plan_request

    file = arguments.file
    beside = _beside(Path(file)) if file else ()
    plan = plan_request(" ".join(arguments.request), Situation(file=file, files_in_folder=beside), REGISTRY)
    if arguments.json:
        print(json.dumps(plan.as_json(), ensure_ascii=False))
        return 0
    for call in plan.calls:
        print(call)
    print(plan.reply)
    if not arguments.plan:
        print("Sounds are changed with `process`, songs made with `generate`; this command only shows the plan.")
    return 0


def _beside(file: Path) -> tuple[str, ...]:
    """Names of the audio files in the folder of a file; none where it cannot be read."""
    endings = {".wav", ".mp3", ".flac", ".ogg", ".opus", ".m4a", ".aac", ".aiff"}
    try:
        return tuple(sorted(path.name for path in file.parent.iterdir() if path.suffix.lower() in endings))[:500]
    except OSError:
        return ()
