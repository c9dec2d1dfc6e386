"""`render FILE`: turns the user's own ABC or MIDI file into a finished song."""

from __future__ import annotations

import argparse
from pathlib import Path

from llm_music_gen.cli.options import add_file_options, add_stems_option, open_studio


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("file", metavar="FILE", help="an .abc or .mid file")
    parser.add_argument("--style", metavar="STYLES", help="arrange it for a band in these styles (default: play it as it is)")
    parser.add_argument("--tempo", metavar="BPM", help="beats a minute, instead of the file's own")
    parser.add_argument("--seed", metavar="N", help="the same number gives the same arrangement again")
    add_file_options(parser)
    add_stems_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Render the file."""
    from dataclasses import replace

    from llm_music_gen.cli.follow import follow_songs
    from llm_music_gen.studio.request import RenderRequest

    request = RenderRequest.from_words(
        Path(arguments.file), styles=arguments.style, tempo=arguments.tempo, seed=arguments.seed, formats=arguments.format,
        output_dir=arguments.output, soundfont=arguments.soundfont,
    )  # fmt: skip
    request = replace(request, stems=arguments.stems)
    with open_studio() as studio:
        return follow_songs(studio.render_file(request), f'"{request.file.name}" as', as_json=arguments.json)
