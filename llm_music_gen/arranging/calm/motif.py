"""What becomes of a written tune in calm music: short motifs out of it, each told a little differently every time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.score import LeadSection

#: Semitones over the tonic; five notes in which nothing rubs.
_PENTATONIC = {True: (0, 3, 5, 7, 10), False: (0, 2, 4, 7, 9)}
#: Where even the third would be too much: night's deep hours.
_OPEN = (0, 2, 5, 7)
_SHORTEST_IOI_S, _LONGEST_IOI_S = 0.9, 7.5


@dataclass(frozen=True, slots=True)
class Motif:
    """A few notes: steps of a scale from its tonic, and the time from each to the next."""

    steps: tuple[int, ...]
    """Index into the scale, any octave: 0 is the tonic of the middle octave."""
    gaps_s: tuple[float, ...]


def motif_scale(key: Key, depth: float) -> tuple[int, ...]:
    """Semitones of the scale that motifs use."""
    return _OPEN if depth > 0.8 else _PENTATONIC[key.is_minor]


def motifs_of(section: LeadSection, key: Key, scale: Sequence[int], breath_s: float, rng: np.random.Generator) -> list[Motif]:
    """Motifs of three to six notes, cut from the section one after the other, `breath_s` between notes."""
    notes = [note for note in section.notes if note.duration_ql > 0]
    found: list[Motif] = []
    at = 0
    while len(notes) - at >= 3:
        count = min(len(notes) - at, int(rng.integers(3, 7)))
        piece = notes[at : at + count]
        steps = [_step(note.pitch, key, scale) for note in piece]
        # Two equal neighbours would ring as one; the second moves on.
        for index in range(1, len(steps)):
            if steps[index] == steps[index - 1]:
                steps[index] += 1 if rng.random() < 0.5 else -1
        lengths = np.array([float(note.duration_ql) for note in piece])
        gaps = np.clip(lengths / lengths.mean() * breath_s, _SHORTEST_IOI_S, _LONGEST_IOI_S)
        found.append(Motif(tuple(steps), tuple(gaps.tolist())))
        at += count
    return found or [Motif((0, 2, 4), (breath_s, breath_s, breath_s))]


def retold(motif: Motif, rng: np.random.Generator) -> Motif:
    """A child of a motif: moved, shortened, turned round, stretched, or with a neighbour; never quite its parent."""
    steps, gaps = list(motif.steps), list(motif.gaps_s)
    for _ in range(int(rng.integers(1, 4))):
        change = int(rng.integers(6))
        if change == 0:
            shift = int(rng.choice([-3, -2, -1, 1, 2, 3]))
            steps = [step + shift for step in steps]
        elif change == 1 and len(steps) > 3:
            first = int(rng.integers(2))
            steps, gaps = steps[first : len(steps) - 1 + first], gaps[first : len(gaps) - 1 + first]
        elif change == 2:
            steps.reverse()
        elif change == 3:
            stretch = float(rng.uniform(0.8, 1.7))
            gaps = [gap * stretch for gap in gaps]
        elif change == 4:
            steps = [motif.steps[0] * 2 - step for step in steps]
        else:
            at = int(rng.integers(len(steps)))
            steps.insert(at, steps[at] + int(rng.choice([-1, 1])))
            gaps.insert(at, gaps[at] * 0.6)
    # People do not count; without this the same rhythm would come back to the quarter second.
    gaps = [min(_LONGEST_IOI_S, max(_SHORTEST_IOI_S, gap + float(rng.normal(0.0, 0.35)))) for gap in gaps]
    return Motif(tuple(steps), tuple(gaps))


def settled(motif: Motif, scale: Sequence[int], rng: np.random.Generator) -> Motif:
    """Mostly ends on the tonic or the fifth, as a phrase that rests does."""
    if rng.random() > 0.7:
        return motif
    size = len(scale)
    fifth = list(scale).index(7)
    last = motif.steps[-1]
    rests = [octave * size + degree for octave in range(-3, 4) for degree in (0, fifth)]
    nearest = min(rests, key=lambda step: (abs(step - last), step))
    return replace(motif, steps=(*motif.steps[:-1], nearest))


def pitch_of(step: int, tonic_pitch: int, scale: Sequence[int]) -> int:
    """MIDI pitch of a scale step."""
    octave, degree = divmod(step, len(scale))
    return tonic_pitch + 12 * octave + scale[degree]


def _step(pitch: int, key: Key, scale: Sequence[int]) -> int:
    """The scale step nearest to a pitch, counted from the tonic at or under middle C's octave."""
    tonic_pitch = 60 + key.tonic_pc if key.tonic_pc <= 6 else 48 + key.tonic_pc
    size = len(scale)
    steps = range(-3 * size, 4 * size)
    return min(steps, key=lambda step: (abs(pitch_of(step, tonic_pitch, scale) - pitch), step))
