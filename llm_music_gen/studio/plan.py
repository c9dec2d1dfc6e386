"""A batch that stands in a plan: its rows are made one after the other, what is finished is noted, and only the rest is made."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llm_music_gen.composing.lengths import parse_length
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.errors import StudioError, UsageError
from llm_music_gen.sound.soundfonts import find_soundfont
from llm_music_gen.studio.batch import Outcome
from llm_music_gen.studio.cluster.songs import can_go, songs_elsewhere
from llm_music_gen.studio.long.wish import is_long
from llm_music_gen.studio.plan_notes import PlanNotes, UnwrittenNotes
from llm_music_gen.studio.request import GenerateRequest, read_frequencies
from llm_music_gen.studio.seeds import new_seed, song_seed
from llm_music_gen.studio.studio import Studio
from llm_music_gen.studio.writer_model import names_server

MAX_SONGS = 10_000


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """One row of a plan."""

    number: int
    """As a spreadsheet counts: the header is row 1."""
    request: GenerateRequest
    key: str
    """Says what the row asks for; the second row that asks for the same has another."""


def planned_rows(numbered: Sequence[tuple[int, GenerateRequest]], seed: int | None = None) -> tuple[PlannedRow, ...]:
    """Rows with their keys; rows without a seed of their own get one from the plan's `seed`, where there is one."""
    seen: Counter[str] = Counter()
    rows = []
    for number, request in numbered:
        words = {name: value for name, value in request.to_dict().items() if name != "cluster"}
        data = json.dumps(words, sort_keys=True, ensure_ascii=False)
        seen[data] += 1
        key = hashlib.sha256(f"{data}\n{seen[data]}\n{seed}".encode()).hexdigest()[:16]
        own = request if request.seed is not None or seed is None else replace(request, seed=_derived(seed, key))
        rows.append(PlannedRow(number, own, key))
    if sum(row.request.songs for row in rows) > MAX_SONGS:
        raise UsageError(f"The plan asks for more than {MAX_SONGS} songs.", hint="Cut it into several plans.")
    return tuple(rows)


def check_rows(rows: Sequence[PlannedRow], studio: Studio, name: str) -> None:
    """Refuse what no word shows: a model or soundfont that is not there, stems of hours. Raises UsageError with its row."""
    for row in rows:
        request = row.request
        column = ""
        try:
            for column, model in (("model", request.model), ("theme-model", request.theme_model)):  # noqa: B007 - for the error
                if model and not names_server(model):
                    studio.model(model)
            column = "soundfont"
            if request.soundfont:
                find_soundfont(request.soundfont)
            column = "stems"
            length = parse_length(request.length or studio.settings.song_length)
            frequencies = read_frequencies(request.frequency or studio.settings.frequency)
            if request.stems and is_long(request, length, frequencies):
                raise UsageError("Long tracks have no stems.", hint="Leave the cell empty, or make a song of some minutes.")
        except StudioError as error:
            raise UsageError(f"{name}, row {row.number}, column {column}: {error.message}", hint=error.hint) from error


def plan_job(rows: Sequence[PlannedRow], notes: Path, *, again: bool) -> dict[str, Any]:
    """A plan for the job queue: plain JSON values, so that it no longer needs its file."""
    return {
        "rows": [{"row": row.number, "key": row.key, "request": row.request.to_dict()} for row in rows],
        "notes": str(notes),
        "again": again,
    }


def rows_of_job(request: dict[str, Any]) -> tuple[PlannedRow, ...]:
    """The rows again. Raises UsageError when they are not what `plan_job` gave."""
    try:
        return tuple(
            PlannedRow(int(row["row"]), GenerateRequest.from_dict(row["request"]), str(row["key"])) for row in request["rows"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"The plan cannot be understood ({error}).") from error


def make_alone(studio: Studio, request: GenerateRequest) -> Work[Sequence[Outcome]]:
    """Make the songs of one request as a plan makes them, and keep no notes: so other machines share in them."""
    seed = new_seed() if request.seed is None else request.seed
    return make_plan(studio, (PlannedRow(0, replace(request, seed=seed), ""),), UnwrittenNotes(seed))


@dataclass(frozen=True, slots=True)
class _Unit:
    """One song of a row."""

    row: PlannedRow
    index: int
    """From 1, within its row."""
    seed: int

    @property
    def place(self) -> dict[str, Any]:
        """What is said with its reports."""
        own = {"row": self.row.number} if self.row.number else {}
        return {**own, "what": f'"{self.row.request.styles_text}" themed'}

    @property
    def request(self) -> GenerateRequest:
        """Asks for the songs of the row up to this one; those before it count as finished."""
        return replace(self.row.request, songs=self.index, seed=self.seed)


def make_plan(studio: Studio, rows: Sequence[PlannedRow], notes: PlanNotes) -> Work[Sequence[Outcome]]:
    """Make what is missing of a plan. A song or row that fails does not stop the rest.

    Yields what `Studio.generate` does with `detail["row"]` and songs counted through the plan; "skipped" for each song that was
    there already, and at last "plan" with a summary. Where the studio has other machines, songs are made there, all at a time,
    and counted as they come; long tracks follow, whose segments are made there. Raises ClusterError.
    """
    total = sum(row.request.songs for row in rows)
    outcomes: list[Outcome] = []
    failed: dict[int, None] = {}
    number = skipped = 0
    left: list[_Unit] = []
    for unit in _units(rows, notes, studio):
        there = notes.songs.get(unit.row.key, {}).get(unit.index)
        if there is None:
            left.append(unit)
            continue
        number, skipped = number + 1, skipped + 1
        outcomes.append(Outcome())
        where = f"Row {unit.row.number}: " if unit.row.number else ""
        said = f'{where}"{there["title"]}" is there already.'
        yield Progress("skipped", 1.0, said, {"song_number": number, "songs": total, **unit.place, **there})

    def ended(unit: _Unit, outcome: Outcome) -> None:
        outcomes.append(outcome)
        if outcome.song is not None:
            notes.note(unit.row.key, unit.index, outcome.song)
        else:
            failed[unit.row.number] = None

    if studio.machines is not None:
        away = [unit for unit in left if can_go(unit.row.request, studio)]
        left = [unit for unit in left if unit not in away]
        for found in songs_elsewhere(studio, studio.machines, [unit.request for unit in away]) if away else ():
            place = {"song_number": number + 1, "songs": total}
            if not isinstance(found, tuple):
                note = {"note": True} if found else {}
                yield Progress("elsewhere", number / total, found or "Other machines are at work", {**place, **note})
                continue
            number += 1
            unit, outcome = away[found[0]], found[1]
            ended(unit, outcome)
            yield _report(outcome, {**place, **unit.place})
    for unit in left:
        number += 1
        work = studio.generate(unit.request, finished_titles=notes.titles(unit.row.key, unit.index))
        ended(unit, (yield from _placed(work, {"song_number": number, "songs": total, **unit.place})))
    yield Progress("plan", 1.0, _summary(len(outcomes) - skipped, outcomes, skipped, tuple(failed)), {"song_number": total})
    return outcomes


def _units(rows: Sequence[PlannedRow], notes: PlanNotes, studio: Studio) -> list[_Unit]:
    """Every song of the plan; those are noted that were filed before a kill kept them from being noted."""
    filed = {song.seed: song for song in studio.library.songs()}
    units = []
    for row in rows:
        own = row.request.seed
        seed = _derived(notes.seed, row.key) if own is None else own
        for index in range(1, row.request.songs + 1):
            lost = filed.get(song_seed(seed, index - 1)) if own is None else None
            if lost is not None and index not in notes.songs.get(row.key, {}):
                notes.note(row.key, index, lost)
            units.append(_Unit(row, index, seed))
    return units


def _report(outcome: Outcome, place: dict[str, Any]) -> Progress:
    """How a song from another machine ended, as `Studio.generate` says it."""
    if outcome.song is None:
        where = f"(Row {place['row']}) " if "row" in place else ""
        return Progress("failed", 1.0, f"{where}{outcome.error}", place)
    return Progress("finished", 1.0, f'"{outcome.song.title}" is ready', {**place, "song": outcome.song})


def _placed(work: Work[Sequence[Outcome]], place: dict[str, Any]) -> Work[Outcome]:
    """One song's reports with its place in the plan; what would stop a batch fails this song alone."""
    where = f"(Row {place['row']}) " if "row" in place else ""
    with closing(work):
        try:
            while True:
                report = next(work)
                message = f"{where}{report.message}" if report.stage == "failed" else report.message
                yield replace(report, message=message, detail={**report.detail, **place})
        except StopIteration as stop:
            outcome: Outcome = stop.value[-1]
            return outcome
        except StudioError as error:
            yield Progress("failed", 1.0, f"{where}{error}", place)
            return Outcome(error=str(error))


def _summary(tried: int, outcomes: Sequence[Outcome], skipped: int, failed: Sequence[int]) -> str:
    made = sum(outcome.song is not None for outcome in outcomes)
    said = f"{made} of {tried} songs are ready" if tried else "Nothing was left to make"
    if skipped:
        said += f", {skipped} were there already"
    if failed and any(failed):
        shown = ", ".join(map(str, failed[:20])) + (", ..." if len(failed) > 20 else "")
        said += f"; failed in row{'s' if len(failed) > 1 else ''} {shown}. The same command tries them again"
    return said + "."


def _derived(seed: int, key: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:{key}".encode()).digest()[:6], "big")
