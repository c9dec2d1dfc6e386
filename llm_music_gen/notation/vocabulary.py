"""A model's vocabulary as the composer text sees it: the pieces made of ABC characters, sorted into tries.

Pieces that rhythm (or melody) cannot tell apart share one path: rhythm does not care which letter a note has, melody does not
care how long it is.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import NotationError
from llm_music_gen.notation.automaton import CHARACTERS
from llm_music_gen.notation.memo import Graph

#: Without these no section can be written; the others only make it poorer.
REQUIRED = frozenset("ABCDEFGabcdefg2|")
MAX_PIECE_CHARACTERS = 24
_PIECE = re.compile(rb"[A-Gadijmsua-gz0-9/|\"(^_=',\-# \n]{1,%d}" % MAX_PIECE_CHARACTERS)
#: At most one bar line, and no tie after it: what follows a bar line may depend on the bar before.
_TOO_LONG = re.compile(r"\|.*[|\-]", re.DOTALL)
_ONLY_IN_CHORDS = frozenset("#ijmsu")
StateT = TypeVar("StateT", bound=Hashable)


@dataclass(slots=True)
class TrieNode:
    """One character of one or more pieces."""

    children: list[tuple[str, TrieNode]] = field(default_factory=list)
    members: list[int] = field(default_factory=list)
    """Numbers of the classes (or pieces) that end here."""


class PieceClasses:
    """Pieces grouped by what one half of the automaton sees of them."""

    def __init__(self, pieces: Sequence[str], view: Callable[[str], str]) -> None:
        views = [view(piece) for piece in pieces]
        self.names = sorted(set(views))
        number = {name: index for index, name in enumerate(self.names)}
        self.of_piece: NDArray[np.int32] = np.array([number[name] for name in views], dtype=np.int32)
        self.root = trie(self.names)

    def permitted(self, graph: Graph[StateT], start: StateT) -> NDArray[np.bool_]:
        """Mask over the pieces: those whose every character the automaton accepts from `start` on."""
        mask = np.zeros(len(self.names), dtype=np.bool_)
        mask[walk(self.root, graph, start)] = True
        return mask[self.of_piece]


def trie(words: Sequence[str]) -> TrieNode:
    """A trie whose nodes list the indices of the words that end there."""
    root = TrieNode()
    index: dict[str, TrieNode] = {"": root}
    for number, word in enumerate(words):
        for length in range(1, len(word) + 1):
            if word[:length] not in index:
                index[word[:length]] = node = TrieNode()
                index[word[: length - 1]].children.append((word[length - 1], node))
        index[word].members.append(number)
    return root


def walk(root: TrieNode, graph: Graph[StateT], start: StateT) -> list[int]:
    """Members of every trie node that can be reached from `start`."""
    reached: list[int] = []
    stack = [(root, graph.node(start))]
    while stack:
        node, state = stack.pop()
        edges = state.edges
        for character, child in node.children:
            after = edges[character] if character in edges else graph.extend(state, character)
            if after is not None:
                reached += child.members
                if child.children:
                    stack.append((child, after))
    return reached


def rhythm_view(piece: str) -> str:
    """A piece as the rhythm sees it outside chord symbols: every letter alike, every accidental, every octave mark."""
    if '"' in piece:
        return piece
    if _ONLY_IN_CHORDS & set(piece):
        return "#"
    return re.sub("[',]", ",", re.sub(r"[\^_=]", "^", re.sub("[A-Ga-g]", "C", piece)))


def melody_view(piece: str) -> str:
    """A piece as the melody sees it outside chord symbols: whatever ends a note is alike."""
    if '"' in piece:
        return piece
    return "#" if _ONLY_IN_CHORDS & set(piece) else re.sub(r"[0-9/z( \n]+", "2", piece)


class AbcVocabulary:
    """Prepared once per model; shared by every constraint. Raises NotationError if the vocabulary cannot write ABC.

    `pieces` are the bytes of each token id (b"" for control tokens), `end_tokens` the ids that end an answer.
    """

    def __init__(self, pieces: Sequence[bytes], end_tokens: Iterable[int] = ()) -> None:
        self.size = len(pieces)
        self.end_tokens = frozenset(end_tokens)
        texts = {
            token: piece.decode("ascii")
            for token, piece in enumerate(pieces)
            if token not in self.end_tokens and _PIECE.fullmatch(piece)
        }
        single = frozenset(text for text in texts.values() if len(text) == 1)
        # White space is never needed to go on, so it may come inside longer pieces only.
        self.alphabet = (single | {" ", "\n"}) & CHARACTERS
        missing = REQUIRED - single
        if missing:
            raise NotationError(
                f"This model's vocabulary cannot write ABC: it has no token for {' '.join(sorted(missing))}.",
                hint="Use a model whose vocabulary holds every letter, digit and bar line.",
            )
        texts = {token: text for token, text in texts.items() if set(text) <= self.alphabet and not _TOO_LONG.search(text)}
        self.token_ids: NDArray[np.int64] = np.array(list(texts), dtype=np.int64)
        self.pieces = list(texts.values())
        self.text_of = texts
        self.literal = PieceClasses(self.pieces, str)
        self.rhythm = PieceClasses(self.pieces, rhythm_view)
        self.melody = PieceClasses(self.pieces, melody_view)
        self.crosses_bar: NDArray[np.bool_] = np.array(["|" in text.rstrip("| \n") for text in self.pieces], dtype=np.bool_)
        self.masks: OrderedDict[Hashable, NDArray[np.bool_]] = OrderedDict()
        """Masks over the pieces that constraints have worked out, the least recently used first."""

    def full_mask(self, permitted: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A mask over the ABC pieces -> a mask over the whole vocabulary."""
        mask = np.zeros(self.size, dtype=np.bool_)
        mask[self.token_ids[permitted]] = True
        return mask

    def end_mask(self) -> NDArray[np.bool_]:
        """A mask of the end tokens alone."""
        mask = np.zeros(self.size, dtype=np.bool_)
        mask[[token for token in self.end_tokens if token < self.size]] = True
        return mask
