"""Everything that this room measures of a sound, in one walk through its blocks: loudness in sone, sharpness, roughness, levels,
standing tones, the beat between the channels, and what pictures are made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.describing.levels import LevelMeter, SoundLevels
from llm_music_gen.describing.roughness import RoughnessMeter
from llm_music_gen.describing.spectrogram import Spectrogram, SpectrogramMeter
from llm_music_gen.describing.tones import Beat, Tone, ToneFinder
from llm_music_gen.describing.zwicker import LOUDNESS_RATE_HZ, Zwicker, ZwickerMeter, phon
from llm_music_gen.domain.progress import Progress, Work

#: What a full-scale sine is taken for where nothing else is said: a recording at -24 LUFS then plays at about 70 dB.
DEFAULT_CALIBRATION_DB = 94.0
LOWEST_CALIBRATION_DB, HIGHEST_CALIBRATION_DB = 40.0, 140.0
_REFERENCE_PA = 2e-5
_PERCENTILES = (5, 10, 50, 90, 95)
#: An onset: loudness rises by this factor and this many sone within a tenth of a second.
_RISE, _RISE_SONE, _RISE_S, _APART_S = 1.35, 0.4, 0.1, 0.15


@dataclass(frozen=True, slots=True)
class Hearing:
    """What was measured."""

    calibration_db: float
    """Sound pressure level that a full-scale sine was taken for."""
    zwicker: Zwicker
    levels: SoundLevels
    roughness_asper: float
    roughness_10_asper: float
    """Exceeded a tenth of the time."""
    tones: tuple[Tone, ...]
    """Those that stand, the strongest first, then the pitches that come and go."""
    beat: Beat | None
    onsets_per_s: float
    """How often something begins: steep rises of loudness."""
    spectrogram: Spectrogram

    @property
    def sharpness_acum(self) -> float:
        """Median over time of what is loud enough to be judged."""
        heard = self.zwicker.sharpness_acum[self.zwicker.sharpness_acum > 0]
        return float(np.median(heard)) if len(heard) else 0.0

    def loudness_json(self) -> dict[str, Any]:
        """Numbers as `describe --json` prints them."""
        zwicker, levels = self.zwicker, self.levels
        stationary = zwicker.stationary_sone
        return {
            "calibration_db_spl": round(self.calibration_db, 2),
            "stationary_sone": round(stationary, 3),
            "stationary_phon": round(phon(stationary), 1),
            **{f"n{percent}_sone": round(zwicker.percentile_sone(percent), 3) for percent in _PERCENTILES},
            "sharpness_acum": round(self.sharpness_acum, 3),
            "stationary_sharpness_acum": round(zwicker.stationary_sharpness_acum, 3),
            "roughness_asper": round(self.roughness_asper, 3),
            "roughness_10_asper": round(self.roughness_10_asper, 3),
            "laeq_db": round(levels.laeq_db, 1),
            **{f"la{percent}_db": round(level, 1) for percent, level in levels.percentiles_db.items()},
            "onsets_per_s": round(self.onsets_per_s, 2),
        }


def hearing(
    blocks: Iterable[NDArray[np.float32]],
    *,
    sample_rate_hz: int,
    channels: int,
    frames: int,
    calibration_db: float = DEFAULT_CALIBRATION_DB,
    message: str = "Listening",
) -> Work[Hearing]:
    """Listen to a stream of blocks of shape (n, channels), `frames` in all. Memory does not grow with the length but for the
    loudness curve (7 MB an hour)."""
    scale = np.float32(_REFERENCE_PA * 10 ** (calibration_db / 20) * np.sqrt(2))
    zwicker, levels = ZwickerMeter(sample_rate_hz, channels), LevelMeter(sample_rate_hz)
    rough, finder = RoughnessMeter(sample_rate_hz, frames), ToneFinder(sample_rate_hz, frames)
    grid = SpectrogramMeter(sample_rate_hz, frames)
    done = 0
    for block in blocks:
        pressure = block * scale
        zwicker.push(pressure)
        levels.push(pressure)
        rough.push(pressure)
        finder.push(block)
        grid.push(block)
        done += len(block)
        yield Progress("listen", min(1.0, done / max(1, frames)), message)
    heard = zwicker.result()
    beat = finder.beat()
    return Hearing(
        calibration_db=calibration_db,
        zwicker=heard,
        levels=levels.result(),
        roughness_asper=float(np.mean(rough.values)) if rough.values else 0.0,
        roughness_10_asper=float(np.percentile(rough.values, 90)) if rough.values else 0.0,
        tones=(*(tone for tone in finder.tones() if not _part_of(beat, tone)), *finder.notes()),
        beat=beat,
        onsets_per_s=_onsets(heard.loudness_sone) / max(1.0, frames / sample_rate_hz),
        spectrogram=grid.result(),
    )


def _part_of(beat: Beat | None, tone: Tone) -> bool:
    """Whether a tone is one ear's of a beat that moves: then its place says nothing."""
    reach = 0.0 if beat is None else beat.highest_hz / 2 + 0.2
    return beat is not None and beat.glides and tone.channels != "both" and abs(tone.frequency_hz - beat.carrier_hz) <= reach


def _onsets(loudness_sone: NDArray[np.float32]) -> int:
    """Steep rises of loudness, each counted once."""
    step = round(_RISE_S * LOUDNESS_RATE_HZ)
    if len(loudness_sone) <= 2 * step:
        return 0
    before, after = loudness_sone[:-step], loudness_sone[step:]
    rising = (after > _RISE * before) & (after - before > _RISE_SONE)
    starts = np.flatnonzero(rising[1:] & ~rising[:-1])
    apart = np.diff(starts, prepend=-LOUDNESS_RATE_HZ) > _APART_S * LOUDNESS_RATE_HZ
    return int(np.count_nonzero(apart))
