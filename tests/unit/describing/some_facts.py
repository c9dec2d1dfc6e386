"""Facts by the dozen, for tests: drawn by chance, with everything that may or may not be known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from llm_music_gen.describing.caption import NAMES, SCENES
from llm_music_gen.describing.facts import Facts, OwnSong, affect_of, soundscape_of
from llm_music_gen.describing.tones import Beat, Tone

KEYS = ("C major", "D minor", "F# minor", "Bb major")
LENGTHS = (2.5, 30.0, 61.0, 300.0, 3600.0, 7325.0)


def facts_drawn(seed: int) -> Facts:
    """Facts that could be of a sound."""
    rng = np.random.default_rng(seed)

    def maybe(share: float) -> bool:
        return bool(rng.random() < share)

    length_s = float(rng.choice(LENGTHS))
    sone = float(np.exp(rng.uniform(-2, 4.5)))
    silent = maybe(0.05)
    labels = {label: float(rng.uniform(0.5, 1) if maybe(0.25) else rng.uniform(0, 0.49)) for label in NAMES}
    spans = [(label, 0.0, float(rng.uniform(0, length_s)), 0.9) for label in labels]
    scape = soundscape_of(labels, {scene: float(rng.random()) for scene in SCENES}, spans, length_s) if maybe(0.8) else None
    facts = Facts(
        file="sound.wav", length_s=length_s, sample_rate_hz=int(rng.choice([8_000, 32_000, 44_100, 48_000])),
        channels=int(rng.integers(1, 3)), lufs=None if silent else float(rng.uniform(-60, -6)), lra_lu=float(rng.uniform(0, 20)),
        true_peak_dbtp=float(rng.uniform(-40, 2)), calibration_db=float(rng.choice([94, 100, 88.5])),
        laeq_db=float(rng.uniform(20, 95)), level_range_db=float(rng.uniform(0, 25)), n5_sone=sone, n50_sone=0.7 * sone,
        sharpness_acum=float(rng.uniform(0, 3)), roughness_asper=float(rng.uniform(0, 1)), onsets_per_s=float(rng.uniform(0, 4)),
        centroid_hz=float(rng.uniform(60, 6_000)), tilt_db_per_octave=float(rng.uniform(-12, 3)),
        low_percent=float(rng.uniform(0, 100)), correlation=float(rng.uniform(-1, 1)) if maybe(0.5) else None,
        clipping=int(rng.integers(0, 2_000)) if maybe(0.2) else 0, longest_silence_s=float(rng.uniform(0, length_s / 2)),
        tones=tuple(_tone(rng) for _ in range(int(rng.integers(0, 4)))),
        beat=_beat(rng) if maybe(0.3) else None,
        tempo_bpm=float(rng.uniform(50, 190)) if maybe(0.3) else None,
        key=str(rng.choice(KEYS)) if maybe(0.3) else None,
        soundscape=None if silent else scape,
        own=_own(rng) if maybe(0.2) else None,
    )  # fmt: skip
    return replace(facts, affect=affect_of(facts))


def _tone(rng: np.random.Generator) -> Tone:
    hz = float(rng.uniform(30, 4_000))
    glide = float(rng.uniform(0, 3)) if rng.random() < 0.3 else 0.0
    share, ear = float(rng.uniform(0.2, 1)), str(rng.choice(["both", "left", "right"]))
    return Tone(hz, hz - glide / 2, hz + glide / 2, float(rng.uniform(-60, -3)), share, ear, stands=bool(rng.random() < 0.7))


def _beat(rng: np.random.Generator) -> Beat:
    hz = float(rng.uniform(0.5, 40))
    glide = float(rng.uniform(0, 4)) if rng.random() < 0.3 else 0.0
    return Beat(hz, hz, hz + glide, float(rng.uniform(80, 500)), 1.0)


def _own(rng: np.random.Generator) -> OwnSong:
    tonic_hz = float(rng.choice([528.0, 136.1])) if rng.random() < 0.3 else None
    return OwnSong(
        title="Four Windows and a Piano", styles=("Chill", "Dubstep"), mood=("calm",), key=str(rng.choice(KEYS)),
        tempo_bpm=float(rng.integers(60, 180)), meter="4/4", instruments=("Electric piano", "Fretless bass", "Drums"),
        form=("intro", "verse", "chorus", "outro"), bars=int(rng.integers(8, 120)), a4_hz=432.0, tonic_hz=tonic_hz,
        layers=("a binaural beat of 10 to 4 Hz on 200 Hz", "rain") if rng.random() < 0.3 else (),
        chapters=int(rng.choice([0, 0, 9])), music=bool(rng.random() < 0.8),
    )  # fmt: skip
