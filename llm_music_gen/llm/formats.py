"""How each kind of model wants to be spoken to: pure functions from what is meant to the exact prompt.

A prompt is text plus whether names of control tokens in it become those tokens (`special`) and whether the beginning token is put
first (`add_bos`). What users type goes through `harmless`, so that it cannot pass for a control token.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from llm_music_gen.domain.text_model import Sampling, TextModel
from llm_music_gen.llm.gguf import GgufHeader

#: What a model suits: writing the composer text, writing ABC, talking (themes, edits), or only continuing text.
Role = Literal["composer-text", "abc", "chat", "text"]
Speaker = Literal["system", "user", "assistant"]
COMPOSER_FORMAT_KEY = "llm_music_gen.format"
COMPOSER_FORMAT = "composer-text-1"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt ready to be tokenized."""

    text: str
    special: bool
    add_bos: bool
    stop: tuple[str, ...] = ()

    def tokens(self, model: TextModel) -> list[int]:
        """Its token ids for `model`."""
        return model.tokenize(self.text, special=self.special, add_bos=self.add_bos)


@dataclass(frozen=True, slots=True)
class ChatFormat:
    """The strings that a family of models was trained with. `{}` stands for what is said."""

    system: str
    user: str
    assistant: str
    opening: str
    """What comes before the answer that is asked for."""
    stop: tuple[str, ...]
    add_bos: bool = True
    system_in_user: bool = False
    """Whether the system text goes in front of the first user text because there is no such speaker."""


#: Chat formats by name.
CHAT_FORMATS: Mapping[str, ChatFormat] = MappingProxyType(
    {
        "chatml": ChatFormat(
            system="<|im_start|>system\n{}<|im_end|>\n",
            user="<|im_start|>user\n{}<|im_end|>\n",
            assistant="<|im_start|>assistant\n{}<|im_end|>\n",
            opening="<|im_start|>assistant\n",
            stop=("<|im_end|>", "<|im_start|>"),
        ),
        "chatmusician": ChatFormat(
            system="{}\n",
            user="Human: {} </s> ",
            assistant="Assistant: {} </s> ",
            opening="Assistant: ",
            stop=("</s>", "Human:"),
            add_bos=False,
            system_in_user=True,
        ),
        "llama-2": ChatFormat(
            system="<<SYS>>\n{}\n<</SYS>>\n\n",
            user="[INST] {} [/INST]",
            assistant=" {} </s><s>",
            opening="",
            stop=("</s>", "[INST]"),
            system_in_user=True,
        ),
        "llama-3": ChatFormat(
            system="<|start_header_id|>system<|end_header_id|>\n\n{}<|eot_id|>",
            user="<|start_header_id|>user<|end_header_id|>\n\n{}<|eot_id|>",
            assistant="<|start_header_id|>assistant<|end_header_id|>\n\n{}<|eot_id|>",
            opening="<|start_header_id|>assistant<|end_header_id|>\n\n",
            stop=("<|eot_id|>", "<|start_header_id|>"),
        ),
        "mistral": ChatFormat(
            system="{}\n\n",
            user="[INST] {} [/INST]",
            assistant=" {}</s>",
            opening="",
            stop=("</s>", "[INST]"),
            system_in_user=True,
        ),
        "gemma": ChatFormat(
            system="{}\n\n",
            user="<start_of_turn>user\n{}<end_of_turn>\n",
            assistant="<start_of_turn>model\n{}<end_of_turn>\n",
            opening="<start_of_turn>model\n",
            stop=("<end_of_turn>", "<start_of_turn>"),
            system_in_user=True,
        ),
        "phi-3": ChatFormat(
            system="<|system|>\n{}<|end|>\n",
            user="<|user|>\n{}<|end|>\n",
            assistant="<|assistant|>\n{}<|end|>\n",
            opening="<|assistant|>\n",
            stop=("<|end|>", "<|user|>"),
        ),
        "zephyr": ChatFormat(
            system="<|system|>\n{}</s>\n",
            user="<|user|>\n{}</s>\n",
            assistant="<|assistant|>\n{}</s>\n",
            opening="<|assistant|>\n",
            stop=("</s>", "<|user|>"),
        ),
        "alpaca": ChatFormat(
            system="{}\n\n",
            user="### Instruction:\n{}\n\n",
            assistant="### Response:\n{}\n\n",
            opening="### Response:\n",
            stop=("### Instruction:", "### Response:"),
        ),
    }
)

#: What in a Jinja chat template gives a format away, the surest first.
_TEMPLATE_MARKS: tuple[tuple[str, str], ...] = (
    ("<|im_start|>", "chatml"),
    ("<|start_header_id|>", "llama-3"),
    ("<start_of_turn>", "gemma"),
    ("<<SYS>>", "llama-2"),
    ("[INST]", "mistral"),
    ("<|end|>", "phi-3"),
    ("<|assistant|>", "zephyr"),
    ("### Response", "alpaca"),
)
_ABC_NAMES = re.compile(r"chat[-_ ]?musician|mupt|tunesformer|notagen|melodyt5|\babc\b", re.IGNORECASE)
_CHATMUSICIAN = re.compile(r"chat[-_ ]?musician", re.IGNORECASE)
_COMPOSER_NAMES = re.compile(r"composer built in", re.IGNORECASE)
_CHATML_NAMES = re.compile(r"\bilm3\b|internlm|qwen|chatml", re.IGNORECASE)
_CHAT_NAMES = re.compile(r"\b(chat|instruct|it|assistant)\b", re.IGNORECASE)
_THOUGHTS = re.compile(r"^\s*<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)\s*", re.DOTALL)
_CONTROL = re.compile(r"<(?=\|)|<(?=/?s>)|<(?=unk>)|<(?=(?:start|end)_of_turn>)|\[(?=/?INST\])|<(?=</?SYS>>)")

#: How each format's makers sample: ChatMusician's predict.py with the penalty at 1.0, because in ABC repetition is music and a
#: repeat penalty hits bar lines first; ILM3's card asks for a high min-p against strange typos. The built-in composer's
#: temperature is where its note lengths, intervals and repetitions are spread as people's are (`evaluate --tunes`).
_SAMPLING: Mapping[str, Sampling] = MappingProxyType(
    {
        "chatmusician": Sampling(temperature=0.2, top_k=40, top_p=0.9, min_p=0.0, repeat_penalty=1.0, max_tokens=1536),
        "composer-text": Sampling(temperature=0.93),
        "chatml": Sampling(temperature=1.0, min_p=0.1, max_tokens=1024),
    }
)


def sampling_for(name: str) -> Sampling:
    """The sampling that models of the format `name` want; the studio's defaults for those without a wish."""
    return _SAMPLING.get(name, Sampling())


def format_name(header: GgufHeader, file_name: str = "") -> str:
    """Which format a model wants: `composer-text`, a name in `CHAT_FORMATS`, or `plain` for text that is just continued."""
    if header.text(COMPOSER_FORMAT_KEY) == COMPOSER_FORMAT:
        return "composer-text"
    names = _names(header, file_name)
    if _CHATMUSICIAN.search(names):
        return "chatmusician"
    template = header.chat_template
    for mark, name in _TEMPLATE_MARKS:
        if mark in template:
            return name
    if _CHATML_NAMES.search(names):
        return "chatml"
    return "alpaca" if template or _CHAT_NAMES.search(names) else "plain"


def format_of_name(name: str) -> str:
    """The format of a model of which only the name is known, on a server: `composer-text`, `chatmusician`, or "" for a chat.

    A server turns a conversation into the format of its model by itself; these two go on with a text instead.
    """
    plain = re.sub(r"[-_.]+", " ", name)
    if _COMPOSER_NAMES.search(plain):
        return "composer-text"
    return "chatmusician" if _CHATMUSICIAN.search(plain) else ""


def role_of(header: GgufHeader, file_name: str = "") -> Role:
    """What a model suits best. Any of them may be asked for anything; this is the recommendation."""
    name = format_name(header, file_name)
    if name == "composer-text":
        return "composer-text"
    if _ABC_NAMES.search(_names(header, file_name)):
        return "abc"
    return "text" if name == "plain" else "chat"


def _names(header: GgufHeader, file_name: str) -> str:
    texts = (file_name or header.path.name, header.text("general.name"), header.text("general.basename"))
    return " ".join(re.sub(r"[-_.]+", " ", text) for text in texts)


def spoken(answer: str) -> str:
    """An answer without what a model that thinks aloud has thought before it."""
    return _THOUGHTS.sub("", answer)


def harmless(text: str) -> str:
    """User text in which nothing reads as a control token or a turn of its own: a space breaks each one."""
    return _CONTROL.sub(lambda match: match[0] + " ", text)


def chat_prompt(name: str, messages: Sequence[Message], *, prefill: str = "") -> Prompt:
    """The prompt that makes a model answer `messages`, its answer starting with `prefill`.

    `name` is a key of `CHAT_FORMATS`. ChatMusician's form is its makers' predict.py and web demo to the letter.
    Raises KeyError for an unknown name.
    """
    chat = CHAT_FORMATS[name]
    system = "".join(chat.system.replace("{}", harmless(m.text)) for m in messages if m.speaker == "system")
    parts = [] if chat.system_in_user else [system]
    waiting = system if chat.system_in_user else ""
    for message in messages:
        said = harmless(message.text)
        if message.speaker == "user":
            parts.append(chat.user.replace("{}", waiting + said))
            waiting = ""
        elif message.speaker == "assistant":
            parts.append(chat.assistant.replace("{}", said))
    return Prompt("".join(parts) + chat.opening + prefill, special=True, add_bos=chat.add_bos, stop=chat.stop)


def chatmusician_prompt(instruction: str, *, prefill: str = "") -> Prompt:
    """`Human: {instruction} </s> Assistant: {prefill}`, no beginning token, `</s>` as the control token.

    A header as `prefill` ("X:1\\nL:1/8\\nM:4/4\\nK:G\\n") keeps the model from answering in prose.
    """
    return chat_prompt("chatmusician", [Message("user", instruction)], prefill=prefill)


def composer_prompt(header: str) -> Prompt:
    """The built-in composer continues text after the beginning token."""
    return Prompt(header, special=False, add_bos=True)
