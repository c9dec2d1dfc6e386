"""Which screen a place is; each one's module is loaded when it is first opened."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from textual.screen import Screen

_SCREENS = {
    "generate": "GenerateScreen",
    "jukebox": "JukeboxScreen",
    "configuration": "ConfigurationScreen",
    "songs": "SongsScreen",
    "jobs": "JobsScreen",
    "models": "ModelsScreen",
    "processing": "ProcessingScreen",
    "assistant": "AssistantScreen",
    "describing": "DescribingScreen",
}


def screen_of(place: str) -> Screen[None]:
    """A new screen of this place, as actions name it."""
    module = import_module(f"llm_music_gen.tui.screens.{place}")
    return cast("Screen[None]", getattr(module, _SCREENS[place])())
