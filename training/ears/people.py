"""People: speech through eSpeak NG, alone and many at a time, steps, claps, laughter. Families marked (test) are the test's."""

from __future__ import annotations

from functools import lru_cache
from math import gcd

import numpy as np

from training.ears.shaping import RATE_HZ, Audio, Random, band, between, fade, glide, place, resonant, unit, wander

_SYLLABLES = (
    "ba", "de", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va", "we", "ha", "shi", "go", "ter", "men", "dal", "fin", "sto",
    "pra", "cle", "ing", "out", "and", "the", "of", "we", "you", "that", "was", "for", "all",
)  # fmt: skip


def _words(random: Random, count: int) -> str:
    words = ["".join(random.choice(_SYLLABLES, int(random.integers(1, 4)))) for _ in range(count)]
    return " ".join(word + ("," if random.random() < 0.15 else "") for word in words) + str(random.choice([".", "?", "!"]))


@lru_cache(maxsize=1)
def spoken() -> tuple[Audio, ...]:
    """Sentences by all voices that the studio has, at many rates; a third with the pitch of children."""
    from scipy.signal import resample_poly

    from llm_music_gen.errors import SoundError
    from llm_music_gen.voice.espeak import Espeak

    random, speaker = np.random.default_rng(11), Espeak()
    out = []
    for voice in speaker.voices():
        for _ in range(9):
            try:
                said = speaker.speak(_words(random, 12), voice.name, int(random.integers(110, 260)))
            except SoundError:  # not every build of the engine has every voice
                break
            samples, pitch = said.samples, random.choice([1.0, 1.0, 1.1, 1.25, 0.92, 1.45])
            up, down = RATE_HZ, int(said.sample_rate_hz * pitch)
            shared = gcd(up, round(down, -2))
            out.append(unit(resample_poly(samples, up // shared, round(down, -2) // shared)))
    return tuple(out)


def _talker(random: Random, frames: int, pauses_s: float) -> Audio:
    """One person, sentence after sentence."""
    out = np.zeros(frames, dtype=np.float32)
    own = random.integers(0, len(spoken()) // 9) * 9
    at = -int(random.integers(0, 3 * RATE_HZ))
    while at < frames:
        sentence = spoken()[int(own + random.integers(9))]
        place(out, at, sentence, random.uniform(0.5, 1))
        at += len(sentence) + int(random.exponential(pauses_s) * RATE_HZ)
    return out


def talk(random: Random, frames: int) -> Audio:
    """One to three people talk."""
    return unit(
        sum(_talker(random, frames, between(random, 0.2, 3)) * between(random, 0.2, 1) for _ in range(random.integers(1, 4)))
    )


def babble(random: Random, frames: int) -> Audio:
    """A crowd."""
    return unit(sum(_talker(random, frames, 0.4) * between(random, 0.2, 1) for _ in range(random.integers(4, 15))))


def shouts(random: Random, frames: int) -> Audio:
    """Children at play, somebody who calls: short, high, far apart."""
    out = np.zeros(frames, dtype=np.float32)
    for _ in range(int(random.integers(2, 12))):
        sentence = spoken()[int(random.integers(len(spoken())))]
        begin, length = int(random.integers(0, len(sentence) // 2)), int(RATE_HZ * between(random, 0.2, 0.9))
        piece = sentence[begin : begin + length]
        factor = random.uniform(1.0, 1.7)
        piece = np.interp(np.arange(0, len(piece) - 1, factor), np.arange(len(piece)), piece)
        place(out, int(random.integers(0, frames)), piece * fade(len(piece), 0.03, 0.08), between(random, 0.3, 1))
    return unit(out)


def vowels(random: Random, frames: int) -> Audio:
    """A speaker made of a glottal pulse train and formants that move from syllable to syllable (test)."""
    out = np.zeros(frames, dtype=np.float32)
    for _ in range(int(random.integers(1, 5))):
        pitch_hz = random.uniform(90, 280) * np.exp(0.12 * wander(random, frames, 1.2) + 0.02 * wander(random, frames, 6))
        buzz = np.diff(((glide(pitch_hz) / (2 * np.pi)) % 1) ** 2, prepend=0).astype(np.float32) * -1
        breath = 0.02 * random.standard_normal(frames).astype(np.float32)
        voice = np.zeros(frames, dtype=np.float32)
        at = int(random.integers(0, RATE_HZ))
        while at < frames:
            length = int(RATE_HZ * random.uniform(0.11, 0.3))
            piece = (buzz[at : at + length] + breath[at : at + length]) * fade(len(buzz[at : at + length]), 0.03, 0.05)
            formants = (random.uniform(280, 800), random.uniform(850, 2300), random.uniform(2300, 3200))
            vowel = sum(
                unit(resonant(piece, hz, 60 + hz * 0.05)) * gain for hz, gain in zip(formants, (1, 0.5, 0.2), strict=True)
            )
            place(voice, at, vowel * fade(len(piece), 0.03, 0.05))
            if random.random() < 0.5:
                place(voice, at - 900, band(random, 1300, 2500, 7500) * fade(1300, 0.02, 0.03), 0.5)
            at += length + int(RATE_HZ * (random.uniform(0.3, 1.2) if random.random() < 0.12 else random.uniform(0, 0.06)))
        out += voice * between(random, 0.3, 1)
    return unit(out)


def steps(random: Random, frames: int) -> Audio:
    """Footsteps on stone, gravel or wood."""
    out = np.zeros(frames, dtype=np.float32)
    for _ in range(int(random.integers(1, 4))):
        gap, at, gain = int(RATE_HZ * random.uniform(0.3, 0.75)), int(random.integers(0, RATE_HZ)), between(random, 0.2, 1)
        low_hz, high_hz, decay = between(random, 100, 1500), between(random, 1500, 7500), between(random, 15, 90)
        while at < frames:
            length = int(RATE_HZ * 0.25)
            step = band(random, length, low_hz, high_hz, 12) * np.exp(-np.arange(length) / RATE_HZ * decay)
            place(out, at, step, gain * random.uniform(0.5, 1))
            at += int(gap * random.uniform(0.93, 1.07))
    return unit(out)


def claps(random: Random, frames: int) -> Audio:
    """Applause."""
    out = np.zeros(frames, dtype=np.float32)
    length = int(RATE_HZ * 0.06)
    for _ in range(int(between(random, 5, 60) * frames / RATE_HZ)):
        piece = band(random, length, between(random, 600, 1500), 4000, 12) * np.exp(-np.arange(length) / RATE_HZ * 90)
        place(out, int(random.integers(0, frames)), piece, random.uniform(0.2, 1))
    return unit(out)


def laughter(random: Random, frames: int) -> Audio:
    """Ha-ha-ha: a voiced vowel in bursts of five a second, falling."""
    out = np.zeros(frames, dtype=np.float32)
    for _ in range(int(random.integers(1, 5))):
        hz, at, count = between(random, 160, 600), int(random.integers(0, frames)), int(random.integers(4, 10))
        formants = (between(random, 500, 950), between(random, 1100, 1900))
        for number in range(count):
            length = int(RATE_HZ * 0.16)
            buzz = ((glide(np.full(length, hz * (1.1 - 0.04 * number))) / (2 * np.pi)) % 1 - 0.5).astype(np.float32)
            buzz += 0.3 * random.standard_normal(length).astype(np.float32)
            place(out, at, sum(unit(resonant(buzz, f, 120)) for f in formants) * fade(length, 0.03, 0.07), 1 - 0.07 * number)
            at += int(RATE_HZ * 0.2)
    return unit(out)


def heels(random: Random, frames: int) -> Audio:
    """Heels (test): two resonances struck in turn."""
    out = np.zeros(frames, dtype=np.float32)
    gap, at = int(RATE_HZ * random.uniform(0.4, 0.62)), 0
    while at < frames:
        click = random.standard_normal(2400).astype(np.float32) * np.exp(-np.arange(2400) / 120)
        place(out, at, unit(resonant(click, random.uniform(1200, 1500), 300)) + unit(resonant(click, 240, 90)))
        at += gap
    return unit(out)
