"""What becomes of a pitch when major turns into minor or the other way round: degrees stay, their alterations change."""

from __future__ import annotations

from llm_music_gen.domain.key import MODES, Key

#: Semitones above the tonic on which chords lead home, and in which a minor key borrows its leading note.
DOMINANT_ROOTS = frozenset((7, 11))


def in_mode(pitch: int, key: Key, mode: str, *, dominant: bool = False) -> int:
    """`pitch` of a tune in `key` as it is on the same tonic in `mode`, at most two semitones away.

    Notes outside the scale stay. Over a `dominant` a leading note stays what it is.
    """
    steps, wanted = MODES[key.mode][0], MODES[mode][0]
    above = (pitch - key.tonic_pc) % 12
    if above not in steps or (dominant and above == 11):
        return pitch
    return pitch + wanted[steps.index(above)] - above
