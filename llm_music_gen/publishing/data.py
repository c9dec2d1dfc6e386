"""Level and spectrum along a track, as tables and pictures, to drive visuals made elsewhere. One pass, little memory."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.publishing.colour import Palette, ramp, to_srgb
from llm_music_gen.sound.ahead import ahead
from llm_music_gen.sound.decode import audio_info, decoded
from llm_music_gen.sound.loudness import LoudnessMeter, momentary_lufs
from llm_music_gen.units import gain_to_db

if TYPE_CHECKING:
    from PIL import Image

#: ISO 266 third octaves: 1 kHz times 10^(n/10).
BANDS_HZ = tuple(float(1000.0 * 10 ** (n / 10)) for n in range(-17, 14))
BAND_NAMES = (
    "20", "25", "31.5", "40", "50", "63", "80", "100", "125", "160", "200", "250", "315", "400", "500", "630", "800", "1000",
    "1250", "1600", "2000", "2500", "3150", "4000", "5000", "6300", "8000", "10000", "12500", "16000", "20000",
)  # fmt: skip
_FLOOR_DB = -120.0
_WINDOW = 16_384
_PICTURE = (1_920, 540)


@dataclass(frozen=True, slots=True)
class TrackData:
    """What was measured along a track."""

    level_step_s: float
    momentary_lufs: NDArray[np.float32]
    """Shape (n,); loudness over the 400 ms that end with the step, less where the track begins. -120 for silence."""
    peak_dbfs: NDArray[np.float32]
    """Shape (n,); largest sample of the step."""
    spectrum_step_s: float
    bands_db: NDArray[np.float32]
    """Shape (m, 31); power of each third octave re a full-scale sine."""

    def loudness_curve(self, points: int = 512) -> tuple[float, ...]:
        """Loudness along the track as at most `points` values, for pictures."""
        count = min(points, len(self.momentary_lufs))
        pieces = np.array_split(np.maximum(self.momentary_lufs, -70.0), max(1, count))
        return tuple(float(piece.mean()) for piece in pieces if len(piece))


def spectrum_step_s(length_s: float) -> float:
    """Seconds per row: 0.1 for up to half an hour, else as many whole seconds as keep the table under 20 MB."""
    return 0.1 if length_s <= 1_800 else float(max(1, math.ceil(length_s / 86_400)))


def measure(audio: Path) -> Work[TrackData]:
    """Read the file once. Yields progress of the stage "data". Raises SoundError for what is not audio."""
    info = audio_info(audio)
    rate = info.sample_rate_hz
    step_s = spectrum_step_s(info.length_s)
    meter = LoudnessMeter(rate, info.channels, true_peak=False)
    peaks, bands = _Peaks(rate // 10), _Bands(rate, round(step_s * rate))
    done = 0
    for block in ahead(decoded(audio)):
        meter.push(block)
        peaks.push(block)
        bands.push(block)
        done += len(block)
        yield Progress("data", min(1.0, done / max(1, info.frames)), "Measuring level and spectrum")
    steps = meter.steps()
    lufs = np.concatenate([_starting(steps), momentary_lufs(steps)]) if len(steps) else np.zeros(0)
    level = np.maximum(np.nan_to_num(lufs, neginf=_FLOOR_DB), _FLOOR_DB).astype(np.float32)
    return TrackData(rate // 10 / rate, level, peaks.result()[: len(level)], bands.step / rate, bands.result())


def write_level(data: TrackData, path: Path) -> None:
    """level.csv: time in seconds at the end of each step, momentary loudness, sample peak."""
    rows = zip(data.momentary_lufs, data.peak_dbfs, strict=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("time_s", "momentary_lufs", "peak_dbfs"))
        table.writerows(
            (f"{(i + 1) * data.level_step_s:.1f}", f"{lufs:.1f}", f"{peak:.1f}") for i, (lufs, peak) in enumerate(rows)
        )


def write_spectrum(data: TrackData, path: Path) -> None:
    """spectrum.csv: time in seconds at the start of each step, then dB of 31 third octaves re a full-scale sine."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("time_s", *(f"{name}_hz" for name in BAND_NAMES)))
        for index, row in enumerate(data.bands_db):
            table.writerow((f"{index * data.spectrum_step_s:.1f}", *(f"{value:.1f}" for value in row)))


def level_picture(data: TrackData, colours: Palette) -> Image.Image:
    """Momentary loudness over time, from 3 LU over the loudest (top) to 60 LU below that (bottom)."""

    width, height = _PICTURE
    level = _columns(data.momentary_lufs[:, None], width)[:, 0]
    top = float(level.max(initial=_FLOOR_DB)) + 3.0
    share = np.clip((level - top + 60.0) / 60.0, 0.0, 1.0)
    y = np.arange(height)[:, None]
    edge = (1.0 - share)[None, :] * (height - 1)
    inside = np.clip(y - edge + 0.5, 0.0, 1.0)[..., None]
    ground = ramp((colours.ink,), np.zeros(1, dtype=np.float32))[0]
    body = ramp((*colours.sky, colours.accent), (1.0 - y[:, 0] / height).astype(np.float32))[:, None, :]
    return _image(body * inside + ground * (1 - inside))


def spectrogram_picture(data: TrackData, colours: Palette) -> Image.Image:
    """Third octaves (20 Hz at the bottom, 20 kHz at the top) over time, from 70 dB under the loudest to the loudest."""
    width, height = _PICTURE
    columns = _columns(data.bands_db, width)
    top = float(columns.max(initial=_FLOOR_DB))
    share = np.clip((columns - top + 70.0) / 70.0, 0.0, 1.0)
    rows = np.clip((np.arange(height)[::-1] + 0.5) / height * len(BANDS_HZ) - 0.5, 0, len(BANDS_HZ) - 1)
    low = np.minimum(rows.astype(int), len(BANDS_HZ) - 2)
    part = (rows - low)[:, None]
    values = share.T[low] * (1 - part) + share.T[low + 1] * part
    return _image(ramp((colours.ink, *colours.sky, colours.accent), values.astype(np.float32)))


class _Peaks:
    """The largest sample of every step, over all channels."""

    def __init__(self, step: int) -> None:
        self._step = step
        self._waiting = np.zeros(0, dtype=np.float32)
        self._out: list[NDArray[np.float32]] = []

    def push(self, block: NDArray[np.float32]) -> None:
        ready = np.concatenate((self._waiting, np.abs(block).max(axis=1)))
        whole = len(ready) // self._step
        self._out.append(ready[: whole * self._step].reshape(whole, self._step).max(axis=1, initial=0.0))
        self._waiting = ready[whole * self._step :]

    def result(self) -> NDArray[np.float32]:
        loud = np.concatenate(self._out) if self._out else np.zeros(0, dtype=np.float32)
        return np.array([max(_FLOOR_DB, gain_to_db(float(value))) for value in loud], dtype=np.float32)


class _Bands:
    """Power in third octaves of every step: Hann windows, their powers averaged over a step and over the channels."""

    def __init__(self, rate: int, step: int) -> None:
        self._hops_per_row = 1 if step < _WINDOW else 4
        self._hop = step // self._hops_per_row
        self._frames = 0
        self._hops = 0
        self._hann = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
        self._weights = _band_weights(rate) * (4.0 / (_WINDOW * float((self._hann**2).sum())))
        self._waiting: NDArray[np.float32] | None = None
        self._powers: list[NDArray[np.float64]] = []
        self._out: list[NDArray[np.float32]] = []

    @property
    def step(self) -> int:
        """Frames per row."""
        return self._hop * self._hops_per_row

    def push(self, block: NDArray[np.float32]) -> None:
        if self._waiting is None:
            # Windows lie around the middle of their hop, so a step's row stands for the sound of that step.
            self._waiting = np.zeros((max(0, (_WINDOW - self._hop) // 2), block.shape[1]), dtype=np.float32)
        self._frames += len(block)
        self._waiting = self._take(np.concatenate((self._waiting, block)))

    def result(self) -> NDArray[np.float32]:
        if self._waiting is not None:
            # The sound that is left fills its windows up with silence.
            missing = -(-self._frames // self._hop) - self._hops
            silence = (missing - 1) * self._hop + _WINDOW - len(self._waiting)
            if missing > 0:
                self._take(np.concatenate((self._waiting, np.zeros((silence, self._waiting.shape[1]), np.float32))))
        if self._powers:
            self._finish_row()
        return np.stack(self._out) if self._out else np.zeros((0, len(BANDS_HZ)), dtype=np.float32)

    def _take(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        start = 0
        while start + _WINDOW <= len(samples):
            piece = samples[start : start + _WINDOW] * self._hann[:, None]
            power = np.mean(np.abs(np.fft.rfft(piece, axis=0)) ** 2, axis=1)
            self._powers.append(self._weights @ power)
            if len(self._powers) == self._hops_per_row:
                self._finish_row()
            start += self._hop
            self._hops += 1
        return samples[start:]

    def _finish_row(self) -> None:
        mean = np.mean(self._powers, axis=0)
        self._out.append((10 * np.log10(np.maximum(mean, 10 ** (_FLOOR_DB / 10)))).astype(np.float32))
        self._powers.clear()


def _band_weights(rate: int) -> NDArray[np.float64]:
    """How much of each FFT bin lies in each band, shape (31, bins); bins at the edges count in part."""
    bins = np.arange(_WINDOW // 2 + 1) * rate / _WINDOW
    half = rate / _WINDOW / 2
    centres = np.array(BANDS_HZ)[:, None]
    low, high = centres * 10**-0.05, centres * 10**0.05
    inside = np.minimum(bins + half, high) - np.maximum(bins - half, low)
    return np.asarray(np.clip(inside / (2 * half), 0.0, 1.0))


def _starting(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Loudness of the first steps, before 400 ms are full: over what there is."""
    means = np.cumsum(steps[:3]) / np.arange(1, len(steps[:3]) + 1)
    return -0.691 + 10 * np.log10(np.maximum(means, 1e-13))


def _columns(values: NDArray[np.float32], width: int) -> NDArray[np.float64]:
    """Values over time brought to `width` columns: means where there are more, repeats where there are fewer."""
    if not len(values):
        return np.full((width, values.shape[1]), _FLOOR_DB)
    edges = np.linspace(0, len(values), width + 1)
    return np.array([values[int(a) : max(int(a) + 1, int(b))].mean(axis=0) for a, b in pairwise(edges)], dtype=np.float64)


def _image(light: NDArray[np.float32]) -> Image.Image:
    from PIL import Image

    return Image.fromarray((np.clip(to_srgb(light.astype(np.float32)), 0, 1) * 255 + 0.5).astype(np.uint8))
