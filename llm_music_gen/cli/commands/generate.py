"""`generate STYLES`: makes songs; `generate --from plan.csv`: a batch of songs and long tracks, one a row."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from llm_music_gen.cli.options import (
    add_cluster_option,
    add_file_options,
    add_long_options,
    add_music_options,
    add_stems_option,
    open_studio,
)
from llm_music_gen.errors import UsageError

if TYPE_CHECKING:
    from llm_music_gen.studio.request import GenerateRequest


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "styles", metavar="STYLES", nargs="?", help='styles and moods separated by commas, such as "Chill, Dubstep"'
    )
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
    add_cluster_option(parser)
    plan = parser.add_argument_group("many songs from a list")
    plan.add_argument(
        "--from", dest="from_plan", metavar="CSV", help="one song or track a row, under columns named like these options; what "
        "is finished is skipped the next time, and options given here hold where a row's cell is empty",
    )  # fmt: skip
    plan.add_argument("--again", action="store_true", help="with --from: make every row once more")
    parser.set_defaults(parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Make the songs one after the other; a failed one does not stop the next."""
    from llm_music_gen.cli.follow import follow_songs
    from llm_music_gen.studio.cluster.joined import joined
    from llm_music_gen.studio.plan import make_alone

    parser: argparse.ArgumentParser = arguments.parser
    if arguments.from_plan:
        return _plan(arguments, parser)
    if arguments.styles is None:
        parser.error("say in which styles, or give a plan with --from")
    if arguments.again:
        parser.error("--again needs a plan, which --from gives")
    request = request_of(arguments)
    if arguments.preview:
        return _preview(request, as_json=arguments.json)
    if arguments.queue or arguments.when_done:
        return _queue("generate", request.styles_text, request.to_dict(), arguments)
    with open_studio() as studio, joined(studio, arguments.cluster):
        work = studio.generate(request) if studio.machines is None else make_alone(studio, request)
        return follow_songs(work, f'"{request.styles_text}" themed', as_json=arguments.json)


def request_of(arguments: argparse.Namespace) -> GenerateRequest:
    """What the options ask for. Raises UsageError."""
    from dataclasses import replace

    from llm_music_gen.studio.request import GenerateRequest, LongWords, titled

    request = GenerateRequest.from_words(
        arguments.styles, songs=arguments.songs, length=arguments.length, key=arguments.key, tempo=arguments.tempo,
        meter=arguments.meter, seed=arguments.seed, formats=arguments.format, output_dir=arguments.output, model=arguments.model,
        soundfont=arguments.soundfont, frequency=arguments.frequency, theme_model=arguments.theme_model, server=arguments.server,
        long=LongWords(
            arguments.each or "", arguments.layers or "", arguments.night, arguments.intonation or "", arguments.upload_kit or "",
            arguments.only_layers, arguments.fade or "", arguments.narration or "", arguments.voice or "",
            arguments.narration_rate or "", arguments.narration_pause or "",
        ),
    )  # fmt: skip
    return replace(request, stems=arguments.stems, title=titled(arguments.title or ""))


def _plan(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Make what is missing of a plan, here or in the queue."""
    from pathlib import Path

    from llm_music_gen.cli.follow import follow_songs
    from llm_music_gen.cli.plan_file import read_plan
    from llm_music_gen.studio.cluster.joined import joined
    from llm_music_gen.studio.plan import check_rows, make_plan, plan_job, planned_rows
    from llm_music_gen.studio.plan_notes import notes_file, open_notes
    from llm_music_gen.studio.request import read_seed

    if arguments.preview:
        raise UsageError("A plan has no preview.", hint="Preview one of its rows by its own options.")
    path = Path(arguments.from_plan).expanduser()
    found = read_plan(path, parser, arguments, request_of)
    seed = None if arguments.seed is None else read_seed(arguments.seed)
    rows = planned_rows([(row.number, row.request) for row in found], seed)
    with open_studio() as studio:
        check_rows(rows, studio, path.name)
        notes = notes_file(studio.paths.plans_dir, path)
        if arguments.queue or arguments.when_done:
            request = plan_job(rows, notes, again=arguments.again)
            return _queue("plan", f"{path.name} ({len(rows)} rows)", request, arguments)
        with joined(studio, arguments.cluster), open_notes(notes, again=arguments.again) as open_one:
            return follow_songs(make_plan(studio, rows, open_one), "", as_json=arguments.json)


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
        if request.narration:
            print('Llm-Music-Gen: A preview is music alone; "llm-music-gen speak" lets you hear the voice.')
        print(f"Llm-Music-Gen: The whole track is made by the same command with --seed {request.seed} and without --preview.")
    return 0


def _queue(kind: str, title: str, request: dict[str, Any], arguments: argparse.Namespace) -> int:
    """Leave the songs to the worker behind the screens."""
    from contextlib import closing

    from llm_music_gen.jobs.cluster import check_address
    from llm_music_gen.jobs.when_done import WhenDone
    from llm_music_gen.paths import studio_paths
    from llm_music_gen.studio.work_queue import open_queue

    with closing(open_queue(studio_paths())) as queue:
        if arguments.cluster:
            check_address(arguments.cluster)
            request = {**request, "cluster": arguments.cluster}
        uid = queue.submit(kind, title, request)
        if arguments.when_done:
            queue.set_when_done(WhenDone(arguments.when_done))
    print(f'Llm-Music-Gen: Job {uid} is in the queue; "llm-music-gen jobs" shows how it gets on.')
    return 0
