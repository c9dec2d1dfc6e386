"""Traffic, single vehicles, things that are handled, machines and plain noise. Families marked (test) only the test hears."""

from __future__ import annotations

import numpy as np

from training.ears.shaping import (
    RATE_HZ,
    Audio,
    Random,
    band,
    between,
    coloured,
    fade,
    glide,
    place,
    resonant,
    sloped,
    swelling,
    unit,
    wander,
)  # fmt: skip


def _tyres(random: Random, frames: int) -> Audio:
    """Tyre noise: a hump near 1 kHz, falling to both sides; with it the engine's low noise."""
    hump_hz = between(random, 600, 1400)
    low_db = random.uniform(-6, 14)
    points = [
        (30, low_db),
        (100, low_db),
        (hump_hz / 2.5, -6.0),
        (hump_hz, 0.0),
        (hump_hz * 2, -7.0),
        (8000, -random.uniform(22, 40)),
    ]
    return coloured(random, frames, points)


def _passing(random: Random, frames: int, nearness: tuple[float, float]) -> Audio:
    """One car that comes and goes: 1 / distance, duller when it is far."""
    at = np.arange(frames) / RATE_HZ
    speed = between(random, 7, 32) / between(random, *nearness)
    away = np.sqrt(1 + ((at - random.uniform(-2, frames / RATE_HZ + 2)) * speed) ** 2)
    dull = sloped(random, frames, -6) * 0.5
    engine_hz = between(random, 35, 120)
    engine = sum(np.sin(k * glide(engine_hz * (1 - 0.03 * np.tanh(at - at.mean())))) / k for k in range(1, 7))
    return ((_tyres(random, frames) / away + dull / away**0.5 * 0.3 + random.uniform(0, 0.4) * engine / away) / 1.3).astype(
        np.float32
    )


def road(random: Random, frames: int) -> Audio:
    """A road: cars one after another, over the rumble of those far away."""
    out = random.uniform(0.02, 0.4) * far_road(random, frames)
    for _ in range(int(between(random, 1, 14) * frames / RATE_HZ / 10) + 1):
        out += between(random, 0.3, 1) * _passing(random, frames, (2, 25))
    return unit(out)


def far_road(random: Random, frames: int) -> Audio:
    """A main road some way off: steady low noise, that swells slowly."""
    fall = random.uniform(3, 9)
    points = [(30, 0.0), (100, -random.uniform(0, 6)), (1000, -fall * 2.2), (2000, -fall * 3.6), (8000, -fall * 8)]
    return unit(coloured(random, frames, points) * swelling(random, frames, between(random, 0.08, 0.7), random.uniform(0.3, 3)))


def busy_road(random: Random, frames: int) -> Audio:
    """A wall of noise: so many cars that none stands out."""
    out = _tyres(random, frames) * swelling(random, frames, between(random, 0.15, 1), random.uniform(0.5, 3))
    return unit(out + random.uniform(0, 1) * far_road(random, frames) + random.uniform(0, 0.8) * road(random, frames))


def wet_road(random: Random, frames: int) -> Audio:
    """Cars in the rain (test): two bands with their own humps, Gaussian passes at even distances."""
    at = np.arange(frames) / RATE_HZ
    out = 0.1 * sloped(random, frames, -5)
    gap_s, width_s = random.uniform(1.0, 5), random.uniform(0.5, 2.0)
    low, high = band(random, frames, 60, 300, 12), band(random, frames, 700, 2200, 12)
    start = random.uniform(-gap_s, 0)
    while start < at[-1] + gap_s:
        shape = random.uniform(0.3, 1) * np.exp(-(((at - start) / width_s) ** 2))
        out += (low * shape + random.uniform(0.4, 1) * high * shape**1.5).astype(np.float32)
        start += gap_s * random.uniform(0.5, 1.5)
    return unit(out)


def motorway(random: Random, frames: int) -> Audio:
    """A motorway (test): noise with poles at 60 and 900 Hz, lorries under it."""
    noise = random.standard_normal(frames).astype(np.float32)
    out = unit(resonant(noise, 60, 80)) * random.uniform(0.5, 1.5) + unit(resonant(noise, random.uniform(700, 1100), 900))
    lorries = unit(resonant(random.standard_normal(frames).astype(np.float32), 110, 120)) * np.exp(wander(random, frames, 0.25))
    return unit((out + lorries) * swelling(random, frames, 0.4, 1.2))


def engine(random: Random, frames: int) -> Audio:
    """A car, motorcycle or lorry close by: firing pulses whose rate follows the gears."""
    at = np.arange(frames) / RATE_HZ
    rate_hz = between(random, 18, 140) * np.exp(random.uniform(0.05, 0.4) * wander(random, frames, between(random, 0.1, 0.6)))
    phase = glide(rate_hz)
    tilt = random.uniform(0.4, 1.3)
    out = sum(random.uniform(0.3, 1) * np.sin(k * phase + random.random() * 6) / k**tilt for k in range(1, 20))
    rough = (1 + np.sin(phase)) * sloped(random, frames, -5) * random.uniform(0.3, 2)
    near = 1 / np.sqrt(1 + ((at - random.uniform(0, at[-1])) * between(random, 0.1, 2)) ** 2)
    return unit((out + rough) * near + 0.2 * _tyres(random, frames) * near)


def aeroplane(random: Random, frames: int) -> Audio:
    """An aeroplane overhead: slow, low, with the comb that the ground's reflection makes."""
    noise = coloured(random, frames, [(40, 0), (between(random, 150, 500), 0), (1500, -12), (8000, -50)])
    delay = int(RATE_HZ * between(random, 0.0008, 0.006))
    noise = noise + 0.6 * np.roll(noise, delay)
    whine = np.sin(glide(between(random, 150, 1500) * (1 + 0.1 * np.tanh(np.linspace(1, -1, frames)))))
    return unit((noise + random.uniform(0, 0.15) * whine) * swelling(random, frames, 0.2, 2))


def horn_or_siren(random: Random, frames: int) -> Audio:
    """Horns, brakes that squeal, sirens."""
    out = 0.05 * road(random, frames)
    kind = random.integers(3)
    at = np.arange(frames) / RATE_HZ
    if kind == 0:
        for _ in range(int(random.integers(1, 4))):
            length = int(RATE_HZ * between(random, 0.15, 1.5))
            hz = between(random, 320, 520)
            wave = sum(
                np.sign(np.sin(glide(np.full(length, hz * r)))) + np.sin(3 * glide(np.full(length, hz * r))) for r in (1, 1.25)
            )
            place(out, int(random.integers(0, frames)), wave * fade(length, 0.02, 0.05), 0.6)
    elif kind == 1:
        sweep = 900 + 350 * np.sign(np.sin(2 * np.pi * between(random, 0.3, 1.2) * at)) * random.choice([1, 0.4])
        if random.random() < 0.5:
            sweep = 1000 + 450 * np.sin(2 * np.pi * between(random, 0.15, 3) * at)
        out += sum(np.sin(k * glide(sweep)) / k for k in range(1, 5)) * swelling(random, frames, 0.2, 3)
    else:
        squeal = np.sin(glide(between(random, 1500, 4500) * (1 + 0.01 * wander(random, frames, 3))))
        out += squeal * np.exp(-((at - random.uniform(1, 8)) ** 2) / random.uniform(0.3, 2))
    return unit(out)


def diesel(random: Random, frames: int) -> Audio:
    """A lorry that idles (test): noise bursts at the firing rate through three resonances."""
    rate_hz = random.uniform(9, 28) * np.exp(0.05 * wander(random, frames, 0.5))
    bursts = np.exp(-4 * ((glide(rate_hz) / (2 * np.pi)) % 1)) * random.standard_normal(frames)
    out = sum(unit(resonant(bursts.astype(np.float32), hz, hz / 5)) for hz in random.uniform(50, 1400, 3))
    return unit(out * swelling(random, frames, 0.3, 2))


def scooter(random: Random, frames: int) -> Audio:
    """A scooter that passes (test): a buzzing saw with Doppler."""
    at = np.arange(frames) / RATE_HZ - frames / RATE_HZ * random.uniform(0.3, 0.7)
    speed = random.uniform(0.4, 2)
    hz = random.uniform(90, 220) * (1 - 0.04 * speed * at / np.sqrt(1 + (speed * at) ** 2))
    saw = ((glide(hz) / (2 * np.pi)) % 1) - 0.5
    return unit((saw + 0.1 * random.standard_normal(frames)) / (1 + (speed * at) ** 2) ** 0.6)


def _knock(random: Random, high: bool) -> Audio:
    """Something struck: a few damped modes and a click."""
    length = int(RATE_HZ * between(random, 0.05, 0.6))
    at = np.arange(length) / RATE_HZ
    base = between(random, 600, 3500) if high else between(random, 70, 500)
    modes = sum(np.sin(2 * np.pi * base * r * at) * np.exp(-at * between(random, 8, 90)) for r in random.uniform(1, 4, 5))
    return np.asarray(modes + random.standard_normal(length) * np.exp(-at * between(random, 60, 400)), dtype=np.float32)


def clatter(random: Random, frames: int) -> Audio:
    """Dishes, doors, boxes, tools."""
    out = np.zeros(frames, dtype=np.float32)
    kit = [_knock(random, bool(random.random() < 0.6)) for _ in range(4)]
    for _ in range(int(between(random, 0.5, 8) * frames / RATE_HZ)):
        place(out, int(random.integers(0, frames)), kit[int(random.integers(4))], random.exponential(1.0))
    return unit(out)


def tools(random: Random, frames: int) -> Audio:
    """A drill, a saw, a beep that repeats."""
    at = np.arange(frames) / RATE_HZ
    on = np.clip(4 * np.sin(2 * np.pi * between(random, 0.1, 0.6) * at + random.random() * 6) + 1, 0, 1)
    if random.random() < 0.4:
        beeps = np.sin(2 * np.pi * between(random, 700, 3500) * at) * (np.sin(2 * np.pi * between(random, 0.7, 4) * at) > 0)
        return unit(beeps * on + 1e-3)
    hz = between(random, 60, 400) * (1 + 0.05 * wander(random, frames, 1))
    buzz = sum(np.sin(k * glide(hz)) / k**0.5 for k in range(1, 16))
    return unit((buzz + 2 * sloped(random, frames, random.uniform(-2, 2))) * on)


def glasses(random: Random, frames: int) -> Audio:
    """Glasses and bottles (test): FM pings."""
    out = np.zeros(frames, dtype=np.float32)
    for start in np.sort(random.integers(0, frames, int(random.uniform(0.7, 4) * frames / RATE_HZ))):
        at = np.arange(RATE_HZ // 2) / RATE_HZ
        hz = random.uniform(1200, 4500)
        place(
            out,
            int(start),
            np.exp(-12 * at) * np.sin(2 * np.pi * hz * at + 2 * np.exp(-20 * at) * np.sin(2 * np.pi * 1.41 * hz * at)),
        )
    return unit(out)


def hiss(random: Random, frames: int) -> Audio:
    """Plain noise of any colour, steady."""
    return sloped(random, frames, random.uniform(-4, 3))


def fan(random: Random, frames: int) -> Audio:
    """A fan or a ventilation: steady noise with blades in it."""
    blades_hz = between(random, 20, 300)
    points = [(40, random.uniform(-10, 6)), (blades_hz * 2, 0), (2500, -random.uniform(3, 18)), (8000, -random.uniform(15, 40))]
    at = np.arange(frames) / RATE_HZ
    tone = sum(np.sin(2 * np.pi * k * blades_hz * at) / k for k in range(1, 6))
    return unit(coloured(random, frames, points) + random.uniform(0, 0.6) * tone)


def hum(random: Random, frames: int) -> Audio:
    """Mains hum and the buzz of a transformer."""
    at = np.arange(frames) / RATE_HZ
    base = random.choice([50, 60, 100, 120]) * random.uniform(0.99, 1.01)
    tilt = random.uniform(0.2, 1.5)
    tone = sum(random.uniform(0.2, 1) * np.sin(2 * np.pi * k * base * at) / k**tilt for k in range(1, 25))
    return unit(tone + random.uniform(0.1, 1.0) * sloped(random, frames, random.uniform(-5, 0)))


def band_noise(random: Random, frames: int) -> Audio:
    """A ventilation grille (test): noise through two resonances, and white noise, all steady."""
    noise = random.standard_normal(frames).astype(np.float32)
    parts = [unit(resonant(noise, random.uniform(150, 3500), random.uniform(200, 1500))) for _ in range(2)]
    return unit(parts[0] + parts[1] + random.uniform(0.3, 1.5) * noise)


def blower(random: Random, frames: int) -> Audio:
    """A vacuum cleaner (test): bright noise and a whine."""
    at = np.arange(frames) / RATE_HZ
    whine = np.sin(2 * np.pi * random.uniform(350, 2200) * at + 0.5 * wander(random, frames, 2))
    return unit(coloured(random, frames, [(100, -10), (700, 0), (4000, -2), (8000, -8)]) + 0.4 * whine)
