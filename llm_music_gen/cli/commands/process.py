"""`process FILE... "REQUEST"`: changes the sound of audio files as said in plain English; originals stay as they are."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from llm_music_gen.cli.clean_output import shown

if TYPE_CHECKING:
    from llm_music_gen.paths import StudioPaths
    from llm_music_gen.processing.report import Failure, Report
    from llm_music_gen.studio.processing_room import Processing


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("-h", "--help", action=_Help, metavar="TOOL", help="show this, or the settings of a tool")
    parser.add_argument(
        "words", metavar="FILE... REQUEST", nargs="*", help='audio files or folders, then the request, such as "remove the hiss"'
    )
    parser.add_argument("--plan", action="store_true", help="show what was understood and run nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask before running")
    parser.add_argument("--output", metavar="DIR", help="where results go (default: beside the originals)")
    parser.add_argument(
        "--together", action="store_true", help="the files are stems of one piece: one loudness target for their sum"
    )
    parser.add_argument(
        "--tool", nargs="+", action="append", metavar=("NAME", "SETTING"),
        help="instead of a request a tool: --tool gain db=-3; again for the next one",
    )  # fmt: skip
    parser.add_argument("--tools", action="store_true", help="list all tools with their settings")
    parser.add_argument("--edit-plan", metavar="FILE", help="instead of a request a plan in JSON, as --plan --json prints it")
    parser.add_argument("--watch", metavar="DIR", help="process every file that comes to lie in a folder, until Ctrl+C")
    parser.add_argument("--resume", action="store_true", help="leave out files that have a result of the same request")
    parser.add_argument("--history", metavar="FILE", help="what was done to a file")
    parser.add_argument("--undo", metavar="FILE", help="make the version before the current one again")
    parser.add_argument("--steps", type=int, default=1, metavar="N", help="how many steps --undo goes back (default: 1)")
    parser.add_argument("--model", metavar="NAME", help="a chat model (GGUF) that plans instead of the built-in rules")
    parser.add_argument("--queue", action="store_true", help='put it into the queue and return; "jobs" shows how it gets on')
    parser.add_argument("--picture", action="store_true", help="draw both spectra beside each result")
    parser.add_argument("--json", action="store_true", help="print one JSON object a file; progress goes to stderr")


class _Help(argparse.Action):
    """`--help`, `--help TOOL`, `--tool TOOL --help`."""

    def __init__(self, option_strings: Sequence[str], dest: str, **rest: Any) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs="?", **rest)

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option_string: str | None = None
    ) -> None:
        from llm_music_gen.processing.registry import REGISTRY
        from llm_music_gen.tools.words import help_of, named_tool

        named = [group[0] for group in namespace.tool or ()]
        if values and not Path(values).exists():
            named = [values]
        if not named:
            parser.print_help()
            parser.exit()
        print("\n\n".join(help_of(named_tool(REGISTRY, name), f"{parser.prog} FILE... --tool") for name in named))
        parser.exit()


def _tools_and_files(groups: Sequence[Sequence[str]]) -> tuple[list[list[str]], list[str]]:
    """Files may stand behind a tool's settings too: `--tool gain db=-3 song.wav`."""
    calls, files = [], []
    for name, *settings in groups:
        named = [setting for setting in settings if "=" not in setting and Path(setting).expanduser().exists()]
        calls.append([name, *(setting for setting in settings if setting not in named)])
        files += named
    return calls, files


def run(arguments: argparse.Namespace) -> int:
    """Plan, show, ask, run, report. 1 when a file failed."""
    from llm_music_gen.errors import UsageError
    from llm_music_gen.paths import studio_paths
    from llm_music_gen.settings import load_settings
    from llm_music_gen.studio import processing_room as room
    from llm_music_gen.studio.model_planner import planner_for

    paths = studio_paths()
    if arguments.tools:
        return _list_tools(as_json=arguments.json)
    if arguments.history:
        return _history(Path(arguments.history), as_json=arguments.json)
    if arguments.undo:
        current = room.undo_processing(Path(arguments.undo), arguments.steps, paths)
        print(json.dumps({"current": str(current)}) if arguments.json else f"Llm-Music-Gen: {current} is the current version.")
        return 0
    words = list(arguments.words)
    if arguments.watch:
        return _watch(arguments, Path(arguments.watch).expanduser())
    if arguments.tool:
        calls, files = _tools_and_files(arguments.tool)
        processing = room.tool_processing(calls, room.files_of([*words, *files], with_results=False))
    elif arguments.edit_plan:
        processing = room.plan_from_file(Path(arguments.edit_plan).expanduser(), room.files_of(words, with_results=False))
    else:
        if len(words) < 2:
            raise UsageError("Say which files, and what should happen.", hint='For example: process song.wav "warmer and louder"')
        planner = planner_for(paths, load_settings(paths.settings_file), arguments.model or "")
        processing = room.plan_processing(words[-1], room.files_of(words[:-1], with_results=False), planner)
    if not processing.files:
        raise UsageError("Say which files.", hint="For example: process song.wav --tool gain db=-3")
    if arguments.plan:
        _show_plan(processing, as_json=arguments.json)
        return 0
    if processing.unanswered:
        return _answer(processing, paths, as_json=arguments.json)
    if arguments.resume:
        if arguments.together:
            raise UsageError("Stems are processed all together or not at all.", hint="Leave --resume or --together out.")
        whole = len(processing.files)
        processing = room.not_done(processing, paths)
        print(f"Llm-Music-Gen: {whole - len(processing.files)} of {whole} files were done before.", file=sys.stderr)
        if not processing.files:
            return 0
    if not arguments.json:
        _show_plan(processing, as_json=False)
    if arguments.queue:
        return _queue(processing, arguments)
    if (
        not arguments.yes
        and not arguments.json
        and sys.stdin.isatty()
        and input("Run it? [Y/n] ").strip().lower() not in ("", "y", "yes")
    ):
        return 0
    return _run(processing, arguments)


def _run(processing: Processing, arguments: argparse.Namespace) -> int:
    """Carry a plan out and report each file."""
    from llm_music_gen.cli.follow import follow
    from llm_music_gen.paths import studio_paths
    from llm_music_gen.processing.report import Failure
    from llm_music_gen.studio.processing_room import run_processing

    output = Path(arguments.output).expanduser() if arguments.output else None
    count = len(processing.files)
    work = run_processing(processing, studio_paths(), output, together=arguments.together)
    results = follow(work, f"Processing {count} file{'s' if count > 1 else ''}...")
    for result in results:
        _tell(result, as_json=arguments.json, picture=arguments.picture)
    return 1 if any(isinstance(result, Failure) for result in results) else 0


def _queue(processing: Processing, arguments: argparse.Namespace) -> int:
    """Leave it to the worker behind the screens."""
    from contextlib import closing

    from llm_music_gen.paths import studio_paths
    from llm_music_gen.studio.processing_jobs import submit
    from llm_music_gen.studio.work_queue import open_queue

    output = Path(arguments.output).expanduser() if arguments.output else None
    with closing(open_queue(studio_paths())) as queue:
        uid = submit(queue, processing, output, together=arguments.together)
    if arguments.json:
        print(json.dumps({"job": uid}))
    else:
        print(f'Llm-Music-Gen: Job {uid} is in the queue; "llm-music-gen jobs" shows how it gets on.')
    return 0


def _watch(arguments: argparse.Namespace, folder: Path) -> int:
    """Process what comes into a folder, until the user stops it."""
    from llm_music_gen.errors import StudioError, UsageError
    from llm_music_gen.paths import studio_paths
    from llm_music_gen.studio import processing_room as room
    from llm_music_gen.studio.watch_folder import arrivals

    if arguments.tool:
        plan = room.tool_processing(arguments.tool, ())
    elif arguments.edit_plan:
        plan = room.plan_from_file(Path(arguments.edit_plan).expanduser(), ())
    elif len(arguments.words) == 1:
        plan = room.plan_processing(arguments.words[0], (folder / "file.wav",))
    else:
        raise UsageError("Say what should happen to the files.", hint='For example: process --watch DIR "remove the hiss"')
    _show_plan(plan, as_json=False, stream=sys.stderr)
    if plan.unanswered or not plan.runnable:
        return 1
    print(f"Llm-Music-Gen: Watching {folder}. Ctrl+C ends it.", file=sys.stderr)
    for arrived in arrivals(plan, folder, studio_paths()):
        try:
            _run(arrived, arguments)
        except StudioError as error:  # one bad file does not end the watch
            print(f"Llm-Music-Gen: {error}", file=sys.stderr)
    return 0


def _answer(processing: Processing, paths: StudioPaths, *, as_json: bool) -> int:
    """Questions about files, their history and undo are answered where the request asks for nothing else."""
    from llm_music_gen.cli.follow import follow
    from llm_music_gen.studio import processing_room as room

    calls = processing.plan.calls
    if len(calls) != 1 or calls[0].tool not in ("analyze", "history", "undo"):
        _show_plan(processing, as_json=as_json)
        return 1
    call = calls[0]
    for file in processing.files:
        if call.tool == "history":
            _history(file, as_json=as_json)
        elif call.tool == "undo":
            current = room.undo_processing(file, int(call.args.get("steps", 1)), paths)
            print(json.dumps({"current": str(current)}) if as_json else f"Llm-Music-Gen: {current} is the current version.")
        else:
            measured = follow(room.measurements_of(file, call.args.get("metrics", ())), f"Measuring {file.name}...")
            _tell_measured(file, measured, call.args.get("metrics", ()), as_json=as_json)
    return 0


def _tell_measured(file: Path, measured: dict[str, Any], metrics: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"file": str(file), **measured}, ensure_ascii=False), flush=True)
        return
    print(f"Llm-Music-Gen: {file}")
    for name, value in measured.items():
        if not isinstance(value, dict) or name in metrics:
            print(f"  {name:<14} {value}")
    unknown = [name for name in metrics if name not in measured]
    if unknown:
        print(f"  Not measured here: {', '.join(unknown)}.")


def _show_plan(processing: Processing, *, as_json: bool, stream: TextIO | None = None) -> None:
    if as_json:
        print(json.dumps(processing.plan.as_json(), ensure_ascii=False))
        return
    calls = [call for call in processing.plan.calls if call.tool not in ("ask", "refuse")]
    for call in calls:
        print(f"  {call}", file=stream)
    listed = f"Understood: {'; '.join(map(str, calls))}."
    reply = processing.plan.reply.removeprefix(listed).strip()  # the calls stand above, one a line
    if reply:
        print(f"Llm-Music-Gen: {reply}", file=stream)


def _tell(result: Report | Failure, *, as_json: bool, picture: bool) -> None:
    from llm_music_gen.processing.report import Failure
    from llm_music_gen.processing.report_picture import write_picture

    drawn = None
    if picture and not isinstance(result, Failure):
        drawn = result.output.with_suffix(".spectra.png")
        write_picture(result, drawn)
    if as_json:
        print(json.dumps({**result.as_json(), **({"picture": str(drawn)} if drawn else {})}, ensure_ascii=False), flush=True)
    elif isinstance(result, Failure):
        # Most reasons begin with the file.
        named = result.source.name in result.reason
        print(f"Llm-Music-Gen: {shown(result.reason if named else f'{result.source.name} failed. {result.reason}')}")
    else:
        print(f"Llm-Music-Gen: {shown(result.output)}")
        for what, before, after in result.lines():
            print(f"  {what:<16} {before:>14} -> {after}")
        for note in result.notes:
            print(f"  {shown(note)}")


def _history(file: Path, *, as_json: bool) -> int:
    from llm_music_gen.paths import studio_paths
    from llm_music_gen.studio.processing_room import versions_of

    for version in versions_of(file, studio_paths()):
        if as_json:
            print(json.dumps(version.as_json(), ensure_ascii=False))
        else:
            beside = version.path.parent == file.absolute().parent
            named = shown(version.path.name if beside else version.path)
            print(f"{'*' if version.current else ' '} {version.created}  {named}  {version.request}")
    return 0


def _list_tools(*, as_json: bool) -> int:
    from llm_music_gen.processing.registry import REGISTRY

    for spec in REGISTRY:
        if as_json:
            print(
                json.dumps(
                    {"tool": spec.name, "description": spec.description, "arguments": spec.json_schema()}, ensure_ascii=False
                )
            )
        else:
            settings = ", ".join(parameter.name for parameter in spec.parameters)
            print(f"{spec.name}({settings})\n    {spec.description}")
    if not as_json:
        print('"--help TOOL" tells the settings of one.')
    return 0
