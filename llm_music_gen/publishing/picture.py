"""Which scene suits a song, and the best of four seeds of it, judged on small drawings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from llm_music_gen.publishing.canvas import Scene, draw
from llm_music_gen.publishing.colour import Palette, mood_of, palette
from llm_music_gen.publishing.scenes import mandala, moon, profile_of, ridges, waves
from llm_music_gen.publishing.upload import Upload

if TYPE_CHECKING:
    from PIL import Image

_TRIAL_HEIGHT = 150
_TRIALS = 4


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the bright thing of a picture stands, in parts of width and height, and how large it is in heights."""

    aspect: float
    focus: tuple[float, float]
    disc: float
    figure: float
    """Radius of a mandala or half the side of the ridgelines."""


def kind_of(upload: Upload) -> str:
    """waves, mandala, moon or ridges: by frequency first, then by mood."""
    mood = mood_of(upload.mood, upload.styles)
    if mood == "sleep":
        return "moon"
    if upload.frequency_hz is not None:
        return "mandala"
    return "ridges" if mood in ("focus", "energy") else "waves"


def colours_of(upload: Upload) -> Palette:
    """The palette for a song."""
    mood = mood_of(upload.mood, upload.styles)
    tuned = upload.frequency_hz
    if tuned is not None and mood == "meditation" and 520.0 <= tuned <= 540.0:
        mood = "heart"
    return palette(mood, None if mood in ("sleep", "heart") else tuned)


def scene_for(upload: Upload, stage: Stage) -> Scene:
    """The scene of a song on a stage; among four seeds that follow from the song's, the one that judges best."""
    kind = kind_of(upload)
    if kind == "mandala":
        return _scene(kind, upload, stage, upload.seed)
    trials = [_scene(kind, upload, stage, upload.seed * _TRIALS + number) for number in range(_TRIALS)]
    width = round(_TRIAL_HEIGHT * stage.aspect)
    return min(trials, key=lambda scene: faults_of(draw(scene, width, _TRIAL_HEIGHT, upload.seed)))


def faults_of(picture: Image.Image) -> float:
    """How far a picture lies outside of what looks good, 0 for inside: contrast, lightness, edges, colourfulness.

    Colourfulness: Hasler and Süsstrunk 2003.
    """
    rgb = np.asarray(picture, dtype=np.float64)
    grey = rgb.mean(axis=2) / 255.0
    low, high = np.percentile(grey, (5, 95))
    edges = float((np.hypot(*np.gradient(grey)) > 0.06).mean())
    red_green, yellow_blue = rgb[..., 0] - rgb[..., 1], (rgb[..., 0] + rgb[..., 1]) / 2 - rgb[..., 2]
    colourful = float(np.hypot(red_green.std(), yellow_blue.std()) + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean()))
    return (
        _outside(float(high - low), 0.45, 1.0)
        + _outside(float(grey.mean()), 0.18, 0.55)
        + 4 * _outside(edges, 0.02, 0.12)
        + _outside(colourful, 20.0, 70.0) / 50
    )


def _scene(kind: str, upload: Upload, stage: Stage, seed: int) -> Scene:
    colours, profile = colours_of(upload), profile_of(upload.loudness_curve)
    if kind == "mandala":
        return mandala(colours, upload.frequency_hz or 440.0, stage.focus, stage.figure, stage.aspect)
    if kind == "moon":
        return moon(colours, profile, stage.focus, 0.85 * stage.disc, stage.aspect, seed)
    if kind == "ridges":
        return ridges(colours, profile, stage.focus, 0.85 * stage.figure, stage.aspect, seed)
    return waves(colours, profile, stage.focus, stage.disc, stage.aspect, seed)


def _outside(value: float, low: float, high: float) -> float:
    return max(0.0, low - value, value - high)
