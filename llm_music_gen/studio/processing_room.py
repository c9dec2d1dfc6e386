"""Processing as the studio offers it: words and files in, a plan to look at, results beside the originals, history and undo."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.errors import StudioError, UsageError
from llm_music_gen.parsing import parse_json
from llm_music_gen.paths import StudioPaths
from llm_music_gen.processing.files import SUFFIXES, audio_files_in, opened
from llm_music_gen.processing.history import History, Version
from llm_music_gen.processing.measure import loudness_of, measuring
from llm_music_gen.processing.registry import JOINING, REGISTRY
from llm_music_gen.processing.report import Failure, Report
from llm_music_gen.processing.runner import run, without_results
from llm_music_gen.requests import Situation, plan_request
from llm_music_gen.tools.plan import Call, Plan, Registry
from llm_music_gen.tools.words import call_in_words, split_words

#: Whoever turns a request into a plan.
Planner = Callable[[str, Situation, Registry], Plan]
#: Where the stages of one file lie in the whole of its work.
_SHARES = {"measure": (0.0, 0.25), "process": (0.25, 0.6), "convert": (0.6, 0.8), "check": (0.8, 1.0)}


@dataclass(frozen=True, slots=True)
class Processing:
    """A plan and the files it is for."""

    plan: Plan
    files: tuple[Path, ...]
    request: str

    @property
    def runnable(self) -> tuple[Call, ...]:
        """The calls that change sound."""
        return tuple(call for call in self.plan.calls if call.tool in REGISTRY)

    @property
    def unanswered(self) -> tuple[Call, ...]:
        """Questions back, refusals, and calls for other rooms of the studio: while there are any, nothing should run."""
        return tuple(call for call in self.plan.calls if call.tool not in REGISTRY)


def files_of(names: Sequence[str], *, with_results: bool = True) -> tuple[Path, ...]:
    """The audio files that were named; a folder stands for those in it. Raises UsageError for what is not there.

    Without `with_results` a folder's files that were made from others of it are left out: they are not processed once more.
    """
    found: list[Path] = []
    for name in names:
        path = Path(name).expanduser()
        if path.is_dir():
            inside = list(audio_files_in(path))
            if not inside:
                raise UsageError(f"There are no audio files in {path}.", hint=f"Known are {', '.join(sorted(SUFFIXES))}.")
            found += inside if with_results else without_results(inside)
        elif path.is_file():
            found.append(path)
        else:
            raise UsageError(f"There is no file {name!r}.", hint="Give the names of audio files or folders.")
    return tuple(dict.fromkeys(found))


def plan_processing(request: str, files: Sequence[Path], planner: Planner = plan_request) -> Processing:
    """What was understood of a request for these files, by the rules or another `planner`. Raises UsageError when nothing was."""
    first = str(files[0]) if files else None
    at = Situation(file=first, files_in_folder=tuple(path.name for path in files), measurements=_length_of(files))
    if planner is not plan_request:  # a model is told what was measured
        at = replace(at, measurements={**at.measurements, **_peak_of(files)})
    plan = planner(request, at, REGISTRY)
    if planner is plan_request and any(call.tool == "gain" and call.args.get("db", 0.0) > 0.0 for call in plan.calls):
        # Only what makes louder asks about peaks, and measuring an hour takes a while.
        plan = plan_request(request, replace(at, measurements={**at.measurements, **_peak_of(files)}), REGISTRY)
    calls = tuple(Call(call.tool, _without_files(call)) for call in plan.calls)
    return Processing(Plan(calls, plan.reply), tuple(files), request)


def tool_processing(calls: Sequence[Sequence[str]], files: Sequence[Path]) -> Processing:
    """Tools in the order given, each with its `name=value` settings. Raises UsageError with what is nearest."""
    made = [call_in_words(REGISTRY, words) for words in calls]
    plan = tuple(call for call, _ in made)
    said = [sentence for call, moved in made for sentence in (REGISTRY[call.tool].description, *moved)]
    return Processing(Plan(plan, " ".join(said)), tuple(files), "; ".join(str(call) for call in plan))


def call_from_text(text: str) -> Call:
    """A call as people write it: the tool, then `name=value` settings. Raises UsageError."""
    return call_in_words(REGISTRY, split_words(text))[0]


def run_processing(
    processing: Processing, paths: StudioPaths, output_dir: Path | None = None, *, together: bool = False
) -> Work[list[Report | Failure]]:
    """Carry the plan out and note it in the history. Raises UsageError when there is nothing to carry out."""
    if not processing.runnable:
        raise UsageError(processing.plan.reply or "Nothing in this request changes sound.", hint="Say what should be different.")
    paths.cache_dir.mkdir(parents=True, exist_ok=True)
    history = History(paths.database_file)
    files = processing.files
    joins = any(call.tool in JOINING and not call.args.get("files") for call in processing.runnable)
    groups = [files] if together or joins else [(file,) for file in files]
    results: list[Report | Failure] = []
    for number, group in enumerate(groups):
        work = run(processing.runnable, group, output_dir, together=together, scratch_dir=paths.cache_dir)
        try:
            done = yield from _in_whole(work, number, len(groups))
        except UsageError:
            raise  # the same for every file
        except StudioError as error:
            done = [Failure(group[0], str(error))]
        for result in done:
            if isinstance(result, Report):
                history.record(result, processing.request)  # at once, so that an interruption forgets nothing
        results += done
    return results


def not_done(processing: Processing, paths: StudioPaths) -> Processing:
    """The same for those files only that have no result of this request yet, so that an interrupted batch can go on."""
    history = History(paths.database_file)

    def is_done(file: Path) -> bool:
        return any(
            version.made_of == file.absolute() and version.request == processing.request and version.path.exists()
            for version in history.versions(file)
        )

    return replace(processing, files=tuple(file for file in processing.files if not is_done(file)))


def plan_from_file(path: Path, files: Sequence[Path]) -> Processing:
    """A plan that a person edited, as `--plan --json` prints it. Raises UsageError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        plan = REGISTRY.plan_from_json(parse_json(text))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no plan ({error}).", hint="Make one with: process FILE REQUEST --plan --json") from error
    return Processing(plan, tuple(files), "; ".join(str(call) for call in plan.calls))


def measurements_of(file: Path, metrics: Sequence[str] = ()) -> Work[dict[str, Any]]:
    """What was measured of a file, by the names of `analyze`; only `metrics` where some are given. Raises SoundError."""
    measured = (yield from measuring(opened(file).audio, "measure", f"Measuring {file.name}")).as_json()
    return {name: value for name, value in measured.items() if not metrics or name in metrics}


def versions_of(file: Path, paths: StudioPaths) -> Sequence[Version]:
    """What was done to a file. Raises LibraryError."""
    return History(paths.database_file).versions(file)


def undo_processing(file: Path, steps: int, paths: StudioPaths) -> Path:
    """The version that is current again. Nothing is deleted. Raises LibraryError."""
    return History(paths.database_file).undo(file, steps)


def _in_whole(work: Work[list[Report | Failure]], number: int, count: int) -> Work[list[Report | Failure]]:
    """Progress of one group of files as a part of all, which never goes back where stages follow each other."""
    while True:
        try:
            progress: Progress = next(work)
        except StopIteration as stop:
            done: list[Report | Failure] = stop.value
            return done
        low, high = _SHARES.get(progress.stage, (0.0, 1.0))
        # Stems are files inside their group.
        inner, of = progress.detail.get("file", 1) - 1, progress.detail.get("files", 1)
        here = (inner + low + (high - low) * progress.fraction) / of
        yield replace(progress, fraction=min(1.0, (number + here) / count))


def _length_of(files: Sequence[Path]) -> dict[str, float]:
    """How long the first file is; nothing where it cannot be read, which whoever runs the plan will say."""
    try:
        return {"duration": opened(files[0]).audio.length_s} if files else {}
    except StudioError:
        return {}


def _peak_of(files: Sequence[Path]) -> dict[str, float]:
    try:
        loudness = loudness_of(opened(files[0]).audio)
    except (IndexError, StudioError):
        return {}
    found = {"lufs": loudness.integrated_lufs, "true_peak": loudness.true_peak_dbtp}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _without_files(call: Call) -> dict[str, object]:
    """Files are those that were named on the command line; joining tools keep the order that was said."""
    keeps = call.tool in ("concat", "mix") or call.tool not in REGISTRY
    return {name: value for name, value in call.args.items() if keeps or name != "files"}
