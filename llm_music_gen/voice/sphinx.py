"""Hearing by PocketSphinx, whose English model comes in its package. The only module that imports it.

With a grammar it hears commands and nothing else; without one it takes dictation with the built-in language model.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import DependencyMissing, SoundError
from llm_music_gen.voice.ports import HEARING_RATE_HZ, Heard

#: Speech that the grammar does not hold is forced into it, with a score a second under this (see
#: benchmarks/spoken_commands.py).
LEAST_CONFIDENCE = 0.57
#: No command ends with one of these: where the recogniser hears a breath as one, it goes.
_NEVER_LAST = frozenset(("a", "an", "and", "at", "for", "the", "with", "without", "to", "over"))
#: The decoder wants to hear a moment of nothing before and after.
_AROUND_S = 0.3
#: A stretch of dictation is at most so long, as subtitles are.
_LONGEST_S, _LONGEST_TEXT = 6.0, 80
#: So many states of a grammar are followed at a time: without a limit long commands take several times their own length.
_MOST_STATES = 3_000
_HARDLY_ANY_NOISE = 5e-3


class Sphinx:
    """`ports.Listener`. It holds one decoder, so that calls wait for each other; loading takes about half a second."""

    def __init__(
        self, grammar: Callable[[Callable[[str], bool]], str] | None = None, pronunciations: Mapping[str, str] | None = None
    ) -> None:
        """`grammar` gives JSGF for a test of which words are known; `pronunciations` are ARPAbet phones of words to learn."""
        self._grammar = grammar
        self._pronunciations = dict(pronunciations or {})
        self._decoder: Any = None
        self._lock = threading.Lock()

    def hear(self, samples: NDArray[np.float32], start_s: float) -> tuple[Heard, ...]:
        """See `ports.Listener`. A command that was not understood gives nothing."""
        with self._lock:
            decoder = self._loaded()
            decoder.reinit_feat(decoder.config)  # what it learnt of the voice before: the same sound is heard the same way
            decoder.start_utt()
            decoder.process_raw(_as_pcm(samples), False, True)
            decoder.end_utt()
            found = decoder.hyp()
            if found is None or not found.hypstr.strip():
                return ()
            score = min(1.0, float(found.best_score))
            words = [
                (_plain(segment.word), segment.start_frame / 100 - _AROUND_S, (segment.end_frame + 1) / 100 - _AROUND_S)
                for segment in decoder.seg()
                if segment.word[0] not in "<["
            ]
        if self._grammar is not None:
            while words and words[-1][0] in _NEVER_LAST:
                words.pop()
        if not words:
            return ()
        # The score falls with every second, so that of one second is what can be compared.
        score **= 1 / max(1.0, words[-1][2] - words[0][1])
        if self._grammar is not None and score < LEAST_CONFIDENCE:
            return ()
        length_s = len(samples) / HEARING_RATE_HZ
        return tuple(
            Heard(
                " ".join(word for word, _, _ in line),
                start_s + min(max(0.0, line[0][1]), length_s),
                start_s + min(max(0.0, line[-1][2]), length_s),
                max(0.0, score),
            )
            for line in ([words] if self._grammar is not None else _lines(words))
        )

    def _loaded(self) -> Any:
        if self._decoder is None:
            try:
                from pocketsphinx import Decoder
            except ImportError as error:
                raise DependencyMissing("Hearing needs PocketSphinx.", hint='Run "pip install pocketsphinx".') from error
            try:
                decoder = Decoder(
                    loglevel="FATAL", cmn="batch", **({"lm": None, "maxhmmpf": _MOST_STATES} if self._grammar is not None else {})
                )
                for word, phones in self._pronunciations.items():
                    if decoder.lookup_word(word) is None:
                        decoder.add_word(word, phones, True)
                if self._grammar is not None:
                    # Several public rules in one grammar are heard as nothing; `grammar` has one.
                    decoder.add_jsgf_string("commands", self._grammar(lambda word: decoder.lookup_word(word) is not None))
                    decoder.activate_search("commands")
            except (RuntimeError, ValueError) as error:
                raise SoundError(f"PocketSphinx cannot start ({error}).", hint="Install pocketsphinx again.") from error
            self._decoder = decoder
        return self._decoder


def _as_pcm(samples: NDArray[np.float32]) -> bytes:
    """16 bits with a moment of soft noise over all of it; digital silence upsets the recogniser's idea of the room."""
    around = round(_AROUND_S * HEARING_RATE_HZ)
    peak = float(np.max(np.abs(samples))) if len(samples) else 0.0
    louder = samples * np.float32(0.5 / peak) if peak > 0 else samples
    whole = np.pad(louder, (around, around)) + np.float32(_HARDLY_ANY_NOISE) * np.random.default_rng(1).standard_normal(
        len(samples) + 2 * around
    ).astype(np.float32)
    pcm: bytes = (np.clip(whole, -1.0, 1.0) * 32_767).astype("<i2").tobytes()
    return pcm


def _plain(word: str) -> str:
    """Without the number of a word's other pronunciation: "a(2)"."""
    return word.split("(")[0]


def _lines(words: Iterable[tuple[str, float, float]]) -> list[list[tuple[str, float, float]]]:
    lines: list[list[tuple[str, float, float]]] = []
    for word in words:
        line = lines[-1] if lines else []
        length = sum(len(text) + 1 for text, _, _ in line) + len(word[0])
        if not line or word[2] - line[0][1] > _LONGEST_S or length > _LONGEST_TEXT:
            lines.append([word])
        else:
            line.append(word)
    return lines
