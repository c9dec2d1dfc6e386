"""Wind, water, birds and other animals, each in families: those to train with, and others that only the test hears."""

from __future__ import annotations

from itertools import pairwise

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


def gusts(random: Random, frames: int) -> Audio:
    """Wind in the open or on a microphone: low noise in layers, each swelling by itself."""
    swell = swelling(random, frames, between(random, 0.15, 1.2), random.uniform(3, 9))
    out = np.zeros(frames, dtype=np.float32)
    for _ in range(3):
        top_hz = between(random, 80, 900)
        layer = coloured(random, frames, [(30, 0), (top_hz, 0), (top_hz * 8, -random.uniform(25, 50))])
        out += layer * swell * swelling(random, frames, between(random, 0.5, 5), random.uniform(1, 4)) * random.uniform(0.2, 1)
    return unit(out)


def leaves(random: Random, frames: int) -> Audio:
    """Wind in trees: high noise in gusts, made of many small rustles."""
    swell = swelling(random, frames, between(random, 0.15, 0.8), random.uniform(4, 9))
    low_hz = between(random, 500, 2500)
    out = band(random, frames, low_hz, random.uniform(3500, 8000), random.uniform(6, 20)) * swell
    out *= swelling(random, frames, between(random, 8, 30), random.uniform(1, 4))
    return unit(unit(out) + random.uniform(0.0, 0.8) * gusts(random, frames))


def draught(random: Random, frames: int) -> Audio:
    """Wind that gets brighter as it gets stronger, with or without a whistle: eight bands, each a power of one swell."""
    blow = np.exp(random.uniform(0.3, 1.0) * wander(random, frames, between(random, 0.15, 1.0)))
    edges = np.geomspace(40, between(random, 600, 5000), 9)
    favoured, narrow = int(random.integers(2, 8)), random.uniform(0, 14)
    out = np.zeros(frames, dtype=np.float32)
    for number, (low, high) in enumerate(pairwise(edges)):
        lift = narrow if number == favoured else 0.0
        gain_db = -random.uniform(1.5, 5) * number + lift
        out += band(random, frames, low, high, 24) * blow ** random.uniform(0.5, 2.5) * 10 ** (gain_db / 20)
    return unit(out)


def flutter(random: Random, frames: int) -> Audio:
    """Single leaves and grass near by: each rubs in its own band, trembles at its own rate and stirs when a gust reaches it."""
    blow = wander(random, frames, between(random, 0.15, 0.8))
    at = np.arange(frames) / RATE_HZ
    out = np.zeros(frames, dtype=np.float32)
    for _ in range(int(random.integers(6, 25))):
        low_hz = between(random, 700, 5000)
        rub = band(random, frames, low_hz, low_hz * between(random, 1.2, 2.5), 12)
        tremble = np.clip(
            np.sin(2 * np.pi * between(random, 4, 40) * at + 2 * wander(random, frames, 5)), 0, 1
        ) ** random.uniform(1, 6)
        stirred = np.exp(random.uniform(0.5, 1.5) * np.roll(blow, int(random.integers(-4000, 4000))) + wander(random, frames, 2))
        out += rub * tremble * stirred * between(random, 0.2, 1)
    return unit(unit(out) + random.uniform(0, 1) * gusts(random, frames))


def moan(random: Random, frames: int) -> Audio:
    """Wind in wires and gaps: peaks of noise that move up as it blows harder, drawn into the spectrum frame by frame."""
    hop, size = 512, 1024
    count = frames // hop + 3
    blow = np.interp(np.arange(count) * hop, np.arange(frames), wander(random, frames, between(random, 0.15, 0.8)))[:, None]
    hz = np.fft.rfftfreq(size, 1 / RATE_HZ)[None]
    curve = 10 ** (-random.uniform(6, 10) * np.log2(np.maximum(hz, 40) / 40) / 20) * np.exp(0.7 * blow) * random.uniform(0.1, 1)
    for _ in range(int(random.integers(1, 4))):
        centre = between(random, 120, 2000) * np.exp(random.uniform(0.05, 0.35) * blow)
        width = random.uniform(0.04, 0.3) * centre
        curve = curve + random.uniform(0.2, 1.5) * np.exp(-(((hz - centre) / width) ** 2)) * np.exp(
            random.uniform(0.8, 1.6) * blow
        )
    noise = random.standard_normal((count, size)) * np.sqrt(np.hanning(size))
    shaped = np.fft.irfft(np.fft.rfft(noise, axis=1) * curve, size, axis=1) * np.sqrt(np.hanning(size))
    out = np.zeros((count + 1) * hop, dtype=np.float32)
    for number, piece in enumerate(shaped):
        out[number * hop : number * hop + size] += piece
    return unit(out[:frames])


def howl(random: Random, frames: int) -> Audio:
    """Wind around a house (test): noise through resonances that climb as it gets stronger."""
    blow = 0.5 + 0.5 * np.tanh(wander(random, frames, random.uniform(0.2, 0.7)))
    out = np.zeros(frames, dtype=np.float32)
    for _ in range(5):
        centre_hz = between(random, 150, 900) * (0.7 + 0.9 * blow)
        tone = np.cos(glide(centre_hz))
        slow = coloured(random, frames, [(20, 0), (random.uniform(30, 120), 0), (1000, -60)])
        out += (tone * slow * blow**2).astype(np.float32)
    return unit(out + random.uniform(0.3, 1.2) * unit(sloped(random, frames, -7) * blow))


def poplars(random: Random, frames: int) -> Audio:
    """Leaves as grains of noise whose density follows the wind (test)."""
    blow = np.exp(wander(random, frames, random.uniform(0.2, 0.6)))
    chance = blow / blow.sum() * frames / RATE_HZ * random.uniform(250, 900)
    hits = random.random(frames) < chance
    grains = hits * random.exponential(1.0, frames)
    out = np.convolve(grains, random.standard_normal(160) * np.hanning(160), mode="same")
    return unit(unit(out) + random.uniform(0.1, 0.6) * unit(sloped(random, frames, -8) * np.sqrt(blow)))


def stream(random: Random, frames: int) -> Audio:
    """A brook: very many bubbles, each a decaying sine that climbs a little, over a bed of noise."""
    out = np.zeros(frames, dtype=np.float32)
    centre_hz, spread = between(random, 600, 3000), random.uniform(0.3, 0.8)
    for _ in range(int(frames / RATE_HZ * between(random, 15, 180))):
        hz = np.clip(centre_hz * np.exp(spread * random.standard_normal()), 200, 7000)
        decay = between(random, 15, 90) * (hz / 1500) ** 0.7
        at = np.arange(int(RATE_HZ * min(0.25, 5 / decay))) / RATE_HZ
        bubble = np.sin(2 * np.pi * hz * at * (1 + random.uniform(0, 4) * at)) * np.exp(-decay * at)
        place(out, int(random.integers(-100, frames)), bubble, random.exponential(1.0))
    bed = band(random, frames, between(random, 300, 1500), between(random, 2000, 8000), random.uniform(4, 15))
    return unit(unit(out) + random.uniform(0.05, 1.2) * bed * swelling(random, frames, 4, random.uniform(0.3, 1.5)))


def fountain(random: Random, frames: int) -> Audio:
    """Falling water: dense, steady, bright noise that flutters a little in every band."""
    out = np.zeros(frames, dtype=np.float32)
    low_hz = between(random, 200, 1500)
    edges = np.geomspace(low_hz, 8000, 8)
    tilt = random.uniform(-3, 3)
    for number, (low, high) in enumerate(pairwise(edges)):
        layer = band(random, frames, low, high, 12) * swelling(random, frames, between(random, 3, 25), random.uniform(0.5, 3))
        out += layer * 10 ** (tilt * number / 20)
    return unit(out + random.uniform(0, 0.7) * stream(random, frames) * np.std(out))


def waves(random: Random, frames: int) -> Audio:
    """Surf: broad noise that comes and goes every few seconds, brighter when it breaks."""
    at = np.arange(frames) / RATE_HZ
    period_s = random.uniform(4, 11)
    phase = (at / period_s + 0.15 * wander(random, frames, 0.3) + random.random()) % 1
    swell = (phase ** random.uniform(1, 3)) * np.clip((1 - phase) * random.uniform(2, 6), 0, 1) + random.uniform(0.02, 0.2)
    out = sloped(random, frames, random.uniform(-5, -2)) * swell + 0.5 * band(random, frames, 1500, 7000, 6) * swell**2
    return unit(out)


def rain(random: Random, frames: int) -> Audio:
    """Rain: a hiss and drops on leaves, stone or tin."""
    clicks = (random.random(frames) < between(random, 20, 500) / RATE_HZ) * random.exponential(1.0, frames)
    length = int(RATE_HZ * between(random, 0.002, 0.02))
    ring = np.exp(-np.arange(length) / length * 5) * random.standard_normal(length)
    hiss = coloured(random, frames, [(100, -20), (between(random, 500, 3000), 0), (8000, random.uniform(-8, 3))])
    return unit(unit(np.convolve(clicks, ring, mode="same")) * random.uniform(0.1, 1) + hiss)


def cascade(random: Random, frames: int) -> Audio:
    """Falling water (test): noise made by gamma-distributed impulses through a spectrum with two broad humps."""
    drops = random.gamma(0.05, 1.0, frames).astype(np.float32) * random.choice([-1, 1], frames)
    spectrum = np.fft.rfft(drops)
    hz = np.maximum(np.fft.rfftfreq(frames, 1 / RATE_HZ), 10)
    first, second = between(random, 350, 900), between(random, 1800, 5000)
    curve = np.exp(-(np.log2(hz / first) ** 2)) * random.uniform(0.3, 1) + np.exp(-(np.log2(hz / second) ** 2) / 2)
    return unit(np.fft.irfft(spectrum * curve, frames) * swelling(random, frames, 12, 1.0))


def gurgle(random: Random, frames: int) -> Audio:
    """A creek (test): bubbles with pitch set by a radius with a power law, in bursts, ringing at Minnaert's frequency."""
    out = np.zeros(frames, dtype=np.float32)
    bursts = np.exp(1.2 * wander(random, frames, 3.0))
    starts = random.choice(frames, size=int(frames / RATE_HZ * random.uniform(120, 400)), p=bursts / bursts.sum())
    for start in starts:
        radius_mm = 0.7 * (1 - random.random()) ** (-1 / 2.2)
        hz = np.clip(3260 / radius_mm, 250, 5500)
        damping = 0.13 * hz + 0.0072 * hz**1.5
        at = np.arange(int(RATE_HZ * min(0.2, 6 / damping * 3))) / RATE_HZ
        place(out, int(start), np.sin(2 * np.pi * hz * (at + 0.1 * damping * at**2)) * np.exp(-damping / 3 * at), radius_mm**0.8)
    return unit(unit(out) + random.uniform(0.05, 0.5) * band(random, frames, 800, 5000, 8))


def _calls(random: Random, frames: int, voices: int, make: object, per_s: float) -> Audio:
    """Birds that call now and then, each always in its own way."""
    out = np.zeros(frames, dtype=np.float32)
    for _ in range(voices):
        seed, gain = int(random.integers(1 << 30)), between(random, 0.1, 1.0)
        at = int(random.exponential(RATE_HZ / per_s))
        while at < frames:
            call = make(np.random.default_rng(seed), random)  # type: ignore[operator]
            place(out, at, call, gain * random.uniform(0.5, 1))
            at += len(call) + int(random.exponential(RATE_HZ / per_s))
    return unit(out)


def _song(own: Random, now: Random) -> Audio:
    """A phrase of one bird: notes that glide, tremble or buzz. `own` gives the bird's way, `now` the moment's."""
    base_hz, notes = between(own, 1500, 5500), int(own.integers(1, 12))
    note_s, gap_s = between(own, 0.03, 0.35), between(own, 0.015, 0.3)
    trill, shape, depth = own.random() < 0.35, own.integers(4), own.uniform(0.02, 0.5)
    harmonics = 1 if own.random() < 0.65 else int(own.integers(2, 6))
    pieces = []
    hz = base_hz
    for _ in range(notes):
        if not trill:
            hz = np.clip(base_hz * np.exp(own.uniform(-0.45, 0.45)), 1100, 7500)
        length = max(160, int(RATE_HZ * note_s * now.uniform(0.8, 1.2)))
        x = np.linspace(0, 1, length)
        bend = (x - 0.5, 0.5 - x, np.sin(np.pi * x), 0.4 * np.sin(2 * np.pi * x * own.integers(1, 9)))[shape]
        phase = glide(np.clip(hz * np.exp(depth * bend), 600, 7700))
        wave = sum(np.sin(k * phase) / k**1.3 for k in range(1, harmonics + 1) if hz * k < 7500)
        pieces += [wave * fade(length, 0.01, 0.02) * now.uniform(0.5, 1), np.zeros(int(RATE_HZ * gap_s))]
    return np.concatenate(pieces).astype(np.float32)


def _caw(own: Random, now: Random) -> Audio:
    """Crows, gulls, geese, pigeons: harmonics of a lower note, rough."""
    hz, notes, length_s = between(own, 280, 1300), int(own.integers(1, 6)), between(own, 0.15, 0.6)
    pieces = []
    for _ in range(notes):
        length = int(RATE_HZ * length_s)
        x = np.linspace(0, 1, length)
        phase = glide(hz * (1 + own.uniform(0, 0.3) * np.sin(np.pi * x) + 0.03 * wander(now, length, 60)))
        tilt = own.uniform(0.2, 1.2)
        wave = sum(np.sin(k * phase) / k**tilt for k in range(1, 16) if hz * k < 7000)
        pieces += [wave * fade(length, 0.03, 0.1), np.zeros(int(RATE_HZ * between(own, 0.1, 0.5)))]
    return np.concatenate(pieces).astype(np.float32)


def _warble(own: Random, now: Random) -> Audio:
    """A long run whose pitch is a sum of three sines, chopped or not."""
    length = int(RATE_HZ * between(own, 0.3, 3))
    at = np.arange(length) / RATE_HZ
    swing = sum(own.uniform(0, 0.2) * np.sin(2 * np.pi * between(own, 1, 25) * at + now.random() * 6) for _ in range(3))
    chop = np.clip(own.uniform(0.5, 3) * np.sin(2 * np.pi * between(own, 3, 25) * at) + own.uniform(0, 2), 0, 1)
    hz = between(own, 1300, 5500) * np.exp(swing)
    return np.asarray(np.sin(glide(np.clip(hz, 800, 7600))) * chop * fade(length, 0.02, 0.05), dtype=np.float32)


def _coo(own: Random, now: Random) -> Audio:
    """Plain low calls: doves, owls, a cuckoo clock's neighbours."""
    pieces = []
    for hz in between(own, 350, 1500) * np.exp(own.uniform(-0.25, 0.25, int(own.integers(1, 6)))):
        length = int(RATE_HZ * between(own, 0.1, 0.6))
        bend = 1 + own.uniform(-0.1, 0.1) * np.linspace(0, 1, length) ** 2
        phase = glide(hz * bend * now.uniform(0.98, 1.02))
        pieces += [(np.sin(phase) + own.uniform(0, 0.3) * np.sin(2 * phase)) * fade(length, 0.05, 0.06), np.zeros(length // 3)]
    return np.concatenate(pieces).astype(np.float32)


def canaries(random: Random, frames: int) -> Audio:
    return _calls(random, frames, int(random.integers(1, 6)), _warble, between(random, 0.2, 1.5))


def doves(random: Random, frames: int) -> Audio:
    return _calls(random, frames, int(random.integers(1, 5)), _coo, between(random, 0.2, 1))


def birdsong(random: Random, frames: int) -> Audio:
    return _calls(random, frames, int(random.integers(1, 10)), _song, between(random, 0.3, 2))


def crows(random: Random, frames: int) -> Audio:
    return _calls(random, frames, int(random.integers(1, 4)), _caw, between(random, 0.2, 1))


def flock(random: Random, frames: int) -> Audio:
    """A hedge full of sparrows."""
    return _calls(random, frames, int(random.integers(10, 30)), _song, between(random, 0.5, 3))


def _syrinx(own: Random, now: Random) -> Audio:
    """A warble (test): two coupled sides, pitch and loudness by filtered random walks with the bird's own motif."""
    length = int(RATE_HZ * own.uniform(0.3, 1.6))
    motif = np.interp(np.arange(length), np.linspace(0, length, 9), own.uniform(-1, 1, 9))
    hz = own.uniform(2200, 4600) * 2 ** (0.6 * motif + 0.03 * wander(now, length, 8))
    gate = np.clip(2 * np.sin(2 * np.pi * own.uniform(4, 14) * np.arange(length) / RATE_HZ + own.random() * 6), 0, 1)
    second = 1 + 0.4 * np.sin(glide(np.full(length, own.uniform(30, 140))))
    return np.asarray(np.sin(glide(np.clip(hz, 900, 7400))) * gate * second * np.hanning(length), dtype=np.float32)


def _cuckoo(own: Random, now: Random) -> Audio:
    """Two or three plain whistles in steps (test)."""
    notes = own.choice([1.0, 0.84, 0.75, 1.19], int(own.integers(2, 5)))
    hz, length = own.uniform(600, 3800), int(RATE_HZ * own.uniform(0.12, 0.3))
    pieces = [np.sin(glide(np.full(length, hz * note * now.uniform(0.99, 1.01)))) * np.hanning(length) for note in notes]
    return np.concatenate([np.concatenate([piece, np.zeros(length // 2)]) for piece in pieces]).astype(np.float32)


def warblers(random: Random, frames: int) -> Audio:
    return _calls(random, frames, int(random.integers(2, 7)), _syrinx, random.uniform(0.4, 1.5))


def cuckoos(random: Random, frames: int) -> Audio:
    return _calls(random, frames, int(random.integers(1, 4)), _cuckoo, random.uniform(0.4, 1.0))


def _bark(own: Random, now: Random) -> Audio:
    length = int(RATE_HZ * own.uniform(0.1, 0.35))
    x = np.linspace(0, 1, length)
    phase = glide(own.uniform(250, 700) * (1 + 0.5 * np.sin(np.pi * x)) * now.uniform(0.9, 1.1))
    wave = sum(np.sin(k * phase) / k**0.6 for k in range(1, 12)) + 1.5 * now.standard_normal(length)
    return np.tile(np.concatenate([wave * fade(length, 0.01, 0.1), np.zeros(length)]), int(own.integers(1, 4))).astype(np.float32)


def dogs(random: Random, frames: int) -> Audio:
    return _calls(random, frames, int(random.integers(1, 3)), _bark, between(random, 0.3, 1.5))


def crickets(random: Random, frames: int) -> Audio:
    """Crickets and cicadas: high tones in pulses."""
    at = np.arange(frames) / RATE_HZ
    out = np.zeros(frames, dtype=np.float32)
    for _ in range(int(random.integers(1, 6))):
        pulse = np.clip(np.sin(2 * np.pi * between(random, 8, 60) * at), 0, 1)
        chirp = np.clip(4 * np.sin(2 * np.pi * between(random, 0.3, 4) * at + random.random() * 6) + random.uniform(0, 5), 0, 1)
        hz = between(random, 2800, 7000)
        out += (np.sin(2 * np.pi * hz * at + 0.02 * hz / 100 * wander(random, frames, 20)) * pulse * chirp).astype(np.float32)
    return unit(out)


def frogs(random: Random, frames: int) -> Audio:
    def croak(own: Random, now: Random) -> Audio:
        length = int(RATE_HZ * own.uniform(0.15, 0.6))
        at = np.arange(length) / RATE_HZ
        pulse = np.clip(np.sin(2 * np.pi * own.uniform(20, 90) * at), 0, 1)
        return np.asarray(pulse * np.sin(2 * np.pi * own.uniform(400, 2200) * at) * fade(length, 0.05, 0.1), dtype=np.float32)

    return _calls(random, frames, int(random.integers(2, 8)), croak, between(random, 0.5, 2))


def cattle(random: Random, frames: int) -> Audio:
    """Cows, cats, goats: long voiced calls that rise and fall, through two broad resonances."""

    def call(own: Random, now: Random) -> Audio:
        length = int(RATE_HZ * between(own, 0.35, 1.8))
        x = np.linspace(0, 1, length)
        hz = between(own, 80, 600) * (1 + own.uniform(-0.3, 0.5) * np.sin(np.pi * x ** own.uniform(0.5, 2)))
        tremble = 1 + own.uniform(0, 0.05) * np.sin(2 * np.pi * between(own, 4, 15) * x * length / RATE_HZ)
        buzz = ((glide(hz * tremble) / (2 * np.pi)) % 1 - 0.5 + 0.1 * now.standard_normal(length)).astype(np.float32)
        tones = between(own, 400, 1000), between(own, 1000, 2600)
        return sum(unit(resonant(buzz, tone, tone / 4)) for tone in tones) * fade(length, 0.08, 0.2)

    return _calls(random, frames, int(random.integers(1, 4)), call, between(random, 0.2, 1))


def insects(random: Random, frames: int) -> Audio:
    """Bees and flies that come and go, grasshoppers that rasp: noise or a buzz in quick pulses."""
    at = np.arange(frames) / RATE_HZ
    out = np.zeros(frames, dtype=np.float32)
    for _ in range(int(random.integers(1, 5))):
        come = np.exp(random.uniform(0.2, 1.2) * wander(random, frames, between(random, 0.2, 1)))
        if random.random() < 0.4:
            phase = glide(between(random, 110, 480) * (1 + 0.06 * wander(random, frames, 2)))
            out += (sum(np.sin(k * phase) / k**0.7 for k in range(1, 12)) * come).astype(np.float32)
        else:
            low_hz = between(random, 2500, 6000)
            pulse = np.clip(np.sin(2 * np.pi * between(random, 6, 90) * at) + random.uniform(-0.3, 0.6), 0, 1)
            out += 4 * band(random, frames, low_hz, low_hz * between(random, 1.1, 1.7), 50) * pulse * come
    return unit(out)


def cicadas(random: Random, frames: int) -> Audio:
    """A buzzing band of noise, beaten fast (test)."""
    at = np.arange(frames) / RATE_HZ
    hz = random.uniform(3200, 6000)
    beat = (1 + np.sin(2 * np.pi * random.uniform(40, 120) * at)) ** 3
    return unit(band(random, frames, hz, hz * 1.2, 60) * beat * swelling(random, frames, 0.5, 4))


def sheep(random: Random, frames: int) -> Audio:
    """A trembling bleat (test)."""

    def bleat(own: Random, now: Random) -> Audio:
        length = int(RATE_HZ * own.uniform(0.5, 1.2))
        at = np.arange(length) / RATE_HZ
        phase = glide(own.uniform(200, 450) * (1 + 0.06 * np.sin(2 * np.pi * own.uniform(6, 11) * at)))
        wave = sum(np.sin(k * phase) * np.exp(-((k * 300 - 1100) ** 2) / 8e5) for k in range(1, 18))
        return np.asarray(wave * (1 + 0.7 * np.sin(2 * np.pi * 8 * at)) * fade(length, 0.05, 0.2), dtype=np.float32)

    return _calls(random, frames, int(random.integers(1, 4)), bleat, random.uniform(0.3, 1))
