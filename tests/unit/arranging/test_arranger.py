"""The band keeps its promises in every style, key and metre."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from llm_music_gen.arranging import arrange
from llm_music_gen.arranging.key_finding import finds_key, pitch_class_weights
from llm_music_gen.domain.key import MODES, Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import Arrangement, LeadSection, LeadSheet
from llm_music_gen.domain.theme import SectionPlan
from llm_music_gen.errors import ThemeError
from llm_music_gen.styles import blend, load_styles
from llm_music_gen.units import SAMPLE_RATE_HZ, ql_to_seconds
from tests.fakes.tunes import FORM, lead_sheet, theme_for

STYLES = load_styles()
METERS = ("4/4", "3/4", "6/8", "2/4", "5/4", "7/8", "12/8", "2/2", "3/8", "9/8", "5/8")


def _song(style: str, key: Key, meter: str = "4/4", seed: int = 1, *, chords: bool = True, tempo_bpm: float = 0.0) -> Arrangement:
    rng = np.random.default_rng(seed)
    theme = theme_for(key, Meter.parse(meter), tempo_bpm or STYLES[style].tempo_default_bpm)
    return arrange(theme, lead_sheet(theme, rng, chords=chords), STYLES[style], rng)


def _check(song: Arrangement) -> None:
    """What must hold of every song."""
    end_s = song.length_frames / SAMPLE_RATE_HZ
    roles = {part.role for part in song.parts}
    assert {"melody", "chords", "bass"} <= roles
    assert roles & {"counter", "pad", "arp"}
    assert len({part.name for part in song.parts}) == len(song.parts)
    for part in song.parts:
        onsets = [note.onset_ql for note in part.notes]
        assert onsets == sorted(onsets)
        assert all(note.onset_ql >= 0 and note.duration_ql > 0 and 1 <= note.velocity <= 127 for note in part.notes)
        assert all(12 <= note.pitch <= 120 for note in part.notes)
        assert ql_to_seconds(max(n.onset_ql + n.duration_ql for n in part.notes), song.quarter_bpm) <= end_s
    bass = next(part for part in song.parts if part.role == "bass")
    assert bass.notes[-1].pitch % 12 == song.key.tonic_pc
    pitched = [note for part in song.parts if not part.is_drums and part.role != "fx" for note in part.notes]
    last_s = ql_to_seconds(max(note.onset_ql + note.duration_ql for note in pitched), song.quarter_bpm)
    assert end_s - 1.5 <= last_s <= end_s, "the last chord rings until shortly before the end"
    at = max(note.onset_ql for note in pitched) + 0.2
    final = {note.pitch % 12 for note in pitched if note.onset_ql <= at < note.onset_ql + note.duration_ql}
    third = (song.key.tonic_pc + (3 if song.key.is_minor else 4)) % 12
    assert {song.key.tonic_pc, third} <= final


@pytest.mark.parametrize("style", sorted(STYLES))
def test_a_style_makes_a_whole_band(style: str) -> None:
    song = _song(style, Key("D", "minor" if len(style) % 2 else "major"))
    _check(song)
    assert any(part.is_drums for part in song.parts) == STYLES[style].has_drums


@pytest.mark.parametrize("meter", METERS)
@pytest.mark.parametrize("style", ["dubstep", "jazz", "classical", "bossa nova", "waltz", "celtic"])
def test_every_metre_can_be_played_in_every_kind_of_grid(style: str, meter: str) -> None:
    song = _song(style, Key("G"), meter, tempo_bpm=100)
    _check(song)
    bar = float(song.meter.bar_ql)
    for part in song.parts:
        bars = {int(note.onset_ql / bar + 0.02) for note in part.notes}
        assert max(bars) <= 35
        assert max(bars) == 35 or part.role not in ("melody", "chords", "bass"), "these play the last chord"


@pytest.mark.parametrize("mode", sorted(MODES))
def test_every_mode_ends_on_its_tonic(mode: str) -> None:
    for tonic_pc in range(0, 12, 5):
        _check(_song("folk", Key.from_pc(tonic_pc, mode), seed=tonic_pc))


def test_tunes_without_chords_get_harmony() -> None:
    song = _song("pop", Key("A", "minor"), chords=False)
    _check(song)
    chords = next(part for part in song.parts if part.role == "chords")
    assert len({tuple(sorted(n.pitch % 12 for n in chords.notes if abs(n.onset_ql - o) < 0.2)) for o in range(0, 128, 4)}) >= 3


def test_the_key_is_found_in_most_songs() -> None:
    found = 0
    for seed in range(20):
        key = Key.from_pc(seed * 7 % 12, "minor" if seed % 2 else "major")
        song = _song(sorted(STYLES)[seed * 2 % len(STYLES)], key, seed=seed)
        found += finds_key(pitch_class_weights(song), key)
    assert found >= 16


def test_the_same_seed_gives_the_same_song_and_another_seed_another() -> None:
    assert _song("chill", Key("C"), seed=3) == _song("chill", Key("C"), seed=3)
    theme = theme_for(Key("C"), Meter(4, 4), 90)
    tune = lead_sheet(theme, np.random.default_rng(3))
    one, other = (arrange(theme, tune, STYLES["chill"], np.random.default_rng(seed)) for seed in (1, 2))
    assert one != other


def test_machines_are_exact_and_humans_are_not() -> None:
    machine = next(part for part in _song("chiptune", Key("C")).parts if part.role == "bass")
    human = next(part for part in _song("folk", Key("C")).parts if part.role == "bass")
    assert all(abs(note.onset_ql * 12 - round(note.onset_ql * 12)) < 1e-6 for note in machine.notes)
    assert sum(abs(note.onset_ql * 12 - round(note.onset_ql * 12)) > 1e-4 for note in human.notes) > len(human.notes) / 2


def test_swing_moves_off_beats_late() -> None:
    style = STYLES["jazz"].model_copy(
        update={"humanize": STYLES["jazz"].humanize.model_copy(update={"jitter_ms": 0, "offset_ms": {}})}
    )
    theme = theme_for(Key("F"), Meter(4, 4), 140)
    tune = lead_sheet(theme, np.random.default_rng(0))
    melody = next(part for part in arrange(theme, tune, style, np.random.default_rng(0)).parts if part.role == "melody")
    off_beats = [note.onset_ql % 1 for note in melody.notes if 0.4 < note.onset_ql % 1 < 0.8]
    assert off_beats
    assert all(place > 0.6 for place in off_beats)


def test_layers_follow_the_energy_of_sections() -> None:
    song = _song("house", Key("A", "minor"))
    drums = next(part for part in song.parts if part.is_drums)
    starts = [marker.onset_ql for marker in song.markers] + [144.0]
    kicks = [sum(a - 0.1 <= note.onset_ql < b - 0.1 for note in drums.notes if note.pitch == 36) for a, b in pairwise(starts)]
    names = [marker.name for marker in song.markers]
    assert kicks[names.index("break C")] == 0, "a break has no kick"
    assert all(kicks[index] > 0 for index, name in enumerate(names) if name.startswith("chorus"))
    sounding = [sum(any(a <= n.onset_ql < b for n in part.notes) for part in song.parts) for a, b in pairwise(starts)]
    assert sounding[0] < max(sounding)


def test_unwanted_roles_and_instruments_stay_silent() -> None:
    rng = np.random.default_rng(0)
    theme = theme_for(Key("C"), Meter(4, 4), 100, without=("drums", "electric piano"))
    song = arrange(theme, lead_sheet(theme, rng), STYLES["chill"], rng)
    assert not any(part.is_drums for part in song.parts)
    assert not any(part.program == 4 and not part.voice for part in song.parts)


def test_instruments_that_were_asked_for_play() -> None:
    rng = np.random.default_rng(0)
    theme = replace(theme_for(Key("C"), Meter(4, 4), 100), instruments=("violin", "fretless bass"))
    song = arrange(theme, lead_sheet(theme, rng), STYLES["chill"], rng)
    assert next(part for part in song.parts if part.role == "melody").program == 40
    assert next(part for part in song.parts if part.role == "bass").program == 35


@pytest.mark.parametrize(
    "form", [(SectionPlan("A", "verse", 1, 0.5),), (SectionPlan("A", "intro", 2, 0.1), SectionPlan("A", "outro", 3, 0.1))]
)
def test_the_shortest_songs_have_the_whole_band(form: tuple[SectionPlan, ...]) -> None:
    rng = np.random.default_rng(0)
    theme = theme_for(Key("E", "minor"), Meter(4, 4), 40, form)
    _check(arrange(theme, lead_sheet(theme, rng), STYLES["dubstep"], rng))


def test_an_hour_has_hundreds_of_sections_and_varies_them() -> None:
    rng = np.random.default_rng(0)
    form = FORM * 30
    theme = theme_for(Key("D", "minor"), Meter(4, 4), 72, form)
    song = arrange(theme, lead_sheet(theme, rng), STYLES["lo-fi"], rng)
    _check(song)
    assert len(song.markers) == len(form)
    drums = next(part for part in song.parts if part.is_drums)
    verse = [
        [round(n.onset_ql - m.onset_ql) for n in drums.notes if 0 <= n.onset_ql - m.onset_ql < 31] for m in song.markers[1::6]
    ]
    assert len({tuple(hits) for hits in verse}) > 3


def test_sections_may_be_longer_than_what_was_written_or_missing() -> None:
    rng = np.random.default_rng(0)
    theme = theme_for(Key("C"), Meter(3, 4), 100)
    tune = lead_sheet(theme, rng)
    short = tuple(LeadSection(s.label, 2, tuple(n for n in s.notes if n.onset_ql < 6), s.chords[:2]) for s in tune.sections[:2])
    _check(arrange(theme, replace(tune, sections=short), STYLES["folk"], rng))


def test_a_tune_without_notes_still_gives_music() -> None:
    rng = np.random.default_rng(0)
    theme = theme_for(Key("C"), Meter(4, 4), 100)
    empty = LeadSheet("", theme.key, theme.meter, 100, (LeadSection("A", 8, (), ()),))
    _check(arrange(theme, empty, STYLES["pop"], rng))


def test_bars_that_do_not_fit_the_length_are_refused() -> None:
    rng = np.random.default_rng(0)
    theme = theme_for(Key("C"), Meter(4, 4), 100)
    with pytest.raises(ThemeError, match="too long"):
        arrange(replace(theme, length_frames=SAMPLE_RATE_HZ * 10), lead_sheet(theme, rng), STYLES["pop"], rng)


def test_blended_styles_play() -> None:
    for pair in (("chill", "dubstep"), ("jazz", "drum and bass"), ("ambient", "techno"), ("waltz", "metal"), ("house", "drone")):
        style = blend([STYLES[name] for name in pair])
        rng = np.random.default_rng(5)
        theme = theme_for(Key("A", "minor"), Meter(4, 4), style.tempo_default_bpm)
        _check(arrange(theme, lead_sheet(theme, rng), style, rng))


def test_a_beat_of_silence_stands_before_a_drop() -> None:
    form = (SectionPlan("A", "build", 4, 0.6), SectionPlan("B", "drop", 8, 1.0), SectionPlan("A", "outro", 4, 0.3))
    rng = np.random.default_rng(2)
    theme = theme_for(Key("F", "minor"), Meter(4, 4), 140, form)
    song = arrange(theme, lead_sheet(theme, rng), STYLES["dubstep"], rng)
    for part in song.parts:
        if part.role != "fx":
            assert not [note for note in part.notes if note.onset_ql + note.duration_ql > 15.1 and note.onset_ql < 15.9], (
                part.name
            )


def test_chords_and_bass_of_ambient_music_are_held_over_bars() -> None:
    song = _song("ambient", Key("D"))
    for role in ("chords", "bass"):
        part = next(part for part in song.parts if part.role == role)
        assert max(note.duration_ql for note in part.notes) > float(song.meter.bar_ql) + 1


def test_where_all_of_a_styles_instruments_are_unwanted_others_stand_in() -> None:
    rng = np.random.default_rng(0)
    theme = theme_for(Key("C"), Meter(4, 4), 100, without=("piano",))
    song = arrange(theme, lead_sheet(theme, rng), STYLES["classical"], rng)
    _check(song)
    assert not any(part.program == 0 for part in song.parts)


def test_a_role_that_is_unwanted_does_not_come_in_for_the_last_chord() -> None:
    rng = np.random.default_rng(0)
    theme = theme_for(Key("C"), Meter(4, 4), 100, without=("chords", "Bass"))
    song = arrange(theme, lead_sheet(theme, rng), STYLES["pop"], rng)
    assert not {"chords", "bass"} & {part.role for part in song.parts}


def test_no_two_songs_of_a_style_have_the_same_drums() -> None:
    theme = theme_for(Key("C"), Meter(4, 4), 90)
    tune = lead_sheet(theme, np.random.default_rng(0))
    heard = set()
    for seed in range(12):
        song = arrange(theme, tune, STYLES["chill"], np.random.default_rng(seed))
        drums = next(part for part in song.parts if part.is_drums)
        heard.add(tuple((round(note.onset_ql * 4), note.pitch) for note in drums.notes))
    assert len(heard) == 12
