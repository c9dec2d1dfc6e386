"""Sounds that lead into sections and mark their beginning, in styles that have them: risers, impacts, vinyl."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from llm_music_gen.arranging.played import GridNote
from llm_music_gen.arranging.timeline import Bar
from llm_music_gen.domain.theme import Theme
from llm_music_gen.styles import Style

#: A rise in energy of this much is worth a riser.
_STEP = 0.2


def effect_notes(bars: list[Bar], theme: Theme, style: Style) -> list[GridNote]:
    """Notes of the effects voice: what the style's first effect sound is decides what they are."""
    sounds = style.instruments.get("fx", ())
    if not sounds:
        return []
    voice = sounds[0].voice
    if voice == "crackle":
        return [GridNote(bar.onset_ql, bar.length_ql, 40 + bar.number % 24, 90) for bar in bars]
    out = []
    for bar, following in pairwise(bars):
        if following.section == bar.section or following.plan.energy - bar.plan.energy < _STEP:
            continue
        if voice == "riser":
            length = bar.length_ql * min(2, bar.plan.bars)
            out.append(GridNote(following.onset_ql - length, length, 60 + bar.section % 12, 96))
        else:
            out.append(GridNote(following.onset_ql, Fraction(2), 48, 92))
    return out
