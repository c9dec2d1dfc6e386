"""Effects for the mix, streamed block by block. The only module that imports pedalboard."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.sound.loudness import loudest
from llm_music_gen.units import SAMPLE_RATE_HZ


class Effect:
    """A chain with memory: blocks go through in order, and any block size gives the same sound."""

    def __init__(self, *plugins: Any) -> None:
        import pedalboard

        self._board = pedalboard.Pedalboard(list(plugins))

    def block(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """The next block, shape (frames, 2)."""
        out = self._board(np.ascontiguousarray(samples.T), SAMPLE_RATE_HZ, reset=False)
        return np.asarray(out.T, dtype=np.float32)


class GainComputer:
    """A compressor that hears all channels together, so that the stereo image stands still: gains, to be multiplied.

    pedalboard's compressor follows each channel for itself; here it is given the loudest channel alone, and what it makes of
    that, divided by it, is the gain for all.
    """

    def __init__(self, threshold_db: float, ratio: float, attack_ms: float, release_ms: float, sample_rate_hz: int) -> None:
        import pedalboard

        self._compressor = pedalboard.Compressor(threshold_db, ratio, attack_ms, release_ms)
        self._sample_rate_hz = sample_rate_hz

    def gains(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """One linear factor for each frame of the next block, shape (frames,)."""
        heard: NDArray[np.float32] = np.maximum(loudest(block), np.float32(1e-6))
        if not len(heard):
            return heard
        out = self._compressor.process(np.ascontiguousarray(heard[None, :]), self._sample_rate_hz, reset=False)
        return np.asarray(out[0] / heard, dtype=np.float32)


def room_reverb(size: float, damping: float, low_cut_hz: float = 180.0, high_cut_hz: float = 7_000.0) -> Effect:
    """A room heard from the sends alone (no dry sound). `size` and `damping` 0 to 1."""
    import pedalboard

    return Effect(
        pedalboard.HighpassFilter(low_cut_hz),
        pedalboard.LowpassFilter(high_cut_hz),
        pedalboard.Reverb(room_size=size, damping=damping, wet_level=1.0, dry_level=0.0, width=1.0),
    )


def tempo_delay(length_s: float, feedback: float, high_cut_hz: float = 4_000.0) -> Effect:
    """Echoes heard from the sends alone."""
    import pedalboard

    return Effect(
        pedalboard.HighpassFilter(250.0),
        pedalboard.LowpassFilter(high_cut_hz),
        pedalboard.Delay(delay_seconds=length_s, feedback=feedback, mix=1.0),
    )


def part_filter(high_pass_hz: float, low_pass_hz: float) -> Effect | None:
    """The cuts that make room for others, or None when there are none."""
    import pedalboard

    plugins: list[Any] = []
    if high_pass_hz > 0:
        plugins.append(pedalboard.HighpassFilter(high_pass_hz))
    if low_pass_hz > 0:
        plugins.append(pedalboard.LowpassFilter(low_pass_hz))
    return Effect(*plugins) if plugins else None


def mix_bus(tilt_db: float, glue: float) -> Effect:
    """The whole mix: rumble out, a tilt around 1 kHz, gentle glue (0 to 1)."""
    return Effect(*_bus_tone(tilt_db), *_bus_glue(glue))


def master_tone(low_hz: float, low_db: float, tilt_db: float) -> Effect:
    """A shelf under `low_hz`, and a tilt around 1 kHz that leaves the middle where it is."""
    import pedalboard

    return Effect(
        pedalboard.LowShelfFilter(cutoff_frequency_hz=low_hz, gain_db=low_db, q=0.7),
        pedalboard.LowShelfFilter(cutoff_frequency_hz=400.0, gain_db=-tilt_db / 2, q=0.5),
        pedalboard.HighShelfFilter(cutoff_frequency_hz=2_500.0, gain_db=tilt_db / 2, q=0.5),
    )


def bus_tone(tilt_db: float) -> Effect:
    """The linear half of `mix_bus`: what it does to a sum is the sum of what it does to each part."""
    return Effect(*_bus_tone(tilt_db))


def bus_glue(glue: float) -> Effect:
    """The other half of `mix_bus`: gains that follow the sum. Without glue nothing happens."""
    return Effect(*_bus_glue(glue))


def _bus_tone(tilt_db: float) -> list[Any]:
    import pedalboard

    plugins: list[Any] = [pedalboard.HighpassFilter(24.0), pedalboard.HighpassFilter(24.0)]
    if tilt_db:
        plugins += [
            pedalboard.LowShelfFilter(cutoff_frequency_hz=300.0, gain_db=-tilt_db / 2, q=0.6),
            pedalboard.HighShelfFilter(cutoff_frequency_hz=3_000.0, gain_db=tilt_db / 2, q=0.6),
        ]
    return plugins


def _bus_glue(glue: float) -> list[Any]:
    import pedalboard

    if glue <= 0:
        return []
    return [pedalboard.Compressor(threshold_db=-18.0, ratio=1.0 + glue, attack_ms=20.0, release_ms=160.0)]
