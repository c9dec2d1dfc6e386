"""Reads style sheets: the built-in ones of the package, and the user's own, which shadow them by name."""

from __future__ import annotations

import difflib
import re
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from llm_music_gen.errors import StyleError
from llm_music_gen.parsing import parse_toml
from llm_music_gen.styles.style import SCHEMA, Style

MAX_SHEET_BYTES = 200_000


def load_styles(user_dir: Path | None = None) -> dict[str, Style]:
    """Name -> style, in the order of names. Raises StyleError with file and line for a sheet that is wrong."""
    styles: dict[str, Style] = {}
    built_in = resources.files("llm_music_gen.styles") / "sheets"
    for sheet in sorted(built_in.iterdir(), key=lambda item: item.name):
        if sheet.name.endswith(".toml"):
            style = parse_sheet(sheet.read_text(encoding="utf-8"), sheet.name)
            styles[style.name] = style
    if user_dir is not None and user_dir.is_dir():
        for path in sorted(user_dir.glob("*.toml")):
            style = parse_sheet(_read(path), str(path))
            styles[style.name] = style
    return dict(sorted(styles.items()))


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_SHEET_BYTES:
            raise StyleError(f"{path} is too large for a style sheet.", hint=f"The limit is {MAX_SHEET_BYTES:,} bytes.")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise StyleError(f"{path} cannot be read as UTF-8 text ({error}).") from error


def parse_sheet(text: str, source: str) -> Style:
    """Read one sheet. `source` is named in errors. Raises StyleError."""
    try:
        data = parse_toml(text)
    except ValueError as error:
        raise StyleError(f"{source} is not TOML: {error}.") from error
    version = data.get("schema")
    if isinstance(version, int) and version > SCHEMA:
        raise StyleError(
            f"{source} is written for a newer Llm-Music-Gen (schema {version}).", hint=f"This one reads schema {SCHEMA}."
        )
    try:
        return Style.model_validate(data)
    except ValidationError as error:
        # A misspelt key is two problems, one unknown and one missing; the first explains the second.
        problem = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
        line = _line_of(text, problem["loc"]) or _line_with(text, str(problem["msg"]))
        raise StyleError(f"{source}{line}: {_explained(problem)}") from error


def _explained(problem: Any) -> str:
    """One sentence: which entry, what is wrong, what is allowed."""
    keys = [str(key) for key in problem["loc"]]
    entry = ".".join(keys)
    if problem["type"] == "extra_forbidden":
        known = _known_keys(keys[:-1])
        near = difflib.get_close_matches(keys[-1], known, n=1, cutoff=0.0)
        return f'"{entry}" is not known; did you mean "{near[0]}"?' if near else f'"{entry}" is not known.'
    message = str(problem["msg"]).removeprefix("Value error, ")
    message = message if entry == "" else f'"{entry}": {message[:1].lower() + message[1:] if message[1:2].islower() else message}'
    return message if message.endswith((".", "?")) else f"{message}."


def _known_keys(path: list[str]) -> list[str]:
    model: Any = Style
    for key in path:
        field = model.model_fields.get(key) if isinstance(model, type) and issubclass(model, BaseModel) else None
        if field is None:
            return []
        model = field.annotation
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _line_of(text: str, location: tuple[Any, ...]) -> str:
    """ ", line 12" of the entry that `location` names, or "" when it stands nowhere."""
    keys = [str(key) for key in location if isinstance(key, str)]
    lines = text.splitlines()
    for depth in range(len(keys), 0, -1):
        table, key = keys[: depth - 1], keys[depth - 1]
        current: list[str] = []
        for number, line in enumerate(lines, start=1):
            if match := re.match(r"^\s*\[\s*([^\[\]]+?)\s*\]", line):
                current = [part.strip().strip('"') for part in match[1].split(".")]
                if current == [*table, key]:
                    return f", line {number}"
            elif current == table and re.match(rf'^\s*"?{re.escape(key)}"?\s*=', line):
                return f", line {number}"
    return ""


def _line_with(text: str, message: str) -> str:
    """ ", line 12" of the word that a problem of several entries quotes or names first, or ""."""
    for word in re.findall(r"'([^']+)'|([a-z]+(?:_[a-z]+)+)", message):
        wanted = re.compile(rf"(?<![\w/]){re.escape(word[0] or word[1])}(?![\w/])")
        for number, line in enumerate(text.splitlines(), start=1):
            if wanted.search(line) and not line.lstrip().startswith("#"):
                return f", line {number}"
    return ""
