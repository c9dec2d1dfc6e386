"""The texts keep the rules of the sites, whatever the facts are."""

from __future__ import annotations

import pytest

from llm_music_gen.errors import UsageError
from llm_music_gen.publishing import text
from llm_music_gen.publishing.upload import Licensed, Upload, clock, length_words

NIGHT = Upload(
    title="Still Water", length_s=28_800, styles=("ambient", "meditation"), frequency_hz=528.0, layers=("binaural beat 10 Hz",),
    chapters=tuple((index * 600.0, f"Chapter {index}") for index in range(48)), tuning="equal temperament", key="C major",
    soundfont=Licensed("TimGM6mb", "GPL-2"), models=(Licensed("composer", "Apache-2.0"),), loudness_lufs=-18.0, seed=7,
)  # fmt: skip


def faults(upload: Upload) -> list[str]:
    out = [fault for title in text.titles(upload) for fault in text.title_faults(title)]
    out += text.description_faults(text.description(upload), upload.length_s)
    out += text.chapters_faults(text.chapters(upload), upload.length_s)
    return out + text.tags_faults(text.tags(upload)) + text.credits_faults(text.credits(upload))


def test_a_night_gets_texts_without_faults() -> None:
    assert faults(NIGHT) == []
    assert len(set(text.titles(NIGHT))) == 3
    assert text.chapters(NIGHT)[:2] == ["0:00:00 Chapter 0", "0:10:00 Chapter 1"]
    assert len(text.chapters(NIGHT)) == 48
    words = text.description(NIGHT)
    assert text.DISCLOSURE in words and text.HEADPHONES in words and "GPL-2" in words and "for relaxation" in words


def test_only_binaural_layers_ask_for_headphones() -> None:
    assert text.HEADPHONES not in text.description(Upload("x", 60.0, layers=("isochronic pulse 10 Hz",)))


def test_hostile_and_long_facts_still_keep_the_rules() -> None:
    wild = Upload(
        title="<b>Healing\n" + "水" * 3000, length_s=43_200, styles=("cure <x>",) * 50, layers=("層" * 900,), tuning="é" * 900,
        chapters=tuple((index * 61.0, "名" * 200) for index in range(700)), soundfont=Licensed("s" * 4_000, "l" * 4_000),
    )  # fmt: skip
    assert faults(wild) == []
    assert text.DISCLOSURE in text.description(wild)


def test_chapters_that_lie_too_close_are_left_out() -> None:
    song = Upload("x", 100.0, chapters=((3.0, "a"), (10.0, "b"), (14.0, "c"), (50.0, "d"), (95.0, "e")))
    assert text.chapters(song) == ["0:00 a", "0:14 c", "0:50 d"]
    assert text.chapters(Upload("x", 100.0, chapters=((0.0, "a"), (50.0, "b")))) == []


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["0:01 a", "0:20 b", "0:40 c"], "0:00"),
        (["0:00 a", "0:20 b"], "three"),
        (["0:00 a", "0:10 b", "0:40 c"], "10 seconds"),
        (["0:00 a", "0:40 b", "0:20 c"], "ascend"),
        (["0:00 a", "0:20 b", "0:95 c"], "not a time"),
        (["0:00 a", "0:20 b", "1:38 c"], "10 seconds"),
    ],
)
def test_wrong_chapters_are_found(lines: list[str], said: str) -> None:
    assert any(said in fault for fault in text.chapters_faults(lines, 100.0))


def test_wrong_titles_tags_and_descriptions_are_found() -> None:
    assert text.title_faults("x" * 101) and text.title_faults("a < b") and text.title_faults(" ")
    assert text.title_faults("528 Hz heals") and text.title_faults("DNA repair")
    assert text.tags_faults(",".join(["two words"] * 50))
    assert text.description_faults("é" * 2_600 + text.DISCLOSURE, 60.0)
    assert text.description_faults("no word about it", 60.0)


def test_times_are_written_as_people_read_them() -> None:
    assert (clock(3_661.9, hours=True), clock(61, hours=False)) == ("1:01:01", "1:01")
    assert [length_words(value) for value in (28_800, 5_400, 60, 50, 3_599.9)] == [
        "8 hours", "1 hour 30 minutes", "1 minute", "50 seconds", "1 hour",
    ]  # fmt: skip


def test_a_length_or_frequency_that_is_none_is_refused() -> None:
    for length, hz in ((0.0, None), (float("nan"), None), (60.0, float("inf")), (60.0, -5.0)):
        with pytest.raises(UsageError):
            Upload("x", length, frequency_hz=hz)
