"""Turns a scene (a function from places to light) into a picture, band by band, so that a large one needs little memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.publishing.colour import to_srgb

if TYPE_CHECKING:
    from PIL import Image

Light = NDArray[np.float32]
"""Linear sRGB, shape (rows, columns, 3)."""
Scene = Callable[[NDArray[np.float32], NDArray[np.float32], float], Light]
"""(x of the columns, y of the rows, size of a pixel) -> light. y runs from 0 (top) to 1, x from 0 to width / height."""

_BAND_ROWS = 125
_GLOW_HEIGHT = 375
_GLOW = 0.35
_GRAIN = 0.008


def draw(scene: Scene, width: int, height: int, seed: int) -> Image.Image:
    """The scene with bloom, a filmic curve and fine grain, as an 8-bit RGB picture. Same seed, same bytes."""
    from PIL import Image

    x, y = places(width, height)
    glow = _glow(scene, width / height, min(height, _GLOW_HEIGHT))
    rng = np.random.default_rng(seed)
    out = np.empty((height, width, 3), dtype=np.uint8)
    for top in range(0, height, _BAND_ROWS):
        rows = y[top : top + _BAND_ROWS]
        light = scene(x, rows, 1.0 / height)
        light += np.float32(_GLOW) * _enlarged(glow, x * np.float32(height / width), rows)
        values = to_srgb(filmic(light))
        shape = values.shape[:2]
        values += (rng.standard_normal(shape, dtype=np.float32) * np.float32(_GRAIN))[..., None]
        # Triangular dither hides the steps of 8 bits in slow gradients.
        dither = rng.random((*shape, 3), dtype=np.float32) - rng.random((*shape, 3), dtype=np.float32)
        out[top : top + len(rows)] = np.clip(values * 255.0 + dither + 0.5, 0, 255).astype(np.uint8)
    return Image.fromarray(out)


def places(width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Middle of every column and row in the units of a scene."""
    x = (np.arange(width, dtype=np.float32) + 0.5) / np.float32(height)
    y = (np.arange(height, dtype=np.float32) + 0.5) / np.float32(height)
    return x, y


def filmic(light: Light) -> Light:
    """Narkowicz' fit of the ACES curve: bright parts roll off instead of clipping."""
    x = np.float32(0.95) * light
    out: Light = np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0.0, 1.0)
    return out


def cover_by_edge(distance: NDArray[np.float32], pixel: float, soft_px: float = 1.0) -> NDArray[np.float32]:
    """How much of a pixel a shape covers, from the distance inside its edge: smooth edges without oversampling."""
    out: NDArray[np.float32] = np.clip(distance / np.float32(pixel * soft_px) + np.float32(0.5), 0.0, 1.0)
    return out


def _glow(scene: Scene, aspect: float, height: int) -> Light:
    """The whole scene, small and blurred: what is bright shines over its edge."""
    from scipy.ndimage import gaussian_filter

    width = max(1, round(aspect * height))
    x, y = places(width, height)
    small = np.clip(scene(x, y, 1.0 / height), 0.0, 1.0)
    radius = height / 85.0
    out: Light = gaussian_filter(small, (radius, radius, 0)).astype(np.float32)
    return out


def _enlarged(small: Light, x: NDArray[np.float32], y: NDArray[np.float32]) -> Light:
    """The small picture at x and y, both 0 to 1, blended between its four nearest points."""
    height, width = small.shape[:2]
    row, column = np.clip(y * height - 0.5, 0, height - 1), np.clip(x * width - 0.5, 0, width - 1)
    above, left = np.minimum(row.astype(int), max(0, height - 2)), np.minimum(column.astype(int), max(0, width - 2))
    below, right = np.minimum(above + 1, height - 1), np.minimum(left + 1, width - 1)
    down, along = (row - above).astype(np.float32)[:, None, None], (column - left).astype(np.float32)[None, :, None]
    rows = small[above] * (1 - down) + small[below] * down
    out: Light = rows[:, left] * (1 - along) + rows[:, right] * along
    return out
