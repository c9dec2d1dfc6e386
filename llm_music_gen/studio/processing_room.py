"""Processing as the studio offers it: words and files in, a plan to look at, results beside the originals, history and undo."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_music_gen.domain.progress import Work
from llm_music_gen.errors import UsageError
from llm_music_gen.paths import StudioPaths
from llm_music_gen.processing.files import SUFFIXES, audio_files_in
from llm_music_gen.processing.history import History, Version
from llm_music_gen.processing.registry import REGISTRY
from llm_music_gen.processing.report import Failure, Report
from llm_music_gen.processing.runner import run
from llm_music_gen.requests import Situation, plan_request
from llm_music_gen.tools.plan import Call, Plan

#: Said about files rather than to them: they change nothing.
_SAID = ("ask", "refuse")


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


def files_of(names: Sequence[str]) -> tuple[Path, ...]:
    """The audio files that were named; a folder stands for those in it. Raises UsageError for what is not there."""
    found: list[Path] = []
    for name in names:
        path = Path(name).expanduser()
        if path.is_dir():
            inside = list(audio_files_in(path))
            if not inside:
                raise UsageError(f"There are no audio files in {path}.", hint=f"Known are {', '.join(sorted(SUFFIXES))}.")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise UsageError(f"There is no file {name!r}.", hint="Give audio files or folders, then the request in quotes.")
    return tuple(dict.fromkeys(found))


def plan_processing(request: str, files: Sequence[Path]) -> Processing:
    """What was understood of a request for these files. Raises UsageError when nothing was."""
    first = str(files[0]) if files else None
    beside = tuple(path.name for path in files)
    plan = plan_request(request, Situation(file=first, files_in_folder=beside), REGISTRY)
    calls = tuple(Call(call.tool, _without_files(call)) for call in plan.calls)
    return Processing(Plan(calls, plan.reply), tuple(files), request)


def tool_processing(tool: str, settings: Sequence[str], files: Sequence[Path]) -> Processing:
    """One tool with `name=value` settings. Raises UsageError with what is nearest."""
    spec = REGISTRY[tool]
    arguments: dict[str, object] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise UsageError(
                f"{setting!r} is no setting.", hint=f"Write for example {spec.parameters[0].name}=..." if spec.parameters else ""
            )
        arguments[name] = _value(spec.parameter(name).kind, value)
    call = REGISTRY.checked(Call(tool, arguments))
    return Processing(Plan((call,), f"{spec.description}"), tuple(files), str(call))


def run_processing(
    processing: Processing, paths: StudioPaths, output_dir: Path | None = None, *, together: bool = False
) -> Work[list[Report | Failure]]:
    """Carry the plan out and note it in the history. Raises UsageError when there is nothing to carry out."""
    if not processing.runnable:
        raise UsageError(processing.plan.reply or "Nothing in this request changes sound.", hint="Say what should be different.")
    paths.cache_dir.mkdir(parents=True, exist_ok=True)
    results = yield from run(processing.runnable, processing.files, output_dir, together=together, scratch_dir=paths.cache_dir)
    history = History(paths.database_file)
    for result in results:
        if isinstance(result, Report):
            history.record(result, processing.request)
    return results


def versions_of(file: Path, paths: StudioPaths) -> Sequence[Version]:
    """What was done to a file. Raises LibraryError."""
    return History(paths.database_file).versions(file)


def undo_processing(file: Path, steps: int, paths: StudioPaths) -> Path:
    """The version that is current again. Nothing is deleted. Raises LibraryError."""
    return History(paths.database_file).undo(file, steps)


def _without_files(call: Call) -> dict[str, object]:
    """Files are those that were named on the command line; joining tools keep the order that was said."""
    keeps = call.tool in ("concat", "mix") or call.tool not in REGISTRY
    return {name: value for name, value in call.args.items() if keeps or name != "files"}


def _value(kind: str, text: str) -> object:
    if kind == "yes_no":
        return text.lower() in ("yes", "true", "1", "on")
    if kind in ("number", "integer"):
        try:
            return float(text)
        except ValueError:
            return text
    if kind in ("numbers", "texts", "records"):
        try:
            return json.loads(text)
        except ValueError:
            return text.split(",")
    return text
