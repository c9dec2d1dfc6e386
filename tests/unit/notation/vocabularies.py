"""Vocabularies as models have them: characters, SentencePiece and byte-level BPE, made from a seed."""

from __future__ import annotations

import itertools

import numpy as np

from llm_music_gen.notation.automaton import CHARACTERS

_SYLLABLES = [
    "ab",
    "ad",
    "be",
    "ce",
    "de",
    "ed",
    "ef",
    "eg",
    "fa",
    "ga",
    "ge",
    "age",
    "bad",
    "bag",
    "bed",
    "cab",
    "dad",
    "dead",
    "face",
]


def character_vocabulary() -> list[bytes]:
    """About a hundred tokens, one printable character each, with an end token first."""
    return [b"", *(bytes([code]) for code in range(32, 127)), b"\n"]


def sentencepiece_vocabulary(size: int = 32_000, seed: int = 1) -> list[bytes]:
    """Control tokens, 256 bytes, then words with and without a leading space."""
    rng = np.random.default_rng(seed)
    pieces = [b"", b"", b"", *(bytes([code]) for code in range(256))]
    pieces += _common_pieces()
    return _filled_with_words(pieces, size, rng)


def bpe_vocabulary(size: int = 130_000, seed: int = 2) -> list[bytes]:
    """256 bytes, merges of digits, punctuation and letters, words in many scripts, and an end token last."""
    rng = np.random.default_rng(seed)
    pieces = [bytes([code]) for code in range(256)]
    pieces += [str(number).encode() for number in range(10, 1000)]
    pieces += _common_pieces()
    pieces += [
        ("".join(pair) + mark).encode() for pair in itertools.product("ABCDEFGabcdefg", repeat=2) for mark in ("", "2", "|")
    ]
    pieces += ["".join(triple).encode() for triple in itertools.product("ABCDEFGabcdefg", repeat=3)][::3]
    return [*_filled_with_words(pieces, size - 1, rng), b""]


def _common_pieces() -> list[bytes]:
    letters = "ABCDEFGabcdefg"
    pairs = [one + other for one, other in itertools.product(letters, repeat=2)]
    marks = [
        "|",
        "||",
        "|\n",
        '"',
        '""',
        '|"',
        "(3",
        " (",
        "z2",
        "/2",
        "//",
        "'-",
        "2|",
        "4|",
        "8|",
        "A2|B2",
        "|A4-|",
        '"|',
        "m7",
        "maj7",
    ]
    words = [*letters, *pairs, *_SYLLABLES, *(word.capitalize() for word in _SYLLABLES), *marks]
    return [prefix.encode() + word.encode() for word in words for prefix in ("", " ")]


def _filled_with_words(pieces: list[bytes], size: int, rng: np.random.Generator) -> list[bytes]:
    """Unique pieces up to `size`, the rest random words of which few are made of ABC characters alone."""
    unique = list(dict.fromkeys(pieces[3:])) if pieces[0] == b"" else list(dict.fromkeys(pieces))
    unique = [b"", b"", b"", *unique] if pieces[0] == b"" else unique
    known = set(unique)
    alphabet = np.array(list("abcdefghijklmnopqrstuvwxyzABCDEFGé漢'"))
    while len(unique) < size:
        letters = rng.choice(alphabet, size=int(rng.integers(2, 9)))
        word = (" " if rng.random() < 0.5 else "") + "".join(letters)
        if word.encode() not in known:
            known.add(word.encode())
            unique.append(word.encode())
    return unique


def abc_share(pieces: list[bytes]) -> float:
    """Share of the pieces that are made of ABC characters alone."""
    allowed = {ord(character) for character in CHARACTERS}
    return sum(bool(piece) and set(piece) <= allowed for piece in pieces) / len(pieces)
