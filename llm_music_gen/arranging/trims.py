"""What brings instruments to one loudness, so that the levels of a style mean the same whoever plays.

Measured by `python benchmarks/part_levels.py --instruments`: a phrase of eight notes at one velocity, played with FluidR3_GM,
against -25 LUFS, at most 8 dB. Other soundfonts keep General MIDI's balance roughly, as it does.
"""

from __future__ import annotations

from llm_music_gen.styles import Instrument

#: dB by General MIDI program, eight to a line; effects and noises have none.
_PROGRAMS_DB = (
    3.5, 4, 0, 4.5, -3, 2, 0.5, 1,
    1.5, 0.5, 2, 5, 1.5, 8, -0.5, 8,
    2.5, -3, -1.5, -2, -0.5, 2.5, 2, 2,
    2.5, 2, -1, 1.5, 8, -5, -7, -6.5,
    1, 0, 0.5, -3, 4.5, 2, 2, -4.5,
    -2, -0.5, 0.5, 3.5, -1, 2, 2, 8,
    -0.5, -3, -1.5, -2, 0.5, -1.5, 0.5, 2,
    0, -5, -2, -1, -3.5, -1, 0.5, 1,
    -3, -3, -2, -0.5, -2.5, 3, -1.5, -4.5,
    -3, -2, -1.5, -2, -3.5, -4.5, -6.5, -3,
    -2.5, 0, 2.5, 2.5, -1, -2, 5.5, 2,
    2.5, 4, 0, -0.5, -2, -4, 0, -1.5,
    0, 3, 3.5, -2.5, 0.5, 5, 2.5, -1,
    3, 2.5, 8, 4.5, 4.5, -3.5, -2, -0.5,
    4, 7.5, 2.5, 8, 3, 3.5, -1, 8,
    0, 0, 0, 0, 0, 0, 0, 0,
)  # fmt: skip
#: dB of the studio's own voices. Crackle, risers and impacts are as loud as they are made.
_VOICES_DB = {
    "sub": -7, "bass808": -4.5, "wobble": -6.5, "reese": -0.5, "supersaw": 4, "pad": -2.5, "pluck": 1.5, "bell": -3,
}  # fmt: skip


def trim_db(instrument: Instrument) -> float:
    """What an instrument's part is turned up by, before its level in the style's mix."""
    if instrument.voice:
        return _VOICES_DB.get(instrument.voice, 0.0)
    return float(_PROGRAMS_DB[instrument.program])
