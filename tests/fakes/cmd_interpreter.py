"""A cmd.exe for flat batch files: enough of it to run launcher.bat, with scripted programs, where there is no Windows.

Flat means: one command a line, no blocks, no `&`, no pipes. Whatever is not known here is an error, so a batch file that
leaves this subset is found out. Errorlevel follows the rules of .bat files: internal commands that succeed leave it alone.
"""

from __future__ import annotations

import filecmp
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

#: Errorlevel of a program that does not exist.
NOT_FOUND = 9009
#: A quoted text (in which nothing redirects), or a redirection: stream, sign, target.
_QUOTED_OR_REDIRECTION = re.compile(r'(?:(?<!\S)(\d?)(>>|>)\s*("[^"]*"|\S+))|"[^"]*"')
_VARIABLE = re.compile(r"%(?:~([a-z]*)(\d)|(\d)|(\*)|([A-Za-z_][\w ()]*)(?::(~-?\d+(?:,-?\d+)?|[^%=]+=[^%]*))?%)", re.DOTALL)
_COMPARISON = re.compile(
    r'(?i)(/i\s+)?(not\s+)?(?:(exist)\s+("[^"]*"|\S+)|(defined)\s+(\S+)|(\S+)\s+gtr\s+(\S+)|("[^"]*")==("[^"]*"))\s+(.*)'
)


class Exit(Exception):
    """`exit /b` or the end of the file."""


@dataclass
class Started:
    """A program as the batch file started it."""

    name: str
    """As written: `py`, or a path."""
    arguments: list[str]
    """Without their quotes."""
    folder: str
    """Current folder, the Windows way."""
    variables: dict[str, str]


@dataclass
class Cmd:
    """Runs one batch file. `programs` answers for every outside program: errorlevel and what it prints."""

    drive: Path
    """The host's folder that stands for `C:`."""
    programs: Callable[[Started], tuple[int, str]]
    variables: dict[str, str] = field(default_factory=dict)
    folder: str = "C:"
    errorlevel: int = 0
    stdout: str = ""
    stderr: str = ""
    started: list[Started] = field(default_factory=list)
    paused: bool = False
    _call_stack: list[tuple[list[str], str]] = field(default_factory=list)

    def run(self, script: str, *arguments: str) -> int:
        """Run the batch file at the Windows path `script`; arguments as typed, with their quotes. Gives the exit code."""
        self.script = script
        self.lines = [line.strip() for line in self.host(script).read_text(encoding="ascii").splitlines()]
        self.labels = {line[1:].split()[0].lower(): i for i, line in enumerate(self.lines) if line.startswith(":")}
        self.folders: list[str] = []
        self._execute_from(0, list(arguments), " ".join(arguments))
        return self.errorlevel

    def host(self, path: str) -> Path:
        """Where a Windows path lies on this machine."""
        path = path.strip('"')
        absolute = path if path[1:2] == ":" else f"{self.folder}\\{path}"
        return self.drive.joinpath(*absolute.split("\\")[1:])

    def _execute_from(self, line: int, arguments: list[str], all_arguments: str) -> None:
        self._call_stack.append((arguments, all_arguments))
        try:
            while line < len(self.lines):
                jump = self._line(self._expand(self.lines[line]))
                line = self.labels[jump] if jump is not None else line + 1
        except Exit:
            pass
        finally:
            self._call_stack.pop()

    def _expand(self, line: str) -> str:
        arguments, everything = self._call_stack[-1]

        def value(match: re.Match[str]) -> str:
            modifiers, modified, plain, star, name, change = match.groups()
            if star:
                return everything
            if name is None:
                return self._argument(arguments, int(modified or plain or 0), modifiers)
            text = {**self.variables, "errorlevel": str(self.errorlevel)}.get(name.lower(), "")
            if change and change.startswith("~"):
                start, _, end = change[1:].partition(",")
                return text[int(start) : int(end) if end else None]
            if change:
                old, _, new = change.partition("=")
                return text.replace(old, new)
            return text

        return _VARIABLE.sub(value, line)

    def _argument(self, arguments: list[str], number: int, modifiers: str | None) -> str:
        text = self.script if number == 0 else (arguments[number - 1] if number <= len(arguments) else "")
        if modifiers is None:
            return text
        text = text.strip('"')
        if modifiers == "dp":
            return text.rpartition("\\")[0] + "\\"
        if modifiers == "z":
            return str(self.host(text).stat().st_size)
        return text

    def _line(self, line: str) -> str | None:
        """Execute one line; gives the label to go on at, or None."""
        line = line.removeprefix("@")
        command = re.split(r"[\s]", line, maxsplit=1)[0].lower()
        if not line or line.startswith(":") or command == "rem":
            return None
        if command == "if":
            return self._if(line[2:].strip())
        if command == "goto":
            return line.split()[1].lower()
        if command == "set":
            self._set(line[3:].strip())
            return None
        self._command(*self._redirections(line))
        return None

    def _redirections(self, line: str) -> tuple[str, dict[str, str]]:
        """The line without its redirections, and what they say: stream -> target."""
        targets: dict[str, str] = {}

        def take(match: re.Match[str]) -> str:
            stream, sign, target = match.groups()
            if sign is None:
                return match[0]
            targets[stream or "1"] = target.strip('"')
            if sign == ">" and target.lower() != "nul" and not target.startswith("&"):
                self.host(target).write_text("", encoding="utf-8")
            return ""

        rest = _QUOTED_OR_REDIRECTION.sub(take, line).strip()
        assert not set("&|^<>") & set(re.sub(r'"[^"]*"', "", rest)), f"not flat: {line}"
        return rest, targets

    def _if(self, text: str) -> str | None:
        match = _COMPARISON.fullmatch(text)
        assert match, f"not a comparison: {text}"
        fold, negate, exist, path, defined, name, left_number, right_number, left, right, rest = match.groups()
        if exist:
            holds = self.host(path).exists()
        elif defined:
            holds = bool(self.variables.get(name.lower()))
        elif left_number:
            holds = int(left_number) > int(right_number)
        else:
            holds = left.lower() == right.lower() if fold else left == right
        return self._line(rest) if holds != bool(negate) else None

    def _set(self, text: str) -> None:
        if text.startswith('"'):
            text = text[1 : text.rindex('"')]
        name, _, value = text.partition("=")
        self.variables[name.lower()] = value

    def _command(self, line: str, targets: dict[str, str]) -> None:
        words = re.findall(r'(?:"[^"]*"|\S)+', line)
        command, operands = words[0].lower(), words[1:]
        if line.lower() == "echo off":
            return
        if command == "call" and operands[0].startswith(":"):
            label = operands[0][1:].lower()
            given = line.split(None, 2)
            self._execute_from(self.labels[label] + 1, operands[1:], given[2] if len(given) > 2 else "")
        elif command == "call":
            self._program(operands, targets)
        elif command == "exit":
            assert operands[0].lower() == "/b"
            self.errorlevel = int(operands[1])
            raise Exit
        elif command == "echo":
            self._print(line[5:] + "\n", targets)
        elif hasattr(self, f"_do_{command}"):
            getattr(self, f"_do_{command}")([word.strip('"') for word in operands], targets, line)
        elif command not in {"setlocal", "title", "chcp"}:
            self._program(words, targets)

    def _program(self, words: list[str], targets: dict[str, str]) -> None:
        name = words[0].strip('"')
        if "\\" in name and not self.host(name).exists():
            self.errorlevel = NOT_FOUND
            return
        # The variables are copied: what the program saw must not change with the rest of the file.
        run = Started(name, [word.replace('"', "") for word in words[1:]], self.folder, dict(self.variables))
        self.started.append(run)
        self.errorlevel, printed = self.programs(run)
        self._print(printed, targets)

    def _print(self, text: str, targets: dict[str, str]) -> None:
        target = targets.get("1", "")
        if target == "&2":
            self.stderr += text
        elif target and target.lower() != "nul":
            path = self.host(target)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(text)
        elif not target:
            self.stdout += text

    # --- internal commands, each with (operands, targets, line) ---

    def _do_ver(self, *_: object) -> None:
        self.errorlevel = 0

    def _do_pause(self, *_: object) -> None:
        self.paused = True

    def _do_shift(self, operands: list[str], *_: object) -> None:
        assert operands == ["/1"], "a bare shift moves %0 as well"
        self._call_stack[-1][0].pop(0)

    def _do_pushd(self, operands: list[str], *_: object) -> None:
        self.folders.append(self.folder)
        self.folder = operands[0]

    def _do_popd(self, *_: object) -> None:
        self.folder = self.folders.pop()

    def _do_type(self, operands: list[str], targets: dict[str, str], _line: str) -> None:
        self._print(self.host(operands[0]).read_text(encoding="utf-8"), targets)

    def _do_del(self, operands: list[str], *_: object) -> None:
        self.host(operands[0]).unlink()

    def _do_copy(self, operands: list[str], *_: object) -> None:
        assert operands[0] == "/y"
        shutil.copy(self.host(operands[1]), self.host(operands[2]))

    def _do_rmdir(self, operands: list[str], *_: object) -> None:
        assert operands[:2] == ["/s", "/q"]
        shutil.rmtree(self.host(operands[2]))

    def _do_fc(self, operands: list[str], *_: object) -> None:
        assert operands[0] == "/b"
        self.errorlevel = int(not filecmp.cmp(self.host(operands[1]), self.host(operands[2]), shallow=False))

    def _do_findstr(self, operands: list[str], *_: object) -> None:
        text = self.host(operands[-1]).read_text(encoding="utf-8").lower()
        sought = [word[3:].replace('"', "").lower() for word in operands if word.startswith("/c:")]
        self.errorlevel = int(not any(word in text for word in sought))
