"""AutoEQ: the long-term spectrum of a sound brought to that of a target or of another file, by at most 6 dB."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.processing.audio import Audio
from llm_music_gen.processing.auto.choice import Choice
from llm_music_gen.processing.auto.targets import target as target_named
from llm_music_gen.processing.auto.targets import targets
from llm_music_gen.processing.dsp.fir import convolved, minimum_phase
from llm_music_gen.processing.dsp.spectrum import LongTermSpectrum, ThirdOctaves, band_centres_hz, level_at
from llm_music_gen.processing.files import opened
from llm_music_gen.tools.spec import Range

MAX_DB = 6.0
#: A band this far under the strongest is as good as empty: what is raised there is noise.
_EMPTY_DB = 75.0
#: A band that would need so much more than is allowed holds nothing to bring out and is left; in between, less is done.
_HOPELESS_DB = 12.0
_ROUNDS = 12
#: Half of what is flat in each band, natural logarithm of frequency; the band itself reaches 0.115 to both sides.
_FLAT = 0.07
#: Between these the shape counts when target and sound are laid over each other.
_HEARD_HZ = (60.0, 12_500.0)


@dataclass(frozen=True, slots=True)
class EqChoice(Choice):
    """What AutoEQ does to each third-octave."""

    target: str | None
    reference: str | None
    max_db: float
    centres_hz: tuple[float, ...] = ()
    gains_db: tuple[float, ...] = ()
    """Level change wanted in each band."""
    curve_db: tuple[float, ...] = ()
    """The filter: gains at evenly spaced frequencies from 0 to half the sample rate."""

    def arguments(self) -> dict[str, object]:
        """As the tool takes them; the curve follows from them and the sound."""
        pairs = {"target": self.target, "reference": self.reference, "max_db": self.max_db}
        return {name: value for name, value in pairs.items() if value is not None}


def auto_eq(
    audio: Audio, target: str | None = None, reference: str | None = None, max_db: Annotated[float, Range(0, 6, "dB")] = MAX_DB
) -> Audio:
    """Bring the long-term spectrum to a target, or to that of another recording.

    target: pop, speech, acoustic, youtube, podcast, warm, bright, dark, bass or flat; nothing takes the one that is nearest.
    reference: A file to sound like, instead of a target.
    max_db: The most that any part of the spectrum is changed.
    """
    return apply_eq(audio, eq_choice(audio, target, reference, max_db))


def eq_choice(audio: Audio, target: str | None = None, reference: str | None = None, max_db: float = MAX_DB) -> EqChoice:
    """Measures the sound, and the reference where there is one."""
    power = mean_power(audio)
    aim = None
    if reference is not None:
        other = opened(Path(reference)).audio
        spectrum = LongTermSpectrum(other)
        for block in other.walk():
            spectrum.push(block)
        aim = spectrum.result()
    return choose_eq(power, audio.sample_rate_hz, target=target, aim=aim, reference=reference, max_db=max_db)


def mean_power(audio: Audio) -> NDArray[np.float64]:
    """Mean power spectrum of what is heard, shape (bins,)."""
    spectrum = LongTermSpectrum(audio)
    for block in audio.walk():
        spectrum.push(block)
    return spectrum.power()


def choose_eq(
    power: NDArray[np.float64],
    sample_rate_hz: int,
    *,
    target: str | None = None,
    aim: ThirdOctaves | None = None,
    reference: str | None = None,
    max_db: float = MAX_DB,
) -> EqChoice:
    """The curve that brings a mean power spectrum of shape (bins,) to its target, band by band.

    `aim` is the spectrum of a reference. Raises UsageError for a target that does not exist.
    """
    bands = _Bands.of(sample_rate_hz, len(power))
    levels = bands.levels_db(power)
    centres = bands.centres_hz
    if not len(centres) or not power.any():
        return EqChoice("There is nothing to equalise.", target, reference, max_db)
    full = levels > levels.max() - _EMPTY_DB
    name = target
    if aim is not None:
        wanted_levels, towards = level_at(centres, _finite(aim)), Path(reference or "").name
    else:
        name = target or _nearest(centres, levels, full)
        chosen = target_named(name)
        wanted_levels, towards = level_at(centres, chosen.bands), chosen.words
    heard = full & (np.array(centres) >= _HEARD_HZ[0]) & (np.array(centres) <= _HEARD_HZ[1])
    away = wanted_levels - levels
    wanted = np.where(full, away - _level(away[full], away[heard if heard.any() else full], max_db), 0.0)
    gains = np.clip(wanted, -max_db, max_db) * np.clip(1.0 - (wanted - max_db) / _HOPELESS_DB, 0.0, 1.0)
    curve = _curve(bands, power, gains, max_db)
    strongest = int(np.argmax(np.abs(gains)))
    reason = f"Towards {towards}: up to {abs(gains[strongest]):.1f} dB, most at {centres[strongest]:.0f} Hz."
    return EqChoice(
        reason, name if aim is None else None, reference, max_db, centres, tuple(gains.tolist()), tuple(curve.tolist())
    )


def _level(away: NDArray[np.float64], heard: NDArray[np.float64], max_db: float) -> float:
    """How the target is laid over the sound: where least of it is out of reach, otherwise in the middle of what is heard."""
    middle = float(np.median(heard))
    levels = middle + np.linspace(-max_db, max_db, 121)
    beyond = np.clip(np.abs(away[:, None] - levels) - 0.95 * max_db, 0.0, 0.5 * max_db).sum(axis=0)
    return float(levels[int(np.argmin(beyond + 0.02 * np.abs(levels - middle)))])


def apply_eq(audio: Audio, choice: EqChoice) -> Audio:
    """The sound through the chosen curve, as a minimum-phase filter."""
    if not choice.curve_db or not any(choice.curve_db):
        return audio
    return convolved(audio, minimum_phase(np.array(choice.curve_db), taps=len(choice.curve_db) // 2))


@dataclass(frozen=True, eq=False, slots=True)
class _Bands:
    centres_hz: tuple[float, ...]
    shares: NDArray[np.float64]
    """How much of each bin lies in each band, shape (bands, bins)."""

    @staticmethod
    def of(sample_rate_hz: int, bins: int) -> _Bands:
        centres = np.array(band_centres_hz(sample_rate_hz))
        width = sample_rate_hz / 2 / (bins - 1)
        low, high = (np.arange(bins) - 0.5) * width, (np.arange(bins) + 0.5) * width
        inside = np.minimum(high, centres[:, None] * 10**0.05) - np.maximum(low, centres[:, None] * 10**-0.05)
        return _Bands(tuple(centres.tolist()), np.clip(inside / width, 0.0, 1.0))

    def levels_db(self, power: NDArray[np.float64]) -> NDArray[np.float64]:
        """Level in each band."""
        return np.asarray(10 * np.log10(np.maximum(self.shares @ power, 1e-20)))


def _curve(bands: _Bands, power: NDArray[np.float64], gains: NDArray[np.float64], max_db: float) -> NDArray[np.float64]:
    """Gains over frequency that change each band by what is wanted, whatever lies in it and wherever in the band it lies."""
    bins = len(power)
    before = bands.levels_db(power)
    at = np.log(np.maximum(np.linspace(0.0, 1.0, bins), 0.5 / bins))
    places = bands.shares @ np.arange(bins) / np.maximum(bands.shares.sum(axis=1), 1e-9)
    centres = np.log(np.maximum(places, 0.5) / (bins - 1))
    # Flat in the middle of a band, where most of it lies.
    knots = np.sort(np.concatenate((centres - _FLAT, centres + _FLAT)))
    points = gains.copy()
    curve = np.interp(at, knots, np.repeat(points, 2))
    for _ in range(_ROUNDS):
        reached = bands.levels_db(power * 10 ** (curve / 10)) - before
        points = np.clip(points + 0.8 * (gains - reached), -max_db, max_db)
        curve = np.interp(at, knots, np.repeat(points, 2))
    return np.asarray(curve, dtype=np.float64)


def _nearest(centres: tuple[float, ...], levels: NDArray[np.float64], full: NDArray[np.bool_]) -> str:
    """The plain target whose shape is least away: what a recording already is, it shall be better."""
    heard = full & (np.array(centres) >= _HEARD_HZ[0]) & (np.array(centres) <= _HEARD_HZ[1])
    if not heard.any():
        return "pop"

    def distance(name: str) -> float:
        return float(np.std((level_at(centres, targets()[name].bands) - levels)[heard]))

    return min(("pop", "speech", "acoustic"), key=distance)


def _finite(bands: ThirdOctaves) -> ThirdOctaves:
    levels = np.array(bands.levels_db)
    floor = levels[np.isfinite(levels)].min(initial=-100.0)
    return ThirdOctaves(bands.centres_hz, tuple(float(level) for level in np.where(np.isfinite(levels), levels, floor)))
