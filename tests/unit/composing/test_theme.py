"""Themes: every wish is honoured, every word changes something, and the seed decides the rest."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from llm_music_gen.composing.lengths import parse_length
from llm_music_gen.composing.lexicon import mood_words, read_words
from llm_music_gen.composing.theme import PlannedSong, SongRequest, plan_theme, resolve_style
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.errors import ThemeError, UsageError
from llm_music_gen.styles import Style, load_styles

STYLES = load_styles()
NEEDED = ("chill", "dubstep", "ambient", "house", "jazz", "folk")


def plan(*words: str, length: str = "3", seed: int = 1, **wishes: object) -> PlannedSong:
    request = SongRequest(words, parse_length(length), **wishes)  # type: ignore[arg-type]
    return plan_theme(request, STYLES, np.random.default_rng(seed))


def sounds(style: Style) -> tuple[object, ...]:
    """Everything by which two words may differ: tempo range, density, harmony, sound."""
    return (
        style.tempo_min_bpm, style.tempo_max_bpm, style.density, str(style.harmony), str(style.modes), str(style.instruments),
        str(style.mix), str(style.grooves),
    )  # fmt: skip


def test_every_wish_is_honoured() -> None:
    theme = plan(
        "Chill",
        length="3m20s",
        key=Key.parse("F#m"),
        tempo_bpm=97.5,
        meter=Meter(3, 4),
        instruments=("flute",),
        without=("drums",),
    ).theme
    assert (theme.key.abc(), theme.tempo_bpm, str(theme.meter)) == ("F#m", 97.5, "3/4")
    assert theme.length_frames == 200 * 44_100
    assert (theme.instruments, theme.without) == (("flute",), ("drums",))


def test_the_tempo_stays_in_the_styles_range_and_the_words_are_kept_as_typed() -> None:
    for name, style in STYLES.items():
        theme = plan(name.upper()).theme
        assert style.tempo_min_bpm <= theme.tempo_bpm <= style.tempo_max_bpm, name
        assert theme.styles == (name.upper(),)
        assert str(theme.meter) in style.meters
        assert theme.key.mode in style.modes


def test_the_seed_decides_what_was_left_open() -> None:
    assert plan("Chill", seed=5).theme == plan("Chill", seed=5).theme
    themes = [plan("Chill", seed=seed).theme for seed in range(20)]
    assert len({theme.title for theme in themes}) == 20
    assert len({theme.key for theme in themes}) > 3


def test_chill_dubstep_is_neither_chill_nor_dubstep() -> None:
    assert all(name in STYLES for name in NEEDED)
    chill, dubstep, both = (plan(*words).style for words in (("chill",), ("dubstep",), ("chill", "dubstep")))
    for other in (chill, dubstep):
        assert (both.tempo_min_bpm, both.tempo_max_bpm) != (other.tempo_min_bpm, other.tempo_max_bpm)
        assert both.density != other.density
        assert str(both.mix) != str(other.mix)


def test_no_two_of_all_words_give_the_same_music() -> None:
    words = {f"{name} (style)": resolve_style(STYLES, [name], [])[0] for name in STYLES}
    words |= {mood: resolve_style(STYLES, ["house"], [mood])[0] for mood in mood_words()}
    assert len(words) >= 60
    heard = {word: sounds(style) for word, style in words.items()}
    for first, second in combinations(words, 2):
        assert heard[first] != heard[second], f"{first} and {second} sound alike"


def test_a_mood_alone_gives_music_in_a_style_that_carries_it_and_an_unknown_word_gives_music_with_a_hint() -> None:
    sleepy = plan("sleepy")
    assert sleepy.theme.mood == ("sleepy",)
    assert set(sleepy.style_names) <= set(mood_words()["sleepy"].base)
    unknown = plan("xqzv")
    assert unknown.theme.bars > 0
    assert "xqzv" in unknown.theme.hints[0]


def test_every_style_that_a_mood_leans_on_exists_and_moods_do_not_hide_styles() -> None:
    bases = {base for entry in mood_words().values() for base in entry.base}
    assert bases <= set(STYLES), bases - set(STYLES)
    aliases = {name: style.aliases for name, style in STYLES.items()}
    for name in STYLES:
        assert read_words([name], aliases).styles == (name,)
    for mood, entry in mood_words().items():
        for alias in (mood, *entry.aliases):
            assert read_words([alias], aliases).moods == (mood,), alias


def test_wishes_that_contradict_each_other_are_refused_in_one_sentence() -> None:
    with pytest.raises(UsageError, match="does not fit"):
        plan("Chill", length="10s", tempo_bpm=20.0)
    with pytest.raises(ThemeError):
        plan_theme(SongRequest(("Chill",), parse_length("3")), {}, np.random.default_rng(1))
    with pytest.raises(ThemeError, match="not known here"):
        resolve_style(STYLES, ["gone"], [])
