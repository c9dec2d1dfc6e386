"""Loudness, true peak and faults of audio, measured in one streaming pass.

ITU-R BS.1770-4 (K-weighting, gating, true peak at four times the rate), EBU Tech 3341 and 3342 (momentary, short-term, range).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.units import gain_to_db

_ABSOLUTE_GATE_LUFS = -70.0
SILENCE = 10.0 ** (-60 / 20)
TAPS_PER_PHASE = 32
_OVERSAMPLING = 4
_ROW = 32
#: BS.1770: surround channels count 1.41 times, low-frequency effects not at all. By the usual orders of channels in files.
_CHANNEL_WEIGHTS = {
    4: (1.0, 1.0, 1.41, 1.41),
    5: (1.0, 1.0, 1.0, 1.41, 1.41),
    6: (1.0, 1.0, 1.0, 0.0, 1.41, 1.41),
    8: (1.0, 1.0, 1.0, 0.0, 1.41, 1.41, 1.41, 1.41),
}
#: Rows in one matrix product: few enough that the BLAS stays on one core, where its threads would wait for each other and
#: where the result does not depend on how many there are.
_ROWS = 40


@dataclass(frozen=True, slots=True)
class Loudness:
    """What was measured."""

    frames: int
    integrated_lufs: float
    """-inf for silence."""
    range_lu: float
    true_peak_dbtp: float
    sample_peak_dbfs: float
    dc_dbfs: float
    """Mean of the worse channel."""
    longest_silence_frames: int
    """Longest stretch with both channels under -60 dBFS."""
    momentary_max_lufs: float


class LoudnessMeter:
    """Feed blocks with `push`, then ask `result`. Without `true_peak` (faster) the sample peak stands in its place."""

    def __init__(self, sample_rate_hz: int, channels: int = 2, *, true_peak: bool = True) -> None:
        self._channels = channels
        self._weights = np.array(_CHANNEL_WEIGHTS.get(channels, (1.0,) * channels))
        self._sections = k_weighting(sample_rate_hz)
        self._state = np.zeros((self._sections.shape[0], channels, 2))
        self._step = sample_rate_hz // 10
        self._energies: list[NDArray[np.float64]] = []
        self._waiting = np.zeros((channels, 0))
        self._peak = TruePeak(channels) if true_peak else None
        self._sum = np.zeros(channels)
        self._frames = 0
        self._sample_peak = 0.0
        self._silence = 0
        self._longest_silence = 0

    def push(self, samples: NDArray[Any]) -> None:
        """The next block, shape (frames, channels)."""
        from scipy.signal import sosfilt

        if not len(samples):
            return
        # Channels apart in memory make every pass over them faster.
        block = np.array(np.asarray(samples).T, dtype=np.float64, order="C")
        self._frames += len(samples)
        self._sum += block.sum(axis=1)
        loud = loudest(block.T)
        self._sample_peak = max(self._sample_peak, float(loud.max()))
        self._count_silence(loud)
        if self._peak is not None:
            self._peak.push(np.asarray(samples, dtype=np.float32))
        weighted, self._state = sosfilt(self._sections, block, axis=1, zi=self._state)
        np.square(weighted, out=weighted)
        ready = np.concatenate((self._waiting, weighted), axis=1)
        steps = ready.shape[1] // self._step
        if steps:
            whole = ready[:, : steps * self._step].reshape(self._channels, steps, self._step)
            self._energies.append(self._weights @ whole.mean(axis=2) if self._channels > 2 else whole.mean(axis=2).sum(axis=0))
        self._waiting = ready[:, steps * self._step :]

    def steps(self) -> NDArray[np.float64]:
        """K-weighted mean squares of each whole 100 ms so far, summed over the channels. Those of pieces can be joined."""
        return np.concatenate(self._energies) if self._energies else np.zeros(0)

    def result(self) -> Loudness:
        """Everything measured so far."""
        steps = self.steps()
        momentary = momentary_lufs(steps)
        return Loudness(
            frames=self._frames,
            integrated_lufs=integrated_lufs(steps),
            range_lu=_range_lu(_lufs(_windows(steps, 30))),
            true_peak_dbtp=gain_to_db(max(self._peak.value() if self._peak else 0.0, self._sample_peak)),
            sample_peak_dbfs=gain_to_db(self._sample_peak),
            dc_dbfs=gain_to_db(float(np.abs(self._sum).max()) / max(1, self._frames)),
            longest_silence_frames=max(self._longest_silence, self._silence),
            momentary_max_lufs=float(momentary.max()) if len(momentary) else -math.inf,
        )

    def _count_silence(self, loud: NDArray[np.float64]) -> None:
        sounding = np.flatnonzero(loud >= SILENCE)
        if not len(sounding):
            self._silence += len(loud)
            return
        gaps = np.diff(sounding) - 1
        inside = int(gaps.max()) if len(gaps) else 0
        self._longest_silence = max(self._longest_silence, self._silence + int(sounding[0]), inside)
        self._silence = len(loud) - 1 - int(sounding[-1])


def momentary_lufs(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Loudness over 400 ms, every 100 ms, from a meter's steps."""
    return _lufs(_windows(steps, 4))


def integrated_lufs(steps: NDArray[np.float64]) -> float:
    """Gated loudness (BS.1770-4) of a meter's steps; -inf for silence."""
    blocks = _windows(steps, 4)
    loud = blocks[_lufs(blocks) > _ABSOLUTE_GATE_LUFS]
    if not len(loud):
        return -math.inf
    relative = _lufs(np.array([loud.mean()]))[0] - 10.0
    return float(_lufs(np.array([loud[_lufs(loud) > relative].mean()]))[0])


def loudness_range_lu(steps: NDArray[np.float64]) -> float:
    """Loudness range (EBU Tech 3342) of a meter's steps."""
    return _range_lu(_lufs(_windows(steps, 30)))


class TruePeak:
    """The largest value of the signal between its samples, at four times the rate."""

    def __init__(self, channels: int = 2) -> None:
        self._history = np.zeros((TAPS_PER_PHASE - 1, channels), dtype=np.float32)
        self._largest = 0.0

    def push(self, samples: NDArray[np.float32]) -> None:
        """The next block, shape (frames, channels)."""
        self._largest = max(self._largest, float(np.abs(samples).max(initial=0.0)))
        block = np.concatenate((self._history, samples))
        self._history = block[-(TAPS_PER_PHASE - 1) :].copy()
        # No point between samples can exceed the samples around it by more than the filter's absolute sum, so quiet
        # stretches need no oversampling.
        piece = 8_192
        for start in range(0, len(block) - TAPS_PER_PHASE + 1, piece):
            stretch = block[start : start + piece + TAPS_PER_PHASE - 1]
            if float(np.abs(stretch).max()) * filter_bound() > self._largest:
                self._largest = max(self._largest, float(oversampled(stretch).max()))

    def value(self) -> float:
        """Linear true peak so far; what is still inside the filter counts too."""
        rest = np.concatenate((self._history, np.zeros_like(self._history)))
        return max(self._largest, float(oversampled(rest).max()))


def oversampled(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Largest absolute value of the three points after each sample, shape (frames - taps + 1,), over all channels.

    The filter is applied as matrix products over rows of samples that overlap by its length: twice the arithmetic of the sum
    itself, twenty times its speed.
    """
    count = len(samples) - TAPS_PER_PHASE + 1
    groups = -(-count // (_ROW * _ROWS))
    frames = groups * _ROWS * _ROW
    largest = np.zeros((groups, _ROWS, _ROW), dtype=np.float32)
    for channel in samples.T:
        padded = np.zeros(frames + TAPS_PER_PHASE - 1, dtype=np.float32)
        padded[: len(channel)] = channel
        overlapping = np.lib.stride_tricks.sliding_window_view(padded, _ROW + TAPS_PER_PHASE - 1)[::_ROW]
        values = np.ascontiguousarray(overlapping).reshape(groups, _ROWS, -1) @ _interpolation()
        np.abs(values, out=values)
        for phase in range(_OVERSAMPLING - 1):
            np.maximum(largest, values[..., phase * _ROW : (phase + 1) * _ROW], out=largest)
    return largest.reshape(-1)[:count]


@lru_cache(maxsize=1)
def _interpolation() -> NDArray[np.float32]:
    """The filter for a row of samples at once, shape (row + taps - 1, phases * row)."""
    out = np.zeros((_ROW + TAPS_PER_PHASE - 1, (_OVERSAMPLING - 1) * _ROW), dtype=np.float32)
    for number, taps in enumerate(_phases()):
        for place in range(_ROW):
            out[place : place + TAPS_PER_PHASE, number * _ROW + place] = taps
    return out


def loudest(samples: NDArray[Any]) -> NDArray[Any]:
    """The largest absolute value of each frame over its channels, shape (frames,)."""
    out: NDArray[Any] = np.abs(samples[:, 0])
    for channel in samples.T[1:]:
        np.maximum(out, np.abs(channel), out=out)
    return out


@lru_cache(maxsize=1)
def _phases() -> NDArray[np.float32]:
    """Interpolation filter, shape (3, taps): a windowed sinc in polyphase form, flat to 20 kHz at 44.1 kHz."""
    half = TAPS_PER_PHASE // 2
    at = np.arange(TAPS_PER_PHASE) - (half - 1)
    rows = []
    for phase in range(1, _OVERSAMPLING):  # phase 0 is the samples themselves
        x = at - phase / _OVERSAMPLING
        window = np.kaiser(2 * 512 + 1, 5.0)[np.clip(np.round(512 + 512 * x / half).astype(int), 0, 1024)]
        row = np.sinc(x) * window
        rows.append(row / row.sum())
    return np.array(rows, dtype=np.float32)


@lru_cache(maxsize=1)
def filter_bound() -> float:
    """By how much a point between samples can exceed the samples around it, as a factor."""
    return float(np.abs(_phases()).sum(axis=1).max())


@lru_cache(maxsize=8)
def k_weighting(sample_rate_hz: int) -> NDArray[np.float64]:
    """BS.1770 pre-filter and RLB filter as second-order sections for any rate.

    Analogue prototypes that give the standard's coefficients at 48 kHz (Mansbridge et al., AES 132, 2012).
    """

    def section(b: tuple[float, ...], a: tuple[float, ...]) -> list[float]:
        return [value / a[0] for value in (*b, *a)]

    k = math.tan(math.pi * 1681.974450955533 / sample_rate_hz)
    q = 0.7071752369554196
    vh = 10.0 ** (3.999843853973347 / 20.0)
    vb = vh**0.4996667741545416
    shelf = section(
        (vh + vb * k / q + k * k, 2.0 * (k * k - vh), vh - vb * k / q + k * k),
        (1.0 + k / q + k * k, 2.0 * (k * k - 1.0), 1.0 - k / q + k * k),
    )
    k = math.tan(math.pi * 38.13547087602444 / sample_rate_hz)
    q = 0.5003270373238773
    a0 = 1.0 + k / q + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0]
    return np.array([shelf, high_pass])


def _windows(steps: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    if len(steps) < length:
        return np.zeros(0)
    total = np.concatenate(([0.0], np.cumsum(steps)))
    return np.asarray((total[length:] - total[:-length]) / length, dtype=np.float64)


def _lufs(energies: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(-0.691 + 10.0 * np.log10(np.maximum(energies, 1e-20)), dtype=np.float64)


def _range_lu(short_term: NDArray[np.float64]) -> float:
    """EBU Tech 3342: 10th to 95th percentile of short-term loudness after gating at -70 LUFS and 20 LU under the mean."""
    loud = short_term[short_term > _ABSOLUTE_GATE_LUFS]
    if not len(loud):
        return 0.0
    gate = -0.691 + 10.0 * np.log10(np.mean(10.0 ** ((loud + 0.691) / 10.0))) - 20.0
    kept = np.sort(loud[loud > gate])
    low, high = (kept[round((len(kept) - 1) * part)] for part in (0.10, 0.95))
    return float(high - low)
