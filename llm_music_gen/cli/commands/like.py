"""`like SONG`: makes another song of the same kind."""

from __future__ import annotations

import argparse

from llm_music_gen.cli.options import add_file_options, add_music_options, open_studio


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("song", metavar="SONG", help="title, number in the list, folder name or beginning of the id")
    add_music_options(parser)
    add_file_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Same styles, metre, frequency, layers and kind of length as the song; what is given here comes instead."""
    from dataclasses import replace

    from llm_music_gen.cli.follow import follow_songs
    from llm_music_gen.composing.lengths import parse_length

    with open_studio() as studio:
        request = studio.request_like(studio.library.find(arguments.song)).changed(
            songs=arguments.songs, length=arguments.length, key=arguments.key, tempo=arguments.tempo, meter=arguments.meter,
            seed=arguments.seed, formats=arguments.format, output_dir=arguments.output, model=arguments.model,
            soundfont=arguments.soundfont, frequency=arguments.frequency, theme_model=arguments.theme_model,
            server=arguments.server,
        )  # fmt: skip
        if request.each and arguments.length:  # the steps of a set share the new length
            steps = request.frequency.count(",") + 1
            request = replace(request, each=f"{float(parse_length(arguments.length).min_s) / steps:.3f}s")
        return follow_songs(studio.generate(request), f'"{request.styles_text}" themed', as_json=arguments.json)
