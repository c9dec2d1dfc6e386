"""Options that several commands share, and the studio they open."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llm_music_gen.studio.studio import Studio


def add_file_options(parser: argparse.ArgumentParser) -> None:
    """Where the song goes, in which formats, and how it is reported."""
    parser.add_argument(
        "--format", metavar="LIST", help="mp3, wav, flac, opus, or several separated by commas (default: the setting)"
    )
    parser.add_argument("--output", metavar="DIR", help="put the files into this folder too")
    parser.add_argument("--soundfont", metavar="FILE", help="SF2 or SF3 file with the instruments")
    parser.add_argument("--json", action="store_true", help="print one JSON object a song; progress goes to stderr")


def add_stems_option(parser: argparse.ArgumentParser) -> None:
    """Parts as files of their own."""
    parser.add_argument(
        "--stems", action="store_true", help='every part as a WAV of its own in the folder "stems"; they add up to the mix'
    )


def add_music_options(parser: argparse.ArgumentParser) -> None:
    """What the music shall be."""
    parser.add_argument("--songs", metavar="N", default="1", help="how many, 1 to 1000 (default: 1)")
    parser.add_argument("--length", metavar="SPEC", help='minutes "5", a range "4-6", hours "8:00", "30s" or "3m20s"')
    parser.add_argument("--key", metavar="KEY", help='for example "A minor", "Am", "F# major", "D dorian"')
    parser.add_argument("--frequency", metavar="HZ", help='where the tonic lies: 528, "om", or "A4=432" for the reference')
    parser.add_argument("--tempo", metavar="BPM", help="beats a minute")
    parser.add_argument("--meter", metavar="M/N", help='for example "4/4", "3/4", "6/8"')
    parser.add_argument("--title", metavar="TEXT", help="its name (default: one that fits its mood)")
    parser.add_argument("--seed", metavar="N", help="the same number gives the same song again")
    parser.add_argument("--theme-model", metavar="NAME", help="GGUF file that imagines the themes, such as ILM3")
    parser.add_argument(
        "--server", metavar="URL", help="OpenAI-compatible server that does so, such as http://127.0.0.1:11434/v1"
    )
    parser.add_argument(
        "--model",
        metavar="NAME",
        help='GGUF file that writes the tunes, or part of its name (see: llm-music-gen models list); "server" for one there',
    )


def add_long_options(parser: argparse.ArgumentParser) -> None:
    """What tracks of hours and tracks with layers can have beside what songs have."""
    group = parser.add_argument_group("tracks of hours, and layers under the music")
    group.add_argument("--night", action="store_true", help="calm enough to sleep to: nothing sudden, darker, -22 LUFS")
    group.add_argument(
        "--layers", metavar="LIST", help='under the music: "binaural 10-2", monaural, isochronic, pink noise, rain, surf, '
        'wind, "tone 528", or an .sbg file; louder or softer with "rain -6dB"',
    )  # fmt: skip
    group.add_argument("--only-layers", action="store_true", help="no music, only the layers: hours of rain, or a beat alone")
    group.add_argument("--fade", metavar="SPEC", help='how long it fades out at its end: "30s", "5" minutes')
    group.add_argument("--each", metavar="MIN", help='with several frequencies ("174,285,396"): how long each lasts')
    group.add_argument("--intonation", choices=["equal", "just"], help="equal temperament (default), or just above the tonic")
    group.add_argument(
        "--upload-kit", choices=["yes", "no"], help="title, chapters, pictures beside it (default: from an hour on)"
    )
    group.add_argument(
        "--narration", metavar="FILE", help='text file that a voice speaks over the music; "[10:00]" at the start of a line says '
        'when a paragraph begins, "[pause 20]" is a pause',
    )  # fmt: skip
    group.add_argument("--voice", metavar="V", help='who speaks it, one of "llm-music-gen voices" (default: the first)')
    group.add_argument("--narration-rate", metavar="WPM", help="words a minute, 80 to 400 (default: 110)")
    group.add_argument("--narration-pause", metavar="S", help="seconds between its paragraphs (default: 8)")
    group.add_argument("--preview", action="store_true", help="make only a minute of samples from along the track")


def add_cluster_option(parser: argparse.ArgumentParser) -> None:
    """Other computers."""
    parser.add_argument(
        "--cluster", metavar="URL", default="", help="Dask cluster that renders, such as tcp://192.168.0.10:8786; it carries out "
        "whatever its scheduler sends, so only in a network that you trust (docs/guide/cluster.md)",
    )  # fmt: skip


def open_studio() -> Studio:
    """The studio with the user's settings; a broken settings file is an error."""
    from llm_music_gen.studio.studio import Studio

    return Studio.open()
