"""What the guaranteed score costs: milliseconds a token for masking, for vocabularies as models have them.

    python -m benchmarks.masking [--sections 40]

Tokens are drawn evenly among the permitted ones, which visits more different states than a trained model does. Prints the median,
mean and 95th percentile per token, mask and advance together, and how many sections were exact.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.notation.constraint import AbcConstraint, AbcVocabulary
from llm_music_gen.notation.spec import SectionSpec
from llm_music_gen.notation.text import parse_section
from tests.unit.notation.vocabularies import bpe_vocabulary, character_vocabulary, sentencepiece_vocabulary

#: Name -> (vocabulary, its end token, milliseconds a token that are allowed at the median).
VOCABULARIES = {
    "characters": (character_vocabulary, 0, 0.2),
    "SentencePiece": (sentencepiece_vocabulary, 2, 1.0),
    "byte-level BPE": (bpe_vocabulary, -1, 3.0),
}
METERS = ("4/4", "3/4", "6/8", "2/4", "5/4")


def costs_ms(vocabulary: AbcVocabulary, sections: int) -> list[float]:
    """Milliseconds for every token of `sections` eight-bar sections. Raises NotationError should one not be exact."""
    rng, costs = np.random.default_rng(1), []
    for number in range(sections):
        key, meter = Key.from_pc(int(rng.integers(12)), ("major", "minor")[number % 2]), Meter.parse(METERS[number % len(METERS)])
        spec = SectionSpec(key, meter, 8, chords=number % 2 == 0, closes=number % 3 == 0, allow_spaces=vocabulary.size > 1000)
        constraint = AbcConstraint(spec, vocabulary)
        while not constraint.finished:
            start = time.perf_counter()
            mask = constraint.allowed()
            masked = time.perf_counter()
            token = int(rng.choice(np.flatnonzero(mask)))
            chosen = time.perf_counter()
            constraint.accept(token)
            costs.append((masked - start + time.perf_counter() - chosen) * 1000)
        parse_section(constraint.text, label="A", key=key, meter=meter, unit=spec.unit, bars=8)
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sections", type=int, default=40)
    sections = parser.parse_args().sections
    print(f"{'vocabulary':16} {'tokens':>7} {'prepare s':>9} {'median ms':>9} {'mean':>7} {'95 %':>7} {'allowed':>8}  exact")
    for name, (pieces, end_token, allowed_ms) in VOCABULARIES.items():
        listed = pieces()
        start = time.perf_counter()
        vocabulary = AbcVocabulary(listed, [end_token % len(listed)])
        prepared_s = time.perf_counter() - start
        costs = costs_ms(vocabulary, sections)
        median, mean, high = np.median(costs), np.mean(costs), np.percentile(costs, 95)
        line = f"{name:16} {len(listed):7} {prepared_s:9.2f} {median:9.3f} {mean:7.3f} {high:7.3f} {allowed_ms:8.1f}"
        print(f"{line}  {sections}/{sections}")


if __name__ == "__main__":
    main()
