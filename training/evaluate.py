"""Measures the GGUF as it is delivered, through llama.cpp: bits per character on the held-out tunes beside xz, and copying.

Every character of every held-out tune counts, each tune from its own start, after its header, its end included. xz gets the same
characters (the end of a tune is an empty line there) with the training tunes as prefix.
"""

from __future__ import annotations

import lzma
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import LeadSection
from llm_music_gen.errors import NotationError
from llm_music_gen.notation.text import parse_section
from training.passages import BarNotes, known_passages, passages
from training.score import Tune, body_text, header_text
from training.tokenizer import END, decode, encode

BOOTSTRAP_ROUNDS = 4000
#: (metre, unit, key, sections with bars) that sampled tunes are asked for, in turn.
REQUESTS = tuple(
    (meter, unit, key)
    for meter, unit in (
        ("4/4", "1/8"),
        ("3/4", "1/8"),
        ("6/8", "1/8"),
        ("2/4", "1/8"),
        ("2/2", "1/8"),
        ("9/8", "1/8"),
        ("12/8", "1/8"),
    )
    for key in ("C", "G", "D", "F", "Bb", "Am", "Em", "Dm", "Gm", "Eb", "A", "E", "Cm", "F#m", "Ddor", "Gmix")
)


@dataclass(frozen=True, slots=True)
class Score:
    """Bits and characters of each held-out tune."""

    bits: np.ndarray
    characters: np.ndarray

    @property
    def bits_per_character(self) -> float:
        """Over all characters."""
        return float(self.bits.sum() / self.characters.sum())

    def interval(self, minus: Score | None = None) -> tuple[float, float]:
        """95 % bootstrap interval over tunes, of bits per character or of the difference to another score of the same tunes."""
        rng = np.random.default_rng(0)
        bits = self.bits if minus is None else self.bits - minus.bits
        draws = rng.integers(0, len(bits), (BOOTSTRAP_ROUNDS, len(bits)))
        values = bits[draws].sum(axis=1) / self.characters[draws].sum(axis=1)
        low, high = np.percentile(values, [2.5, 97.5])
        return float(low), float(high)

    def where(self, chosen: np.ndarray) -> Score:
        """The chosen tunes alone."""
        return Score(self.bits[chosen], self.characters[chosen])


def load(path: Path, context: int = 1024) -> Any:
    """The GGUF in llama.cpp, keeping the logits of every position. One thread: so small a network gains nothing from more."""
    import llama_cpp

    return llama_cpp.Llama(str(path), n_ctx=context, n_batch=context, logits_all=True, verbose=False, n_threads=1)


def log_probabilities(llm: Any, ids: Sequence[int]) -> np.ndarray:
    """Natural log-probabilities of shape (len(ids), vocabulary) after each token."""
    llm.reset()
    llm.eval(list(ids))
    logits = np.array(llm.scores[: len(ids)], dtype=np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    normalised: np.ndarray = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return normalised


def score_tunes(llm: Any, tunes: Sequence[Tune]) -> Score:
    """What the model needs for the canonical text of these tunes."""
    bits, counts = [], []
    for tune in tunes:
        header = encode(header_text(tune, tune.has_chords))
        ids = [*header, *encode(body_text(tune, tune.has_chords)), END]
        logs = log_probabilities(llm, ids[:-1])
        places = np.arange(len(header) - 1, len(ids) - 1)
        bits.append(-logs[places, ids[len(header) :]].sum() / math.log(2))
        counts.append(len(places))
    return Score(np.array(bits), np.array(counts))


def xz_bits(training: Sequence[Tune], tunes: Sequence[Tune]) -> int:
    """Bits that `xz -9` adds for these tunes after the training tunes."""

    def text(part: Sequence[Tune]) -> bytes:
        return "".join(body_text(tune, tune.has_chords) + "\n" for tune in part).encode("ascii")

    prefix = text(training)
    return 8 * (len(lzma.compress(prefix + text(tunes), preset=9)) - len(lzma.compress(prefix, preset=9)))


def table(score: Score, training: Sequence[Tune], held_out: Sequence[Tune], baseline: Score | None) -> list[str]:
    """The lines of the report: all held-out tunes, then those without and with chords."""
    chords = np.array([tune.has_chords for tune in held_out])
    lines = [
        "| held-out tunes | tunes | characters | bit/char (95 %) | xz -9 bit/char | ratio | first recipe bit/char | gain (95 %) |"
    ]
    lines.append("|---|---|---|---|---|---|---|---|")
    for name, chosen in (("all", np.ones(len(chords), dtype=bool)), ("without chords", ~chords), ("with chords", chords)):
        if not chosen.any():
            continue
        part = score.where(chosen)
        low, high = part.interval()
        compressed = (
            xz_bits(training, [tune for tune, taken in zip(held_out, chosen, strict=True) if taken]) / part.characters.sum()
        )
        cells = [name, f"{chosen.sum()}", f"{part.characters.sum()}", f"{part.bits_per_character:.3f} ({low:.3f} to {high:.3f})"]
        cells += [f"{compressed:.3f}", f"{part.bits_per_character / compressed:.3f}"]
        if baseline is not None:
            other = baseline.where(chosen)
            worst, best = other.interval(minus=part)
            gain = other.bits_per_character - part.bits_per_character
            cells += [f"{other.bits_per_character:.3f}", f"{gain:.3f} ({worst:.3f} to {best:.3f})"]
        else:
            cells += ["not measured", ""]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def sample(llm: Any, prompt: str, rng: np.random.Generator, temperature: float = 0.9, most: int = 900) -> str:
    """A tune written freely after `prompt`, up to its end."""
    llm.reset()
    ids = encode(prompt)
    llm.eval(ids)
    out: list[int] = []
    while len(out) < most:
        logits = np.array(llm.scores[llm.n_tokens - 1], dtype=np.float64) / temperature
        weights = np.exp(logits - logits.max())
        token = int(rng.choice(len(weights), p=weights / weights.sum()))
        if token == END:
            break
        out.append(token)
        llm.eval([token])
    return decode(out)


def written_sections(text: str, key: Key, meter: Meter, unit: Fraction) -> Iterator[tuple[str, LeadSection | None]]:
    """Each section of a body with its head line; None where its music is not exact composer text."""
    lines = text.split("\n")
    for head, music in zip(lines[::2], lines[1::2], strict=False):
        try:
            bars = int(head[3:]) if head[:2] == "P:" and head[3:].isdigit() else None
            yield head, parse_section(music, label=head[2:3], key=key, meter=meter, unit=unit, bars=bars)
        except NotationError:
            yield head, None


def section_bars(section: LeadSection, meter: Meter) -> list[BarNotes]:
    """A read section in the form that passages are compared in."""
    bars: list[list[tuple[Fraction, Fraction, int]]] = [[] for _ in range(section.bars)]
    for note in section.notes:
        onset, end = note.onset_ql / meter.bar_ql, (note.onset_ql + note.duration_ql) / meter.bar_ql
        while onset < end:
            number = int(onset)
            stop = min(end, Fraction(number + 1))
            bars[number].append((onset - number, stop - onset, note.pitch))
            onset = stop
    return [tuple(bar) for bar in bars]


def copying(llm: Any, tunes: Sequence[Tune], count: int, seed: int = 0) -> list[str]:
    """Sample `count` tunes freely over many metres and keys; how many are exact, and how many passages stand in `tunes`."""
    known = known_passages(tunes)
    rng = np.random.default_rng(seed)
    sections = exact = seen = copied = with_chords = 0
    examples: list[str] = []
    for number in range(count):
        meter_text, unit_text, key_text = REQUESTS[int(rng.integers(len(REQUESTS)))]
        prompt = f"M:{meter_text}\nL:{unit_text}\nK:{key_text}\n%chords\nP:A8\n"
        body = "P:A8\n" + sample(llm, prompt, rng)
        meter, key = Meter.parse(meter_text), Key.parse(key_text)
        bars: list[BarNotes] = []
        for _, section in written_sections(body, key, meter, Fraction(unit_text)):
            sections += 1
            exact += section is not None
            with_chords += section is not None and bool(section.chords)
            bars += [] if section is None else section_bars(section, meter)
        for passage in passages(bars):
            seen += 1
            copied += hash(passage) in known
        if number < 3:
            examples.append(prompt.split("P:")[0] + body)
    summary = (
        f"{count} tunes sampled freely (no constraint, temperature 0.9): {exact} of {sections} sections exact, "
        f"{with_chords} of them with chords; {copied} of {seen} 8-bar passages stand in a corpus tune in some key."
    )
    return [summary, *examples]
