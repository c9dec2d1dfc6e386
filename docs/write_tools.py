"""Writes docs/tools.md from the tools' own signatures and docstrings: `python docs/write_tools.py`."""

from __future__ import annotations

from pathlib import Path

from llm_music_gen.assistant.catalogue import CATALOGUE
from llm_music_gen.processing.registry import REGISTRY as AUDIO
from llm_music_gen.tools.spec import REQUIRED, Parameter, ToolSpec

PAGE = Path(__file__).parent / "tools.md"
TOP = """# Tools

What requests, plans, the assistant and MCP call, under these names everywhere. `process FILE --tool NAME setting=value` calls
one audio tool directly. Every audio tool takes `files`, by default the current file; numbers outside a range are moved to its
nearer end.

"""


def page() -> str:
    """The whole page."""
    audio = [CATALOGUE[spec.name] for spec in AUDIO]
    studio = [spec for spec in CATALOGUE if spec.name not in AUDIO]
    return TOP + _table("Audio", audio) + "\n" + _table("The studio", studio)


def _table(title: str, specs: list[ToolSpec]) -> str:
    rows = "".join(f"| `{spec.name}` | {spec.description}{_reads(spec)} | {_arguments(spec)} |\n" for spec in specs)
    return f"## {title}\n\n| tool | what it does | arguments |\n|---|---|---|\n{rows}"


def _reads(spec: ToolSpec) -> str:
    return " *(changes nothing)*" if spec.reads_only else ""


def _arguments(spec: ToolSpec) -> str:
    shown = [_argument(parameter) for parameter in spec.parameters if parameter.name != "files"]
    return "<br>".join(shown) or "none"


def _argument(parameter: Parameter) -> str:
    bounds = ""
    if parameter.range is not None:
        bounds = f" ({parameter.range.low:g} to {parameter.range.high:g} {parameter.range.unit}".rstrip() + ")"
    elif parameter.choices:
        bounds = f" ({', '.join(choice for choice in parameter.choices if choice)})"
    needed = ", needed" if parameter.default is REQUIRED else ""
    usual = "" if parameter.default in (REQUIRED, None, "", []) else f", usually {_shown(parameter.default)}"
    return f"`{parameter.name}`{bounds}: {parameter.explanation.rstrip('.')}{needed}{usual}".replace("|", "\\|")


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, int | float) else str(value)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
