"""`voices`: lists what can speak."""

from __future__ import annotations

import argparse
import json


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--json", action="store_true", help="print one JSON object a voice")


def run(arguments: argparse.Namespace) -> int:
    """Print the voices, the usual one first."""
    from dataclasses import asdict

    from llm_music_gen.paths import studio_paths
    from llm_music_gen.studio import voice_room as room

    paths = studio_paths()
    found = room.voices(paths)
    for voice in found:
        print(json.dumps(asdict(voice)) if arguments.json else f"{voice.name:<24} {voice.language:<8} {voice.description}")
    if not arguments.json:
        print(f"\nLlm-Music-Gen: Piper voices are found in {room.voices_dir(paths)}.")
    return 0
