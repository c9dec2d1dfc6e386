"""Volume as people hear it. Half of the scale sounds about half as loud: a cubic curve, as in ALSA's and PulseAudio's mixers."""

from __future__ import annotations


def percent_to_gain(percent: float) -> float:
    """0 to 100 -> linear amplitude factor 0 to 1."""
    return (min(100.0, max(0.0, percent)) / 100.0) ** 3
