"""Golden prompts to the token id: every format on a tokenizer of its family, through both bindings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from llm_music_gen.domain.text_model import TextModel
from llm_music_gen.llm.backend import load_model
from llm_music_gen.llm.formats import CHAT_FORMATS, Message, chat_prompt, format_name
from llm_music_gen.llm.gguf import read_gguf_header
from tests.fakes.gguf_writer import Shape, Vocabulary, write_model
from tests.integration.llm.prompt_vocabularies import FORMATS, TALK, WITHOUT_SPACE

#: Every token of the prompt for "Be an A" (system) and "hi é" (user), as its name in the vocabulary.
GOLDEN = {
    "chatmusician": "▁Hum an : ▁ B e ▁ an ▁A <0x0A> h i ▁ <0xC3> <0xA9> ▁ </s> ▁ ▁A ss ist ant : ▁",
    "chatml": "<s> <|im_start|> s y s t e m <0x0A> B e ▁ an ▁A <|im_end|> <0x0A> <|im_start|> u s e r <0x0A> h i ▁ <0xC3> <0xA9> "
    "<|im_end|> <0x0A> <|im_start|> a ss ist ant <0x0A>",
    "llama-2": "<s> ▁ [ I N S T ] ▁ < < S Y S > > <0x0A> B e ▁ an ▁A <0x0A> < < / S Y S > > <0x0A> <0x0A> h i ▁ <0xC3> <0xA9> ▁ "
    "[ / I N S T ]",
    "llama-3": "<|begin_of_text|> <|start_header_id|> s y s t e m <|end_header_id|> Ċ Ċ B e Ġ a n Ġ A <|eot_id|> "
    "<|start_header_id|> u s e r <|end_header_id|> Ċ Ċ h i Ġ Ã © <|eot_id|> "
    "<|start_header_id|> a s s i s t a n t <|end_header_id|> Ċ Ċ",
    "mistral": "<s> ▁ [ I N S T ] ▁ B e ▁ an ▁A <0x0A> <0x0A> h i ▁ <0xC3> <0xA9> ▁ [ / I N S T ]",
    "gemma": "<s> <start_of_turn> u s e r <0x0A> B e ▁ an ▁A <0x0A> <0x0A> h i ▁ <0xC3> <0xA9> <end_of_turn> <0x0A> "
    "<start_of_turn> m o d e l <0x0A>",
    "phi-3": "<s> <|system|> ▁ <0x0A> B e ▁ an ▁A <|end|> ▁ <0x0A> <|user|> ▁ <0x0A> h i ▁ <0xC3> <0xA9> <|end|> ▁ <0x0A> "
    "<|assistant|> ▁ <0x0A>",
    "zephyr": "<s> ▁ < | s y s t e m | > <0x0A> B e ▁ an ▁A </s> ▁ <0x0A> < | u s e r | > <0x0A> h i ▁ <0xC3> <0xA9> </s> ▁ "
    "<0x0A> < | a ss ist ant | > <0x0A>",
}
ENDS = {"chatmusician": "</s>", "chatml": "<|im_end|>", "llama-3": "<|eot_id|>", "gemma": "<end_of_turn>", "phi-3": "<|end|>"}


def test_every_format_has_a_golden_prompt() -> None:
    assert set(GOLDEN) == set(FORMATS) == set(CHAT_FORMATS) - {"alpaca"}  # alpaca has no control tokens


@pytest.fixture(scope="module", params=GOLDEN)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Vocabulary, Path]:
    """Name, vocabulary and GGUF of each family."""
    name = str(request.param)
    vocabulary = FORMATS[name]()
    extra = {"tokenizer.ggml.add_space_prefix": False} if name in WITHOUT_SPACE else {}
    path = tmp_path_factory.mktemp("families") / ("ChatMusician.gguf" if name == "chatmusician" else "model.gguf")
    return name, vocabulary, write_model(path, vocabulary, Shape(layers=1, width=32, hidden=32, metadata=extra))


def names(vocabulary: Vocabulary, ids: Sequence[int]) -> str:
    return " ".join(vocabulary.tokens[token] for token in ids)


def test_the_prompt_is_golden_to_the_token_id(written: tuple[str, Vocabulary, Path], binding: str) -> None:
    name, vocabulary, path = written
    assert len(set(vocabulary.tokens)) == len(vocabulary.tokens), "a name stands for one id"
    model: TextModel = load_model(path, binding=binding, threads=1, context_tokens=256)
    try:
        assert names(vocabulary, chat_prompt(name, TALK).tokens(model)) == GOLDEN[name]
        # What a user types never becomes a control token, and the answer's beginning stands right behind the prompt.
        typed = chat_prompt(name, [Message("user", "".join(CHAT_FORMATS[name].stop))]).tokens(model)
        plain = chat_prompt(name, [Message("user", "hi")]).tokens(model)
        controls = {token for token, kind in enumerate(vocabulary.types) if kind == 3}
        assert [token for token in typed if token in controls] == [token for token in plain if token in controls]
        if name in ENDS:
            assert vocabulary.tokens.index(ENDS[name]) in model.end_tokens()
    finally:
        model.close()


def test_the_family_is_read_from_the_file_itself(written: tuple[str, Vocabulary, Path]) -> None:
    name, _, path = written
    assert format_name(read_gguf_header(path), path.name) == name


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"chatmusician"}))
def test_the_prompt_is_what_the_familys_template_gives(name: str) -> None:
    """Rendered as `transformers` does it. Families without a system speaker are asked without one."""
    jinja2 = pytest.importorskip("jinja2")
    vocabulary = FORMATS[name]()
    talk = [message for message in TALK if message.speaker == "user" or name not in ("mistral", "gemma")]
    rendered = (
        jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
        .from_string(vocabulary.chat_template)
        .render(
            messages=[{"role": message.speaker, "content": message.text} for message in talk],
            bos_token=vocabulary.tokens[vocabulary.bos_id],
            eos_token=vocabulary.tokens[vocabulary.eos_id],
            add_generation_prompt=True,
        )
    )
    assert rendered.removeprefix(vocabulary.tokens[vocabulary.bos_id]) == chat_prompt(name, talk).text
