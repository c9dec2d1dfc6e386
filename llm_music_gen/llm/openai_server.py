"""Models behind an OpenAI-compatible address: Ollama, LM Studio, llama.cpp's server, vLLM and others.

Answers are streamed, so that silence is noticed and a cancelled answer stops at once. A schema or grammar is sent where one is
wanted; a server that refuses it is asked again without, and whoever asked must check the answer in any case. The key comes from
the environment only and is never logged. Only the standard library is used.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from llm_music_gen.errors import ModelError, UsageError
from llm_music_gen.llm.formats import Message
from llm_music_gen.llm.http_stream import Body, Head, HttpStream
from llm_music_gen.llm.json_constraint import Shape, json_schema

KEY_VARIABLE = "LLM_MUSIC_GEN_API_KEY"
#: How long a server may be silent: loading a large model before the first word takes its time.
SILENCE_S = 60.0
#: How long an answer may take in all, and how large it may be.
ANSWER_S, MAX_ANSWER_BYTES, MAX_LINE_BYTES = 600.0, 4 * 2**20, 2**20
MAX_ANSWER_TOKENS = 2048
#: Statuses with which servers refuse a field that they do not know (500: llama-cpp-python's own).
_REFUSED = frozenset({400, 404, 415, 422, 500, 501})


class _Refused(Exception):
    """The server does not take this request; without its extras it may."""


@dataclass(frozen=True, slots=True)
class OpenAiServer:
    """One model on one server. Holds no connection between answers.

    Every answer is an iterator that gives "" a few times a second while nothing comes: whoever reads it can leave at any moment.
    """

    base_url: str
    """As in "http://127.0.0.1:11434/v1"."""
    model: str = ""
    """Its name there; "" takes the first that the server lists."""
    silence_s: float = SILENCE_S
    answer_s: float = ANSWER_S

    def __post_init__(self) -> None:
        """Raises UsageError for what is no address."""
        try:
            parts = urlsplit(self.base_url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            usable = False
        if not usable or parts.username or parts.query or parts.fragment:
            raise UsageError(
                f"{self.base_url!r} is no server address.", hint="Give one such as http://127.0.0.1:11434/v1; the key goes into "
                f"the environment variable {KEY_VARIABLE}."
            )  # fmt: skip

    @property
    def name(self) -> str:
        """Model and address, for people and recipes."""
        parts = urlsplit(self.base_url)
        # llama.cpp's servers call a model by the path of its file.
        model = re.split(r"[/\\]", self.model)[-1] if self.model.lower().endswith(".gguf") else self.model
        return f"{model or 'the model'} at {parts.hostname}{f':{parts.port}' if parts.port else ''}"

    def models(self) -> tuple[str, ...]:
        """Names of the models there. Raises ModelError."""
        return next((names for names in self.listing() if names is not None), ())

    def listing(self) -> Iterator[tuple[str, ...] | None]:
        """None while nothing comes, then the names of the models. Raises ModelError."""
        for part in self._exchanged("GET", "/models"):
            if part is None:
                yield None
            elif isinstance(part, Body):
                try:
                    entries = json.loads(part.data)["data"]
                    yield tuple(str(entry["id"]) for entry in entries if entry.get("id"))
                except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
                    raise self._stranger() from error

    def answer(self, messages: Sequence[Message], shape: Shape, *, seed: int) -> str:
        """An answer that should be JSON of this shape; to be checked. Raises ModelError."""
        return "".join(self.answering(messages, shape, seed=seed))

    def answering(self, messages: Sequence[Message], shape: Shape, *, seed: int) -> Generator[str, None, None]:
        """The same as it comes, "" while nothing does. Closing the iterator closes the connection."""
        schema = {"type": "json_schema", "json_schema": {"name": "theme", "strict": True, "schema": json_schema(shape)}}
        # llama-cpp-python's own server takes the schema only in its older form.
        older = {"type": "json_object", "schema": json_schema(shape)}
        choices: list[Mapping[str, Any]] = [{"response_format": schema}, {"response_format": older}, {}]
        return self._asked(_talk(messages), choices, temperature=1.0, seed=seed, max_tokens=MAX_ANSWER_TOKENS)

    def write(
        self,
        messages: Sequence[Message],
        *,
        grammar: str = "",
        temperature: float = 0.75,
        seed: int = 0,
        max_tokens: int = MAX_ANSWER_TOKENS,
        cancelled: Callable[[], bool] | None = None,
    ) -> Generator[str, None, None]:
        """An answer as it is written, "" while nothing comes, under a GBNF grammar where the server takes one; to be checked.

        Ends early, without an error, when `cancelled` says so; closing the iterator closes the connection. Raises ModelError.
        """
        return self._asked(
            _talk(messages), _grammars(grammar), temperature=temperature, seed=seed, max_tokens=max_tokens, cancelled=cancelled
        )

    def go_on(
        self,
        text: str,
        *,
        grammar: str = "",
        temperature: float = 0.75,
        seed: int = 0,
        max_tokens: int = MAX_ANSWER_TOKENS,
        stop: Sequence[str] = (),
    ) -> Generator[str, None, None]:
        """What follows `text`, for models that have a format of their own; otherwise like `write`."""
        request = {"prompt": text, **({"stop": list(stop)} if stop else {})}
        return self._asked(
            ("/completions", request), _grammars(grammar), temperature=temperature, seed=seed, max_tokens=max_tokens
        )

    def _asked(
        self,
        question: tuple[str, Mapping[str, Any]],
        choices: Sequence[Mapping[str, Any]],
        *,
        temperature: float,
        seed: int,
        max_tokens: int,
        cancelled: Callable[[], bool] | None = None,
    ) -> Generator[str, None, None]:
        path, asked = question
        model = self.model
        if not model:
            for names in self.listing():
                if names is None:
                    yield ""
                else:
                    model = next(iter(names), "")
        request = {
            "model": model, **asked, "temperature": temperature, "max_tokens": max_tokens, "seed": seed, "stream": True
        }  # fmt: skip
        for number, extras in enumerate(choices, 1):
            try:
                yield from self._streamed(path, {**request, **extras}, cancelled)
            except _Refused as refusal:
                if number == len(choices):
                    raise ModelError(str(refusal)) from refusal
            else:
                return

    def _streamed(
        self, path: str, request: Mapping[str, Any], cancelled: Callable[[], bool] | None
    ) -> Generator[str, None, None]:
        """The texts of an answer. Raises ModelError when it breaks off, lasts too long or is too large."""
        size = 0
        for part in self._exchanged("POST", path, json.dumps(request).encode("utf-8")):
            if cancelled is not None and cancelled():
                return
            if part is None:
                yield ""
            elif isinstance(part, Body):  # a server that does not stream
                yield _text_of(self._parsed(part.data))
            else:
                size += len(part)
                if not part:
                    raise ModelError(f"{self.name} broke off in the middle of its answer.")
                if size > MAX_ANSWER_BYTES:
                    raise self._endless()
                if part.startswith(b"data:"):
                    data = part[5:].strip()
                    if data == b"[DONE]":
                        return
                    text = _text_of(self._parsed(data))
                    if text:
                        yield text

    def _exchanged(self, method: str, path: str, body: bytes | None = None) -> Iterator[Body | bytes | None]:
        """What comes back on success: lines of events or one JSON body; None while nothing comes. Raises ModelError, _Refused."""
        url = self.base_url.rstrip("/") + path
        stream = HttpStream(method, url, self._headers(), body, self.silence_s, MAX_LINE_BYTES, MAX_ANSWER_BYTES)
        end, head = time.monotonic() + self.answer_s, Head(0, "")
        with closing(stream.parts()) as parts:
            try:
                for part in parts:
                    if time.monotonic() > end:
                        raise self._endless()
                    if isinstance(part, Head):
                        head = part
                        if head.status == 200 and not re.search("json|event-stream", head.content_type):
                            raise self._stranger()
                    elif isinstance(part, Body) and head.status != 200:
                        failure = self._failed(head.status, part.data[:MAX_LINE_BYTES])
                        if body is not None and head.status in _REFUSED:
                            raise _Refused(str(failure))
                        raise failure
                    else:
                        yield part
            except TimeoutError as error:
                raise ModelError(
                    f"{self.name} was silent for {self.silence_s:g} s.", hint="Its model may be too large for that computer."
                ) from error
            except (OSError, http.client.HTTPException) as error:
                raise self._unreachable(error) from error

    def _parsed(self, data: bytes) -> Mapping[str, Any]:
        try:
            value = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise ModelError(f"{self.name} answers what is no JSON.") from error
        if not isinstance(value, dict):
            raise ModelError(f"{self.name} answers what is no JSON.")
        if value.get("error"):
            raise ModelError(f"{self.name} reports: {_reason(value)}.")
        return value

    def _headers(self) -> dict[str, str]:
        key = os.environ.get(KEY_VARIABLE, "").strip()
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream, application/json"}
        return {**headers, "Authorization": f"Bearer {key}"} if key else headers

    def _failed(self, status: int, body: bytes) -> ModelError:
        try:
            reason = _reason(json.loads(body))
        except (ValueError, RecursionError):
            reason = ""
        hint = f"Put its key into the environment variable {KEY_VARIABLE}." if status in (401, 403) else "Look at its log."
        return ModelError(f"{self.name} refuses with status {status}{f' ({reason})' if reason else ''}.", hint=hint)

    def _stranger(self) -> ModelError:
        return ModelError(f"{self.base_url} does not answer like a model server.", hint="Check the address.")

    def _endless(self) -> ModelError:
        return ModelError(f"{self.name} does not come to an end.", hint="Choose another of its models.")

    def _unreachable(self, error: Exception) -> ModelError:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return ModelError(f"{self.name} cannot be reached or broke off: {why}.", hint="Is the server running?")


def _talk(messages: Sequence[Message]) -> tuple[str, Mapping[str, Any]]:
    return "/chat/completions", {"messages": [{"role": message.speaker, "content": message.text} for message in messages]}


def _grammars(grammar: str) -> list[Mapping[str, Any]]:
    """The fields by which servers take a grammar, in the order in which they are tried.

    llama.cpp's server reads `grammar`, vLLM `structured_outputs` and before that `guided_grammar`; most ignore what they do not
    know, so the first request names them all.
    """
    if not grammar:
        return [{}]
    both = {"grammar": grammar, "structured_outputs": {"grammar": grammar}}
    return [{**both, "guided_grammar": grammar}, both, {}]


def _text_of(event: Mapping[str, Any]) -> str:
    """The text of the first choice, "" where there is none."""
    try:
        choice = event["choices"][0]
        part = choice.get("delta") or choice.get("message") or {"content": choice.get("text")}
        content = part["content"]
    except (LookupError, TypeError, AttributeError):
        return ""
    return content if isinstance(content, str) else ""


def _reason(value: Any) -> str:
    """What an error body says, on one short line."""
    error = value.get("error", value.get("detail", "")) if isinstance(value, dict) else ""
    text = error.get("message", "") if isinstance(error, dict) else error
    return " ".join(str(text).split())[:200].rstrip(".")
