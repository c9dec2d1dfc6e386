"""Holds a model to JSON of a given shape while it writes: the text always ends, and is always valid, with any model whatever.

A shape is a small tree (see json_shapes). Everything in it is bounded, keys come in their order and the separators are those of
`json.dumps`, so that the automaton is deterministic and can never be led into a dead end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import ModelError, NotationError
from llm_music_gen.llm.json_shapes import Choice, Fields, Flag, Items, Maybe, Number, OneOf, Shape, Text, Whole, json_schema

__all__ = [
    "Choice", "Fields", "Flag", "Items", "JsonConstraint", "JsonVocabulary", "Maybe", "Number", "OneOf", "Shape", "Text", "Whole",
    "json_schema",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Literal:
    text: str


@dataclass(frozen=True, slots=True)
class _InText:
    left: int
    empty: bool


@dataclass(frozen=True, slots=True)
class _InWhole:
    shape: Whole
    digits: str


@dataclass(frozen=True, slots=True)
class _InChoice:
    written: str
    options: tuple[str, ...]
    """As JSON."""


@dataclass(frozen=True, slots=True)
class _InItems:
    shape: Items
    count: int


@dataclass(frozen=True, slots=True)
class _InNumber:
    shape: Number
    written: str


@dataclass(frozen=True, slots=True)
class _InMaybe:
    shape: Shape


@dataclass(frozen=True, slots=True)
class _InOneOf:
    shape: OneOf
    written: str


_Todo: TypeAlias = "_Literal | _InText | _InWhole | _InChoice | _InItems | _InNumber | _InMaybe | _InOneOf"
#: What is still to be written, the next thing last. Empty when the text is complete.
_State: TypeAlias = "tuple[_Todo, ...]"


def _open(shape: Shape, rest: _State) -> _State:
    if isinstance(shape, Text):
        return (*rest, _InText(shape.most, True), _Literal('"'))
    if isinstance(shape, Whole):
        return (*rest, _InWhole(shape, ""))
    if isinstance(shape, Choice):
        return (*rest, _InChoice("", tuple(json.dumps(option, ensure_ascii=False) for option in shape.options)))
    if isinstance(shape, Items):
        return (*rest, _InItems(shape, 0), _Literal("["))
    if isinstance(shape, Number):
        return (*rest, _InNumber(shape, ""))
    if isinstance(shape, Flag):
        return (*rest, _InChoice("", ("true", "false")))
    if isinstance(shape, Maybe):
        return (*rest, _InMaybe(shape.shape))
    if isinstance(shape, OneOf):
        return (*rest, _Literal("}"), _InOneOf(shape, ""), _Literal(f"{{{json.dumps(shape.tag)}: "))
    todo: _State = (*rest, _Literal("}"))
    if not shape.fields:
        return (*todo, _Literal("{"))
    for number, (name, part) in reversed(tuple(enumerate(shape.fields))):
        todo = (*_open(part, todo), _Literal(("{" if number == 0 else ", ") + json.dumps(name) + ": "))
    return todo


@lru_cache(maxsize=50_000)
def _step(state: _State, character: str) -> _State | None:
    """The state after one more character; None where it may not stand."""
    if not state:
        return None
    rest, todo = state[:-1], state[-1]
    if isinstance(todo, _Literal):
        if todo.text[0] != character:
            return None
        return (*rest, _Literal(todo.text[1:])) if len(todo.text) > 1 else rest
    if isinstance(todo, _InText):
        if character == '"':
            return None if todo.empty else rest
        fits = todo.left > 0 and _is_plain(character) and (character.isalnum() or not todo.empty)
        return (*rest, _InText(todo.left - 1, False)) if fits else None
    if isinstance(todo, _InWhole):
        if character in "0123456789" and _leads_into(todo.digits + character, todo.shape):
            return (*rest, _InWhole(todo.shape, todo.digits + character))
        complete = todo.digits and todo.shape.low <= int(todo.digits) <= todo.shape.high
        return _step(rest, character) if complete else None
    if isinstance(todo, _InChoice):
        written = todo.written + character
        options = tuple(option for option in todo.options if option.startswith(written))
        if written in options:  # JSON strings end with their only bare quote: none is the beginning of another
            return rest
        return (*rest, _InChoice(written, options)) if options else None
    if isinstance(todo, _InNumber):
        if _goes_on(todo.written + character, todo.shape):
            return (*rest, _InNumber(todo.shape, todo.written + character))
        return _step(rest, character) if todo.written[-1:].isdigit() else None
    if isinstance(todo, _InMaybe):
        return (*rest, _Literal("ull")) if character == "n" else _step(_open(todo.shape, rest), character)
    if isinstance(todo, _InOneOf):
        return _step_one_of(rest, todo, character)
    return _step_items(rest, todo, character)


def _step_one_of(rest: _State, todo: _InOneOf, character: str) -> _State | None:
    """Within the name of the kind; when it is complete, its body follows."""
    written = todo.written + character
    for name, body in todo.shape.options:
        if json.dumps(name) == written:
            return (*_open(body, rest), _Literal(f", {json.dumps(todo.shape.body)}: "))
    begun = any(json.dumps(name).startswith(written) for name, _ in todo.shape.options)
    return (*rest, _InOneOf(todo.shape, written)) if begun else None


def _goes_on(written: str, shape: Number) -> bool:
    """Whether these characters are the beginning of a number of the shape."""
    pattern = r"-?(?:0|[1-9]\d{0,4})?" + (rf"(?:(?<=\d)\.\d{{0,{shape.decimals}}})?" if shape.decimals else "")
    return re.fullmatch(pattern, written) is not None


def _step_items(rest: _State, todo: _InItems, character: str) -> _State | None:
    if character == "]":
        return rest if todo.count >= todo.shape.fewest else None
    if todo.count >= todo.shape.most:
        return None
    after = (*rest, _InItems(todo.shape, todo.count + 1))
    if todo.count == 0:
        return _step(_open(todo.shape.item, after), character)
    return (*_open(todo.shape.item, after), _Literal(" ")) if character == "," else None


def _is_plain(character: str) -> bool:
    return character.isprintable() and character not in '"\\\ufffd'


def _leads_into(digits: str, shape: Whole) -> bool:
    """Whether a number of the range begins with these digits."""
    if digits[0] == "0" and len(digits) > 1:
        return False
    low = high = int(digits)
    while low <= shape.high:
        if high >= shape.low:
            return True
        if low == 0:
            return False
        low, high = low * 10, high * 10 + 9
    return False


class JsonVocabulary:
    """What the tokens of one model write, arranged for masks. Prepared once a model; remembers masks between answers."""

    def __init__(self, pieces: Sequence[bytes], end_tokens: Iterable[int] = ()) -> None:
        self.size = len(pieces)
        self.end_tokens = frozenset(end_tokens)
        self.text_of: dict[int, str] = {}
        self.starting: dict[str, list[int]] = {}
        """First character -> tokens."""
        self.quoting: list[int] = []
        """Tokens that write a quote."""
        self.plain_length = np.zeros(self.size, dtype=np.int32)
        """Characters of tokens that may stand inside a string whole, 0 for the others."""
        self.starts_word = np.zeros(self.size, dtype=np.bool_)
        self.alphabet: set[str] = set()
        self.masks: dict[_State, NDArray[np.bool_]] = {}
        for token, piece in enumerate(pieces):
            if token not in self.end_tokens:
                self._take(token, piece)

    def _take(self, token: int, piece: bytes) -> None:
        try:
            text = piece.decode("utf-8")
        except UnicodeDecodeError:
            return
        if not text:
            return
        self.text_of[token] = text
        self.starting.setdefault(text[0], []).append(token)
        if len(text) == 1:
            self.alphabet.add(text)
        if '"' in text:
            self.quoting.append(token)
        elif all(map(_is_plain, text)):
            self.plain_length[token] = len(text)
            self.starts_word[token] = text[0].isalnum()


def _spellable(shape: Shape, alphabet: set[str]) -> Shape:
    """The shape without the choices that these characters cannot write. Raises ModelError when something can't be written."""
    if isinstance(shape, Choice):
        options = tuple(option for option in shape.options if set(option) <= alphabet)
        if not options:
            raise ModelError("This model's vocabulary cannot write JSON.", hint="Choose another model.")
        return Choice(options)
    if isinstance(shape, Items):
        return Items(_spellable(shape.item, alphabet), shape.fewest, shape.most)
    if isinstance(shape, Fields):
        return Fields(tuple((name, _spellable(part, alphabet)) for name, part in shape.fields))
    if isinstance(shape, Maybe):
        return Maybe(_spellable(shape.shape, alphabet))
    if isinstance(shape, OneOf):
        kinds = tuple((name, _spellable(part, alphabet)) for name, part in shape.options if set(name) <= alphabet)
        return shape if kinds == shape.options else OneOf(shape.tag, shape.body, kinds)
    return shape


def _needed(shape: Shape) -> set[str]:
    """Characters without which the shape cannot be written."""
    if isinstance(shape, Whole | Number):
        return set("0123456789")
    if isinstance(shape, Flag):
        return set("truefalse")
    if isinstance(shape, Maybe):
        return set("null") | _needed(shape.shape)
    if isinstance(shape, OneOf):
        return set('{}:, "' + shape.tag + shape.body).union(*(set(name) | _needed(part) for name, part in shape.options))
    if isinstance(shape, Items):
        return set("[], ") | _needed(shape.item)
    if isinstance(shape, Fields):
        return set('{}:, "').union(*(set(name) | _needed(part) for name, part in shape.fields))
    return set('"')


class JsonConstraint:
    """Guides one answer (`domain.text_model.TokenConstraint`). `text` is what was written; `value` reads it.

    Raises ModelError when the vocabulary has no tokens for single characters that JSON needs.
    """

    def __init__(self, shape: Shape, vocabulary: JsonVocabulary) -> None:
        alphabet = vocabulary.alphabet
        missing = _needed(shape) - alphabet
        if missing or not any(character.isalnum() for character in alphabet):
            raise ModelError("This model's vocabulary cannot write JSON.", hint="Choose another model.")
        self.vocabulary = vocabulary
        self.text = ""
        self._state: _State = _open(_spellable(shape, alphabet), ())

    @property
    def finished(self) -> bool:
        """Whether the last bracket is closed."""
        return not self._state

    def value(self) -> Any:
        """The finished answer as Python values."""
        return json.loads(self.text)

    def allowed(self) -> NDArray[np.bool_]:
        """Mask over the vocabulary, shape (n_vocab,). Not to be written to."""
        known = self.vocabulary.masks.get(self._state)
        if known is None:
            if len(self.vocabulary.masks) >= 2_000:
                self.vocabulary.masks.clear()
            known = self.vocabulary.masks[self._state] = self._mask()
        return known

    def _mask(self) -> NDArray[np.bool_]:
        vocabulary, state = self.vocabulary, self._state
        mask = np.zeros(vocabulary.size, dtype=np.bool_)
        if not state:
            mask[list(vocabulary.end_tokens)] = True
            return mask
        top = state[-1]
        if isinstance(top, _InText):
            lengths = vocabulary.plain_length
            mask = (lengths > 0) & (lengths <= top.left)
            if top.empty:
                mask &= vocabulary.starts_word
            candidates: Iterable[int] = vocabulary.quoting
        else:
            candidates = (
                token
                for character, tokens in vocabulary.starting.items()
                if _step(state, character) is not None
                for token in tokens
            )
        for token in candidates:
            if self._after(vocabulary.text_of[token]) is not None:
                mask[token] = True
        return mask

    def _after(self, text: str) -> _State | None:
        state: _State | None = self._state
        for character in text:
            state = _step(state, character) if state is not None else None
        return state

    def accept(self, token_id: int) -> None:
        """Advance by one token. Raises NotationError for one that `allowed` did not permit."""
        if self.finished and token_id in self.vocabulary.end_tokens:
            return
        piece = self.vocabulary.text_of.get(token_id)
        after = None if piece is None else self._after(piece)
        if piece is None or after is None:
            raise NotationError(f"Token {token_id} does not fit the JSON at this point.", hint="Sample allowed tokens only.")
        self._state = after
        self.text += piece
