"""Tools for the studio itself: playing, the library, the queue of work, settings."""

from __future__ import annotations

import re
from contextlib import closing
from typing import Literal

from llm_music_gen.assistant.answer import Answer
from llm_music_gen.assistant.desk import Desk
from llm_music_gen.domain.job import Job, JobState
from llm_music_gen.errors import JobError, SettingsError, UsageError
from llm_music_gen.jobs.queue import JobQueue
from llm_music_gen.settings import Settings, load_settings, nearest_key, save_settings, setting_fields, with_setting
from llm_music_gen.studio.batch import song_facts
from llm_music_gen.studio.work_queue import open_queue

LibraryAction = Literal["list", "find", "remove", "restore", "rescan", "rename", "like"]
JobAction = Literal["status", "cancel", "pause", "resume"]
_MOST_LISTED = 30


def play(desk: Desk) -> Answer:
    """Play what was just made, the current file or the last song."""
    paths = desk.fresh or (desk.current(),)
    said = paths[0].name if len(paths) == 1 else f"{len(paths)} songs"
    return Answer(f"Playing {said}.", "play", files=paths, play=paths)


def queue(desk: Desk) -> Answer:
    """Show what is being made and what waits."""
    with closing(open_queue(desk.studio.paths, may_work=False)) as jobs:
        open_jobs = [job for job in jobs.jobs() if not job.state.is_over]
    text = "\n".join(_line(job) for job in open_jobs) or "Nothing is being made, and nothing waits."
    return Answer(text, "queue", {"jobs": [_facts(job) for job in open_jobs]})


def library(desk: Desk, action: LibraryAction = "list", songs: list[str] | None = None) -> Answer:
    """Look through the songs, or move some of them to the trash.

    action: list, find, remove, restore (brings back what was removed last), rescan.
    songs: Names of songs; "last" is the last one.
    """
    shelf = desk.studio.library
    if action in ("rename", "like"):
        raise UsageError("A song's name is part of its recipe, and songs are not rated.", hint="Give a title when it is made.")
    if action == "rescan":
        came, went = shelf.rescan()
        return Answer(f"{came} songs came in, {went} went out.", "library", {"came": came, "went": went})
    if action == "restore":
        song = shelf.restore()
        return Answer(f'"{song.title}" is back.', "library", song=song.folder.name)
    if action == "remove":
        if not songs:
            raise UsageError("Say which song.", hint='For example: delete the song "Night Rain".')
        found = [desk.song_named(name) for name in songs]
        for song in found:
            shelf.remove(song)
        names = " and ".join(f'"{song.title}"' for song in found)
        undo = {"kind": "removed", "folders": [song.folder.name for song in found]}
        return Answer(f"{names} lies in the trash and can be brought back.", "library", undo=undo)
    listings = [shelf.search(name) for name in songs or [""]]
    count = sum(len(listing) for listing in listings)
    listed = [song for listing in listings for song in listing[-_MOST_LISTED:]][-_MOST_LISTED:]
    lines = [f'"{song.title}" ({", ".join(song.styles)}; {song.length_s / 60:.1f} min)' for song in listed]
    said = f"{count} song{'' if count == 1 else 's'}"
    more = f", the last {_MOST_LISTED}" if count > _MOST_LISTED else ""
    text = "\n".join([f"{said}{more}:", *lines] if lines else [f"{said}."])
    return Answer(text, "library", {"count": count, "songs": [song_facts(song) for song in listed]})


def job(desk: Desk, action: JobAction = "status", id: str = "") -> Answer:
    """How work in the queue gets on; stop it, hold it, or go on with it.

    action: status, cancel, pause, resume.
    id: Of the job, or its number in the list; empty means the one that runs.
    """
    with closing(open_queue(desk.studio.paths, may_work=action != "status")) as jobs:
        found = _job(jobs, id)
        if found is None:
            return Answer("Nothing is being made at the moment.", "job", {"jobs": []})
        if action != "status":
            {"cancel": jobs.cancel, "pause": jobs.pause, "resume": jobs.resume}[action](found.uid)
            done = {"cancel": "is stopped", "pause": "is held", "resume": "goes on"}[action]
            return Answer(f'"{found.title}" {done}.', "job", _facts(found))
        return Answer(_line(found), "job", _facts(found), failed=found.state is JobState.FAILED)


def set_(desk: Desk, key: str, value: str) -> Answer:
    """Change a setting of the studio.

    key: Its name: volume_percent, song_length, formats, soundfont, loudness_lufs ...
    value: What it shall be.
    """
    known = {field.key: field for field in setting_fields()}
    name = _SAID.get(key, key) if key not in known else key
    if name not in known:
        near = nearest_key(key) if key else None
        raise SettingsError(
            f"There is no setting {key!r}." if key else "I do not see which setting is meant.",
            hint=f"Did you mean {near!r}?" if near else f"There are {', '.join(known)}.",
        )
    file = desk.studio.paths.settings_file
    settings = load_settings(file)
    before = getattr(settings, name)
    changed = with_setting(settings, name, _read(name, value, settings))
    save_settings(changed, file)
    desk.studio.settings = changed
    kept = list(before) if isinstance(before, tuple) else before
    after = getattr(changed, name)
    return Answer(
        f"{known[name].title} is now {_shown(after)} (was {_shown(before)}).",
        "set",
        {"key": name, "value": list(after) if isinstance(after, tuple) else after, "before": kept},
        undo={"kind": "setting", "key": name, "value": kept},
    )


#: What people call settings.
_SAID = {
    "volume": "volume_percent", "length": "song_length", "format": "formats", "output_format": "formats", "folder": "output_dir",
    "output_folder": "output_dir", "loudness": "loudness_lufs", "bitrate": "mp3_kbps", "bit_rate": "mp3_kbps", "colours": "theme",
    "colors": "theme", "colour_theme": "theme", "sound_font": "soundfont", "threads": "thread_fraction",
}  # fmt: skip


def _read(name: str, value: str, settings: Settings) -> object:
    before, text = getattr(settings, name), value.strip()
    if isinstance(before, bool):
        return text.casefold() in ("yes", "true", "on", "1")
    if isinstance(before, tuple):
        return tuple(part.strip().lower() for part in text.split(",") if part.strip())
    if isinstance(before, int | float):
        number = re.fullmatch(r"([-+]?\d{1,9}(?:\.\d+)?)\s*(?:%|[a-z]{1,12})?", text, re.IGNORECASE)  # with its unit
        if number is None:
            raise SettingsError(f"{value!r} is no number for {name}.", hint="Give a number, such as 60.")
        return float(number[1]) if isinstance(before, float) else int(float(number[1]))
    return text


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return {True: "on", False: "off", "": "empty"}.get(value, str(value)) if isinstance(value, bool | str) else str(value)


def _job(jobs: JobQueue, name: str) -> Job | None:
    """The job that is meant; without a name the running one, else the newest that is not over."""
    known = jobs.jobs()
    if name:
        if name.isdigit() and 1 <= int(name) <= len(known):
            return known[int(name) - 1]
        named = [job for job in known if job.uid.startswith(name)]
        if len(named) != 1:
            raise JobError(f"There is no job {name!r}.", hint='Ask "what is in the queue".')
        return named[0]
    running = [job for job in known if job.state is JobState.RUNNING]
    waiting = [job for job in known if not job.state.is_over]
    found = running or waiting
    return found[-1] if found else None


def _line(job: Job) -> str:
    note = job.error or job.message
    return f"{job.title}: {job.state.value}, {round(job.fraction * 100)} %{f', {note}' if note else ''} (job {job.uid})"


def _facts(job: Job) -> dict[str, object]:
    return {
        "id": job.uid, "title": job.title, "kind": job.kind, "state": job.state.value, "fraction": round(job.fraction, 4),
        "message": job.message, "error": job.error, "result": job.result,
    }  # fmt: skip
