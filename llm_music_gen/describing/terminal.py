"""The same pictures out of characters: half blocks for the spectrogram, dots of braille for loudness and circumplex."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.describing.affect import AXIS_BAND, Affect
from llm_music_gen.describing.pictures import coloured, envelope
from llm_music_gen.describing.spectrogram import Spectrogram

Colour = tuple[int, int, int]
_BRAILLE = 0x2800
#: Bit of each dot in a braille character, by row and column.
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_SHADES = " .:-=+*#%@"


@dataclass(frozen=True, slots=True)
class Cell:
    """One character of a picture: its upper and lower half."""

    upper: Colour
    lower: Colour


def spectrogram_cells(spectrogram: Spectrogram, width: int, height: int) -> list[list[Cell]]:
    """Rows of half blocks, the highest frequency first."""
    colours = _shrunk(coloured(spectrogram)[::-1].astype(np.float64), 2 * height, width)
    return [
        [Cell(_rgb(colours[2 * row, column]), _rgb(colours[2 * row + 1, column])) for column in range(width)]
        for row in range(height)
    ]


def spectrogram_shades(spectrogram: Spectrogram, width: int, height: int) -> list[str]:
    """The same in plain characters, for consoles without colours or blocks."""
    brightness = _shrunk(coloured(spectrogram)[::-1].mean(axis=2, keepdims=True).astype(np.float64), height, width)[..., 0]
    places = np.clip((brightness / 255 * len(_SHADES)).astype(int), 0, len(_SHADES) - 1)
    return ["".join(_SHADES[place] for place in row) for row in places]


def curve(values: NDArray[Any], width: int, height: int, *, plain: bool = False) -> list[str]:
    """A curve from 0 to its highest value in rows of characters, the highest first."""
    columns, rows = (width, height) if plain else (2 * width, 4 * height)
    low, high = envelope(values, columns)
    dots = np.zeros((rows, columns), dtype=bool)
    most = float(high.max(initial=0.0))
    if most > 0:
        upper = np.clip((high / most * (rows - 1)).round().astype(int), 0, rows - 1)
        lower = np.clip((low / most * (rows - 1)).round().astype(int), 0, rows - 1)
        # Sounds shorter than the picture is wide are stretched over it.
        for column in range(columns):
            place = min(len(high) - 1, column * len(high) // columns)
            dots[rows - 1 - upper[place] : rows - lower[place], column] = True
    return _plain(dots) if plain else _braille(dots)


def circumplex(affect: Affect, width: int, height: int, *, plain: bool = False) -> list[str]:
    """Pleasant to the right, eventful up: the axes, the estimate and its band, in rows of characters."""
    columns, rows = (width, height) if plain else (2 * width, 4 * height)
    x, y = np.meshgrid(np.linspace(-1.25, 1.25, columns), np.linspace(1.25, -1.25, rows))
    step_x, step_y = 2.5 / columns, 2.5 / rows
    axes = (np.abs(x) < 0.6 * step_x) & (np.abs(y) <= 1.0) | (np.abs(y) < 0.6 * step_y) & (np.abs(x) <= 1.0)
    away = np.hypot(x - affect.pleasantness, y - affect.eventfulness)
    band = np.abs(away - AXIS_BAND) < 0.6 * max(step_x, step_y)
    dot = away < 1.2 * max(step_x, step_y)
    dots = axes | band | dot
    return _plain(dots) if plain else _braille(dots)


def _braille(dots: NDArray[np.bool_]) -> list[str]:
    out = []
    for top in range(0, len(dots), 4):
        codes = np.zeros(dots.shape[1] // 2, dtype=int)
        for row, bits in enumerate(_DOTS):
            for column, bit in enumerate(bits):
                codes += bit * dots[top + row, column::2]
        out.append("".join(chr(_BRAILLE + code) for code in codes))
    return out


def _plain(dots: NDArray[np.bool_]) -> list[str]:
    return ["".join("#" if dot else " " for dot in row) for row in dots]


def _shrunk(grid: NDArray[np.float64], rows: int, columns: int) -> NDArray[np.float64]:
    """Means of the parts of a grid of shape (n, m, channels); a smaller grid is repeated."""
    for axis, wanted in ((0, rows), (1, columns)):
        have = grid.shape[axis]
        if have >= wanted:
            edges = np.linspace(0, have, wanted + 1).astype(int)[:-1]
            counts = np.diff(np.append(edges, have))
            shape = [1, 1, 1]
            shape[axis] = wanted
            grid = np.add.reduceat(grid, edges, axis=axis) / counts.reshape(shape)
        else:
            grid = np.take(grid, np.arange(wanted) * have // wanted, axis=axis)
    return grid


def _rgb(colour: NDArray[np.float64]) -> Colour:
    red, green, blue = (int(value) for value in colour)
    return red, green, blue
