"""A true-peak limiter that looks ahead: gain is known before the peak comes, so nothing overshoots and nothing clicks.

Zero latency because it works on stored audio. The peak envelope (the largest of each frame's four oversampled phases) is measured
once; then at every frame the gain that keeps it under the ceiling is taken, its minimum over the look-ahead on both sides,
and a Hann-weighted mean over the same span: a mean of minima is never above what each frame needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.sound.loudness import TAPS_PER_PHASE, filter_bound, loudest, oversampled
from llm_music_gen.units import db_to_gain

LOOK_AHEAD = 132  # 3 ms at 44.1 kHz
#: The smoothed gain moves inside the span of the oversampling filter; this margin covers what that changes.
_MARGIN_DB = 0.05
_HALO = 2 * LOOK_AHEAD
BLOCK = 1 << 18


def peak_envelope(samples: NDArray[np.float32], start: int, stop: int) -> NDArray[np.float32]:
    """Largest true peak around each frame of [start, stop), shape (stop - start,). `samples` is the whole signal, (frames, 2)."""
    before = TAPS_PER_PHASE // 2 - 1
    after = TAPS_PER_PHASE - 1 - before
    first, last = max(0, start - before), min(len(samples), stop + after)
    padded = np.pad(samples[first:last], ((first - (start - before), stop + after - last), (0, 0)))
    return np.asarray(np.maximum(oversampled(padded), loudest(samples[start:stop])), dtype=np.float32)


def limited(
    samples: NDArray[np.float32], peaks: NDArray[np.float32], gain_db: float, ceiling_db: float
) -> Iterator[NDArray[np.float32]]:
    """Blocks of the signal with `gain_db` applied and its true peak under the ceiling; `peaks` is the envelope without gain."""
    gain, ceiling = np.float32(db_to_gain(gain_db)), db_to_gain(ceiling_db - _MARGIN_DB)
    for start in range(0, len(samples), BLOCK):
        stop = min(len(samples), start + BLOCK)
        first, last = max(0, start - _HALO), min(len(samples), stop + _HALO)
        curve = gain_curve(peaks[first:last] * gain, ceiling)
        block = samples[start:stop] * gain
        yield block if curve is None else block * curve[start - first : stop - first, None]


def gain_curve(peaks: NDArray[np.float32], ceiling: float) -> NDArray[np.float32] | None:
    """The limiter's gain for every frame, shape (frames,), or None where nothing needs it."""
    from scipy.ndimage import minimum_filter1d
    from scipy.signal import oaconvolve

    if float(peaks.max(initial=0.0)) <= ceiling:
        return None
    needed = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9)).astype(np.float64)
    held = minimum_filter1d(needed, 2 * LOOK_AHEAD + 1, mode="nearest")
    window = np.hanning(2 * LOOK_AHEAD + 3)[1:-1]
    smooth = oaconvolve(np.pad(held, LOOK_AHEAD, mode="edge"), window / window.sum(), mode="valid")
    return np.asarray(np.minimum(smooth, 1.0), dtype=np.float32)


def limited_stream(
    blocks: Iterable[NDArray[np.float32]], channels: int, sample_rate_hz: int, ceiling_db: float
) -> Iterator[NDArray[np.float32]]:
    """A stream with its true peak under the ceiling: any rate, any number of channels, the same for any block size.

    What is below the ceiling passes unchanged. Gain falls within the look-ahead of 3 ms and rises again by 60 dB a second.
    """
    limiter = _Limiter(channels, sample_rate_hz, db_to_gain(ceiling_db - METERS_DIFFER_DB))
    waiting = np.zeros((0, channels), dtype=np.float32)
    for block in blocks:
        waiting = np.concatenate((waiting, block)) if len(waiting) else block
        while len(waiting) >= _PIECE:
            if len(out := limiter.push(waiting[:_PIECE])):
                yield out
            waiting = waiting[_PIECE:]
    rest = limiter.push(np.concatenate((waiting, np.zeros((limiter.delay, channels), dtype=np.float32))), end=len(waiting))
    if len(rest):
        yield rest


#: True-peak meters disagree by up to this much on noise that reaches half the sample rate, each with its own filter.
METERS_DIFFER_DB = 0.2
_PIECE = 1 << 15
_RELEASE_DB_PER_S = 60.0
#: The gain must not move much within the oversampling filter, also at low rates.
_LEAST_LOOK_AHEAD = 96


class _Limiter:
    """What a limiter remembers between pieces. Output comes `delay` frames late, the first of which are left out."""

    def __init__(self, channels: int, sample_rate_hz: int, ceiling: float) -> None:
        span = max(_LEAST_LOOK_AHEAD, round(0.003 * sample_rate_hz))
        self._span = span
        self._ceiling = ceiling
        self.delay = TAPS_PER_PHASE // 2 + 2 * span
        self._before = np.zeros((TAPS_PER_PHASE - 1, channels), dtype=np.float32)
        self._late = np.zeros((self.delay, channels), dtype=np.float32)
        self._skip = self.delay
        self._begins = True
        self._needed_db = np.zeros(2 * span)
        self._held_db = np.zeros(2 * span)
        self._rise_db = _RELEASE_DB_PER_S / sample_rate_hz
        window = np.hanning(2 * span + 3)[1:-1]
        self._window = window / window.sum()

    def push(self, piece: NDArray[np.float32], end: int | None = None) -> NDArray[np.float32]:
        """The frames that have become ready. `end`: how much of the piece is sound, if it is the last."""
        from scipy.ndimage import minimum_filter1d
        from scipy.signal import oaconvolve

        peaks = self._peaks(piece, end)
        late = np.concatenate((self._late, piece))
        self._late = late[len(piece) :]
        out = late[: len(piece)]
        loud = float(peaks.max(initial=0.0)) > self._ceiling
        if loud or self._needed_db.any() or self._held_db.any():
            needed = 20.0 * np.log10(np.minimum(1.0, self._ceiling / np.maximum(peaks, 1e-9)).astype(np.float64))
            needed = np.concatenate((self._needed_db, needed))
            # Windows that reach over the ends are cut away, so the filter's own idea of edges does not matter.
            lowest = minimum_filter1d(needed, 2 * self._span + 1)[self._span : len(needed) - self._span]
            rise = self._rise_db * np.arange(1, len(lowest) + 1)
            held = np.minimum.accumulate(np.minimum(lowest - rise, self._held_db[-1])) + rise
            held = np.concatenate((self._held_db, np.minimum(held, 0.0)))
            curve = oaconvolve(10.0 ** (held / 20.0), self._window, mode="valid")
            self._needed_db, self._held_db = needed[-2 * self._span :], held[-2 * self._span :]
            out = out * np.minimum(curve, 1.0).astype(np.float32)[:, None]
        skipped = min(self._skip, len(out))
        self._skip -= skipped
        return out[skipped:]

    def _peaks(self, piece: NDArray[np.float32], end: int | None) -> NDArray[np.float32]:
        """True peak around each frame, late by half the oversampling filter."""
        joined = np.concatenate((self._before, piece))
        begins, self._begins = self._begins, False
        self._before = joined[-(TAPS_PER_PHASE - 1) :]
        half = TAPS_PER_PHASE // 2
        loud = loudest(joined[half - 1 : len(joined) - half])
        # Between samples nothing exceeds the samples around by more than the filter's absolute sum.
        if float(np.abs(joined).max(initial=0.0)) * filter_bound() <= self._ceiling:
            return np.asarray(loud, dtype=np.float32)
        peaks = np.asarray(np.maximum(oversampled(joined), loud), dtype=np.float32)
        if begins or end is not None:
            # Some meters, ffmpeg's among them, see a mirror at both ends where others see silence.
            np.maximum(peaks, oversampled(_mirrored(joined, begins, end)), out=peaks)
        return peaks


def _mirrored(joined: NDArray[np.float32], begins: bool, end: int | None) -> NDArray[np.float32]:
    """A piece with what was before it, whose beginning and end, where it has them, are mirrors and not silence."""
    out: NDArray[np.float32] = joined.copy()
    span = TAPS_PER_PHASE - 1
    if begins:
        head = joined[span + 1 : 2 * span + 1]  # around the first sample; at the end, around the edge
        out[span - len(head) : span] = head[::-1]
    if end is not None:
        tail = out[max(0, end) : span + end][-span:]
        room = out[span + end :][: len(tail)]
        room[:] = tail[::-1][: len(room)]
    return out
