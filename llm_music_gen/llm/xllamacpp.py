"""Language models through xllamacpp, whose wheels need no compiler. The only module that imports `xllamacpp`.

It is llama.cpp's server inside this process. There is no hook for a token mask, but a request may raise the logits of chosen
tokens: raising those that a constraint allows by more than logits ever differ leaves their proportions alone and rules the others
out. So a constrained answer is one request a token, each reusing the context of the one before: no token is thrown away.
"""

from __future__ import annotations

import http.client
import json
import logging
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.text_model import Sampling, TokenConstraint
from llm_music_gen.errors import ModelError
from llm_music_gen.llm.answer import AnswerText
from llm_music_gen.llm.gguf import read_gguf_header
from llm_music_gen.llm.offload import Gpu, gpu_attempts
from llm_music_gen.llm.sampler import PENALTY_WINDOW
from llm_music_gen.llm.vocabulary import Vocabulary, read_vocabulary

#: Added to the logit of every allowed token. Logits differ by tens; at this size float32 still resolves 0.0001.
ALLOWED_BIAS = 1000.0
#: An answer without a constraint is asked for in pieces of this many tokens, so that it can be watched and cancelled.
BLOCK_TOKENS = 8
TOKENIZE_TIMEOUT_S = 60.0
#: Settings of the server where its version has them. It also listens on 127.0.0.1, at a port of its own choice and with a secret
#: key: nobody else is to use it.
_OPTIONS: dict[str, object] = {
    "fit_params": False,
    "warmup": False,
    "verbosity": 0,
    "cache_ram_mib": 0,
    "swa_full": True,
    "port": 0,
    "ui": False,
    "n_threads_http": 1,
}

_log = logging.getLogger("llm_music_gen.llm.native")


def gpu() -> Gpu | None:
    """The graphics cards of this build with what is free of their memory; None without one."""
    import xllamacpp

    devices = [device for device in xllamacpp.get_device_info() if "_GPU" in str(device["type"]).upper()]
    return Gpu(sum(int(device["memory_free"]) for device in devices)) if devices else None


class XllamaCppModel:
    """A GGUF in memory, as `domain.text_model.TextModel`."""

    def __init__(self, path: Path, *, threads: int, context_tokens: int, gpu_layers: int = 0, block_count: int = 0) -> None:
        """Load `path`. `gpu_layers` -1 puts all layers on the GPU where there is one, halving on failure.

        Raises ModelError when the file cannot be loaded or memory does not suffice.
        """
        header = read_gguf_header(path)
        self._path = path
        self._architecture = header.architecture
        trained = header.context_tokens
        self._context_tokens = min(context_tokens, trained) if trained else context_tokens
        self._vocabulary: Vocabulary = read_vocabulary(path)
        self._secret = secrets.token_hex(16)
        self._server: Any = None
        self.gpu_layers = 0
        """How many layers are on the GPU."""
        for layers in gpu_attempts(gpu_layers if gpu() else 0, block_count):
            self._server = self._open(threads, layers)
            if self._server is not None:
                self.gpu_layers = layers
                break
        else:
            raise ModelError(f"The model {path.name} cannot be loaded; it is damaged, of an unknown kind or too large.")

    def _open(self, threads: int, gpu_layers: int) -> Any:
        import xllamacpp

        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(self._path)
        parameters.n_ctx = self._context_tokens
        parameters.n_parallel = 1
        parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = max(1, threads)
        parameters.n_gpu_layers = gpu_layers
        for option, value in {**_OPTIONS, "api_keys": [self._secret]}.items():
            if hasattr(parameters, option):
                setattr(parameters, option, value)
        try:
            server = xllamacpp.Server(parameters)
            # A server that is closed before its loop runs waits for ever; an answer shows that it runs.
            server.handle_completions({"prompt": [0], "n_predict": 0})
        except RuntimeError as error:
            _log.debug("xllamacpp: %s", error)
            return None
        finally:
            _take_back_interrupts()
        return server

    @property
    def name(self) -> str:
        """The file's name."""
        return self._path.name

    @property
    def architecture(self) -> str:
        """GGUF `general.architecture`."""
        return self._architecture

    @property
    def context_tokens(self) -> int:
        """How many tokens prompt and answer may have together."""
        return self._context_tokens

    def pieces(self) -> Sequence[bytes]:
        """The bytes each token writes; b"" for control tokens."""
        return self._vocabulary.pieces

    def end_tokens(self) -> frozenset[int]:
        """Every token that llama.cpp takes for the end of a generation."""
        return self._vocabulary.end_tokens

    def tokenize(self, text: str, *, special: bool = False, add_bos: bool = False) -> list[int]:
        """Text -> token ids; with `special`, names of control tokens such as `</s>` become that token.

        `add_bos` puts the beginning token first if the model has one that it wants there.
        """
        if not text and not add_bos:
            return []
        address = urlsplit(str(self._loaded().listening_address))
        body = json.dumps({"content": text, "add_special": bool(add_bos), "parse_special": bool(special)})
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._secret}"}
        connection = http.client.HTTPConnection(str(address.hostname), address.port or 80, timeout=TOKENIZE_TIMEOUT_S)
        try:
            connection.request("POST", "/tokenize", body, headers)
            tokens = json.loads(connection.getresponse().read())["tokens"]
        except (OSError, http.client.HTTPException, ValueError, LookupError) as error:
            raise ModelError(f"The model {self.name} cannot split its prompt into tokens: {error}.") from error
        finally:
            connection.close()
        return [int(token) for token in tokens]

    def generate(
        self,
        prompt: Sequence[int],
        sampling: Sampling,
        *,
        constraint: TokenConstraint | None = None,
        stop: Sequence[str] = (),
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[str]:
        """Yield the answer as it is written; returns early, without an error, when `cancelled` says so.

        With a constraint the repeat penalty is not applied. Raises ModelError when the prompt or the answer does not fit the
        context, the constraint raises or leaves nothing, or `max_tokens` are spent before the constraint is finished.
        """
        if constraint is not None and constraint.finished:
            return
        self._check_prompt(prompt)
        if constraint is None:
            tokens = self._free_tokens(prompt, sampling)
        else:
            tokens = self._constrained_tokens(prompt, sampling, constraint)
        answer, pieces, ends = AnswerText(stop), self.pieces(), self.end_tokens()
        while not (cancelled is not None and cancelled()):
            token = next(tokens, None)
            if token is None or token in ends:
                break
            text = answer.feed(pieces[token])
            if text:
                yield text
            if answer.stopped:
                return
        else:
            return
        rest = answer.finish()
        if rest:
            yield rest

    def _check_prompt(self, prompt: Sequence[int]) -> None:
        limit = self.context_tokens
        if not prompt:
            raise ModelError("The prompt is empty.")
        if len(prompt) >= limit:
            raise ModelError(f"A prompt of {len(prompt)} tokens does not fit {self.name}'s context of {limit} tokens.")
        if not all(0 <= token < len(self.pieces()) for token in prompt):
            raise ModelError(f"The prompt has a token that {self.name} does not know.")

    def _free_tokens(self, prompt: Sequence[int], sampling: Sampling) -> Iterator[int]:
        random, written = np.random.default_rng(sampling.seed), list(prompt)
        left = sampling.max_tokens
        while left > 0:
            room = self.context_tokens - len(written)
            if room <= 0:
                raise self._context_full()
            block = self._complete(written, sampling, random, min(BLOCK_TOKENS, left, room), fresh=len(written) == len(prompt))
            yield from block
            if not block:
                return
            written += block
            left -= len(block)

    def _constrained_tokens(self, prompt: Sequence[int], sampling: Sampling, constraint: TokenConstraint) -> Iterator[int]:
        random, written = np.random.default_rng(sampling.seed), list(prompt)
        fresh = True
        for _ in range(sampling.max_tokens):
            try:
                allowed = constraint.allowed()
                choices = np.flatnonzero(allowed)
                if not len(choices):
                    raise ModelError("The constraint leaves the model no token to continue with.")
                if len(choices) == 1:
                    token = int(choices[0])
                else:
                    if len(written) >= self.context_tokens:
                        raise self._context_full()
                    (token,) = self._complete(written, sampling, random, 1, fresh=fresh, allowed=allowed)
                    fresh = False
                constraint.accept(token)
                finished = constraint.finished
            except ModelError:
                raise
            except Exception as error:
                raise ModelError(f"The rules for what {self.name} may write failed: {error}") from error
            written.append(token)
            yield token
            if finished:
                return
        raise ModelError(f"{self.name} has written {sampling.max_tokens} tokens without finishing; allow it more.")

    def _complete(
        self,
        written: list[int],
        sampling: Sampling,
        random: np.random.Generator,
        count: int,
        *,
        fresh: bool,
        allowed: NDArray[np.bool_] | None = None,
    ) -> list[int]:
        """The next tokens, at most `count`. `fresh` evaluates the whole prompt again, so that a seed keeps its meaning."""
        request = {
            "prompt": written,
            "n_predict": count,
            "cache_prompt": not fresh,
            "seed": int(random.integers(0, 2**32 - 1)),
            "samplers": ["penalties", "top_k", "top_p", "min_p", "temperature"],
            "temperature": sampling.temperature,
            "top_k": sampling.top_k,
            "top_p": sampling.top_p,
            "min_p": sampling.min_p,
            "repeat_penalty": sampling.repeat_penalty if allowed is None else 1.0,
            "repeat_last_n": PENALTY_WINDOW,
            "n_probs": 1,
            "post_sampling_probs": True,
        }
        if allowed is not None:
            request["logit_bias"] = _bias(allowed)
        answer = self._loaded().handle_completions(request)
        try:
            entries = answer["choices"][0]["logprobs"]["content"]
            tokens = [int(entry["id"]) for entry in entries]
        except (LookupError, TypeError, ValueError):
            raise ModelError(f"The model {self.name} stopped working: {_error_text(answer)}.") from None
        if allowed is not None and (len(tokens) != 1 or not allowed[tokens[0]]):
            raise ModelError(f"The model {self.name} gives no usable output; its file is probably damaged.")
        return tokens

    def _context_full(self) -> ModelError:
        return ModelError(
            f"The answer of {self.name} does not fit its context of {self.context_tokens} tokens; give it more context."
        )

    def _loaded(self) -> Any:
        if self._server is None:
            raise ModelError(f"The model {self.name} was closed.")
        return self._server

    def close(self) -> None:
        """Free the memory; harmless when repeated."""
        self._server = None


def _bias(allowed: NDArray[np.bool_]) -> list[list[int | float | bool]]:
    """Rules out what is not allowed, by the shorter of two lists."""
    choices = np.flatnonzero(allowed)
    if 2 * len(choices) <= len(allowed):
        return [[token, ALLOWED_BIAS] for token in choices.tolist()]
    return [[token, False] for token in np.flatnonzero(~allowed).tolist()]


def _error_text(answer: object) -> str:
    error = answer.get("error") if isinstance(answer, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return str(message or "llama.cpp gives no reason").rstrip(".")


def _take_back_interrupts() -> None:
    """The server takes Ctrl-C and SIGTERM for itself when it starts; give them back to Python."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        handler = signal.getsignal(number)
        if handler is not None:
            signal.signal(number, handler)
    if sys.platform == "win32":
        _take_back_windows_interrupts()


if sys.platform == "win32":
    import _thread
    import ctypes

    def _pass_on(event: int) -> int:
        if event == 0:  # Ctrl-C; the rest goes on to the handlers before this one
            _thread.interrupt_main()
        return int(event == 0)

    _on_console_event = ctypes.WINFUNCTYPE(ctypes.c_int, ctypes.c_uint)(_pass_on)

    def _take_back_windows_interrupts() -> None:
        # Windows asks the handler that was added last; adding one twice would ask it twice.
        kernel = ctypes.WinDLL("kernel32")
        kernel.SetConsoleCtrlHandler(_on_console_event, False)
        kernel.SetConsoleCtrlHandler(_on_console_event, True)
