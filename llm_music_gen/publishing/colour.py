"""Colours that belong together: Oklab palettes by mood and by tonic, in linear light.

Oklab: Björn Ottosson, https://bottosson.github.io/posts/oklab/. Stops are blended in its cartesian a and b, not in hue, which
would run through colours that nobody chose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Colour = NDArray[np.float32]
"""Linear sRGB, shape (3,)."""

_TO_LMS = np.array(((1.0, 0.3963377774, 0.2158037573), (1.0, -0.1055613458, -0.0638541728), (1.0, -0.0894841775, -1.2914855480)))
_TO_RGB = np.array(
    (
        (4.0767416621, -3.3077115913, 0.2309699292),
        (-1.2684380046, 2.6097574011, -0.3413193965),
        (-0.0041960863, -0.7034186147, 1.7076147010),
    )
)
_MIDDLE_C_HZ = 261.63

Lch = tuple[float, float, float]
"""Oklab lightness 0 to 1, chroma, hue in degrees."""


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one picture, dark to light, as Oklab (L, C, hue)."""

    sky: tuple[Lch, ...]
    accent: Lch
    accent_edge: Lch
    text: Lch
    ink: Lch
    """The darkest, for shadows under text."""


_CREAM = (0.94, 0.03, 90.0)
_WHITE = (0.97, 0.01, 90.0)
_PALETTES = {
    "sleep": Palette(
        ((0.17, 0.06, 280), (0.30, 0.08, 265), (0.48, 0.07, 235)), (0.96, 0.03, 90), (0.85, 0.05, 80), _CREAM, (0.12, 0.05, 280)
    ),
    "meditation": Palette(
        ((0.20, 0.07, 300), (0.40, 0.11, 330), (0.80, 0.10, 45)), (0.95, 0.06, 90), (0.82, 0.13, 45), _CREAM, (0.14, 0.06, 300)
    ),
    "heart": Palette(
        ((0.22, 0.06, 165), (0.40, 0.09, 160), (0.85, 0.09, 110)), (0.94, 0.07, 90), (0.86, 0.11, 80), _CREAM, (0.15, 0.05, 165)
    ),
    "focus": Palette(
        ((0.18, 0.03, 250), (0.35, 0.05, 240), (0.62, 0.08, 225)), (0.92, 0.06, 205), (0.80, 0.10, 210), _WHITE, (0.13, 0.03, 250)
    ),
    "energy": Palette(
        ((0.18, 0.10, 300), (0.45, 0.18, 330), (0.75, 0.17, 20)), (0.90, 0.10, 60), (0.75, 0.18, 20), _WHITE, (0.13, 0.08, 300)
    ),
    "lofi": Palette(
        ((0.26, 0.06, 35), (0.52, 0.09, 45), (0.82, 0.08, 75)), (0.93, 0.06, 85), (0.80, 0.10, 65), _CREAM, (0.17, 0.04, 40)
    ),
}  # fmt: skip
#: The first word found decides, so the narrower come first.
_WORDS = {
    "sleep": ("sleep", "night", "delta", "lullaby", "dream"),
    "meditation": ("meditat", "theta", "ambient", "yoga", "spa", "drone", "new age", "calm"),
    "heart": ("heart", "love", "nature", "folk", "forest"),
    "focus": ("focus", "study", "beta", "gamma", "minimal", "classical", "piano"),
    "lofi": ("lofi", "lo-fi", "chill", "jazz", "bossa", "soul", "blues"),
    "energy": ("energy", "edm", "techno", "trance", "house", "dubstep", "dance", "rock", "drum", "synthwave", "electronic"),
}


def mood_of(mood: str, styles: tuple[str, ...]) -> str:
    """The palette's name for a mood hint, else for the first style that says one, else meditation."""
    for words in (mood, *styles):
        for name, hints in _WORDS.items():
            if any(hint in words.casefold() for hint in (name, *hints)):
                return name
    return "meditation"


def palette(mood: str, frequency_hz: float | None = None) -> Palette:
    """The palette of a mood; a tuned song turns its hues gently towards the hue of its tonic (same tonic, same colour)."""
    chosen = _PALETTES[mood]
    if frequency_hz is None:
        return chosen
    away = (tonic_hue(frequency_hz) - chosen.sky[0][2] + 180.0) % 360.0 - 180.0
    turn = 40.0 * math.sin(math.radians(away))

    def turned(lch: Lch) -> Lch:
        return lch[0], lch[1], (lch[2] + turn) % 360.0

    return Palette(tuple(map(turned, chosen.sky)), chosen.accent, chosen.accent_edge, chosen.text, turned(chosen.ink))


def tonic_hue(frequency_hz: float, home_hue: float = 165.0) -> float:
    """Hue in degrees of a frequency, the same in every octave; 528 Hz, an octave over C5's half, lies by `home_hue`."""
    reference = _MIDDLE_C_HZ * 2.0 ** (-home_hue / 360.0)
    return 360.0 * (math.log2(frequency_hz / reference) % 1.0)


def linear(lch: Lch) -> Colour:
    """Oklab (L, C, hue) as linear sRGB, clipped to what screens can show."""
    return np.asarray(np.clip(lab_to_linear(_lab(lch)), 0.0, 1.0), dtype=np.float32)


def ramp(stops: tuple[Lch, ...], at: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours along evenly spaced stops at positions 0 to 1, shape (*at.shape, 3), linear sRGB."""
    places = np.linspace(0.0, 1.0, len(stops))
    labs = np.array([_lab(stop) for stop in stops])
    table_at = np.linspace(0.0, 1.0, 512)
    table = np.stack([np.interp(table_at, places, labs[:, axis]) for axis in range(3)], axis=-1)
    rgb = np.clip(lab_to_linear(table), 0.0, 1.0)
    return np.stack([np.interp(at, table_at, rgb[:, axis]).astype(np.float32) for axis in range(3)], axis=-1)


def lab_to_linear(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """Oklab to linear sRGB, last axis 3; not clipped."""
    out: NDArray[np.float64] = ((lab @ _TO_LMS.T) ** 3) @ _TO_RGB.T
    return out


def to_srgb(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear light 0 to 1 with the transfer curve of sRGB."""
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055).astype(np.float32)


def from_srgb(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """sRGB values 0 to 1 as linear light."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4).astype(np.float32)


def luminance(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Relative luminance (WCAG 2) of linear light, last axis 3."""
    out: NDArray[np.float32] = light @ np.array((0.2126, 0.7152, 0.0722), dtype=np.float32)
    return out


def contrast(one: float, other: float) -> float:
    """Contrast ratio (WCAG 2) of two relative luminances, 1 to 21."""
    light, dark = max(one, other), min(one, other)
    return (light + 0.05) / (dark + 0.05)


def eight_bit(lch: Lch) -> tuple[int, int, int]:
    """A colour for Pillow."""
    red, green, blue = (round(255 * float(value)) for value in to_srgb(linear(lch)))
    return red, green, blue


def _lab(lch: Lch) -> NDArray[np.float64]:
    lightness, chroma, hue = lch
    return np.array((lightness, chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))))
