"""Tools for words: speaking them into a file, and writing down those in a file."""

from __future__ import annotations

import re
from pathlib import Path

from llm_music_gen.assistant.answer import Answer
from llm_music_gen.assistant.desk import Desk
from llm_music_gen.assistant.reach import made_dir
from llm_music_gen.domain.progress import Work
from llm_music_gen.errors import StorageError
from llm_music_gen.studio import voice_room as room

_LONGEST_NAME = 40


def speak(desk: Desk, text: str, voice: str = "") -> Work[Answer]:
    """Speak a text into a sound file.

    text: What is said.
    voice: Name of a voice; the usual one where none is named.
    """
    paths = desk.studio.paths
    out = _free(made_dir(paths), text)
    yield from room.speak_to_file(text, voice, room.USUAL_RATE_WPM, out, paths, desk.studio.settings)
    return Answer(f"Spoken: {out}", "speak", {"file": str(out)}, files=(out,), file=out, play=(out,))


def transcribe(desk: Desk, files: list[str] | None = None) -> Work[Answer]:
    """Write down what is said in audio files.

    files: Their names; the current one where none is named.
    """
    found = desk.audio(files or ())
    told, facts = [], []
    for path in found:
        transcript = yield from room.transcribe_file(path, "", "", desk.studio.paths)
        told.append(f"{path.name}: {transcript.text or 'no words were heard.'}")
        facts.append(transcript.as_json())
    return Answer("\n".join(told), "transcribe", {"files": facts}, files=found, file=found[-1])


def _free(folder: Path, text: str) -> Path:
    """A file that is not there yet, named after the first words. Raises StorageError."""
    words = re.sub(r"[^a-z0-9]+", "-", text[:200].lower()).strip("-")[:_LONGEST_NAME].strip("-")
    stem = f"spoken-{words}" if words else "spoken"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be made ({error.strerror or error}).", hint="Check the rights of its folder."
        ) from error
    path, number = folder / f"{stem}.wav", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}.wav"
    return path
