"""A fingerprint of how this computer renders: the hash of one short test block.

Versions alone do not tell: libraries choose other instructions on other processors, and the last bit of a sample changes. A
recipe keeps the fingerprint, so that a song is only said to be the same where it can be.
"""

from __future__ import annotations

import hashlib
import tempfile
from functools import lru_cache
from pathlib import Path

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.progress import finish
from llm_music_gen.domain.score import Arrangement, Part, PlayedNote
from llm_music_gen.sound.mix import render_mix

#: A second with everything in it: sampled notes, an own voice, drums, room, delay and side chain.
_BLOCK = Arrangement(
    title="fingerprint",
    key=Key("C"),
    meter=Meter(4, 4),
    tempo_bpm=120.0,
    parts=(
        Part("Piano", "chords", 0, tuple(PlayedNote(0.0, 1.0, pitch, 80) for pitch in (48, 55, 64)), pan=-0.3, reverb_send=0.4),
        Part("Lead", "melody", 81, (PlayedNote(0.25, 0.5, 72, 96),), voice="supersaw", chorus_send=0.3),
        Part("Drums", "drums", 0, (PlayedNote(0.0, 0.25, 36, 110), PlayedNote(0.5, 0.25, 38, 100)), is_drums=True),
    ),
    length_frames=44_100,
    mix={"delay_gain_db": -14.0, "sidechain_db": 4.0, "tilt_db": 1.0},
)


@lru_cache(maxsize=4)
def render_fingerprint(soundfont: Path) -> str:
    """SHA-256 (hex) of the test block rendered with `soundfont`. Takes about half a second, once a run."""
    with tempfile.TemporaryDirectory() as folder:
        mix = finish(render_mix(_BLOCK, soundfont, Path(folder) / "mix"))
        return hashlib.sha256(mix.path.read_bytes()).hexdigest()
