"""Opens the app when the program is started without arguments."""

from __future__ import annotations

import os
import sys


def open_app() -> int:
    """Run the terminal app and return its exit code; where it cannot run, say what can be typed instead."""
    served = "TEXTUAL_DRIVER" in os.environ  # to a browser, through pipes
    if not served and not sys.stdout.isatty():
        print('Llm-Music-Gen: The app needs a terminal. To make a song here, type: llm-music-gen generate "Chill, Dubstep"')
        return 0
    from llm_music_gen.tui.app import run_app

    return run_app()
