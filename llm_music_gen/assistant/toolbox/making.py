"""Tools that make music: songs, tracks at a frequency, the same again, notation played as it is."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from llm_music_gen.assistant.answer import Answer
from llm_music_gen.assistant.desk import Desk
from llm_music_gen.assistant.reach import made_dir
from llm_music_gen.domain.progress import Work
from llm_music_gen.domain.song import Song
from llm_music_gen.errors import StudioError, UsageError
from llm_music_gen.studio.batch import Outcome, song_facts
from llm_music_gen.studio.files import write_text
from llm_music_gen.studio.names import safe_name
from llm_music_gen.studio.request import GenerateRequest, LongWords, RenderRequest, titled
from llm_music_gen.tools.spec import Range

Mode = Literal["tuned_music", "drone", "binaural", "isochronic", "monaural", "noise"]
#: Where words name no style: what suits hours at one frequency.
_USUAL_STYLE = "meditation"
_LAYERS_OF_MODE = ("binaural", "isochronic", "monaural")


def compose(
    desk: Desk,
    style: list[str] | None = None,
    n: Annotated[int, Range(1, 1000)] = 1,
    len_s: Annotated[float | None, Range(10, 86_400, "seconds")] = None,
    key: str = "",
    bpm: Annotated[float | None, Range(20, 400, "beats a minute")] = None,
    meter: str = "",
    instruments: list[str] | None = None,
    no: list[str] | None = None,
    title: str = "",
    mood: str = "",
    from_: str = "",
    bpm_ratio: Annotated[float | None, Range(0.25, 4.0)] = None,
) -> Work[Answer]:
    """Make songs in the styles named, at concert pitch.

    style: Styles and genres, such as chill, dubstep; blended where there are several, any where none is named.
    n: How many songs.
    len_s: How long each is.
    key: As in ABC: C, Dm, F#m.
    bpm: Tempo.
    meter: Such as 4/4, 3/4, 7/8.
    instruments: Instruments wished for.
    no: Instruments or roles that must not sound.
    title: Its name.
    mood: Words for the mood: happy, sad, dark.
    from: A song that it shall be like: "last", or its name.
    bpm_ratio: Tempo in proportion to that song.
    """
    words = [*(style or []), *(word.strip() for word in mood.split(",") if word.strip())]
    like = desk.song_named(from_) if from_ else None
    request = desk.studio.request_like(like) if like is not None else GenerateRequest((_USUAL_STYLE,))
    if words:
        request = replace(request, styles=GenerateRequest.from_words(", ".join(words)).styles)
    elif like is None:
        request = replace(request, styles=(secrets.choice(desk.studio.words()[0]),))
    if like is not None and bpm is None:
        bpm = round(like.tempo_bpm * (bpm_ratio or 1.0), 1)
    request = replace(
        request.changed(songs=n, length=_length(len_s), key=key or None, tempo=bpm, meter=meter or None),
        instruments=tuple(instruments or ()), without=tuple(no or ()), title=titled(title),
    )  # fmt: skip
    return (yield from made(desk, desk.studio.generate(request), "compose"))


def frequency(
    desk: Desk,
    mode: Mode = "tuned_music",
    style: list[str] | None = None,
    n: Annotated[int, Range(1, 1000)] = 1,
    key: str = "",
    base_hz: Annotated[float | None, Range(0.1, 20_000, "Hz")] = None,
    a4: Annotated[float | None, Range(300, 700, "Hz")] = None,
    beat_hz: Annotated[float | None, Range(0.1, 45, "Hz")] = None,
    beat_hz_ramp: Annotated[list[float] | None, Range(0.1, 45, "Hz")] = None,
    ramp_s: Annotated[float | None, Range(1, 86_400, "seconds")] = None,
    noise: str = "",
    layers: list[str] | None = None,
    steps_hz: Annotated[list[float] | None, Range(0.1, 20_000, "Hz")] = None,
    step_s: Annotated[float | None, Range(10, 86_400, "seconds")] = None,
    len_s: Annotated[float | None, Range(10, 86_400, "seconds")] = None,
    fade_s: Annotated[float | None, Range(0, 3600, "seconds")] = None,
    level_db: Annotated[float | None, Range(-40, 12, "dB")] = None,
    narration: str = "",
    voice: str = "",
) -> Work[Answer]:
    """Make music tuned to an exact frequency, or tones, beats for the ears and noise.

    mode: tuned_music composes; drone is a held sound; the others sound alone.
    style: Styles of the music.
    n: How many tracks.
    key: As in ABC: C, Dm.
    base_hz: Where the tonic or the carrier lies.
    a4: The reference pitch instead: 432, 440.
    beat_hz: Rate of the beat.
    beat_hz_ramp: From which rate to which.
    ramp_s: How long that takes.
    noise: Its colour: white, pink, brown, blue, violet, grey.
    layers: What lies under it: rain, surf, wind.
    steps_hz: Several frequencies, one after the other.
    step_s: How long each lasts.
    len_s: How long it is.
    fade_s: How long it fades out.
    level_db: Of the layers, louder or softer than usual.
    narration: The name of a text file that is spoken over it.
    voice: Who speaks it.
    """
    if narration:
        desk.reach.check(Path(narration).expanduser(), narration)
    if beat_hz_ramp and len(beat_hz_ramp) != 2:
        raise UsageError("A glide goes from one rate to another: two numbers.")
    under = _layers(mode, beat_hz, beat_hz_ramp, ramp_s, noise, layers or [], level_db)
    alone = mode in (*_LAYERS_OF_MODE, "noise")
    if alone and steps_hz:
        raise UsageError("Beats and noise have no steps of frequency.", hint="Music and drones do.")
    words = style or (["drone"] if mode == "drone" else [_USUAL_STYLE])
    exact = ", ".join(f"{hz:.10g}" for hz in steps_hz or filter(None, (base_hz,)))
    tuning = f"A4={a4:.10g}" if a4 and not steps_hz else exact
    request = GenerateRequest.from_words(
        ", ".join(words), songs=n, length=_length(len_s), key=key or None, frequency=tuning or None,
        long=LongWords(
            each=f"{step_s:g}s" if step_s else "", layers=", ".join(under), only_layers=alone,
            fade=f"{fade_s:g}s" if fade_s else "", narration=narration, voice=voice,
        ),
    )  # fmt: skip
    return (yield from made(desk, desk.studio.generate(request), "frequency"))


def remake(desk: Desk, song: str = "last") -> Work[Answer]:
    """Make a song again from its recipe, byte for byte.

    song: Its name, or "last".
    """
    return (yield from made(desk, desk.studio.remake(desk.song_named(song).folder), "remake"))


def edit(desk: Desk, song: str = "last", request: str = "") -> Work[Answer]:
    """Change a finished song as the words say: key, tempo, metre, instruments, sections, a calmer part, another ending.

    song: Its name, or "last".
    request: What shall be different.
    """
    room = desk.studio.editing()
    plan = room.plan(desk.song_named(song), request)
    doing = [str(operation) for operation in plan.operations]
    changed = yield from room.run(plan)
    desk.reach.allow(changed.folder)
    text = " ".join([f'"{changed.title}": {"; ".join(doing)}.', *plan.remarks])
    return Answer(
        text, "edit", {"song": song_facts(changed), "operations": doing}, files=tuple(filter(None, (changed.audio_file,))),
        file=changed.audio_file, song=changed.folder.name, undo={"kind": "edited", "song": changed.folder.name},
    )  # fmt: skip


def render_abc(desk: Desk, abc: str, instruments: list[str] | None = None) -> Work[Answer]:
    """Play ABC notation as it is.

    abc: The notation itself, or the name of an .abc or MIDI file.
    instruments: Who plays it: the tune, then the chords; empty is a piano.
    """
    named = abc.strip()
    if "\n" not in named and named.lower().endswith((".abc", ".mid", ".midi")):
        file = desk.reach.check(Path(named).expanduser(), named)
        if not file.is_file():
            raise UsageError(f"There is no file {named!r}.", hint="Give its whole name, or the notation itself.")
    else:
        file = _kept(desk, named)
    request = replace(RenderRequest.from_words(file), instruments=tuple(instruments or ()))
    return (yield from made(desk, desk.studio.render_file(request), "render_abc"))


def made(desk: Desk, work: Work[Sequence[Outcome]], tool: str) -> Work[Answer]:
    """Follow the making of songs. Raises StudioError where not one came out."""
    with closing(work):
        outcomes = yield from work
    songs = [outcome.song for outcome in outcomes if outcome.song is not None]
    errors = [outcome.error for outcome in outcomes if outcome.error]
    if not songs:
        raise StudioError(errors[0] if errors else "Nothing was made.")
    sentences = [_said(song) for song in songs] + [f"One failed: {error}" for error in errors]
    sentences += dict.fromkeys(hint for song in songs for hint in song.hints)
    for song in songs:
        desk.reach.allow(song.folder)
    filed = [song for song in songs if song.folder.parent == desk.studio.paths.songs_dir]
    return Answer(
        " ".join(sentences), tool, {"songs": [song_facts(song) for song in songs]},
        files=tuple(song.audio_file for song in songs if song.audio_file), file=songs[-1].audio_file,
        song=filed[-1].folder.name if filed else "",
        undo={"kind": "songs", "folders": [song.folder.name for song in filed]} if filed else None,
    )  # fmt: skip


def _said(song: Song) -> str:
    minutes, seconds = divmod(round(song.length_s), 60)
    return f'"{song.title}" is ready ({minutes}:{seconds:02d}, {song.key}, {song.tempo_bpm:g} BPM).'


def _length(len_s: float | None) -> str | None:
    return None if len_s is None else f"{round(len_s, 3):g}s"


def _layers(
    mode: str,
    beat_hz: float | None,
    ramp: Sequence[float] | None,
    ramp_s: float | None,
    noise: str,
    names: Sequence[str],
    level_db: float | None,
) -> list[str]:
    """The layers as they are written for `generate --layers`."""
    out: list[str] = []
    beating = mode if mode in _LAYERS_OF_MODE else "binaural" if beat_hz or ramp else ""
    if beating:
        rate = f"{ramp[0]:g}-{ramp[1]:g}" if ramp else f"{beat_hz or 6.0:g}"
        glide = f" {ramp_s / 60.0:g}min" if ramp and ramp_s else ""
        out.append(f"{beating} {rate}{glide}")
    if noise or (mode == "noise" and not names):
        out.append(noise or "pink")
    out += names
    return [f"{layer} {level_db:+g}dB" for layer in out] if level_db else out


def _kept(desk: Desk, abc: str) -> Path:
    """Notation that was typed, as a file."""
    title: Any = next((line[2:].strip() for line in abc.splitlines() if line.startswith("T:")), "")
    folder = made_dir(desk.studio.paths)
    folder.mkdir(parents=True, exist_ok=True)
    stem, number = safe_name(title or "Notation"), 1
    while (file := folder / f"{stem}{f' {number}' if number > 1 else ''}.abc").exists():
        number += 1
    text = abc if abc.lstrip().startswith("X:") else f"X:1\nT:Notation\nM:4/4\nL:1/8\nK:C\n{abc}\n"
    write_text(file, text)
    return file
