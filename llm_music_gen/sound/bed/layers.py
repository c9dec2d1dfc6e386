"""What may lie under the music, by name: beats for the ears, noise in six colours, rain, surf, wind, and plain tones.

Layers join after the mix bus and before the constant gain of the master, so that nothing bends them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import SoundError
from llm_music_gen.sound.bed.entrainment import EntrainmentLayer
from llm_music_gen.sound.bed.nature import NatureLayer
from llm_music_gen.sound.bed.noise import NoiseLayer
from llm_music_gen.sound.bed.schedule import Schedule
from llm_music_gen.units import SAMPLE_RATE_HZ, db_to_gain

Beats = Literal["binaural", "monaural", "isochronic"]
Colour = Literal["white", "pink", "brown", "blue", "violet", "grey"]
Nature = Literal["rain", "surf", "wind"]
BEATS: tuple[str, ...] = get_args(Beats)
COLOURS: tuple[str, ...] = get_args(Colour)
NATURES: tuple[str, ...] = get_args(Nature)
KINDS: tuple[str, ...] = (*BEATS, *COLOURS, *NATURES, "tone")
_STILL = Schedule(((0.0, 0.0),))
#: Before the master, where music lies about -24 dBFS: beats stay 12 dB under it, noise 10.
USUAL_LEVEL_DB = {**dict.fromkeys(BEATS, -34.0), **dict.fromkeys(COLOURS, -38.0), **dict.fromkeys(NATURES, -36.0), "tone": -34.0}


@dataclass(frozen=True, slots=True)
class BedLayer:
    """One layer of a track."""

    kind: str
    """One of `KINDS`."""
    level_db: float
    """RMS of noise, amplitude of tones, before the master."""
    seed: int = 0
    carrier_hz: float = 0.0
    """Of beats and tones."""
    beat_hz: Schedule = _STILL
    start_s: float = 0.0
    end_s: float = float("inf")
    fade_s: float = 10.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SoundError(f"There is no layer {self.kind!r}.", hint=f"Choose from {', '.join(KINDS)}.")

    def block(self, first_frame: int, frames: int) -> NDArray[np.float32] | None:
        """Samples [first_frame, first_frame + frames), shape (frames, 2), or None where it is silent."""
        first_s, last_s = first_frame / SAMPLE_RATE_HZ, (first_frame + frames) / SAMPLE_RATE_HZ
        if last_s <= self.start_s or first_s >= self.end_s:
            return None
        sound: NDArray[np.float32] = _source(self).block(first_frame, frames) * np.float32(db_to_gain(self.level_db))
        if first_s < self.start_s + self.fade_s or last_s > self.end_s - self.fade_s:
            times_s = (first_frame + np.arange(frames)) / SAMPLE_RATE_HZ
            rise = np.clip((times_s - self.start_s) / max(1e-9, self.fade_s), 0.0, 1.0)
            fall = np.clip((self.end_s - times_s) / max(1e-9, self.fade_s), 0.0, 1.0)
            sound *= (np.sin(0.5 * np.pi * np.minimum(rise, fall)) ** 2).astype(np.float32)[:, None]
        return sound


@lru_cache(maxsize=32)
def _source(layer: BedLayer) -> NoiseLayer | NatureLayer | EntrainmentLayer:
    for kind in get_args(Nature):
        if layer.kind == kind:
            return NatureLayer(kind, layer.seed)
    for colour in get_args(Colour):
        if layer.kind == colour:
            return NoiseLayer(colour, layer.seed)
    for beats in get_args(Beats):
        if layer.kind == beats:
            return EntrainmentLayer(beats, layer.carrier_hz, layer.beat_hz)
    # A tone is a carrier whose beat is none.
    return EntrainmentLayer("monaural", layer.carrier_hz, Schedule.constant(0.0), depth=0.0)
