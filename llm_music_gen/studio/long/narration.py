"""A spoken text over a long track: spoken before the plan, recorded with its times, laid over the music when it is finished."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from llm_music_gen import disk
from llm_music_gen.composing.lengths import LengthRange
from llm_music_gen.composing.theme import SongRequest
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.errors import LibraryError, StorageError
from llm_music_gen.paths import StudioPaths
from llm_music_gen.sound.long.narration import Ducking, Narration
from llm_music_gen.studio.files import write_text
from llm_music_gen.studio.long.plan import LongPlan, LongWish
from llm_music_gen.studio.long.record import NarrationRecord, SpokenRecord
from llm_music_gen.studio.long.speaking import NarrationWish, speak_script
from llm_music_gen.studio.recipe import Recipe, file_sha256
from llm_music_gen.studio.voice_room import Transcript
from llm_music_gen.units import SAMPLE_RATE_HZ
from llm_music_gen.voice.ports import Heard
from llm_music_gen.voice.script import Place, check_fits, clock, needed_s

#: Where the voice lies in a song's folder, beside the recipe.
SPEECH_FILE = Path("narration", "speech.flac")
#: The music gives way by this much; the voice is as loud as the music is alone, so that it stands by as much over it.
DUCK_DB, OVER_MUSIC_LU = 11.0, 0.0
#: By day and by night. The music comes up by 2.2 and 1.1 dB in 0.4 s, under what counts as sudden there (3 and 1.5 LU); at night
#: it stays down in the usual pauses between paragraphs.
_ATTACK_S, _RELEASE_S, _HOLD_S = {"day": 0.8, "night": 1.2}, {"day": 3.0, "night": 6.0}, {"day": 5.0, "night": 10.0}


def planned_with_voice(
    wanted: NarrationWish | None,
    song: SongRequest,
    long: LongWish,
    plan: Callable[[SongRequest], Work[LongPlan]],
    speech: Path,
    paths: StudioPaths,
) -> Work[LongPlan]:
    """Speak the narration into the file `speech`, then plan a track that it fits into. Yields "theme" and "tune".

    Without a narration it only plans. Raises StudioError before the plan is made where the text cannot be spoken or is too long.
    """
    if wanted is None:
        return (yield from plan(song))
    name, places = yield from speak_script(wanted, speech, paths)
    yield Progress("theme", 0.0, summary(places), {"note": True, "narration_s": spoken_s(places)})
    planned = yield from plan(replace(song, length=_fitting(song.length, long, places)))
    record = NarrationRecord(
        voice=name, rate_wpm=wanted.rate_wpm, sha256=file_sha256(speech), duck_db=DUCK_DB, attack_s=_ATTACK_S[long.calm],
        release_s=_RELEASE_S[long.calm], hold_s=_HOLD_S[long.calm], over_music_lu=OVER_MUSIC_LU,
        spans=tuple(
            SpokenRecord(start_s=place.start_s, end_s=round(place.start_s + place.length_s, 1), text=place.text)
            for place in places
        ),
    )  # fmt: skip
    return replace(planned, recipe=planned.recipe.model_copy(update={"narration": record}))


def summary(places: tuple[Place, ...]) -> str:
    """How long the narration is, for people."""
    first, last = places[0], places[-1]
    sentences = f"{len(places)} sentence{'s' if len(places) > 1 else ''}"
    return (
        f"The narration: {clock(spoken_s(places))} of speech in {sentences}, from {clock(first.start_s)} to "
        f"{clock(last.start_s + last.length_s)}."
    )


def spoken_s(places: tuple[Place, ...]) -> float:
    """How long somebody speaks, pauses left out."""
    return round(sum(place.length_s for place in places), 1)


def narration_of(recipe: Recipe, speech: Path) -> Narration | None:
    """What is laid over the music of a recipe, the voice in the file `speech`. Raises StorageError when that is not what was
    recorded."""
    record = recipe.narration
    if record is None:
        return None
    title = recipe.theme.title
    try:
        same = file_sha256(speech) == record.sha256
    except FileNotFoundError as error:
        raise StorageError(f'The voice of "{title}" is gone.', hint=f"Put {speech} back, or make the track anew.") from error
    except OSError as error:
        raise disk.storage_error(speech, error) from error
    if not same:
        raise StorageError(
            f'The voice of "{title}" in {speech} is not the one that was recorded.', hint="Put it back, or make the track anew."
        )
    spans = []
    for span in record.spans:
        first = round(span.start_s * 10) * SAMPLE_RATE_HZ // 10
        spans.append((first, round(span.end_s * 10) * SAMPLE_RATE_HZ // 10 - first))
    ducking = Ducking(record.duck_db, record.attack_s, record.release_s, record.hold_s)
    return Narration(speech, tuple(spans), ducking, record.over_music_lu)


def speech_beside(recipe: Recipe, recipe_path: Path) -> Path | None:
    """The file with the voice beside a recipe that has one. Raises LibraryError when it is not there."""
    if recipe.narration is None:
        return None
    folder = recipe_path if recipe_path.is_dir() else recipe_path.parent
    if not (folder / SPEECH_FILE).is_file():
        raise LibraryError(
            f"The voice of this track is not beside its recipe ({SPEECH_FILE.as_posix()}).", hint="Give the song's own folder."
        )
    return folder / SPEECH_FILE


@contextlib.contextmanager
def speech_in_work(unfinished_dir: Path, key: str) -> Iterator[Path]:
    """Where the voice lies until its track is begun; nothing of it stays there."""
    speech = unfinished_dir / f"{key}.speech.flac"
    try:
        yield speech
    finally:
        speech.unlink(missing_ok=True)


def copy_speech(speech: Path, target: Path) -> None:
    """A copy of the voice, whole or not at all. Raises StorageError."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with speech.open("rb") as source, disk.being_written(target) as file:
            shutil.copyfileobj(source, file, 1 << 20)
    except OSError as error:
        raise disk.storage_error(target, error) from error


def deliver_narration(recipe: Recipe, speech: Path, folder: Path, stem: str) -> None:
    """The voice and its subtitles beside a finished track; nothing where nobody speaks. Raises StorageError."""
    record = recipe.narration
    if record is None:
        return
    copy_speech(speech, folder / SPEECH_FILE)
    heard = tuple(Heard(span.text, span.start_s, span.end_s, 1.0) for span in record.spans)
    length_s = recipe.theme.length_frames / SAMPLE_RATE_HZ
    cues = Transcript(folder / f"{stem}.{recipe.formats[0]}", record.voice, length_s, heard)
    for form in ("srt", "vtt"):
        write_text(folder / f"{stem}.{form}", cues.written(form))


def _fitting(length: LengthRange, long: LongWish, places: tuple[Place, ...]) -> LengthRange:
    """The lengths of the range that the narration fits into. Raises UsageError when there are none."""
    if len(long.frequencies) > 1:
        check_fits(places, long.step_s * len(long.frequencies))
        return length
    check_fits(places, float(length.max_s))
    return replace(length, min_s=max(length.min_s, Fraction(needed_s(places))))
