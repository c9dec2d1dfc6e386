"""A plan's rows: made once, noted, taken up again, and independent of each other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from llm_music_gen.domain.progress import Progress, Work, finish
from llm_music_gen.domain.song import Song
from llm_music_gen.errors import ModelError, StorageError, UsageError
from llm_music_gen.paths import StudioPaths
from llm_music_gen.settings import Settings
from llm_music_gen.studio.batch import Outcome
from llm_music_gen.studio.plan import (
    PlannedRow,
    check_rows,
    make_alone,
    make_plan,
    plan_job,
    planned_rows,
    rows_of_job,
)
from llm_music_gen.studio.plan_notes import notes_file, open_notes
from llm_music_gen.studio.request import GenerateRequest
from llm_music_gen.studio.seeds import song_seed
from llm_music_gen.studio.studio import Studio


class Maker:
    """Makes songs as the studio does, at once; styles named "broken" fail and "unknown" cannot even begin."""

    def __init__(self) -> None:
        self.filed: list[Song] = []
        self.library = SimpleNamespace(songs=lambda: tuple(self.filed))
        self.settings = Settings()
        self.machines = None
        self.dies_after = 1_000

    def generate(self, request: GenerateRequest, *, finished_titles: Sequence[str] = ()) -> Work[Sequence[Outcome]]:
        if "unknown" in request.styles:
            raise ModelError("There is no such model.")
        assert request.seed is not None
        outcomes = []
        for number in range(len(finished_titles) + 1, request.songs + 1):
            yield Progress("tune", 0.5, "", {"song_number": number, "songs": request.songs, "whole": 0.1})
            if "broken" in request.styles:
                yield Progress("failed", 1.0, "It broke.", {"song_number": number})
                outcomes.append(Outcome(error="It broke."))
                continue
            if len(self.filed) >= self.dies_after:
                raise KeyboardInterrupt
            title = f"{request.styles_text} {number}"
            seed = song_seed(request.seed, number - 1)
            song = Song(f"id {seed}", title, request.styles, Path(), {}, 1, "C", 90.0, "4/4", seed, "", "", -14.0, -1.0)
            self.filed.append(song)
            outcomes.append(Outcome(song=song))
            yield Progress("finished", 1.0, "", {"song_number": number, "song": song})
        return outcomes


def rows(*styles: str, songs: int = 1, seed: int | None = None) -> tuple[PlannedRow, ...]:
    return planned_rows([(number, GenerateRequest((name,), songs)) for number, name in enumerate(styles, start=2)], seed)


def made(maker: Maker, plan: Sequence[PlannedRow], notes: Path, *, again: bool = False) -> list[Progress]:
    with open_notes(notes, again=again) as open_one:
        return list(make_plan(cast(Studio, maker), plan, open_one))


def stages(reports: Sequence[Progress]) -> list[tuple[Any, str]]:
    return [(report.detail.get("row"), report.stage) for report in reports if report.stage not in ("tune", "plan")]


def test_what_is_finished_is_skipped_and_what_failed_is_tried_again(tmp_path: Path) -> None:
    maker, plan = Maker(), rows("jazz", "broken", "unknown", "folk")
    first = made(maker, plan, tmp_path / "notes.json")
    assert stages(first) == [(2, "finished"), (3, "failed"), (4, "failed"), (5, "finished")]
    assert first[-1].message == "2 of 4 songs are ready; failed in rows 3, 4. The same command tries them again."
    second = made(maker, plan, tmp_path / "notes.json")
    assert stages(second) == [(2, "skipped"), (5, "skipped"), (3, "failed"), (4, "failed")]
    assert len(maker.filed) == 2


def test_a_plan_that_was_killed_goes_on_with_the_next_song_and_the_same_seeds(tmp_path: Path) -> None:
    undisturbed, plan = Maker(), rows("jazz", "folk", songs=3)
    whole = tmp_path / "whole.json"
    with open_notes(whole) as notes:
        seed = notes.seed
        finish(make_plan(cast(Studio, undisturbed), plan, notes))
    for dies_after in range(6):
        maker, place = Maker(), tmp_path / f"{dies_after}.json"
        place.write_text(json.dumps({"schema": 1, "seed": seed, "songs": {}}), encoding="utf-8")
        maker.dies_after = dies_after
        with pytest.raises(KeyboardInterrupt):
            made(maker, plan, place)
        maker.dies_after = 1_000
        made(maker, plan, place)
        assert [song.seed for song in maker.filed] == [song.seed for song in undisturbed.filed]
        assert place.read_text(encoding="utf-8") == whole.read_text(encoding="utf-8")


def test_a_song_that_was_filed_but_not_noted_is_not_made_twice(tmp_path: Path) -> None:
    maker, plan, place = Maker(), rows("jazz"), tmp_path / "notes.json"
    made(maker, plan, place)
    noted = json.loads(place.read_text(encoding="utf-8"))
    place.write_text(json.dumps({**noted, "songs": {}}), encoding="utf-8")
    assert stages(made(maker, plan, place)) == [(2, "skipped")]
    assert json.loads(place.read_text(encoding="utf-8")) == noted


def test_a_row_is_known_by_what_it_asks_for_wherever_it_stands(tmp_path: Path) -> None:
    maker = Maker()
    made(maker, rows("jazz", "jazz", "folk"), tmp_path / "notes.json")
    assert len({song.seed for song in maker.filed}) == 3, "two rows that ask for the same get two songs"
    assert stages(made(maker, rows("ska", "folk", "jazz", "jazz"), tmp_path / "notes.json")) == [
        (3, "skipped"), (4, "skipped"), (5, "skipped"), (2, "finished"),
    ]  # fmt: skip


def test_again_makes_every_row_once_more_and_differently(tmp_path: Path) -> None:
    maker = Maker()
    made(maker, rows("jazz"), tmp_path / "notes.json")
    assert stages(made(maker, rows("jazz"), tmp_path / "notes.json", again=True)) == [(2, "finished")]
    assert maker.filed[0].seed != maker.filed[1].seed


def test_a_seed_for_the_plan_gives_every_row_its_own() -> None:
    first, second = rows("jazz", "jazz", seed=7)
    assert first.request.seed != second.request.seed
    assert rows("jazz", "jazz", seed=7) == (first, second)
    assert rows("jazz", "jazz", seed=8)[0].request.seed != first.request.seed


def test_two_processes_do_not_make_the_same_plan(tmp_path: Path) -> None:
    with (
        open_notes(tmp_path / "notes.json"),
        pytest.raises(StorageError, match="is making this plan"),
        open_notes(tmp_path / "notes.json"),
    ):
        pass


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema": 1, "seed": 3, "songs": {"a": {"x": 1}}}', '{"schema": 1}'])
def test_notes_that_cannot_be_read_are_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text(content, encoding="utf-8")
    with pytest.raises(StorageError, match="--again"), open_notes(tmp_path / "notes.json"):
        pass
    with open_notes(tmp_path / "notes.json", again=True) as notes:
        assert notes.songs == {}


def test_a_plan_survives_the_queue() -> None:
    plan = rows("jazz", "folk", songs=2)
    assert rows_of_job(json.loads(json.dumps(plan_job(plan, Path("notes.json"), again=False)))) == plan
    with pytest.raises(UsageError):
        rows_of_job({"rows": [{"row": 1}]})


def test_plans_of_one_name_in_two_folders_have_two_notes(tmp_path: Path) -> None:
    first, second = notes_file(tmp_path, tmp_path / "a" / "plan.csv"), notes_file(tmp_path, tmp_path / "b" / "plan.csv")
    assert first != second
    assert notes_file(tmp_path, tmp_path / "a" / ".." / "a" / "plan.csv") == first


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"model": "no-such-model"}, "row 3, column model: "),
        ({"soundfont": "none.sf2"}, "row 3, column soundfont: "),
        ({"stems": True, "night": True}, "row 3, column stems: Long tracks have no stems."),
    ],
)
def test_what_no_word_shows_is_refused_before_anything_is_made(wrong: dict[str, Any], said: str, tmp_path: Path) -> None:
    plan = planned_rows([(2, GenerateRequest(("jazz",))), (3, GenerateRequest(("folk",), **wrong))])
    with Studio(StudioPaths(tmp_path / "data", tmp_path / "models"), Settings()) as studio:
        with pytest.raises(UsageError) as caught:
            check_rows(plan, studio, "plan.csv")
        assert str(caught.value).startswith(f"plan.csv, {said}")
        check_rows(plan[:1], studio, "plan.csv")


def test_songs_go_to_other_machines_and_are_noted_as_they_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maker, plan, place = Maker(), rows("jazz", "hours", "broken", "folk"), tmp_path / "notes.json"
    monkeypatch.setattr(maker, "machines", object())
    monkeypatch.setattr("llm_music_gen.studio.plan.can_go", lambda request, studio: request.styles != ("hours",))

    def elsewhere(studio: Any, machines: object, requests: Sequence[GenerateRequest]) -> Any:
        yield None
        yield "The worker b is lost; others do what it had in work."
        for number in reversed(range(len(requests))):
            yield number, finish(maker.generate(requests[number]))[-1]

    monkeypatch.setattr("llm_music_gen.studio.plan.songs_elsewhere", elsewhere)
    reports = made(maker, plan, place)
    assert stages(reports) == [
        (None, "elsewhere"), (None, "elsewhere"), (5, "finished"), (4, "failed"), (2, "finished"), (3, "finished"),
    ]  # fmt: skip
    assert [report.detail["song_number"] for report in reports if report.stage in ("finished", "failed")] == [1, 2, 3, 4]
    assert stages(made(Maker(), [plan[0], plan[1], plan[3]], place)) == [(2, "skipped"), (3, "skipped"), (5, "skipped")]
    alone = list(make_alone(cast(Studio, maker), GenerateRequest(("jazz",), 2, seed=7)))
    assert stages(alone)[2:] == [(None, "finished"), (None, "finished")]
    assert alone[-1].message == "2 of 2 songs are ready."
