"""`melody FILE`: writes down what one voice hums, sings, whistles or plays, as ABC notation and MIDI."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("file", metavar="FILE", help="a recording of one voice or of an instrument that plays single notes")
    parser.add_argument(
        "-o", "--output", metavar="OUT.abc", help="where to write (default: beside the recording, under its name)"
    )
    parser.add_argument("--bpm", metavar="N", type=float, help="beats a minute (default: found)")
    parser.add_argument("--key", metavar="K", default="", help="such as Dm or F#m (default: found)")
    parser.add_argument("--meter", metavar="M", default="", help="such as 4/4, 3/4 or 6/8 (default: 4/4 or 3/4 is found)")
    parser.add_argument("--json", action="store_true", help="print one JSON object with every note; progress goes to stderr")


def run(arguments: argparse.Namespace) -> int:
    """Listen, write, and say what was heard."""
    from llm_music_gen.cli.follow import follow
    from llm_music_gen.studio import melody_room as room

    path = Path(arguments.file).expanduser()
    told = room.Told.from_words(arguments.bpm, arguments.key, arguments.meter)
    melody = follow(room.hear_melody(path, told), f"Listening to {path.name}...", sys.stderr)
    abc, midi = room.write_melody(melody, Path(arguments.output).expanduser() if arguments.output else None)
    if arguments.json:
        print(json.dumps({**melody.as_json(), "written": [str(abc), str(midi)]}, ensure_ascii=False))
        return 0
    print(melody.abc)
    print(f"Llm-Music-Gen: {melody.summary()}")
    print(f"Llm-Music-Gen: Written: {abc} and {midi.name}")
    print(f'Llm-Music-Gen: A song is made of it by: llm-music-gen render "{abc}" --style "Folk"')
    return 0
