"""What every binding promises, checked on real models with random weights."""

from __future__ import annotations

import re
import signal
from collections.abc import Generator
from dataclasses import replace

import numpy as np
import pytest

from llm_music_gen.domain.text_model import Sampling
from llm_music_gen.errors import ModelError
from llm_music_gen.llm.backend import installed_bindings, load_model
from tests.fakes.letter_bars import LetterBars
from tests.integration.llm.conftest import VOCABULARIES, Load, ModelFile

HEADER = "M:4/4\nL:1/8\nK:C\n"
FREE = Sampling(temperature=1.0, min_p=0.0, max_tokens=40, seed=1)


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_every_text_obeys_the_constraint_to_the_letter(load: Load, vocabulary: str) -> None:
    model = load(vocabulary)
    prompt = model.tokenize(HEADER)
    for seed in range(5):
        constraint = LetterBars(model.pieces(), bars=4, letters=3)
        text = "".join(model.generate(prompt, replace(FREE, seed=seed), constraint=constraint))
        assert re.fullmatch(r"([A-G]{3}\|){4}", text)
        assert text.encode() == constraint.written


@pytest.mark.parametrize("vocabulary", ["characters", "sentencepiece"])
@pytest.mark.parametrize("constrained", [False, True])
def test_the_same_seed_gives_the_same_text_whatever_was_written_before(load: Load, vocabulary: str, constrained: bool) -> None:
    model = load(vocabulary)
    prompt = model.tokenize(HEADER * 12)

    def write(seed: int, tokens: list[int] = prompt) -> str:
        constraint = LetterBars(model.pieces(), bars=6) if constrained else None
        return "".join(model.generate(tokens, replace(FREE, seed=seed), constraint=constraint))

    fresh = [write(seed) for seed in range(4)]
    write(9, prompt[:70] + prompt[3:50])
    assert [write(seed) for seed in range(4)] == fresh
    assert len(set(fresh)) > 1
    assert "".join(load(vocabulary).generate(prompt, replace(FREE, max_tokens=5))) == "".join(
        model.generate(prompt, replace(FREE, max_tokens=5))
    )


def test_a_cold_and_a_warm_model_write_the_same(load: Load) -> None:
    warm, cold = load("sentencepiece"), load("sentencepiece")
    prompt = warm.tokenize("A2 B2 c4|" * 40)
    list(warm.generate(prompt[:150] + prompt[:9], FREE))
    assert "".join(warm.generate(prompt, FREE)) == "".join(cold.generate(prompt, FREE))


def test_draws_follow_the_models_probabilities(load: Load, model_file: ModelFile) -> None:
    """First letter under the constraint, 400 seeds: as often as a softmax over the allowed logits says, within 4.5 sigma."""
    llama_cpp = pytest.importorskip("llama_cpp")
    model = load("characters")
    prompt = model.tokenize(HEADER)
    reference = llama_cpp.Llama(str(model_file("characters")), n_ctx=64, logits_all=True, verbose=False)
    reference.eval(prompt)
    logits = {letter: float(reference.scores[len(prompt) - 1, model.pieces().index(letter.encode())]) for letter in "ABCDEFG"}
    weights = {letter: np.exp(value / 0.8) for letter, value in logits.items()}
    drawn = []
    for seed in range(400):
        constraint = LetterBars(model.pieces(), bars=1, letters=1)
        drawn.append(next(iter(model.generate(prompt, replace(FREE, temperature=0.8, seed=seed), constraint=constraint))))
    for letter, weight in weights.items():
        share = weight / sum(weights.values())
        assert abs(drawn.count(letter) - 400 * share) <= 4.5 * np.sqrt(400 * share * (1 - share)) + 0.5


def test_control_tokens_are_found_only_when_asked_for(load: Load) -> None:
    """ChatMusician's prompt, to the token ids of LLaMA 2's vocabulary."""
    model = load("sentencepiece")
    ids = model.tokenize("Human: hi </s> Assistant: ", special=True)
    assert ids == [12968, 29901, 7251, 29871, 2, 29871, 4007, 22137, 29901, 29871]
    assert 2 not in model.tokenize("Human: hi </s> Assistant: ")
    assert model.tokenize("hi", add_bos=True)[0] == 1


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_pieces_spell_what_was_tokenized(load: Load, vocabulary: str) -> None:
    model = load(vocabulary)
    text = '"Am"A2 ^c/2|z4|\n'
    written = b"".join(model.pieces()[token] for token in model.tokenize(text)).decode()
    assert written.removeprefix(" ") == text
    assert all(model.pieces()[token] == b"" for token in model.end_tokens())
    assert len(model.end_tokens()) >= 1


def test_cancelling_ends_the_answer_without_an_error(load: Load) -> None:
    model = load("characters")
    written: list[str] = []
    for constraint in (None, LetterBars(model.pieces(), bars=20)):
        written.clear()
        for text in model.generate(
            [5, 6], replace(FREE, max_tokens=400), constraint=constraint, cancelled=lambda: len(written) >= 3
        ):
            written.append(text)
        assert len(written) == 3
    assert list(model.generate([5, 6], FREE, cancelled=lambda: True)) == []


def test_an_abandoned_answer_leaves_the_model_usable(load: Load) -> None:
    model = load("characters")
    expected = "".join(model.generate([5, 6, 7], FREE))
    half = model.generate([5, 6, 7], FREE)
    next(half)
    assert isinstance(half, Generator)
    half.close()
    assert "".join(model.generate([5, 6, 7], FREE)) == expected


class FailingConstraint(LetterBars):
    """Breaks after three tokens, as a bug in an automaton would."""

    def accept(self, token_id: int) -> None:
        super().accept(token_id)
        if len(self.written) >= 3:
            raise ZeroDivisionError("a bug")


class DeadEnd(LetterBars):
    """Runs into a state without a way on."""

    def allowed(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        return super().allowed() & (len(self.written) < 3)


def test_an_error_in_the_constraint_comes_out(load: Load) -> None:
    model = load("characters")
    written: list[str] = []
    with pytest.raises(ModelError, match="a bug"):
        written.extend(model.generate([5, 6], FREE, constraint=FailingConstraint(model.pieces())))
    assert len("".join(written)) == 2
    with pytest.raises(ModelError, match="no token"):
        list(model.generate([5, 6], FREE, constraint=DeadEnd(model.pieces())))


def test_what_does_not_fit_is_said_in_one_sentence(load: Load) -> None:
    model = load("characters", context_tokens=256)
    limit = model.context_tokens
    with pytest.raises(ModelError, match="does not fit"):
        list(model.generate([5] * limit, FREE))
    with pytest.raises(ModelError, match="does not fit"):
        list(model.generate([5] * (limit - 10), FREE, constraint=LetterBars(model.pieces(), bars=60)))
    with pytest.raises(ModelError, match="without finishing"):
        list(model.generate([5], FREE, constraint=LetterBars(model.pieces(), bars=60)))
    with pytest.raises(ModelError, match="empty"):
        list(model.generate([], FREE))
    with pytest.raises(ModelError, match="does not know"):
        list(model.generate([10**6], FREE))
    with pytest.raises(ModelError, match="does not know"):
        list(model.generate([-1], FREE))


def test_an_answer_ends_at_the_end_token_or_a_stop_text(load: Load) -> None:
    model = load("characters")
    texts = ["".join(model.generate([5, 6], replace(FREE, seed=seed, max_tokens=400))) for seed in range(3)]
    assert min(map(len, texts)) < 400  # among 98 random tokens the end token comes up
    whole = max(texts, key=len)
    seed = texts.index(whole)
    middle = whole[len(whole) // 2 : len(whole) // 2 + 2]
    cut = "".join(model.generate([5, 6], replace(FREE, seed=seed, max_tokens=400), stop=[middle]))
    assert cut == whole[: whole.index(middle)]


def test_a_finished_constraint_writes_nothing(load: Load) -> None:
    model = load("characters")
    assert list(model.generate([5], FREE, constraint=LetterBars(model.pieces(), bars=0))) == []


def test_a_closed_model_says_so(load: Load) -> None:
    model = load("characters")
    model.close()
    model.close()
    with pytest.raises(ModelError, match="closed"):
        list(model.generate([5, 6], FREE))


def test_ctrl_c_still_belongs_to_python_after_loading(load: Load) -> None:
    load("characters")
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.skipif(len(installed_bindings()) < 2, reason="needs both bindings")
@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_both_bindings_see_the_same_vocabulary(model_file: ModelFile, vocabulary: str) -> None:
    first, second = (load_model(model_file(vocabulary), binding=name, threads=1) for name in installed_bindings())
    assert first.pieces() == second.pieces()
    assert first.end_tokens() == second.end_tokens()
    assert (first.architecture, first.context_tokens) == (second.architecture, second.context_tokens) == ("llama", 2048)
    for text in ("", "Human: hi </s> Assistant: ", HEADER, "<|im_start|>user\n¡é, ß!<|im_end|>"):
        for special in (False, True):
            for add_bos in (False, True):
                options = {"special": special, "add_bos": add_bos}
                assert first.tokenize(text, **options) == second.tokenize(text, **options)
    first.close()
    second.close()


def test_what_the_constraint_forces_is_written_without_asking_the_model(load: Load) -> None:
    """Bars of no letters leave one choice a token: `|` after `|`, more of them than one batch holds."""
    model = load("characters")
    for bars in (1, 100):
        constraint = LetterBars(model.pieces(), bars=bars, letters=0)
        assert "".join(model.generate([5, 6], replace(FREE, max_tokens=200), constraint=constraint)) == "|" * bars
    mixed = LetterBars(model.pieces(), bars=9, letters=1)
    text = "".join(model.generate([5, 6], FREE, constraint=mixed))
    assert re.fullmatch(r"([A-G]\|){9}", text)
