"""`speak TEXT|FILE.txt -o OUT`: speaks a text into a file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("text", metavar="TEXT", help="what is said, or the name of a text file that holds it")
    parser.add_argument(
        "-o", "--output", metavar="OUT", required=True, help="the file: its name ends with .wav, .flac, .mp3 or .opus"
    )
    parser.add_argument("--voice", metavar="V", default="", help='one of "llm-music-gen voices" (default: the first)')
    parser.add_argument("--rate", metavar="WPM", default="165", help="words a minute, 80 to 400 (default: 165)")


def run(arguments: argparse.Namespace) -> int:
    """Speak and say where the file is."""
    from llm_music_gen.cli.follow import follow
    from llm_music_gen.studio import voice_room as room
    from llm_music_gen.studio.studio import Studio

    rate_wpm = room.checked_rate(arguments.rate)
    text = _text(arguments.text)
    with Studio.open() as studio:
        out = Path(arguments.output).expanduser()
        work = room.speak_to_file(text, arguments.voice, rate_wpm, out, studio.paths, studio.settings)
        follow(work, "Speaking...", sys.stderr)
    print(f"Llm-Music-Gen: Spoken: {out}")
    return 0


def _text(given: str) -> str:
    """The words themselves, or those in a text file of that name."""
    from llm_music_gen.errors import StorageError

    if not given.lower().endswith(".txt"):
        return given
    try:
        return Path(given).expanduser().read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise StorageError(f"{given} is not text in UTF-8.", hint="Save it as UTF-8.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StorageError(f"{given} cannot be read ({reason}).", hint="Check its name.") from error
