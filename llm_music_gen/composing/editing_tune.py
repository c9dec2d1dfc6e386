"""Has a model write a section of a song anew: as many bars, in the same key and metre, in sight of the sections beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from llm_music_gen.composing.author import Ask, Author, Heard, NoTune
from llm_music_gen.composing.cadence import settled
from llm_music_gen.composing.harmony import harmonised, key_chords, primary_chords
from llm_music_gen.composing.judge import score
from llm_music_gen.composing.measures import GOOD
from llm_music_gen.composing.tune import MAX_ATTEMPTS, MelodyRange
from llm_music_gen.composing.written import WrittenSection
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.domain.theme import SectionPlan, Theme
from llm_music_gen.notation.text import parse_section

_RANGE = MelodyRange()
_OPEN_ROLES = frozenset({"bridge", "break", "build"})
#: Words of a wish -> what they add to the density of the tune's notes.
_DENSITIES = {
    "livelier": 0.3, "lively": 0.3, "busier": 0.3, "catchier": 0.1, "happier": 0.15, "more interesting": 0.15, "calmer": -0.3,
    "simpler": -0.25, "sadder": -0.15,
}  # fmt: skip


def rewrite_section(
    author: Author,
    theme: Theme,
    plan: SectionPlan,
    beside: Sequence[WrittenSection],
    former: str,
    *,
    wish: str,
    unit: Fraction,
    seed: int,
) -> Work[str]:
    """Composer text of `plan.bars` bars, another than `former`. Yields "tune" with the text as it grows in `detail["abc"]`.

    The same author, arguments and seed give the same text on one machine. Raises NoTune when there is no music in three answers,
    ModelError when the author fails.
    """
    density = min(1.0, max(0.0, theme.density + sum(share for word, share in _DENSITIES.items() if word in wish)))
    theme = replace(theme, density=density)
    plan = replace(plan, character=", ".join(filter(None, (wish, plan.character))))
    closes = plan.role not in _OPEN_ROLES
    author.prepare()
    best: tuple[float, str] | None = None
    for attempt in range(MAX_ATTEMPTS):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(attempt,)))
        ask = Ask(
            theme=theme, plan=plan, bars=plan.bars, unit=unit, earlier=tuple(beside), before="", opening="", closes=closes,
            chords=key_chords(theme.key) if attempt == 0 else primary_chords(theme.key), low_pitch=_RANGE.low_pitch,
            high_pitch=_RANGE.high_pitch, previous_pitch=None, warmth=1.0 + 0.2 * attempt, seed=int(rng.integers(2**31)),
        )  # fmt: skip
        try:
            text = yield from _written(author, ask)
        except NoTune:
            if best is None and attempt == MAX_ATTEMPTS - 1:
                raise
            continue
        if closes:
            text = settled(text, theme.key, theme.meter, unit)
        worth = _worth(text, plan, theme, unit) if text != former else -1.0
        if best is None or worth > best[0]:
            best = (worth, text)
        if worth >= GOOD:
            break
    assert best is not None  # an attempt was taken, or the last one raised
    return best[1]


def _written(author: Author, ask: Ask) -> Work[str]:
    work = author.bars(ask)
    try:
        while True:
            heard: Heard = next(work)
            done = min(1.0, heard.text.count("|") / ask.bars)
            yield Progress("tune", done, f"{author.name} writes section {ask.plan.label}", {"abc": heard.text})
    except StopIteration as stop:
        text: str = stop.value
        return text
    finally:
        work.close()


def _worth(text: str, plan: SectionPlan, theme: Theme, unit: Fraction) -> float:
    parsed = parse_section(text, label=plan.label, key=theme.key, meter=theme.meter, unit=unit, bars=plan.bars)
    parsed = harmonised(parsed, theme.key, theme.meter)
    return score(parsed, text.split("|")[:-1], theme.key, float(theme.meter.bar_ql), theme.density)
