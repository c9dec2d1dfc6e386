"""The words: what is known, what each changes, and what is said about the rest."""

from __future__ import annotations

import numpy as np

from llm_music_gen.composing.lexicon import bend_of, mood_words, read_words, split_words
from llm_music_gen.composing.titles import make_title
from llm_music_gen.domain.key import MODES

ALIASES = {"chill": ("chillout",), "lo-fi": ("lo-fi hip hop", "lofi"), "dubstep": (), "jazz": ()}


def test_styles_and_moods_are_found_inside_phrases() -> None:
    reading = read_words(split_words("Dark Jazz, LO FI hip-hop; a very Chillout song"), ALIASES)
    assert reading.styles == ("jazz", "lo-fi", "chill")
    assert reading.moods == ("dark",)
    assert reading.unknown == ()


def test_an_unknown_word_gets_a_hint_at_the_nearest_known_one() -> None:
    reading = read_words(["dubstepp", "xqzv"], ALIASES)
    assert reading.unknown == ("dubstepp", "xqzv")
    assert 'did you mean "dubstep"' in reading.hints[0]
    assert "llm-music-gen styles" in reading.hints[1]


def test_no_two_mood_words_change_the_same() -> None:
    seen: dict[object, str] = {}
    for word in mood_words():
        bend = bend_of([word])
        effect = (bend.tempo, bend.density, bend.energy, bend.tilt_db, bend.reverb, bend.modes)
        assert effect not in seen, f"{word} is {seen[effect]}"
        seen[effect] = word
    assert len(seen) >= 50


def test_every_mood_word_names_modes_that_exist_and_an_alias_means_one_word() -> None:
    owners: dict[str, str] = {}
    for word, entry in mood_words().items():
        assert set(entry.modes) <= set(MODES)
        for alias in (word, *entry.aliases):
            assert owners.setdefault(alias, word) == word, alias


def test_many_words_together_stay_in_bounds() -> None:
    bend = bend_of(list(mood_words()))
    assert 0.6 <= bend.tempo <= 1.5
    assert abs(bend.density) <= 0.45
    assert abs(bend.energy) <= 0.4


def test_no_two_of_a_hundred_titles_are_the_same_and_the_seed_decides() -> None:
    rng = np.random.default_rng(1)
    taken: list[str] = []
    for _ in range(100):
        taken.append(make_title(["calm"], rng, taken))
    assert len(set(taken)) == 100
    again = np.random.default_rng(1)
    assert make_title(["calm"], again) == taken[0]
    assert all(title.strip() == title and "{" not in title and "  " not in title for title in taken)
