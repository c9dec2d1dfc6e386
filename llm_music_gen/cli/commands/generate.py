"""`generate STYLES`: makes songs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from llm_music_gen.cli.options import add_file_options, add_long_options, add_music_options, add_stems_option, open_studio

if TYPE_CHECKING:
    from llm_music_gen.studio.request import GenerateRequest


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("styles", metavar="STYLES", help='styles and moods separated by commas, such as "Chill, Dubstep"')
    add_music_options(parser)
    add_file_options(parser)
    add_long_options(parser)
    add_stems_option(parser)
    parser.add_argument("--queue", action="store_true", help='put them into the queue and return; "jobs" shows how they get on')
    parser.add_argument(
        "--when-done",
        choices=["nothing", "play", "sleep", "shutdown"],
        help='with --queue: what happens when the queue is empty ("jobs when-done nothing" calls it off)',
    )


def run(arguments: argparse.Namespace) -> int:
    """Make the songs one after the other; a failed one does not stop the next."""
    from dataclasses import replace

    from llm_music_gen.cli.follow import follow_songs
    from llm_music_gen.studio.request import GenerateRequest, LongWords, titled

    request = GenerateRequest.from_words(
        arguments.styles, songs=arguments.songs, length=arguments.length, key=arguments.key, tempo=arguments.tempo,
        meter=arguments.meter, seed=arguments.seed, formats=arguments.format, output_dir=arguments.output, model=arguments.model,
        soundfont=arguments.soundfont, frequency=arguments.frequency, theme_model=arguments.theme_model, server=arguments.server,
        long=LongWords(
            arguments.each or "", arguments.layers or "", arguments.night, arguments.intonation or "", arguments.upload_kit or "",
            arguments.only_layers, arguments.fade or "",
        ),
    )  # fmt: skip
    request = replace(request, stems=arguments.stems, title=titled(arguments.title or ""))
    if arguments.preview:
        return _preview(request, as_json=arguments.json)
    if arguments.queue or arguments.when_done:
        return _queue(request, arguments.when_done)
    with open_studio() as studio:
        return follow_songs(studio.generate(request), f'"{request.styles_text}" themed', as_json=arguments.json)


def _preview(request: GenerateRequest, *, as_json: bool) -> int:
    """A minute of the track, and the command that makes the whole of it."""
    import json
    from dataclasses import replace

    from llm_music_gen.cli.follow import follow
    from llm_music_gen.studio.seeds import new_seed

    request = replace(request, seed=new_seed() if request.seed is None else request.seed)
    with open_studio() as studio:
        path = follow(studio.preview(request), "Rendering a minute of samples...")
    if as_json:
        print(json.dumps({"preview": str(path), "seed": request.seed}, ensure_ascii=False))
    else:
        print(f"Llm-Music-Gen: {path}")
        print(f"Llm-Music-Gen: The whole track is made by the same command with --seed {request.seed} and without --preview.")
    return 0


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
