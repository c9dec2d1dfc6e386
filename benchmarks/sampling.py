"""What the guaranteed score costs in speed: tokens per second of a plain llama.cpp completion and of a constrained section.

    python benchmarks/sampling.py            about 1 billion random parameters, 32,000 tokens (writes 1.2 GB, removes it)
    python benchmarks/sampling.py --small    about 100 million
    python benchmarks/sampling.py --model models/composer.built-in.gguf

Plain is the binding's own completion (llama-cpp-python's `create_completion`, xllamacpp's server) with the same model, prompt,
threads and sampling. Rounds alternate. Tokens lost are those that were sampled and are not in the text.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.text_model import Sampling, TokenConstraint
from llm_music_gen.llm.backend import installed_bindings, load_model, thread_count
from llm_music_gen.notation.constraint import AbcConstraint, AbcVocabulary
from llm_music_gen.notation.spec import SectionSpec
from tests.fakes.gguf_writer import LARGE_BENCHMARK, SMALL_BENCHMARK, sentencepiece_vocabulary, write_model

PROMPT = "M:4/4\nL:1/8\nK:Dm\n%chords\nP:A16\n"
SAMPLING = Sampling(temperature=0.75, min_p=0.05, max_tokens=4000)
TARGET_RATIO = 0.95


@dataclass
class Tally:
    """Tokens and seconds of all rounds together."""

    tokens: int = 0
    seconds: float = 0.0

    def add(self, tokens: int, seconds: float) -> None:
        self.tokens += tokens
        self.seconds += seconds

    @property
    def rate(self) -> float:
        return self.tokens / self.seconds


class Metered:
    """A constraint with a stopwatch."""

    def __init__(self, inner: TokenConstraint) -> None:
        self.inner = inner
        self.accepted: list[int] = []
        self.mask_s: list[float] = []

    def allowed(self) -> NDArray[np.bool_]:
        started = time.perf_counter()
        mask = self.inner.allowed()
        self.mask_s.append(time.perf_counter() - started)
        return mask

    def accept(self, token_id: int) -> None:
        self.inner.accept(token_id)
        self.accepted.append(token_id)

    @property
    def finished(self) -> bool:
        return self.inner.finished

    def grammar(self) -> str:
        return self.inner.grammar()


def plain_llama_cpp_python(path: Path, threads: int, context: int) -> Callable[[Sequence[int], int, int], int]:
    """(prompt, tokens, seed) -> tokens written by the binding's own completion."""
    import llama_cpp

    llama = llama_cpp.Llama(str(path), n_ctx=context, n_threads=threads, n_threads_batch=threads, verbose=False)
    never = {llama.token_eos(): -1000.0}

    def write(prompt: Sequence[int], tokens: int, seed: int) -> int:
        answer = llama.create_completion(
            list(prompt),
            max_tokens=tokens,
            temperature=SAMPLING.temperature,
            min_p=SAMPLING.min_p,
            top_k=0,
            top_p=1.0,
            repeat_penalty=1.0,
            seed=seed,
            logit_bias=never,
        )
        return int(answer["usage"]["completion_tokens"])

    return write


def plain_xllamacpp(path: Path, threads: int, context: int) -> Callable[[Sequence[int], int, int], int]:
    """(prompt, tokens, seed) -> tokens written by the binding's own completion."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx, parameters.n_parallel, parameters.verbosity = context, 1, 0
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    parameters.fit_params = parameters.warmup = False
    server = xllamacpp.Server(parameters)

    def write(prompt: Sequence[int], tokens: int, seed: int) -> int:
        request = {
            "prompt": list(prompt),
            "n_predict": tokens,
            "temperature": SAMPLING.temperature,
            "min_p": SAMPLING.min_p,
            "top_k": 0,
            "top_p": 1.0,
            "seed": seed,
            "ignore_eos": True,
        }
        return int(server.handle_completions(request)["usage"]["completion_tokens"])

    return write


PLAIN = {"llama-cpp-python": plain_llama_cpp_python, "xllamacpp": plain_xllamacpp}


def measure(binding: str, path: Path, *, rounds: int, bars: int, threads: int, context: int) -> float:
    """Print the figures of one binding; return constrained over plain tokens per second."""
    model = load_model(path, binding=binding, threads=threads, context_tokens=context)
    plain = PLAIN[binding](path, threads, context)
    prompt = model.tokenize(PROMPT)
    started = time.perf_counter()
    vocabulary = AbcVocabulary(model.pieces(), model.end_tokens())
    prepared_s = time.perf_counter() - started
    spec = SectionSpec(Key.parse("Dm"), Meter(4, 4), bars, chords=True)
    free, guided, lost, mask_s = Tally(), Tally(), 0, []
    plain(prompt, 8, 0)
    for seed in range(rounds):
        metered = Metered(AbcConstraint(spec, vocabulary))
        started = time.perf_counter()
        text = "".join(model.generate(prompt, replace(SAMPLING, seed=seed), constraint=metered))
        guided.add(len(metered.accepted), time.perf_counter() - started)
        kept = b"".join(model.pieces()[token] for token in metered.accepted)
        lost += 0 if kept == text.encode() else len(metered.accepted)
        mask_s += metered.mask_s
        started = time.perf_counter()
        free.add(plain(prompt, len(metered.accepted), seed), time.perf_counter() - started)
    ratio = guided.rate / free.rate
    print(f"{binding}: {len(vocabulary.pieces):,} of {vocabulary.size:,} tokens write ABC (prepared in {prepared_s:.2f} s)")
    print(f"  plain        {free.rate:8.2f} tokens/s  ({free.tokens} tokens)")
    print(f"  constrained  {guided.rate:8.2f} tokens/s  ({guided.tokens} tokens, {rounds} sections of {bars} bars)")
    print(f"  ratio {ratio:.3f}   tokens lost {lost}")
    print(f"  mask  {np.median(mask_s) * 1e3:.3f} ms a token at the median, {max(mask_s) * 1e3:.1f} ms at most")
    model.close()
    return ratio


def main() -> int:
    parser = argparse.ArgumentParser(description="Tokens per second, plain and constrained.")
    parser.add_argument("--small", action="store_true", help="about 100 million parameters instead of 1 billion")
    parser.add_argument("--model", type=Path, help="an existing GGUF instead of random weights")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bars", type=int, default=4)
    parser.add_argument("--threads", type=int, default=thread_count(1.0))
    parser.add_argument("--binding", choices=[*PLAIN, "all"], default="all")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="llm-music-gen-benchmark-") as folder:
        path = options.model
        if path is None:
            shape = SMALL_BENCHMARK if options.small else LARGE_BENCHMARK
            path = write_model(
                Path(folder) / f"random-{'100m' if options.small else '1b'}-q8_0.gguf", sentencepiece_vocabulary(), shape
            )
        print(f"{path.name}: {path.stat().st_size / 2**20:,.0f} MB, {options.threads} threads on {os.cpu_count()} cores")
        bindings = installed_bindings() if options.binding == "all" else (options.binding,)
        ratios = [
            measure(name, path, rounds=options.rounds, bars=options.bars, threads=options.threads, context=1024)
            for name in bindings
        ]
    return 0 if min(ratios) >= TARGET_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
