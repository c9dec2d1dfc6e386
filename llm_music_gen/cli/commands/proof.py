"""`proof FILE|SONG`: measures a finished file and says what is as promised and what is not."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from llm_music_gen.cli.options import open_studio

if TYPE_CHECKING:
    from llm_music_gen.proof import Promises


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("what", metavar="FILE|SONG", help="an audio file, or a song of the library by number or title")
    parser.add_argument(
        "--frequency", metavar="HZ", help="what the tonic should be, in some octave; for files that come without promises"
    )
    parser.add_argument("--json", action="store_true", help="as a JSON object, as in proof.json")


def run(arguments: argparse.Namespace) -> int:
    """Print what was measured; 1 when something that was promised is not so."""
    from dataclasses import replace

    from llm_music_gen.proof import Promises, prove
    from llm_music_gen.tuning.frequency import parse_frequency
    from llm_music_gen.tuning.retune import tune_to

    path, promises = _file_of(arguments.what)
    if arguments.frequency:
        frequency = parse_frequency(arguments.frequency)
        tuning = tune_to(frequency)
        promises = replace(promises or Promises(), tonic_hz=tuning.tonic_hz, a4_hz=tuning.a4_hz)
    proof = prove(path, promises or Promises())
    if arguments.json:
        print(proof.to_json(), end="")
    else:
        print(path)
        for check in proof.checks:
            print(f"  {check.line()}")
        print(proof.line() if promises else "Nothing was promised of this file.")
    return 0 if proof.passes else 1


def _file_of(what: str) -> tuple[Path, Promises | None]:
    """The file and what was promised of it."""
    from llm_music_gen.errors import LibraryError
    from llm_music_gen.proof import Promises
    from llm_music_gen.studio.promises import promises_beside

    path = Path(what).expanduser()
    if path.is_file():
        return path, promises_beside(path)
    with open_studio() as studio:
        song = studio.library.find(what)
    audio = song.audio_file
    if audio is None or not audio.is_file():
        raise LibraryError(f'The audio of "{song.title}" is missing.', hint='"llm-music-gen remake" makes it again.')
    return audio, promises_beside(audio) or Promises(frames=song.frames)
