"""The four scenes that covers are drawn from: layered waves, cymatic mandala, moon over water, ridgelines.

Each maker returns a `Scene` (see canvas). `profile` is the song's loudness over its length as values 0 to 1: the picture is the
track. `focus` is where the bright thing stands, in parts of width and height.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.publishing.canvas import Light, Scene, cover_by_edge
from llm_music_gen.publishing.colour import Lch, Palette, linear, ramp

Floats = NDArray[np.float32]
_LAYERS = 9
_RIDGES = 30


def profile_of(curve: tuple[float, ...], points: int = 256) -> NDArray[np.float64]:
    """A loudness curve as `points` smooth values 0 to 1; without one, a calm arch."""
    at = np.linspace(0.0, 1.0, points)
    known = np.array([value for value in curve if math.isfinite(value)], dtype=np.float64)
    if len(known) < 4:
        return np.sin(np.pi * at) ** 0.7
    low, high = np.percentile(known, (5, 95))
    if high - low < 1e-9:
        return np.full(points, 0.6)
    level = np.interp(at, np.linspace(0.0, 1.0, len(known)), np.clip((known - low) / (high - low), 0.0, 1.0))
    width = max(3, points // 24) | 1
    window = np.hanning(width + 2)[1:-1]
    padded = np.pad(level, width // 2, mode="edge")
    return np.convolve(padded, window / window.sum(), mode="valid")


def waves(
    colours: Palette, profile: NDArray[np.float64], focus: tuple[float, float], disc: float, aspect: float, seed: int
) -> Scene:
    """Hills in layers under a disc; their height along x is the song's loudness."""
    rng = np.random.default_rng(seed)
    waviness = rng.standard_normal((_LAYERS, 5))
    phases = rng.random((_LAYERS, 5))
    dark, middle, light = colours.sky[0], colours.sky[len(colours.sky) // 2], colours.sky[-1]
    sky = (_shade(dark, 0.24), _shade(dark, 0.36), middle, _between(middle, light, 0.55), light)
    hills = (_shade(light, 0.66), _shade(middle, 0.42), _shade(dark, 0.25), _shade(dark, 0.15))

    def scene(x: Floats, y: Floats, pixel: float) -> Light:
        along = x / aspect
        level = np.interp(along, np.linspace(0.0, 1.0, len(profile)), profile)
        out = np.repeat(ramp(sky, np.clip(y / 0.62, 0.0, 1.0))[:, None, :], len(x), axis=1)
        away = np.hypot(x[None, :] - focus[0] * aspect, y[:, None] - focus[1])
        halo = np.exp(-((away / (2.6 * disc)) ** 2))[..., None]
        out = out + halo * linear(colours.accent_edge) * np.float32(0.30)
        inside = cover_by_edge(disc - away, pixel, 1.5)[..., None]
        face = ramp((colours.accent, colours.accent_edge), np.clip((y - focus[1] + disc) / (2 * disc), 0.0, 1.0))[:, None, :]
        out = out * (1 - inside) + face * np.float32(1.1) * inside
        for layer in range(_LAYERS):
            q = layer / (_LAYERS - 1)
            shape = sum(
                waviness[layer, o] * np.sin(2 * np.pi * (1.1 * 1.9**o * along + phases[layer, o])) / 1.75**o for o in range(5)
            )
            height = 0.045 * (1 - 0.35 * q)
            top = 0.52 + 0.45 * q**1.15 - height * shape * (0.45 + 0.55 * level) - 0.075 * (1 - q) * (level - 0.5)
            depth = y[:, None] - top[None, :].astype(np.float32)
            inside = cover_by_edge(depth, pixel)[..., None]
            body = ramp(hills, np.array([q], dtype=np.float32))[0]
            shaded = body * (1 - 0.35 * np.clip(depth / 0.22, 0.0, 1.0))[..., None]
            rim = np.exp(-((depth / (2 * pixel + 0.0012)) ** 2))[..., None] * np.float32(0.2 * (1 - q))
            out = out * (1 - inside) + (shaded + rim * linear(colours.accent_edge)) * inside
        return _vignette(out, x / aspect, y)

    return scene


def mandala(colours: Palette, frequency_hz: float, focus: tuple[float, float], radius: float, aspect: float) -> Scene:
    """Nodal lines of a round plate that swings in several modes; every frequency, in any octave, has its own figure."""
    from scipy.special import jv, jvp

    place = math.log2(frequency_hz) % 1.0
    n = (12, 10, 8, 14, 16)[int(place * 5)]
    stretch = 1.2 + 0.25 * (place * 5 % 1.0)
    modes = ((0, 21.0, 0.9), (n, 24.0, 1.0), (n // 2, 17.0, 0.8), (2 * n, 38.0, 0.9), (n, 46.0, 0.55))
    grid = np.linspace(0.0, 1.08, 4096)
    tables = []
    for order, wave, amount in modes:
        values = jv(order, wave * stretch * grid)
        scale = amount / np.abs(values).max()
        slopes = wave * stretch * jvp(order, wave * stretch * grid)
        tables.append((order, values * scale, slopes * scale))
    lines = (colours.accent_edge, (0.74, 0.12, 25.0), (0.66, 0.12, 330.0), (0.56, 0.11, 300.0))
    dark, middle = colours.sky[0], (colours.sky[1][0], 0.75 * colours.sky[1][1], colours.sky[1][2])
    ground = (_shade(middle, 0.38), _shade(middle, 0.30), _shade(dark, 0.23), _shade(dark, 0.18))

    def scene(x: Floats, y: Floats, pixel: float) -> Light:
        across, down = (x - focus[0] * aspect)[None, :] / radius, (y - focus[1])[:, None] / radius
        r = np.hypot(across, down)
        angle = np.arctan2(down, across)
        out = ramp(ground, np.clip(r / 2.1, 0.0, 1.0))
        u, radial, turning = np.zeros_like(r), np.zeros_like(r), np.zeros_like(r)
        for order, values, slopes in tables:
            height = np.interp(r, grid, values).astype(np.float32)
            cosine = np.cos(order * angle)
            u += height * cosine
            radial += np.interp(r, grid, slopes).astype(np.float32) * cosine
            turning += height * np.float32(order) * np.sin(order * angle)
        steep = np.hypot(radial, turning / np.maximum(r, 1e-3)) + 0.6
        away = np.abs(u) / steep
        width = max(0.0038, 0.75 * pixel / radius)
        bright = np.exp(-((away / width) ** 2)) + 0.30 * np.exp(-((away / 0.014) ** 2))
        inside = 1.0 - _smooth(0.80, 0.98, r)
        colour = ramp(lines, np.clip(r, 0.0, 1.0))
        out += (bright * inside * (1.15 - 0.35 * r))[..., None] * colour
        swell = (np.tanh(u) * 0.5 + 0.5) * np.exp(-((r / 0.5) ** 2)) * inside * np.float32(0.12)
        out += swell[..., None] * linear(colours.accent_edge)
        for ring, strength in ((1.03, 0.75), (1.06, 0.35)):
            out += (np.exp(-(((r - ring) / max(0.0022, 0.7 * pixel / radius)) ** 2)) * strength)[..., None] * linear(
                colours.accent_edge
            )
        return out.astype(np.float32)

    return scene


def moon(
    colours: Palette, profile: NDArray[np.float64], focus: tuple[float, float], disc: float, aspect: float, seed: int
) -> Scene:
    """A moon over water with its broken reflection; the far hills are the song's loudness."""
    rng = np.random.default_rng(seed)
    horizon = 0.62
    stars = _stars(rng, focus, disc, aspect, horizon)
    jitter = rng.normal(0.0, 1.0, 512)
    widths = rng.uniform(0.55, 1.25, 512)
    hill = rng.random(4)
    dark, middle, light = colours.sky[0], colours.sky[1], colours.sky[-1]
    sky = (_shade(dark, 0.19), _shade(dark, 0.25), _shade(middle, 0.33), _shade(light, 0.46))

    def scene(x: Floats, y: Floats, pixel: float) -> Light:
        along = x / aspect
        out = np.repeat(ramp(sky, np.clip(y / horizon, 0.0, 1.0))[:, None, :], len(x), axis=1)
        away = np.hypot(x[None, :] - focus[0] * aspect, y[:, None] - focus[1])
        _add_stars(out, stars, x, y, pixel)
        halo = 0.12 * np.exp(-((away / (2.2 * disc)) ** 2)) + 0.05 * np.exp(-((away / (4.5 * disc)) ** 2))
        out += halo[..., None] * linear(_between(light, colours.accent, 0.6))
        face = linear(colours.accent) * (1.05 - 0.10 * np.clip((away / disc)[..., None], 0.0, 1.0) ** 2)
        inside = cover_by_edge(disc - away, pixel, 1.5)[..., None]
        out = out * (1 - inside) + face * inside
        level = np.interp(along, np.linspace(0.0, 1.0, len(profile)), profile)
        for far, (lift, shade) in enumerate(((0.055, 0.27), (0.028, 0.19))):
            bumps = np.sin(2 * np.pi * (1.7 * along + hill[far])) + 0.5 * np.sin(2 * np.pi * (4.3 * along + hill[far + 2]))
            top = horizon - lift * (0.35 + 0.75 * level * (1 - far) + 0.22 * bumps + 0.25 * far)
            inside = cover_by_edge(y[:, None] - top[None, :].astype(np.float32), pixel)[..., None]
            out = out * (1 - inside) + linear(_shade(dark, shade)) * inside
        depth = np.clip(y - horizon, 0.0, None)
        water = ramp((_shade(middle, 0.31), _shade(dark, 0.21), _shade(dark, 0.17)), np.clip(depth / (1 - horizon), 0.0, 1.0))[
            :, None, :
        ]
        bars = _reflection(x - focus[0] * aspect, depth, disc, jitter, widths)
        lit = water + bars[..., None] * linear(colours.accent) * np.float32(0.85)
        inside = cover_by_edge(y[:, None] - horizon, pixel)[..., None]
        return _vignette((out * (1 - inside) + lit * inside).astype(np.float32), along, y)

    return scene


def ridges(
    colours: Palette, profile: NDArray[np.float64], focus: tuple[float, float], reach: float, aspect: float, seed: int
) -> Scene:
    """Lines that rise one behind another; line by line through the song, each as high as the song is loud there."""
    rng = np.random.default_rng(seed)
    top, bottom = focus[1] - reach, focus[1] + reach
    spacing = (bottom - top) / _RIDGES
    grid = np.linspace(-1.0, 1.0, 400)
    rows = []
    for row in range(_RIDGES):
        loud = float(np.interp(row / (_RIDGES - 1), np.linspace(0.0, 1.0, len(profile)), profile))
        bumps = sum(
            rng.uniform(0.35, 1.0) * np.exp(-(((grid - rng.normal(0.0, 0.30)) / rng.uniform(0.06, 0.17)) ** 2)) for _ in range(6)
        )
        small = 0.05 * np.sin(2 * np.pi * (7 * grid + rng.random())) + 0.04 * np.sin(2 * np.pi * (13 * grid + rng.random()))
        height = (bumps + small + 0.05) * np.exp(-((grid / 0.55) ** 2)) * (0.35 + 0.65 * loud)
        rows.append(4.0 * spacing * np.tanh(height * 0.75))
    lines = (colours.sky[-1], colours.accent_edge, colours.accent)
    ground = (_shade(colours.sky[0], 0.19), _shade(colours.sky[1], 0.29), _shade(colours.sky[0], 0.20))

    def scene(x: Floats, y: Floats, pixel: float) -> Light:
        out = np.repeat(ramp(ground, np.clip(y, 0.0, 1.0))[:, None, :], len(x), axis=1)
        across = (x - focus[0] * aspect) / (reach * 1.02)
        within = (1.0 - _smooth(0.62, 1.0, np.abs(across)))[None, :]
        fill = out.copy()
        width = max(0.0019, 0.8 * pixel)
        for row, heights in enumerate(rows):
            line = top + (row + 1) * spacing - np.interp(across, grid, heights)
            if line.min() - 0.02 > y[-1] or top + (row + 1) * spacing + 0.02 < y[0]:
                continue
            depth = y[:, None] - line[None, :].astype(np.float32)
            slope = np.gradient(line, x)
            away = np.abs(depth) / np.sqrt(1.0 + slope**2)[None, :]
            below = cover_by_edge(depth, pixel) * within * (depth < 4 * spacing)
            out = out * (1 - below[..., None]) + fill * below[..., None]
            bright = (np.exp(-((away / width) ** 2)) + 0.25 * np.exp(-((away / (4 * width)) ** 2))) * within
            colour = ramp(lines, np.array([row / (_RIDGES - 1)], dtype=np.float32))[0]
            out = out + bright[..., None] * colour * np.float32(0.95)
        return out.astype(np.float32)

    return scene


def _reflection(across: Floats, depth: Floats, disc: float, jitter: NDArray[np.float64], widths: NDArray[np.float64]) -> Floats:
    """Bars of light on water, shape (rows, columns). A bar's jitter changes where the wave is darkest, so no bar is cut."""
    phase = 26.0 * np.log(depth + 0.03)
    wave = 0.5 + 0.5 * np.sin(phase)
    number = np.floor((phase + np.pi / 2) / (2 * np.pi)).astype(int) % len(jitter)
    half = disc * (0.55 + 2.2 * depth) * widths[number]
    middle = jitter[number] * disc * (0.05 + 0.5 * depth)
    spread = np.exp(-(np.abs((across[None, :] - middle[:, None]) / half[:, None]) ** 2.6))
    fade = np.exp(-depth / 0.20) * (wave**2.2)
    shine = 0.16 * np.exp(-((across[None, :] / (disc * 2.2)) ** 2)) * np.exp(-depth / 0.15)[:, None]
    out: Floats = (spread * fade[:, None] + shine).astype(np.float32)
    return out


def _stars(
    rng: np.random.Generator, focus: tuple[float, float], disc: float, aspect: float, horizon: float
) -> NDArray[np.float64]:
    """(x, y, brightness, radius) of stars: many faint, few bright, none near the moon or the horizon."""
    count = int(260 * aspect)
    x, y = rng.random(count) * aspect, rng.random(count) * horizon
    bright = np.minimum(0.10 + 0.055 * rng.pareto(1.7, count), 0.9)
    kept = (rng.random(count) < (1 - y / horizon) ** 1.1) & (np.hypot(x - focus[0] * aspect, y - focus[1]) > 1.9 * disc)
    return np.stack((x, y, bright, 0.0007 + 0.0011 * bright), axis=1)[kept]


def _add_stars(out: Light, stars: NDArray[np.float64], x: Floats, y: Floats, pixel: float) -> None:
    for star_x, star_y, bright, radius in stars:
        size = max(radius, 0.6 * pixel)
        reach = 4 * size
        left, right = np.searchsorted(x, (star_x - reach, star_x + reach))
        top, bottom = np.searchsorted(y, (star_y - reach, star_y + reach))
        if right > left and bottom > top:
            far = (x[left:right][None, :] - star_x) ** 2 + (y[top:bottom][:, None] - star_y) ** 2
            # Spread over a pixel at least, with the same light: small pictures keep their faint stars faint.
            out[top:bottom, left:right] += (bright * (radius / size) ** 2 * np.exp(-far / size**2))[..., None].astype(np.float32)


def _vignette(light: Light, x: Floats, y: Floats) -> Light:
    far = (x[None, :] - 0.5) ** 2 + (y[:, None] - 0.5) ** 2
    out: Light = (light * (1 - 0.49 * far)[..., None]).astype(np.float32)
    return out


def _smooth(low: float, high: float, value: Floats) -> Floats:
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    out: Floats = t * t * (3 - 2 * t)
    return out


def _shade(colour: Lch, lightness: float) -> Lch:
    return lightness, colour[1], colour[2]


def _between(one: Lch, other: Lch, at: float) -> Lch:
    """Half-way colours in a and b, as everywhere here."""
    a = (1 - at) * one[1] * math.cos(math.radians(one[2])) + at * other[1] * math.cos(math.radians(other[2]))
    b = (1 - at) * one[1] * math.sin(math.radians(one[2])) + at * other[1] * math.sin(math.radians(other[2]))
    return (1 - at) * one[0] + at * other[0], math.hypot(a, b), math.degrees(math.atan2(b, a))
