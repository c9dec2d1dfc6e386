"""Words on a picture that can be read: spaced capitals, the plainest of several places, and a measured contrast.

Where the picture under the words is too light, a soft shadow is laid under them until the contrast is reached.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import UsageError
from llm_music_gen.publishing.colour import Palette, contrast, eight_bit, from_srgb, linear, luminance

if TYPE_CHECKING:
    from PIL import Image

_LEADING = 1.25
CONTRAST = 4.5
"""WCAG 2, level AA, for text of any size."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of words."""

    text: str
    size: float
    """Height of the font in pixels."""
    tracking: float = 0.0
    """Extra space between letters in pixels."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where a block of lines stands, in pixels."""

    left: float
    top: float
    width: float
    height: float


@lru_cache(maxsize=64)
def _font(size: float, path: Path | None) -> Any:
    from PIL import ImageFont

    size = max(1.0, size)  # FreeType refuses less than a pixel
    if path is None:
        return ImageFont.load_default(size)
    try:
        return ImageFont.truetype(str(path), size)
    except OSError as error:
        raise UsageError(f"{path} cannot be used as a font ({error}).", hint="Give a TrueType or OpenType file.") from error


def writable(text: str, font: Path | None = None) -> str:
    """The text with letters the font lacks replaced by their plain ones, or left out."""
    face = _font(32, font)
    missing = _shape(face, "\U0010fffe")

    def known(char: str) -> bool:
        return char.isspace() or (face.getmask(char).getbbox() is not None and _shape(face, char) != missing)

    out = []
    for char in unicodedata.normalize("NFC", text):
        if known(char):
            out.append(char)
        else:
            out += [part for part in unicodedata.normalize("NFKD", char) if part.isascii() and known(part)]
    return " ".join("".join(out).split())


def width(line: Line, font: Path | None = None) -> float:
    """Width of a line in pixels."""
    face = _font(line.size, font)
    return float(sum(face.getlength(char) for char in line.text)) + line.tracking * max(0, len(line.text) - 1)


def fitted(line: Line, most: float, font: Path | None = None) -> Line:
    """The line, made smaller where it is wider than `most` pixels."""
    scale = min(1.0, most / max(1.0, width(line, font)))
    return Line(line.text, line.size * scale, line.tracking * scale)


def write(
    picture: Image.Image,
    lines: Sequence[Line],
    boxes: Sequence[Box],
    colours: Palette,
    *,
    centred: bool,
    font: Path | None = None,
) -> float:
    """Write the lines into the plainest, darkest of the boxes. Returns the contrast reached (4.5 or more; infinite
    where no line has a letter that the font can write).

    Letters are light; the picture under them is darkened softly as far as it takes.
    """
    from PIL import Image, ImageFilter

    best = min(boxes, key=lambda box: _unrest(picture, box))
    mask = _letters(picture.size, lines, best, centred, font)
    around = (max(0, int(best.left)), max(0, int(best.top)), int(best.left + best.width), int(best.top + best.height))
    tallest = max(line.size for line in lines)
    margin = int(tallest)
    area = (
        max(0, around[0] - margin), max(0, around[1] - margin),
        min(picture.width, around[2] + margin), min(picture.height, around[3] + margin),
    )  # fmt: skip
    letters = mask.crop(area)
    soft = np.asarray(letters.filter(ImageFilter.GaussianBlur(tallest * 0.22)), dtype=np.float32)
    soft = np.clip(soft / max(1.0, float(soft.max())) * 1.5, 0.0, 1.0)[..., None]
    ground = np.asarray(picture.crop(area), dtype=np.float32)
    ink = np.array(eight_bit(colours.ink), dtype=np.float32)
    colour = eight_bit(colours.text)
    light = float(luminance(linear(colours.text)))
    around_letters = np.asarray(letters.filter(ImageFilter.GaussianBlur(max(1.0, tallest * 0.04))), dtype=np.uint8)
    near = around_letters >= max(1, int(around_letters.max()) // 5)
    if not near.any():
        return math.inf
    for strength in (0.35, 0.5, 0.65, 0.8, 0.9, 1.0):
        shaded = ground * (1 - strength * soft) + ink * (strength * soft)
        reached = contrast(light, float(np.percentile(luminance(from_srgb(shaded[near] / 255.0)), 95)))
        if reached >= CONTRAST:
            break
    base = Image.fromarray(np.clip(shaded + 0.5, 0, 255).astype(np.uint8))
    base.paste(colour, (0, 0), letters)
    picture.paste(base, area[:2])
    return reached


def block_height(lines: Sequence[Line]) -> float:
    """Height of lines under each other in pixels."""
    return sum(line.size * _LEADING for line in lines)


def _letters(size: tuple[int, int], lines: Sequence[Line], box: Box, centred: bool, font: Path | None) -> Image.Image:
    from PIL import Image, ImageDraw

    mask = Image.new("L", size)
    pen = ImageDraw.Draw(mask)
    top = box.top
    for line in lines:
        face = _font(line.size, font)
        x = box.left + (box.width - width(line, font)) / 2 if centred else box.left
        for char in line.text:
            pen.text((x, top + line.size * 0.95), char, fill=255, font=face, anchor="ls")
            x += face.getlength(char) + line.tracking
        top += line.size * _LEADING
    return mask


def _unrest(picture: Image.Image, box: Box) -> float:
    """How light and how busy the picture is there."""
    area = picture.crop((int(box.left), int(box.top), int(box.left + box.width), int(box.top + box.height))).resize((64, 32))
    values: NDArray[np.float32] = luminance(from_srgb(np.asarray(area, dtype=np.float32) / 255.0))
    return float(values.mean() + 2.0 * values.std())


def _shape(face: Any, char: str) -> bytes:
    mask = face.getmask(char)
    return bytes(mask) + repr(mask.size).encode()
