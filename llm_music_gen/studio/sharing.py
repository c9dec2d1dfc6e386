"""What an upload needs beside any audio file: texts, pictures, a video. The upload itself is the user's."""

from __future__ import annotations

from pathlib import Path

from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.errors import StudioError
from llm_music_gen.publishing import text
from llm_music_gen.publishing.kit import make_kit
from llm_music_gen.publishing.upload import Upload
from llm_music_gen.publishing.video import black_still, make_video
from llm_music_gen.sound.decode import audio_info
from llm_music_gen.studio.recipe import read_recipe
from llm_music_gen.studio.upload import upload_of


def upload_facts(audio: Path) -> Upload:
    """What is known of an audio file: all of its recipe where one lies beside it, else its name and length. Raises SoundError."""
    recipe_file = audio.parent / "recipe.json"
    if recipe_file.is_file():
        try:
            return upload_of(read_recipe(recipe_file))
        except StudioError:
            pass  # a recipe of something else: the file still has a name and a length
    info = audio_info(audio)
    return Upload(title=audio.stem, length_s=info.length_s)


def upload_texts(audio: Path) -> str:
    """Title, description with chapters, and tags, to be copied."""
    upload = upload_facts(audio)
    return f"{text.titles(upload)[0]}\n\n{text.description(upload)}\n{text.tags(upload)}\n"


def share(audio: Path, *, visual: str = "cover", video: bool = True, pictures: bool = True) -> Work[tuple[Path, ...]]:
    """Write the kit into a folder beside the audio, and a video with a black screen, the cover or a picture of the user's.

    `visual` is black, cover, or a file. Yields "data", "files" and "video". Raises StudioError; without ffmpeg no video.
    """
    folder = audio.with_name(f"{audio.stem} upload")
    if pictures or visual == "cover":
        yield from _part(make_kit(upload_facts(audio), audio, folder), 0.0, 0.4)
    if not video:
        return tuple(sorted(path for path in folder.iterdir() if path.is_file()))
    folder.mkdir(parents=True, exist_ok=True)
    picture = (
        folder / "cover.jpg"
        if visual == "cover"
        else black_still(folder / "black.png")
        if visual == "black"
        else Path(visual).expanduser()
    )
    target = folder / f"{audio.stem}.mp4"
    yield from _part(make_video(picture, audio, target), 0.4, 1.0)
    return (target, *sorted(path for path in folder.iterdir() if path.is_file() and path != target))


def _part(work: Work[Path], low: float, high: float) -> Work[Path]:
    """The reports of one part of the work as a share of all of it."""
    while True:
        try:
            report = next(work)
        except StopIteration as stop:
            result: Path = stop.value
            return result
        yield Progress(report.stage, low + (high - low) * report.fraction, report.message, report.detail)
