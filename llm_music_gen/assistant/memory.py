"""Remembers conversations: what was asked, what was done, where the desk stands; and what can still be taken back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from llm_music_gen.database import opened
from llm_music_gen.parsing import parse_json
from llm_music_gen.tools.plan import Call

_MOST_TURNS = 200


def _tables(connection: sqlite3.Connection) -> None:
    connection.execute(
        """CREATE TABLE assistant_turns (
            id INTEGER PRIMARY KEY,
            conversation TEXT NOT NULL,
            request TEXT NOT NULL,
            calls TEXT NOT NULL,           -- JSON: the plan as it was carried out
            answers TEXT NOT NULL,         -- JSON: what the tools answered
            undo TEXT NOT NULL,            -- JSON: how to take each answer back, the first one first
            undone INTEGER NOT NULL DEFAULT 0,
            created TEXT NOT NULL
        )"""
    )
    connection.execute("CREATE TABLE assistant_desk (conversation TEXT PRIMARY KEY, state TEXT NOT NULL)")


MIGRATIONS = (_tables,)


@dataclass(frozen=True, slots=True)
class DeskState:
    """What a conversation goes on with."""

    file: str = ""
    song: str = ""
    request: str = ""
    """A request that waits for the answer to a question."""
    waiting: tuple[Call, ...] = ()
    """Calls that wait for a yes."""
    named: tuple[str, ...] = field(default=())
    """Files that the user named or the studio wrote in this conversation."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One request and what came of it."""

    id: int
    request: str
    calls: tuple[Call, ...]
    answers: tuple[Mapping[str, Any], ...]
    undo: tuple[Mapping[str, Any], ...]
    undone: bool
    created: str
    """ISO 8601, UTC."""


class Memory:
    """One conversation. Opens the database for each call, so that several programs can use it at once."""

    def __init__(self, database_file: Path, conversation: str) -> None:
        self._database_file = database_file
        self._conversation = conversation

    def desk(self) -> DeskState:
        """Where the conversation stands; the beginning where it is new or cannot be read."""
        with self._opened() as connection:
            row = connection.execute("SELECT state FROM assistant_desk WHERE conversation = ?", (self._conversation,)).fetchone()
        try:
            data = parse_json(row["state"]) if row else {}
            waiting = tuple(Call(str(call["tool"]), dict(call["args"])) for call in data.pop("waiting", ()))
            return DeskState(**{**data, "waiting": waiting, "named": tuple(data.get("named", ()))})
        except (ValueError, TypeError, KeyError):
            return DeskState()

    def keep_desk(self, state: DeskState) -> None:
        """Note where the conversation stands."""
        data = {
            "file": state.file, "song": state.song, "request": state.request, "named": list(state.named[-_MOST_TURNS:]),
            "waiting": [call.as_json() for call in state.waiting],
        }  # fmt: skip
        with self._opened() as connection, connection:
            connection.execute(
                "INSERT INTO assistant_desk VALUES (?, ?) ON CONFLICT (conversation) DO UPDATE SET state = excluded.state",
                (self._conversation, json.dumps(data, ensure_ascii=False)),
            )

    def record(
        self, request: str, calls: Sequence[Call], answers: Sequence[Mapping[str, Any]], undo: Sequence[Mapping[str, Any]]
    ) -> None:
        """Enter a finished turn."""
        with self._opened() as connection, connection:
            connection.execute(
                "INSERT INTO assistant_turns (conversation, request, calls, answers, undo, created) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    self._conversation, request, _json([call.as_json() for call in calls]), _json(list(answers)),
                    _json(list(undo)), datetime.now(timezone.utc).isoformat(timespec="seconds"),
                ),
            )  # fmt: skip

    def turns(self) -> tuple[Turn, ...]:
        """The latest turns, the oldest first."""
        with self._opened() as connection:
            rows = connection.execute(
                "SELECT * FROM assistant_turns WHERE conversation = ? ORDER BY id DESC LIMIT ?", (self._conversation, _MOST_TURNS)
            ).fetchall()
        return tuple(_turn(row) for row in reversed(rows))

    def undoable(self) -> Turn | None:
        """The latest turn that changed something and still stands."""
        return next((turn for turn in reversed(self.turns()) if turn.undo and not turn.undone), None)

    def mark_undone(self, turn: Turn) -> None:
        """Note that a turn was taken back."""
        with self._opened() as connection, connection:
            connection.execute("UPDATE assistant_turns SET undone = 1 WHERE id = ?", (turn.id,))

    def _opened(self) -> AbstractContextManager[sqlite3.Connection]:
        return opened(self._database_file, "assistant", MIGRATIONS)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _turn(row: sqlite3.Row) -> Turn:
    return Turn(
        row["id"], row["request"], tuple(Call(call["tool"], call["args"]) for call in parse_json(row["calls"])),
        tuple(parse_json(row["answers"])), tuple(parse_json(row["undo"])), bool(row["undone"]), row["created"],
    )  # fmt: skip
