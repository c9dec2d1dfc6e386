"""Opens the app when the program is started without arguments."""

from __future__ import annotations

import importlib.util
import sys


def open_app() -> int:
    """Run the terminal app and return its exit code; where it cannot run, say what can be typed instead."""
    if importlib.util.find_spec("llm_music_gen.tui.app") is None or not sys.stdout.isatty():
        print('Llm-Music-Gen: The app needs a terminal. To make a song here, type: llm-music-gen generate "Chill, Dubstep"')
        return 0 if not sys.stdout.isatty() else 1
    module = importlib.import_module("llm_music_gen.tui.app")
    code: int = module.run_app()
    return code
