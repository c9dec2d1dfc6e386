"""Reads a batch of songs and long tracks from a CSV file: a row is what one command line of `generate` would be.

Columns are named like the command's own options, so an option that is new there is a column here. Everything is checked before
anything is made, and what is wrong is named with its row and column as a spreadsheet shows them.
"""

from __future__ import annotations

import argparse
import csv
import difflib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llm_music_gen.errors import StorageError, StudioError, UsageError

if TYPE_CHECKING:
    from llm_music_gen.studio.request import GenerateRequest

MAX_PLAN_BYTES = 5_000_000
MAX_ROWS = 1_000
STYLES = "styles"
#: Options that are about the whole run, not about one song.
_NOT_A_COLUMN = frozenset(("help", "from_plan", "queue", "when_done", "json", "preview", "again", "cluster"))
_ALIASES = {"style": STYLES, "count": "songs", "number": "songs", "bpm": "tempo", "formats": "format", "soundfonts": "soundfont"}
_YES, _NO = frozenset(("yes", "true", "1", "x", "on")), frozenset(("no", "false", "0", "off"))
_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One row that asks for something."""

    number: int
    """As a spreadsheet counts: the header is row 1."""
    request: GenerateRequest


def read_plan(
    path: Path,
    parser: argparse.ArgumentParser,
    given: argparse.Namespace,
    request_of: Callable[[argparse.Namespace], GenerateRequest],
) -> tuple[PlanRow, ...]:
    """The rows of a plan, every one checked. Empty cells take what was `given` on the command line.

    Raises StorageError for a file that cannot be read, UsageError in one sentence with row and column for what is wrong in it.
    """
    records = _records(path)
    header = next((number for number, record in enumerate(records) if any(cell.strip() for cell in record)), None)
    if header is None:
        raise UsageError(f"{path} is empty.", hint='Its first row names the columns, such as "styles,title,length".')
    columns = _columns(path, header + 1, records[header], _options(parser))
    rows = []
    for number, record in enumerate(records[header + 1 :], start=header + 2):
        cells = [cell.strip() for cell in record]
        if not any(cells):
            continue
        if any(cells[len(columns) :]):
            raise UsageError(
                f"{path.name}, row {number}, has {len(cells)} cells, but there are {len(columns)} columns.",
                hint='A cell with a comma in it stands in quotation marks: "Chill, Dubstep".',
            )
        row = {action: cell for action, cell in zip(columns, cells, strict=False) if action is not None and cell}
        rows.append(PlanRow(number, _request(path, number, row, given, request_of)))
    if not rows:
        raise UsageError(f"{path} has no row below its header.", hint="Write one row for each song or track.")
    if len(rows) > MAX_ROWS:
        raise UsageError(f"{path} has {len(rows)} rows.", hint=f"{MAX_ROWS} are the most; cut it into several plans.")
    return tuple(rows)


def _records(path: Path) -> list[list[str]]:
    """The cells of every row, blank ones included, so that rows count as a spreadsheet counts them."""
    try:
        if path.stat().st_size > MAX_PLAN_BYTES:
            raise UsageError(f"{path} is larger than {MAX_PLAN_BYTES // 1_000_000} MB.", hint="Cut it into several plans.")
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: no name of a file
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise StorageError(f"{str(path)!r} cannot be read ({reason}).", hint="Give a CSV file.") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path} is not UTF-8 (line {line}).", hint='Save it as "CSV UTF-8".') from error
    if "\0" in text:
        raise UsageError(f"{path} is no CSV file: it has zero bytes in it.", hint='Save it as "CSV UTF-8".')
    first = next((line for line in text.splitlines() if line.strip()), "")
    # Spreadsheets of many countries write semicolons, because their comma is in numbers.
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return list(reader)
    except csv.Error as error:
        raise UsageError(
            f"{path.name} cannot be read from line {reader.line_num} on ({error}).",
            hint="Check the quotation marks there: each that opens a cell closes it.",
        ) from error


def _options(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """Name of a column -> the option that it fills in."""
    return {action.dest: action for action in parser._actions if action.dest not in _NOT_A_COLUMN}


def _columns(
    path: Path, number: int, header: Sequence[str], options: Mapping[str, argparse.Action]
) -> list[argparse.Action | None]:
    """The option of each column; None for one without a name."""
    columns: list[argparse.Action | None] = []
    for place, cell in enumerate(header, start=1):
        words = cell.strip().lower().lstrip("-").replace("-", "_").replace(" ", "_")
        name = _ALIASES.get(words, words)
        if not name:
            columns.append(None)
            continue
        if name not in options:
            known = [option.replace("_", "-") for option in options]
            near = difflib.get_close_matches(name.replace("_", "-"), known, n=1, cutoff=0.6)
            raise UsageError(
                f"{path.name}, row {number}, column {place}: there is no column {cell.strip()[:40]!r}.",
                hint=f"Did you mean {near[0]!r}?" if near else f"Choose from {', '.join(known)}.",
            )
        if options[name] in columns:
            raise UsageError(f"{path.name}, row {number}: the column {name.replace('_', '-')!r} stands there twice.")
        columns.append(options[name])
    return columns


def _request(
    path: Path,
    number: int,
    row: Mapping[argparse.Action, str],
    given: argparse.Namespace,
    request_of: Callable[[argparse.Namespace], GenerateRequest],
) -> GenerateRequest:
    """What a row asks for. Raises UsageError that names the column."""
    values = {}
    for action, cell in row.items():
        try:
            values[action.dest] = _value(action, cell)
        except UsageError as error:
            raise _at(path, number, action, error) from error
    if not (values.get(STYLES) or getattr(given, STYLES)):
        raise UsageError(f"{path.name}, row {number}, column {STYLES}: the styles are missing.", hint='Such as "Chill, Dubstep".')
    # One seed for all rows would make rows of the same styles the same song; the command line's is the plan's own.
    common = {**vars(given), "seed": None}
    try:
        return request_of(argparse.Namespace(**{**common, **values}))
    except StudioError as error:
        raise _at(path, number, _culprit(row, values, common, request_of, str(error)), error) from error


def _culprit(
    row: Mapping[argparse.Action, str],
    values: Mapping[str, object],
    common: Mapping[str, object],
    request_of: Callable[[argparse.Namespace], GenerateRequest],
    complaint: str,
) -> argparse.Action | None:
    """The column that alone gives the same complaint, if there is one."""
    styles = {STYLES: values.get(STYLES) or common.get(STYLES)}
    for action in row:
        try:
            request_of(argparse.Namespace(**{**common, **styles, action.dest: values[action.dest]}))
        except StudioError as error:
            if str(error) == complaint:
                return action
    return None


def _value(action: argparse.Action, cell: str) -> object:
    """What the option would hold. Raises UsageError."""
    if action.nargs == 0:  # a switch
        word = cell.lower()
        if word not in _YES | _NO:
            raise UsageError(f"{cell[:40]!r} is neither yes nor no.", hint="Write yes, or leave the cell empty.")
        return word in _YES
    if action.choices is not None and cell not in action.choices:
        raise UsageError(f"{cell[:40]!r} is none of the choices.", hint=f"Choose from {', '.join(map(str, action.choices))}.")
    if callable(action.type):
        try:
            return action.type(cell)
        except (ValueError, TypeError, argparse.ArgumentTypeError) as error:
            raise UsageError(f"{cell[:40]!r} cannot be understood ({error}).") from error
    return cell


def _at(path: Path, number: int, action: argparse.Action | None, error: StudioError) -> UsageError:
    where = f"{path.name}, row {number}" + (f", column {action.dest.replace('_', '-')}" if action is not None else "")
    return UsageError(f"{where}: {error.message}", hint=error.hint)
