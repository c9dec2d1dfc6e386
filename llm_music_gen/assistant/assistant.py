"""The assistant: from a request in plain words to tools that have done it, with the turns before in mind."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llm_music_gen.assistant.answer import Answer
from llm_music_gen.assistant.catalogue import CATALOGUE, STUDIO
from llm_music_gen.assistant.caution import answer_of, question_before
from llm_music_gen.assistant.desk import Desk
from llm_music_gen.assistant.memory import DeskState, Memory
from llm_music_gen.assistant.reach import Reach
from llm_music_gen.assistant.undoing import take_back
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.domain.song import Song
from llm_music_gen.errors import LibraryError, StudioError
from llm_music_gen.processing.registry import JOINING
from llm_music_gen.processing.registry import REGISTRY as AUDIO
from llm_music_gen.processing.report import Failure, Report
from llm_music_gen.studio.batch import song_facts
from llm_music_gen.studio.model_planner import planner_for
from llm_music_gen.studio.processing_room import Planner, Processing, run_processing, undo_processing
from llm_music_gen.studio.studio import Studio
from llm_music_gen.tools.plan import Call, Plan

#: Calls that are words, not work.
WORDS = ("ask", "refuse")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was understood of a request, and whether it may be done now."""

    request: str
    calls: tuple[Call, ...]
    reply: str
    question: str = ""
    """What must be answered with yes before it is done."""

    @property
    def ready(self) -> bool:
        """Whether there is something to do that needs no answer first."""
        return bool(self.calls) and not self.question and not any(call.tool in WORDS for call in self.calls)

    @property
    def takes_long(self) -> bool:
        """Whether it makes or changes sound, so that it belongs behind the screens."""
        return any(call.tool in AUDIO or call.tool in ("compose", "frequency", "remake", "render_abc", "edit", "export_youtube",
                   "transcribe", "describe", "analyze", "proof") for call in self.calls)  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """The form on every wire."""
        facts: dict[str, Any] = {"calls": [call.as_json() for call in self.calls], "reply": self.reply}
        return facts | ({"question": self.question} if self.question else {})


class Assistant:
    """One conversation with the studio."""

    def __init__(
        self,
        studio: Studio,
        conversation: str = "terminal",
        *,
        planner: Planner | None = None,
        roots: Sequence[Path] | None = None,
    ) -> None:
        self._planner = planner or planner_for(studio.paths, studio.settings)
        self.memory = Memory(studio.paths.database_file, conversation)
        self._state = self.memory.desk()
        self.desk = Desk(studio, Reach(studio.paths, roots))
        for name in self._state.named:
            self.desk.reach.allow(Path(name))
        file = Path(self._state.file) if self._state.file else None
        self.desk.file = file if file is not None and file.exists() else None
        self.desk.song = self._state.song

    def open_file(self, path: Path) -> None:
        """The user chose a file: it is what "it" means from now on. Raises UsageError where it is not there."""
        self.desk.reach.allow(path)
        self.desk.file = self.desk.audio([str(path)])[0].absolute()
        self._keep(replace(self._state, named=(*self._state.named, str(path.expanduser().absolute()))))

    def propose(self, request: str) -> Proposal:
        """What a request comes to. Nothing is done yet; a question waits for the next request."""
        self.desk.reach.heard(request)
        waiting, earlier = self._state.waiting, self._state.request
        self._keep(replace(self._state, waiting=(), request=""))
        said = answer_of(request)
        if waiting and said is not None:
            return Proposal(request, waiting, "") if said else Proposal(request, (), "Left as it is.")
        if said and not earlier:
            return Proposal(request, (), "Nothing waits for an answer.")
        at = self.desk.situation()
        plan = self._planner(request, at, CATALOGUE)
        if earlier:
            # An answer to a question means something only together with what was asked for.
            joined = self._planner(f"{earlier}, {request}", at, CATALOGUE)
            if not _lost(joined) and (_lost(plan) or plan.calls[0].tool == joined.calls[0].tool):
                plan, request = joined, f"{earlier}, {request}"
        sure = tuple(call for call in plan.calls if not (call.tool == "ask" and call.args.get("about") == "confirm"))
        question = question_before(sure, self.desk)
        if len(sure) < len(plan.calls):  # the planner wants to be sure
            question = question or "Shall I really do that?"
            plan = replace(plan, calls=sure, reply=plan.reply.removesuffix("Shall I really do that?").rstrip())
        if any(call.tool == "ask" for call in plan.calls):
            self._keep(replace(self._state, request=request))
        elif question:
            self._keep(replace(self._state, waiting=plan.calls))
        return Proposal(request, plan.calls, plan.reply, question)

    def carry_out(self, proposal: Proposal) -> Work[tuple[Answer, ...]]:
        """Do it, tool after tool, each with what the one before gave. A tool that fails ends the rest.

        Yields progress whose `fraction` is of all of it. The turn is noted however it ends, so that it can be taken back.
        """
        answers: list[Answer] = []
        self.desk.fresh = ()
        steps = list(_steps(proposal.calls))
        try:
            for number, step in enumerate(steps):
                answer = yield from _share(self._done(step, proposal.request), number, len(steps))
                answers.append(answer)
                self._move_on(answer)
                if answer.failed:
                    break
        finally:
            undo = [answer.undo for answer in answers if answer.undo is not None]
            # Taking back is no work of its own that could be taken back.
            if answers and not all(call.tool == "undo" for call in proposal.calls):
                self.memory.record(proposal.request, proposal.calls, [answer.as_json() for answer in answers], undo)
        return tuple(answers)

    def _done(self, step: tuple[Call, ...], request: str) -> Work[Answer]:
        """One step; what goes wrong becomes an answer that says so."""
        first = step[0]
        try:
            if first.tool in AUDIO:
                return (yield from self._processed(step, request))
            if first.tool == "undo":
                return Answer(self._undone(int(first.args.get("steps", 1))), "undo")
            given = STUDIO.checked(first)
            result = STUDIO[first.tool].call(self.desk, **given.args)
            answer: Answer = result if isinstance(result, Answer) else (yield from result)
            return answer
        except StudioError as error:
            _log.warning("%s failed: %s", first, error)
            return Answer(str(error), first.tool, failed=True)

    def _processed(self, calls: tuple[Call, ...], request: str) -> Work[Answer]:
        """Audio tools in a row on the same files: one walk through the sound."""
        names = [str(name) for name in calls[0].args.get("files") or ()]
        files = self.desk.audio(names)
        bare = []
        for call in calls:
            arguments = {name: value for name, value in call.args.items() if name != "files"}
            if call.tool in JOINING:
                arguments["files"] = [str(path.absolute()) for path in files]
            bare.append(AUDIO.checked(Call(call.tool, arguments)))
        if any(call.tool in JOINING for call in calls):
            files = files[:1]
        work = run_processing(Processing(Plan(tuple(bare)), files, request), self.desk.studio.paths)
        with closing(work):
            results = yield from work
        reports = [result for result in results if isinstance(result, Report)]
        text = "\n".join(_told(result) for result in results)
        if not reports:
            raise StudioError(text)
        outputs = tuple(report.output for report in reports)
        return Answer(
            text, calls[0].tool if len(calls) == 1 else "process", {"results": [result.as_json() for result in results]},
            files=outputs, file=outputs[-1], undo={"kind": "processed", "files": [str(path) for path in outputs]},
        )  # fmt: skip

    def _undone(self, steps: int) -> str:
        """Take the last turns back; where there is none, the last step in the history of the current file."""
        sentences: list[str] = []
        for _ in range(max(1, steps)):
            turn = self.memory.undoable()
            if turn is None:
                break
            for undo in reversed(turn.undo):
                sentences.append(take_back(self.desk, undo))
            self.memory.mark_undone(turn)
        if not sentences and self.desk.file is not None:
            self.desk.file = undo_processing(self.desk.file, steps, self.desk.studio.paths)
            sentences.append(f"{self.desk.file.name} is the current version again.")
        if not sentences:
            raise LibraryError("There is nothing that could be taken back.")
        return " ".join(sentences)

    def _move_on(self, answer: Answer) -> None:
        """The desk after an answer."""
        for path in answer.files:
            self.desk.reach.allow(path)
        self.desk.file = answer.file.absolute() if answer.file is not None else self.desk.file
        self.desk.song = answer.song or self.desk.song
        if "songs" in answer.data and answer.tool not in ("library",):
            self.desk.fresh = answer.files
        made = tuple(str(path.absolute()) for path in answer.files)
        self._keep(replace(self._state, named=tuple(dict.fromkeys((*self._state.named, *made)))))

    def _keep(self, state: DeskState) -> None:
        self._state = replace(state, file=str(self.desk.file or ""), song=self.desk.song)
        self.memory.keep_desk(self._state)


def _lost(plan: Plan) -> bool:
    """Whether nothing was understood."""
    return all(call.tool in WORDS for call in plan.calls)


def _steps(calls: Sequence[Call]) -> Iterator[tuple[Call, ...]]:
    """Calls that are done together: audio tools in a row on the same files."""
    row: list[Call] = []
    for call in calls:
        if row and not (call.tool in AUDIO and row[0].tool in AUDIO and call.args.get("files") == row[0].args.get("files")):
            yield tuple(row)
            row = []
        row.append(call)
    if row:
        yield tuple(row)


def _told(result: Report | Failure) -> str:
    if isinstance(result, Failure):
        return f"{result.source.name}: {result.reason}"
    before, after = result.before, result.after
    levels = f"{before.lufs:.1f} to {after.lufs:.1f} LUFS, true peak {after.true_peak_dbtp:.1f} dBTP"
    notes = "".join(f" {note}" for note in result.notes)
    return f"{result.output} is written ({levels}).{notes}"


def _share(work: Work[Answer], number: int, count: int) -> Work[Answer]:
    """The reports of one step as a part of all steps, never going back, with nothing in them that is no JSON."""
    reached = 0.0
    with closing(work):
        while True:
            try:
                report = next(work)
            except StopIteration as stop:
                answer: Answer = stop.value
                return answer
            reached = max(reached, float(report.detail.get("whole", report.fraction if report.stage not in _PARTS else 0.0)))
            detail = {key: song_facts(value) if isinstance(value, Song) else value for key, value in report.detail.items()}
            yield Progress(report.stage, min(1.0, (number + reached) / count), report.message, detail)


#: Stages of songs, which count the whole by themselves.
_PARTS = ("theme", "tune", "arrangement", "sound", "master", "convert", "files")
