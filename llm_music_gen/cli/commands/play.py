"""`play FILE|FOLDER`: opens the jukebox with any audio files, or plays them without a screen."""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llm_music_gen.playback.track import Track


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("files", metavar="FILE|FOLDER", nargs="+", type=Path, help="audio files, folders or M3U playlists")
    parser.add_argument("--plain", action="store_true", help="without the app: play to the end, one line a track")


def run(arguments: argparse.Namespace) -> int:
    """Play; in a terminal with the jukebox on the screen."""
    from llm_music_gen.playback.track import tracks_at

    tracks = [track for path in arguments.files for track in tracks_at(path)]
    if arguments.plain or not sys.stdout.isatty():
        return _play_plainly(tracks)
    from llm_music_gen.tui.app import run_app

    return run_app(tracks)


def _play_plainly(tracks: list[Track]) -> int:
    from llm_music_gen.paths import studio_paths
    from llm_music_gen.playback.jukebox import Jukebox
    from llm_music_gen.playback.miniaudio_player import MiniaudioPlayer
    from llm_music_gen.settings import load_settings

    settings = load_settings(studio_paths().settings_file)
    with closing(Jukebox(MiniaudioPlayer(), volume_percent=settings.volume_percent)) as jukebox:
        jukebox.play_tracks(tracks)
        shown: Track | None = None
        while (current := jukebox.queue.current) is not None:
            if current != shown:
                shown = current
                print(f"Llm-Music-Gen: Playing song: {current.title}", flush=True)
            time.sleep(0.1)
            jukebox.tick()
            for sentence in filter(None, (jukebox.take_notice(),)):
                print(f"Llm-Music-Gen: {sentence}", file=sys.stderr)
        if jukebox.device_notice:
            print(f"Llm-Music-Gen: {jukebox.device_notice}", file=sys.stderr)
    return 0
