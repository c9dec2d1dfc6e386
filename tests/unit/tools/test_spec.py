"""Tools made from plain functions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest

from llm_music_gen.errors import UsageError
from llm_music_gen.tools.plan import Call, Registry
from llm_music_gen.tools.spec import REQUIRED, Range, tool


def warm(
    audio: object,
    db: Annotated[float, Range(-12, 12, "dB")] = 2.0,
    *,
    shape: Literal["shelf", "bell"] = "shelf",
    times: Annotated[int, Range(1, 3)] = 1,
    bands: list[dict[str, Any]] | None = None,
    hz: Annotated[float | None, Range(20, 500, "Hz")] = None,
    names: list[str],
    gentle: bool = True,
) -> None:
    """Make it warmer
    than before.

    db: How much.
    hz: Where; found by itself
        when left out.
    """


SPEC = tool(warm, skip={"audio"})


def test_everything_comes_from_the_signature_and_the_docstring() -> None:
    assert SPEC.name == "warm"
    assert SPEC.description == "Make it warmer than before."
    assert [parameter.name for parameter in SPEC.parameters] == ["db", "shape", "times", "bands", "hz", "names", "gentle"]
    assert SPEC.parameter("hz").explanation == "Where; found by itself when left out."
    assert SPEC.parameter("names").default is REQUIRED


def test_the_schema_carries_ranges_choices_and_what_is_required() -> None:
    schema = SPEC.json_schema()
    assert schema["required"] == ["names"]
    assert schema["properties"]["db"] == {"type": "number", "minimum": -12, "maximum": 12, "description": "How much. In dB."}
    assert schema["properties"]["shape"]["enum"] == ["shelf", "bell"]
    assert schema["properties"]["bands"]["items"] == {"type": "object"}


def test_numbers_are_moved_into_their_range() -> None:
    checked = SPEC.checked({"db": 99, "times": 2.4, "names": "a.wav", "hz": None})
    assert checked == {"db": 12.0, "times": 2, "names": ["a.wav"], "hz": None}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"names": [], "db": "loud"}, "is a number"),
        ({"names": [], "db": float("nan")}, "is a number"),
        ({"names": [], "db": 10**400}, "is a number"),
        ({"names": [], "db": True}, "is a number"),
        ({"names": [], "shape": "shelv"}, "Did you mean 'shelf'"),
        ({"names": [], "dbs": 3}, "Did you mean 'db'"),
        ({"names": [], "gentle": "yes"}, "yes or no"),
        ({"names": [1]}, "list of texts"),
        ({"names": [], "bands": ["x"]}, "list of records"),
        ({}, "needs names"),
    ],
)
def test_what_has_no_meaning_is_refused_in_a_sentence(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        SPEC.checked(arguments)


def test_a_plan_is_read_from_json_with_the_same_bounds() -> None:
    plan = Registry([SPEC]).plan_from_json({"calls": [{"tool": "warm", "args": {"db": -50, "names": ["x"]}}], "reply": "ok"})
    assert plan.calls == (Call("warm", {"db": -12.0, "names": ["x"]}),)
    assert str(plan.calls[0]) == "warm(db=-12, names=[x])"


@pytest.mark.parametrize(
    "data", [None, [], {"calls": 3}, {"calls": [3]}, {"calls": [{"tool": "rm"}]}, {"calls": [{"tool": "warm", "args": 3}]}]
)
def test_a_broken_plan_is_refused_in_a_sentence(data: Any) -> None:
    with pytest.raises(UsageError):
        Registry([SPEC]).plan_from_json(data)
