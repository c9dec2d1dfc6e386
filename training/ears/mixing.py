"""Scenes as mel power: sources near and far, rooms, microphones, rumble and hiss, each at random over wide ranges, with what can
be heard of each source written beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.describing.events.features import FLOOR, decibels, mel_bank
from llm_music_gen.describing.events.labels import CHILDREN, LABELS, SCENES
from llm_music_gen.describing.events.model import MELS
from training.ears.bank import Bank
from training.ears.families import KINDS
from training.ears.shaping import Random, between

#: scene -> kind -> how likely it is in it. "anywhere" has no scene of the three.
RECIPES: dict[str, dict[str, float]] = {
    "public_square": {
        "speech": 0.75, "people": 0.45, "music": 0.4, "bird": 0.25, "traffic": 0.3, "water": 0.2, "things": 0.25,
        "vehicle": 0.1, "wind": 0.08,
    },
    "park": {
        "bird": 0.65, "wind": 0.3, "water": 0.3, "speech": 0.35, "traffic": 0.25, "animal": 0.2, "people": 0.2,
        "vehicle": 0.08, "music": 0.08,
    },
    "street_traffic": {"traffic": 0.95, "vehicle": 0.3, "speech": 0.12, "bird": 0.15, "people": 0.1, "wind": 0.05, "noise": 0.05},
    "anywhere": dict.fromkeys(KINDS, 0.16),
    "alone": {},
}  # fmt: skip
_SCENE_CHANCES = (0.22, 0.22, 0.22, 0.2, 0.14)
#: How much of the time and the bands a source has to lead in to be heard, and in how little it is not.
HEARD, UNHEARD = 0.012, 0.003
#: What goes on and on has to lead in more of it.
STEADY = frozenset({"wind", "water", "traffic", "noise"})
_STEADY_TIMES = 3.0
#: Silence is what lies under 30 dB(A) where a full-scale sine stands for 94 dB, for sure over 36 it is none. dB re full scale.
_SILENT_DB, _NOT_SILENT_DB = -67.0, -61.0
_HZ = (mel_bank() * np.linspace(0, 8000, mel_bank().shape[0])[:, None]).sum(axis=0) / mel_bank().sum(axis=0)
_OCTAVE = np.log2(_HZ / 1000).astype(np.float32)
_BINS = mel_bank().sum(axis=0)
#: A-weighting in power (IEC 61672), shape (MELS,).
_POLES = (_HZ**2 + 20.6**2) * np.sqrt((_HZ**2 + 107.7**2) * (_HZ**2 + 737.9**2)) * (_HZ**2 + 12194**2)
_WEIGHT = 1.2589 * (12194**2 * _HZ**4 / _POLES) ** 2


@dataclass(frozen=True, slots=True)
class Mixed:
    """A scene and what is in it."""

    log_mel: NDArray[np.float32]
    target: NDArray[np.float32]
    """Shape (OUTPUTS,): 1 heard, 0 not, -1 not to be said."""


def kinds_of(random: Random) -> tuple[str, list[str]]:
    """A scene by name and the kinds of sources in it."""
    scene = str(random.choice(list(RECIPES), p=_SCENE_CHANCES))
    if scene == "alone":
        return scene, [str(random.choice(list(KINDS)))] if random.random() < 0.6 else []
    kinds = [kind for kind, chance in RECIPES[scene].items() if random.random() < chance]
    return scene, kinds


def mix(random: Random, bank: Bank, frames: int) -> Mixed:
    """One scene of so many frames."""
    scene, kinds = kinds_of(random)
    sources = {kind: _source(random, bank[kind], frames) * 10 ** (random.uniform(-20, 0) / 10) for kind in kinds}
    bed, hiss = _bed(random, frames), _hiss(random, frames)
    loudest = max((float(source.sum(axis=1).mean()) for source in sources.values()), default=1.0)
    rumble_db = random.uniform(-25, 12)
    sources["bed"] = bed * loudest * 10 ** (rumble_db / 10) + hiss * loudest * 10 ** (random.uniform(-55, -20) / 10)
    total = np.sum(list(sources.values()), axis=0)
    heard = {
        kind: float(np.mean(power > 0.7 * (total - power))) / (_STEADY_TIMES if kind in STEADY else 1.0)
        for kind, power in sources.items()
    }
    quiet = not kinds or random.random() < 0.08
    level_db = random.uniform(-82, -48) if quiet else random.uniform(-56, -14)
    total = total * 10 ** (level_db / 10) / (total.sum(axis=1).mean() / _BINS.mean() + FLOOR)
    colour = _curve(random, 3.0) + random.uniform(-2, 2) * _OCTAVE
    if random.random() < 0.2:
        colour = colour - 40 * np.maximum(0, _OCTAVE - np.log2(between(random, 2500, 7500) / 1000))
    if random.random() < 0.3:
        colour = colour - random.uniform(4, 24) * np.maximum(0, np.log2(between(random, 80, 250) / 1000) - _OCTAVE)
    total = total * 10 ** (colour / 10) + 10 ** (random.uniform(-115, -80) / 10) * random.chisquare(2, total.shape) / 2
    weighted_db = 10 * np.log10(float((total * _WEIGHT).sum(axis=1).mean()) + FLOOR)
    return Mixed(decibels(total.astype(np.float32)), target(scene, heard, weighted_db))


def target(scene: str, heard: dict[str, float], level_db: float) -> NDArray[np.float32]:
    """What a model is to say: which kinds lead in enough of the sound, and what takes them in. `level_db` is A-weighted."""
    said = dict.fromkeys(LABELS, 0.0)
    for kind, share in heard.items():
        if kind in KINDS:
            label = KINDS[kind][0]
            said[label] = max(said[label], 1.0 if share >= HEARD else -1.0 if share > UNHEARD else 0.0, key=_rank)
    nature = any(said[label] == 1 for label in ("Wind", "Water", "Bird", "Animal"))
    said["Outside, rural or natural"] = 0.0 if scene == "street_traffic" or not nature else 1.0 if scene == "park" else -1.0
    said["Environment and background"] = 1.0 if heard.get("bed", 0.0) > 0.5 else 0.0 if heard.get("bed", 0.0) < 0.15 else -1.0
    said["Silence"] = 1.0 if level_db < _SILENT_DB else 0.0 if level_db > _NOT_SILENT_DB else -1.0
    for _ in range(3):
        for parent, children in CHILDREN.items():
            if parent != "Environment and background":
                said[parent] = max((said[one] for one in (parent, *children)), key=_rank)
    place = [1.0 if one == scene else 0.0 for one in SCENES] if scene in SCENES else [-1.0] * len(SCENES)
    return np.array([*said.values(), *place], dtype=np.float32)


def _rank(value: float) -> int:
    """Heard goes before unsure goes before not heard."""
    return {0.0: 0, -1.0: 1, 1.0: 2}[value]


def _source(random: Random, clips: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """A stretch of one clip (of several for a long scene), at some distance, in some room, at times only a part of the scene."""
    from scipy.signal import lfilter

    pieces, need = [], frames
    clip = clips[int(random.integers(len(clips)))]
    while need > 0:
        start = int(random.integers(0, max(1, clip.shape[0] - min(need, clip.shape[0]) + 1)))
        pieces.append(clip[start : start + need])
        need -= len(pieces[-1])
    power = np.concatenate(pieces)
    if random.random() < 0.25:  # shifted by a band: a little higher or lower
        power = np.roll(power, int(random.integers(-2, 3)), axis=1)
    far = random.uniform(0, 6) if random.random() < 0.5 else 0.0
    power = power * 10 ** ((_curve(random, 3.5) - far * np.maximum(0, _OCTAVE)) / 10)
    if random.random() < 0.6:
        decay_s, wet = between(random, 0.15, 3.0), random.uniform(0.05, 0.9)
        fall = 10 ** (-6 * 0.02 / decay_s)
        power = (1 - wet) * power + wet * lfilter([1 - fall], [1, -fall], power, axis=0)
    if random.random() < 0.25:
        begin, end = np.sort(random.uniform(-0.3, 1.3, 2)) * frames
        at = np.arange(frames)[:, None]
        power = power * np.clip((at - begin) / 20, 1e-6, 1) * np.clip((end - at) / 20, 1e-6, 1)
    return np.asarray(power / (power.sum(axis=1).mean() + FLOOR), dtype=np.float32)


def _curve(random: Random, spread_db: float) -> NDArray[np.float32]:
    """A smooth random frequency response in dB, shape (MELS,)."""
    knots = random.normal(0, spread_db, 7)
    return np.interp(np.arange(MELS), np.linspace(0, MELS - 1, 7), knots).astype(np.float32)


def _grain(random: Random, frames: int) -> NDArray[np.float32]:
    """What Gaussian noise does to the power of bands: chi-square, with more freedom the more bins a band holds."""
    freedom = np.maximum(2.0, 1.3 * _BINS)
    return np.asarray(random.standard_gamma(freedom / 2, (frames, MELS)) / (freedom / 2), dtype=np.float32)


def _bed(random: Random, frames: int) -> NDArray[np.float32]:
    """The rumble that every recording in the open has: the town, the wind on the microphone, the steps of who holds it."""
    slope = random.uniform(2.5, 9)
    curve = -slope * np.maximum(0, _OCTAVE + np.log2(1000 / between(random, 50, 250))) + _curve(random, 1.5)
    slow = np.interp(np.arange(frames), np.linspace(0, frames, 12), random.normal(0, random.uniform(0.2, 2.5), 12))
    power = _grain(random, frames) * (10 ** (curve / 10) * _BINS) * 10 ** (slow[:, None] / 10)
    return np.asarray(power / power.sum(axis=1).mean(), dtype=np.float32)


def _hiss(random: Random, frames: int) -> NDArray[np.float32]:
    """A steady floor of noise, from pink to white."""
    power = _grain(random, frames) * (10 ** (random.uniform(-3, 1) * _OCTAVE / 10) * _BINS)
    return np.asarray(power / power.sum(axis=1).mean(), dtype=np.float32)
