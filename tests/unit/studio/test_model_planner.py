"""Plans by a model: held to the tools' schema, checked and clamped, and never worse than the plan made without it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from llm_music_gen.assistant.catalogue import CATALOGUE
from llm_music_gen.errors import ModelError
from llm_music_gen.llm.backend import load_model
from llm_music_gen.llm.chat import LocalChat
from llm_music_gen.llm.formats import Message
from llm_music_gen.llm.json_shapes import Shape, json_schema
from llm_music_gen.paths import StudioPaths
from llm_music_gen.processing.registry import REGISTRY
from llm_music_gen.requests import Situation, plan_request
from llm_music_gen.settings import Settings
from llm_music_gen.studio.model_planner import ModelPlanner, messages_for, planner_for, shape_of
from tests.fakes.gguf_writer import chatml_vocabulary, write_model

AT = Situation(file="take.wav", measurements={"lufs": -23.4, "true_peak": -6.0})


class Says:
    """A model that always says the same."""

    name = "a model"

    def __init__(self, answer: object) -> None:
        self.answer_text = answer if isinstance(answer, str) else json.dumps(answer)
        self.asked: list[Sequence[Message]] = []

    def answer(self, messages: Sequence[Message], shape: Shape, *, seed: int) -> str:
        self.asked.append(messages)
        return self.answer_text


def test_what_the_model_chose_is_the_plan_checked_and_clamped() -> None:
    chat = Says(
        {"calls": [{"tool": "gain", "args": {"db": 99.0}}, {"tool": "limit", "args": {"ceiling_db": None}}], "reply": "Louder."}
    )
    plan = ModelPlanner(chat)("make it as loud as can be", AT, REGISTRY)
    top = REGISTRY["gain"].parameter("db").range
    assert top is not None
    assert [(call.tool, call.args) for call in plan.calls] == [("gain", {"db": top.high}), ("limit", {})]
    assert plan.reply.startswith("Louder.") and "a model" in plan.reply


def test_it_is_told_the_tools_and_what_was_measured() -> None:
    system, user = messages_for("warmer", AT, REGISTRY)
    assert all(f"{spec.name}(" in system.text for spec in REGISTRY)
    assert "measured lufs: -23.4" in user.text and user.text.endswith("Request: warmer")


@pytest.mark.parametrize("answer", [
    "", "I am sorry, I cannot do that.", "[]", "{}", '{"calls": []}', '{"calls": [{"tool": "rm", "args": {"path": "/"}}]}',
    '{"calls": [{"tool": "gain", "args": {"db": "loud"}}]}', '{"calls": [{"tool": "gain", "args": []}]}', '{"calls": [{}]}',
    "null",
    '{"calls": [{"tool": "gain", "args": {"decibels": 3}}], "reply": "x"}', '{"calls": "gain"}', "\x00", '{"calls": [null]}',
])  # fmt: skip
def test_nonsense_gives_the_studios_own_plan_with_a_remark(answer: str) -> None:
    own = plan_request("make it 3 dB louder", AT, REGISTRY)
    plan = ModelPlanner(Says(answer))("make it 3 dB louder", AT, REGISTRY)
    assert plan.calls == own.calls and "no usable plan" in plan.reply


def test_a_model_that_fails_costs_a_remark() -> None:
    class Broken(Says):
        def answer(self, messages: Sequence[Message], shape: Shape, *, seed: int) -> str:
            raise ModelError("It broke.")

    plan = ModelPlanner(Broken(""))("make it 3 dB louder", AT, REGISTRY)
    assert [call.tool for call in plan.calls] == ["gain"]


def test_what_is_unsafe_is_never_asked_of_a_model() -> None:
    chat = Says({"calls": [{"tool": "gain", "args": {"db": 1.0}}], "reply": "ok"})
    plan = ModelPlanner(chat)("delete all files on my computer", AT, CATALOGUE)
    assert [call.tool for call in plan.calls] == ["refuse"] and not chat.asked


@pytest.mark.parametrize("binding", ["llama-cpp-python", "xllamacpp"])
def test_a_random_model_under_the_schema_writes_plans_that_can_be_read(tmp_path: Path, binding: str) -> None:
    pytest.importorskip({"llama-cpp-python": "llama_cpp"}.get(binding, binding))
    from jsonschema import validate

    model = load_model(write_model(tmp_path / "t.gguf", chatml_vocabulary()), binding=binding, threads=1, context_tokens=32_768)
    try:
        chat, shape = LocalChat(model, "chatml"), shape_of(REGISTRY)
        answer = chat.answer((Message("system", "Plan."), Message("user", "warmer")), shape, seed=3)
        validate(json.loads(answer), json_schema(shape))
        plan = ModelPlanner(Says(answer))("make it 3 dB louder", AT, REGISTRY)
    finally:
        model.close()
    assert plan.calls and all(call.tool in REGISTRY or call.tool in ("ask", "refuse") for call in plan.calls)


def test_the_settings_say_who_plans(tmp_path: Path) -> None:
    paths = StudioPaths(tmp_path / "data", tmp_path / "models")
    assert planner_for(paths, Settings()) is plan_request
    with pytest.raises(ModelError, match="none is named"):
        planner_for(paths, Settings(planner="model"))
    chosen = planner_for(paths, Settings(planner="model", server="http://127.0.0.1:9/v1"))
    assert isinstance(chosen, ModelPlanner)
