"""`remake RECIPE`: makes a song again, byte for byte."""

from __future__ import annotations

import argparse
from pathlib import Path

from llm_music_gen.cli.options import add_cluster_option, add_file_options, open_studio


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("recipe", metavar="RECIPE", help="a recipe.json, a song's folder, or a song in the library")
    parser.add_argument("--anyway", action="store_true", help="also with another soundfont or on another kind of computer")
    add_file_options(parser)
    add_cluster_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Make the song from its recipe."""
    from llm_music_gen.cli.follow import follow_songs
    from llm_music_gen.studio.cluster.joined import joined

    with open_studio() as studio, joined(studio, arguments.cluster):
        path = Path(arguments.recipe)
        if not path.exists():
            path = studio.library.find(arguments.recipe).folder
        work = studio.remake(
            path, formats=arguments.format, output_dir=arguments.output, soundfont=arguments.soundfont, anyway=arguments.anyway
        )
        return follow_songs(work, "the same", as_json=arguments.json)
