"""Captions say what the facts hold and nothing else: none of many says more, and what is put into them is found."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from llm_music_gen.describing.caption import NAMES, caption
from llm_music_gen.describing.claims import faults
from llm_music_gen.describing.facts import Facts, affect_of, soundscape_of
from tests.unit.describing.some_facts import facts_drawn


def test_none_of_three_hundred_captions_says_what_the_facts_do_not() -> None:
    wrong = {seed: [str(fault) for fault in faults(caption(facts), facts)] for seed in range(300) if (facts := facts_drawn(seed))}
    assert {seed: found for seed, found in wrong.items() if found} == {}


def test_every_caption_names_two_measured_facts_and_every_event() -> None:
    for seed in range(100):
        facts = facts_drawn(seed)
        text = caption(facts)
        assert len(re.findall(r"\d (?:LUFS|dB|sone|acum|asper|Hz|bpm|s\b)|\d:\d\d", text)) >= 2
        assert all(NAMES[event.label] in text for event in facts.events)
        assert "estimate" in text or facts.affect is None


def test_the_same_facts_give_the_same_words() -> None:
    assert caption(facts_drawn(7)) == caption(facts_drawn(7))


def plain_facts(**changes: object) -> Facts:
    """A park with birds, as it could be measured."""
    drawn = replace(
        facts_drawn(3), own=None, tones=(), beat=None, tempo_bpm=None, key=None, lufs=-31.24, n5_sone=6.04, sharpness_acum=1.2
    )
    scape = soundscape_of({"Bird": 0.93, "Traffic": 0.3}, {"park": 0.8, "street_traffic": 0.2}, [("Bird", 0, 30, 0.9)], 30)
    facts = replace(drawn, length_s=30.0, longest_silence_s=0.0, clipping=0, soundscape=scape, correlation=0.5)
    return replace(replace(facts, affect=affect_of(facts)), **changes)  # type: ignore[arg-type]


def test_a_caption_that_is_right_has_no_faults() -> None:
    facts = plain_facts()
    text = "In this park you hear birds. At -31.2 LUFS it reaches 6.0 sone."
    assert faults(text, facts) == []


@pytest.mark.parametrize(
    "invented",
    [
        "Traffic passes by.", "A dog barks.", "Two people talk.", "It lies at -28 LUFS.", "It is 12 sone loud.",
        "You are in a public square.", "A piano plays.", "It is in D minor.", "It moves at 120 bpm.", "It lasts 4:30.",
        "A tone stands at 528 Hz.", "Three birds sing.", "Church bells ring.", "It is 40 % rain.", "There are 17 of them.",
        "There are 6 of them.", "12 birds sing.",
        "The music is gentle.", "A siren wails.", "It takes place in a forest.", "It is deafening.", "It is piercing.",
    ],
)  # fmt: skip
def test_what_is_invented_is_found(invented: str) -> None:
    text = "In this park you hear birds. At -31.2 LUFS it reaches 6.0 sone."
    assert faults(f"{text} {invented}", plain_facts())


def test_what_is_left_out_is_found() -> None:
    facts = plain_facts()
    assert any("not named" in str(fault) for fault in faults("In this park it is -31.2 LUFS and 6.0 sone.", facts))
    assert any("two measured" in str(fault) for fault in faults("In this park you hear birds.", facts))


def test_a_mood_against_the_estimate_is_found_and_its_denial_is_not() -> None:
    base = plain_facts()
    assert base.affect is not None
    facts = replace(base, affect=replace(base.affect, pleasantness=0.4, eventfulness=-0.4))
    text = "In this park you hear birds. At -31.2 LUFS it reaches 6.0 sone."
    assert faults(f"{text} It may feel calm and pleasant, neither chaotic nor annoying.", facts) == []
    assert faults(f"{text} It may feel annoying.", facts)
    assert faults(f"{text} It may feel lively.", facts)
    assert faults(f"{text} It is quiet and not loud.", facts) == []


def _is_song(facts: Facts) -> bool:
    return facts.own is not None and facts.own.chapters == 0 and facts.own.music


def test_own_songs_are_told_from_their_recipe() -> None:
    facts = next(facts for seed in range(100) if _is_song(facts := facts_drawn(seed)))
    assert facts.own is not None
    text = caption(facts)
    assert facts.own.title in text and facts.own.key in text and f"{facts.own.tempo_bpm:g} bpm" in text
    assert all(name.lower() in text.lower() for name in facts.own.instruments)
    assert faults(text.replace(facts.own.key, "A dorian"), facts)


def test_silence_is_told_as_silence() -> None:
    facts = replace(plain_facts(), lufs=None, soundscape=None, affect=None, n5_sone=0.0)
    assert caption(facts) == "It is 30.0 s of silence, 0.0 sone."
    assert faults(caption(facts), facts) == []


def test_numbers_that_are_changed_and_sounds_that_are_added_are_found() -> None:
    number = re.compile(r"(?<![:\d.])\d+(?:\.\d+)?(?= (?:LUFS|dB|sone|acum|asper|Hz|bpm|s\b|samples|bars))")
    changed = found = 0
    for seed in range(60):
        facts = facts_drawn(seed)
        text = caption(facts)
        for match in number.finditer(text):
            digits = len(match[0].partition(".")[2])
            wrong = f"{1.5 * float(match[0]) + 7:.{digits}f}"
            changed += 1
            found += bool(faults(text[: match.start()] + wrong + text[match.end() :], facts))
        for label in ("Bird", "Water", "Traffic", "Vehicle", "Speech", "Wind"):
            if all(event.label != label for event in facts.events):
                assert faults(f"{text} You hear {NAMES[label]}.", facts), (seed, label)
    # A wrong number may be another fact by chance.
    assert changed > 300 and found / changed > 0.98
