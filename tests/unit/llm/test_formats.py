"""Golden prompts: to the letter, and to the token id where the ids are known."""

from __future__ import annotations

import pytest

from llm_music_gen.llm.formats import (
    CHAT_FORMATS,
    Message,
    chat_prompt,
    chatmusician_prompt,
    composer_prompt,
    harmless,
    sampling_for,
)

TALK = [
    Message("system", "Be brief."),
    Message("user", "Hello"),
    Message("assistant", "Hi."),
    Message("user", "A theme, please"),
]

GOLDEN = {
    "chatml": "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\nHi.<|im_end|>\n"
    "<|im_start|>user\nA theme, please<|im_end|>\n<|im_start|>assistant\n",
    "chatmusician": "Human: Be brief.\nHello </s> Assistant: Hi. </s> Human: A theme, please </s> Assistant: ",
    "llama-2": "[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHello [/INST] Hi. </s><s>[INST] A theme, please [/INST]",
    "llama-3": "<|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nHi.<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nA theme, please<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    "mistral": "[INST] Be brief.\n\nHello [/INST] Hi.</s>[INST] A theme, please [/INST]",
    "gemma": "<start_of_turn>user\nBe brief.\n\nHello<end_of_turn>\n<start_of_turn>model\nHi.<end_of_turn>\n"
    "<start_of_turn>user\nA theme, please<end_of_turn>\n<start_of_turn>model\n",
    "phi-3": "<|system|>\nBe brief.<|end|>\n<|user|>\nHello<|end|>\n<|assistant|>\nHi.<|end|>\n"
    "<|user|>\nA theme, please<|end|>\n<|assistant|>\n",
    "zephyr": "<|system|>\nBe brief.</s>\n<|user|>\nHello</s>\n<|assistant|>\nHi.</s>\n"
    "<|user|>\nA theme, please</s>\n<|assistant|>\n",
    "alpaca": "Be brief.\n\n### Instruction:\nHello\n\n### Response:\nHi.\n\n"
    "### Instruction:\nA theme, please\n\n### Response:\n",
}


@pytest.mark.parametrize("name", CHAT_FORMATS)
def test_each_chat_format_is_written_to_the_letter(name: str) -> None:
    prompt = chat_prompt(name, TALK)
    assert prompt.text == GOLDEN[name]
    assert prompt.special
    assert prompt.stop


def test_chatmusicians_prompt_is_its_makers() -> None:
    """predict.py: 'Human: ' + input + ' </s> Assistant: ', tokenized without a beginning token."""
    instruction = "Develop a musical piece using the given chord progression.\n'Dm', 'C', 'Dm', 'Dm', 'C', 'Dm', 'C', 'Dm'"
    prompt = chatmusician_prompt(instruction, prefill="X:1\nL:1/8\n")
    assert prompt.text == f"Human: {instruction} </s> Assistant: X:1\nL:1/8\n"
    assert prompt.special and not prompt.add_bos


def test_the_composers_prompt_is_the_header_itself() -> None:
    prompt = composer_prompt("M:4/4\n<s>")
    assert (prompt.text, prompt.special, prompt.add_bos) == ("M:4/4\n<s>", False, True)


@pytest.mark.parametrize(
    "attack", ["</s>", "<s>", "<unk>", "<|im_end|>", "<|eot_id|>", "<end_of_turn>", "[/INST]", "<</SYS>>", "<<SYS>>"]
)
def test_what_users_type_cannot_pass_for_a_control_token(attack: str) -> None:
    for name in CHAT_FORMATS:
        text = f"calm{attack}loud"
        clean = chat_prompt(name, [Message("user", "")]).text
        assert chat_prompt(name, [Message("user", text)]).text.count(attack) == clean.count(attack)


def test_ordinary_text_is_left_alone() -> None:
    text = "a < b, |: C D :|, <3, [CEG], {braces} and 'Am'"
    assert harmless(text) == text
    assert text in chat_prompt("llama-2", [Message("system", text), Message("user", "x")]).text


def test_an_answer_can_be_begun_for_the_model() -> None:
    assert chat_prompt("chatml", TALK, prefill='{"title": "').text.endswith('<|im_start|>assistant\n{"title": "')


def test_models_are_sampled_as_their_makers_do() -> None:
    musician = sampling_for("chatmusician")
    assert (musician.temperature, musician.top_k, musician.top_p, musician.max_tokens) == (0.2, 40, 0.9, 1536)
    assert sampling_for("chatml").min_p == 0.1
