"""`generate STYLES`: makes songs."""

from __future__ import annotations

import argparse

from llm_music_gen.cli.options import add_file_options, add_music_options, open_studio


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("styles", metavar="STYLES", help='styles and moods separated by commas, such as "Chill, Dubstep"')
    add_music_options(parser)
    add_file_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Make the songs one after the other; a failed one does not stop the next."""
    from llm_music_gen.cli.follow import follow_songs
    from llm_music_gen.studio.request import GenerateRequest

    request = GenerateRequest.from_words(
        arguments.styles, songs=arguments.songs, length=arguments.length, key=arguments.key, tempo=arguments.tempo,
        meter=arguments.meter, seed=arguments.seed, formats=arguments.format, output_dir=arguments.output, model=arguments.model,
        soundfont=arguments.soundfont, frequency=arguments.frequency,
    )  # fmt: skip
    with open_studio() as studio:
        return follow_songs(studio.generate(request), f'"{request.styles_text}" themed', as_json=arguments.json)
