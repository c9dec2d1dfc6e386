"""`get soundfont [NAME]`, `get voice [NAME]`: fetches sounds and voices; without a name it says which are known."""

from __future__ import annotations

import argparse

from llm_music_gen.cli.getting import add_get_options, get_or_list


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's kinds."""
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    for kind, summary in (
        ("soundfont", "instruments: GeneralUser GS, MuseScore General"),
        ("voice", "voices that speak (Piper) and models that hear (Whisper)"),
        ("model", "the same as: models get"),
    ):
        one = kinds.add_parser(kind, help=summary, description=f"Get {summary}.")
        add_get_options(one)
        if kind == "model":
            one.add_argument("--quant", default="", metavar="Q", help="quantization, such as Q6_K")


def run(arguments: argparse.Namespace) -> int:
    """Fetch it, or list what is known."""
    return get_or_list(arguments, arguments.kind)
