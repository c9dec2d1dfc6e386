"""`models list`: shows the language models on this computer."""

from __future__ import annotations

import argparse

from llm_music_gen.cli.options import open_studio


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="every GGUF file that was found, and what it suits")


def run(_arguments: argparse.Namespace) -> int:
    """Print one line a model."""
    with open_studio() as studio:
        models = studio.models()
    for model in models:
        size = f"{model.size_bytes / 1e9:.1f} GB" if model.size_bytes >= 1e9 else f"{model.size_bytes / 1e6:.0f} MB"
        print(f"{model.name}  ({model.source}, {size}, {model.quantization or 'unknown'}) {model.problem or model.role or ''}")
    if not models:
        print("No models were found. Put a GGUF file into the folder models/.")
    return 0
