"""JSON that always ends and is always valid, whatever the vocabulary and whoever draws the tokens."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from llm_music_gen.errors import ModelError, NotationError
from llm_music_gen.llm.json_constraint import (
    Choice,
    Fields,
    Flag,
    Items,
    JsonConstraint,
    JsonVocabulary,
    Maybe,
    Number,
    OneOf,
    Text,
    Whole,
    json_schema,
)

SHAPE = Fields(
    (
        ("title", Text(12)),
        ("key", Choice(("A", "Am", "F#m"))),
        ("tempo", Whole(60, 180)),
        ("parts", Items(Fields((("label", Choice(("A", "B"))), ("bars", Whole(0, 16)))), 1, 3)),
        ("moods", Items(Text(5), 0, 2)),
    )
)
BYTES = tuple(bytes([value]) for value in range(256))
WORDS = (
    b'{"', b'": "', b'", "', b'"}', b'"}, {"', b"title", b" the", b'ab"', b"12", b"18", b"], ", b"}]", b"\xc3\xa9", b"\xc3", b"",
)  # fmt: skip


def written(pieces: tuple[bytes, ...], seed: int) -> JsonConstraint:
    """What somebody who draws blindly among the allowed tokens writes."""
    constraint = JsonConstraint(SHAPE, JsonVocabulary(pieces, {len(pieces) - 1}))
    rng = np.random.default_rng(seed)
    for _ in range(500):
        if constraint.finished:
            return constraint
        constraint.accept(int(rng.choice(np.flatnonzero(constraint.allowed()))))
    raise AssertionError("it did not end")


@pytest.mark.parametrize("pieces", [(*BYTES, b""), (*BYTES, *WORDS)], ids=["bytes", "words"])
def test_blind_writing_is_always_valid_and_always_ends(pieces: tuple[bytes, ...]) -> None:
    for seed in range(12):
        value = written(pieces, seed).value()
        assert list(value) == ["title", "key", "tempo", "parts", "moods"]
        assert 1 <= len(value["title"]) <= 12 and value["title"][0].isalnum()
        assert value["key"] in ("A", "Am", "F#m") and 60 <= value["tempo"] <= 180
        assert 1 <= len(value["parts"]) <= 3 and all(0 <= part["bars"] <= 16 for part in value["parts"])
        assert len(value["moods"]) <= 2


def test_the_mask_is_exactly_what_can_be_accepted() -> None:
    pieces = (*BYTES, *WORDS)
    vocabulary = JsonVocabulary(pieces, {len(pieces) - 1})
    text = json.dumps(
        {"title": "Caf\u00e9 12", "key": "Am", "tempo": 90, "parts": [{"label": "B", "bars": 8}], "moods": ["calm"]},
        ensure_ascii=False,
    )
    constraint = JsonConstraint(SHAPE, vocabulary)
    for character in text:
        mask = constraint.allowed()
        for token in range(len(pieces) - 1):
            probe = copy.copy(constraint)
            if mask[token]:
                probe.accept(token)
            else:
                with pytest.raises(NotationError):
                    probe.accept(token)
        constraint.accept(pieces.index(character.encode()))
    assert constraint.finished and constraint.value()["title"] == "Caf\u00e9 12"
    assert np.flatnonzero(constraint.allowed()).tolist() == [len(pieces) - 1]


def test_a_vocabulary_without_brackets_is_refused() -> None:
    with pytest.raises(ModelError, match="cannot write JSON"):
        JsonConstraint(SHAPE, JsonVocabulary([b"a", b'"', b"1"]))


def test_the_schema_says_the_same() -> None:
    schema = json_schema(SHAPE)
    assert schema["required"] == ["title", "key", "tempo", "parts", "moods"]
    assert schema["properties"]["parts"]["maxItems"] == 3
    assert schema["properties"]["tempo"] == {"type": "integer", "minimum": 60, "maximum": 180}


PLAN = Fields(
    (
        (
            "calls",
            Items(
                OneOf(
                    "tool",
                    "args",
                    (
                        ("gain", Fields((("db", Number()),))),
                        ("gate", Fields((("hard", Flag()), ("hz", Maybe(Number(0)))))),
                        ("mono", Fields(())),
                        ("eq", Fields((("bands", Items(Fields((("hz", Number(1)), ("db", Number()))), 1, 2)),))),
                    ),
                ),
                1,
                3,
            ),
        ),
        ("reply", Maybe(Text(8))),
    )
)


@pytest.mark.parametrize("pieces", [(*BYTES, b""), (*BYTES, *WORDS)], ids=["bytes", "words"])
def test_kinds_numbers_flags_and_nothing_are_valid_json_of_the_schema(pieces: tuple[bytes, ...]) -> None:
    from jsonschema import validate

    schema, seen = json_schema(PLAN), set()
    vocabulary = JsonVocabulary(pieces, {len(pieces) - 1})
    for seed in range(30):
        constraint = JsonConstraint(PLAN, vocabulary)
        rng = np.random.default_rng(seed)
        for _ in range(600):
            if constraint.finished:
                break
            constraint.accept(int(rng.choice(np.flatnonzero(constraint.allowed()))))
        value = constraint.value()
        validate(value, schema)
        seen |= {call["tool"] for call in value["calls"]}
    assert seen == {"gain", "gate", "mono", "eq"}


@pytest.mark.parametrize(("text", "fits"), [
    ('{"calls": [{"tool": "gain", "args": {"db": -3.5}}], "reply": null}', True),
    ('{"calls": [{"tool": "gain", "args": {"db": 0.25}}], "reply": "Yes."}', True),
    ('{"calls": [{"tool": "gate", "args": {"hard": true, "hz": null}}], "reply": null}', True),
    ('{"calls": [{"tool": "mono", "args": {}}], "reply": null}', True),
    ('{"calls": [{"tool": "gain", "args": {"db": 007}}], "reply": null}', False),
    ('{"calls": [{"tool": "gain", "args": {"db": -}}], "reply": null}', False),
    ('{"calls": [{"tool": "gain", "args": {"db": 1.}}], "reply": null}', False),
    ('{"calls": [{"tool": "shell", "args": {"db": 1}}], "reply": null}', False),
    ('{"calls": [{"tool": "mono", "args": {"db": 1}}], "reply": null}', False),
    ('{"calls": [{"tool": "gate", "args": {"hard": yes, "hz": 1}}], "reply": null}', False),
])  # fmt: skip
def test_only_what_the_tools_take_can_be_written(text: str, fits: bool) -> None:
    constraint = JsonConstraint(PLAN, JsonVocabulary((*BYTES, b""), {256}))
    try:
        for byte in text.encode():
            assert constraint.allowed()[byte]
            constraint.accept(byte)
    except AssertionError:
        assert not fits
    else:
        assert fits and constraint.finished
