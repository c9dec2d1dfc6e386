"""What the command line shows of work as it goes on."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest

from llm_music_gen.cli.follow import follow_songs
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.studio.batch import Outcome


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def making() -> Work[Sequence[Outcome]]:
    for stage, speed in (("tune", 31.26), ("tune", 4.26), ("sound", 31.26)):
        yield Progress(stage, 0.5, "", {"song_number": 1, "whole": 0.2, "tokens_per_s": speed})
    return ()


def test_the_speed_of_a_model_stands_behind_the_bar_while_it_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    assert follow_songs(making(), '"Chill" themed', as_json=False) == 0
    shown = [part.rstrip() for part in screen.getvalue().split("\r")]
    assert any(part.endswith("20% Complete 31 tokens/s") for part in shown)
    assert any(part.endswith("20% Complete 4.3 tokens/s") for part in shown)
    assert shown[-1].endswith("20% Complete")
