"""Steady broadband noise: found by itself where the sound is quietest, and turned down everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.processing.audio import Audio
from llm_music_gen.processing.dsp.spectrum import Spectra, hann, spectra, through_spectra, window_frames

_WINDOW_S = 0.046
#: Windows averaged to one look at the noise, about 0.19 s.
_LOOK_WINDOWS = 16
#: Looks that are kept, times bins: 16 MB.
_MOST_LOOKED_AT = 1 << 21
#: What the 10th percentile of the mean of 16 overlapping Hann windows of white noise has of its mean: they carry as much as 8.6
#: independent ones (Welch 1967), and the percentile of a gamma distribution of that shape follows.
_PERCENTILE, _PERCENTILE_OF_MEAN = 10.0, 0.594
#: Likewise the lower quartile over neighbouring bins, which passes over partials that sound all the time.
_QUARTILE_OF_MEAN = 0.80
#: Taken off a little more than the mean, or every second bin would flicker.
_OVERSUBTRACTION = 1.3
#: Of the Wiener gain: the whole of it takes weak partials away with the noise, its root leaves too much noise.
_EXPONENT = np.float32(0.65)
#: Where hiss is told from music, and by how much it may differ elsewhere.
_HISS_HZ, _MARGIN = (4_000.0, 8_000.0), 4.0
#: Decision-directed smoothing of the signal-to-noise ratio (Ephraim and Malah 1984).
_SMOOTHING = 0.97


@dataclass(frozen=True, eq=False, slots=True)
class NoiseProfile:
    """The noise under a recording."""

    power: NDArray[np.float64]
    """Mean power of a Hann window's bins, channels averaged, shape (bins,)."""
    window: int
    level_dbfs: float
    """Level of the noise alone (0 dB is a full-scale square wave)."""
    signal_dbfs: float
    """Level of everything."""

    @property
    def snr_db(self) -> float:
        """How far the whole stands over the noise."""
        return self.signal_dbfs - self.level_dbfs


def noise_profile(audio: Audio) -> NoiseProfile:
    """What sounds in the quietest moments of each band: the 10th percentile over time of smoothed power, smoothed over bands."""
    window = window_frames(audio.sample_rate_hz, _WINDOW_S)
    looks, mean = _looks(audio, window)
    scale = 2.0 / (window * float(np.sum(hann(window).astype(np.float64) ** 2)))
    power = np.zeros(window // 2 + 1)
    if len(looks):
        quiet = np.percentile(looks, _PERCENTILE, axis=0) / (_PERCENTILE_OF_MEAN if len(looks) > 4 else 1.0)
        power = np.minimum(_no_steeper_than_rumble(_lower_envelope(quiet), audio.sample_rate_hz), mean)
    return NoiseProfile(power, window, _dbfs(power, scale), _dbfs(mean, scale))


def reduce_noise(audio: Audio, db: float = 12.0, profile: NoiseProfile | None = None) -> Audio:
    """Noise `db` decibels lower where nothing else sounds, and a clean sound where something does.

    A Wiener filter on short-time spectra; all channels get the same gain, so that nothing moves in the stereo image. Without a
    profile it is found by walking the stream once.
    """
    if not audio.frames or db <= 0:
        return audio
    found = profile or noise_profile(audio)
    if not found.power.any():
        return audio
    floor = float(10 ** (-db / 20))

    def change(batches: Iterator[Spectra]) -> Iterator[Spectra]:
        return _cleaned(batches, np.maximum(found.power * _OVERSUBTRACTION, 1e-30), floor)

    return through_spectra(audio, found.window, change)


def _looks(audio: Audio, window: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Power averaged over stretches of time that are not digital silence, shape (looks, bins), and its mean over all."""
    looks: list[NDArray[np.float64]] = []
    total, count, stride, number = np.zeros(window // 2 + 1), 0, 1, 0
    waiting = np.zeros((0, window // 2 + 1))
    skip = 3  # the first windows hang over the beginning
    left = max(1, audio.frames * 4 // window - 3)
    for batch in spectra(audio, window):
        power = np.asarray(np.mean(np.square(batch.real) + np.square(batch.imag), axis=1, dtype=np.float64))[skip:][:left]
        skip = max(0, skip - len(batch))
        left -= len(power)
        waiting = np.concatenate((waiting, power))
        while len(waiting) >= _LOOK_WINDOWS or (left <= 0 and not count and len(waiting)):
            look, waiting = waiting[:_LOOK_WINDOWS].mean(axis=0), waiting[_LOOK_WINDOWS:]
            total, count = total + look, count + 1
            if look.sum() > 1e-12 * window:
                if number % stride == 0:
                    looks.append(look)
                number += 1
            if len(looks) >= max(64, _MOST_LOOKED_AT // len(look)):
                looks, stride = looks[::2], stride * 2
    return np.array(looks), total / max(1, count)


def _lower_envelope(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """A smooth curve under the partials: the lower quartile over a sixth of an octave on both sides, at least eight bins."""
    reaches = np.maximum(8, (0.12 * np.arange(len(power))).astype(int))
    places = [0]
    while places[-1] < len(power) - 1:
        places.append(min(places[-1] + max(1, int(reaches[places[-1]]) // 8), len(power) - 1))
    # The curve is smooth: few places say it all, and of wide surroundings every n-th bin.
    quartiles = [_quartile_around(power, place, int(reaches[place])) for place in places]
    return np.asarray(np.interp(np.arange(len(power)), places, quartiles)) / _QUARTILE_OF_MEAN


def _quartile_around(power: NDArray[np.float64], place: int, reach: int) -> float:
    low, high = max(0, place - reach), min(len(power), place + reach + 1)
    return float(np.percentile(power[low : high : max(1, reach // 64)], 25))


def _no_steeper_than_rumble(power: NDArray[np.float64], sample_rate_hz: int) -> NDArray[np.float64]:
    """Noise rises towards the bass by 6 dB an octave at most; what lies higher down there is music that never pauses."""
    frequencies = np.arange(len(power)) * sample_rate_hz / 2 / (len(power) - 1)
    top_hz = min(_HISS_HZ[1], 0.45 * sample_rate_hz)
    low_hz = min(_HISS_HZ[0], 0.5 * top_hz)
    reference = float(np.median(power[(frequencies >= low_hz) & (frequencies <= top_hz)]))
    return np.minimum(power, reference * np.maximum(1.0, low_hz / np.maximum(frequencies, 20.0)) ** 2 * _MARGIN)


def _cleaned(batches: Iterator[Spectra], noise: NDArray[np.float64], floor: float) -> Iterator[Spectra]:
    """Each window times its own gain or that of the next, whichever is larger: an onset is not eaten."""
    speech = np.zeros(len(noise), dtype=np.float32)
    held: Spectra | None = None
    gains_held: NDArray[np.float32] | None = None
    inverse = (1.0 / noise).astype(np.float32)
    for batch in batches:
        if not len(batch):
            continue
        ratio = np.mean(np.square(batch.real) + np.square(batch.imag), axis=1) * inverse
        gains = np.empty_like(ratio)
        for number, posterior in enumerate(ratio):
            prior = _SMOOTHING * speech + np.float32(1 - _SMOOTHING) * np.maximum(posterior - 1, 0)
            gain = (prior / (1 + prior)) ** _EXPONENT
            speech = gain * gain * posterior
            gains[number] = gain
        gains = np.maximum(_smoothed(gains), np.float32(floor))
        if held is not None and gains_held is not None:
            yield held * np.maximum(gains_held, gains[:1])[:, None]
        yield batch[:-1] * np.maximum(gains[:-1], gains[1:])[:, None]
        held, gains_held = batch[-1:], gains[-1:]
    if held is not None and gains_held is not None:
        yield held * gains_held[:, None]


def _smoothed(gains: NDArray[np.float32]) -> NDArray[np.float32]:
    """Over three bins, so that no lonely bin whistles."""
    padded = np.pad(gains, ((0, 0), (1, 1)), mode="edge")
    return np.asarray((padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4, dtype=np.float32)


def _dbfs(power: NDArray[np.float64], scale: float) -> float:
    return float(10 * np.log10(max(float(power.sum()) * scale, 1e-20)))
