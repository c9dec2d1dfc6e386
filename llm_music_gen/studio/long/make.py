"""Makes a planned track: renders what is missing, evens out what stands out, finds the gain, encodes, files. Resumes anywhere."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

from llm_music_gen import disk
from llm_music_gen.arranging import write_midi
from llm_music_gen.composing.theme import resolve_style
from llm_music_gen.composing.tune import sheet_of
from llm_music_gen.composing.written import WrittenSection
from llm_music_gen.domain.machines import Machines
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.domain.score import Arrangement, Part
from llm_music_gen.domain.song import Song
from llm_music_gen.domain.theme import Theme
from llm_music_gen.errors import LibraryError, SoundError, UsageError
from llm_music_gen.jobs.awake import kept_awake
from llm_music_gen.library.shelf import read_song, songs_on_disk
from llm_music_gen.notation.abc_file import write_abc
from llm_music_gen.proof import prove
from llm_music_gen.sound.encode import LARGEST_WAV_BYTES, LOSSY, WAV_FRAME_BYTES
from llm_music_gen.sound.long.finish import BAND_QUALITY, CALM_QUALITY, encode_track
from llm_music_gen.sound.long.measure import measure_long_file
from llm_music_gen.sound.long.narration import VoicedSegments, narrated_loudness
from llm_music_gen.sound.long.render import TrackLoudness, render_track, track_loudness
from llm_music_gen.sound.long.store import FinishedSegments, SegmentDamaged, SegmentStore, segment_at, segment_count
from llm_music_gen.sound.master import CEILING_DBTP, LOSSY_CEILING_DBTP
from llm_music_gen.sound.tags import Tags, write_tags
from llm_music_gen.studio.cluster.track import segments_elsewhere
from llm_music_gen.studio.files import move_into_place, write_bytes, write_text
from llm_music_gen.studio.long.narration import deliver_narration, narration_of
from llm_music_gen.studio.long.record import LongRecord
from llm_music_gen.studio.long.score import open_track, track_of
from llm_music_gen.studio.long.unfinished import SONG_FOLDER, Unfinished, check_space, needed_bytes
from llm_music_gen.studio.long.waiting import whatever_the_disk_does, with_time_left
from llm_music_gen.studio.names import safe_name
from llm_music_gen.studio.promises import promises_of
from llm_music_gen.studio.recipe import Measured, Recipe
from llm_music_gen.studio.soundfont_facts import SoundfontFacts
from llm_music_gen.studio.upload import KIT_FOLDER, upload_kit
from llm_music_gen.styles import Style
from llm_music_gen.units import SAMPLE_RATE_HZ

_log = logging.getLogger(__name__)
#: Calm means calm, in momentary loudness: how fast it may rise, and how far stand out of its ten minutes.
MOST_RISE_LU = {"night": 1.5, "day": 3.0}
MOST_OVER_MEDIAN_LU = {"night": 2.0, "day": 4.0}
_MOST_ROUNDS = 3
_HELPED_LU = 0.3
#: What a chapter's last bowl may ring on into the next.
_TAIL_S = 45.0


@dataclass(frozen=True, slots=True)
class LongWorkshop:
    """What making a track needs beside its plan."""

    songs_dir: Path
    styles: Mapping[str, Style]
    styles_dir: Path | None
    soundfont: Path
    soundfont_facts: SoundfontFacts
    workers: int
    """Processes that render; 0 does everything in this one."""
    machines: Machines | None = None
    """Other computers that render the segments; without them this one does."""


def make_long(work: Unfinished, shop: LongWorkshop, *, anyway: bool = False) -> Work[Song]:
    """Finish a track in work and put it into the songs' folder. The result is the same however often it was interrupted.

    Yields "sound", "master", "convert" and "files" with `detail["whole"]`. Raises StudioError; what is rendered stays.
    With `anyway` a track whose soundfont or engine has changed since is rendered anew from its beginning.
    """
    song = yield from with_time_left(whatever_the_disk_does(work, partial(_claimed, work, shop), anyway))
    work.throw_away()
    return song


def _claimed(work: Unfinished, shop: LongWorkshop, anyway: bool) -> Work[Song]:
    recipe = work.recipe()
    if recipe.long is None:
        raise UsageError("This is the recipe of a song, not of a long track.")
    finished = None if work.order().again else _already_there(recipe, shop.songs_dir)
    if finished is not None:
        return finished
    with contextlib.closing(SegmentStore(work.folder)) as store, kept_awake():
        plan = store.plan()
        if plan is not None and plan != recipe.to_json():
            work.write_plan(plan)
            recipe = work.recipe()
        recipe = _same_engine(work, recipe, shop, store, anyway)
        narration_of(recipe, work.speech_path)  # a voice that is not the recorded one is noticed before hours of work
        damaged = store.damaged(store.rows())
        for index in damaged:
            store.forget(index)
        if damaged:
            yield Progress("sound", 0.0, f"{len(damaged)} damaged segments are rendered again", {"damaged": len(damaged)})
        while True:
            try:
                song = yield from _made(work, recipe, shop, store)
                break
            except SegmentDamaged as error:
                _log.warning("%s; it is rendered again", error)
                store.forget(error.index)
                recipe = work.recipe()
    return song


def _made(work: Unfinished, recipe: Recipe, shop: LongWorkshop, store: SegmentStore) -> Work[Song]:
    frames = recipe.theme.length_frames
    count = segment_count(frames)
    needed = needed_bytes(recipe, len(store.rows()), count)
    check_space(work.folder, needed)
    yield Progress("sound", len(store.rows()) / count, f"Takes {needed / 1e9:.1f} GB of disk while it is made")
    while True:
        make_track = partial(open_track, work.recipe_path, shop.styles_dir, shop.soundfont)
        elsewhere = segments_elsewhere(shop.machines, work.folder, recipe, shop.styles, shop.soundfont, shop.soundfont_facts)
        yield from render_track(make_track, store, frames, shop.workers, _unchanged(shop.soundfont), elsewhere)
        loudness = track_loudness(store.rows())
        calmer = _calmer(recipe, loudness)
        if calmer is None:
            break
        recipe = _replanned(work, store, calmer, _segments_of(calmer, recipe, count))
        yield Progress("sound", 0.0, "Some moments stood out; they are rendered again, softer")
    segments, narration = store.finished(frames), narration_of(recipe, work.speech_path)
    if narration is not None:
        told = narrated_loudness(store.rows(), narration, frames)
        loudness = replace(loudness, integrated_lufs=told.integrated_lufs, true_peak_db=told.true_peak_db)
        segments = VoicedSegments.of(segments, narration.voiced(told.level))
    lossy = any(name in LOSSY for name in recipe.formats)
    ceiling_dbtp = LOSSY_CEILING_DBTP - 0.5 if lossy else CEILING_DBTP - 0.05
    gain_db = loudness.gain_db(recipe.loudness_lufs, ceiling_dbtp)
    yield Progress("master", 1.0, f"{loudness.integrated_lufs + gain_db:.1f} LUFS", {"gain_db": round(gain_db, 2)})
    return (yield from _delivered(work, recipe, shop, segments, gain_db, loudness.integrated_lufs))


def _delivered(
    work: Unfinished, recipe: Recipe, shop: LongWorkshop, segments: FinishedSegments, gain_db: float, loudness_lufs: float
) -> Work[Song]:
    folder = work.folder / SONG_FOLDER
    folder.mkdir(exist_ok=True)
    stem = safe_name(recipe.theme.title)
    tags = _tags(recipe)
    assert recipe.long is not None
    quality = CALM_QUALITY if recipe.long.chapters[0].theme is None else BAND_QUALITY
    for number, name in enumerate(recipe.formats):
        path = folder / f"{stem}.{name}"
        if path.is_file():  # finished before an interruption; half-made ones have another name
            continue
        part = work.folder / f"finished.{name}"
        for report in encode_track(segments, gain_db, part, name, recipe.mp3_kbps, quality, work.folder, shop.workers):
            yield replace(
                report, fraction=(number + report.fraction) / len(recipe.formats), detail={**report.detail, "format": name}
            )
        write_tags(part, tags)
        with part.open("r+b") as file:
            disk.sync(file)
        disk.replace(part, path)
    if "wav" in recipe.formats and segments.frames * WAV_FRAME_BYTES > LARGEST_WAV_BYTES:
        said = "The WAV is over 4 GB, so it is an RF64 file: most editors and players read it, a few old ones do not."
        yield Progress("files", 0.0, said, {"note": True})
    yield Progress("files", 0.0, "Measuring the finished file")
    finished = folder / f"{stem}.{recipe.formats[0]}"
    measured = yield from measure_long_file(finished, shop.workers)
    done = recipe.model_copy(
        update={"measured": Measured(lufs=round(measured.integrated_lufs, 2), true_peak_dbtp=round(measured.true_peak_dbtp, 2))}
    )
    if recipe.long.music:
        write_text(folder / f"{stem}.abc", _abc(recipe))
    arrangement = _whole_arrangement(recipe, shop)
    if arrangement is not None:
        write_bytes(folder / f"{stem}.mid", write_midi(arrangement))
    write_text(folder / f"{stem} chapters.txt", chapter_list(recipe))
    deliver_narration(recipe, work.speech_path, folder, stem)
    write_text(folder / "recipe.json", done.to_json())
    if work.prompts_path.is_file():
        write_text(folder / work.prompts_path.name, work.prompts_path.read_text(encoding="utf-8"))
    style, _ = resolve_style(shop.styles, recipe.style_names, recipe.theme.mood)
    promises = promises_of(recipe, pulse=style.pulse)
    if gain_db < recipe.loudness_lufs - loudness_lufs:  # the peaks allowed no more, and nothing is squeezed to get there
        promises = replace(promises, lufs=loudness_lufs + gain_db)
    yield Progress("files", 0.5, "Proving it")
    proof = prove(finished, promises, loudness=measured)
    write_text(folder / "proof.json", proof.to_json())
    yield Progress("files", 0.7, proof.line(), {"proof": proof.passes})
    if work.order().upload_kit:
        for report in upload_kit(done, finished, folder / KIT_FOLDER):
            yield Progress("files", 0.7 + 0.29 * report.fraction, "Making the upload kit")
    song = read_song(move_into_place(folder, shop.songs_dir, recipe.theme.title))
    yield Progress("files", 1.0, f'"{song.title}" is finished')
    return song


def chapter_list(recipe: Recipe) -> str:
    """One line a chapter, as video descriptions want it: 0:00 Name."""
    assert recipe.long is not None
    lines = []
    for chapter in recipe.long.chapters:
        seconds = round(chapter.start_s)
        clock = (
            f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
            if seconds >= 3600
            else f"{seconds // 60}:{seconds % 60:02d}"
        )
        lines.append(f"{clock} {chapter.name}")
    return "\n".join(lines) + "\n"


def _same_engine(work: Unfinished, recipe: Recipe, shop: LongWorkshop, store: SegmentStore, anyway: bool) -> Recipe:
    """The recipe, when soundfont and engine are still those that rendered the first segments."""
    same_font = shop.soundfont_facts.sha256 == recipe.soundfont.sha256
    same_engine = recipe.render_fingerprint in ("", shop.soundfont_facts.fingerprint)
    if same_font and same_engine:
        return recipe
    if not anyway:
        what = "The soundfont is another" if not same_font else "This computer renders differently (another version or processor)"
        error = LibraryError if not same_font else SoundError
        raise error(
            f'{what} than when "{recipe.theme.title}" was begun, and the two must not be mixed.',
            hint=f'Put the old one back, or render it all anew with "llm-music-gen resume {work.key} --anyway".',
        )
    work.forget_finished()
    facts = shop.soundfont_facts
    changed = recipe.model_copy(
        update={
            "soundfont": recipe.soundfont.model_copy(update={"name": shop.soundfont.name, "sha256": facts.sha256}),
            "render_fingerprint": facts.fingerprint,
        }
    )
    return _replanned(work, store, changed, store.rows())


def _replanned(work: Unfinished, store: SegmentStore, recipe: Recipe, stale: Iterable[int]) -> Recipe:
    """Go on with another plan. It holds as soon as it stands beside the rows, in one step with those that it makes stale; the
    file that the renderers read follows.
    """
    store.replan(recipe.to_json(), stale)
    work.plan(recipe)
    return recipe


def _unchanged(soundfont: Path) -> Callable[[], None]:
    """Raises LibraryError from the moment on when the soundfont's file is no longer the one that stands there now."""

    def state() -> tuple[int, int]:
        found = soundfont.stat()
        return found.st_size, found.st_mtime_ns

    before = state()

    def check() -> None:
        with contextlib.suppress(OSError):  # what is loaded already needs no file
            if state() != before:
                raise LibraryError(f"{soundfont} was changed while the track was rendered with it.", hint="Put the old one back.")

    return check


def _calmer(recipe: Recipe, loudness: TrackLoudness) -> Recipe | None:
    """The recipe with events turned down in the chapters where they stood out, or None when it is calm enough."""
    long = recipe.long
    assert long is not None
    if long.chapters[0].theme is not None or long.rounds >= _MOST_ROUNDS:
        return None
    corrections, excesses = dict(long.corrections_db), {}
    for number, chapter in enumerate(long.chapters):
        first, last = int(chapter.start_s * 10), int((chapter.start_s + chapter.length_s) * 10)
        rise = float(loudness.rises_lu[first:last].max(initial=0.0)) - MOST_RISE_LU[long.calm]
        over = float(loudness.over_median_lu[first:last].max(initial=0.0)) - MOST_OVER_MEDIAN_LU[long.calm]
        excess = round(max(rise, over), 2)
        # Where turning events down did not help they were not the cause, and going on would only silence them.
        if excess > 0.0 and excess < long.excess_lu.get(number, float("inf")) - _HELPED_LU:
            # An event that rises by r over the bed does so by its own level; twice the excess and a little is enough.
            corrections[number] = round(corrections.get(number, 0.0) - 1.0 - 2.0 * excess, 2)
            excesses[number] = excess
    if not excesses:
        return None
    changed = {"corrections_db": corrections, "excess_lu": {**long.excess_lu, **excesses}, "rounds": long.rounds + 1}
    return recipe.model_copy(update={"long": long.model_copy(update=changed)})


def _segments_of(calmer: Recipe, before: Recipe, count: int) -> list[int]:
    """The segments in which chapters that were corrected sound."""
    assert calmer.long is not None and before.long is not None
    changed: list[int] = []
    for number, value in calmer.long.corrections_db.items():
        if before.long.corrections_db.get(number) != value:
            chapter = calmer.long.chapters[number]
            first = segment_at(int(chapter.start_s * SAMPLE_RATE_HZ))
            last = segment_at(int((chapter.start_s + chapter.length_s + _TAIL_S) * SAMPLE_RATE_HZ))
            changed += range(max(0, first), min(count, last + 1))
    return sorted(set(changed))


def _already_there(recipe: Recipe, songs_dir: Path) -> Song | None:
    """The song, when it was moved into place just before the studio was killed."""
    return next((song for song in songs_on_disk(songs_dir) if song.id == recipe.identity), None)


def _tags(recipe: Recipe) -> Tags:
    from llm_music_gen import __version__

    return Tags(
        title=recipe.theme.title, styles=recipe.theme.styles, tempo_bpm=recipe.theme.tempo_bpm, key=recipe.theme.key,
        date=recipe.created[:10], software=f"Llm-Music-Gen {__version__}",
        length_ms=round(recipe.theme.length_frames / SAMPLE_RATE_HZ * 1000),
    )  # fmt: skip


def _abc(recipe: Recipe) -> str:
    """The chapters' tunes as one tune book."""
    assert recipe.long is not None
    tunes = []
    for number, record in enumerate(recipe.long.chapters):
        theme = record.theme.theme() if record.theme is not None else _tune_theme(recipe, recipe.long, number)
        sections = [WrittenSection(part.label, part.bars, part.text) for part in record.sections]
        text = write_abc(sheet_of(theme, Fraction(record.unit), sections))
        tunes.append(text.replace("X:1\n", f"X:{number + 1}\n", 1))
    return "\n".join(tunes)


def _tune_theme(recipe: Recipe, long: LongRecord, number: int) -> Theme:
    theme = recipe.theme.theme()
    return replace(theme, title=long.chapters[number].name, key=long.chapter(number).key)


def _whole_arrangement(recipe: Recipe, shop: LongWorkshop) -> Arrangement | None:
    """What the band of a calm track plays, one part an instrument; None where every chapter has a band of its own."""
    score = track_of(recipe, shop.styles, shop.soundfont).score
    if len(score.pieces) != 1:
        return None
    arrangement = score.pieces[0].arrange()
    parts: dict[str, Part] = {}
    for part in arrangement.parts:
        before = parts.get(part.name)
        notes = part.notes if before is None else tuple(sorted((*before.notes, *part.notes), key=lambda note: note.onset_ql))
        parts[part.name] = replace(part, notes=notes)
    return replace(arrangement, parts=tuple(parts.values()))
