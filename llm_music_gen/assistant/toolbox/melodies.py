"""The tool that writes down a melody that was sung, hummed, whistled or played."""

from __future__ import annotations

from typing import Annotated

from llm_music_gen.assistant.answer import Answer
from llm_music_gen.assistant.desk import Desk
from llm_music_gen.assistant.reach import made_dir
from llm_music_gen.domain.progress import Work
from llm_music_gen.studio import melody_room as room
from llm_music_gen.tools.spec import Range


def transcribe_melody(
    desk: Desk,
    files: list[str] | None = None,
    bpm: Annotated[float | None, Range(room.SLOWEST_BPM, room.FASTEST_BPM, "beats a minute")] = None,
    key: str = "",
    meter: str = "",
) -> Work[Answer]:
    """Write down a melody that one voice hums, sings, whistles or plays, as ABC notation and MIDI beside the recording.

    files: Their names; the current one where none is named.
    bpm: Tempo; nothing finds it.
    key: As in ABC: C, Dm, F#m; nothing finds it.
    meter: Such as 4/4, 3/4, 6/8; nothing finds 4/4 or 3/4.
    """
    told = room.Told.from_words(bpm, key, meter)
    paths = desk.audio(files or ())
    own = desk.studio.paths.songs_dir.resolve()
    lines, facts, written = [], [], []
    for path in paths:
        melody = yield from room.hear_melody(path, told)
        # A song's folder holds what its recipe made and nothing else.
        beside = None if not path.resolve().is_relative_to(own) else made_dir(desk.studio.paths)
        abc, midi = room.write_melody(melody, folder=beside)
        for made in (abc, midi):
            desk.reach.allow(made)
        written += [abc, midi]
        lines.append(f"{path.name}: {melody.summary()} Written: {abc} and {midi.name}.\n{melody.abc.strip()}")
        facts.append({**melody.as_json(), "written": [str(abc), str(midi)]})
    return Answer(
        "\n".join(lines), "transcribe_melody", {"files": facts}, files=tuple(written), file=paths[-1],
        undo={"kind": "files", "files": [str(path) for path in written]},
    )  # fmt: skip
