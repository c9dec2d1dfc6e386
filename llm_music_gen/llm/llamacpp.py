"""Language models through llama-cpp-python. The only module that imports `llama_cpp`.

It drives llama.cpp's C interface (decode, logits) and samples with `TokenSampler`: a Python error in a constraint is an ordinary
exception here, whereas inside the library's own sampling callback it would be printed and ignored.
"""

from __future__ import annotations

import ctypes
import logging
import os
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.text_model import Sampling, TokenConstraint
from llm_music_gen.errors import ModelError
from llm_music_gen.llm.answer import AnswerText
from llm_music_gen.llm.offload import Gpu, gpu_attempts
from llm_music_gen.llm.sampler import TokenSampler

#: Prompts are evaluated in pieces of this many tokens, cut at multiples of it. A cached piece is reused only whole, so every
#: position of a prompt is computed in the same batch shape with or without a cache and the logits are equal to the last bit.
CHUNK_TOKENS = 32

_log = logging.getLogger("llm_music_gen.llm.native")
_recent_errors: deque[str] = deque(maxlen=8)
_ERROR, _CONTINUED = 4, 5  # ggml's log levels
_LOG_PREFIX = re.compile(r"^(\w+: |error loading model( \w+)?: )+")
_native: Any = None


def _library() -> Any:
    """The C interface, imported and started on first use, its log sent to ours."""
    global _native
    if _native is None:
        # GNU's OpenMP lets threads that wait for each other spin for milliseconds, hundreds of times a token: where other
        # programs want the cores too, two threads were ten to fifty times slower than one. Asleep they cost next to nothing.
        os.environ.setdefault("GOMP_SPINCOUNT", "100")
        from llama_cpp import llama_cpp as native

        @native.llama_log_callback  # type: ignore[untyped-decorator, unused-ignore]
        def log_line(level: int, text: bytes, _data: object) -> None:
            line = text.decode("utf-8", errors="replace").strip()
            if line and level != _CONTINUED:
                _log.debug("%s", line)
            if line and level == _ERROR:
                _recent_errors.append(line)

        native.llama_log_set(log_line, ctypes.c_void_p(0))
        native.studio_log_line = log_line  # the C side keeps only a pointer to it
        native.llama_backend_init()
        _native = native
    return _native


def gpu() -> Gpu | None:
    """The graphics card, where this build can use one; how much of its memory is free this binding does not say."""
    return Gpu(None) if _library().llama_supports_gpu_offload() else None


class LlamaCppModel:
    """A GGUF in memory, as `domain.text_model.TextModel`. Loads once, writes many answers, each from a cleared context."""

    def __init__(self, path: Path, *, threads: int, context_tokens: int, gpu_layers: int = 0, block_count: int = 0) -> None:
        """Load `path`. `gpu_layers` -1 puts all layers on the GPU where there is one, halving on failure.

        Raises ModelError when the file cannot be loaded or memory does not suffice.
        """
        self._lib = lib = _library()
        self._path = path
        self._model: Any = None
        self._context: Any = None
        self._cached_chunks: list[tuple[int, ...]] = []
        self._pieces: tuple[bytes, ...] | None = None
        self._ends: frozenset[int] | None = None
        self.gpu_layers = 0
        """How many layers are on the GPU."""
        for layers in gpu_attempts(gpu_layers if gpu() else 0, block_count):
            if self._open(layers, threads, context_tokens):
                self.gpu_layers = layers
                break
        else:
            raise ModelError(f"The model {path.name} cannot be loaded: {_reason()}.")
        self._vocabulary = lib.llama_model_get_vocab(self._model)
        self._n_vocab = int(lib.llama_vocab_n_tokens(self._vocabulary))
        self._memory = lib.llama_get_memory(self._context)
        if lib.llama_model_has_encoder(self._model) or not self._memory:
            self.close()
            raise ModelError(f"The model {path.name} is not one that writes text from left to right.")

    def _open(self, gpu_layers: int, threads: int, context_tokens: int) -> bool:
        lib = self._lib
        _recent_errors.clear()
        parameters = lib.llama_model_default_params()
        parameters.n_gpu_layers = gpu_layers
        self._model = lib.llama_model_load_from_file(str(self._path).encode("utf-8"), parameters)
        if not self._model:
            return False
        trained = int(lib.llama_model_n_ctx_train(self._model))
        options = lib.llama_context_default_params()
        options.n_ctx = min(context_tokens, trained) if trained > 0 else context_tokens
        options.n_batch = options.n_ubatch = CHUNK_TOKENS
        options.n_threads = options.n_threads_batch = max(1, threads)
        self._context = lib.llama_init_from_model(self._model, options)
        if not self._context:
            self.close()
            return False
        return True

    @property
    def name(self) -> str:
        """The file's name."""
        return self._path.name

    @property
    def architecture(self) -> str:
        """GGUF `general.architecture`."""
        return self._metadata("general.architecture")

    @property
    def context_tokens(self) -> int:
        """How many tokens prompt and answer may have together."""
        return int(self._lib.llama_n_ctx(self._loaded()))

    def _metadata(self, key: str) -> str:
        buffer = ctypes.create_string_buffer(256)
        self._loaded()
        size = self._lib.llama_model_meta_val_str(self._model, key.encode("utf-8"), buffer, len(buffer))
        return buffer.value.decode("utf-8", errors="replace") if size > 0 else ""

    def pieces(self) -> Sequence[bytes]:
        """The bytes each token writes; b"" for control tokens."""
        if self._pieces is None:
            self._loaded()
            self._pieces = tuple(self._piece(token) for token in range(self._n_vocab))
        return self._pieces

    def _piece(self, token: int, size: int = 64) -> bytes:
        buffer = ctypes.create_string_buffer(size)
        written = int(self._lib.llama_token_to_piece(self._vocabulary, token, buffer, size, 0, False))
        return buffer.raw[:written] if written >= 0 else self._piece(token, -written)

    def end_tokens(self) -> frozenset[int]:
        """Every token that llama.cpp takes for the end of a generation."""
        if self._ends is None:
            self._loaded()
            is_end = self._lib.llama_vocab_is_eog
            self._ends = frozenset(token for token in range(self._n_vocab) if is_end(self._vocabulary, token))
        return self._ends

    def tokenize(self, text: str, *, special: bool = False, add_bos: bool = False) -> list[int]:
        """Text -> token ids; with `special`, names of control tokens such as `</s>` become that token.

        `add_bos` puts the beginning token first if the model has one that it wants there.
        """
        self._loaded()
        data = text.encode("utf-8")
        room = len(data) + 2
        tokens = (self._lib.llama_token * room)()
        count = int(self._lib.llama_tokenize(self._vocabulary, data, len(data), tokens, room, add_bos, special))
        if count < 0:
            raise ModelError(f"The model {self.name} cannot split its prompt into tokens.")
        return list(tokens[:count])

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

        A long prompt is read in pieces, and "" comes after each: whoever reads the answer can leave before it begins.
        Raises ModelError when the prompt or the answer does not fit the context, the constraint raises or leaves nothing, or
        `max_tokens` are spent before the constraint is finished.
        """
        if constraint is not None and constraint.finished:
            return
        limit = self.context_tokens
        self._check_prompt(prompt, limit)
        sampler, answer = TokenSampler(sampling, prompt), AnswerText(stop)
        ends, pieces = self.end_tokens(), self.pieces()
        for _ in self._evaluate_prompt(prompt):
            if cancelled is not None and cancelled():
                return
            yield ""
        if cancelled is not None and cancelled():
            return
        pending: list[int] = []
        for position in range(len(prompt), len(prompt) + sampling.max_tokens):
            if cancelled is not None and cancelled():
                return
            token = self._next_token(sampler, constraint, pending)
            text = "" if token in ends else answer.feed(pieces[token])
            if text:
                yield text
            if token in ends or answer.stopped or (constraint is not None and constraint.finished):
                break
            if position >= limit:
                raise ModelError(f"The answer of {self.name} does not fit its context of {limit} tokens; give it more context.")
            pending.append(token)
        else:
            if constraint is not None:
                raise ModelError(f"{self.name} has written {sampling.max_tokens} tokens without finishing; allow it more.")
        rest = answer.finish()
        if rest:
            yield rest

    def _check_prompt(self, prompt: Sequence[int], limit: int) -> None:
        if not prompt:
            raise ModelError("The prompt is empty.")
        if len(prompt) >= limit:
            raise ModelError(f"A prompt of {len(prompt)} tokens does not fit {self.name}'s context of {limit} tokens.")
        if not all(0 <= token < self._n_vocab for token in prompt):
            raise ModelError(f"The prompt has a token that {self.name} does not know.")

    def _next_token(self, sampler: TokenSampler, constraint: TokenConstraint | None, pending: list[int]) -> int:
        """The next token. Where the constraint leaves one choice the model is not asked; `pending` tokens wait to be decoded."""
        if constraint is None:
            return sampler.draw(self._logits_after(pending))
        try:
            allowed = constraint.allowed()
            choices = np.flatnonzero(allowed)
            if len(choices) == 1:
                token = int(choices[0])
                sampler.note(token)
            else:
                token = sampler.draw(self._logits_after(pending), allowed)
            constraint.accept(token)
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(f"The rules for what {self.name} may write failed: {error}") from error
        return token

    def _logits_after(self, pending: list[int]) -> NDArray[np.float32]:
        for start in range(0, len(pending), CHUNK_TOKENS):
            self._decode(pending[start : start + CHUNK_TOKENS])
        pending.clear()
        return self._logits()

    def _evaluate_prompt(self, prompt: Sequence[int]) -> Iterator[None]:
        """Bring the context to the end of `prompt`, reusing whole cached chunks. Yields after each chunk but the last."""
        chunks = [tuple(prompt[start : start + CHUNK_TOKENS]) for start in range(0, len(prompt), CHUNK_TOKENS)]
        kept = 0
        for chunk, cached in zip(chunks[:-1], self._cached_chunks, strict=False):
            if chunk != cached:
                break
            kept += 1
        if not kept or not self._lib.llama_memory_seq_rm(self._memory, 0, kept * CHUNK_TOKENS, -1):
            kept = 0
            self._lib.llama_memory_clear(self._memory, False)
        del self._cached_chunks[kept:]
        for number, chunk in enumerate(chunks[kept:], kept + 1):
            self._decode(chunk)
            if len(chunk) == CHUNK_TOKENS:
                self._cached_chunks.append(chunk)
            if number < len(chunks):
                yield

    def _decode(self, tokens: Sequence[int]) -> None:
        array = (self._lib.llama_token * len(tokens))(*tokens)  # named, because the batch holds only its address
        code = int(self._lib.llama_decode(self._loaded(), self._lib.llama_batch_get_one(array, len(tokens))))
        if code != 0:
            self._forget()
            raise ModelError(f"The model {self.name} stopped working: {_reason()} (llama.cpp code {code}).")

    def _forget(self) -> None:
        self._cached_chunks.clear()
        self._lib.llama_memory_clear(self._memory, True)

    def _logits(self) -> NDArray[np.float32]:
        """Logits after the last decoded token, shape (n_vocab,): a view that the next decode overwrites."""
        pointer = self._lib.llama_get_logits_ith(self._loaded(), -1)
        if not pointer:
            raise ModelError(f"The model {self.name} gives no output.")
        address = ctypes.addressof(pointer.contents)
        logits: NDArray[np.float32] = np.ctypeslib.as_array((ctypes.c_float * self._n_vocab).from_address(address))
        return logits

    def _loaded(self) -> Any:
        if not self._context:
            raise ModelError(f"The model {self.name} was closed.")
        return self._context

    def close(self) -> None:
        """Free the memory; harmless when repeated."""
        if self._context:
            self._lib.llama_free(self._context)
        if self._model:
            self._lib.llama_model_free(self._model)
        self._context = self._model = None


def _reason() -> str:
    """The first error line that llama.cpp logged lately, without the functions' names in front."""
    if not _recent_errors:
        return "llama.cpp gives no reason"
    return _LOG_PREFIX.sub("", _recent_errors[0]).rstrip(".")
