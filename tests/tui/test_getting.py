"""The screen of what can be had, driven as a person drives it. Nothing here reaches a network."""

from __future__ import annotations

from textual.widgets import Input

from llm_music_gen.domain.job import JobState
from llm_music_gen.tui.screens.models import ModelsScreen
from llm_music_gen.tui.widgets.now_line import now_text
from tests.tui.conftest import Stage, job

SIZE = (80, 24)


async def test_a_model_is_chosen_with_its_quantization_and_queued(stage: Stage) -> None:
    async with stage.app.run_test(size=SIZE) as pilot:
        await stage.ready(pilot)
        await pilot.press("3", "g")
        await stage.settle(pilot)
        assert isinstance(stage.app.screen, ModelsScreen)
        await stage.settle(pilot, lambda: "chatmusician" in stage.screen_text())
        assert "Licence: MIT" in stage.screen_text() and "generaluser" in stage.screen_text()
        await pilot.press("enter")
        await stage.settle(pilot)
        assert "Q2_K  2.53 GB" in stage.screen_text()
        await pilot.press("1")
        await stage.settle(pilot, lambda: bool(stage.queue.rows))
        assert stage.queue.rows[0].kind == "get"
        assert stage.queue.rows[0].request == {"kind": "model", "name": "chatmusician", "quant": "Q2_K"}
        await pilot.press("enter", "1")
        await stage.settle(pilot)
        assert len(stage.queue.rows) == 1, "the same thing is not queued twice"


async def test_how_far_it_is_and_what_went_wrong_stands_beside_it(stage: Stage) -> None:
    (stage.paths.models_dir / "voices").mkdir(parents=True)
    (stage.paths.models_dir / "voices" / "ggml-tiny.en.bin").write_bytes(b"x")
    getting = {"kind": "get", "title": "Get the model chatmusician (Q6_K)"}
    request = {"kind": "model", "name": "chatmusician", "quant": "Q6_K"}
    stage.queue.rows = [
        job(uid="a", request=request, fraction=0.33, message="ChatMusician.Q6_K.gguf: 1.82 GB of 5.53 GB", **getting),
        job(
            uid="b",
            kind="get",
            request={"kind": "soundfont", "name": "generaluser"},
            state=JobState.FAILED,
            error="It is not there any more.",
        ),
    ]
    async with stage.app.run_test(size=SIZE) as pilot:
        await stage.ready(pilot)
        await pilot.press("3", "g")
        await stage.settle(pilot, lambda: "33%" in stage.screen_text())
        assert "1.82 GB of 5.53 GB" in stage.screen_text()
        lines = {line.split()[1]: line for line in stage.screen_text().splitlines() if len(line.split()) > 2}
        assert "here" in lines["whisper-tiny.en"] and "here" not in lines["faster-whisper-tiny.en"]
        assert "failed" in lines["generaluser"]
        assert "Getting chatmusician: 33%" in now_text(stage.jukebox, stage.app.jobs, 80)
        await pilot.press("down", "down")
        await stage.settle(pilot, lambda: "not there any more" in stage.screen_text())


async def test_links_are_shown_and_any_repository_can_be_named_but_no_nonsense(stage: Stage) -> None:
    async with stage.app.run_test(size=SIZE) as pilot:
        await stage.ready(pilot)
        await pilot.press("3", "g")
        await stage.settle(pilot, lambda: "chatmusician" in stage.screen_text())
        await pilot.press("l")
        await stage.settle(pilot, lambda: "Put it into" in stage.screen_text())
        assert "https://huggingface.co/MaziyarPanahi/ChatMusician-GGUF/" in stage.screen_text()
        await pilot.press("escape", "o")
        await stage.settle(pilot)
        answer = stage.app.screen.query_one("#answer", Input)
        answer.value = "not a repository"
        await pilot.press("enter")
        await stage.settle(pilot)
        assert stage.queue.rows == []
        answer.value = "someone/tunes-GGUF Q4_K_M"
        await pilot.press("enter")
        await stage.settle(pilot, lambda: bool(stage.queue.rows))
        assert stage.queue.rows[0].request == {"kind": "model", "name": "someone/tunes-GGUF", "quant": "Q4_K_M"}
