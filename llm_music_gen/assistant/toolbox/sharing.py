"""Tools for what goes out of the house: texts, pictures and videos for an upload that the user does."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from llm_music_gen.assistant.answer import Answer
from llm_music_gen.assistant.desk import Desk
from llm_music_gen.domain.progress import Work
from llm_music_gen.errors import UsageError
from llm_music_gen.studio.sharing import share, upload_texts

_MANUAL = "The upload itself is yours to do: the studio works offline."


def export_youtube(
    desk: Desk,
    visual: Literal["black", "cover", "file"] = "cover",
    only: Literal["", "text", "image", "video"] = "",
    picture: str = "",
) -> Work[Answer]:
    """Make what an upload needs of the current song or file: title, description with chapters, tags, pictures, a video.

    visual: What the video shows: a black screen, the cover, or a file of the user's.
    only: text, image or video; empty makes everything.
    picture: That file.
    """
    audio = desk.current()
    if only == "text":
        text = upload_texts(audio)
        return Answer(f"{text}\n{_MANUAL}", "export_youtube", {"text": text}, file=audio)
    shown: str = visual
    if visual == "file":
        if not picture:
            raise UsageError("Say which picture.", hint="Name a PNG, JPEG or MP4 file.")
        shown = str(desk.reach.check(Path(picture).expanduser(), picture))
    files = yield from share(audio, visual=shown, video=only != "image", pictures=only != "video")
    desk.reach.allow(files[0].parent)
    return Answer(
        f"Everything lies in {files[0].parent}. {_MANUAL}",
        "export_youtube",
        {"folder": str(files[0].parent)},
        files=files,
        file=audio,
    )
