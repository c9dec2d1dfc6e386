"""For each family of chat models a small tokenizer of its kind: its control tokens, its way of beginning, its chat template.

The templates are written as those of the families' first releases, without the checks that only raise errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from llm_music_gen.llm.formats import Message
from tests.fakes.gguf_writer import CHATML_TEMPLATE, CONTROL, NORMAL, Vocabulary, bpe_vocabulary, sentencepiece_vocabulary

TALK = (Message("system", "Be an A"), Message("user", "hi é"))

LLAMA_2 = (
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
    "{% set system_message = messages[0]['content'] %}"
    "{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}"
    "{% if loop.index0 == 0 and system_message != false %}"
    "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}"
    "{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}"
    "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}"
    "{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
)
LLAMA_3 = (
    "{% set loop_messages = messages %}{% for message in loop_messages %}"
    "{% set content = '<|start_header_id|>' + message['role'] + "
    "'<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}"
    "{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'] + eos_token }}{% endif %}{% endfor %}"
)
GEMMA = (
    "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}"
    "{% else %}{% set role = message['role'] %}{% endif %}"
    "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}"
)
PHI_3 = (
    "{{ bos_token }}{% for message in messages %}{{ '<|' + message['role'] + '|>' + '\n' + message['content'] + '<|end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)
ZEPHYR = (
    "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'system' %}\n{{ '<|system|>\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n"
    "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}"
)


def spm(template: str, *controls: str) -> Vocabulary:
    """SentencePiece with byte fallback: `<unk> <s> </s>`, 256 bytes, pieces and characters, then a family's control tokens."""
    return _with_controls(sentencepiece_vocabulary(380), template, controls)


def bpe(template: str, begin: str, end: str, *controls: str) -> Vocabulary:
    """Byte-level BPE whose last tokens are a family's control tokens, the beginning and end tokens first."""
    plain = bpe_vocabulary(320)
    count = len(plain.tokens) - 3  # its own three control tokens
    bare = replace(plain, tokens=plain.tokens[:count], types=(NORMAL,) * count, merges=plain.merges[: count - 256])
    return replace(_with_controls(bare, template, (begin, end, *controls)), bos_id=count, eos_id=count + 1, add_bos=True)


def _with_controls(plain: Vocabulary, template: str, controls: tuple[str, ...]) -> Vocabulary:
    scores = (*plain.scores, *(0.0 for _ in controls)) if plain.scores else ()
    return replace(
        plain,
        tokens=(*plain.tokens, *controls),
        types=(*plain.types, *(CONTROL for _ in controls)),
        scores=scores,
        chat_template=template,
    )


#: Families whose converters switch off the space that SentencePiece puts before a text.
WITHOUT_SPACE = ("chatml", "gemma")
FORMATS: Mapping[str, Callable[[], Vocabulary]] = {
    "chatmusician": lambda: spm(""),
    "chatml": lambda: spm(CHATML_TEMPLATE, "<|im_start|>", "<|im_end|>"),
    "llama-2": lambda: spm(LLAMA_2),
    "llama-3": lambda: bpe(
        LLAMA_3, "<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"
    ),
    "mistral": lambda: spm(MISTRAL),
    "gemma": lambda: spm(GEMMA, "<start_of_turn>", "<end_of_turn>"),
    "phi-3": lambda: spm(PHI_3, "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
    "zephyr": lambda: spm(ZEPHYR),
}
