"""The arranger: gives every role its notes, an instrument, a place in the mix, and hands over the whole band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from llm_music_gen.arranging.bass import bass_line
from llm_music_gen.arranging.comping import arpeggio_part, chord_part, pad_part, voicings
from llm_music_gen.arranging.counter import counter_line
from llm_music_gen.arranging.drums import drum_part
from llm_music_gen.arranging.dynamics import dynamics
from llm_music_gen.arranging.effects import effect_notes
from llm_music_gen.arranging.ending import final_length_ql, final_notes
from llm_music_gen.arranging.entries import of_this_song, staggered
from llm_music_gen.arranging.harmony import with_chords
from llm_music_gen.arranging.humanize import performed
from llm_music_gen.arranging.key_finding import finds_key
from llm_music_gen.arranging.melody import clear_of_bass, sung
from llm_music_gen.arranging.patterns import pulses
from llm_music_gen.arranging.played import GridNote
from llm_music_gen.arranging.timeline import Bar, bars_of
from llm_music_gen.arranging.trims import trim_db
from llm_music_gen.domain.score import Arrangement, LeadSheet, Marker, Part, PlayedNote
from llm_music_gen.domain.theme import Theme
from llm_music_gen.errors import StyleError, ThemeError
from llm_music_gen.styles import Instrument, Style, instrument_named
from llm_music_gen.units import SAMPLE_RATE_HZ, seconds_to_ql

#: Roles in the order of the score, with the name that a part has where its instrument's will not do.
_ORDER = ("melody", "counter", "chords", "pad", "arp", "bass", "sub", "drums", "fx")
_LEVELS_DB = {
    "melody": 0.0,
    "counter": -6.0,
    "chords": -5.0,
    "pad": -8.0,
    "arp": -8.0,
    "bass": -2.0,
    "sub": -4.0,
    "drums": -1.0,
    "fx": -9.0,
}
_REVERB = {
    "melody": 0.3,
    "counter": 0.35,
    "chords": 0.25,
    "pad": 0.4,
    "arp": 0.3,
    "bass": 0.03,
    "sub": 0.0,
    "drums": 0.12,
    "fx": 0.3,
}

#: How often the harmony may be tied closer to the tonic until its key can be heard.
_ANCHORS = 4
_LEAST_TAIL_S = 0.3
#: Who plays when everyone that the style has for a role is unwanted.
_STAND_INS = {"melody": ("flute", "violin"), "chords": ("harp", "nylon guitar"), "bass": ("upright bass", "synth bass")}


def arrange(theme: Theme, tune: LeadSheet, style: Style, rng: np.random.Generator) -> Arrangement:
    """What the band plays. The same theme, tune, style and generator state give the same arrangement.

    The bars of the theme's form must leave a tail of at least a third of a second for the last chord. Raises ThemeError.
    """
    music_s = theme.bars * theme.meter.bar_seconds(theme.tempo_bpm)
    if not theme.form or theme.length_frames / SAMPLE_RATE_HZ < music_s + _LEAST_TAIL_S:
        raise ThemeError(
            f"{theme.bars} bars of {theme.meter} at {theme.tempo_bpm:g} BPM last {music_s:.1f} s, too long for the song.",
            hint="Plan fewer bars, a faster tempo or a longer song.",
        )
    seed = int(rng.integers(0, 2**63))
    for anchor in range(_ANCHORS):
        bars, grid = _written_out(theme, tune, style, np.random.default_rng(seed), anchor)
        if finds_key(_weights(grid), theme.key):
            break
    return _performed(theme, style, bars, grid, np.random.default_rng([seed, 1]))


def _written_out(
    theme: Theme, tune: LeadSheet, style: Style, rng: np.random.Generator, anchor: int
) -> tuple[list[Bar], dict[str, list[GridNote]]]:
    """The bars and what each role plays in them, exactly on the grid, the ending included."""
    style = of_this_song(style, rng)
    bars = with_chords(staggered(bars_of(theme, style), style, rng), theme, tune, style, anchor)
    voiced_bars = voicings(bars, style)
    bass = bass_line(bars, theme.key, style, rng, anchor=anchor)
    melody = clear_of_bass(sung(bars, theme, tune, style, rng), bass, bars)
    grid: dict[str, list[GridNote]] = {
        "melody": [GridNote(note.onset_ql, note.duration_ql, note.pitch, round(66 + 34 * note.weight)) for note in melody],
        "counter": counter_line(bars, melody, style, theme.key),
        "chords": chord_part(bars, voiced_bars, style, rng),
        "pad": pad_part(bars, voiced_bars),
        "arp": arpeggio_part(bars, voiced_bars, style, rng),
        "bass": bass,
        "sub": bass_line(bars, theme.key, style, rng, "sub", anchor=anchor) if style.instruments.get("sub") else [],
        "drums": drum_part(bars, style, rng),
        "fx": effect_notes(bars, theme, style),
    }
    silences = _silences_before_drops(bars)
    grid = {role: notes if role == "fx" else silenced(notes, silences) for role, notes in grid.items()}
    held = final_length_ql(bars[-1], theme.length_frames, theme.meter.quarter_bpm(theme.tempo_bpm), style)
    bass_near = bass[-1].pitch if bass else sum(style.bass.compass) // 2
    before = voiced_bars[-2 if len(voiced_bars) > 1 else -1][-1][2]
    closing = final_notes(bars[-1], theme.key, style, before, melody, bass_near, held)
    for role, notes in closing.items():
        grid[role] = grid[role] + notes
    return bars, grid


def _silences_before_drops(bars: list[Bar]) -> list[tuple[Fraction, Fraction]]:
    """(start, end) of the last pulse of every build that a drop follows."""
    return [
        (bar.onset_ql - pulses(bar.meter)[-1], bar.onset_ql)
        for previous, bar in pairwise(bars)
        if bar.in_section == 0 and bar.plan.role == "drop" and previous.plan.role == "build"
    ]


def silenced(notes: list[GridNote], silences: Sequence[tuple[Fraction, Fraction]]) -> list[GridNote]:
    """The notes with silences: what sounds into one is cut, what begins in it is left out. `silences` rise."""
    if not silences:
        return notes
    out = []
    place = 0
    for note in sorted(notes, key=lambda note: note.onset_ql):
        while place < len(silences) and silences[place][1] <= note.onset_ql:
            place += 1
        if place < len(silences):
            start, _ = silences[place]
            if note.onset_ql >= start:
                continue
            if note.onset_ql + note.duration_ql > start:
                note = replace(note, duration_ql=start - note.onset_ql)
        out.append(note)
    return out


def _weights(grid: dict[str, list[GridNote]]) -> list[float]:
    weights = [0.0] * 12
    for role, notes in grid.items():
        if role not in ("drums", "fx"):
            for note in notes:
                weights[note.pitch % 12] += float(note.duration_ql)
    return weights


def _performed(
    theme: Theme, style: Style, bars: list[Bar], grid: dict[str, list[GridNote]], rng: np.random.Generator
) -> Arrangement:
    """The same as people or machines play it, on instruments."""
    quarter_bpm = theme.meter.quarter_bpm(theme.tempo_bpm)
    end_ql = seconds_to_ql(theme.length_frames / SAMPLE_RATE_HZ, quarter_bpm) - 0.02
    parts: list[Part] = []
    for role, instrument in _band(theme, style, grid, rng).items():
        notes = [_in_range(note, instrument) for note in grid[role]] if role != "drums" else grid[role]
        played = performed(notes, role, style, quarter_bpm, end_ql, rng)
        if played:
            parts.append(_part(role, instrument, played, style, [part.name for part in parts]))
    return Arrangement(
        title=theme.title,
        key=theme.key,
        meter=theme.meter,
        tempo_bpm=theme.tempo_bpm,
        parts=tuple(parts),
        length_frames=theme.length_frames,
        markers=tuple(Marker(float(bar.onset_ql), f"{bar.plan.role} {bar.plan.label}") for bar in bars if bar.in_section == 0),
        mix=style.mix.as_settings(),
        levels=dynamics(bars, style),
    )


def _in_range(note: GridNote, instrument: Instrument) -> GridNote:
    """The note within the instrument's range, moved by octaves."""
    low, high = instrument.range
    pitch = note.pitch
    while pitch < low:
        pitch += 12
    while pitch > high:
        pitch -= 12
    return note if pitch == note.pitch else GridNote(note.onset_ql, note.duration_ql, pitch, note.velocity)


def _band(theme: Theme, style: Style, grid: dict[str, list[GridNote]], rng: np.random.Generator) -> dict[str, Instrument]:
    """Who plays what: the style's own sounds, those that were asked for first, nobody who was unwanted.

    Melody, chords, bass and one more voice are always there, unless they are unwanted themselves.
    """
    unwanted = {form for word in theme.without for form in (word.strip().lower(), word.strip().lower().removesuffix("s"))}
    band: dict[str, Instrument] = {}
    for role in _ORDER:
        choices: Sequence[Instrument] = style.instruments.get(role, ())  # type: ignore[call-overload]
        if role == "drums":
            choices = choices or ((Instrument("Drums", style.grooves.kit),) if style.has_drums else ())
        choices = [choice for choice in choices if choice.name.removesuffix("s") not in unwanted]
        if not choices and role in _STAND_INS:
            choices = [choice for choice in map(instrument_named, _STAND_INS[role]) if choice.name not in unwanted]
        if role in unwanted or not choices or not (grid[role] or role in ("melody", "chords", "bass")):
            continue
        ranked = min(len(choices), 2 if rng.random() < 0.75 else len(choices))
        band[role] = choices[int(rng.integers(0, ranked))]
    if not {"counter", "pad", "arp"} & set(band):
        extra = next((role for role in ("pad", "counter") if role not in unwanted and grid[role]), None)
        if extra is not None:
            band[extra] = instrument_named("strings" if extra == "pad" else "flute")
    band = _given(band, theme.instruments, unwanted)
    return {role: band[role] for role in _ORDER if role in band}


def _given(band: dict[str, Instrument], names: Sequence[str], unwanted: set[str]) -> dict[str, Instrument]:
    """The band with the instruments that were asked for where they belong: basses, pads, then tune, chords, countermelody."""
    out = dict(band)
    free = [role for role in ("melody", "chords", "counter") if role not in unwanted and role in band]
    for name in names:
        try:
            instrument = instrument_named(name)
        except StyleError:
            continue  # the plan has told the user already
        if not instrument.voice and 32 <= instrument.program <= 39:
            out["bass"] = instrument
        elif instrument.voice == "pad" or 88 <= instrument.program <= 95:
            out["pad"] = instrument
        elif free:
            out[free.pop(0)] = instrument
    return out


def _part(role: str, instrument: Instrument, notes: tuple[PlayedNote, ...], style: Style, names: list[str]) -> Part:
    is_drums = role == "drums"
    name = "Drums" if is_drums else instrument.name.capitalize()
    if name in names:
        name = f"{name} ({role})"
    mix = style.mix
    return Part(
        name=name,
        role=role,
        program=style.grooves.kit if is_drums else instrument.program,
        notes=notes,
        is_drums=is_drums,
        voice="" if is_drums else instrument.voice,
        gain_db=mix.levels_db.get(role, _LEVELS_DB[role])  # type: ignore[call-overload]
        + (0.0 if is_drums else trim_db(instrument)),
        pan=mix.pan.get(role, 0.0),  # type: ignore[call-overload]
        reverb_send=mix.reverb.get(role, _REVERB[role]),  # type: ignore[call-overload]
        chorus_send=mix.chorus.get(role, 0.0),  # type: ignore[call-overload]
    )
