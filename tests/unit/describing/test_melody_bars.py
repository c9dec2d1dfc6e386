"""Beats and bars of notes whose rhythm is known."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_music_gen.describing.melody.bars import Barred, barred
from llm_music_gen.describing.melody.beats import counted
from llm_music_gen.describing.melody.notes import HeardNote
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import LeadSection
from llm_music_gen.notation.text import parse_section
from llm_music_gen.notation.writer import section_text
from tests.unit.describing.some_melodies import DOTTED, TWINKLE, WALTZ, Tune, played

TRIPLETS: Tune = (
    (60, 1), (62, 1 / 3), (64, 1 / 3), (65, 1 / 3), (67, 1), (65, 1), (64, 2), (62, 2), (67, 0.5), (65, 0.5), (64, 1),
    (62, 1 / 3), (64, 1 / 3), (62, 1 / 3), (60, 1),
)  # fmt: skip
UPBEAT: Tune = (
    (62, 1), (67, 2), (71, 0.5), (67, 0.5), (71, 2), (69, 1), (67, 2), (64, 1), (62, 2), (62, 1), (67, 2), (71, 0.5), (67, 0.5),
    (71, 2), (69, 1), (74, 3),
)  # fmt: skip


def hearing(tune: Tune, bpm: float, seed: int = 0, slower: float = 0.0) -> list[HeardNote]:
    """The tune as heard; `slower`: how much longer it takes than at a steady tempo, more and more."""
    notes = played(tune, bpm, jitter_s=0.02, seed=seed)
    end_s = notes[-1].start_s

    def at(time_s: float) -> float:
        return time_s * (1 + slower * time_s / end_s)

    return [HeardNote(at(n.start_s), at(n.start_s + n.length_s), n.pitch, 0, -20, 1) for n in notes]


def beats_of(tune: Tune) -> list[float]:
    return [0.0, *list(accumulate(length for _, length in tune))[:-1]]


def text(bars: Barred) -> str:
    return section_text(LeadSection("A", bars.bars, bars.notes, ()), Key("C"), bars.meter, Fraction(1, 8))


@pytest.mark.parametrize("bpm", [90, 120])
@pytest.mark.parametrize("tune", [TWINKLE, WALTZ, DOTTED, UPBEAT])
@pytest.mark.parametrize("told", [True, False])
def test_every_note_finds_its_beat_though_the_player_strays(tune: Tune, bpm: float, told: bool) -> None:
    for seed in range(3):
        notes = hearing(tune, bpm, seed, slower=0.02)
        found = counted([note.start_s for note in notes], bpm if told else None)
        assert [tick / 12 for tick in found.ticks] == pytest.approx(beats_of(tune))
        assert found.bpm == pytest.approx(bpm, rel=0.05)


@pytest.mark.parametrize("bpm", [72, 90, 120])
def test_triplets_are_told_from_sixteenths_at_a_known_tempo(bpm: float) -> None:
    found = counted([note.start_s for note in hearing(TRIPLETS, bpm)], bpm)
    assert [tick / 12 for tick in found.ticks] == pytest.approx(beats_of(TRIPLETS))


def test_metre_and_first_beat_are_found() -> None:
    assert str(barred(hearing(TWINKLE, 100)).meter) == "4/4"
    assert str(barred(hearing(WALTZ, 100)).meter) == "3/4"
    upbeat = barred(hearing(UPBEAT, 100))
    assert str(upbeat.meter) == "3/4"
    assert upbeat.notes[0].onset_ql == 2


def test_a_told_metre_holds_and_compound_beats_have_three_parts() -> None:
    jig: Tune = ((67, 1 / 3), (69, 1 / 3), (71, 1 / 3), (74, 2 / 3), (71, 1 / 3), (72, 1 / 3), (69, 1 / 3), (66, 1 / 3), (67, 1))
    bars = barred(hearing(jig, 100), bpm=100, meter=Meter(6, 8))
    assert text(bars) == "GABd2B|cA^FG3|"
    assert str(barred(hearing(TWINKLE, 100), meter=Meter(2, 4)).meter) == "2/4"


def test_silence_becomes_a_rest_but_a_string_that_died_away_does_not() -> None:
    ended = [HeardNote(beat * 0.5, beat * 0.5 + 0.3, 60, 0, -20, 1) for beat in (0, 2, 4, 6)]
    assert text(barred(ended, bpm=120, meter=Meter(4, 4))) == "Cz3Cz3|Cz3Cz3|"
    faded = [HeardNote(note.start_s, note.end_s, 60, 0, -20, 1, faded=True) for note in ended]
    assert text(barred(faded, bpm=120, meter=Meter(4, 4))).startswith("C4C4|C4C")


def test_long_pauses_lose_whole_bars() -> None:
    notes = [HeardNote(at, at + 0.5, 60, 0, -20, 1) for at in (0.0, 0.5, 1.0, 1.5, 92.0, 92.5)]
    bars = barred(notes, bpm=120, meter=Meter(4, 4))
    assert len(bars.notes) == 6
    assert bars.bars <= 5


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.07, 3.0), st.floats(0.1, 1.0)), min_size=1, max_size=25),
    st.one_of(st.none(), st.floats(20, 400)),
    st.sampled_from(["4/4", "3/4", "2/2", "6/8", "7/8", "5/4", ""]),
)
def test_whatever_was_played_can_be_written_in_exact_bars(
    gaps: Sequence[tuple[float, float]], bpm: float | None, meter: str
) -> None:
    starts = np.cumsum([gap for gap, _ in gaps])
    notes = [
        HeardNote(float(at), float(at + gap * share), 60 + n % 12, 0, -20, 1, faded=n % 3 == 0)
        for n, (at, (gap, share)) in enumerate(zip(starts, gaps, strict=True))
    ]
    notes = [
        HeardNote(one.start_s, min(one.end_s, other.start_s), one.pitch, 0, -20, 1, one.faded)
        for one, other in zip(notes, [*notes[1:], notes[-1]], strict=True)
        if one is other or other.start_s > one.start_s
    ]
    bars = barred(notes, bpm=bpm, meter=Meter.parse(meter) if meter else None)
    unit = Fraction(1, 8)
    section = LeadSection("A", bars.bars, bars.notes, ())
    back = parse_section(
        section_text(section, Key("C"), bars.meter, unit), label="A", key=Key("C"), meter=bars.meter, unit=unit, bars=bars.bars
    )
    assert [note.onset_ql for note in back.notes] == [note.onset_ql for note in bars.notes]
