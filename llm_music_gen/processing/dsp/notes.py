"""Which notes a voice means: its key, and for every moment the note it is nearest to, patiently."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.key import Key
from llm_music_gen.processing.dsp.pitch import PitchTrack
from llm_music_gen.units import hz_to_midi

#: Krumhansl and Kessler 1982: how well each degree above the tonic fits a major and a minor key.
_MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
_MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
#: Changing to another note costs as much as being this many cents off for a second: vibrato pays less, a sung note more.
_CHANGE_CENTS_S = 4.0
#: So much farther a note outside the scale counts to be.
_OUTSIDE_CENTS = 15.0
#: No step can be more wrong than this.
_FARTHEST_CENTS = 250.0
#: The beginning and end of a note, where the voice slides, do not tell its centre.
_SLIDE_S = 0.05
#: The same where the order of notes is known, and with it that there is one change for each of them.
_ORDER_CENTS_S = 20.0
#: A leap is so far within so short a time; there a new note may begin.
_LEAP_S, _LEAP_CENTS = 0.04, 50.0
#: In order the given notes must lie this near on average, or they are only a choice of notes.
_IN_ORDER_CENTS = 75.0


@dataclass(frozen=True, slots=True)
class SungNote:
    """A stretch of steps on one note."""

    first: int
    last: int
    """One past its last step."""
    note: float
    """MIDI pitch of the note that is meant."""
    centre: float
    """MIDI pitch with fraction that is sung."""


def key_of(track: PitchTrack) -> Key | None:
    """The key whose profile fits the time spent on each pitch class best, or None where nothing is sung."""
    pitches = _midi(track)[track.voiced]
    if not len(pitches):
        return None
    cents = np.bincount(np.round(pitches * 100).astype(np.int64) % 1200, minlength=1200)
    away = (np.arange(1200)[:, None] / 100 - np.arange(12) + 6.0) % 12.0 - 6.0
    # Who sings between two notes counts for both.
    histogram = cents @ np.exp(-0.5 * (away / 0.35) ** 2)
    fits = [
        (float(np.corrcoef(np.roll(profile, tonic), histogram)[0, 1]), tonic, mode)
        for mode, profile in (("major", _MAJOR), ("minor", _MINOR))
        for tonic in range(12)
    ]
    _, tonic, mode = max(fits)
    return Key.from_pc(tonic, mode)


def sung_notes(track: PitchTrack, hop_s: float, pitch_classes: Iterable[int], also: Iterable[int] = ()) -> list[SungNote]:
    """The notes of a scale that are sung: for each unbroken stretch the course that is near and changes little.

    `also`: pitch classes outside the scale that are sung only where they are clearly nearer.
    """
    classes = {pc % 12 for pc in pitch_classes}
    others = {pc % 12 for pc in also} - classes
    out: list[SungNote] = []
    midi = _midi(track)
    for first, last in _stretches(track):
        pitches = midi[first:last]
        low, high = int(np.floor(pitches.min())) - 2, int(np.ceil(pitches.max())) + 2
        states = np.array([note for note in range(low, high + 1) if note % 12 in classes | others], dtype=np.float64)
        extra = np.array([_OUTSIDE_CENTS if note % 12 in others else 0.0 for note in states])
        out += _notes(first, pitches, states[_course(pitches, states, hop_s, extra)], hop_s)
    return out


def given_notes(track: PitchTrack, hop_s: float, notes: Sequence[float]) -> list[SungNote]:
    """The given notes (MIDI pitches) as they are sung: in their order where that fits, otherwise each the nearest of them."""
    midi = _midi(track)
    stretches = _stretches(track)
    if not stretches or not notes:
        return []
    pitches = np.concatenate([midi[first:last] for first, last in stretches])
    prices = np.concatenate([_change_prices(midi[first:last], hop_s) for first, last in stretches])
    path, away = _in_order(pitches, np.array(notes, dtype=np.float64), prices)
    states = np.unique(np.array(notes, dtype=np.float64))
    out: list[SungNote] = []
    at = 0
    for first, last in stretches:
        part = midi[first:last]
        chosen = states[_course(part, states, hop_s)] if away > _IN_ORDER_CENTS else np.array(notes)[path[at : at + len(part)]]
        out += _notes(first, part, chosen, hop_s)
        at += len(part)
    return out


def _midi(track: PitchTrack) -> NDArray[np.float64]:
    reference = hz_to_midi(1.0)
    return np.asarray(reference + 12 * np.log2(np.where(track.voiced, track.frequencies_hz, 1.0)))


def _stretches(track: PitchTrack) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], track.voiced.view(np.int8), [0]))))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def _course(
    pitches: NDArray[np.float64], states: NDArray[np.float64], hop_s: float, extra_cents: NDArray[np.float64] | float = 0.0
) -> NDArray[np.int_]:
    """The state at each step, shape (steps,): least distance plus the price of changes (Viterbi)."""
    costs = np.minimum(np.abs(pitches[:, None] - states) * 100 + extra_cents, _FARTHEST_CENTS) * hop_s
    total = costs[0]
    came = np.zeros(costs.shape, dtype=np.int16)
    stay = np.arange(len(states), dtype=np.int16)
    for step in range(1, len(pitches)):
        best = int(np.argmin(total))
        change = total[best] + _CHANGE_CENTS_S < total
        came[step] = np.where(change, best, stay)
        total = np.where(change, total[best] + _CHANGE_CENTS_S, total) + costs[step]
    path = np.empty(len(pitches), dtype=np.int64)
    path[-1] = int(np.argmin(total))
    for step in range(len(pitches) - 1, 0, -1):
        path[step - 1] = came[step, path[step]]
    return path


def _change_prices(pitches: NDArray[np.float64], hop_s: float) -> NDArray[np.float64]:
    """What a change of note costs at each step of a stretch, in cents times steps: less at a leap.

    At the start of a stretch a change is what is expected, so there it is paid for not changing.
    """
    reach = max(1, round(_LEAP_S / hop_s / 2))
    padded = np.pad(pitches, reach, mode="edge")
    leaps = 100 * np.abs(padded[2 * reach :] - padded[: -2 * reach])
    prices = _ORDER_CENTS_S / hop_s * (0.25 + 0.75 * np.exp(-((leaps / _LEAP_CENTS) ** 2)))
    prices[0] = -_ORDER_CENTS_S / hop_s
    return np.asarray(prices)


def _in_order(
    pitches: NDArray[np.float64], notes: NDArray[np.float64], prices: NDArray[np.float64]
) -> tuple[NDArray[np.int_], float]:
    """Which of the notes each step is when they are sung in this order, and how many cents that is off on average."""
    costs = np.minimum(np.abs(pitches[:, None] - notes) * 100, _FARTHEST_CENTS)
    if len(pitches) < len(notes):
        return np.zeros(len(pitches), dtype=np.int64), np.inf
    total = np.full(len(notes), np.inf)
    total[0] = costs[0, 0]
    came = np.zeros(costs.shape, dtype=bool)
    for step in range(1, len(pitches)):
        before = np.concatenate(([np.inf], total[:-1])) + prices[step]
        came[step] = before < total
        total = np.minimum(before, total) + costs[step]
    path = np.empty(len(pitches), dtype=np.int64)
    path[-1] = len(notes) - 1
    for step in range(len(pitches) - 1, 0, -1):
        path[step - 1] = path[step] - int(came[step, path[step]])
    return path, float(np.mean(costs[np.arange(len(pitches)), path]))


def _notes(first: int, pitches: NDArray[np.float64], chosen: NDArray[np.float64], hop_s: float) -> list[SungNote]:
    edges = np.concatenate(([0], np.flatnonzero(np.diff(chosen)) + 1, [len(chosen)]))
    slide = round(_SLIDE_S / hop_s)
    out = []
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        inner = pitches[low + slide : high - slide] if high - low > 3 * slide else pitches[low:high]
        out.append(SungNote(first + low, first + high, float(chosen[low]), float(np.median(inner))))
    return out
