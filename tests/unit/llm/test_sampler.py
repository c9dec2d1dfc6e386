from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_music_gen.domain.text_model import Sampling
from llm_music_gen.errors import ModelError
from llm_music_gen.llm.sampler import TokenSampler

PLAIN = Sampling(temperature=1.0, min_p=0.0)
LOGITS = np.log(np.array([0.5, 0.25, 0.125, 0.0625, 0.0625], dtype=np.float32))


def draws(sampling: Sampling, count: int = 4000, logits: np.ndarray = LOGITS, allowed: np.ndarray | None = None) -> np.ndarray:
    """Share of each token among `count` draws."""
    sampler = TokenSampler(sampling)
    return np.bincount([sampler.draw(logits, allowed) for _ in range(count)], minlength=len(logits)) / count


def test_draws_follow_the_softmax() -> None:
    assert draws(PLAIN) == pytest.approx([0.5, 0.25, 0.125, 0.0625, 0.0625], abs=0.035)  # 4.5 sigma


def test_temperature_sharpens_and_flattens() -> None:
    half = np.array([0.5, 0.25, 0.125, 0.0625, 0.0625]) ** 2
    assert draws(Sampling(temperature=0.5, min_p=0.0)) == pytest.approx(half / half.sum(), abs=0.035)
    assert draws(Sampling(temperature=0.0), 10)[0] == 1.0


def test_top_k_keeps_the_best_k() -> None:
    assert draws(Sampling(temperature=1.0, min_p=0.0, top_k=2)) == pytest.approx([2 / 3, 1 / 3, 0, 0, 0], abs=0.035)
    assert draws(Sampling(temperature=1.0, min_p=0.0, top_k=1), 10)[0] == 1.0


def test_top_p_keeps_the_smallest_set_that_reaches_p() -> None:
    assert draws(Sampling(temperature=1.0, min_p=0.0, top_p=0.7)) == pytest.approx([2 / 3, 1 / 3, 0, 0, 0], abs=0.035)
    assert draws(Sampling(temperature=1.0, min_p=0.0, top_p=0.01), 10)[0] == 1.0


def test_top_p_counts_within_what_top_k_left() -> None:
    """Of the best two (2/3 and 1/3) the first alone reaches 0.6."""
    assert draws(Sampling(temperature=1.0, min_p=0.0, top_k=2, top_p=0.6), 50)[0] == 1.0


def test_min_p_drops_what_is_far_below_the_best() -> None:
    assert draws(Sampling(temperature=1.0, min_p=0.4)) == pytest.approx([2 / 3, 1 / 3, 0, 0, 0], abs=0.035)


def test_a_mask_rules_tokens_out_and_keeps_proportions() -> None:
    allowed = np.array([False, True, True, False, False])
    assert draws(PLAIN, allowed=allowed) == pytest.approx([0, 2 / 3, 1 / 3, 0, 0], abs=0.035)


def test_the_repeat_penalty_hits_recent_tokens_only() -> None:
    logits = np.array([2.0, 2.0, -1.0], dtype=np.float32)
    sampler = TokenSampler(Sampling(temperature=0.0, repeat_penalty=2.0), prompt=[0])
    assert sampler.draw(logits) == 1
    sampler = TokenSampler(Sampling(temperature=0.0, repeat_penalty=2.0), prompt=[0, *[2] * 64])
    assert sampler.draw(logits) == 0
    allowed = np.array([False, True, True])
    sampler = TokenSampler(Sampling(temperature=0.0, repeat_penalty=4.0), prompt=[1])
    assert sampler.draw(np.array([9.0, -0.5, -1.0], dtype=np.float32), allowed) == 2
    assert logits.tolist() == [2.0, 2.0, -1.0]


@given(
    st.lists(st.floats(-30, 30, width=32), min_size=2, max_size=50),
    st.floats(0.0, 3.0),
    st.integers(0, 60),
    st.floats(0.01, 1.0),
    st.floats(0.0, 1.0),
    st.integers(0, 2**32),
)
def test_whatever_the_settings_an_allowed_token_comes_out_and_the_seed_decides_it(
    values: list[float], temperature: float, top_k: int, top_p: float, min_p: float, seed: int
) -> None:
    logits = np.array(values, dtype=np.float32)
    allowed = np.arange(len(values)) % 2 == seed % 2
    sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p, repeat_penalty=1.1, seed=seed)
    first, second = TokenSampler(sampling, [0]), TokenSampler(sampling, [0])
    for _ in range(3):
        token = first.draw(logits, allowed)
        assert allowed[token]
        assert token == second.draw(logits, allowed)


def test_no_allowed_token_and_broken_numbers_are_errors() -> None:
    with pytest.raises(ModelError, match="no token"):
        TokenSampler(PLAIN).draw(LOGITS, np.zeros(5, dtype=bool))
    with pytest.raises(ModelError, match="not a number"):
        TokenSampler(PLAIN).draw(np.full(5, np.nan, dtype=np.float32))
