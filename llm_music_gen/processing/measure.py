"""What can be said about a sound in numbers: loudness, peaks, clipping, silence, noise, spectrum, stereo. One streaming pass."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.progress import Progress, Work, finish
from llm_music_gen.processing.audio import Audio, Block
from llm_music_gen.processing.dsp.spectrum import LongTermSpectrum, ThirdOctaves
from llm_music_gen.sound.loudness import Loudness, LoudnessMeter, loudest
from llm_music_gen.units import db_to_gain

#: Full scale in 16 bits is this; three such samples in a row are a flat top.
_FULL_SCALE = 0.99995
_CLIPPED_RUN = 3
SILENCE_DBFS = -60.0
_SILENCE_S = 0.01
_LEVEL_S = 0.05
#: Under this there is no noise but rounding: digital silence says nothing about a room.
_DIGITAL_SILENCE_DBFS = -100.0
#: What is softer than this is nothing, whatever rounding left of it.
_NOTHING_DB = 200.0
#: The standard's gating blocks are this long; shorter sounds are measured as if they went on.
_SHORTEST_S = 0.5


@dataclass(frozen=True, slots=True)
class Silence:
    """Where nothing is heard: stretches under -60 dBFS."""

    leading_s: float
    trailing_s: float
    longest_s: float


@dataclass(frozen=True, slots=True)
class Stereo:
    """How two channels relate."""

    correlation: float
    """1 mono, 0 unrelated, -1 cancels in mono."""
    side_to_mid_db: float
    """-inf for mono."""
    mono_loss_db: float
    """How much softer the mono sum is than the mean of both channels."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured. Levels in dB full scale, -inf for silence."""

    duration_s: float
    sample_rate_hz: int
    channels: int
    lufs: float
    lra: float
    true_peak_dbtp: float
    sample_peak_dbfs: float
    rms_dbfs: float
    dc_dbfs: float
    clipping: int
    """Samples inside flat tops at full scale."""
    silence: Silence
    noise_floor_dbfs: float
    """RMS of the quietest twentieth of all moments that are no digital silence; -inf where there is none."""
    snr_db: float | None
    """From the noise floor up to the mean level of what stands out of it; None where nothing can be told."""
    spectrum: ThirdOctaves
    stereo: Stereo | None
    """None for anything but two channels."""

    @property
    def crest_db(self) -> float:
        """From RMS to the sample peak."""
        return self.sample_peak_dbfs - self.rms_dbfs if math.isfinite(self.rms_dbfs) else 0.0

    def as_json(self) -> dict[str, Any]:
        """Under the names of `analyze`'s metrics; None where there is no number (silence)."""
        stereo = self.stereo
        return {
            "duration": round(self.duration_s, 4),
            "sample_rate": self.sample_rate_hz,
            "channels": self.channels,
            "lufs": _number(self.lufs),
            "lra": _number(self.lra),
            "true_peak": _number(self.true_peak_dbtp),
            "sample_peak": _number(self.sample_peak_dbfs),
            "rms": _number(self.rms_dbfs),
            "crest": _number(self.crest_db),
            "dc": _number(self.dc_dbfs),
            "clipping": self.clipping,
            "silence": {
                "leading_s": round(self.silence.leading_s, 3),
                "trailing_s": round(self.silence.trailing_s, 3),
                "longest_s": round(self.silence.longest_s, 3),
            },
            "noise_floor": _number(self.noise_floor_dbfs),
            "snr": None if self.snr_db is None else _number(self.snr_db),
            "spectrum": {
                "centres_hz": [round(hz, 1) for hz in self.spectrum.centres_hz],
                "levels_db": [_number(level) for level in self.spectrum.levels_db],
            },
            "stereo": None
            if stereo is None
            else {
                "correlation": round(stereo.correlation, 3),
                "side_to_mid": _number(stereo.side_to_mid_db),
                "mono_loss": _number(stereo.mono_loss_db),
            },
        }


def measure(audio: Audio) -> Measurement:
    """Everything, in one walk. Sounds shorter than half a second are measured as if they were repeated."""
    return finish(measuring(audio))


def measuring(audio: Audio, stage: str = "measure", message: str = "Measuring") -> Work[Measurement]:
    """As `measure`, with progress."""
    meter = LoudnessMeter(audio.sample_rate_hz, audio.channels)
    watch = _Watch(audio)
    long_term = LongTermSpectrum(audio)
    done = 0
    for block in audio.walk():
        meter.push(block)
        watch.push(block)
        long_term.push(block)
        done += len(block)
        yield Progress(stage, min(1.0, done / max(1, audio.frames)), message)
    loudness = meter.result()
    lufs = loudness.integrated_lufs if audio.length_s >= _SHORTEST_S else loudness_of(audio, true_peak=False).integrated_lufs
    noise_floor, snr = watch.noise()
    return Measurement(
        duration_s=audio.length_s,
        sample_rate_hz=audio.sample_rate_hz,
        channels=audio.channels,
        lufs=lufs,
        lra=loudness.range_lu,
        true_peak_dbtp=loudness.true_peak_dbtp,
        sample_peak_dbfs=loudness.sample_peak_dbfs,
        rms_dbfs=watch.rms_dbfs(),
        dc_dbfs=loudness.dc_dbfs,
        clipping=watch.clipped,
        silence=watch.silence(),
        noise_floor_dbfs=noise_floor,
        snr_db=snr,
        spectrum=long_term.result(),
        stereo=watch.stereo(),
    )


@lru_cache(maxsize=2)
def loudness_of(audio: Audio, *, true_peak: bool = True) -> Loudness:
    """Loudness and peak alone. Sounds shorter than half a second are measured as if they were repeated.

    Remembered for the sound asked about last, since whoever chooses a level and whoever sets it both ask.
    """
    return metered(audio, true_peak=true_peak)


def metered(audio: Audio, *, true_peak: bool = True) -> Loudness:
    """As `loudness_of`, for sounds that nobody will ask about again."""
    meter = LoudnessMeter(audio.sample_rate_hz, audio.channels, true_peak=true_peak)
    if 0 < audio.length_s < _SHORTEST_S:
        meter.push(np.tile(np.concatenate(list(audio.walk())), (math.ceil(_SHORTEST_S / audio.length_s), 1)))
        return meter.result()
    for block in audio.walk():
        meter.push(block)
    return meter.result()


class _Watch:
    """What the loudness meter and the spectrum do not tell. Fed block by block."""

    def __init__(self, audio: Audio) -> None:
        self.clipped = 0
        self._audio = audio
        self._flat = np.zeros((_CLIPPED_RUN - 1, audio.channels), dtype=bool)
        self._counted = np.zeros_like(self._flat)
        self._levels = _Steps(max(1, round(_LEVEL_S * audio.sample_rate_hz)))
        self._peaks = _Steps(max(1, round(_SILENCE_S * audio.sample_rate_hz)))
        # Left with left, right with right, left with right.
        self._products = np.zeros(3)

    def push(self, block: Block) -> None:
        if not len(block):
            return
        loud = loudest(block)
        self._peaks.push(loud, np.maximum)
        power: NDArray[Any] = np.einsum("ij,ij->i", block, block) / self._audio.channels
        self._levels.push(power, np.add)
        self._count_clipped(block, float(loud.max()))
        if self._audio.channels == 2:
            left, right = (np.ascontiguousarray(channel) for channel in block.T)
            self._products += (float(left @ left), float(right @ right), float(left @ right))

    def _count_clipped(self, block: Block, loud: float) -> None:
        if loud < _FULL_SCALE and not self._flat.any():
            return
        flat = np.concatenate((self._flat, np.abs(block) >= _FULL_SCALE))
        starts = flat[:-2] & flat[1:-1] & flat[2:]
        inside = np.zeros_like(flat)
        for shift in range(_CLIPPED_RUN):
            inside[shift : shift + len(starts)] |= starts
        # A run that reaches into the block was counted as far as it went there.
        counted = np.zeros_like(flat)
        counted[: _CLIPPED_RUN - 1] = self._counted
        self.clipped += int((inside & ~counted).sum())
        self._flat = flat[-(_CLIPPED_RUN - 1) :]
        self._counted = (inside | counted)[-(_CLIPPED_RUN - 1) :]

    def rms_dbfs(self) -> float:
        total = self._levels.total()
        return _db(total / self._audio.frames) if self._audio.frames else -math.inf

    def silence(self) -> Silence:
        sounding = np.flatnonzero(self._peaks.values() >= db_to_gain(SILENCE_DBFS))
        length_s, step_s = self._audio.length_s, self._peaks.frames / self._audio.sample_rate_hz
        if not len(sounding):
            return Silence(length_s, length_s, length_s)
        leading = sounding[0] * step_s
        trailing = max(0.0, length_s - (sounding[-1] + 1) * step_s)
        inner = (np.diff(sounding).max() - 1) * step_s if len(sounding) > 1 else 0.0
        return Silence(float(leading), float(trailing), float(max(leading, trailing, inner)))

    def noise(self) -> tuple[float, float | None]:
        """Noise floor in dBFS and signal-to-noise ratio in dB."""
        power = self._levels.values() / self._levels.frames
        power = power[power > 10 ** (_DIGITAL_SILENCE_DBFS / 10)]
        if not len(power):
            return -math.inf, None
        floor = float(np.quantile(power, 0.05))
        standing_out = power[power > floor * 4.0]
        if not len(standing_out):
            return _db(floor), None
        return _db(floor), _db(float(standing_out.mean())) - _db(floor)

    def stereo(self) -> Stereo | None:
        if self._audio.channels != 2:
            return None
        left, right, both = self._products
        if left + right == 0.0:
            return Stereo(1.0, -math.inf, 0.0)
        mid, side = (left + right + 2 * both) / 4, (left + right - 2 * both) / 4
        correlation = both / math.sqrt(left * right) if left * right > 0 else 0.0
        return Stereo(float(correlation), _db(side / mid) if mid > 0 else math.inf, _db((left + right) / 2) - _db(mid))


class _Steps:
    """One value for each step of so many frames: the sum or the largest of what lies in it."""

    def __init__(self, frames: int) -> None:
        self.frames = frames
        self._parts: list[NDArray[np.float32]] = []
        self._waiting = np.zeros(0)
        self._combine: np.ufunc = np.add

    def push(self, values: NDArray[Any], combine: np.ufunc) -> None:
        self._combine = combine
        ready = np.concatenate((self._waiting, values)) if len(self._waiting) else values
        steps = len(ready) // self.frames
        if steps:
            self._parts.append(
                combine.reduce(ready[: steps * self.frames].reshape(steps, self.frames), axis=1).astype(np.float32)
            )
        self._waiting = ready[steps * self.frames :]

    def values(self) -> NDArray[np.float64]:
        """Of the steps so far; the last, shorter one counts where it is the only one or at least half a step."""
        parts = list(self._parts)
        if len(self._waiting) >= self.frames / 2 or (len(self._waiting) and not parts):
            parts.append(np.array([self._combine.reduce(self._waiting)], dtype=np.float32))
        return np.concatenate(parts).astype(np.float64) if parts else np.zeros(0)

    def total(self) -> float:
        return float(sum(float(part.sum(dtype=np.float64)) for part in self._parts) + float(np.sum(self._waiting)))


def _db(power: float) -> float:
    return 10.0 * math.log10(power) if power > 1e-20 else -math.inf


def _number(value: float) -> float | None:
    return round(value, 2) if math.isfinite(value) and value > -_NOTHING_DB else None
