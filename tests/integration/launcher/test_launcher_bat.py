"""launcher.bat cannot run here, so its text is held to the rules that keep a batch file from going wrong on Windows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

LAUNCHER = Path(__file__).parents[3] / "launcher.bat"
#: Labels that cmd knows by itself.
BUILT_IN_LABELS = {"eof"}


def commands() -> list[str]:
    """The lines that cmd executes: no remarks, no blank lines."""
    lines = (line.strip() for line in LAUNCHER.read_text(encoding="ascii").splitlines())
    return [line for line in lines if line and not re.match(r"(?i)@?rem\b", line)]


def code() -> list[str]:
    """Commands that are not labels."""
    return [line for line in commands() if not line.startswith(":")]


def labels() -> list[str]:
    return [line[1:].split()[0].lower() for line in commands() if line.startswith(":")]


def outside_quotes(line: str) -> str:
    return re.sub(r'"[^"]*"', '""', line)


def test_every_byte_is_ascii_and_every_line_ends_the_windows_way() -> None:
    raw = LAUNCHER.read_bytes()
    assert raw.isascii()
    assert raw.count(b"\n") == raw.count(b"\r\n") > 0
    assert raw.endswith(b"\r\n")


def test_every_jump_has_its_label_and_no_label_stands_twice() -> None:
    known = labels()
    assert len(known) == len(set(known))
    jumps = {name.lower() for line in code() for name in re.findall(r"(?i)\b(?:goto|call)\s+:?([a-z_]+)", jump_text(line))}
    assert jumps, "no jump was found: the pattern of this test is wrong"
    assert jumps <= set(known) | BUILT_IN_LABELS


def jump_text(line: str) -> str:
    """The part of a line in which jumps stand: `call :say goto` talks, and `call %PYTHON%` starts a program."""
    line = re.sub(r"(?i)(call :say).*", r"\1", line)
    return re.sub(r"(?i)\bcall [^:].*", "", line)


def test_every_label_is_reached() -> None:
    text = "\n".join(code()).lower()
    unreached = [label for label in labels() if not re.search(rf"(goto|call) :?{label}\b", text)]
    previous = dict(zip(commands()[1:], commands(), strict=False))
    assert [label for label in unreached if ends_a_branch(previous[f":{label}"])] == []


def ends_a_branch(line: str) -> bool:
    return bool(re.match(r"(?i)(goto\b|exit /b)", line))


def test_a_routine_is_never_entered_by_falling_into_it() -> None:
    called = {name.lower() for line in code() for name in re.findall(r"(?i)\bcall :([a-z_]+)", jump_text(line))}
    previous = dict(zip(commands()[1:], commands(), strict=False))
    assert called
    assert [label for label in called if not ends_a_branch(previous[f":{label}"])] == []


def test_paths_stand_in_quotes() -> None:
    for line in code():
        bare = outside_quotes(line)
        assert "%~dp0" not in bare, line
        for name in ("ROOT", "VENV", "VENV_PYTHON", "STAMP", "TEST_STAMP", "LOG", "PIP_LOG"):
            assert f"%{name}%" not in bare, line


def test_quotes_are_balanced() -> None:
    # "%CMDCMDLINE:"=%" removes the quotes from a variable: the one line where three of them are right.
    assert [line for line in code() if line.count('"') % 2 and "CMDCMDLINE" not in line] == []


@pytest.mark.parametrize("sign", ["&", "|", "^"])
def test_the_style_is_flat(sign: str) -> None:
    """Chains and pipes do not mean the same to every cmd, nor with every path."""
    assert [line for line in code() if sign in outside_quotes(line).replace("2>&1", "").replace(">&2", "")] == []


def test_there_are_no_blocks() -> None:
    """A variable in a block is expanded when the block is read, and a parenthesis in a path would close it."""
    spoken = re.compile(r"(?i)^(call :say|>>\"\" echo)")
    assert [line for line in code() if re.search(r"[()]", outside_quotes(line)) and not spoken.match(outside_quotes(line))] == []


def test_exclamation_marks_in_paths_survive() -> None:
    assert any("DisableDelayedExpansion" in line for line in code())


def test_results_are_compared_so_that_crashes_count_as_failures() -> None:
    """`if errorlevel 1` takes the negative exit code of a crash for success."""
    assert [line for line in code() if re.search(r"(?i)if (not )?errorlevel", line)] == []


def test_a_program_that_may_be_a_batch_file_is_started_with_call() -> None:
    """Without `call` a `python.bat` on the path would take over and never come back."""
    starts = [line for line in code() if re.search(r"%PYTHON%|%\*  ?-c", line) and not line.lower().startswith(("set ", "if "))]
    assert starts
    assert [line for line in starts if not line.startswith("call ")] == []


def test_arguments_reach_the_studio_as_they_were_given() -> None:
    assert '"%VENV_PYTHON%" -m llm_music_gen %*' in code()


def test_both_launchers_install_the_same_packages() -> None:
    shell = LAUNCHER.with_suffix(".sh").read_text(encoding="utf-8")
    batch = LAUNCHER.read_text(encoding="ascii")
    for name in ("LLAMA_WHEELS", "LLAMA_CPP_PYTHON"):
        in_shell = re.search(rf'^{name}="([^"]+)"', shell, re.MULTILINE)
        in_batch = re.search(rf'^set "{name}=([^"]+)"', batch, re.MULTILINE)
        assert in_shell and in_batch
        assert in_shell[1] == in_batch[1]
    packages = re.search(r'^PACKAGES="([^"]+)"', shell, re.MULTILINE)
    assert packages and f'-c "%FIND%" {packages[1]} ' in batch
