"""Tracks of hours from the app: what lies under the music, nights, time left, and tracks that were interrupted."""

from __future__ import annotations

from tests.tui.conftest import Stage, making

SMALL = (80, 24)


async def test_layers_and_nights_are_chosen_on_the_main_menu_and_go_into_the_request(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("y", *"rain", "enter", "n")
        await stage.settle(pilot)
        assert "Layers: rain, calm enough for the night" in stage.screen_text()
        await pilot.press("1")
        await stage.settle(pilot)
        await pilot.press(*"drone", "enter", "enter")
        await stage.settle(pilot)
        [request] = [row.request for row in stage.queue.rows if row.kind == "generate"]
        assert (request["layers"], request["night"]) == ("rain", True)


async def test_a_layer_that_does_not_exist_is_refused_in_one_sentence(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("y", *"rainn", "enter")
        await stage.settle(pilot)
        assert "There is no layer 'rainn'." in stage.screen_text()
        assert stage.services.settings.layers == ""


async def test_several_frequencies_are_steps(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("f", *"174,285", "enter")
        await stage.settle(pilot)
        assert "174 Hz, 285 Hz, one after the other" in stage.screen_text()


async def test_an_unfinished_track_is_noticed_and_u_goes_on_with_it(stage: Stage) -> None:
    folder = stage.paths.unfinished_dir / "0123456789ab"
    folder.mkdir(parents=True)
    (folder / "recipe.json").write_text("{}", encoding="utf-8")
    (folder / "order.json").write_text("{}", encoding="utf-8")
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        assert "Not finished: 1 long track. U goes on with it." in stage.screen_text()
        await pilot.press("u")
        await stage.settle(pilot)
        assert [row.request for row in stage.queue.rows if row.kind == "resume"] == [{"key": "0123456789ab"}]


async def test_a_track_of_hours_tells_its_stage_and_the_time_left(stage: Stage) -> None:
    detail = {"whole": 0.25, "left_s": 7_500.0, "song_number": 1, "title": "Still Water"}
    stage.queue.rows = [making(detail=detail, fraction=0.25, stage="sound", message="60 of 240 segments")]
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("1")
        await stage.settle(pilot)
        text = stage.screen_text()
    assert "25% Complete" in text and "60 of 240 segments" in text and "left" in text
    assert "Converting" not in text
