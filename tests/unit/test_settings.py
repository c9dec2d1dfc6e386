"""Settings: defaults, the file by hand, and the sentences for what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_music_gen.errors import SettingsError
from llm_music_gen.settings import (
    Settings,
    load_settings,
    load_settings_or_defaults,
    save_settings,
    setting_fields,
    with_setting,
)


def test_a_missing_file_gives_the_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "settings.toml") == Settings()


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "settings.toml"
    changed = with_setting(with_setting(Settings(), "formats", ["wav", "flac"]), "output_dir", 'C:\\Müsic "x"')
    save_settings(changed, path)
    assert load_settings(path) == changed
    assert [entry.name for entry in path.parent.iterdir()] == ["settings.toml"]


def test_the_file_explains_every_setting(tmp_path: Path) -> None:
    save_settings(Settings(), tmp_path / "settings.toml")
    text = (tmp_path / "settings.toml").read_text(encoding="utf-8")
    for field in setting_fields():
        assert field.explanation in text
        assert field.explanation.endswith(".")


def test_an_unknown_key_names_the_nearest_known_one(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("temprature = 0.5\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"unknown key 'temprature'.*Did you mean 'temperature'"):
        load_settings(path)


@pytest.mark.parametrize(
    "text", ["volume_percent = 200", 'formats = ["ogg"]', "formats = []", "temperature = 'warm'", "schema = 2", "= 3", "\x00"]
)
def test_a_wrong_file_is_refused_in_one_sentence_and_the_studio_still_starts(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    assert "\n" not in str(caught.value)
    settings, complaint = load_settings_or_defaults(path)
    assert settings == Settings()
    assert complaint == str(caught.value)


def test_saving_over_a_broken_file_keeps_it_beside(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("not = = toml", encoding="utf-8")
    save_settings(Settings(), path)
    assert load_settings(path) == Settings()
    assert path.with_name("settings.toml.broken").read_text(encoding="utf-8") == "not = = toml"


def test_a_file_truncated_anywhere_never_crashes(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    save_settings(Settings(), path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        settings, _ = load_settings_or_defaults(path)
        assert isinstance(settings, Settings)


def test_a_settings_file_without_an_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"# " + b"x" * 2_000_000)
    with pytest.raises(SettingsError, match="far too large"):
        load_settings(path)
    assert load_settings_or_defaults(path)[0] == Settings()
