"""Draws the pictures of the README from the real app at work: `python docs/pictures/draw.py`. Takes a minute or two.

In a studio of its own three short songs are made, then the app is driven by its keys, with a device that plays to nobody.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from llm_music_gen.domain.job import JobState
from llm_music_gen.paths import HOME_VARIABLE
from llm_music_gen.playback.jukebox import Jukebox
from llm_music_gen.playback.miniaudio_player import MiniaudioPlayer
from llm_music_gen.settings import save_settings, with_setting
from llm_music_gen.studio.request import GenerateRequest
from llm_music_gen.studio.studio import Studio
from llm_music_gen.tui.app import StudioApp
from llm_music_gen.tui.services import open_services

FOLDER = Path(__file__).parent
SIZE = (100, 27)
PATIENCE_S = 120.0


def make_songs() -> None:
    """Three songs for the library, and a song length that is drawn quickly."""
    with Studio.open() as studio:
        for seed, styles in enumerate(("Lo-Fi, Rainy", "Folk", "Ambient, Night"), start=21):
            for _ in studio.generate(GenerateRequest.from_words(styles, length="50s", seed=seed)):
                pass
        save_settings(with_setting(studio.settings, "song_length", "4-6"), studio.paths.settings_file)


async def until(pilot: Pilot[int], holds: Callable[[], bool]) -> None:
    """Let the app go on until something holds."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError("The app did not come so far.")
        await pilot.pause(0.1)


async def draw() -> None:
    """Main menu, jukebox, generating, configuration."""
    services = open_services()
    services.jukebox.close()
    services.jukebox = Jukebox(MiniaudioPlayer(null_device=True), volume_percent=services.settings.volume_percent, seed=1)
    app = StudioApp(services)

    def save(name: str) -> None:
        (FOLDER / f"{name}.svg").write_text(app.export_screenshot(title="Llm-Music-Gen"), encoding="utf-8")

    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: len(app.songs) == 3)
        await pilot.pause(0.5)
        save("main-menu")
        await pilot.press("3")
        await pilot.pause(0.5)
        save("configuration")
        await pilot.press("b", "2", "w")
        await pilot.pause(0.5)
        await pilot.press("space")
        await pilot.pause(12)
        save("jukebox")
        await pilot.press("s", "b", "1")
        await pilot.press(*"Chill", "comma", "space", *"Dubstep", "enter")
        await pilot.press("backspace", "3", "enter")
        await until(pilot, lambda: any(job.fraction > 0.15 for job in app.jobs))
        await pilot.pause(0.3)
        save("generate")
        app.bridge.do(lambda queue: queue.stop())
        await until(pilot, lambda: not any(job.state is JobState.RUNNING for job in app.jobs))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ[HOME_VARIABLE] = home
        make_songs()
        asyncio.run(draw())
