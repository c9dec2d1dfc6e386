"""Tools as people write them: every audio tool by its words, and what is said when they make no sense."""

from __future__ import annotations

from typing import Any

import pytest

from llm_music_gen.errors import UsageError
from llm_music_gen.processing.registry import REGISTRY
from llm_music_gen.tools.plan import Call
from llm_music_gen.tools.spec import Parameter, ToolSpec
from llm_music_gen.tools.words import call_as_words, call_in_words, help_of, split_words

SPECS = list(REGISTRY)


def _something(parameter: Parameter) -> Any:
    """A value that the parameter may have."""
    if parameter.kind in ("number", "integer"):
        assert parameter.range is not None
        middle = (parameter.range.low + parameter.range.high) / 2
        return round(middle) if parameter.kind == "integer" else middle
    return {
        "text": "D minor",
        "yes_no": True,
        "choice": next(filter(None, parameter.choices), ""),
        "texts": ["a b.wav", "c,d.wav"],
        "records": [{"type": "bell", "hz": 1000.0, "db": -3.0}],
    }[parameter.kind]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_every_tool_with_all_its_settings_survives_being_written_down(spec: ToolSpec) -> None:
    call = REGISTRY.checked(Call(spec.name, {parameter.name: _something(parameter) for parameter in spec.parameters}))
    assert call_in_words(REGISTRY, split_words(call_as_words(call))) == (call, ())


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_the_help_of_every_tool_tells_each_setting_with_its_range(spec: ToolSpec) -> None:
    text = help_of(spec, "process FILE... --tool")
    assert text.startswith(f"usage: process FILE... --tool {spec.name}")
    for parameter in spec.parameters:
        assert f"\n  {parameter.name} " in text and f"{parameter.name}=" in text
        if parameter.range is not None:
            assert f"from {parameter.range.low:g} to {parameter.range.high:g}" in text
        assert all(choice in text for choice in parameter.choices)
    assert max(map(len, text.splitlines()[2:])) <= 120


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ("gain db=-3", {"db": -3.0}),
        ("gain db=-3dB", {"db": -3.0}),
        ("gain db=1,5", {"db": 1.5}),
        ("gain", {}),
        ("auto_gain lufs=auto tp=-2", {"lufs": None, "tp": -2.0}),
        ('auto_pitch_corrector key="D minor"', {"key": "D minor"}),
        ("auto_pitch_corrector notes=A3,C4", {"notes": ["A3", "C4"]}),
        (
            'eq bands="bell hz=1000 db=-3; high_shelf hz=8000 db=2"',
            {"bands": [{"type": "bell", "hz": 1000.0, "db": -3.0}, {"type": "high_shelf", "hz": 8000.0, "db": 2.0}]},
        ),
        ('eq bands=[{"type":"bell","hz":200,"db":1}]', {"bands": [{"type": "bell", "hz": 200, "db": 1}]}),
        ("convert fmt=mp3 kbps=192", {"fmt": "mp3", "kbps": 192}),
        (r'mix files="C:\My Music\b.wav"', {"files": [r"C:\My Music\b.wav"]}),
    ],
)
def test_words_become_typed_arguments(words: str, arguments: dict[str, Any]) -> None:
    call, moved = call_in_words(REGISTRY, split_words(words))
    assert call.args == arguments
    assert moved == ()


def test_a_number_out_of_range_is_moved_and_told() -> None:
    call, moved = call_in_words(REGISTRY, ["gain", "db=99"])
    assert call.args == {"db": 40.0}
    assert moved == ("In gain, db was moved from 99 to 40, as far as it goes.",)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "Name a tool"),
        ("auto_gian", "Did you mean 'auto_gain'?"),
        ("gain louder", "'louder' is no setting of gain. Write for example db=..."),
        ("gain db=loud", "is a number from -60 to 40 dB, not 'loud'"),
        ("gain db=3Hz", "is a number from -60 to 40 dB, not '3Hz'"),
        ("gain db=nan", "not 'nan'"),
        ("gain db=inf", "not 'inf'"),
        ("gain db=", "not ''"),
        ("gain volume=3", "gain has no argument 'volume'"),
        ("tempo", "tempo needs ratio"),
        ("silence remove=endz", "Did you mean 'ends'?"),
        ("reverse now", "It has no settings."),
        ("eq bands=[{", "is no JSON"),
        ('eq bands="bell bell"', "says type twice"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(words: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        call_in_words(REGISTRY, split_words(words))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
