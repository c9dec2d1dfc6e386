"""Plans: ordered lists of tool calls, what people see and edit before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from llm_music_gen.errors import UsageError
from llm_music_gen.tools.spec import ToolSpec


@dataclass(frozen=True, slots=True)
class Call:
    """One tool with its arguments."""

    tool: str
    args: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """{"tool": ..., "args": ...}."""
        return {"tool": self.tool, "args": self.args}

    def __str__(self) -> str:
        return f"{self.tool}({', '.join(f'{name}={_short(value)}' for name, value in self.args.items())})"


@dataclass(frozen=True, slots=True)
class Plan:
    """What was understood of a request."""

    calls: tuple[Call, ...]
    reply: str = ""
    """What is said about it in words."""

    def as_json(self) -> dict[str, Any]:
        """The form on every wire."""
        return {"calls": [call.as_json() for call in self.calls], "reply": self.reply}


class Registry:
    """The tools that exist, by name."""

    def __init__(self, specs: Iterable[ToolSpec]) -> None:
        self._specs = {spec.name: spec for spec in specs}

    def __iter__(self) -> Iterator[ToolSpec]:
        return iter(self._specs.values())

    def __contains__(self, name: object) -> bool:
        return name in self._specs

    def __getitem__(self, name: str) -> ToolSpec:
        if name not in self._specs:
            raise UsageError(f"There is no tool {name!r}.")
        return self._specs[name]

    def checked(self, call: Call) -> Call:
        """The call with its arguments checked and clamped. Raises UsageError."""
        return Call(call.tool, self[call.tool].checked(call.args))

    def plan_from_json(self, data: Any) -> Plan:
        """A plan from what a person edited or a model wrote. Raises UsageError in one sentence."""
        if not isinstance(data, Mapping) or not isinstance(data.get("calls"), list):
            raise UsageError('A plan is an object with a list "calls".')
        calls = []
        for item in data["calls"]:
            if not isinstance(item, Mapping) or not isinstance(item.get("tool"), str):
                raise UsageError('Every call of a plan has a "tool" and "args".')
            arguments = item.get("args") or {}
            if not isinstance(arguments, Mapping):
                raise UsageError(f'The "args" of {item["tool"]} must be an object.')
            calls.append(self.checked(Call(item["tool"], dict(arguments))))
        return Plan(tuple(calls), str(data.get("reply", "")))


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return "[" + ", ".join(_short(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} {_short(item)}" for key, item in value.items()) + "}"
    return str(value)
