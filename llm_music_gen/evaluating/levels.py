"""What can be measured in finished audio beside loudness: slope of the spectrum, bass, width, clicks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.sound.loudness import LoudnessMeter

_CORRELATION_S = 10
#: A step of a fifth of full scale has a third difference of twice that; the crackle of vinyl stays below.
_CLICK_LEAST, _CLICK_TIMES = 0.4, 4.0
#: Drums and saw waves are as sharp, but not alone: what is compared lies between these, in samples, on either side.
_CLICK_NEAR, _CLICK_FAR = 4, 1_000
#: What counts as low, short of the 120 Hz from which on channels may differ by the width of the analysis; and the least share
#: of all power that the middle is taken to have there, so that music without bass has no bass that is out of place.
_LOW_HZ, _LEAST_LOW_SHARE = 115, 0.01


@dataclass(frozen=True, slots=True)
class Levels:
    """Figures of one finished file."""

    lufs: float
    true_peak_dbtp: float
    loudness_range_lu: float
    longest_silence_s: float
    lowest_correlation: float
    """Of left and right in any whole 10 s (or the whole, where it is shorter)."""
    low_side_db: float
    """Power of (left - right)/2 under 120 Hz beside that of (left + right)/2, which is taken to have at least 1 % of its whole
    power there; mono is far below 0."""
    tilt_db_per_octave: float
    """Slope of third-octave bands of the power density, 100 Hz to 10 kHz; pink noise has -3."""
    low_percent: float
    """Share of power under 150 Hz."""
    clicks: int
    """Samples that jump by a quarter of full scale and 4 times as far as any from 4 to 1,000 samples away."""


def measure_levels(samples: NDArray[np.float32], sample_rate_hz: int) -> Levels:
    """Measure a whole file, shape (frames, 2)."""
    from scipy.signal import welch

    meter = LoudnessMeter(sample_rate_hz)
    meter.push(samples)
    loudness = meter.result()
    middle_and_side = np.stack([samples.mean(axis=1), (samples[:, 0] - samples[:, 1]) / 2]).astype(np.float64)
    hz, (middle, side) = welch(middle_and_side, sample_rate_hz, nperseg=min(16_384, len(samples)))
    density = 2 * (middle + side)  # left and right together
    low = hz < _LOW_HZ
    low_side, low_middle = float(side[low].sum()), max(float(middle[low].sum()), _LEAST_LOW_SHARE * float(middle.sum()))
    return Levels(
        lufs=loudness.integrated_lufs,
        true_peak_dbtp=loudness.true_peak_dbtp,
        loudness_range_lu=loudness.range_lu,
        longest_silence_s=loudness.longest_silence_frames / sample_rate_hz,
        lowest_correlation=_lowest_correlation(samples, _CORRELATION_S * sample_rate_hz),
        low_side_db=10 * float(np.log10((low_side + 1e-15) / (low_middle + 1e-15))),
        tilt_db_per_octave=_tilt(hz, density),
        low_percent=100 * float(density[hz < 150].sum() / max(1e-30, float(density.sum()))),
        clicks=_clicks(samples),
    )


def _lowest_correlation(samples: NDArray[np.float32], window: int) -> float:
    values = []
    for start in range(0, max(1, len(samples) - window + 1), window):
        left, right = samples[start : start + window].T.astype(np.float64)
        power = float(np.sqrt(np.dot(left, left) * np.dot(right, right)))
        if power > 0:
            values.append(float(np.dot(left, right)) / power)
    return min(values, default=1.0)


def _tilt(hz: NDArray[np.float64], density: NDArray[np.float64]) -> float:
    centres = 1_000 * 2 ** (np.arange(-10, 11) / 3)
    bands = [(centre, density[(hz >= centre * 2 ** (-1 / 6)) & (hz < centre * 2 ** (1 / 6))]) for centre in centres]
    levels = [(np.log2(centre), 10 * np.log10(band.mean() + 1e-20)) for centre, band in bands if len(band)]
    octaves, decibels = np.array(levels).T
    return float(np.polyfit(octaves, decibels, 1)[0])


def _clicks(samples: NDArray[np.float32]) -> int:
    sharp = np.abs(np.diff(samples, n=3, axis=0)).max(axis=1) if len(samples) > 3 else np.zeros(0)
    count, last = 0, -_CLICK_FAR
    for at in np.flatnonzero(sharp > _CLICK_LEAST):
        around = np.concatenate(
            (sharp[max(0, at - _CLICK_FAR) : max(0, at - _CLICK_NEAR)], sharp[at + _CLICK_NEAR : at + _CLICK_FAR])
        )
        if len(around) and sharp[at] > _CLICK_TIMES * around.max():
            count += int(at - last > _CLICK_NEAR)
            last = int(at)
    return count
