"""How a soundscape may feel: the eight qualities of ISO 12913-2 and their projection on two axes by ISO 12913-3.

The projection is the standard's. The qualities are not: they are worked out from what was measured by the rules below, which no
listeners were asked about, so they are given with a band and must be shown as estimates. Models trained on thousands of rated
recordings miss single ratings by about one point of five (SoundAQnet, arXiv 2406.05914); the band says no less.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

#: In the order of their angles on the circumplex: 0, 45, ... 315 degrees.
QUALITIES = ("pleasant", "vibrant", "eventful", "chaotic", "annoying", "monotonous", "uneventful", "calm")
NOTE = "estimate, not validated on listeners"
#: Half the width of what an answer from 1 to 5, and a place on an axis from -1 to 1, may be off.
RATING_BAND, AXIS_BAND = 1.0, 0.4
_ANGLES = tuple(math.radians(45 * number) for number in range(8))
_FULL = 4 + math.sqrt(32)
#: Rules: what each amount between 0 and 1 (loud: from -0.6, sharp: from -1) adds to the axes.
RULES: Mapping[str, tuple[float, float]] = {
    "always": (0.12, -0.12),
    "loud": (-0.38, 0.30),
    "sharp": (-0.10, 0.0),
    "rough": (-0.12, 0.05),
    "changing": (0.0, 0.22),
    "busy": (-0.04, 0.18),
    "nature": (0.34, 0.0),
    "human": (0.10, 0.26),
    "music": (0.22, 0.24),
    "machines": (-0.42, -0.04),
    "silence": (0.10, -0.30),
}
#: Softness is worth less than loudness costs.
_SOFTEST = -0.6
#: Loudness N5, sharpness and so on at which an amount is 0, and at which it is 1.
NEUTRAL_N5_SONE, _DOUBLINGS = 9.0, 2.0
_NEUTRAL_ACUM, _FULL_ACUM = 1.5, 2.8
_FULL_ASPER, _CALM_RANGE_DB, _FULL_RANGE_DB, _FULL_ONSETS = 0.5, 3.0, 14.0, 3.0


@dataclass(frozen=True, slots=True)
class Affect:
    """An estimate of how a soundscape is perceived."""

    ratings: Mapping[str, float]
    """1 (not at all) to 5 (very much) for each of `QUALITIES`, each give or take `RATING_BAND`."""
    pleasantness: float
    eventfulness: float
    """-1 to 1 by ISO 12913-3, each give or take `AXIS_BAND`."""
    why: Mapping[str, float]
    """The amounts that the rules were given."""

    @property
    def quadrant(self) -> str:
        """vibrant, calm, chaotic or monotonous; "neutral" where the band reaches far over both axes."""
        return quadrant(self.pleasantness, self.eventfulness)

    def as_json(self) -> dict[str, object]:
        """As `describe --json` prints it."""
        return {
            "note": NOTE,
            "ratings": {name: round(value, 2) for name, value in self.ratings.items()},
            "rating_band": RATING_BAND,
            "pleasantness": round(self.pleasantness, 3),
            "eventfulness": round(self.eventfulness, 3),
            "axis_band": AXIS_BAND,
            "quadrant": self.quadrant,
            "why": {name: round(value, 3) for name, value in self.why.items()},
        }


def project(ratings: Mapping[str, float]) -> tuple[float, float]:
    """ISO pleasantness and eventfulness, -1 to 1, of answers from 1 to 5 to the eight qualities (ISO/TS 12913-3, annex A)."""
    pleasant = sum(math.cos(angle) * ratings[name] for name, angle in zip(QUALITIES, _ANGLES, strict=True)) / _FULL
    eventful = sum(math.sin(angle) * ratings[name] for name, angle in zip(QUALITIES, _ANGLES, strict=True)) / _FULL
    return pleasant, eventful


def quadrant(pleasantness: float, eventfulness: float) -> str:
    """The corner of the circumplex, or "neutral" near its middle."""
    if math.hypot(pleasantness, eventfulness) < 0.15:
        return "neutral"
    if pleasantness >= 0:
        return "vibrant" if eventfulness >= 0 else "calm"
    return "chaotic" if eventfulness >= 0 else "monotonous"


def estimate(
    *,
    n5_sone: float,
    sharpness_acum: float,
    roughness_asper: float,
    range_db: float,
    onsets_per_s: float,
    events: Mapping[str, float] | None = None,
) -> Affect:
    """The estimate from measured facts, and from how surely events are heard (0 to 1) where that is known."""
    heard = events or {}

    def surest(*labels: str) -> float:
        return max((heard.get(label, 0.0) for label in labels), default=0.0)

    amounts = {
        "always": 1.0,
        "loud": _clipped(math.log2(max(n5_sone, 0.05) / NEUTRAL_N5_SONE) / _DOUBLINGS, _SOFTEST),
        "sharp": _clipped((sharpness_acum - _NEUTRAL_ACUM) / (_FULL_ACUM - _NEUTRAL_ACUM), -1.0) if sharpness_acum else 0.0,
        "rough": _clipped(roughness_asper / _FULL_ASPER),
        "changing": _clipped((range_db - _CALM_RANGE_DB) / (_FULL_RANGE_DB - _CALM_RANGE_DB)),
        "busy": _clipped(onsets_per_s / _FULL_ONSETS),
        "nature": surest("Bird", "Water", "Natural sounds", "Outside, rural or natural"),
        "human": surest("Human sounds", "Speech"),
        "music": surest("Music"),
        "machines": surest("Traffic", "Vehicle", "Noise"),
        "silence": surest("Silence"),
    }
    pleasant = _clipped(sum(RULES[name][0] * amount for name, amount in amounts.items()), -0.8, 0.8)
    eventful = _clipped(sum(RULES[name][1] * amount for name, amount in amounts.items()), -0.8, 0.8)
    # Answers whose projection is that place, on the side of the middle of the scale on which the place lies.
    ratings = {
        name: _clipped(3 + _FULL / 4 * (pleasant * math.cos(angle) + eventful * math.sin(angle)), 1.0, 5.0)
        for name, angle in zip(QUALITIES, _ANGLES, strict=True)
    }
    return Affect(ratings, *project(ratings), why=amounts)


def _clipped(value: float, low: float = 0.0, high: float = 1.0) -> float:
    return min(high, max(low, value))
