"""What the guaranteed score costs in speed: tokens per second of a plain llama.cpp completion and of a constrained section.

    python benchmarks/sampling.py            about 1 billion random parameters, 32,000 tokens (writes 1.2 GB, removes it)
    python benchmarks/sampling.py --small    about 100 million
    python benchmarks/sampling.py --model models/composer.built-in.gguf

Plain is the binding's own completion (llama-cpp-python's `create_completion`, xllamacpp's server) with the same model, prompt,
threads and sampling, each from a cleared context; they take turns in going first. The ratio is the median over the rounds; that
of processor time says what it would be if nothing else ran. Tokens lost are those that were sampled and are not in the text.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.text_model import Sampling, TextModel, TokenConstraint
from llm_music_gen.llm.backend import installed_bindings, load_model, thread_count
from llm_music_gen.notation.constraint import AbcConstraint, AbcVocabulary
from llm_music_gen.notation.spec import SectionSpec
from tests.fakes.gguf_writer import LARGE_BENCHMARK, SMALL_BENCHMARK, sentencepiece_vocabulary, write_model

PROMPT = "M:4/4\nL:1/8\nK:Dm\n%chords\nP:A16\n"
SAMPLING = Sampling(temperature=0.75, min_p=0.05, max_tokens=4000)
TARGET_RATIO = 0.95


@dataclass
class Tally:
    """Tokens, seconds and processor seconds of each round."""

    tokens: list[int] = field(default_factory=list)
    wall_s: list[float] = field(default_factory=list)
    processor_s: list[float] = field(default_factory=list)

    def measure(self, write: Callable[[], int]) -> None:
        """Run one round; `write` returns how many tokens it wrote."""
        wall, processor = time.perf_counter(), time.process_time()
        self.tokens.append(write())
        self.wall_s.append(time.perf_counter() - wall)
        self.processor_s.append(time.process_time() - processor)

    def rates(self) -> NDArray[np.float64]:
        """Tokens per second of each round."""
        return np.array(self.tokens, dtype=np.float64) / np.array(self.wall_s, dtype=np.float64)

    def processor_rate(self) -> float:
        """Tokens per second of processor time, all rounds together."""
        return sum(self.tokens) / sum(self.processor_s)


class Metered:
    """A constraint with a stopwatch."""

    def __init__(self, inner: TokenConstraint) -> None:
        self.inner = inner
        self.accepted: list[int] = []
        self.mask_s: list[float] = []

    @property
    def sampled(self) -> int:
        """How often a token was asked for."""
        return len(self.mask_s)

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


def plain_llama_cpp_python(path: Path, threads: int, context: int) -> Callable[[Sequence[int], int, int], int]:
    """(prompt, tokens, seed) -> tokens written by the binding's own completion."""
    import llama_cpp

    llama = llama_cpp.Llama(str(path), n_ctx=context, n_threads=threads, n_threads_batch=threads, verbose=False)
    never = {llama.token_eos(): -1000.0}

    def write(prompt: Sequence[int], tokens: int, seed: int) -> int:
        llama.reset()
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
            "cache_prompt": False,
        }
        return int(server.handle_completions(request)["usage"]["completion_tokens"])

    return write


PLAIN = {"llama-cpp-python": plain_llama_cpp_python, "xllamacpp": plain_xllamacpp}


def write_section(model: TextModel, prompt: Sequence[int], sampling: Sampling, constraint: Metered) -> int:
    """Write a section; returns its number of tokens. Raises if one of them is not in the text."""
    text = "".join(model.generate(prompt, sampling, constraint=constraint))
    assert b"".join(model.pieces()[token] for token in constraint.accepted) == text.encode()
    return len(constraint.accepted)


def measure(binding: str, path: Path, *, rounds: int, bars: int, threads: int, context: int) -> float:
    """Print the figures of one binding; return constrained over plain tokens per second."""
    model = load_model(path, binding=binding, threads=threads, context_tokens=context)
    plain = PLAIN[binding](path, threads, context)
    prompt = model.tokenize(PROMPT)
    started = time.perf_counter()
    vocabulary = AbcVocabulary(model.pieces(), model.end_tokens())
    prepared_s = time.perf_counter() - started
    spec = SectionSpec(Key.parse("Dm"), Meter(4, 4), bars, chords=True)
    free, guided = Tally(), Tally()
    lost, mask_s = 0, []
    list(model.generate(prompt, replace(SAMPLING, max_tokens=8)))
    plain(prompt, 8, 0)
    for seed in range(rounds):
        metered = Metered(AbcConstraint(spec, vocabulary))
        settings = replace(SAMPLING, seed=seed)
        count = guided.tokens[-1] if guided.tokens else 40
        if seed % 2:
            free.measure(partial(plain, prompt, count, seed))
        guided.measure(partial(write_section, model, prompt, settings, metered))
        if not seed % 2:
            free.measure(partial(plain, prompt, count, seed))
        lost += metered.sampled - len(metered.accepted)
        mask_s += metered.mask_s
    ratio = float(np.median(guided.rates() / free.rates()))
    print(f"{binding}: {len(vocabulary.pieces):,} of {vocabulary.size:,} tokens write ABC (prepared in {prepared_s:.2f} s)")
    print(f"  plain        {np.median(free.rates()):8.2f} tokens/s  ({sum(free.tokens)} tokens)")
    print(f"  constrained  {np.median(guided.rates()):8.2f} tokens/s  ({sum(guided.tokens)} tokens, {rounds} x {bars} bars)")
    print(f"  ratio {ratio:.3f}   of processor time {guided.processor_rate() / free.processor_rate():.3f}   tokens lost {lost}")
    print(f"  mask  {np.median(mask_s) * 1e3:.3f} ms a token at the median, {max(mask_s) * 1e3:.1f} ms at most")
    model.close()
    return ratio


def main() -> int:
    parser = argparse.ArgumentParser(description="Tokens per second, plain and constrained.")
    parser.add_argument("--small", action="store_true", help="about 100 million parameters instead of 1 billion")
    parser.add_argument("--model", type=Path, help="an existing GGUF instead of random weights")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--bars", type=int, default=4)
    parser.add_argument("--threads", type=int, default=thread_count(5 / 6))
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
