"""launcher.sh with a scripted Python in place of the real one: what it starts, in which order, and what it says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="launcher.sh is for POSIX systems")

CHECKOUT = Path(__file__).parents[3]
#: Programs that launcher.sh may use; the tests show it no others, so that the machine's own Pythons stay out of sight.
SYSTEM_TOOLS = (
    *("bash", "cat", "chmod", "cmp", "cp", "date", "dirname", "env", "flock", "grep", "head", "id", "mkdir", "mv"),
    *("printf", "readlink", "rm", "sed", "sleep", "tail", "uname", "wc"),
)
#: Plays `python3.12` and, copied by "venv", the environment's Python. Writes each call into $CALLS, one a line.
SCRIPTED_PYTHON = """#!/usr/bin/env bash
printf '%s|' "$@" >>"$CALLS"; printf '%s\\n' "cwd=$PWD" >>"$CALLS"
case "$*" in
--version) echo "Python ${FAKE_VERSION:-3.12.1}" ;;
*version_info*) [ "${FAKE_VERSION:-3.12.1}" != 3.9.9 ] ;;
*ensurepip*) [ -z "${FAKE_NO_VENV:-}" ] ;;
"-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && [ -z "${FAKE_BROKEN_VENV:-}" ] ;;
*"pip install"*"--only-binary"*) exit 1 ;;
*"pip install"*) echo "${FAKE_PIP_SAYS:-}"; exit "${FAKE_PIP_RESULT:-0}" ;;
"-m llm_music_gen"*) echo '{"title": "A song"}'; exit "${FAKE_STUDIO_RESULT:-0}" ;;
"-m pytest"*) echo "2 passed" ;;
esac
"""


@dataclass
class Launcher:
    """A copy of the launcher in a folder with an awkward name."""

    root: Path
    tools: Path
    calls_file: Path
    current_folder: Path

    def start(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        clean = {"PATH": str(self.tools), "HOME": str(self.root.parent), "CALLS": str(self.calls_file), **environment}
        return subprocess.run(
            [str(self.root / "launcher.sh"), *arguments],
            cwd=self.current_folder,
            env=clean,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )

    def calls(self) -> list[str]:
        """What Python was asked to do since the last look, and forgets it."""
        lines = self.calls_file.read_text(encoding="utf-8").splitlines() if self.calls_file.exists() else []
        self.calls_file.unlink(missing_ok=True)
        return lines

    @property
    def log(self) -> str:
        return (self.root / "launcher.log").read_text(encoding="utf-8")


def write_program(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def launcher(tmp_path: Path) -> Launcher:
    root = tmp_path / "Zoë & Co" / "My Music (x86)!"
    tools = tmp_path / "tools"
    root.mkdir(parents=True)
    tools.mkdir()
    shutil.copy(CHECKOUT / "launcher.sh", root)
    (root / "requirements").mkdir()
    for name in ("studio", "test"):
        (root / "requirements" / f"{name}.lock").write_text("numpy==2.0.0\n", encoding="utf-8")
    for name in SYSTEM_TOOLS:
        found = shutil.which(name)
        if found:
            (tools / name).symlink_to(found)
    write_program(tools / "sudo", "#!/usr/bin/env bash\nexit 1\n")
    write_program(tools / "python3.12", SCRIPTED_PYTHON)
    return Launcher(root, tools, calls_file=tmp_path / "calls.txt", current_folder=tmp_path)


def test_the_first_start_makes_an_environment_and_opens_the_app(launcher: Launcher) -> None:
    result = launcher.start()
    assert result.returncode == 0, result.stderr
    calls = launcher.calls()
    made = next(i for i, call in enumerate(calls) if call.startswith("-m|venv|"))
    installed = next(
        i for i, call in enumerate(calls) if "install|--prefer-binary|--require-hashes|-r|requirements/studio.lock|" in call
    )
    assert made < installed
    assert calls[-1].startswith("-m|llm_music_gen|cwd=")


def test_arguments_and_the_current_folder_reach_the_studio_unchanged(launcher: Launcher, tmp_path: Path) -> None:
    elsewhere = tmp_path / "some where"
    elsewhere.mkdir()
    launcher.current_folder = elsewhere
    launcher.start("generate", "Chill, Dubstep & é", "--output", "my songs", "", "$HOME")
    assert launcher.calls()[-1] == f"-m|llm_music_gen|generate|Chill, Dubstep & é|--output|my songs||$HOME|cwd={elsewhere}"


def test_stdout_belongs_to_the_studio(launcher: Launcher) -> None:
    result = launcher.start("generate", "Chill", "--json")
    assert result.stdout == '{"title": "A song"}\n'
    assert "Everything is ready." in result.stderr


def test_the_second_start_installs_nothing(launcher: Launcher) -> None:
    launcher.start()
    launcher.calls()
    result = launcher.start("doctor")
    assert result.stderr == ""
    calls = launcher.calls()
    assert not [call for call in calls if "pip" in call or "venv" in call]
    assert calls[-1].startswith("-m|llm_music_gen|doctor|")


def test_a_changed_list_of_packages_is_installed_at_the_next_start(launcher: Launcher) -> None:
    launcher.start()
    launcher.calls()
    with (launcher.root / "requirements" / "studio.lock").open("a", encoding="utf-8") as file:
        file.write("# one more package\n")
    launcher.start()
    assert [call for call in launcher.calls() if "install|--prefer-binary|--require-hashes|-r|requirements/studio.lock|" in call]


def test_the_exit_code_of_the_studio_is_the_launchers(launcher: Launcher) -> None:
    assert launcher.start("generate", FAKE_STUDIO_RESULT="130").returncode == 130


def test_an_environment_left_half_made_is_made_again(launcher: Launcher) -> None:
    (launcher.root / ".venv" / "bin").mkdir(parents=True)
    result = launcher.start()
    assert result.returncode == 0, result.stderr
    assert "making it again" in result.stderr
    assert (launcher.root / ".venv" / "bin" / "python").exists()


def test_an_environment_that_could_not_be_made_is_not_left_behind(launcher: Launcher) -> None:
    result = launcher.start(FAKE_BROKEN_VENV="yes")
    assert result.returncode == 1
    assert "could not be made" in result.stderr
    assert not (launcher.root / ".venv").exists()


def test_an_interrupted_installation_goes_on_at_the_next_start(launcher: Launcher) -> None:
    assert launcher.start(FAKE_PIP_RESULT="1").returncode == 1
    launcher.calls()
    assert launcher.start().returncode == 0
    assert [call for call in launcher.calls() if "install|--prefer-binary|--require-hashes|-r|requirements/studio.lock|" in call]


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"FAKE_VERSION": "3.9.9"}, "Python 3.10 to 3.13 (64 bit) is missing, only Python 3.9.9 was found"),
        ({"FAKE_NO_VENV": "yes"}, "Python's venv module is missing"),
        (
            {"FAKE_PIP_RESULT": "1", "FAKE_PIP_SAYS": "Failed to establish a new connection: Name or service not known"},
            "there is no network, which only the first start needs",
        ),
        ({"FAKE_PIP_RESULT": "1", "FAKE_PIP_SAYS": "OSError: [Errno 28] No space left on device"}, "the disk is full"),
        ({"FAKE_PIP_RESULT": "1", "FAKE_PIP_SAYS": "ERROR: No matching distribution"}, "ERROR: No matching distribution"),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(launcher: Launcher, environment: dict[str, str], sentence: str) -> None:
    result = launcher.start("generate", "Chill", **environment)
    assert result.returncode == 1
    assert result.stdout == ""
    assert sentence in result.stderr.splitlines()[-1]
    assert sentence in launcher.log


def test_no_python_at_all_is_said_in_one_sentence(launcher: Launcher) -> None:
    (launcher.tools / "python3.12").unlink()
    result = launcher.start()
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "Python 3.10 to 3.13 (64 bit) is missing: install it" in result.stderr


def test_without_a_network_a_finished_environment_still_starts(launcher: Launcher) -> None:
    launcher.start()
    with (launcher.root / "requirements" / "studio.lock").open("a", encoding="utf-8") as file:
        file.write("# one more package\n")
    result = launcher.start("doctor", FAKE_PIP_RESULT="1", FAKE_PIP_SAYS="ProxyError")
    assert result.returncode == 0
    assert "could not be brought up to date" in result.stderr
    assert launcher.calls()[-1].startswith("-m|llm_music_gen|doctor|")


def test_compiling_comes_last_and_is_announced(launcher: Launcher) -> None:
    write_program(launcher.tools / "c++", "#!/usr/bin/env bash\nexit 0\n")
    without_wheels = SCRIPTED_PYTHON.replace(
        'case "$*" in\n', 'case "$*" in\n*"import xllamacpp"*) exit 1 ;;\n*find_spec*llama_cpp) exit 1 ;;\n', 1
    )
    write_program(launcher.tools / "python3.12", without_wheels)
    result = launcher.start()
    assert result.returncode == 0
    assert "compiling it, which takes some minutes" in result.stderr
    installs = [call for call in launcher.calls() if "pip|install|" in call and "llama-cpp-python" in call]
    assert len(installs) == 2
    assert "--only-binary" in installs[0] and "--only-binary" not in installs[1]


def test_the_test_command_hands_its_arguments_to_pytest(launcher: Launcher) -> None:
    result = launcher.start("test", "-k", "a song")
    assert "2 passed" in result.stdout
    calls = launcher.calls()
    assert [call for call in calls if "install|--prefer-binary|--require-hashes|-r|requirements/test.lock|" in call]
    assert calls[-1] == f"-m|pytest|-k|a song|cwd={launcher.root}"


def test_setup_makes_everything_ready_once_more_and_opens_nothing(launcher: Launcher) -> None:
    launcher.start()
    launcher.calls()
    assert launcher.start("setup").returncode == 0
    calls = launcher.calls()
    assert [call for call in calls if "install|--prefer-binary|--require-hashes|-r|requirements/studio.lock|" in call]
    assert not [call for call in calls if "llm_music_gen|" in call.split("cwd=")[0]]


def test_a_link_to_the_launcher_leads_to_its_own_folder(launcher: Launcher, tmp_path: Path) -> None:
    link = tmp_path / "music"
    link.symlink_to(launcher.root / "launcher.sh")
    environment = {"PATH": str(launcher.tools), "HOME": str(tmp_path), "CALLS": str(launcher.calls_file)}
    subprocess.run([str(link), "doctor"], env=environment, check=True, capture_output=True)
    assert (launcher.root / ".venv" / "made-ready.lock").exists()


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_said(launcher: Launcher) -> None:
    launcher.root.chmod(0o555)
    try:
        result = launcher.start()
    finally:
        launcher.root.chmod(0o755)
    assert result.returncode == 1
    assert "cannot be written to" in result.stderr
