"""Bars for notes that lie in beats: the metre and where its first beat is, how long each note is written, and rests between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.describing.melody.beats import TICKS, Beats, counted
from llm_music_gen.describing.melody.notes import HeardNote
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import Note

#: Metres that are found where none is told.
_GUESSED = (Meter(4, 4), Meter(3, 4))
#: How much rhythms that come again after a bar speak for it; a first note on the first beat; a last note on it; the usual metre.
_AGAIN, _FIRST, _LAST, _USUAL = 0.2, 0.12, 0.05, 0.03
#: The last beats of a bar weigh so much, the middle of an even bar more.
_WEAK, _MIDDLE = 0.3, 0.6
_LONGEST_ACCENT = 4.0
#: A rest is written where the voice was silent for so long, which is also so much of the time to the next note.
_REST_S, _REST_SHARE = 0.16, 0.35
#: A string that died away is taken for held until the next note, within so many beats.
_FADED_BEATS = 4
#: Longer pauses lose whole bars.
_MOST_REST_BARS = 2
_EIGHTH, _SIXTEENTH, _TRIPLET = 6, 3, 4


@dataclass(frozen=True, slots=True)
class Barred:
    """A melody as it can be written."""

    notes: tuple[Note, ...]
    """From the first bar line; an upbeat begins after a rest."""
    meter: Meter
    bars: int
    bpm: float
    """Beats a minute, as played."""
    error_s: float
    """How far the player's notes are from their places on average, the beat following the player."""


def barred(heard: Sequence[HeardNote], *, bpm: float | None = None, meter: Meter | None = None) -> Barred:
    """Notes (at least one) in bars; tempo and metre where they were told, else found. Every note lies inside the bars."""
    beats = counted([note.start_s for note in heard], bpm, compound=meter is not None and meter.is_compound)
    lengths = _lengths(heard, beats)
    found, first = _metre(beats, lengths, (meter,) if meter is not None else _GUESSED)
    bar = found.beats_per_bar * TICKS
    shift = -first % found.beats_per_bar * TICKS
    notes: list[tuple[int, int, int]] = []
    cut = 0
    for number, (note, tick, length) in enumerate(zip(heard, beats.ticks, lengths, strict=True)):
        if number:
            rest = tick - beats.ticks[number - 1] - lengths[number - 1]
            cut += max(0, rest // bar - _MOST_REST_BARS) * bar
        notes.append((tick + shift - cut, length, note.pitch))
    bars = -(-max(tick + length for tick, length, _ in notes) // bar)
    tick_ql = found.beat_ql / TICKS
    return Barred(
        tuple(Note(tick * tick_ql, Fraction(length) * tick_ql, pitch) for tick, length, pitch in notes),
        found, bars, beats.bpm, beats.error_s,
    )  # fmt: skip


def _lengths(heard: Sequence[HeardNote], beats: Beats) -> list[int]:
    """Written length of each note in ticks: up to the next one, or less where the voice was silent before it."""
    triplets = {tick // TICKS for tick in beats.ticks if tick % TICKS in (_TRIPLET, 2 * _TRIPLET)}
    tick_s = 60 / beats.bpm / TICKS
    out: list[int] = []
    for number, (note, tick) in enumerate(zip(heard, beats.ticks, strict=True)):
        last = number == len(heard) - 1
        room = 16 * TICKS if last else beats.ticks[number + 1] - tick
        pace_s = tick_s if last else (heard[number + 1].start_s - note.start_s) / room
        silent_s = 0.0 if last else heard[number + 1].start_s - note.end_s
        brief = silent_s < _REST_S or silent_s < _REST_SHARE * (room * pace_s) or room < 2 * _EIGHTH
        if not last and (brief or (note.faded and room <= _FADED_BEATS * TICKS)):
            out.append(room)
            continue
        end = _snapped(tick, tick + note.length_s / pace_s, triplets)
        out.append(min(room, end - tick))
    return out


def _snapped(start: int, end: float, triplets: set[int]) -> int:
    """The nearest place after `start` at which a note may end."""
    step = _SIXTEENTH if start % _EIGHTH == _SIXTEENTH else _EIGHTH
    places = [
        place
        for beat in range(start // TICKS, int(end) // TICKS + 2)
        for place in range(beat * TICKS, (beat + 1) * TICKS, _TRIPLET if beat in triplets else step)
        if place > start
    ]
    return min(places, key=lambda place: abs(place - end))


def _metre(beats: Beats, lengths: Sequence[int], metres: Sequence[Meter]) -> tuple[Meter, int]:
    """The metre that fits best, and which beat (counted from that of the first note) begins a bar."""
    onsets = np.array(beats.ticks)
    gaps = np.array([*(b - a for a, b in pairwise(beats.ticks)), lengths[-1]], dtype=np.float64)
    accents = np.minimum(gaps / TICKS, _LONGEST_ACCENT) ** 0.7
    ranked = []
    for rank, meter in enumerate(metres):
        count = meter.beats_per_bar
        strengths = np.full(count, _WEAK)
        strengths[0] = 1.0
        if count % 2 == 0:
            strengths[count // 2] = _MIDDLE
        again = _coming_again(onsets, gaps, count * TICKS)
        for first in range(count):
            places = (onsets - first * TICKS) % (count * TICKS)
            strength = np.where(places % TICKS == 0, strengths[places // TICKS], 0.0) - strengths.mean()
            score = float(np.sum(accents * strength) / accents.sum()) + _AGAIN * again
            score += _FIRST * (first == 0) + _LAST * bool(places[-1] == 0) + _USUAL * (rank == 0)
            ranked.append((-score, rank, first))
    _, rank, first = min(ranked)
    return metres[rank], first


def _coming_again(onsets: NDArray[np.int_], gaps: NDArray[np.float64], bar: int) -> float:
    """Share of the notes that have one of the same length a bar, two bars and four bars later."""
    known = {(int(onset), int(gap)) for onset, gap in zip(onsets, gaps, strict=True)}
    shares = []
    for bars in (1, 2, 4):
        inside = [(int(o), int(g)) for o, g in zip(onsets, gaps, strict=True) if o + bars * bar <= onsets[-1]]
        if inside:
            shares.append(sum((onset + bars * bar, gap) in known for onset, gap in inside) / len(inside))
    return sum(shares) / len(shares) if shares else 0.0
