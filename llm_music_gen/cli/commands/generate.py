"""`generate STYLES`: makes songs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from llm_music_gen.cli.options import add_file_options, add_music_options, open_studio

if TYPE_CHECKING:
    from llm_music_gen.studio.request import GenerateRequest


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("styles", metavar="STYLES", help='styles and moods separated by commas, such as "Chill, Dubstep"')
    add_music_options(parser)
    add_file_options(parser)
    parser.add_argument("--queue", action="store_true", help='put them into the queue and return; "jobs" shows how they get on')
    parser.add_argument(
        "--when-done",
        choices=["nothing", "play", "sleep", "shutdown"],
        help='with --queue: what happens when the queue is empty ("jobs when-done nothing" calls it off)',
    )


def run(arguments: argparse.Namespace) -> int:
    """Make the songs one after the other; a failed one does not stop the next."""
    from llm_music_gen.cli.follow import follow_songs
    from llm_music_gen.studio.request import GenerateRequest

    request = GenerateRequest.from_words(
        arguments.styles, songs=arguments.songs, length=arguments.length, key=arguments.key, tempo=arguments.tempo,
        meter=arguments.meter, seed=arguments.seed, formats=arguments.format, output_dir=arguments.output, model=arguments.model,
        soundfont=arguments.soundfont, frequency=arguments.frequency,
    )  # fmt: skip
    if arguments.queue or arguments.when_done:
        return _queue(request, arguments.when_done)
    with open_studio() as studio:
        return follow_songs(studio.generate(request), f'"{request.styles_text}" themed', as_json=arguments.json)


def _queue(request: GenerateRequest, when_done: str | None) -> int:
    """Leave the songs to the worker behind the screens."""
    from contextlib import closing

    from llm_music_gen.jobs.when_done import WhenDone
    from llm_music_gen.paths import studio_paths
    from llm_music_gen.studio.work_queue import open_queue

    with closing(open_queue(studio_paths())) as queue:
        uid = queue.submit("generate", request.styles_text, request.to_dict())
        if when_done:
            queue.set_when_done(WhenDone(when_done))
    print(f'Llm-Music-Gen: Job {uid} is in the queue; "llm-music-gen jobs" shows how it gets on.')
    return 0
