"""Lets the band play a tune, and asks it for plainer harmony where the key that was asked for could not be heard."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from llm_music_gen.arranging import arrange
from llm_music_gen.arranging.key_finding import finds_key, pitch_class_weights
from llm_music_gen.domain.score import Arrangement, LeadSheet
from llm_music_gen.domain.theme import Theme
from llm_music_gen.styles import Style

#: Voicings that leave out the root or stack fourths: they sound rich, and hide which key it is.
_ROOTLESS = frozenset({"rootless", "quartal", "shell"})


def played(theme: Theme, sheet: LeadSheet, style: Style, seed: np.random.SeedSequence) -> Arrangement:
    """The tune as the band plays it in `style`. The same arguments give the same arrangement.

    In major and minor the key has to be found by Krumhansl's profiles over all pitched parts. Where it is not, chords get
    their roots back, then lose their ninths, then their sevenths; the first arrangement whose key is heard is taken, and the
    style's own where none is.
    """
    first: Arrangement | None = None
    for candidate in _plainer(style):
        arrangement = arrange(theme, sheet, candidate, np.random.default_rng(seed))
        if theme.key.mode not in ("major", "minor") or finds_key(pitch_class_weights(arrangement), theme.key):
            return arrangement
        first = first or arrangement
    assert first is not None  # the style itself is the first candidate
    return first


def _plainer(style: Style) -> Iterator[Style]:
    """The style, then the same with ever plainer harmony."""
    yield style
    rooted = tuple(voicing for voicing in style.comp.voicings if voicing not in _ROOTLESS) or ("close",)
    style = style.model_copy(update={"comp": style.comp.model_copy(update={"voicings": rooted})})
    levels = {"ninths": ("ninths", "sevenths", "triads"), "sevenths": ("sevenths", "triads")}
    for level in levels.get(style.harmony.level, (style.harmony.level,)):
        yield style.model_copy(update={"harmony": style.harmony.model_copy(update={"level": level})})
