"""File names from any title are safe on Windows, macOS and Linux."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_music_gen.studio.names import free_name, safe_name, stem_names

HOSTILE = [
    "../../x", "..\\x", "C:\\x", "\\\\?\\C:\\x", "//srv/share", "CON", "con.mp3", "NUL.tar.gz", "COM1", "LPT¹", "a.", "a ", ".",
    "é" * 300, "\u202egnp.exe", "👩‍👩‍👧‍👦" * 40, "\0", "a\nb", "%APPDATA%", "$(x)", "-rf", "aux .txt", " . ", "conin$",
    "e\u0301" * 90,
    "", ".-.x",
]  # fmt: skip


def allowed_on_windows(name: str) -> bool:
    stem = name.split(".")[0].rstrip().upper()
    return (
        0 < len(name.encode("utf-16-le")) // 2 <= 80
        and not re.search(r'[<>:"/\\|?*\x00-\x1f]', name)
        and name[-1] not in ". "
        and name[0] not in " .-"
        and not re.fullmatch(r"CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³]", stem)
    )


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_titles_become_safe_names(title: str, tmp_path: Path) -> None:
    name = safe_name(title)
    assert allowed_on_windows(name), name
    assert (tmp_path / name).resolve().parent == tmp_path.resolve()
    (tmp_path / name).mkdir()


@given(st.text(max_size=120))
def test_any_text_becomes_a_safe_name_and_stays_it(title: str) -> None:
    name = safe_name(title)
    assert allowed_on_windows(name)
    assert safe_name(name) == name


def test_ordinary_titles_stay_as_they_are() -> None:
    assert safe_name("Candle at Half Past Four") == "Candle at Half Past Four"


def test_a_taken_name_gets_a_number_whatever_its_case() -> None:
    assert free_name("River", ["river", "River (2)"]) == "River (3)"
    assert free_name("x" * 80, ["X" * 80]) == "x" * 76 + " (2)"


def test_stems_are_named_after_song_and_part_and_never_alike() -> None:
    assert stem_names("Rain", ["Piano", "piano", "A/B"]) == ("Rain - Piano", "Rain - piano (2)", "Rain - A-B")
    long = stem_names("x" * 80, ["Bass", "Pad"])
    assert long[0].endswith(" - Bass") and long[1].endswith(" - Pad")
