"""A tool is a plain typed function: its name, help, ranges and schema come from its signature and docstring.

def gain(db: Annotated[float, Range(-24, 24, "dB")] = 0.0) -> ...:
    '''Make it louder or softer.

    db: How much; negative is softer.
    '''
"""

from __future__ import annotations

import difflib
import inspect
import keyword
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Union

from llm_music_gen.errors import UsageError


@dataclass(frozen=True, slots=True)
class Range:
    """The values a number may have; used as `Annotated[float, Range(...)]`."""

    low: float
    high: float
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a tool."""

    name: str
    kind: str
    """number, integer, text, yes_no, choice, numbers, texts, records."""
    default: Any
    """`REQUIRED` where the call means nothing without it."""
    explanation: str
    range: Range | None = None
    choices: tuple[str, ...] = ()
    optional: bool = False
    """Whether None is a value: the tool then chooses for itself."""


class _Required:
    def __repr__(self) -> str:
        return "required"


REQUIRED = _Required()
_NUMBERS = ("number", "integer", "numbers")
#: Whole numbers can be larger, but no float can.
_LARGEST = sys.float_info.max


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What everyone needs to know of a tool: command line, assistant, plans, MCP."""

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    function: Callable[..., Any]
    reads_only: bool = False
    """Whether it changes nothing: such a tool may be called without asking anybody."""

    def call(self, *given: Any, **arguments: Any) -> Any:
        """The function with what is not the caller's, then the arguments by their names on the wire."""
        return self.function(*given, **{_in_python(name): value for name, value in arguments.items()})

    def parameter(self, name: str) -> Parameter:
        """One parameter. Raises UsageError that names the nearest."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        near = difflib.get_close_matches(name, [parameter.name for parameter in self.parameters], n=1, cutoff=0.5)
        raise UsageError(f"{self.name} has no argument {name!r}.", hint=f"Did you mean {near[0]!r}?" if near else "")

    def checked(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments of the right types, numbers moved into their ranges. Raises UsageError for what has no meaning.

        Clamping rather than refusing is on purpose: whoever writes the plan, words or a model, the same bounds hold.
        """
        out = {name: _value(self, self.parameter(name), value) for name, value in arguments.items()}
        missing = [p.name for p in self.parameters if p.default is REQUIRED and p.name not in out]
        if missing:
            raise UsageError(f"{self.name} needs {' and '.join(missing)}.")
        return out

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments, as function-calling models and MCP want it."""
        return {
            "type": "object",
            "properties": {parameter.name: _schema(parameter) for parameter in self.parameters},
            "required": [parameter.name for parameter in self.parameters if parameter.default is REQUIRED],
            "additionalProperties": False,
        }


def tool(function: Callable[..., Any], *, skip: Iterable[str] = (), reads_only: bool = False) -> ToolSpec:
    """The ToolSpec of a function; `skip` names arguments that are not the caller's. Raises TypeError for a bad type.

    A name that Python keeps for itself ends in an underscore in the function and not on the wire: `from_` is "from".
    """
    description, explanations = _docstring(inspect.getdoc(function) or "")
    hints = typing.get_type_hints(function, include_extras=True)
    skipped = set(skip)
    parameters = tuple(
        _parameter(function.__name__, parameter, hints[parameter.name], explanations.get(parameter.name.rstrip("_"), ""))
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name not in skipped
    )
    return ToolSpec(function.__name__.rstrip("_"), description, parameters, function, reads_only)


def _in_python(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def _parameter(owner: str, parameter: inspect.Parameter, hint: Any, explanation: str) -> Parameter:
    metadata = getattr(hint, "__metadata__", ())
    bounds = next((item for item in metadata if isinstance(item, Range)), None)
    plain = typing.get_args(hint)[0] if metadata else hint
    optional = False
    if typing.get_origin(plain) in (Union, types.UnionType):
        options = [option for option in typing.get_args(plain) if option is not type(None)]
        optional, plain = len(options) < len(typing.get_args(plain)), options[0]
    choices: tuple[str, ...] = ()
    if typing.get_origin(plain) is Literal:
        choices, kind = tuple(str(choice) for choice in typing.get_args(plain)), "choice"
    else:
        kind = _kind(owner, parameter.name, plain)
    default = REQUIRED if parameter.default is inspect.Parameter.empty else parameter.default
    return Parameter(parameter.name.rstrip("_"), kind, default, explanation, bounds, choices, optional)


def _kind(owner: str, name: str, plain: Any) -> str:
    kinds: dict[Any, str] = {float: "number", int: "integer", str: "text", bool: "yes_no"}
    if plain in kinds:
        return kinds[plain]
    items = typing.get_args(plain)
    if typing.get_origin(plain) in (list, tuple) and items:
        return {float: "numbers", str: "texts"}.get(items[0], "records")
    raise TypeError(f"{owner}({name}): a tool's argument cannot be a {plain!r}")


def _docstring(text: str) -> tuple[str, dict[str, str]]:
    """First paragraph, and the `name: explanation` lines that follow."""
    head, _, rest = text.partition("\n\n")
    explanations: dict[str, str] = {}
    last = ""
    for line in rest.splitlines():
        name, colon, explanation = line.strip().partition(": ")
        if colon and name.isidentifier():
            last = name.rstrip("_")
            explanations[last] = explanation.strip()
        elif last and line.strip():
            explanations[last] += " " + line.strip()
    return " ".join(head.split()), explanations


def _value(spec: ToolSpec, parameter: Parameter, value: Any) -> Any:
    if value is None and parameter.optional:
        return None
    where = f"{spec.name}({parameter.name})"
    if parameter.kind == "choice":
        return _choice(where, parameter, value)
    if parameter.kind in ("number", "integer"):
        return _number(where, parameter, value)
    if parameter.kind == "yes_no":
        if not isinstance(value, bool):
            raise UsageError(f"{where} is yes or no, not {value!r}.")
        return value
    if parameter.kind == "text":
        if not isinstance(value, str):
            raise UsageError(f"{where} is a text, not {value!r}.")
        return value
    items = value if isinstance(value, list | tuple) else [value]
    if parameter.kind == "numbers":
        return [_number(where, parameter, item) for item in items]
    wanted: type = str if parameter.kind == "texts" else dict
    if not all(isinstance(item, wanted) for item in items):
        raise UsageError(f"{where} is a list of {'texts' if wanted is str else 'records'}, not {value!r}.")
    return list(items)


def _number(where: str, parameter: Parameter, value: Any) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
        raise UsageError(f"{where} is a number, not {value!r}.")
    bounds = parameter.range
    inside = value if bounds is None else min(max(value, bounds.low), bounds.high)
    return round(inside) if parameter.kind == "integer" else float(inside)


def _choice(where: str, parameter: Parameter, value: Any) -> str:
    text = str(value)
    if text in parameter.choices:
        return text
    near = difflib.get_close_matches(text, parameter.choices, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]!r}?" if near else f"Choose one of {', '.join(parameter.choices)}."
    raise UsageError(f"{where} cannot be {text!r}.", hint=hint)


def _schema(parameter: Parameter) -> dict[str, Any]:
    number: dict[str, Any] = {"type": "integer" if parameter.kind == "integer" else "number"}
    if parameter.kind in _NUMBERS and parameter.range is not None:
        number |= {"minimum": parameter.range.low, "maximum": parameter.range.high}
    schemas: dict[str, dict[str, Any]] = {
        "number": number,
        "integer": number,
        "text": {"type": "string"},
        "yes_no": {"type": "boolean"},
        "choice": {"type": "string", "enum": list(parameter.choices)},
        "numbers": {"type": "array", "items": number},
        "texts": {"type": "array", "items": {"type": "string"}},
        "records": {"type": "array", "items": {"type": "object"}},
    }
    schema = dict(schemas[parameter.kind])
    explanation = parameter.explanation
    if parameter.range is not None and parameter.range.unit:
        explanation = f"{explanation} In {parameter.range.unit}.".strip()
    if explanation:
        schema["description"] = explanation
    return schema
