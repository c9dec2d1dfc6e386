"""The band plays plainer chords only where the key could not be heard."""

from __future__ import annotations

import numpy as np
import pytest

from llm_music_gen.arranging import arrange
from llm_music_gen.arranging.key_finding import finds_key, pitch_class_weights
from llm_music_gen.composing.lengths import parse_length
from llm_music_gen.composing.theme import SongRequest, plan_theme
from llm_music_gen.composing.tune import write_tune
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.progress import finish
from llm_music_gen.studio.band import played
from llm_music_gen.styles import load_styles
from tests.fakes.scripted_model import ScriptedModel

STYLES = load_styles()
PLAIN = '"C"c2e2g2e2|"F"f2a2f2c2|"G"g2b2g2d2|"C"c2e2c2G2|"Am"A2c2e2c2|"F"f2a2f2c2|"G7"g2f2d2B2|"C"c4c4|'


@pytest.mark.parametrize("style", ["chill", "jazz", "lo-fi", "folk"])
def test_the_key_is_heard_where_the_tune_makes_it_plain(style: str) -> None:
    request = SongRequest((style,), parse_length("1"), key=Key("C"), tempo_bpm=100.0)
    planned = plan_theme(request, STYLES, np.random.default_rng(1))
    sheet = finish(write_tune(planned.theme, ScriptedModel([PLAIN]), seed=1)).sheet
    seed = np.random.SeedSequence(1)
    arrangement = played(planned.theme, sheet, planned.style, seed)
    assert finds_key(pitch_class_weights(arrangement), Key("C"))
    own = arrange(planned.theme, sheet, planned.style, np.random.default_rng(seed))
    if finds_key(pitch_class_weights(own), Key("C")):
        assert arrangement == own
    assert played(planned.theme, sheet, planned.style, seed) == arrangement
