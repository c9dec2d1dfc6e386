"""R12: sound files that lie about themselves: a typed answer, and nothing in the samples that is no number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from llm_music_gen.errors import StudioError
from llm_music_gen.processing.files import opened
from tests.fuzzing.targets import check_sentence
from tests.integration.processing.hostile_files import BROKEN, ODD
from tests.reliability.figures import Figure

#: Five gigabytes take seconds to walk through; the commands do so in tests/integration/processing.
LARGE = frozenset(name for name in (*BROKEN, *ODD) if "gigabytes" in name)


def test_sound_files_that_lie_give_numbers_or_a_sentence(tmp_path: Path) -> None:
    read = told = 0
    for name, make in {**BROKEN, **ODD}.items():
        if name in LARGE:
            continue
        path = tmp_path / name
        try:
            make(path)
        except (OSError, ValueError):  # a name that this system does not take
            assert name in ODD
            continue
        try:
            for block in opened(path).audio.walk():
                assert np.isfinite(block).all(), name
            assert name in ODD, f"{name} was taken for sound"
            read += 1
        except StudioError as error:
            check_sentence(error)
            assert name in BROKEN, f"{name}: {error}"
            told += 1
    assert read >= 8
    measured = f"{read} read, all samples finite; {told} refused in a sentence"
    Figure("R12", "sound files that lie", "typed result, no NaN in the output", measured, holds=True).record()


@pytest.mark.parametrize("name", sorted(LARGE))
def test_the_large_ones_are_opened_without_reading_them(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    ({**BROKEN, **ODD})[name](path)
    try:
        block = next(iter(opened(path).audio.walk()), np.zeros((0, 1)))
        assert np.isfinite(block).all()
    except StudioError as error:
        check_sentence(error)
        assert name in BROKEN
