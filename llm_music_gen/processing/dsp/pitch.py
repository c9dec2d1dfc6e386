"""The pitch of a single voice over time: YIN (de Cheveigne and Kawahara, JASA 111, 2002), many windows at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.processing.audio import Audio
from llm_music_gen.processing.dsp.spectrum import exact_blocks

LOWEST_HZ, HIGHEST_HZ = 65.0, 1_100.0
HOP_S = 0.005
#: Summed over this; two and a half periods of a low voice.
_SUM_S = 0.024
#: The first dip under this is the period; a voice that nowhere dips under the second is none.
_DIP, _VOICED = 0.12, 0.3
_SILENT_POWER = 1e-8
_BATCH = 256
#: Steps on each side that a step has to agree with, and within what.
_NEIGHBOURS, _OCTAVES_OFF = 4, 0.25
_PIECE = 1 << 14


@dataclass(frozen=True, eq=False, slots=True)
class PitchTrack:
    """Pitch at even steps; step n lies at n * hop_frames."""

    hop_frames: int
    frequencies_hz: NDArray[np.float64]
    """0 where nothing is sung."""

    @property
    def voiced(self) -> NDArray[np.bool_]:
        """Where there is a pitch."""
        return self.frequencies_hz > 0

    def at(self, frame: float) -> float:
        """Pitch at a frame, 0 for none; straight lines between steps that have one."""
        place = frame / self.hop_frames
        low = min(max(int(place), 0), len(self.frequencies_hz) - 1)
        high = min(low + 1, len(self.frequencies_hz) - 1)
        first, second = float(self.frequencies_hz[low]), float(self.frequencies_hz[high])
        if first <= 0 or second <= 0:
            return first if place - low < 0.5 else second
        return first + (second - first) * min(place - low, 1.0)


def track_pitch(audio: Audio) -> PitchTrack:
    """The pitch of what is sung or played by one voice; all channels are heard together."""
    hop = max(1, round(HOP_S * audio.sample_rate_hz))
    thin = max(1, round(audio.sample_rate_hz / 44_100))
    rate_hz = audio.sample_rate_hz / thin
    sums, longest = max(8, round(_SUM_S * rate_hz)), int(rate_hz / LOWEST_HZ) + 2
    times, pitches = [], []
    for start_s, windows in _windows(audio, hop, thin, sums + longest):
        found, lag = _yin(windows, sums, longest, rate_hz)
        # What is summed lies around the middle of both windows that are compared.
        times.append(start_s + (sums + lag) / 2 / rate_hz)
        pitches.append(found)
    steps = -(-audio.frames // hop)
    if not times:
        return PitchTrack(hop, np.zeros(steps))
    return PitchTrack(hop, _evened(np.concatenate(times), np.concatenate(pitches), steps, hop / audio.sample_rate_hz))


def _windows(audio: Audio, hop: int, thin: int, length: int) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """When each window starts, and its samples, shape (windows, length); the sound is preceded and followed by silence."""
    whole = length * thin
    waiting = np.zeros(whole // 2, dtype=np.float64)
    start, end = -(whole // 2), False
    blocks = exact_blocks(audio, _BATCH * hop)
    while not end:
        block = next(blocks, None)
        end = block is None
        more = np.zeros(whole) if block is None else block.mean(axis=1, dtype=np.float64)
        waiting = np.concatenate((waiting, more))
        count = (len(waiting) - whole) // hop + 1 if len(waiting) >= whole else 0
        if count > 0:
            views = np.lib.stride_tricks.sliding_window_view(waiting, whole)[::hop][:count]
            samples = views.reshape(count, length, thin).mean(axis=2) if thin > 1 else views
            yield (start + hop * np.arange(count)) / audio.sample_rate_hz, np.ascontiguousarray(samples)
            waiting, start = waiting[count * hop :], start + count * hop


def _yin(
    windows: NDArray[np.float64], sums: int, longest: int, rate_hz: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pitch of each window (0 for none) and the lag that was taken, both of shape (windows,)."""
    from scipy.fft import irfft, next_fast_len, rfft

    count = len(windows)
    windows = windows - windows.mean(axis=1, keepdims=True)
    size = next_fast_len(sums + longest + sums, real=True)
    products = irfft(rfft(windows, size, axis=1) * rfft(windows[:, :sums], size, axis=1).conj(), size, axis=1)[:, :longest]
    energy = np.concatenate((np.zeros((count, 1)), np.cumsum(windows**2, axis=1)), axis=1)
    lags = np.arange(longest)
    difference = np.maximum(energy[:, [sums]] + energy[:, lags + sums] - energy[:, lags] - 2 * products, 0.0)
    mean = np.cumsum(difference, axis=1)[:, 1:] / np.arange(1, longest)
    dips = np.ones((count, longest))
    dips[:, 1:] = difference[:, 1:] / np.maximum(mean, 1e-12)
    shortest = max(2, int(rate_hz / HIGHEST_HZ))
    inner = dips[:, shortest : longest - 1]
    lowest = (inner <= dips[:, shortest - 1 : longest - 2]) & (inner < dips[:, shortest + 1 : longest])
    good = lowest & (inner < np.maximum(_DIP, inner.min(axis=1, keepdims=True) * 1.4 + 0.01))
    first = np.where(good.any(axis=1), np.argmax(good, axis=1), np.argmin(inner, axis=1)) + shortest
    rows = np.arange(count)
    depth = dips[rows, first]
    # The parabola goes through the difference itself: dividing by the running mean moves its lowest point.
    a, b, c = (difference[rows, first + offset] for offset in (-1, 0, 1))
    bend = a - 2 * b + c
    lag = first + np.where(bend > 0, np.clip(0.5 * (a - c) / np.where(bend > 0, bend, 1.0), -1.0, 1.0), 0.0)
    heard = (depth < _VOICED) & (energy[:, sums] / sums > _SILENT_POWER)
    return np.where(heard, rate_hz / lag, 0.0), np.where(heard, lag, longest / 2)


def _is_steady(logs: NDArray[np.float64], start: int) -> NDArray[np.bool_]:
    """Which of a piece of the steps have neighbours that agree with them. NaN stands for no pitch."""
    stop = min(start + _PIECE, len(logs))
    around = logs[max(0, start - _NEIGHBOURS) : stop + _NEIGHBOURS]
    before, after = max(0, _NEIGHBOURS - start), max(0, stop + _NEIGHBOURS - len(logs))
    views = np.lib.stride_tricks.sliding_window_view(np.pad(around, (before, after), constant_values=np.nan), 2 * _NEIGHBOURS + 1)
    enough = np.sum(~np.isnan(views), axis=1) > _NEIGHBOURS
    middle = np.full(stop - start, np.nan)
    middle[enough] = np.nanmedian(views[enough], axis=1)
    here = logs[start:stop]
    return np.asarray(~np.isnan(here) & enough & (np.abs(here - middle) < _OCTAVES_OFF))


def _evened(times_s: NDArray[np.float64], pitches: NDArray[np.float64], steps: int, step_s: float) -> NDArray[np.float64]:
    """Pitch at even times, without single steps in a wrong octave and without blips too short to be sung."""
    at = np.arange(steps) * step_s
    voiced = pitches > 0
    if not voiced.any():
        return np.zeros(steps)
    logs = np.where(voiced, np.log2(np.where(voiced, pitches, 1.0)), np.nan)
    steady = np.concatenate([_is_steady(logs, start) for start in range(0, len(logs), _PIECE)])
    if not steady.any():
        return np.zeros(steps)
    order = np.argsort(times_s[steady], kind="stable")
    known_at, known = times_s[steady][order], logs[steady][order]
    nearest = np.clip(np.searchsorted(known_at, at), 1, len(known_at) - 1) if len(known_at) > 1 else np.zeros(steps, dtype=int)
    gap = np.minimum(np.abs(known_at[nearest] - at), np.abs(known_at[np.maximum(nearest - 1, 0)] - at))
    return np.where(gap < 1.5 * step_s, 2.0 ** np.interp(at, known_at, known), 0.0)
