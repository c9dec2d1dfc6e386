"""The help page, made from the action table: first the keys of the screen one came from."""

from __future__ import annotations

from llm_music_gen.tui.actions import ACTIONS, EVERYWHERE, LEAVE_FIELD
from llm_music_gen.tui.screens.dialogs import Page

_TITLES = {
    "main": "Main Menu", "generate": "Generate Music", "jukebox": "Output Jukebox", "configuration": "Configuration",
    "jobs": "Jobs", "songs": "Songs", "processing": "Process Audio",
}  # fmt: skip
_NOTES = """
Letters act in either case, but not while you type in a field; Esc leaves the field.
To mark text with the mouse, hold Shift. Ctrl+P finds any action by its name.
What was made lies in data/songs, what went wrong stands in data/logs."""


def help_page(place: str) -> Page:
    """Help for one screen, then for the others."""
    places = [place, EVERYWHERE, *(other for other in ACTIONS if other not in (place, EVERYWHERE))]
    parts = []
    for name in places:
        rows = [
            f"  {action.key_text:<8} {action.help}"
            for action in (*ACTIONS.get(name, ()), *((LEAVE_FIELD,) if name == EVERYWHERE else ()))
        ]
        if rows:
            parts.append("\n".join([_TITLES.get(name, name), *rows]))
    return Page("Help", "\n\n".join(parts) + "\n" + _NOTES)
