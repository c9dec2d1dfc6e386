"""`resume`: lists what waits, throws away what is named, and answers what cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llm_music_gen.__main__ import main
from llm_music_gen.composing.theme import resolve_style
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.long_form import Chapter
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.theme import SectionPlan, Theme
from llm_music_gen.errors import StorageError
from llm_music_gen.paths import studio_paths
from llm_music_gen.studio.long.record import ChapterRecord, LongRecord
from llm_music_gen.studio.long.unfinished import Order, Unfinished, begin, find_unfinished
from llm_music_gen.studio.recipe import FileRecord, ModelRecord, Recipe, style_sha256
from llm_music_gen.studio.records import SectionText, ThemeRecord
from llm_music_gen.styles import load_styles

MATERIAL = (SectionText(label="A", bars=1, text="CDEFGABc|"),)


def recipe(title: str) -> Recipe:
    """The plan of two hours."""
    style, _ = resolve_style(load_styles(None), ("ambient",), ())
    form = (SectionPlan("A", "verse", 1, 0.4),)
    theme = Theme(title, ("ambient",), (), Key("C"), 60.0, Meter(4, 4), form, length_frames=7_200 * 44_100)
    chapter = Chapter(0, 0.0, 7_200.0, "Alone", Key("C"), 0.3, 0.5)
    return Recipe(
        schema=1, created="2026-01-01T00:00:00Z", seed=1, theme=ThemeRecord.of(theme), unit="1/8", sections=MATERIAL,
        style_names=("ambient",), style_sha256=style_sha256(style), model=ModelRecord(name="m", sha256="0" * 64, temperature=1.0),
        soundfont=FileRecord(name="Other.sf2", sha256="0" * 64), loudness_lufs=-18.0, formats=("mp3",), mp3_kbps=192, versions={},
        long=LongRecord(calm="day", intonation="equal", chapters=(ChapterRecord.of(chapter, "1/8", MATERIAL, None),)),
    )  # fmt: skip


def begun(key: str, title: str) -> Unfinished:
    return begin(studio_paths().unfinished_dir, key, recipe(title), Order(""))


def waiting() -> list[str]:
    return [work.key for work in find_unfinished(studio_paths().unfinished_dir)]


def test_without_anything_to_do_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resume"]) == 0
    assert "No track waits" in capsys.readouterr().out
    assert main(["resume", "--list"]) == 0
    said = capsys.readouterr()
    assert (said.out, "No track waits" in said.err) == ("", True)


def test_what_waits_is_listed_in_words_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    work = begun("aaa", "First")
    begun("bbb", "Second")
    (work.folder / "segment-00000.flac").write_bytes(b"")
    assert main(["resume", "--list"]) == 0
    assert capsys.readouterr().out.splitlines() == ['aaa  "First", 2:00 h, 1 segments', 'bbb  "Second", 2:00 h, 0 segments']
    assert main(["resume", "bbb", "--list", "--json"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    facts = json.loads(line)
    assert (facts["key"], facts["title"], facts["length_s"], facts["segments_done"]) == ("bbb", "Second", 7_200.0, 0)


def test_a_plan_that_cannot_be_read_is_listed_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    begun("aaa", "First").recipe_path.write_text("{", encoding="utf-8")
    assert main(["resume", "--list"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith("aaa  cannot be read: ")


def test_only_what_is_named_is_thrown_away(capsys: pytest.CaptureFixture[str]) -> None:
    begun("aaa", "First")
    begun("bbb", "Second")
    assert main(["resume", "--drop"]) == 2
    assert "Say which" in capsys.readouterr().err
    assert waiting() == ["aaa", "bbb"]
    assert main(["resume", "aaa", "--drop"]) == 0
    assert '"First" is thrown away' in capsys.readouterr().err
    assert waiting() == ["bbb"]
    assert not (studio_paths().unfinished_dir / "aaa").exists()


def test_a_track_that_is_being_made_is_not_thrown_away(capsys: pytest.CaptureFixture[str]) -> None:
    work = begun("aaa", "First")
    with work.claimed():
        assert main(["resume", "aaa", "--drop"]) == 1
    assert "Another process" in capsys.readouterr().err
    assert waiting() == ["aaa"]


@pytest.mark.parametrize("key", ["zzz", "../../etc", "", "a\x00b"])
def test_a_track_that_does_not_wait_is_answered_with_those_that_do(key: str, capsys: pytest.CaptureFixture[str]) -> None:
    begun("aaa", "First")
    assert main(["resume", key]) == 2
    said = capsys.readouterr().err
    assert "no unfinished track" in said
    assert "Waiting: aaa" in said


def test_one_that_cannot_go_on_does_not_stop_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    begun("aaa", "First")
    begun("bbb", "Second")
    assert main(["resume"]) == 1
    said = "".join(capsys.readouterr())
    assert '"First" was begun' in said
    assert '"Second" was begun' in said
    assert waiting() == ["aaa", "bbb"]


def test_a_broken_order_does_not_stop_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    (begun("aaa", "First").folder / "order.json").write_text("[]", encoding="utf-8")
    begun("bbb", "Second")
    assert main(["resume"]) == 1
    said = "".join(capsys.readouterr())
    assert "order.json cannot be read" in said
    assert '"Second" was begun' in said


def test_segments_without_a_plan_are_not_taken_over_by_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "aaa"
    folder.mkdir()
    (folder / "segment-00000.flac").write_bytes(b"of something else")
    work = begin(tmp_path, "aaa", recipe("First"), Order(""))
    assert sorted(path.name for path in work.folder.iterdir()) == ["order.json", "recipe.json"]


def test_a_plan_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = begin(tmp_path, "aaa", recipe("First"), Order(""))

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(StorageError, match=r"There is no room for recipe\.json"):
            work.plan(recipe("Second"))
    assert work.recipe().theme.title == "First"
    assert sorted(path.name for path in work.folder.iterdir()) == ["order.json", "recipe.json"]
