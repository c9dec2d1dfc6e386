"""Tools as people write them: a call in words such as `auto_gain lufs=-16 tp=-1.5`, and what a tool's help says.

Everything comes from the ToolSpec, so whatever becomes a tool can be called and explained this way.
"""

from __future__ import annotations

import difflib
import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from llm_music_gen.errors import UsageError
from llm_music_gen.tools.plan import Call, Registry
from llm_music_gen.tools.spec import REQUIRED, Parameter, ToolSpec

#: A word; what stands in double quotes belongs together. Backslashes are part of paths.
_WORD = re.compile(r'(?:[^\s"]|"[^"]*")+')
_NUMBER = re.compile(r"([+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:e[+-]?\d+)?)\s*(.*)", re.IGNORECASE)
_YES, _NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")
_ITSELF = ("auto", "none", "itself")
_WIDTH = 100


def split_words(text: str) -> list[str]:
    """`tool name=value name="two words"` as words."""
    return [word.replace('"', "") if "[" not in word and "{" not in word else word for word in _WORD.findall(text)]


def call_in_words(registry: Registry, words: Sequence[str]) -> tuple[Call, tuple[str, ...]]:
    """The checked call, and a sentence for every number that was moved into its range. Raises UsageError in one sentence."""
    if not words:
        raise UsageError("Name a tool.", hint="For example: gain db=-3")
    spec = named_tool(registry, words[0])
    given: dict[str, Any] = {}
    for setting in words[1:]:
        name, equals, value = setting.partition("=")
        if not equals:
            raise UsageError(f"{setting!r} is no setting of {spec.name}.", hint=_example(spec))
        given[name.strip()] = _value(spec, spec.parameter(name.strip()), value.strip())
    call = registry.checked(Call(spec.name, given))
    return call, moved(spec, given, call.args)


def call_as_words(call: Call) -> str:
    """The call as `split_words` and `call_in_words` read it."""
    return " ".join([call.tool, *(f"{name}={_written(value)}" for name, value in call.args.items())])


def named_tool(registry: Registry, name: str) -> ToolSpec:
    """A tool by its name. Raises UsageError that names the nearest."""
    if name not in registry:
        near = difflib.get_close_matches(name, [spec.name for spec in registry], n=1, cutoff=0.5)
        raise UsageError(f"There is no tool {name!r}.", hint=f"Did you mean {near[0]!r}?" if near else "")
    return registry[name]


def help_of(spec: ToolSpec, usage: str) -> str:
    """What the tool does and each of its settings: type, range, what it usually is. `usage` is the command before its name."""
    settings = " ".join(
        f"{parameter.name}=..." if parameter.default is REQUIRED else f"[{parameter.name}=...]" for parameter in spec.parameters
    )
    lines = [f"usage: {usage} {spec.name} {settings}".rstrip(), "", *textwrap.wrap(spec.description, _WIDTH)]
    if spec.parameters:
        lines += ["", "settings:"]
    for parameter in spec.parameters:
        lines.append(f"  {parameter.name:<14} {_kind(parameter)}; {_usual(parameter)}")
        lines += textwrap.wrap(parameter.explanation, _WIDTH, initial_indent=" " * 17, subsequent_indent=" " * 17)
    return "\n".join(lines)


def settings_of(spec: ToolSpec) -> str:
    """All settings in one sentence: `db: number from -60 to 40 dB`."""
    if not spec.parameters:
        return f"{spec.name} has no settings."
    return "; ".join(f"{parameter.name}: {_kind(parameter)}" for parameter in spec.parameters) + "."


def _example(spec: ToolSpec) -> str:
    return f"Write for example {spec.parameters[0].name}=..." if spec.parameters else "It has no settings."


def moved(spec: ToolSpec, given: Mapping[str, Any], taken: Mapping[str, Any]) -> tuple[str, ...]:
    """A sentence for every number that had to be moved into the range of its tool."""
    return tuple(
        f"In {spec.name}, {name} was moved from {_written(value)} to {_written(taken[name])}, as far as it goes."
        for name, value in given.items()
        if name in taken and value != taken[name]
    )


def _kind(parameter: Parameter) -> str:
    bounds = (
        f"from {parameter.range.low:g} to {parameter.range.high:g} {parameter.range.unit}".rstrip() if parameter.range else ""
    )
    named = [choice or '""' for choice in parameter.choices]
    kinds = {
        "number": f"number {bounds}",
        "integer": f"whole number {bounds}",
        "numbers": f"numbers {bounds}, separated by commas",
        "text": "text",
        "texts": "texts, separated by commas",
        "yes_no": "yes or no",
        "choice": f"one of {', '.join(named)}",
        "records": "records such as bell hz=1000 db=-3, separated by semicolons, in quotes; or JSON",
    }
    return " ".join(kinds[parameter.kind].split())


def _usual(parameter: Parameter) -> str:
    if parameter.default is REQUIRED:
        return "needed"
    if parameter.default in (None, "", []):
        return "may be left out"
    return f"usually {_written(parameter.default)}"


def _written(value: Any) -> str:
    """Records as people write them, other lists as JSON without spaces, plain text for the rest."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return _ITSELF[0]
    if isinstance(value, list) and value and all(isinstance(item, dict) and _simple(item) for item in value):
        return f'"{"; ".join(_record_in_words(item) for item in value)}"'
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text = f"{value:.10g}" if isinstance(value, int | float) else str(value)
    return f'"{text}"' if " " in text else text


def _simple(record: dict[str, Any]) -> bool:
    """Whether a record can be told as `bell hz=1000`."""
    texts = [value for value in record.values() if isinstance(value, str)]
    numbers = all(isinstance(value, int | float | str) and not isinstance(value, bool) for value in record.values())
    return numbers and "type" in record and all(re.fullmatch(r"[a-z_]+", text) for text in texts)


def _record_in_words(record: dict[str, Any]) -> str:
    rest = [f"{name}={_written(value)}" for name, value in record.items() if name != "type"]
    return " ".join([str(record["type"]), *rest])


def _value(spec: ToolSpec, parameter: Parameter, text: str) -> Any:
    """What the text means to the parameter. Raises UsageError for what cannot be meant."""
    where = f"{spec.name}({parameter.name})"
    if parameter.optional and text.lower() in _ITSELF:
        return None
    if parameter.kind in ("number", "integer"):
        return _number(where, parameter, text)
    if parameter.kind == "yes_no":
        if text.lower() in (*_YES, *_NO):
            return text.lower() in _YES
        raise UsageError(f"{where} is yes or no, not {text!r}.")
    if parameter.kind in ("numbers", "texts", "records"):
        return _several(where, parameter, text)
    return text


def _number(where: str, parameter: Parameter, text: str) -> float:
    found = _NUMBER.fullmatch(text)
    unit = parameter.range.unit if parameter.range else ""
    if found is None or found[2].lower() not in ("", unit.lower()):
        raise UsageError(f"{where} is a {_kind(parameter)}, not {text!r}.")
    return float(found[1].replace(",", "."))


def _several(where: str, parameter: Parameter, text: str) -> Any:
    if text.startswith(("[", "{")):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{where} is no JSON ({error}).") from error
    if parameter.kind == "numbers":
        return [_number(where, parameter, part.strip()) for part in text.split(",")]
    if parameter.kind == "texts":
        return [part.strip() for part in text.split(",") if part.strip()]
    return [_record(where, part) for part in text.split(";") if part.strip()]


def _record(where: str, text: str) -> dict[str, Any]:
    """`bell hz=1000 db=-3`: the word without a name is the type."""
    out: dict[str, Any] = {}
    for word in text.split():
        name, equals, value = word.partition("=")
        if not equals:
            name, value = "type", word
        number = _NUMBER.fullmatch(value)
        if name in out:
            raise UsageError(f"{where} says {name} twice in {text.strip()!r}.")
        out[name] = float(number[1].replace(",", ".")) if number and not number[2] else value
    return out
