"""`analyze FILE...`: prints what a sound measures."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from llm_music_gen.cli.clean_output import shown


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("files", metavar="FILE", nargs="+", help="audio files or folders")
    parser.add_argument(
        "--metrics",
        metavar="LIST",
        action="append",
        default=[],
        help="some of lufs, lra, true_peak, duration, clipping, silence, noise_floor, snr, key, tempo, tonal_peaks, "
        "binaural_beat, spectrum, stereo",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a file; progress goes to stderr")


def run(arguments: argparse.Namespace) -> int:
    """Measure and print; 1 when a file failed."""
    from llm_music_gen.cli.follow import follow
    from llm_music_gen.errors import StudioError
    from llm_music_gen.studio import describing_room as room
    from llm_music_gen.studio.processing_room import files_of

    metrics = room.checked_metrics(arguments.metrics)
    failed = False
    for path in files_of(arguments.files):
        try:
            found = follow(room.analyze_file(path, metrics), f"Measuring {path.name}...", sys.stderr)
        except StudioError as error:
            failed = True
            print(json.dumps({"file": str(path), "error": str(error)}, ensure_ascii=False) if arguments.json else
                  f"Llm-Music-Gen: {shown(error)}", flush=True)  # fmt: skip
            continue
        if arguments.json:
            print(json.dumps({"file": str(path), **found}, ensure_ascii=False), flush=True)
            continue
        print(f"Llm-Music-Gen: {shown(path.name)}")
        for name, value in found.items():
            print(f"  {name:<14} {_shown(value)}")
    return 1 if failed else 0


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(item)}" for name, item in value.items())
    if isinstance(value, list):
        return (
            "; ".join(_shown(item) for item in value) if value and isinstance(value[0], dict) else ", ".join(map(_shown, value))
        )
    return str(value)
