"""Stretches of a file that are looked at closely: spread over the whole, collected while the file streams by."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.sound.phase import Baseband

#: Ends of a stretch that are faded, so that its spectrum has no edge.
_EDGE_S = 0.5


def inside_s(step_s: float) -> float:
    """How much of a stretch is left out at its start where values are `step_s` apart."""
    return math.ceil(_EDGE_S / step_s) * step_s


@dataclass
class Collector:
    """Cuts stretches of `length_s` out of blocks that are pushed one after the other; at most `most`, evenly spread."""

    frames: int
    sample_rate_hz: int
    length_s: float
    most: int
    _starts: list[int] = field(init=False)
    _pieces: list[NDArray[np.float32]] = field(init=False, default_factory=list)
    _at: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        size = self._size
        count = max(1, min(self.most, self.frames // size))
        last = max(0, self.frames - size)
        self._starts = [round(last * (number + 0.5) / count) if count > 1 else last // 2 for number in range(count)]
        if count == self.frames // size:
            self._starts = [number * size for number in range(count)]

    @property
    def _size(self) -> int:
        return max(1, min(self.frames, round(self.length_s * self.sample_rate_hz)))

    def push(self, block: NDArray[np.float32]) -> Iterator[Stretch]:
        """The next block, shape (frames, channels); yields stretches that are complete."""
        end = self._at + len(block)
        while self._starts and self._starts[0] < end:
            start = self._starts[0]
            first, stop = max(start, self._at), min(start + self._size, end)
            if stop > first:
                self._pieces.append(block[first - self._at : stop - self._at].copy())
            if start + self._size > end:
                break
            yield Stretch(start, np.concatenate(self._pieces), self.sample_rate_hz)
            self._pieces = []
            self._starts.pop(0)
        self._at = end


@dataclass
class Stretch:
    """Some seconds of a file."""

    first_frame: int
    samples: NDArray[np.float32]
    """Shape (frames, channels)."""
    sample_rate_hz: int

    @property
    def length_s(self) -> float:
        """How long it is."""
        return len(self.samples) / self.sample_rate_hz

    @property
    def first_s(self) -> float:
        """Where it begins."""
        return self.first_frame / self.sample_rate_hz

    @property
    def line_hz(self) -> float:
        """Distance of the lines of its spectra."""
        return self.sample_rate_hz / self._size

    @cached_property
    def left(self) -> NDArray[np.complex64]:
        """Spectrum of the left channel."""
        return self._spectrum(self.samples[:, 0])

    @cached_property
    def right(self) -> NDArray[np.complex64]:
        """Spectrum of the right channel, or of the only one."""
        return self._spectrum(self.samples[:, -1])

    @cached_property
    def middle(self) -> NDArray[np.complex64]:
        """Spectrum of the sum of both channels."""
        return np.asarray((self.left + self.right) / 2, dtype=np.complex64)

    @property
    def is_mono(self) -> bool:
        """Whether there is nothing that only one side has."""
        return self.samples.shape[1] == 1 or bool(np.array_equal(self.samples[:, 0], self.samples[:, 1]))

    def tone(self, spectrum: NDArray[np.complex64], centre_hz: float, half_band_hz: float) -> Baseband:
        """What lies around a frequency, turned down to 0 Hz, the faded ends left out."""
        middle = round(centre_hz / self.line_hz)
        reach = max(2, round(half_band_hz / self.line_hz))
        low, high = max(0, middle - reach), min(len(spectrum), middle + reach + 1)
        band = np.zeros(4 * reach, dtype=np.complex128)
        at = np.arange(low, high) - middle
        band[at % len(band)] = spectrum[low:high] * np.cos(0.5 * np.pi * at / (reach + 1)) ** 2
        values = np.fft.ifft(band) * len(band) / self._size
        step_s = self._size / self.sample_rate_hz / len(values)
        # Rounded to a line, the centre is not quite the one asked for.
        edge = round(inside_s(step_s) / step_s)
        inside = math.floor(self.length_s / step_s) - edge
        return Baseband(values[edge:inside], middle * self.line_hz, step_s, 1.0 / half_band_hz)

    @property
    def _size(self) -> int:
        from scipy import fft

        return int(fft.next_fast_len(len(self.samples), real=True))

    def _spectrum(self, channel: NDArray[np.float32]) -> NDArray[np.complex64]:
        from scipy import fft

        faded = channel.astype(np.float32)
        edge = min(len(faded) // 4, round(_EDGE_S * self.sample_rate_hz))
        if edge:
            rise = (0.5 - 0.5 * np.cos(np.pi * np.arange(edge) / edge)).astype(np.float32)
            faded[:edge] *= rise
            faded[-edge:] *= rise[::-1]
        return np.asarray(fft.rfft(faded, self._size), dtype=np.complex64)
