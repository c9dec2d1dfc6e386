"""The test's scenes: 30 seconds of sound each, from families that training never hears, in rooms made another way (rays between
walls and a tail of noise, not a smear of power), with other noise beneath and at other rates."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from llm_music_gen.describing.events.labels import with_parents
from training.ears.families import KINDS
from training.ears.shaping import RATE_HZ, Audio, Random, resonant, unit, wander

LENGTH_S = 30
#: The labels with a generator of their own; a parent is there too wherever its child is.
JUDGED = (
    "Silence", "Human sounds", "Wind", "Water", "Traffic", "Sounds of things", "Vehicle", "Bird", "Speech",
    "Music", "Noise", "Animal",
)  # fmt: skip
_SILENT_SHARE = 0.18


def scenes(count: int, seed: int) -> Iterator[tuple[Audio, frozenset[str], int]]:
    """(sound of shape (n,), its labels, sample rate), one after another. About every sixth holds nothing but a faint floor."""
    for number in range(count):
        random = np.random.default_rng([seed, number])
        if random.random() < _SILENT_SHARE:
            floor = _floor(random) * 10 ** (random.uniform(-80, -60) / 20)
            yield floor.astype(np.float32), with_parents({"Silence"}), RATE_HZ
            continue
        kinds = [
            str(kind) for kind in random.choice(list(KINDS), int(random.choice([1, 2, 3], p=[0.3, 0.4, 0.3])), replace=False)
        ]
        out = np.zeros(LENGTH_S * RATE_HZ, dtype=np.float32)
        for kind in kinds:
            families = KINDS[kind][2]
            dry = families[int(random.integers(len(families)))](random, len(out))
            out += unit(_room(random, dry)) * np.float32(10 ** (random.uniform(-9, 0) / 20))
        out = out / max(1e-6, float(out.std())) + _floor(random) * np.float32(10 ** (random.uniform(-32, -14) / 20))
        labels = with_parents({KINDS[kind][0] for kind in kinds})
        yield (out * 10 ** (random.uniform(-40, -20) / 20)).astype(np.float32), labels, RATE_HZ


def _room(random: Random, dry: Audio) -> Audio:
    """A box with six walls: the first reflections as rays, then noise that dies away, duller the later."""
    if random.random() < 0.3:
        return dry
    size_m = random.uniform(4, 30, 3)
    source, ear = random.uniform(0.2, 0.8, 3) * size_m, random.uniform(0.2, 0.8, 3) * size_m
    absorbed = random.uniform(0.25, 0.75)
    decay_s = float(np.clip(0.161 * np.prod(size_m) / (absorbed * 2 * np.sum(size_m * np.roll(size_m, 1))), 0.1, 3.0))
    response = np.zeros(int(RATE_HZ * min(2.0, decay_s + 0.2)), dtype=np.float32)
    for axis in range(3):
        for wall in (0.0, size_m[axis]):
            image = source.copy()
            image[axis] = 2 * wall - source[axis]
            away = float(np.linalg.norm(image - ear))
            response[min(len(response) - 1, int(away / 343 * RATE_HZ))] += (1 - absorbed) ** 0.5 / away
    direct = float(np.linalg.norm(source - ear))
    response[int(direct / 343 * RATE_HZ)] += 1 / direct
    at = np.arange(len(response)) / RATE_HZ
    tail = random.standard_normal(len(response)) * np.exp(-6.9 * at / decay_s) * (at > direct / 343)
    tail = (
        tail
        * np.sqrt(16 * np.pi * (1 - absorbed) / (absorbed * 2 * np.sum(size_m * np.roll(size_m, 1))))
        / np.sqrt(np.sum(tail**2))
    )
    total = len(dry) + len(response)
    wet = np.fft.irfft(np.fft.rfft(dry, total) * np.fft.rfft(response + tail, total), total)[: len(dry)]
    return unit(wet)


def _floor(random: Random) -> Audio:
    """What is under every scene: low noise through a pole, and the hiss of a microphone."""
    frames = LENGTH_S * RATE_HZ
    low = unit(resonant(random.standard_normal(frames).astype(np.float32), random.uniform(10, 90), random.uniform(60, 200)))
    low = low * (1 + 0.2 * wander(random, frames, 0.2))
    return unit(low + random.uniform(0.02, 0.3) * random.standard_normal(frames))
