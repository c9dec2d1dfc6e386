"""Models behind an OpenAI-compatible address: Ollama, LM Studio, llama.cpp's server, vLLM and others.

Answers are streamed, so that silence is noticed and a cancelled answer stops at once. A schema or grammar is sent where one is
wanted; a server that refuses it is asked again without, and whoever asked must check the answer in any case. The key comes from
the environment only and is never logged. Only the standard library is used.
"""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from llm_music_gen.errors import ModelError, UsageError
from llm_music_gen.llm.formats import Message
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
    """One model on one server. Holds no connection between answers."""

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
        return f"{self.model or 'the model'} at {parts.hostname}{f':{parts.port}' if parts.port else ''}"

    def models(self) -> tuple[str, ...]:
        """Names of the models there. Raises ModelError."""
        connection = self._connection()
        try:
            connection.request("GET", self._path("/models"), headers=self._headers())
            response = connection.getresponse()
            body = response.read(MAX_ANSWER_BYTES)
            if response.status != 200:
                raise self._failed(response.status, body)
            entries = json.loads(body)["data"]
            return tuple(str(entry["id"]) for entry in entries if entry.get("id"))
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise ModelError(f"{self.base_url} does not answer like a model server.", hint="Check the address.") from error
        finally:
            connection.close()

    def answer(self, messages: Sequence[Message], shape: Shape, *, seed: int) -> str:
        """An answer that should be JSON of this shape; to be checked. Raises ModelError."""
        schema = {"type": "json_schema", "json_schema": {"name": "theme", "strict": True, "schema": json_schema(shape)}}
        # llama-cpp-python's own server takes the schema only in its older form.
        older = {"type": "json_object", "schema": json_schema(shape)}
        choices: list[Mapping[str, Any]] = [{"response_format": schema}, {"response_format": older}, {}]
        return "".join(self._asked(messages, choices, temperature=1.0, seed=seed))

    def write(
        self,
        messages: Sequence[Message],
        *,
        grammar: str = "",
        temperature: float = 0.75,
        seed: int = 0,
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[str]:
        """Text as it is written, under a GBNF grammar where the server takes one; to be checked.

        Ends early, without an error, when `cancelled` says so. Raises ModelError.
        """
        choices: list[Mapping[str, Any]] = [{"grammar": grammar}, {}] if grammar else [{}]
        return self._asked(messages, choices, temperature=temperature, seed=seed, cancelled=cancelled)

    def _asked(
        self,
        messages: Sequence[Message],
        choices: Sequence[Mapping[str, Any]],
        *,
        temperature: float,
        seed: int,
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[str]:
        request = {
            "model": self.model or next(iter(self.models()), ""),
            "messages": [{"role": message.speaker, "content": message.text} for message in messages],
            "temperature": temperature,
            "max_tokens": MAX_ANSWER_TOKENS,
            "seed": seed,
            "stream": True,
        }
        for number, extras in enumerate(choices, 1):
            try:
                yield from self._streamed({**request, **extras}, cancelled)
            except _Refused as refusal:
                if number == len(choices):
                    raise ModelError(str(refusal)) from refusal
            else:
                return

    def _streamed(self, request: Mapping[str, Any], cancelled: Callable[[], bool] | None) -> Iterator[str]:
        connection = self._connection()
        try:
            body = json.dumps(request).encode("utf-8")
            connection.request("POST", self._path("/chat/completions"), body, self._headers())
            response = connection.getresponse()
            if response.status != 200:
                failure = self._failed(response.status, response.read(MAX_LINE_BYTES))
                if response.status in _REFUSED:
                    raise _Refused(str(failure))
                raise failure
            kind = response.headers.get("Content-Type", "").lower()
            if "json" in kind:  # a server that does not stream
                yield _text_of(self._parsed(response.read(MAX_ANSWER_BYTES)), "message")
            elif "event-stream" in kind:
                yield from self._events(response, cancelled)
            else:
                raise ModelError(f"{self.base_url} does not answer like a model server.", hint="Check the address.")
        except TimeoutError as error:
            raise ModelError(
                f"{self.name} was silent for {self.silence_s:g} s.", hint="Its model may be too large for that computer."
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error
        finally:
            connection.close()

    def _events(self, response: http.client.HTTPResponse, cancelled: Callable[[], bool] | None) -> Iterator[str]:
        """The texts of a stream of server-sent events. Raises ModelError when it breaks off, lasts too long or is too large."""
        end, size = time.monotonic() + self.answer_s, 0
        while not (cancelled is not None and cancelled()):
            line = response.readline(MAX_LINE_BYTES)
            size += len(line)
            if not line:
                raise ModelError(f"{self.name} broke off in the middle of its answer.")
            if size > MAX_ANSWER_BYTES or time.monotonic() > end:
                raise ModelError(f"{self.name} does not come to an end.")
            if not line.startswith(b"data:"):
                continue
            data = line[5:].strip()
            if data == b"[DONE]":
                return
            event = self._parsed(data)
            text = _text_of(event, "delta")
            if text:
                yield text

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

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.base_url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        return kind(str(parts.hostname), parts.port, timeout=self.silence_s)

    def _path(self, name: str) -> str:
        return urlsplit(self.base_url).path.rstrip("/") + name

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

    def _unreachable(self, error: Exception) -> ModelError:
        return ModelError(f"{self.name} cannot be reached or broke off ({error}).", hint="Is the server running?")


def _text_of(event: Mapping[str, Any], part: str) -> str:
    """The text of the first choice, "" where there is none."""
    try:
        content = event["choices"][0][part]["content"]
    except (LookupError, TypeError):
        return ""
    return content if isinstance(content, str) else ""


def _reason(value: Any) -> str:
    """What an error body says, on one short line."""
    error = value.get("error", value.get("detail", "")) if isinstance(value, dict) else ""
    text = error.get("message", "") if isinstance(error, dict) else error
    return " ".join(str(text).split())[:200].rstrip(".")
