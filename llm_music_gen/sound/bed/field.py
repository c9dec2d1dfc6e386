"""A field of tones that swell and die away: hours of pads, bowls and drones as sums of sine partials.

A partial's phase depends on its frequency and the absolute frame alone, so it is exact at any hour, any block can be made
alone, and two tones on one frequency simply add their loudness. Loudness is drawn on a grid of knots and runs straight between
them; because frequencies never move, each knot interval is one product of matrices (see Moorer 1977 on additive synthesis; the
phasor matrix makes it a few thousand times as fast as real time).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.units import SAMPLE_RATE_HZ

#: Distance of the knots between which loudness runs straight: 23 ms.
KNOT = 1_024
#: Intervals that share one product of matrices; frequencies that are silent in all of them cost nothing.
_GROUP = 256
_MOST_BASES = 512
_GROUPS_KEPT = 2
_HIGHEST_HZ = 0.45 * SAMPLE_RATE_HZ
#: Quieter partials than this are left out.
_INAUDIBLE = 1e-6
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class Partial:
    """One sine of a tone."""

    frequency_hz: float
    left: float
    """Amplitude at full swell."""
    right: float
    decay_s: float = 0.0
    """Time to fall by 60 dB once struck, or 0 for one that is held."""
    sway: float = 0.0
    """How far its loudness sways, 0 to 1, differently on both sides."""
    sway_s: float = 11.0
    """Period of the sway."""


@dataclass(frozen=True, slots=True)
class Tone:
    """Partials under one envelope: a quarter sine up, a stretch that is held or decays, a quarter sine down (equal power)."""

    onset_frame: int
    attack_frames: int
    length_frames: int
    """From the onset to silence."""
    release_frames: int
    partials: tuple[Partial, ...]

    @property
    def end_frame(self) -> int:
        """Where it is silent again."""
        return self.onset_frame + self.length_frames


class ToneField:
    """Renders tones block by block. Keeps only the wave shapes of the frequencies in use."""

    def __init__(self, tones: Sequence[Tone]) -> None:
        self._tones = sorted(tones, key=lambda tone: (tone.onset_frame, tone.end_frame))
        self._onsets = np.array([tone.onset_frame for tone in self._tones], dtype=np.int64)
        self._ends = np.array([tone.end_frame for tone in self._tones], dtype=np.int64)
        self._bases: OrderedDict[float, NDArray[np.float32]] = OrderedDict()
        self._groups: OrderedDict[int, NDArray[np.float32] | None] = OrderedDict()

    def block(self, first_frame: int, frames: int) -> NDArray[np.float32]:
        """Samples [first_frame, first_frame + frames), shape (frames, 2)."""
        # Groups lie on an absolute grid: which products are formed does not depend on where a block begins.
        span = _GROUP * KNOT
        out = np.zeros((frames, 2), dtype=np.float32)
        for number in range(first_frame // span, -(-(first_frame + frames) // span)):
            sound = self._kept_group(number)
            if sound is not None:
                begin, end = max(first_frame, number * span), min(first_frame + frames, (number + 1) * span)
                out[begin - first_frame : end - first_frame] = sound[begin - number * span : end - number * span]
        return out

    def _kept_group(self, number: int) -> NDArray[np.float32] | None:
        """A group; blocks shorter than one ask for it several times."""
        if number not in self._groups:
            while len(self._groups) >= _GROUPS_KEPT:
                self._groups.popitem(last=False)
            self._groups[number] = self._group(number * _GROUP)
        return self._groups[number]

    def _group(self, first_knot: int) -> NDArray[np.float32] | None:
        """_GROUP intervals, shape (_GROUP * KNOT, 2), or None where nothing sounds."""
        start, end = first_knot * KNOT, (first_knot + _GROUP) * KNOT
        sounding = np.flatnonzero((self._onsets < end) & (self._ends > start)).tolist()
        levels: dict[float, NDArray[np.float64]] = {}
        knots = np.arange(first_knot, first_knot + _GROUP + 1, dtype=np.int64) * KNOT
        for index in sounding:
            _add_levels(self._tones[index], knots, levels)
        if not levels:
            return None
        frequencies = sorted(levels)
        # (frequencies, channels, knots)
        level = np.stack([levels[hz] for hz in frequencies])
        hz = np.array(frequencies)
        phase = 2 * np.pi * ((hz[:, None] * (knots[:-1] / SAMPLE_RATE_HZ) + _start(hz)[:, None]) % 1.0)
        begin, step = level[..., :-1], np.diff(level, axis=-1)
        sine, cosine = np.sin(phase)[:, None], np.cos(phase)[:, None]
        # Rows in the order of the bases: cos, sin, ramp * cos, ramp * sin of each frequency.
        weights = np.stack((begin * sine, begin * cosine, step * sine, step * cosine), axis=1)
        rows = weights.reshape(4 * len(frequencies), 2 * _GROUP).astype(np.float32)
        basis = np.concatenate([self._basis(value) for value in frequencies])
        sound = (rows.T @ basis).reshape(2, _GROUP * KNOT)
        return np.ascontiguousarray(sound.T)

    def _basis(self, frequency_hz: float) -> NDArray[np.float32]:
        """Cosine and sine over one interval, plain and ramped; shape (4, KNOT)."""
        if frequency_hz in self._bases:
            self._bases.move_to_end(frequency_hz)
            return self._bases[frequency_hz]
        turn = 2 * np.pi * frequency_hz / SAMPLE_RATE_HZ * np.arange(KNOT)
        ramp = np.arange(KNOT) / KNOT
        basis = np.stack((np.cos(turn), np.sin(turn), ramp * np.cos(turn), ramp * np.sin(turn))).astype(np.float32)
        self._bases[frequency_hz] = basis
        if len(self._bases) > _MOST_BASES:
            self._bases.popitem(last=False)
        return basis


def _add_levels(tone: Tone, knots: NDArray[np.int64], levels: dict[float, NDArray[np.float64]]) -> None:
    """Add what a tone gives each of its frequencies at the knots; arrays of shape (2 channels, knots)."""
    since = (knots - tone.onset_frame).astype(np.float64)
    left = (tone.end_frame - knots).astype(np.float64)
    rise = np.clip(since / max(1, tone.attack_frames), 0.0, 1.0)
    fall = np.clip(left / max(1, tone.release_frames), 0.0, 1.0)
    envelope = np.sin(0.5 * np.pi * rise) * np.sin(0.5 * np.pi * fall)
    ringing_s = np.maximum(since - tone.attack_frames, 0.0) / SAMPLE_RATE_HZ
    time_s = knots / SAMPLE_RATE_HZ
    for partial in tone.partials:
        if partial.frequency_hz >= _HIGHEST_HZ:
            continue
        shape = envelope * 10.0 ** (-3.0 * ringing_s / partial.decay_s) if partial.decay_s > 0 else envelope
        if max(partial.left, partial.right) * float(shape.max()) < _INAUDIBLE:
            continue
        sides = np.array([[partial.left], [partial.right]]) * shape
        if partial.sway:
            # The pace and place of the sway belong to the frequency: tones that overlap on it sway together.
            turn = 2 * np.pi * (time_s / partial.sway_s + partial.frequency_hz * _GOLDEN % 1.0)
            sides = sides * (1.0 + partial.sway * np.stack((np.sin(turn), np.sin(turn + 2.1))))
        if partial.frequency_hz in levels:
            levels[partial.frequency_hz] += sides
        else:
            levels[partial.frequency_hz] = sides


def _start(frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Phase at frame 0 in cycles: spread by the golden ratio, so that partials do not all peak together."""
    return np.asarray((frequency_hz * _GOLDEN) % 1.0, dtype=np.float64)
