"""AutoEnhancer and AutoNoiseReduction: what a recording lacks, and what it has too much of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from llm_music_gen.processing.audio import Audio
from llm_music_gen.processing.auto.choice import Choice
from llm_music_gen.processing.dsp.noise import (
    Hum,
    NoiseProfile,
    clicks_per_minute,
    find_hum,
    noise_profile,
    reduce_noise,
    remove_clicks,
    without_hum,
)
from llm_music_gen.processing.dsp.spectrum import ThirdOctaves, third_octaves
from llm_music_gen.processing.filters import enhance
from llm_music_gen.tools.spec import Range

#: Level of 2 to 5 kHz, and of 8 to 16 kHz, against everything, in good mixes and in harsh ones.
_PRESENCE_WANTED_DB, _PRESENCE_HARSH_DB = -11.0, -6.0
_AIR_WANTED_DB = -17.0
#: What full enhancement adds there.
_FULL_PRESENCE_DB, _FULL_AIR_DB = 2.5, 4.0
#: Hiss this far under the sound is not heard.
_CLEAN_SNR_DB = 50.0
_UNHEARD_NOISE_DBFS = -75.0
_UNHEARD_HUM_DBFS = -72.0
_FEW_CLICKS_A_MINUTE = 0.5


@dataclass(frozen=True, slots=True)
class EnhancerChoice(Choice):
    """How much is added."""

    amount: float


@dataclass(frozen=True, slots=True)
class NoiseChoice(Choice):
    """What is taken out."""

    db: float
    hz: float | None
    clicks: bool
    hum: Hum | None = None
    profile: NoiseProfile | None = None

    def arguments(self) -> dict[str, object]:
        """As the tool takes them; what was found follows from the sound."""
        return {"db": self.db} if self.hz is None else {"db": self.db, "hz": self.hz}


def auto_enhancer(audio: Audio, amount: Annotated[float | None, Range(0, 1)] = None) -> Audio:
    """Add the presence and air that the recording lacks, and never so much that it turns harsh.

    amount: 0 nothing to 1 much; nothing decides by what is there.
    """
    return apply_enhancer(audio, enhancer_choice(audio, amount))


def enhancer_choice(audio: Audio, amount: float | None = None) -> EnhancerChoice:
    """Measures the sound; an amount that is given is held back only where it would turn harsh."""
    return choose_enhancer(third_octaves(audio), amount)


def choose_enhancer(bands: ThirdOctaves, amount: float | None = None) -> EnhancerChoice:
    """As much as brings presence (2 to 5 kHz) and air (8 to 16 kHz) to what good mixes have."""
    presence_db, air_db = _share_db(bands, 2_000, 5_000), _share_db(bands, 8_000, 16_000)
    if not math.isfinite(presence_db):
        return EnhancerChoice("There is nothing up there to bring out.", 0.0)
    lacking = max((_PRESENCE_WANTED_DB - presence_db) / _FULL_PRESENCE_DB, (_AIR_WANTED_DB - air_db) / _FULL_AIR_DB)
    harmless = (_PRESENCE_HARSH_DB - presence_db) / _FULL_PRESENCE_DB
    chosen = float(np.clip(lacking if amount is None else amount, 0.0, max(0.0, min(1.0, harmless))))
    figures = f"Presence {presence_db:.1f} dB and air {air_db:.1f} dB under everything"
    if chosen < 0.05:
        return EnhancerChoice(f"{figures}: enough of both.", 0.0)
    return EnhancerChoice(f"{figures}: {chosen:.0%} enhancement.", round(chosen, 2))


def apply_enhancer(audio: Audio, choice: EnhancerChoice) -> Audio:
    """As the plain tool does it."""
    return enhance(audio, choice.amount) if choice.amount > 0 else audio


def _share_db(bands: ThirdOctaves, low_hz: float, high_hz: float) -> float:
    centres, powers = np.array(bands.centres_hz), 10 ** (np.array(bands.levels_db) / 10)
    inside = powers[(centres >= low_hz * 0.99) & (centres <= high_hz * 1.01)].sum()
    return float(10 * np.log10(inside / powers.sum())) if inside > 0 else -math.inf


def auto_noise_reduction(
    audio: Audio, db: Annotated[float | None, Range(0, 40, "dB")] = None, hz: Annotated[float | None, Range(40, 70, "Hz")] = None
) -> Audio:
    """Find hiss, mains hum and clicks by itself and take out what there is of them.

    db: How far hiss is lowered; nothing decides by how loud it is.
    hz: Frequency of the mains; nothing finds it.
    """
    return apply_noise_reduction(audio, noise_choice(audio, db, hz))


def noise_choice(audio: Audio, db: float | None = None, hz: float | None = None) -> NoiseChoice:
    """Measures clicks, then hum, then hiss."""
    clicks = clicks_per_minute(audio)
    hum = find_hum(audio, hz)
    # Hum is no hiss: the profile is taken after it has gone.
    profile = noise_profile(without_hum(audio, hum) if hum is not None else audio)
    return choose_noise_reduction(profile, hum, clicks, db)


def choose_noise_reduction(profile: NoiseProfile, hum: Hum | None, clicks: float, db: float | None = None) -> NoiseChoice:
    """Hiss is lowered to where it is not heard any more, by at most 18 dB; inaudible hum and single clicks are left."""
    told = []
    audible = profile.level_dbfs > _UNHEARD_NOISE_DBFS and profile.snr_db < _CLEAN_SNR_DB
    chosen_db = db
    if chosen_db is None:
        chosen_db = round(float(np.clip(_CLEAN_SNR_DB - profile.snr_db, 6.0, 18.0)), 1) if audible and profile.snr_db > 3 else 0.0
    if chosen_db:
        told.append(
            f"hiss at {profile.level_dbfs:.0f} dBFS, {profile.snr_db:.0f} dB under the sound, lowered by {chosen_db:g} dB"
        )
    if hum is not None and hum.level_dbfs < _UNHEARD_HUM_DBFS:
        hum = None
    if hum is not None:
        told.append(f"hum at {hum.frequency_hz:.2f} Hz with {len(hum.harmonics) - 1} harmonics")
    if clicks > _FEW_CLICKS_A_MINUTE:
        told.append(f"{clicks:.0f} clicks a minute")
    reason = f"Found {', '.join(told)}." if told else "No noise worth taking out was found."
    return NoiseChoice(
        reason, chosen_db, hum.frequency_hz if hum is not None else None, clicks > _FEW_CLICKS_A_MINUTE, hum, profile
    )


def apply_noise_reduction(audio: Audio, choice: NoiseChoice) -> Audio:
    """Clicks first, as they would spoil the rest; then hum, then hiss."""
    out = remove_clicks(audio) if choice.clicks else audio
    if choice.hum is not None:
        out = without_hum(out, choice.hum)
    return reduce_noise(out, choice.db, choice.profile) if choice.db else out
