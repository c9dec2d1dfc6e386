"""launcher.bat, run by a small cmd of our own with scripted programs: what it starts, in which order, and what it says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.fakes.cmd_interpreter import NOT_FOUND, Cmd, Started

CHECKOUT = Path(__file__).parents[3]
ROOT = r"C:\Users\Zoë & Co\My Music (x86)!"
LOCKED = ["--prefer-binary", "--require-hashes", "-r", r"requirements\studio.lock"]
LOCKED_TESTS = [*LOCKED[:-1], r"requirements\test.lock"]
VENV_PYTHON = ROOT + r"\.venv\Scripts\python.exe"


class Windows:
    """A computer with `py -3.12`. What its programs answer can be changed by a test."""

    def __init__(self, drive: Path) -> None:
        self.drive = drive
        self.pythons = {"py": ["-3.12"]}
        """Programs that run a fitting Python -> the options that choose it."""
        self.pip_says = ""
        self.pip_fails = False
        self.venv_breaks = False
        self.missing_modules: set[str] = {"llama_cpp"}
        self.llama_wheel_exists = False
        self.llama_runs = True
        """On this processor."""
        self.fluidsynth_comes_as_a_package = True
        self.winget_installs = False
        self.studio_result = 0
        self.variables: dict[str, str] = {}

    def answer(self, run: Started) -> tuple[int, str]:
        text = " ".join(run.arguments)
        if run.name == VENV_PYTHON:
            return self._environment(run, text)
        if run.name in self.pythons:
            return self._python(run, text)
        if run.name in {"where", "choice", "winget"} and self.winget_installs:
            if run.name == "winget":
                self.pythons[r"C:\Local\Programs\Python\Python312\python.exe"] = []
                return 0, ""
            return (0 if run.name == "where" else 1), ""
        return NOT_FOUND, ""

    def _python(self, run: Started, text: str) -> tuple[int, str]:
        options = self.pythons[run.name]
        if run.arguments[: len(options)] != options:
            return 1, ""
        if "-m venv" in text:
            folder = Cmd(self.drive, self.answer, folder=run.folder).host(run.arguments[-1]) / "Scripts"
            folder.mkdir(parents=True)
            (folder / "python.exe").write_text("", encoding="utf-8")
            return int(self.venv_breaks), ""
        return 0, ""

    def _environment(self, run: Started, text: str) -> tuple[int, str]:
        if run.arguments[:3] == ["-m", "pip", "install"]:
            if r"requirements\fluidsynth.lock" in run.arguments and self.fluidsynth_comes_as_a_package:
                self.missing_modules.discard("fluidsynth")
            return int(self.pip_fails or ("--only-binary" in text and not self.llama_wheel_exists)), self.pip_says
        if "eval" in text:
            return (0 if self.llama_runs else -1073741795), ""
        if "find_spec" in text or "import" in text:
            return int(any(module in text for module in self.missing_modules)), ""
        if run.arguments[:2] == ["-m", "llm_music_gen"]:
            return self.studio_result, '{"title": "A song"}\n'
        if run.arguments[:2] == ["-m", "pytest"]:
            return 0, "2 passed\n"
        return 0, ""

    def start(self, *arguments: str, double_click: bool = False) -> Cmd:
        opened = rf'C:\Windows\system32\cmd.exe /c ""{ROOT}\launcher.bat" "' if double_click else r"C:\Windows\system32\cmd.exe"
        cmd = Cmd(self.drive, self.answer, {"cmdcmdline": opened, **self.variables}, folder=r"C:\Users")
        cmd.run(ROOT + r"\launcher.bat", *arguments)
        return cmd


@pytest.fixture
def windows(tmp_path: Path) -> Windows:
    root = tmp_path.joinpath(*ROOT.split("\\")[1:])
    root.mkdir(parents=True)
    shutil.copy(CHECKOUT / "launcher.bat", root)
    (root / "requirements").mkdir()
    for name in ("studio", "test"):
        (root / "requirements" / f"{name}.lock").write_text("numpy==2.0.0\n", encoding="utf-8")
    return Windows(tmp_path)


def pip_installs(cmd: Cmd) -> list[list[str]]:
    return [run.arguments[3:] for run in cmd.started if run.arguments[:3] == ["-m", "pip", "install"]]


def test_the_first_start_makes_an_environment_and_opens_the_app(windows: Windows) -> None:
    cmd = windows.start()
    assert cmd.errorlevel == 0, cmd.stderr
    assert LOCKED in pip_installs(cmd)
    assert cmd.started[-1].arguments == ["-m", "llm_music_gen"]
    assert cmd.stderr.splitlines()[-1] == "Llm-Music-Gen: Everything is ready."
    assert cmd.folders == []


def test_packages_are_installed_from_the_folder_of_the_launcher(windows: Windows) -> None:
    assert {run.folder for run in windows.start().started if "install" in run.arguments} == {ROOT}


def test_arguments_and_the_current_folder_reach_the_studio_unchanged(windows: Windows) -> None:
    cmd = windows.start("generate", '"Chill, Dubstep & é!"', "--songs", "3")
    assert cmd.started[-1].arguments == ["-m", "llm_music_gen", "generate", "Chill, Dubstep & é!", "--songs", "3"]
    assert cmd.started[-1].folder == r"C:\Users"


def test_the_studio_is_started_with_its_own_environment(windows: Windows) -> None:
    windows.variables = {"pythonhome": r"C:\Other", "pythonpath": r"C:\Other\lib"}
    variables = windows.start().started[-1].variables
    assert variables["pythonpath"] == ROOT
    assert variables["pythonhome"] == ""
    assert variables["pythonutf8"] == variables["pythonnousersite"] == "1"


def test_stdout_belongs_to_the_studio(windows: Windows) -> None:
    assert windows.start("generate", "Chill", "--json").stdout == '{"title": "A song"}\n'


def test_the_second_start_installs_nothing(windows: Windows) -> None:
    windows.start()
    cmd = windows.start("doctor")
    assert cmd.stderr == ""
    assert [run.arguments[:2] for run in cmd.started if run.arguments[0] != "-c"] == [["-m", "llm_music_gen"]]


def test_a_changed_list_of_packages_is_installed_at_the_next_start(windows: Windows) -> None:
    windows.start()
    changed = windows.drive.joinpath(*ROOT.split("\\")[1:], "requirements", "studio.lock")
    changed.write_text("# one more package\n", encoding="utf-8")
    assert LOCKED in pip_installs(windows.start())


def test_the_exit_code_of_the_studio_is_the_launchers(windows: Windows) -> None:
    windows.studio_result = 130
    assert windows.start("generate").errorlevel == 130


def test_the_store_stub_is_passed_over(windows: Windows) -> None:
    windows.pythons = {"python3": []}
    cmd = windows.start()
    assert cmd.errorlevel == 0
    assert [run.name for run in cmd.started if run.arguments[-3:-1] == ["-m", "venv"]] == ["python3"]


def test_a_python_named_by_the_user_comes_first(windows: Windows) -> None:
    mine = r"C:\Program Files\Python\python.exe"
    path = Cmd(windows.drive, windows.answer).host(mine)
    path.parent.mkdir(parents=True)
    path.write_text("", encoding="utf-8")
    windows.pythons[mine] = []
    windows.variables = {"llm_music_gen_python": mine}
    assert [run.name for run in windows.start().started if run.arguments[-3:-1] == ["-m", "venv"]] == [mine]


def test_no_python_is_said_in_one_sentence(windows: Windows) -> None:
    windows.pythons = {}
    cmd = windows.start("generate", "Chill")
    assert cmd.errorlevel == 1
    assert len(cmd.stderr.splitlines()) == 1
    assert "Python 3.10 to 3.13, 64 bit, is missing" in cmd.stderr


def test_an_environment_left_half_made_is_made_again(windows: Windows) -> None:
    windows.drive.joinpath(*ROOT.split("\\")[1:], ".venv", "Lib").mkdir(parents=True)
    cmd = windows.start()
    assert cmd.errorlevel == 0
    assert "making it again" in cmd.stderr


def test_an_environment_that_could_not_be_made_is_not_left_behind(windows: Windows) -> None:
    windows.venv_breaks = True
    cmd = windows.start()
    assert cmd.errorlevel == 1
    assert not windows.drive.joinpath(*ROOT.split("\\")[1:], ".venv").exists()


@pytest.mark.parametrize(
    ("printed", "sentence"),
    [
        ("NewConnectionError: [Errno 11001] getaddrinfo failed\n", "there is no network, which only the first start needs"),
        ("ERROR: something else\n", "the reason is at the end of launcher.log"),
    ],
)
def test_a_failed_installation_is_explained(windows: Windows, printed: str, sentence: str) -> None:
    windows.pip_fails, windows.pip_says = True, printed
    cmd = windows.start()
    assert cmd.errorlevel == 1
    assert sentence in cmd.stderr.splitlines()[-1]
    log = windows.drive.joinpath(*ROOT.split("\\")[1:], "launcher.log").read_text(encoding="utf-8")
    assert printed in log and sentence in log


def test_without_a_network_a_finished_environment_still_starts(windows: Windows) -> None:
    windows.start()
    windows.drive.joinpath(*ROOT.split("\\")[1:], "requirements", "studio.lock").write_text("# changed\n", encoding="utf-8")
    windows.pip_fails = True
    cmd = windows.start("doctor")
    assert cmd.errorlevel == 0
    assert "could not be brought up to date" in cmd.stderr
    assert cmd.started[-1].arguments == ["-m", "llm_music_gen", "doctor"]


def test_compiling_comes_last_and_is_announced(windows: Windows) -> None:
    windows.missing_modules = {"llama_cpp", "xllamacpp"}
    cmd = windows.start()
    assert "compiling it, which takes some minutes" in cmd.stderr
    llama = [arguments for arguments in pip_installs(cmd) if any("llama-cpp-python>" in word for word in arguments)]
    assert ["--only-binary" in arguments for arguments in llama] == [True, False]
    assert cmd.errorlevel == 0


def test_a_ready_made_llama_is_taken_and_nothing_compiled(windows: Windows) -> None:
    windows.llama_wheel_exists = True
    cmd = windows.start("test")
    assert "compiling" not in cmd.stderr
    assert not [run for run in cmd.started if "uninstall" in run.arguments]


def test_a_llama_made_for_another_processor_is_taken_out_again(windows: Windows) -> None:
    windows.llama_wheel_exists, windows.llama_runs = True, False
    cmd = windows.start()
    assert [run.arguments[-1] for run in cmd.started if "uninstall" in run.arguments] == ["llama-cpp-python"]
    assert cmd.errorlevel == 0


def test_windows_installs_python_when_it_may(windows: Windows) -> None:
    windows.pythons, windows.winget_installs = {}, True
    windows.variables = {"localappdata": r"C:\Local"}
    path = Cmd(windows.drive, windows.answer).host(r"C:\Local\Programs\Python\Python312\python.exe")
    path.parent.mkdir(parents=True)
    path.write_text("", encoding="utf-8")
    cmd = windows.start()
    assert cmd.errorlevel == 0, cmd.stderr
    assert "Python.Python.3.12" in next(run.arguments for run in cmd.started if run.name == "winget")


def test_tests_that_cannot_be_made_ready_are_not_started(windows: Windows) -> None:
    windows.start()
    windows.pip_fails = True
    cmd = windows.start("test")
    assert cmd.errorlevel == 1
    assert not [run for run in cmd.started if "pytest" in run.arguments]


def test_fluidsynth_comes_as_a_package_that_the_studio_finds_on_its_path(windows: Windows) -> None:
    windows.missing_modules = {"llama_cpp", "fluidsynth"}
    windows.variables = {"path": r"C:\Windows"}
    cmd = windows.start()
    assert ["--prefer-binary", "--no-deps", "--require-hashes", "-r", r"requirements\fluidsynth.lock"] in pip_installs(cmd)
    assert "FluidSynth is missing" not in cmd.stderr
    path = cmd.started[-1].variables["path"]
    assert path == rf"C:\Windows;{ROOT}\.venv\Lib\site-packages\sf2_loader\read_sf2"


def test_without_fluidsynth_the_studio_still_starts_and_says_what_to_do(windows: Windows) -> None:
    windows.missing_modules = {"llama_cpp", "fluidsynth"}
    windows.fluidsynth_comes_as_a_package = False
    cmd = windows.start()
    assert cmd.errorlevel == 0
    assert "choco install fluidsynth" in cmd.stderr


def test_the_test_command_hands_its_arguments_to_pytest(windows: Windows) -> None:
    cmd = windows.start("test", "-k", '"a song"')
    assert cmd.stdout == "2 passed\n"
    assert cmd.started[-1].arguments == ["-m", "pytest", "-k", "a song"]
    assert cmd.started[-1].folder == ROOT
    assert LOCKED_TESTS in pip_installs(cmd)
    assert pip_installs(windows.start("test")) == []


def test_setup_makes_everything_ready_once_more_and_opens_nothing(windows: Windows) -> None:
    windows.start("test")
    cmd = windows.start("setup")
    assert LOCKED in pip_installs(cmd)
    assert not [run for run in cmd.started if "llm_music_gen" in run.arguments]
    assert pip_installs(windows.start("test"))


@pytest.mark.parametrize(
    ("arguments", "double_click", "result", "pauses"),
    [((), True, 1, True), ((), True, 0, False), ((), False, 1, False), (("generate",), True, 1, False)],
)
def test_the_window_waits_only_after_a_failed_double_click(
    windows: Windows, arguments: tuple[str, ...], double_click: bool, result: int, pauses: bool
) -> None:
    windows.studio_result = result
    assert windows.start(*arguments, double_click=double_click).paused is pauses


def test_a_log_of_more_than_a_megabyte_starts_afresh(windows: Windows) -> None:
    log = windows.drive.joinpath(*ROOT.split("\\")[1:], "launcher.log")
    log.write_text("old\n" * 300_000, encoding="utf-8")
    windows.start()
    assert "old" not in log.read_text(encoding="utf-8")
