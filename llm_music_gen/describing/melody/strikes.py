"""When a note begins that no change of pitch tells: strings struck again, voices that come back, beginnings out of silence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.describing.melody.pitch import HOP_S, Course

#: Struck again: the level rises so far within so short a time, more than just before and after, as no vibrato makes it;
#: or it comes back from a dip this deep.
_STRIKE_DB, _STRIKE_S, _DIP_DB, _DIP_S = 2.4, 0.03, 9.0, 0.16
#: A softer rise is a strike where the overtones rise so far.
_SOFT_STRIKE_DB, _BRIGHT_STRIKE_DB = 0.3, 3.0
#: The trembling of a bow or a voice: so many beats of it, so far apart and so even, none deeper than this.
_TREMOR_COUNT, _TREMOR_S, _TREMOR_UNEVEN_S, _TREMOR_DB = 3, (0.11, 0.26), 0.035, 9.0
#: After a note began, its own attack is no second note.
_ATTACK_S = 0.09
#: A voice is heard before its pitch is: the beginning is looked for in so much before, while the level is within so many dB.
_BEFORE_S, _BEFORE_DB = 0.03, 12.0
#: A string's pitch may become clear so much after it was struck.
_UNCLEAR_S = 0.07


def strikes(course: Course, first: int, last: int, changes: Sequence[int]) -> list[int]:
    """Steps from the first of a stretch on, at which a note of the same pitch begins anew."""
    early = max(0, first - round(_DIP_S / HOP_S))
    levels_db = course.levels_db[early:last]
    sharp, bright = _sharpness(levels_db), _sharpness(course.bright_db[early:last])
    strike = np.where((sharp >= _SOFT_STRIKE_DB) & (bright >= _BRIGHT_STRIKE_DB), np.maximum(sharp, _STRIKE_DB) + bright, sharp)
    found: list[int] = []
    depths: list[float] = []
    for step in range(first - early + 2, len(levels_db) - 2):
        struck = strike[step] >= _STRIKE_DB and strike[step] == strike[max(0, step - 4) : step + 5].max()
        if not (struck or _dips(levels_db, step)):
            continue
        at = step - (first - early) + (-1 if struck else 1)
        if at * HOP_S >= _ATTACK_S and all(abs(at - other) * HOP_S >= _ATTACK_S for other in (*changes, *found)):
            found.append(at)
            depths.append(max(float(strike[step]), _depth(levels_db, step)))
    return _without_tremor(found, depths)


def _without_tremor(found: list[int], depths: list[float]) -> list[int]:
    """Strikes that are as even and as shallow as the trembling of a bow or a voice, one after the other, are none."""
    tremor: set[int] = set()
    for low in range(len(found) - _TREMOR_COUNT + 1):
        high = low + _TREMOR_COUNT
        gaps = np.diff(found[low:high]) * HOP_S
        even = gaps.max() - gaps.min() <= _TREMOR_UNEVEN_S and _TREMOR_S[0] <= gaps.mean() <= _TREMOR_S[1]
        if even and max(depths[low:high]) < _TREMOR_DB:
            tremor |= set(found[low:high])
    return [at for at in found if at not in tremor]


def _sharpness(levels_db: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the level rises within the time of a strike, less how far it does just before or just after. Shape as given."""
    reach, count = round(_STRIKE_S / HOP_S), len(levels_db)
    padded = np.pad(levels_db, (2 * reach, reach), mode="edge")
    rises = padded[reach:] - padded[:-reach]
    around = np.maximum(rises[:count], rises[2 * reach :])
    return np.asarray(rises[reach : reach + count] - np.maximum(0.0, around))


def _dips(levels_db: NDArray[np.float64], step: int) -> bool:
    """Whether a dip is deepest here, where both sides are that much louder."""
    return bool(levels_db[step] <= levels_db[max(0, step - 5) : step + 6].min()) and _depth(levels_db, step) >= _DIP_DB


def _depth(levels_db: NDArray[np.float64], step: int) -> float:
    """How much softer the softest moment around a step is than both of its sides, in dB."""
    reach = round(_DIP_S / HOP_S)
    low = max(0, step - 3)
    low += int(np.argmin(levels_db[low : step + 1]))
    before, after = levels_db[max(0, low - reach) : low + 1], levels_db[low : low + reach]
    return float(min(before.max(), after.max()) - levels_db[low])


def began(course: Course, first: int, level_db: float) -> int:
    """The step at which a note began to sound whose pitch is clear from `first` on: at a strike just before, or by its level."""
    early = max(0, first - round(_UNCLEAR_S / HOP_S))
    around = slice(max(0, early - 6), first + 4)
    strike = np.maximum(_sharpness(course.levels_db[around]), _sharpness(course.bright_db[around]))[early - around.start :]
    struck = early + int(np.argmax(strike))
    after_db = float(course.levels_db[struck : struck + 4].max())
    if strike.max() >= _BRIGHT_STRIKE_DB and struck - 1 < first and after_db > level_db - _BEFORE_DB:
        return max(early, struck - 1)
    step = first
    while step > 0 and first - step < _BEFORE_S / HOP_S and course.levels_db[step - 1] > level_db - _BEFORE_DB:
        step -= 1
    return step
