"""Style sheets: what ships is complete, and mistakes are refused with file, line and a way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_music_gen.errors import StyleError
from llm_music_gen.sound.voices import VOICES
from llm_music_gen.styles import instrument_named, load_styles
from llm_music_gen.styles.grid import parse_bass, parse_drum_row, parse_form
from llm_music_gen.styles.loader import parse_sheet
from llm_music_gen.styles.roman import parse_numeral, parse_progression
from llm_music_gen.styles.sounds import GM_NAMES, VOICE_PROGRAMS

SHEET = """\
schema = 1
name = "my style"
tempo_min_bpm = 80
tempo_max_bpm = 100
tempo_default_bpm = 90

[bass]
patterns = ["0:R/8 8:5/8"]

[instruments]
melody = "flute"
chords = ["piano"]
bass = "upright bass"

[form]
templates = ["intro:A4:0.2 verse:A8:0.5 chorus:B8:0.8 outro:A4:0.3"]
"""


def test_the_eight_first_styles_and_all_of_the_band_ship() -> None:
    styles = load_styles()
    first = {"chill", "dubstep", "lo-fi", "ambient", "house", "jazz", "folk", "classical"}
    assert first <= set(styles)
    assert len(styles) >= 42


def test_no_two_styles_share_a_name_or_alias() -> None:
    seen: dict[str, str] = {}
    for name, style in load_styles().items():
        for word in (name, *style.aliases):
            assert seen.setdefault(word.lower(), name) == name, word


@pytest.mark.parametrize("name", sorted(load_styles()))
def test_a_shipped_style_is_complete(name: str) -> None:
    style = load_styles()[name]
    assert {"melody", "chords", "bass", "counter", "pad"} <= set(style.instruments)
    assert style.bass.patterns
    assert style.harmony.progressions and style.progressions
    assert style.form.templates
    assert style.form.templates[0][-1].role == "outro"
    assert style.words
    assert style.comp.chords
    if style.has_drums:
        assert style.grooves.b
        assert style.grooves.fills
    tones = [(low, high) for low, high in (style.bass.compass, style.comp.compass, style.lead.compass)]
    assert tones == sorted(tones), "bass below chords below melody"


def test_every_own_voice_of_the_sheets_can_be_rendered() -> None:
    assert set(VOICE_PROGRAMS) <= set(VOICES)


def test_a_sheet_of_the_users_is_read_and_shadows_ours(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(SHEET, encoding="utf-8")
    (tmp_path / "chill.toml").write_text(SHEET.replace("my style", "chill"), encoding="utf-8")
    styles = load_styles(tmp_path)
    assert styles["my style"].tempo_default_bpm == 90
    assert styles["chill"].tempo_max_bpm == 100


def test_a_folder_that_does_not_exist_is_no_error(tmp_path: Path) -> None:
    assert load_styles(tmp_path / "nowhere").keys() == load_styles().keys()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("tempo_min_bpm", "tempo_mim_bpm"), "line 3"),
        (("tempo_min_bpm", "tempo_mim_bpm"), "tempo_min_bpm"),
        (("[bass]\npatterns", "[bass]\npaterns"), 'did you mean "patterns"'),
        (("[bass]\npatterns", "[bass]\npaterns"), "line 8"),
        (('"flute"', '"flutte"'), 'Did you mean "flute"'),
        (('"flute"', '"flutte"'), "line 11"),
        (('"flute"', '"<wobbel>"'), "wobble"),
        (("8:5/8", "8:Q/8"), "8:Q/8"),
        (("verse:A8:0.5", "vers:A8:0.5"), "verse"),
        (("tempo_default_bpm = 90", "tempo_default_bpm = 300"), "line 5: tempo_default_bpm must lie between"),
        (("tempo_default_bpm = 90", 'tempo_default_bpm = "fast"'), "line 5"),
        (("schema = 1", "schema = 2"), "newer"),
        (("schema = 1", "schema = ["), "not TOML"),
        (('name = "my style"', 'name = "my style"\nmodes = { jolly = 1.0 }'), "line 3: 'jolly' is not a mode; modes are major"),
        (('name = "my style"', 'name = "my style"\nmeters = { "4/0" = 1.0 }'), "4/0"),
        (('bass = "upright bass"', ""), "bass"),
        (('melody = "flute"', "melody = 73"), 'line 11: "instruments.melody": it must be a list'),
        (('["0:R/8 8:5/8"]', "true"), 'line 8: "bass.patterns": it must be a list'),
        (("tempo_min_bpm = 80", "tempo_min_bpm = nan"), "line 3"),
        (('name = "my style"', 'name = "my style"\nmodes = { major = nan }'), "finite number"),
    ],
)
def test_a_mistake_is_refused_with_what_is_wrong(change: tuple[str, str], said: str) -> None:
    assert change[0] in SHEET
    with pytest.raises(StyleError) as caught:
        parse_sheet(SHEET.replace(*change), "mine.toml")
    message = str(caught.value)
    assert message.startswith("mine.toml")
    assert said in message


def test_a_file_that_is_no_text_or_far_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(StyleError, match="UTF-8"):
        load_styles(tmp_path)
    (tmp_path / "a.toml").write_bytes(b"#" * 300_000)
    with pytest.raises(StyleError, match="too large"):
        load_styles(tmp_path)


def test_grid_notation_is_read() -> None:
    assert parse_drum_row("K|x.o9|").levels == (8, 0, 2, 9)
    assert parse_drum_row("S|....|").note == 38
    hits = parse_bass("0:R/5 6:5-/2 10:b7/4!")
    assert [(hit.step, hit.tone, hit.length) for hit in hits] == [(0, "R", 5), (6, "5", 2), (10, "b7", 4)]
    assert hits[1].octave_down
    assert hits[2].accent
    assert [section.bars for section in parse_form("intro:A4:0.2 verse:B16:1")] == [4, 16]


@pytest.mark.parametrize("text", ["", "K", "K|x?|", "?|x...|", "K|x...| S|x|"])
def test_what_is_no_drum_row_is_refused(text: str) -> None:
    with pytest.raises(StyleError):
        parse_drum_row(text)


@pytest.mark.parametrize(
    ("text", "root", "quality"),
    [
        ("I", 0, ""),
        ("vi9", 9, "m9"),
        ("bVII", 10, ""),
        ("IM7", 0, "maj7"),
        ("im9", 0, "m9"),
        ("V7", 7, "7"),
        ("iv", 5, "m"),
        ("ii0", 2, "m7b5"),
    ],
)
def test_roman_numerals_are_read(text: str, root: int, quality: str) -> None:
    numeral = parse_numeral(text)
    assert (numeral.root, numeral.quality) == (root, quality)


def test_a_progression_has_bars_and_slash_basses() -> None:
    bars = parse_progression("I | V/7 | vi IV")
    assert [len(bar) for bar in bars] == [1, 1, 2]
    assert bars[1][0].bass == 11
    with pytest.raises(StyleError):
        parse_progression("I | H7")


def test_instruments_have_names_voices_and_ranges() -> None:
    assert len(GM_NAMES) == 128 == len(set(GM_NAMES))
    assert instrument_named("Rhodes").program == 4
    assert instrument_named("<supersaw>").voice == "supersaw"
    low, high = instrument_named("flute").range
    assert (low, high) == (60, 96)
