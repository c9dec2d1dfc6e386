"""Short-time spectra of a stream: look at them, or change them and get sound back. And long-term third-octaves."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.processing.audio import Audio, Block

Spectra = NDArray[np.complex64]
"""Shape (windows, channels, bins)."""

#: Windows that are worked on at once; fixed, so that the blocks of a stream cannot change the result.
_BATCH = 64
_OVERLAP = 4
#: Nominal centres are powers of 10^(1/10) around 1 kHz (IEC 61260-1).
LOWEST_BAND, HIGHEST_BAND = -16, 13  # 25 Hz to 20 kHz


def exact_blocks(audio: Audio, frames: int) -> Iterator[Block]:
    """The same samples in blocks of exactly `frames`; only the last may be shorter."""
    parts: list[Block] = []
    have = 0
    for block in audio.walk():
        parts.append(block)
        have += len(block)
        if have < frames:
            continue
        whole = np.concatenate(parts) if len(parts) > 1 else parts[0]
        ready = have // frames * frames
        for start in range(0, ready, frames):
            yield whole[start : start + frames]
        parts, have = [whole[ready:]], have - ready
    if have:
        yield np.concatenate(parts)


def hann(frames: int) -> NDArray[np.float32]:
    """The periodic Hann window, shape (frames,)."""
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frames) / frames), dtype=np.float32)


def window_frames(sample_rate_hz: int, length_s: float) -> int:
    """A power of two near this length, at least 16."""
    return max(16, 1 << round(math.log2(max(1.0, sample_rate_hz * length_s))))


def spectra(audio: Audio, window: int) -> Iterator[Spectra]:
    """Spectra of Hann windows that overlap by three quarters, in batches. The first window ends after a quarter of its length."""
    from scipy.fft import rfft

    hop = window // _OVERLAP
    shape = hann(window)
    waiting = np.zeros((audio.channels, window - hop), dtype=np.float32)
    for block in exact_blocks(audio, _BATCH * hop):
        missing = -len(block) % hop
        padded = np.pad(block, ((0, missing), (0, 0))) if missing else block
        waiting = np.concatenate((waiting[:, -(window - hop) :], padded.T), axis=1)
        yield _transformed(waiting, shape, hop, rfft)
    rest = np.concatenate((waiting[:, -(window - hop) :], np.zeros((audio.channels, window - hop), np.float32)), axis=1)
    yield _transformed(rest, shape, hop, rfft)


def _transformed(
    samples: NDArray[np.float32], shape: NDArray[np.float32], hop: int, rfft: Callable[..., NDArray[np.complex64]]
) -> Spectra:
    cut = np.lib.stride_tricks.sliding_window_view(samples, len(shape), axis=1)[:, ::hop]
    return np.asarray(rfft(cut.transpose(1, 0, 2) * shape, axis=2), dtype=np.complex64)


def through_spectra(audio: Audio, window: int, change: Callable[[Iterator[Spectra]], Iterator[Spectra]]) -> Audio:
    """Sound whose short-time spectra went through `change`.

    `change` gets the batches of one walk and yields batches with as many windows in all, in its own time: it may look ahead.
    """

    def walk() -> Iterator[Block]:
        return _overlap_added(change(spectra(audio, window)), audio, window)

    return Audio(audio.sample_rate_hz, audio.channels, audio.frames, walk)


def _overlap_added(batches: Iterator[Spectra], audio: Audio, window: int) -> Iterator[Block]:
    from scipy.fft import irfft

    hop = window // _OVERLAP
    shape = hann(window) / np.float32(1.5)  # squared Hann windows at a quarter's distance sum to 1.5
    tail = np.zeros((audio.channels, window - hop), dtype=np.float32)
    skip, left = window - hop, audio.frames
    for batch in batches:
        pieces = (irfft(batch, window, axis=2) * shape).astype(np.float32).transpose(1, 0, 2)
        count = pieces.shape[1]
        out = np.zeros((audio.channels, (count + _OVERLAP - 1) * hop), dtype=np.float32)
        out[:, : window - hop] = tail
        for part in range(_OVERLAP):
            out[:, part * hop : (part + count) * hop] += pieces[:, :, part * hop : (part + 1) * hop].reshape(audio.channels, -1)
        tail = out[:, count * hop :]
        ready = out[:, skip : count * hop][:, :left]
        skip = max(0, skip - count * hop)
        left -= ready.shape[1]
        if ready.shape[1]:
            yield np.ascontiguousarray(ready.T)


@dataclass(frozen=True, slots=True)
class ThirdOctaves:
    """A long-term spectrum."""

    centres_hz: tuple[float, ...]
    levels_db: tuple[float, ...]
    """Power in each band, channels averaged, dB full scale; -inf where there is none."""


def band_centres_hz(sample_rate_hz: float) -> tuple[float, ...]:
    """Exact centres of the third-octaves from 25 Hz to 20 kHz that lie wholly under half the sample rate."""
    centres = (1000.0 * 10 ** (number / 10) for number in range(LOWEST_BAND, HIGHEST_BAND + 1))
    return tuple(centre for centre in centres if centre * 10**0.05 <= sample_rate_hz / 2)


def third_octaves(audio: Audio, *, gate_db: float = 30.0) -> ThirdOctaves:
    """The long-term spectrum of a whole sound, see `LongTermSpectrum`."""
    spectrum = LongTermSpectrum(audio)
    for block in audio.walk():
        spectrum.push(block)
    return spectrum.result(gate_db=gate_db)


class LongTermSpectrum:
    """The spectrum of what is heard, fed block by block by whoever walks the sound: loud seconds count, soft ones do not.

    Windows of a third of a second, so that the lowest bands hold several bins each; one window a second in long files.
    """

    def __init__(self, audio: Audio) -> None:
        self._rate = audio.sample_rate_hz
        self._window = window_frames(audio.sample_rate_hz, 0.35)
        self._stride = max(1, round(min(1.0, audio.length_s / 600) * audio.sample_rate_hz / self._window))
        self._shape = hann(self._window)
        self._parts: list[Block] = []
        self._have = 0
        self._number = 0
        # Sums by loudness in steps of a decibel: which of them are heard is known only at the end.
        self._total_of: dict[int, NDArray[np.float64]] = {}
        self._count_of: dict[int, int] = {}

    def push(self, block: Block) -> None:
        """The next block, shape (frames, channels)."""
        self._parts.append(block)
        self._have += len(block)
        if self._have < self._window:
            return
        whole = np.concatenate(self._parts) if len(self._parts) > 1 else block
        ready = self._have // self._window * self._window
        for start in range(0, ready, self._window):
            if self._number % self._stride == 0:
                self._look(whole[start : start + self._window])
            self._number += 1
        self._parts, self._have = [whole[ready:]], self._have - ready

    def result(self, *, gate_db: float = 30.0) -> ThirdOctaves:
        """What was heard; windows more than `gate_db` under the loudest are left out. A sound shorter than one counts as one."""
        return ThirdOctaves(*_band_levels(self.power(gate_db=gate_db), self._rate))

    def power(self, *, gate_db: float = 30.0) -> NDArray[np.float64]:
        """The same as mean power at evenly spaced frequencies from 0 to half the sample rate, shape (bins,)."""
        if not self._number and self._have:
            rest = np.concatenate(self._parts)
            self._look(np.pad(rest, ((0, self._window - len(rest)), (0, 0))))
        power = np.zeros(self._window // 2 + 1)
        heard = [step for step in self._total_of if step >= max(self._total_of) - gate_db]
        for step in heard:
            power += self._total_of[step]
        return power / max(1, sum(self._count_of[step] for step in heard))

    def _look(self, block: Block) -> None:
        from scipy.fft import rfft

        scale = 2.0 / (float(np.sum(self._shape.astype(np.float64) ** 2)) * self._window)
        squares = np.abs(rfft(np.ascontiguousarray(block.T) * self._shape, axis=1)) ** 2
        power = np.asarray(np.mean(squares, axis=0, dtype=np.float64) * scale)
        level = float(power.sum())
        step = math.floor(10 * math.log10(level)) if level > 1e-20 else -200
        if step in self._total_of:
            self._total_of[step] += power
        else:
            self._total_of[step] = power
        self._count_of[step] = self._count_of.get(step, 0) + 1


def _band_levels(power: NDArray[np.float64], sample_rate_hz: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Centres and levels; bins on the border of two bands are shared by how much of them lies in each."""
    centres = band_centres_hz(sample_rate_hz)
    width = sample_rate_hz / 2 / (len(power) - 1)
    total = np.concatenate(([0.0], np.cumsum(power)))
    edges_hz = width * (np.arange(len(total)) - 0.5)

    def under(hz: float) -> float:
        return float(np.interp(hz, edges_hz, total))

    bands = (under(centre * 10**0.05) - under(centre * 10**-0.05) for centre in centres)
    return centres, tuple(10 * math.log10(band) if band > 1e-20 else -math.inf for band in bands)


def level_at(frequencies_hz: Iterable[float], bands: ThirdOctaves) -> NDArray[np.float64]:
    """Band levels read at any frequency, straight lines over the logarithm of frequency, level outside."""
    logs = np.log(np.maximum(np.fromiter(frequencies_hz, dtype=np.float64), 1e-3))
    return np.asarray(np.interp(logs, np.log(bands.centres_hz), bands.levels_db))
