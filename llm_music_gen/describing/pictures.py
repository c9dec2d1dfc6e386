"""Three pictures of a sound: its spectrogram, its loudness over time, and where it lies on the circumplex."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.describing.affect import AXIS_BAND, NOTE, Affect
from llm_music_gen.describing.caption import clock
from llm_music_gen.describing.spectrogram import Spectrogram
from llm_music_gen.describing.zwicker import LOUDNESS_RATE_HZ, Zwicker

SIZE = (960, 480)
SQUARE = (560, 560)
#: Drawn so much larger and made smaller afterwards, for smooth lines.
_LARGER = 2
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 24, 44, 44
_BACKGROUND, _GRID, _TEXT, _LINE, _BAND = "#14161a", "#2c3038", "#c8ccd4", "#5ad1a8", "#274a40"
_RANGE_DB = 70.0
_LINES = (5, 50, 95)
_GRID_HZ = (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
#: From silence to the loudest: dark blue, violet, orange, yellow.
_COLOURS = ((0.0, (13, 14, 28)), (0.3, (64, 32, 96)), (0.55, (160, 54, 84)), (0.8, (236, 140, 60)), (1.0, (252, 244, 176)))


def spectrogram_png(spectrogram: Spectrogram) -> bytes:
    """Levels in colour over time and pitch, 70 dB from the loudest down."""
    from PIL import Image

    picture = _Picture(SIZE, "Spectrogram, 70 dB")
    left, top, right, bottom = picture.frame
    colours = coloured(spectrogram)[::-1]
    inner = Image.fromarray(colours).resize((_LARGER * (right - left), _LARGER * (bottom - top)), Image.Resampling.BILINEAR)
    picture.image.paste(inner, (_LARGER * left, _LARGER * top))
    low, high = math.log(spectrogram.edges_hz[0]), math.log(spectrogram.edges_hz[-1])
    for hz in _GRID_HZ:
        if spectrogram.edges_hz[0] < hz < spectrogram.edges_hz[-1]:
            name = f"{hz // 1000} kHz" if hz >= 1_000 else f"{hz} Hz"
            picture.mark_y(bottom - (math.log(hz) - low) / (high - low) * (bottom - top), name)
    picture.time_axis(spectrogram.length_s)
    return picture.png()


def loudness_png(zwicker: Zwicker) -> bytes:
    """Loudness in sone over time by ISO 532-1, with the lines that are exceeded 5 %, 50 % and 95 % of the time."""
    length_s = len(zwicker.loudness_sone) / LOUDNESS_RATE_HZ
    percentiles = ", ".join(f"N{percent} {zwicker.percentile_sone(percent):.1f}" for percent in _LINES)
    picture = _Picture(SIZE, f"Loudness in sone (ISO 532-1): {percentiles}")
    left, top, right, bottom = picture.frame
    low, high = envelope(zwicker.loudness_sone, right - left)
    most = _round_up(float(high.max(initial=0.0)))

    def y_of(sone: float) -> float:
        return bottom - sone / most * (bottom - top)

    for step in range(5):
        picture.mark_y(y_of(most * step / 4), f"{most * step / 4:g}")
    picture.time_axis(length_s)
    upper = [(left + x, y_of(float(value))) for x, value in enumerate(high)]
    lower = [(left + x, y_of(float(value))) for x, value in enumerate(low)]
    if len(upper) > 1:
        picture.area([*upper, *lower[::-1]], _BAND)
        picture.line(upper, _LINE, 2)
    for percent in _LINES:
        sone = zwicker.percentile_sone(percent)
        picture.line([(left, y_of(sone)), (right, y_of(sone))], _TEXT, 1)
    return picture.png()


def circumplex_png(affect: Affect) -> bytes:
    """Where the estimate lies between pleasant and annoying, eventful and uneventful, with its band."""
    picture = _Picture(SQUARE, f"ISO 12913-3: {NOTE}")
    left, top, right, bottom = picture.frame
    middle = ((left + right) / 2, (top + bottom) / 2)
    radius = (right - left) / 2 - 50
    picture.circle(middle, radius, _GRID)
    for number, name in enumerate(("pleasant", "vibrant", "eventful", "chaotic", "annoying", "monotonous", "uneventful", "calm")):
        angle = math.radians(45 * number)
        end = (middle[0] + radius * math.cos(angle), middle[1] - radius * math.sin(angle))
        picture.line([middle, end], _GRID, 1)
        picture.text((middle[0] + (radius + 40) * math.cos(angle), middle[1] - (radius + 18) * math.sin(angle)), name, "mm")
    at = (middle[0] + radius * affect.pleasantness, middle[1] - radius * affect.eventfulness)
    picture.circle(at, radius * AXIS_BAND, _LINE)
    picture.dot(at, 6, _LINE)
    return picture.png()


def coloured(spectrogram: Spectrogram) -> NDArray[np.uint8]:
    """The grid in colour, shape (rows, columns, 3), the lowest frequency first; 70 dB from the loudest down."""
    top = max(float(spectrogram.levels_db.max(initial=-120.0)), -100.0)
    share = np.clip((spectrogram.levels_db - top + _RANGE_DB) / _RANGE_DB, 0.0, 1.0)
    at = [place for place, _ in _COLOURS]
    channels = [np.interp(share, at, [colour[channel] for _, colour in _COLOURS]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def envelope(values: NDArray[Any], columns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lowest and highest value in each of at most so many columns."""
    count = min(columns, len(values))
    if count == 0:
        return np.zeros(0), np.zeros(0)
    edges = np.linspace(0, len(values), count + 1).astype(int)[:-1]
    return np.minimum.reduceat(values, edges).astype(np.float64), np.maximum.reduceat(values, edges).astype(np.float64)


def _round_up(value: float) -> float:
    """A round number at least as large."""
    if value <= 0:
        return 1.0
    scale = 10.0 ** math.floor(math.log10(value))
    return next(step * scale for step in (1, 1.6, 2, 3, 4, 6, 8, 10) if value <= step * scale * 1.0001)


class _Picture:
    """A dark picture with a frame, drawn in its final coordinates."""

    def __init__(self, size: tuple[int, int], title: str) -> None:
        from PIL import Image, ImageDraw, ImageFont

        self._size = size
        self.image = Image.new("RGB", (_LARGER * size[0], _LARGER * size[1]), _BACKGROUND)
        self._draw: Any = ImageDraw.Draw(self.image)
        self._font = ImageFont.load_default(12 * _LARGER)
        self.frame = (_LEFT, _TOP, size[0] - _RIGHT, size[1] - _BOTTOM)
        self.text((_LEFT, 16), title, "la")

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: int) -> None:
        self._draw.line(_scaled(points), fill=colour, width=width * _LARGER, joint="curve")

    def area(self, points: Sequence[tuple[float, float]], colour: str) -> None:
        self._draw.polygon(_scaled(points), fill=colour)

    def circle(self, middle: tuple[float, float], radius: float, colour: str) -> None:
        self._draw.ellipse(self._box(middle, radius), outline=colour, width=2 * _LARGER)

    def dot(self, middle: tuple[float, float], radius: float, colour: str) -> None:
        self._draw.ellipse(self._box(middle, radius), fill=colour)

    def text(self, place: tuple[float, float], text: str, anchor: str) -> None:
        self._draw.text(_scaled([place])[0], text, fill=_TEXT, anchor=anchor, font=self._font)

    def mark_y(self, y: float, name: str) -> None:
        left, _, right, _ = self.frame
        self.line([(left, y), (right, y)], _GRID, 1)
        self.text((left - 8, y), name, "rm")

    def time_axis(self, length_s: float) -> None:
        left, _, right, bottom = self.frame
        for step in range(5):
            self.text((left + (right - left) * step / 4, bottom + 8), clock(length_s * step / 4) if step else "0", "ma")

    def png(self) -> bytes:
        from PIL import Image

        with io.BytesIO() as out:
            self.image.resize(self._size, Image.Resampling.LANCZOS).save(out, "PNG")
            return out.getvalue()

    def _box(self, middle: tuple[float, float], radius: float) -> list[tuple[float, float]]:
        return _scaled([(middle[0] - radius, middle[1] - radius), (middle[0] + radius, middle[1] + radius)])


def _scaled(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(_LARGER * x, _LARGER * y) for x, y in points]
