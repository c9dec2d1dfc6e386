"""Writes docs/guide/keys.md from the app's one table of actions: `python docs/write_keys.py`."""

from __future__ import annotations

from pathlib import Path

from llm_music_gen.tui.actions import ACTIONS

PAGE = Path(__file__).parent / "guide" / "keys.md"
TITLES = {
    "main": "Main menu",
    "generate": "Generate music",
    "jukebox": "Output jukebox",
    "processing": "Process audio",
    "describing": "Describe audio",
    "assistant": "Assistant",
    "models": "Models, soundfonts, voices",
}
TOP = """# Keys

Letters act in either case, and not while you type in a field: `Esc` leaves it. The table of the screen you are on comes with `?`,
and `Ctrl+P` finds anything by typing.
"""


def page() -> str:
    """The whole page."""
    parts = [TOP]
    for place, actions in ACTIONS.items():
        rows = "".join(f"| `{action.key_text}` | {action.help} |\n" for action in actions)
        parts.append(f"## {TITLES.get(place, place.capitalize())}\n\n| key | |\n|---|---|\n{rows}")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
