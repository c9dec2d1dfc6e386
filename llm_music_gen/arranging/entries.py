"""What differs from song to song where no drummer does: entries one by one where time is wide, and how chords are stacked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from llm_music_gen.arranging.timeline import Bar
from llm_music_gen.styles import Style

#: Families without a beat that everybody would have to meet on.
_WIDE = ("ambient",)
_BY_HAND = ("classical", "acoustic")
#: In semitones.
_MOST_SHIFT = 3
#: Who is always there from the first bar: something has to sound.
_FLOOR = frozenset({"chords", "fx"})
_FEWEST, _MOST_VOICES = 2, 5


def of_this_song(style: Style, rng: np.random.Generator) -> Style:
    """The style with a hand for its chords of its own: where hands play alone, somewhat higher or lower; where time is
    wide, with a voice more or less, and in one kind of voicing. Others stay as they are: their drummers differ already."""
    if style.family in _BY_HAND:
        shift = int(rng.integers(-_MOST_SHIFT, _MOST_SHIFT + 1))
        low, high = style.comp.compass
        return style.model_copy(update={"comp": style.comp.model_copy(update={"compass": (low + shift, high + shift)})})
    if style.family not in _WIDE:
        return style
    voices = int(np.clip(style.comp.voices + rng.integers(-1, 2), _FEWEST, _MOST_VOICES))
    kinds = style.comp.voicings
    # One kind for the whole song: mixed kinds would always fall back to whichever moves least.
    kind = kinds[int(rng.integers(0, len(kinds)))]
    return style.model_copy(update={"comp": style.comp.model_copy(update={"voices": voices, "voicings": (kind,)})})


def staggered(bars: Sequence[Bar], style: Style, rng: np.random.Generator) -> list[Bar]:
    """The bars with newcomers of a section entering later than its first bar, by its middle at the latest."""
    if style.family not in _WIDE:
        return list(bars)
    out: list[Bar] = []
    before: frozenset[str] = frozenset()
    for _, group in groupby(bars, key=lambda bar: bar.section):
        section = list(group)
        roles = section[0].roles
        floor = _FLOOR if "chords" in roles else _FLOOR | {"pad"}
        latest = len(section) // 2
        entries = {role: int(rng.integers(0, latest + 1)) for role in sorted(roles - before - floor)}
        for bar in section:
            playing = frozenset(role for role in roles if bar.in_section >= entries.get(role, 0))
            out.append(replace(bar, roles=playing))
        before = roles
    return out
