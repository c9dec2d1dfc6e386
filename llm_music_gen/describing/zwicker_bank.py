"""The third-octave levels of ISO 532-1, clause 6.3, every half millisecond, of sound at any rate.

The standard gives recursive filters at 48 kHz. Their frequency responses are applied to the spectrum of long blocks instead, and
each band comes back as a slowly moving envelope at a rate of its own: the same result many times faster, and other sample rates
need no resampling.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.describing.zwicker_tables import FILTER_DIFFERENCES, FILTER_GAINS

#: Levels are given so many times a second.
LEVEL_RATE_HZ = 2_000
#: Blocks are so long, and reach so far into the sound before them: the lowest filters ring.
BLOCK_S, RUN_IN_S = 8, 1
REFERENCE_PA = 2e-5
_STANDARD_RATE_HZ = 48_000
#: What a filter lets through less than this is left out.
_FLOOR = 1e-4
_NUMERATORS = ((1, 2, 1), (1, 0, -1), (1, -2, 1))
_TINY = 1e-12
#: Bounds the memory for sounds of many channels.
_CHANNELS_AT_ONCE = 2


class LevelBank:
    """Feed sound pressure with `push` and `finish`; both yield levels, shape (28, n), in dB SPL, as they become ready.

    Of several channels the mean power counts.
    """

    def __init__(self, sample_rate_hz: int, channels: int) -> None:
        self._rate = sample_rate_hz
        self._waiting = np.zeros((RUN_IN_S * sample_rate_hz, channels), dtype=np.float32)
        self._parts: list[NDArray[np.float32]] = []
        self._have = 0

    def push(self, pressure_pa: NDArray[np.float32]) -> Iterator[NDArray[np.float64]]:
        """The next block, shape (frames, channels)."""
        self._parts.append(pressure_pa)
        self._have += len(pressure_pa)
        wanted = BLOCK_S * self._rate
        if self._have < wanted:
            return
        ready = np.concatenate(self._parts)
        while len(ready) >= wanted:
            yield self._levels(ready[:wanted], BLOCK_S * LEVEL_RATE_HZ)
            ready = ready[wanted:]
        self._parts, self._have = [ready], len(ready)

    def finish(self) -> Iterator[NDArray[np.float64]]:
        """What is left."""
        if not self._have:
            return
        rest = np.concatenate(self._parts)
        self._parts, self._have = [], 0
        count = int(np.ceil(len(rest) * LEVEL_RATE_HZ / self._rate))
        padding = BLOCK_S * self._rate - len(rest)
        yield self._levels(np.pad(rest, ((0, padding), (0, 0))), BLOCK_S * LEVEL_RATE_HZ)[:, :count]

    def _levels(self, block: NDArray[np.float32], count: int) -> NDArray[np.float64]:
        from scipy.fft import rfft

        whole = np.concatenate((self._waiting, block))
        self._waiting = whole[-RUN_IN_S * self._rate :]
        length_s, channels = BLOCK_S + RUN_IN_S, whole.shape[1]
        out = np.zeros((len(FILTER_GAINS), count))
        for first in range(0, channels, _CHANNELS_AT_ONCE):
            spectra = rfft(np.ascontiguousarray(whole[:, first : first + _CHANNELS_AT_ONCE].T), axis=1)
            for number, band in enumerate(_bands(self._rate, length_s)):
                out[number] += band.power(spectra, self._rate, length_s)[RUN_IN_S * LEVEL_RATE_HZ :]
        return np.asarray(10 * np.log10((out / channels + _TINY) / REFERENCE_PA**2), dtype=np.float64)


class _Band:
    """One filter, seen from the spectrum of a block."""

    def __init__(self, number: int, sample_rate_hz: int, length_s: int) -> None:
        centre_hz = 1000 * 10 ** ((number - 16) / 10)
        highest_hz = min(sample_rate_hz, _STANDARD_RATE_HZ) / 2
        hz = np.arange(1, int(highest_hz * length_s)) / length_s
        response = _response(number, hz)
        inside = np.flatnonzero(np.abs(response) > _FLOOR)
        self.empty = not len(inside)
        if self.empty:
            return
        self.first = 1 + int(inside[0])
        self.response = response[inside[0] : inside[-1] + 1].astype(np.complex64)
        width_hz = len(self.response) / length_s
        self.rate = LEVEL_RATE_HZ * int(np.ceil(width_hz / LEVEL_RATE_HZ))
        self.time_constant_s = 2 / (3 * min(centre_hz, 1000.0))

    def power(self, spectra: NDArray[Any], sample_rate_hz: int, length_s: int) -> NDArray[np.float64]:
        """Smoothed mean square of the band, summed over channels, `LEVEL_RATE_HZ` times a second, shape (n,)."""
        from scipy.fft import ifft
        from scipy.signal import lfilter

        if self.empty:
            return np.zeros(length_s * LEVEL_RATE_HZ)
        bins = np.zeros((len(spectra), self.rate * length_s), dtype=np.complex64)
        np.multiply(spectra[:, self.first : self.first + len(self.response)], self.response, out=bins[:, : len(self.response)])
        envelope = ifft(bins, axis=1, overwrite_x=True)
        # A real signal is twice the real part of its positive frequencies, and its square is on average half of what that makes.
        scale = 2 * (bins.shape[1] / (sample_rate_hz * length_s)) ** 2
        power = scale * (envelope.real**2 + envelope.imag**2).sum(axis=0, dtype=np.float64)
        keep = np.exp(-1 / (self.rate * self.time_constant_s))
        for _ in range(3):
            power = lfilter([1 - keep], [1, -keep], power)
        return np.asarray(power[:: self.rate // LEVEL_RATE_HZ])


@lru_cache(maxsize=4)
def _bands(sample_rate_hz: int, length_s: int) -> tuple[_Band, ...]:
    return tuple(_Band(number, sample_rate_hz, length_s) for number in range(len(FILTER_GAINS)))


def _response(number: int, hz: NDArray[np.float64]) -> NDArray[np.complex128]:
    """The frequency response of a band's filter; the gain of the table stands for all three sections."""
    delay = np.exp(-2j * np.pi * hz / _STANDARD_RATE_HZ)
    out = np.full(len(hz), FILTER_GAINS[number], dtype=np.complex128)
    for numerator, (first, second) in zip(_NUMERATORS, FILTER_DIFFERENCES[number], strict=True):
        out *= np.polyval(numerator[::-1], delay) / np.polyval((1 - second, -2 - first, 1), delay)
    return out
