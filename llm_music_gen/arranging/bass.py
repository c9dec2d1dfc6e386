"""The bass line: patterns of the style over the chords, walking where jazz walks, on the tonic where the style holds a pedal."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from llm_music_gen.arranging.harmony import chord_pcs
from llm_music_gen.arranging.patterns import native_steps, pulse_onsets, pulses, steps_in_bar
from llm_music_gen.arranging.played import GridNote
from llm_music_gen.arranging.timeline import Bar
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.score import ChordSymbol
from llm_music_gen.styles import Style
from llm_music_gen.styles.grid import BassHit

#: Where a sub bass lies: below the bass, above what speakers cannot move.
SUB_COMPASS = (27, 40)
_LONGEST_HELD_QL = 32
_ROLES_ON_PEDAL = ("intro", "break", "outro")


def bass_line(
    bars: list[Bar], key: Key, style: Style, rng: np.random.Generator, role: str = "bass", *, anchor: int = 0
) -> list[GridNote]:
    """The bass through the whole song, the last bar's held tonic left out."""
    out: list[GridNote] = []
    near = _nearest(key.tonic_pc, sum(style.bass.compass) // 2, style.bass.compass)
    pattern_of: dict[int, int] = {}
    for bar, following in pairwise(bars):
        if not bar.plays(role):
            continue
        if bar.section not in pattern_of:
            pattern_of[bar.section] = int(rng.integers(0, max(1, len(style.bass.patterns))))
        pedal = (style.harmony.pedal >= 0.5 and bar.plan.role in _ROLES_ON_PEDAL) or (anchor >= 2 and _carries(bar, key))
        if role == "sub":
            notes = _held(bar, key, near, SUB_COMPASS, pedal)
        elif style.bass.walking and bar.plan.energy >= 0.35:
            notes = _walking(bar, following, near, style, rng)
        elif style.bass.patterns:
            notes = _patterned(bar, following, key, near, style, pattern_of[bar.section], pedal, rng)
        else:
            notes = _held(bar, key, near, style.bass.compass, pedal)
        if notes:
            near = notes[-1].pitch
        if out and notes and _holds(style, role) and out[-1].pitch == notes[0].pitch and _touch(out[-1], notes[0]):
            # A held bass is not struck again while its note stays.
            held = out.pop()
            notes[0] = replace(held, duration_ql=held.duration_ql + notes[0].duration_ql)
        out += notes
    return out


def _holds(style: Style, role: str) -> bool:
    return role == "sub" or all(hit.length == 0 for pattern in style.bass.patterns for hit in pattern)


def _touch(one: GridNote, other: GridNote) -> bool:
    return one.onset_ql + one.duration_ql == other.onset_ql and one.duration_ql < _LONGEST_HELD_QL


def _carries(bar: Bar, key: Key) -> bool:
    """Whether the chords of a bar can stand over the tonic."""
    return all(key.tonic_pc in chord_pcs(span.chord) for span in bar.chords)


def root_pitch(chord: ChordSymbol, near: int, register: tuple[int, int]) -> int:
    """The chord's bass note nearest to the last one."""
    return _nearest(chord.root_pc if chord.bass_pc is None else chord.bass_pc, near, register)


def _nearest(pc: int, near: int, register: tuple[int, int]) -> int:
    candidates = [pitch for pitch in range(register[0], register[1] + 1) if pitch % 12 == pc]
    if not candidates:
        candidates = [register[0] + (pc - register[0]) % 12]
    return min(candidates, key=lambda pitch: (abs(pitch - near), pitch))


def _held(bar: Bar, key: Key, near: int, compass: tuple[int, int], pedal: bool) -> list[GridNote]:
    out = []
    for span in bar.chords:
        pitch = _nearest(key.tonic_pc, near, compass) if pedal else root_pitch(span.chord, near, compass)
        near = pitch
        out.append(GridNote(bar.onset_ql + span.onset_ql, span.length_ql, pitch, round(78 + 20 * bar.plan.energy)))
    return out


def _patterned(
    bar: Bar, following: Bar, key: Key, near: int, style: Style, chosen: int, pedal: bool, rng: np.random.Generator
) -> list[GridNote]:
    grid = style.bass.grid or style.grooves.grid
    pattern = style.bass.patterns[chosen]
    if bar.in_section % 4 == 3 and len(style.bass.patterns) > 1:
        pattern = style.bass.patterns[(chosen + 1) % len(style.bass.patterns)]
    own = native_steps(grid)
    length_steps = own * (1 + pattern[-1].step // own)
    by_step = {hit.step: hit for hit in pattern}
    steps = steps_in_bar(grid, bar.meter, bar.in_section, length_steps)
    placed = [(step, by_step[step.place]) for step in steps if step.place in by_step]
    out: list[GridNote] = []
    for place, (step, hit) in enumerate(placed):
        onset = step.offset_ql
        until = placed[place + 1][0].offset_ql if place + 1 < len(placed) else bar.length_ql
        length = until - onset if hit.length == 0 else min(step.length_ql * hit.length, until - onset)
        chord = bar.chord_at(onset)
        pitch = _pitch(hit, chord, following.chords[0].chord, key, near, style, pedal, rng)
        near = pitch if hit.tone in ("R", "8", "5") else near
        gate = Fraction(round(style.bass.gate * 20), 20) if hit.length else Fraction(1)
        if hit.staccato or hit.tone == "x":
            gate = Fraction(1, 3)
        velocity = round((92 if not hit.accent else 108) * (0.8 + 0.2 * bar.plan.energy) * (0.55 if hit.tone == "x" else 1.0))
        out.append(GridNote(bar.onset_ql + onset, length * gate, pitch, max(20, min(120, velocity))))
    return out


def _pitch(
    hit: BassHit,
    chord: ChordSymbol,
    following: ChordSymbol,
    key: Key,
    near: int,
    style: Style,
    pedal: bool,
    rng: np.random.Generator,
) -> int:
    low, high = style.bass.compass
    root = _nearest(key.tonic_pc, near, (low, high)) if pedal else root_pitch(chord, near, (low, high))
    pcs = chord_pcs(chord)
    third = (pcs[1] - pcs[0]) % 12 if len(pcs) > 2 else 7
    fifth = (pcs[2] - pcs[0]) % 12 if len(pcs) > 2 else 7
    seventh = (pcs[3] - pcs[0]) % 12 if len(pcs) > 3 else 10 if (pcs[0] + 10) % 12 in key.scale_pcs else 11
    next_root = root_pitch(following, root, (low, high))
    pitch = {
        "R": root, "x": root, "3": root + third, "5": root + fifth, "6": root + 9, "7": root + seventh, "8": root + 12,
        "9": root + 14,
        "a": next_root + (-1 if rng.random() < 0.6 else 1), "d": _diatonic_step(next_root, root, key),
        "b2": _nearest((key.tonic_pc + 1) % 12, root, (low, high)), "b3": _nearest((key.tonic_pc + 3) % 12, root, (low, high)),
        "b7": _nearest((key.tonic_pc + 10) % 12, root, (low, high)),
    }[hit.tone]  # fmt: skip
    if hit.octave_down:
        pitch -= 12
    while pitch > high + 7:
        pitch -= 12
    while pitch < low - 4:
        pitch += 12
    return pitch


def _diatonic_step(target: int, source: int, key: Key) -> int:
    """The scale tone beside the target, on the side one comes from."""
    direction = -1 if source <= target else 1
    return next(target + direction * step for step in (1, 2, 3) if (target + direction * step) % 12 in key.scale_pcs)


def _walking(bar: Bar, following: Bar, near: int, style: Style, rng: np.random.Generator) -> list[GridNote]:
    """A note a beat: root, tones of the chord, and a step into the next root."""
    register = style.bass.compass
    target = root_pitch(following.chords[0].chord, near, register)
    out = []
    pitch = near
    onsets = pulse_onsets(bar.meter)
    for number, (offset, beat) in enumerate(zip(onsets, pulses(bar.meter), strict=True)):
        chord = bar.chord_at(offset)
        starts = number == 0 or any(span.onset_ql == offset for span in bar.chords)
        if starts:
            pitch = root_pitch(chord, pitch, register)
        elif number == len(onsets) - 1:
            step = 1 if rng.random() < 0.6 else 2
            pitch = target + (-step if pitch <= target else step)
        else:
            tones = [tone for tone in range(pitch - 7, pitch + 8) if tone % 12 in chord_pcs(chord) and tone != pitch]
            tones = [tone for tone in tones if register[0] <= tone <= register[1]] or [pitch]
            towards = [tone for tone in tones if (tone - pitch) * (target - pitch) >= 0] or tones
            pitch = int(towards[int(rng.integers(0, len(towards)))])
        velocity = 88 + (6 if number % 2 == 1 else 0) + int(rng.integers(-3, 4))
        out.append(GridNote(bar.onset_ql + offset, beat * Fraction(9, 10), pitch, velocity))
    return out
