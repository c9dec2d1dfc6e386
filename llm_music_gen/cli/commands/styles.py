"""`styles`: lists the words that the studio knows."""

from __future__ import annotations

import argparse

from llm_music_gen.cli.options import open_studio


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command takes no arguments."""


def run(_arguments: argparse.Namespace) -> int:
    """Print styles, then moods; all of them can be mixed."""
    with open_studio() as studio:
        styles, moods = studio.words()
    print("Styles: " + ", ".join(styles))
    print("Moods:  " + ", ".join(moods))
    print('Mix them freely: llm-music-gen generate "dreamy jazz, winter"')
    return 0
