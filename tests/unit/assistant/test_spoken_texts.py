"""A text spoken over music that the assistant makes: only a file that the user named."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_music_gen.assistant.assistant import Assistant
from llm_music_gen.domain.progress import finish
from llm_music_gen.paths import StudioPaths
from llm_music_gen.requests import Situation
from llm_music_gen.settings import Settings
from llm_music_gen.studio import studio as studio_module
from llm_music_gen.studio.recipe import read_recipe
from llm_music_gen.studio.studio import Studio
from llm_music_gen.tools.plan import Call, Plan, Registry


@pytest.mark.parametrize("named", [True, False])
def test_a_text_is_spoken_where_the_user_named_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool) -> None:
    monkeypatch.setattr(studio_module, "processor_count", lambda: 0)
    text = tmp_path / "evening.txt"
    text.write_text("[0:01] All is well.", encoding="utf-8")

    def plan(_request: str, _at: Situation, _registry: Registry) -> Plan:
        return Plan((Call("frequency", {"mode": "noise", "noise": "brown", "len_s": 10, "narration": str(text)}),))

    with Studio(StudioPaths(tmp_path / "home" / "data", tmp_path / "home" / "models"), Settings()) as studio:
        assistant = Assistant(studio, planner=plan)
        proposal = assistant.propose(f"brown noise for ten seconds, and speak {text if named else 'a text'} over it")
        (answer,) = finish(assistant.carry_out(proposal))
        if named:
            assert not answer.failed, answer.text
            spoken = read_recipe(studio.library.songs()[0].folder).narration
            assert spoken is not None and [span.text for span in spoken.spans] == ["All is well."]
        else:
            assert answer.failed and "may touch" in answer.text
            assert not studio.library.songs()
