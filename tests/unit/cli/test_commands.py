"""The commands that need no song: words, models, doctor, help, and what is said to nonsense."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llm_music_gen.__main__ import main
from llm_music_gen.cli.main import COMMANDS


def test_without_arguments_and_without_a_terminal_the_way_on_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert 'llm-music-gen generate "Chill, Dubstep"' in capsys.readouterr().out


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"usage: llm-music-gen {command}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["frobnicate"], ["generate"], ["library"], ["generate", "Chill", "--sings", "3"]])
def test_nonsense_is_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "usage:" in capsys.readouterr().err


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("Llm-Music-Gen ")


def test_at_least_sixty_words_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["styles"]) == 0
    styles, moods, _ = capsys.readouterr().out.splitlines()
    assert {"chill", "dubstep", "jazz"} <= set(styles.removeprefix("Styles: ").split(", "))
    assert len(styles.split(", ")) + len(moods.split(", ")) >= 60


def test_the_doctor_says_what_is_there_in_words_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert main(["doctor", "--json"]) == 0
    facts = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == len(facts)
    assert {fact["name"] for fact in facts} >= {"Python", "llama.cpp", "Built-in composer", "FluidSynth", "Soundfont", "ffmpeg"}
    assert all(fact["found"] for fact in facts)


def test_the_doctor_names_what_is_missing_and_what_to_do(studio_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (studio_home / "data").mkdir(parents=True)
    (studio_home / "data" / "settings.toml").write_text(f'soundfont = "{(studio_home / "no.sf2").as_posix()}"', encoding="utf-8")
    assert main(["doctor"]) == 1
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("MISSING")]
    assert "Soundfont" in line
    assert "Choose another" in line


def test_a_broken_settings_file_is_named_in_one_sentence(studio_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (studio_home / "data").mkdir(parents=True)
    (studio_home / "data" / "settings.toml").write_text("volume = 3", encoding="utf-8")
    assert main(["library", "list"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "Did you mean 'volume_percent'?" in line


def test_an_empty_library_has_no_length_and_no_song_to_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["library", "list"]) == 0
    assert "Total Songs Length: 00:00:00" in capsys.readouterr().out
    assert main(["library", "show", "Waltz"]) == 1
    assert main(["library", "undo"]) == 1
    assert main(["remake", "Waltz"]) == 1
    assert main(["like", "Waltz"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 4


def test_the_models_are_listed_with_the_built_in_one_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    assert capsys.readouterr().out.startswith("composer.built-in.gguf")
