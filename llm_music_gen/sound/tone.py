"""Brings a mix's long-term spectrum towards what its style wants, with a shelf for the bass and a tilt; and makes the bass mono.

Part of the master: a linear, constant filter, chosen once from the whole mix.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.errors import StorageError
from llm_music_gen.sound.effects import master_tone
from llm_music_gen.sound.loudness import LoudnessMeter
from llm_music_gen.sound.mix import BLOCK_FRAMES, RenderedMix
from llm_music_gen.units import SAMPLE_RATE_HZ

LOW_HZ = 150.0
MOST_LOW_DB, MOST_TILT_DB = 12.0, 8.0
#: Under this both channels are the same, as records and subwoofers want it.
MONO_HZ = 120.0
_FFT = 16_384
#: How dear a dB of correction is beside 10 points of bass or 1 dB an octave of slope.
_PRICE = 0.004
_FINE_HZ = 20.0 * 2 ** (np.arange(0, 121) / 12) * (LOW_HZ / (20.0 * 2 ** (35 / 12)))
_THIRDS_HZ = 1_000 * 2 ** (np.arange(-10, 11) / 3)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A style's long-term spectrum."""

    tilt_db_per_octave: float
    """Slope of third-octave bands of the power density, 100 Hz to 10 kHz."""
    low_percent: float
    """Share of power under 150 Hz."""


@dataclass(frozen=True, slots=True)
class Tone:
    """The correction."""

    low_db: float = 0.0
    """Of the shelf under 150 Hz."""
    tilt_db: float = 0.0
    """Treble against bass."""


def toned(mix: RenderedMix, wanted: Wanted) -> Work[RenderedMix]:
    """The mix with its tone corrected, in the same file. Yields "master". Raises StorageError."""
    yield Progress("master", 0.0, "Listening to the whole")
    tone = tone_towards(*_spectrum(mix.samples()), wanted)
    effect = master_tone(LOW_HZ, tone.low_db, tone.tilt_db)
    bass = MonoBass(MONO_HZ)
    meter = LoudnessMeter(SAMPLE_RATE_HZ, true_peak=False)
    try:
        with mix.path.open("r+b") as file:
            for start in range(0, mix.frames, BLOCK_FRAMES):
                file.seek(start * 8)
                block = np.fromfile(file, dtype=np.float32, count=2 * min(BLOCK_FRAMES, mix.frames - start)).reshape(-1, 2)
                changed = bass.block(effect.block(block))
                file.seek(start * 8)
                file.write(changed.tobytes())
                meter.push(changed)
                yield Progress("master", 0.0, "Tone")
    except OSError as error:
        raise StorageError(f"{mix.path} cannot be written ({error}).", hint="Free some space and try again.") from error
    return replace(mix, loudness=meter.result())


class MonoBass:
    """Takes the side out under a frequency; what is in the middle stays as it is. Blocks go through in order."""

    def __init__(self, cutoff_hz: float) -> None:
        from scipy.signal import butter

        self.sections = butter(4, cutoff_hz * 1.1, "high", fs=SAMPLE_RATE_HZ, output="sos")
        self._state = np.zeros((len(self.sections), 2))

    def block(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """The next block, shape (frames, 2)."""
        from scipy.signal import sosfilt

        middle, side = (samples[:, 0] + samples[:, 1]) / 2, (samples[:, 0] - samples[:, 1]) / 2
        side, self._state = sosfilt(self.sections, side, zi=self._state)
        return np.stack([middle + side, middle - side], axis=1).astype(np.float32)


def tone_towards(hz: NDArray[np.float64], density: NDArray[np.float64], wanted: Wanted) -> Tone:
    """The gentlest correction that brings this power density (shape (n,), over `hz`) near what is wanted."""
    if not density.sum() > 0:
        return Tone()
    # Shelves are smooth, so that bands of a twelfth of an octave are fine enough, and many corrections can be tried at once.
    edges_hz = _FINE_HZ[(hz[0] < _FINE_HZ) & (hz[-1] >= _FINE_HZ)]
    starts = np.unique(np.concatenate(([0], np.searchsorted(hz, edges_hz))))
    powers = np.add.reduceat(density, starts)
    counts = np.diff(np.append(starts, len(hz)))
    centres_hz = np.add.reduceat(hz, starts) / counts
    low_shape, tilt_shape = _shapes(centres_hz)
    lows = np.arange(-MOST_LOW_DB, MOST_LOW_DB + 0.01, 0.5)
    tilts = np.arange(-MOST_TILT_DB, MOST_TILT_DB + 0.01, 0.5)
    gains_db = lows[:, None, None] * low_shape + tilts[None, :, None] * tilt_shape
    changed = powers * 10 ** (gains_db / 10)
    share = 100 * changed[..., centres_hz < LOW_HZ].sum(axis=-1) / changed.sum(axis=-1)
    bands, fit = _bands(centres_hz, counts)
    slope = 10 * np.log10(changed @ bands + 1e-20) @ fit
    misses = ((share - wanted.low_percent) / 10) ** 2 + (slope - wanted.tilt_db_per_octave) ** 2
    misses += _PRICE * (lows[:, None] ** 2 + tilts[None, :] ** 2)
    low, tilt = np.unravel_index(int(misses.argmin()), misses.shape)
    return Tone(float(lows[low]), float(tilts[tilt]))


def _spectrum(samples: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(frequencies, power density of both channels together once the bass is mono), in windows one after the other."""
    from scipy.signal import sosfreqz

    window = np.hanning(_FFT).astype(np.float32)[:, None]
    hz = np.asarray(np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE_HZ), dtype=np.float64)
    kept = np.abs(sosfreqz(MonoBass(MONO_HZ).sections, hz, fs=SAMPLE_RATE_HZ)[1]) ** 2
    density = np.zeros(_FFT // 2 + 1)
    for start in range(0, max(1, len(samples)), _FFT):
        block = np.asarray(samples[start : start + _FFT])
        if len(block) < _FFT:
            block = np.pad(block, ((0, _FFT - len(block)), (0, 0)))
        left, right = np.fft.rfft(block * window, axis=0).T
        density += np.abs(left + right) ** 2 + kept * np.abs(left - right) ** 2
    return hz, density


def _shapes(hz: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What 1 dB of each control does at each frequency, in dB; shelves are nearly linear in their gain."""
    return _response(hz, 6.0, 0.0) / 6.0, _response(hz, 0.0, 6.0) / 6.0


def _response(hz: NDArray[np.float64], low_db: float, tilt_db: float) -> NDArray[np.float64]:
    impulse = np.zeros((_FFT, 2), dtype=np.float32)
    impulse[0] = 1.0
    heard = master_tone(LOW_HZ, low_db, tilt_db).block(impulse)[:, 0]
    spectrum = np.abs(np.fft.rfft(heard.astype(np.float64)))
    return np.asarray(20 * np.log10(np.interp(hz, np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE_HZ), spectrum) + 1e-12))


def _bands(hz: NDArray[np.float64], counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(third-octave means of bands that hold `counts` lines, shape (n, thirds); weights that give the slope of their levels)."""
    inside = np.stack([(hz >= centre * 2 ** (-1 / 6)) & (hz < centre * 2 ** (1 / 6)) for centre in _THIRDS_HZ], axis=1)
    means = inside / np.maximum(1, counts @ inside)
    octaves = np.log2(_THIRDS_HZ) - np.log2(_THIRDS_HZ).mean()
    return np.asarray(means, dtype=np.float64), np.asarray(octaves / (octaves**2).sum(), dtype=np.float64)
