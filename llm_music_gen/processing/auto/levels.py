"""AutoGain, AutoCompressor and AutoLimiter: level measured, then set."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.processing.audio import Audio
from llm_music_gen.processing.auto.choice import Choice
from llm_music_gen.processing.dsp.spectrum import exact_blocks
from llm_music_gen.processing.levels import compress, limit, normalize
from llm_music_gen.processing.measure import loudness_of
from llm_music_gen.sound.loudness import Loudness, LoudnessMeter, loudest
from llm_music_gen.tools.spec import Range
from llm_music_gen.units import gain_to_db

DEFAULT_LUFS, DEFAULT_CEILING_DB = -14.0, -1.0
#: Lossy encoders move the peaks of loud music by more than a decibel.
_LOUD_LUFS, _LOUD_CEILING_DB = -13.0, -2.0
#: So many decibels a limiter takes off peaks unheard; beyond that the target is lowered.
_UNHEARD_LIMITING_DB = 7.0
_SOFTEST_TARGET_LUFS = -20.0
_LEVEL_S = 0.05
_EVEN_CREST_DB, _EVEN_RANGE_LU = 9.0, 4.0


@dataclass(frozen=True, slots=True)
class GainChoice(Choice):
    """What AutoGain aims at."""

    lufs: float
    tp: float


@dataclass(frozen=True, slots=True)
class LimiterChoice(Choice):
    """What AutoLimiter holds."""

    ceiling_db: float


@dataclass(frozen=True, slots=True)
class CompressorChoice(Choice):
    """How AutoCompressor is set; a ratio of 1 leaves the sound alone."""

    threshold_db: float
    ratio: float
    attack_ms: float
    release_ms: float


@dataclass(frozen=True, slots=True)
class Dynamics:
    """How loud and soft follow each other."""

    crest_db: float
    """From the level of what is heard up to the peak."""
    range_lu: float
    level_db: float
    """RMS of what is heard, loudest channel."""
    loud_db: float
    """Level that is passed a tenth of the time."""


def auto_gain(
    audio: Audio,
    lufs: Annotated[float | None, Range(-50, -5, "LUFS")] = None,
    tp: Annotated[float | None, Range(-12, 0, "dBTP")] = None,
) -> Audio:
    """Bring it to the loudness it should have, with a ceiling for the true peak.

    lufs: Loudness wanted; nothing takes -14, or less where peaks would have to be limited audibly.
    tp: Ceiling of the true peak; nothing takes -1.
    """
    return apply_gain(audio, gain_choice(audio, lufs, tp))


def gain_choice(audio: Audio, lufs: float | None = None, tp: float | None = None) -> GainChoice:
    """Measures the sound where it has to."""
    if lufs is not None:
        ceiling_db = DEFAULT_CEILING_DB if tp is None else tp
        return GainChoice(f"To {lufs:g} LUFS with peaks under {ceiling_db:g} dBTP, as asked.", lufs, ceiling_db)
    return choose_gain(loudness_of(audio), tp)


def choose_gain(loudness: Loudness, tp: float | None = None) -> GainChoice:
    """The target for a sound of this loudness and true peak."""
    ceiling_db = DEFAULT_CEILING_DB if tp is None else tp
    if not math.isfinite(loudness.integrated_lufs):
        return GainChoice("It is silent; nothing to bring up.", DEFAULT_LUFS, ceiling_db)
    peak_over_level = loudness.true_peak_dbtp - loudness.integrated_lufs
    loudest_lufs = ceiling_db - peak_over_level + _UNHEARD_LIMITING_DB
    lufs = round(min(DEFAULT_LUFS, max(_SOFTEST_TARGET_LUFS, loudest_lufs)), 1)
    was = f"It was at {loudness.integrated_lufs:.1f} LUFS with peaks at {loudness.true_peak_dbtp:.1f} dBTP"
    if lufs < DEFAULT_LUFS:
        return GainChoice(f"{was}; {DEFAULT_LUFS:g} LUFS would squash its peaks, so {lufs:g} LUFS.", lufs, ceiling_db)
    return GainChoice(f"{was}; to {lufs:g} LUFS with peaks under {ceiling_db:g} dBTP.", lufs, ceiling_db)


def apply_gain(audio: Audio, choice: GainChoice) -> Audio:
    """As the plain tool does it."""
    return normalize(audio, choice.lufs, choice.tp)


def auto_limiter(audio: Audio, ceiling_db: Annotated[float | None, Range(-40, 0, "dBTP")] = None) -> Audio:
    """Hold all peaks, also those between samples, under a ceiling that fits the loudness.

    ceiling_db: The ceiling; nothing takes -1, or -2 for music so loud that encoders move its peaks.
    """
    return apply_limiter(audio, limiter_choice(audio, ceiling_db))


def limiter_choice(audio: Audio, ceiling_db: float | None = None) -> LimiterChoice:
    """Measures the sound where it has to."""
    if ceiling_db is not None:
        return LimiterChoice(f"Peaks under {ceiling_db:g} dBTP, as asked.", ceiling_db)
    return choose_limiter(loudness_of(audio, true_peak=False))


def choose_limiter(loudness: Loudness) -> LimiterChoice:
    """The ceiling for a sound of this loudness."""
    if loudness.integrated_lufs > _LOUD_LUFS:
        reason = (
            f"At {loudness.integrated_lufs:.1f} LUFS encoders move peaks by more than a decibel, so {_LOUD_CEILING_DB:g} dBTP."
        )
        return LimiterChoice(reason, _LOUD_CEILING_DB)
    return LimiterChoice(f"Peaks under {DEFAULT_CEILING_DB:g} dBTP, which leaves encoders their room.", DEFAULT_CEILING_DB)


def apply_limiter(audio: Audio, choice: LimiterChoice) -> Audio:
    """As the plain tool does it."""
    return limit(audio, choice.ceiling_db)


def auto_compressor(
    audio: Audio,
    threshold_db: Annotated[float | None, Range(-60, 0, "dB")] = None,
    ratio: Annotated[float | None, Range(1, 20)] = None,
    attack_ms: Annotated[float | None, Range(0.1, 200, "ms")] = None,
    release_ms: Annotated[float | None, Range(5, 2000, "ms")] = None,
) -> Audio:
    """Bring loud and soft nearer to each other, as far as the sound needs it.

    threshold_db: Where it begins; nothing takes what is loud for this sound.
    ratio: How many dB above become one; nothing decides by crest factor and loudness range.
    attack_ms: How fast it takes hold; nothing decides by the crest factor.
    release_ms: How fast it lets go; nothing decides by the loudness range.
    """
    return apply_compressor(audio, compressor_choice(audio, threshold_db, ratio, attack_ms, release_ms))


def compressor_choice(
    audio: Audio,
    threshold_db: float | None = None,
    ratio: float | None = None,
    attack_ms: float | None = None,
    release_ms: float | None = None,
) -> CompressorChoice:
    """Measures the sound; what is given stays as given."""
    chosen = choose_compressor(dynamics_of(audio))
    return CompressorChoice(
        chosen.reason,
        chosen.threshold_db if threshold_db is None else threshold_db,
        chosen.ratio if ratio is None else ratio,
        chosen.attack_ms if attack_ms is None else attack_ms,
        chosen.release_ms if release_ms is None else release_ms,
    )


def dynamics_of(audio: Audio) -> Dynamics:
    """Crest factor, loudness range and levels, in one walk."""
    meter = LoudnessMeter(audio.sample_rate_hz, audio.channels, true_peak=False)
    step = max(1, round(_LEVEL_S * audio.sample_rate_hz))
    parts: list[NDArray[np.float32]] = []
    peak = 0.0
    for block in exact_blocks(audio, max(1, (1 << 16) // step) * step):
        meter.push(block)
        peak = max(peak, float(loudest(block).max(initial=0.0)))
        whole = block[: len(block) // step * step] if len(block) >= step else block
        grouped = np.square(whole).reshape(max(1, len(whole) // step), -1, audio.channels)
        parts.append(grouped.mean(axis=1).max(axis=1))
    powers = np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)
    heard = powers[powers > max(1e-7, 1e-3 * float(powers.max(initial=0.0)))]
    if not len(heard):
        return Dynamics(0.0, 0.0, -math.inf, -math.inf)
    level_db = 10 * math.log10(float(heard.mean()))
    loud_db = 10 * math.log10(float(np.percentile(heard, 90)))
    return Dynamics(gain_to_db(peak) - level_db, meter.result().range_lu, level_db, loud_db)


def choose_compressor(dynamics: Dynamics) -> CompressorChoice:
    """Gentle for what is even, firmer for wide dynamics: at most 4 to 1.

    Sharp peaks (a high crest factor) let it take hold faster, wide swings let it let go slowly.
    """
    if not math.isfinite(dynamics.level_db):
        return CompressorChoice("It is silent; nothing to compress.", 0.0, 1.0, 15.0, 150.0)
    figures = f"Crest factor {dynamics.crest_db:.1f} dB, loudness range {dynamics.range_lu:.1f} LU"
    excess = max(0.0, dynamics.crest_db - _EVEN_CREST_DB) / 9.0 + max(0.0, dynamics.range_lu - _EVEN_RANGE_LU) / 10.0
    ratio = round(1.0 + 2.5 * (1.0 - math.exp(-excess)), 1) if excess > 0.05 else 1.0
    if ratio <= 1.1:
        return CompressorChoice(f"{figures}: already even, left alone.", 0.0, 1.0, 15.0, 150.0)
    # Wide swings are held from the middle of the levels on, otherwise only what is loud is touched.
    threshold_db = dynamics.loud_db - min(6.0, 0.5 * dynamics.range_lu)
    attack_ms = round(float(np.interp(dynamics.crest_db, (10, 22), (30, 8))), 1)
    release_ms = round(float(np.interp(dynamics.range_lu, (3, 15), (120, 400))))
    reason = f"{figures}: {ratio:g} to 1 from {threshold_db:.1f} dB."
    return CompressorChoice(reason, round(float(np.clip(threshold_db, -60.0, 0.0)), 1), ratio, attack_ms, float(release_ms))


def apply_compressor(audio: Audio, choice: CompressorChoice) -> Audio:
    """As the plain tool does it."""
    if choice.ratio <= 1.0:
        return audio
    return compress(audio, choice.threshold_db, choice.ratio, choice.attack_ms, choice.release_ms)
