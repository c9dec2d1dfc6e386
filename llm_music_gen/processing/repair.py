"""Tools that take faults away: denoise, dehum, declick."""

from __future__ import annotations

from typing import Annotated

from llm_music_gen.processing.audio import Audio
from llm_music_gen.processing.dsp.noise import reduce_noise, remove_clicks, remove_hum
from llm_music_gen.tools.spec import Range


def denoise(audio: Audio, db: Annotated[float, Range(0, 40, "dB")] = 12.0) -> Audio:
    """Lower steady noise such as hiss; the noise is found by itself in the quietest moments.

    db: How far.
    """
    return reduce_noise(audio, db) if db else audio


def dehum(audio: Audio, hz: Annotated[float | None, Range(40, 70, "Hz")] = None) -> Audio:
    """Take mains hum and its harmonics away.

    hz: Frequency of the mains, 50 or 60; nothing finds it.
    """
    return remove_hum(audio, hz)


def declick(audio: Audio) -> Audio:
    """Take clicks and crackle away, as of old records."""
    return remove_clicks(audio)
