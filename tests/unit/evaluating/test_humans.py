"""Tunes beside those of people: what is like them passes, what is not does not."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import Arrangement, LeadSection, LeadSheet, Note, Part, PlayedNote
from llm_music_gen.domain.theme import SectionPlan, Theme
from llm_music_gen.evaluating.humans import compared, humans, structure_kept
from llm_music_gen.evaluating.melody import FIGURES, HISTOGRAMS, KINDS, MelodyStatistics, fingerprints, melody_statistics
from llm_music_gen.evaluating.novelty import novelty
from llm_music_gen.evaluating.setting import same_settings, setting_of

SCALE = (60, 62, 64, 65, 67, 69, 71, 72)


def sheet(pitches: tuple[int, ...], length: Fraction = Fraction(1, 2), key: str = "C", meter: str = "4/4") -> LeadSheet:
    notes = tuple(Note(number * length, length, pitch) for number, pitch in enumerate(pitches))
    bars = math.ceil(len(pitches) * length / Meter.parse(meter).bar_ql)
    return LeadSheet("", Key.parse(key), Meter.parse(meter), 100.0, (LeadSection("A", bars, notes, ()),))


def of_people(places: np.ndarray) -> list[MelodyStatistics]:
    people = humans()
    return [
        MelodyStatistics(
            KINDS[people.kind[place]],
            {name: people.histograms[name][place] for name in HISTOGRAMS},
            dict(zip(FIGURES, people.figures[place].tolist(), strict=True)),
        )
        for place in places
    ]


def test_half_of_the_people_passes_as_people() -> None:
    half = np.random.default_rng(1).permutation(len(humans().kind))[::2]
    found = compared(of_people(half), humans())
    assert all(row["ratio"] > 0.97 and row["divergence_bits"] < 0.05 for row in found["histograms"].values())
    assert all(structure_kept(found).values())
    assert all(row["ratio"] > 0.9 for row in found["distances"].values())


def test_scales_in_half_notes_do_not_pass_as_people() -> None:
    statistics = melody_statistics(sheet(SCALE * 4, Fraction(2)))
    assert statistics is not None
    found = compared([statistics] * 20, humans())
    assert found["histograms"]["note lengths"]["ratio"] < 0.2
    assert not structure_kept(found)["groove_similarity"]


def test_what_has_no_model_among_people_is_not_compared() -> None:
    statistics = melody_statistics(sheet(SCALE * 5, meter="5/4"))
    assert statistics is not None and statistics.kind == "other major"
    assert compared([statistics], humans()) == {}
    assert melody_statistics(sheet(SCALE[:5])) is None


def test_fingerprints_are_the_same_in_every_key_and_at_every_tempo() -> None:
    tune = (60, 64, 62, 67, 65, 69, 60, 71, 72, 64, 62)
    one = fingerprints(sheet(tune))
    other = fingerprints(sheet(tuple(pitch + 5 for pitch in tune), Fraction(1)))
    assert len(one) == 3 and np.array_equal(one, other)
    assert not set(one) & set(fingerprints(sheet(tune[::-1])))


def test_a_copied_passage_is_found_with_its_length() -> None:
    rng = np.random.default_rng(5)
    known_tune = tuple(int(pitch) for pitch in rng.integers(60, 80, 40))
    known = np.unique(fingerprints(sheet(known_tune)))
    own = tuple(int(pitch) for pitch in rng.integers(60, 80, 20))
    found = novelty(sheet((*own, *known_tune[10:25], *own)), known)
    assert found.longest_known_notes == 15
    assert found.known_share == pytest.approx(7 / (55 - 8))
    assert novelty(sheet(own), known).longest_known_notes == 0


def test_the_file_of_people_says_no_more_than_it_should() -> None:
    people = humans()
    assert len(people.kind) > 400 and len(people.known) > 200_000
    assert np.all(np.diff(people.known.astype(np.int64)) > 0)  # sorted: the order of a tune is gone
    assert all(rows.sum(axis=1) == pytest.approx(1.0) for rows in people.histograms.values())
    assert 0 < people.novelty[:, 0].mean() < 0.3


def test_songs_set_alike_are_counted_and_jitter_does_not_hide_them() -> None:
    rng = np.random.default_rng(0)
    theme = Theme("", ("x",), (), Key("C"), 100.0, Meter(4, 4), (SectionPlan("A", "verse", 4, 0.5),))

    def band(steps: tuple[int, ...], shape: tuple[int, ...]) -> Arrangement:
        onsets = [bar * 4 + step / 4 for bar in range(4) for step in steps]
        drums = tuple(PlayedNote(max(0.0, onset + rng.normal(0, 0.02)), 0.1, 36, 90) for onset in onsets)
        chords = tuple(PlayedNote(bar * 4.0, 3.0, 48 + tone, 80) for bar in range(4) for tone in shape)
        parts = (Part("Drums", "drums", 0, drums, is_drums=True), Part("Piano", "chords", 0, chords))
        return Arrangement("", Key("C"), Meter(4, 4), 100.0, parts, 441_000)

    one, again = (setting_of(band((0, 8), (0, 4, 7)), theme) for _ in range(2))
    assert one == again and same_settings([one, again, one]) == 2
    other = setting_of(band((0, 6, 8), (0, 4, 7)), theme)
    assert other["groove"] != one["groove"] and other["voicing"] == one["voicing"] and same_settings([one, other]) == 0
    longer = replace(theme, form=(SectionPlan("A", "verse", 8, 0.5),))
    assert setting_of(band((0, 8), (0, 4, 7)), longer)["form"] != one["form"]
    assert setting_of(band((0, 8), (0, 3, 7)), theme)["voicing"] != one["voicing"]
