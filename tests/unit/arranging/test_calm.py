"""Hours of calm music as events: in tune, without literal return, each chapter on its own."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from llm_music_gen.arranging.calm import calm_band, calm_score
from llm_music_gen.arranging.calm.chance import stream
from llm_music_gen.arranging.calm.harmony import chord_walk
from llm_music_gen.arranging.calm.motif import motif_scale, motifs_of, retold
from llm_music_gen.composing.chapters import plan_chapters
from llm_music_gen.composing.theme import resolve_style
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.long_form import Calm, Chapter, HeldTone, LongScore
from llm_music_gen.domain.score import Intonation, LeadSection, Note, PlayedNote
from llm_music_gen.styles import Style, load_styles
from llm_music_gen.tuning.frequency import parse_frequency
from llm_music_gen.tuning.retune import tune_to

RATE = 44_100
TWO_HOURS_S = 7_200.0
MOOD = ("ambient",)
TUNING = tune_to(parse_frequency("528"))
CALMS: tuple[Calm, ...] = ("day", "night")


@cache
def style() -> Style:
    return resolve_style(load_styles(None), MOOD, ())[0]


def section(number: int) -> LeadSection:
    """A written section: sixteen notes of the key, others in every chapter."""
    rng = np.random.default_rng(number)
    pitches = [int(pitch) for pitch in rng.choice([60, 62, 64, 65, 67, 69, 71, 72], 16)]
    lengths = [Fraction(int(length), 2) for length in rng.choice([1, 1, 2, 3], 16)]
    onsets = [Fraction(0), *itertools.accumulate(lengths)]
    notes = tuple(Note(onset, length, pitch) for onset, length, pitch in zip(onsets, lengths, pitches, strict=False))
    return LeadSection("A", 4, notes, ())


def chapters_of(length_s: float, calm: Calm, seed: int = 1) -> tuple[Chapter, ...]:
    key = TUNING.key(None, "major")
    planned = plan_chapters(length_s, key, ("calm",), calm, np.random.default_rng(seed))
    exact = Intonation("equal", key.tonic_pc, True)
    return tuple(replace(chapter, a4_hz=TUNING.a4_hz, intonation=exact) for chapter in planned)


def score_of(
    chapters: Sequence[Chapter], calm: Calm, without: tuple[str, ...] = (), corrections: dict[int, float] | None = None
) -> LongScore:
    return calm_score(
        "A Long Way", chapters, [section(chapter.number) for chapter in chapters], style(),
        frames=round(chapters[-1].end_s * RATE), calm=calm, seed=4,
        band=calm_band(style(), without, lambda sound: True), without=without, corrections_db=corrections,
    )  # fmt: skip


@cache
def two_hours(calm: Calm) -> LongScore:
    return score_of(chapters_of(TWO_HOURS_S, calm), calm)


def notes_of(score: LongScore) -> list[PlayedNote]:
    """Every note of the band, in order; onsets in seconds of the track."""
    found = []
    for piece in score.pieces:
        for part in piece.arrange().parts:
            found += [replace(note, onset_ql=note.onset_ql + piece.start_frame / RATE) for note in part.notes]
    return sorted(found, key=lambda note: (note.onset_ql, note.pitch))


def repeats(events: Sequence[tuple[int, int]], length: int = 8) -> float:
    """Share of patterns of so many events that were there before."""
    patterns = Counter(tuple(events[at : at + length]) for at in range(len(events) - length + 1))
    return 1.0 - len(patterns) / max(1, sum(patterns.values()))


def events_of(onsets_and_pitches: Sequence[tuple[float, int]]) -> list[tuple[int, int]]:
    """(pitch, time since the one before in quarters of a second)."""
    ordered = sorted(onsets_and_pitches)
    return [(pitch, round((at - before) * 4)) for (before, _), (at, pitch) in itertools.pairwise(ordered)]


def midi(tone: HeldTone) -> float:
    return 69 + 12 * math.log2(tone.frequency_hz / TUNING.a4_hz)


@pytest.mark.parametrize("calm", CALMS)
def test_no_pattern_of_eight_notes_comes_back_in_two_hours(calm: Calm) -> None:
    score = two_hours(calm)
    events = events_of([(note.onset_ql, note.pitch) for note in notes_of(score)])
    assert len(events) > (300 if calm == "day" else 30)
    assert repeats(events) <= 0.01
    for voices in (("pad", "choir", "glass"), ("bowl",)):
        held = events_of([(tone.onset_s, round(midi(tone))) for tone in score.tones if tone.voice in voices])
        assert len(held) > 25
        assert repeats(held) <= 0.01


def test_the_criterion_finds_a_loop() -> None:
    loop = [(60 + number % 7, 4 + number % 3) for number in range(42)] * 20
    assert repeats(loop) > 0.9


@pytest.mark.parametrize("calm", CALMS)
def test_half_minutes_have_no_twins_but_stay_one_piece(calm: Calm) -> None:
    """E.9 on events: pitch classes in six slots of a window, the best match at least five minutes away."""
    score = two_hours(calm)
    events = [(note.onset_ql, note.pitch) for note in notes_of(score)]
    events += [(tone.onset_s, round(midi(tone))) for tone in score.tones if tone.voice != "drone"]
    count = int(TWO_HOURS_S / 30) - 1
    windows = np.zeros((count, 6, 12))
    for at, pitch in events:
        if at < count * 30:
            windows[int(at / 30), int(at % 30 / 5), pitch % 12] += 1
    flat = windows.reshape(count, -1)
    lengths = np.linalg.norm(flat, axis=1)
    flat = flat[lengths > 0] / lengths[lengths > 0, None]
    cosine = flat @ flat.T
    far = np.abs(np.subtract.outer(np.arange(len(flat)), np.arange(len(flat)))) >= 10
    best = np.where(far, cosine, 0.0).max(axis=1)
    assert best.mean() <= 0.85
    if calm == "day":
        assert float((best > 0.999).mean()) == 0.0


@pytest.mark.parametrize("mode", ["lydian", "major", "mixolydian", "dorian", "minor", "phrygian"])
@pytest.mark.parametrize("depth", [0.0, 0.5, 1.0])
def test_neighbouring_chords_share_tones_and_come_home(mode: str, depth: float) -> None:
    for seed in range(6):
        chapter = Chapter(seed, 100.0, 1_200.0, "x", Key("G", mode), depth, 0.5)
        chords = chord_walk(chapter, 16.0, 32.0, stream(seed, "chords", 0))
        assert chords[0].home
        assert chords[0].start_s == 100.0
        assert chords[-1].start_s + chords[-1].length_s == pytest.approx(chapter.end_s)
        for before, after in itertools.pairwise(chords):
            assert before.start_s + before.length_s == pytest.approx(after.start_s)
            if not after.home:
                assert len(set(before.pcs) & set(after.pcs)) >= 2
            assert before.pcs != after.pcs or after.home
        homes = [number for number, chord in enumerate(chords) if chord.home]
        assert max(after - before for before, after in itertools.pairwise([*homes, len(chords)])) <= 9
        assert {pc for chord in chords for pc in chord.pcs} <= set(chapter.key.scale_pcs)


@pytest.mark.parametrize("calm", CALMS)
def test_no_voice_leaps_over_an_octave(calm: Calm) -> None:
    for piece in two_hours(calm).pieces:
        for part in piece.arrange().parts:
            for before, after in itertools.pairwise(part.notes):
                if after.onset_ql - before.onset_ql < 6.0:
                    assert abs(after.pitch - before.pitch) <= 12, (part.name, before, after)


@pytest.mark.parametrize("calm", CALMS)
def test_held_tones_lie_on_the_tuning_and_tonics_exactly_on_the_frequency(calm: Calm) -> None:
    tones = two_hours(calm).tones
    pitches = np.array([midi(tone) for tone in tones])
    assert np.abs(pitches - np.round(pitches)).max() < 1e-6
    tonic_pc = TUNING.tonic_pc
    assert tonic_pc is not None
    tonics = [tone for tone in tones if round(midi(tone)) % 12 == tonic_pc]
    assert len(tonics) > 20
    for tone in tonics:
        octaves = math.log2(tone.frequency_hz / 528.0)
        assert abs(octaves - round(octaves)) * 1_200 < 1e-6
    assert {tone for tone in tones if tone.voice == "drone"} <= set(tonics)


def test_just_intonation_is_held_too() -> None:
    chapters = [
        replace(chapter, intonation=replace(chapter.intonation, system="just")) for chapter in chapters_of(1_800.0, "day")
    ]
    tones = score_of(chapters, "day").tones
    fifths = [tone for tone in tones if round(midi(tone)) % 12 == (chapters[0].key.tonic_pc + 7) % 12]
    assert fifths
    for tone in fifths:
        octaves = math.log2(tone.frequency_hz / 528.0 / 1.5)
        assert abs(octaves - round(octaves)) * 1_200 < 1e-6


@pytest.mark.parametrize("calm", CALMS)
def test_the_drone_never_stops(calm: Calm) -> None:
    drones = sorted((tone.onset_s, tone.onset_s + tone.length_s) for tone in two_hours(calm).tones if tone.voice == "drone")
    assert drones[0][0] == 0.0
    reached = 0.0
    for start, end in drones:
        assert start <= reached
        reached = max(reached, end)
    assert reached >= TWO_HOURS_S


@pytest.mark.parametrize("calm", CALMS)
def test_another_chapter_leaves_the_others_as_they_were(calm: Calm) -> None:
    chapters = chapters_of(TWO_HOURS_S, calm)
    changed = list(chapters)
    middle = changed[2]
    changed[2] = replace(middle, depth=0.1, density=1.0, key=Key(middle.key.tonic, "mixolydian"))
    one, other = score_of(chapters, calm), score_of(changed, calm)

    def outside(score: LongScore) -> tuple[set[HeldTone], set[PlayedNote]]:
        def kept(at: float) -> bool:
            return not middle.start_s <= at < middle.end_s

        tones = {tone for tone in score.tones if tone.voice != "drone" and kept(tone.onset_s)}
        return tones, {note for note in notes_of(score) if kept(note.onset_ql)}

    assert outside(one) == outside(other)
    assert set(one.tones) != set(other.tones)


def test_a_correction_turns_down_the_events_of_its_chapter_only() -> None:
    chapters = chapters_of(1_800.0, "day")
    plain, softer = score_of(chapters, "day"), score_of(chapters, "day", corrections={1: -3.0})
    for before, after in zip(plain.tones, softer.tones, strict=True):
        inside = before.voice == "bowl" and chapters[1].start_s <= before.onset_s < chapters[1].end_s
        assert after.level_db == pytest.approx(before.level_db - 3.0 * inside)
    assert [note.onset_ql for note in notes_of(plain)] == [note.onset_ql for note in notes_of(softer)]


def test_what_shall_not_sound_does_not() -> None:
    chapters = chapters_of(1_800.0, "day")
    assert any(tone.voice == "bowl" for tone in score_of(chapters, "day").tones)
    assert not any(tone.voice == "bowl" for tone in score_of(chapters, "day", ("bowls",)).tones)
    names = [sound.name for sound in calm_band(style(), (), lambda sound: True)]
    assert names
    assert names[0] not in [sound.name for sound in calm_band(style(), (names[0].upper(),), lambda sound: True)]
    assert calm_band(style(), ("melody",), lambda sound: True) == []
    assert notes_of(score_of(chapters, "day", ("melody",))) == []


def test_a_band_has_room_for_what_suits_only() -> None:
    assert all(sound.name not in ("piano", "harp") or sound in styled() for sound in calm_band(style(), (), lambda sound: False))


def styled() -> list[object]:
    return [sound for sounds in style().instruments.values() for sound in sounds]


@pytest.mark.parametrize("calm", CALMS)
def test_everything_lies_within_the_track_and_the_range_of_its_player(calm: Calm) -> None:
    score = two_hours(calm)
    assert all(tone.onset_s >= 0.0 and tone.length_s > 0.0 and tone.onset_s < TWO_HOURS_S for tone in score.tones)
    assert all(tone.attack_s > 0.0 and tone.release_s > 0.0 for tone in score.tones)
    assert all(30.0 < tone.frequency_hz < 2_100.0 for tone in score.tones)
    for piece in score.pieces:
        for part in piece.arrange().parts:
            assert all(36 <= note.pitch <= 86 and 1 <= note.velocity <= 60 for note in part.notes)
    assert score == replace(score_of(chapters_of(TWO_HOURS_S, calm), calm), pieces=score.pieces)


def test_a_motif_is_never_told_quite_the_same_way_twice() -> None:
    rng = np.random.default_rng(1)
    key = Key("C", "major")
    scale = motif_scale(key, 0.3)
    family = motifs_of(section(1), key, scale, 2.1, rng)
    assert all(3 <= len(motif.steps) <= 6 and len(motif.steps) == len(motif.gaps_s) for motif in family)
    children = [retold(family[0], rng) for _ in range(200)]
    assert len(set(children)) == 200
    assert all(0.9 <= gap <= 7.5 for child in children for gap in child.gaps_s)


def test_a_section_without_notes_still_gives_a_motif() -> None:
    [motif] = motifs_of(LeadSection("A", 4, (), ()), Key("C"), (0, 2, 4, 7, 9), 2.0, np.random.default_rng(1))
    assert len(motif.steps) == 3
