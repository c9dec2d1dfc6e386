"""How a song is made: the visible list of stages, from words to files. Each stage is a generator of `Progress`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np

from llm_music_gen import __version__
from llm_music_gen.arranging import write_midi
from llm_music_gen.composing.theme import PlannedSong, SongRequest, ThemeWriter, resolve_style
from llm_music_gen.composing.titles import numbered
from llm_music_gen.composing.tune import Tune, sheet_of
from llm_music_gen.composing.written import WrittenSection
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.domain.score import Arrangement, Intonation, System
from llm_music_gen.domain.song import Song
from llm_music_gen.domain.text_model import Exchange
from llm_music_gen.errors import StyleError
from llm_music_gen.library.shelf import read_song
from llm_music_gen.notation.abc_file import write_abc
from llm_music_gen.notation.musicxml import write_musicxml
from llm_music_gen.proof import prove
from llm_music_gen.sound.loudness import Loudness
from llm_music_gen.sound.mix import render_mix
from llm_music_gen.sound.part_cache import PartBlocks
from llm_music_gen.sound.soundfonts import Soundfont
from llm_music_gen.sound.steady import steadiness
from llm_music_gen.sound.stems import write_stems
from llm_music_gen.sound.tags import Tags
from llm_music_gen.studio.band import played
from llm_music_gen.studio.delivery import Finish, deliver, master_for
from llm_music_gen.studio.edited import edited
from llm_music_gen.studio.editing_record import EditedRecord
from llm_music_gen.studio.files import check_room, copy_out, move_into_place, unfinished_folder, write_bytes, write_text
from llm_music_gen.studio.names import safe_name, stem_names
from llm_music_gen.studio.promises import promises_of
from llm_music_gen.studio.recipe import (
    ExchangeRecord,
    FileRecord,
    Measured,
    ModelRecord,
    Recipe,
    SectionText,
    ThemeRecord,
    TuningRecord,
    file_sha256,
    style_sha256,
)  # fmt: skip
from llm_music_gen.studio.seeds import stream, stream_seed
from llm_music_gen.studio.soundfont_facts import SoundfontFacts
from llm_music_gen.studio.tune_fallback import tune_by
from llm_music_gen.studio.versions import versions
from llm_music_gen.studio.writer_model import Writer
from llm_music_gen.styles import Style
from llm_music_gen.tuning.retune import CONCERT_PITCH, Tuning
from llm_music_gen.units import SAMPLE_RATE_HZ

T = TypeVar("T")
#: What models were asked and answered, beside the song.
PROMPTS_FILE = "prompts.jsonl"
#: Where the parts of a song stand as files of their own.
STEMS_FOLDER = "stems"
#: Share of each stage in the whole of making a song, for the bar that people see.
SHARES = {"theme": 0.02, "tune": 0.28, "arrangement": 0.05, "sound": 0.4, "master": 0.25}


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every song of a batch shares."""

    songs_dir: Path
    styles: Mapping[str, Style]
    theme_writer: ThemeWriter
    writer: Writer
    temperature: float
    soundfont: Soundfont
    soundfont_facts: SoundfontFacts
    finish: Finish
    tuning: Tuning = CONCERT_PITCH
    """Which pitch class the tonic has, and the reference pitch that puts it on its frequency."""
    keep_prompts: bool = True
    """Whether what models were asked and answered is put beside the song."""
    system: System = "equal"
    """How the other pitches lie above the tonic."""
    stems: bool = False
    """Whether every part is written as a file of its own, too."""
    blocks: PartBlocks | None = None
    """Sound of parts that was rendered before; only songs that are edited keep and use it."""
    remarks: tuple[str, ...] = ()
    """What is to be said with every song."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A song as decided and written: all that a recipe records."""

    seed: int
    created: str
    planned: PlannedSong
    tune: Tune
    model: ModelRecord
    a4_hz: float = CONCERT_PITCH.a4_hz
    tuning: TuningRecord | None = None
    """The frequency that was asked for, if any: then every pitch is kept exactly."""
    edited: EditedRecord | None = None
    """How it was made first and what was changed since, if anything was."""


def make_song(request: SongRequest, seed: int, created: str, workshop: Workshop) -> Work[Song]:
    """From words to a finished song in the library's folder. The same request, seed and workshop give the same song."""
    planned = yield from _stage(plan_stage(request, seed, workshop))
    planned, tune, writer = yield from _stage(tune_stage(planned, seed, workshop))
    model = ModelRecord(name=writer.name, sha256=writer.sha256, temperature=workshop.temperature)
    draft = Draft(seed, created, planned, tune, model, workshop.tuning.a4_hz, _tuning_record(workshop))
    return (yield from finish_song(draft, workshop))


def finish_song(draft: Draft, workshop: Workshop) -> Work[Song]:
    """From a draft to a finished song: what is new and what is remade go the same way from here on."""
    theme = draft.planned.theme
    check_room(workshop.songs_dir, theme.length_frames)
    # The mix stays out of the song's folder; Windows deletes it only when nobody reads it any more.
    with (
        unfinished_folder(workshop.songs_dir) as folder,
        TemporaryDirectory(dir=folder.parent, prefix=folder.name, ignore_cleanup_errors=True) as scratch,
    ):
        arrangement = yield from _stage(arrangement_stage(draft, workshop.soundfont.path, workshop.styles))
        strip = workshop.blocks.strip if workshop.blocks is not None else None
        mix = yield from _stage(render_mix(arrangement, workshop.soundfont.path, Path(scratch) / "mix.f32", strip))
        made = yield from _stage(master_for(mix, workshop.finish, draft.planned.style.spectrum))
        stem = safe_name(theme.title)
        if workshop.stems:
            yield from _stems(arrangement, workshop, folder, stem)
        delivered = yield from deliver(made, workshop.finish, folder, stem, _tags_for(arrangement, theme.styles, draft.created))
        yield Progress("files", 0.0, "Writing the score")
        recipe = recipe_of(draft, workshop, delivered.loudness)
        write_text(folder / f"{stem}.abc", write_abc(draft.tune.sheet))
        write_bytes(folder / f"{stem}.mid", write_midi(arrangement))
        write_text(folder / f"{stem}.musicxml", write_musicxml(draft.tune.sheet))
        write_text(folder / "recipe.json", recipe.to_json())
        exchanges = (*draft.planned.exchanges, *draft.tune.exchanges)
        if exchanges and workshop.keep_prompts:
            write_text(folder / PROMPTS_FILE, prompts_text(exchanges))
        proof = prove(
            delivered.files[workshop.finish.formats[0]],
            promises_of(recipe, pulse=draft.planned.style.pulse),
            loudness=delivered.loudness,
        )
        write_text(folder / "proof.json", proof.to_json())
        yield Progress("files", 0.9, proof.line(), {"proof": proof.passes})
        song = read_song(move_into_place(folder, workshop.songs_dir, theme.title))
    yield Progress("files", 1.0, f'"{song.title}" is finished')
    return song


def play_as_is(arrangement: Arrangement, created: str, source: Path, target: Path, workshop: Workshop) -> Work[Song]:
    """The user's own score, untouched, as audio files in `target`. It is no song of the library: there is no recipe."""
    check_room(target, arrangement.length_frames)
    with unfinished_folder(target) as folder:
        yield Progress("arrangement", 1.0, f"{len(arrangement.parts)} parts", {"whole": 0.0})
        mix = yield from _stage(render_mix(arrangement, workshop.soundfont.path, folder / "mix.f32"))
        made = yield from _stage(master_for(mix, workshop.finish))
        tags = _tags_for(arrangement, (), created)
        delivered = yield from deliver(made, workshop.finish, folder, "song", tags)
        files = copy_out(delivered.files, target, source.stem)
        if workshop.stems:
            yield from _stems(arrangement, workshop, target, source.stem)
    return Song(
        id=file_sha256(source),
        title=arrangement.title,
        styles=(),
        folder=target,
        files=files,
        frames=arrangement.length_frames,
        key=arrangement.key.abc(),
        tempo_bpm=arrangement.tempo_bpm,
        meter=str(arrangement.meter),
        seed=0,
        model="",
        created=created,
        lufs=round(delivered.loudness.integrated_lufs, 2),
        true_peak_dbtp=round(delivered.loudness.true_peak_dbtp, 2),
    )


def plan_stage(request: SongRequest, seed: int, workshop: Workshop) -> Work[PlannedSong]:
    """Words -> what the song shall be. Refuses at once when there is no room for it."""
    yield Progress("theme", 0.0, "Planning the song")
    planned = yield from workshop.theme_writer.planning(request, workshop.styles, np.random.default_rng(stream(seed, "theme")))
    key, title = planned.theme.key, planned.theme.title
    if request.title:
        title = numbered(request.title, request.taken_titles)
    hints = (*planned.theme.hints, *workshop.remarks)
    planned = replace(planned, theme=replace(planned.theme, key=workshop.tuning.key(key, key.mode), title=title, hints=hints))
    check_room(workshop.songs_dir, planned.theme.length_frames)
    yield Progress("theme", 1.0, f'"{planned.theme.title}"', {"title": planned.theme.title})
    return planned


def tune_stage(planned: PlannedSong, seed: int, workshop: Workshop) -> Work[tuple[PlannedSong, Tune, Writer]]:
    """What the song shall be -> the same, the written tune, and who wrote it.

    A model of the user's own that fails is asked once more; if it fails again the built-in composer writes, with a remark.
    """
    written = yield from tune_by(planned.theme, workshop.writer, seed=stream_seed(seed, "tune"), temperature=workshop.temperature)
    if written.writer is not workshop.writer:
        written.writer.close()
    if written.remark:
        planned = replace(planned, theme=replace(planned.theme, hints=(*planned.theme.hints, written.remark)))
    return planned, written.tune, written.writer


def arrangement_stage(draft: Draft, soundfont: Path, styles: Mapping[str, Style]) -> Work[Arrangement]:
    """The written tune -> what each player of the band plays."""
    yield Progress("arrangement", 0.0, "Arranging")
    planned = draft.planned
    if draft.edited is not None:
        arrangement = edited(draft.edited, draft.edited.operations, styles, draft.seed).band
    else:
        arrangement = played(planned.theme, draft.tune.sheet, planned.style, stream(draft.seed, "arrangement"))
    arrangement = replace(arrangement, a4_hz=draft.a4_hz)
    if draft.tuning is not None:
        tuned = Intonation(draft.tuning.system, planned.theme.key.tonic_pc, exact=True)
        with steadiness(soundfont) as known:
            arrangement, hints = known.steadied(replace(arrangement, intonation=tuned))
        for hint in hints:
            yield Progress("arrangement", 0.9, hint)
    yield Progress("arrangement", 1.0, f"{len(arrangement.parts)} parts")
    return arrangement


def recipe_of(draft: Draft, workshop: Workshop, loudness: Loudness) -> Recipe:
    """Everything from which the song can be made again."""
    planned, tune, finish = draft.planned, draft.tune, workshop.finish
    return Recipe(
        schema=1,
        created=draft.created,
        seed=draft.seed,
        a4_hz=draft.a4_hz,
        theme=ThemeRecord.of(planned.theme),
        unit=str(tune.unit),
        sections=tuple(SectionText(label=part.label, bars=part.bars, text=part.text) for part in tune.sections),
        style_names=planned.style_names,
        style_sha256=style_sha256(planned.style),
        model=draft.model,
        soundfont=FileRecord(name=workshop.soundfont.path.name, sha256=workshop.soundfont_facts.sha256),
        render_fingerprint=workshop.soundfont_facts.fingerprint,
        loudness_lufs=finish.loudness_lufs,
        formats=finish.formats,
        mp3_kbps=finish.mp3_kbps,
        versions=versions(),
        imagined=ExchangeRecord.of(planned.exchanges[0]) if planned.exchanges else None,
        measured=Measured(lufs=round(loudness.integrated_lufs, 2), true_peak_dbtp=round(loudness.true_peak_dbtp, 2)),
        tuning=draft.tuning,
        edited=draft.edited,
    )


def draft_of(recipe: Recipe, styles: Mapping[str, Style]) -> Draft:
    """A recipe's draft, as it was before the band played it. Raises StudioError when the style sheets have changed since."""
    theme = recipe.theme.theme()
    style, _ = resolve_style(styles, recipe.style_names, theme.mood)
    if style_sha256(style) != recipe.style_sha256:
        names = ", ".join(recipe.style_names)
        raise StyleError(
            f"The style sheets ({names}) have changed since this song was made.", hint="It cannot be made the same again."
        )
    unit = Fraction(recipe.unit)
    sections = tuple(WrittenSection(part.label, part.bars, part.text) for part in recipe.sections)
    tune = Tune(unit, sections, sheet_of(theme, unit, sections))
    exchanges = (recipe.imagined.exchange(),) if recipe.imagined else ()
    planned = PlannedSong(theme, style, recipe.style_names, theme.mood, exchanges)
    return Draft(recipe.seed, recipe.created, planned, tune, recipe.model, recipe.a4_hz, recipe.tuning, recipe.edited)


def _tuning_record(workshop: Workshop) -> TuningRecord | None:
    tuning = workshop.tuning
    if tuning == CONCERT_PITCH and workshop.system == "equal":
        return None
    return TuningRecord(frequency=tuning.label, tonic_hz=tuning.tonic_hz, system=workshop.system)


def prompts_text(exchanges: Sequence[Exchange]) -> str:
    """Exchanges with models as JSON Lines."""
    return "".join(json.dumps(asdict(exchange), ensure_ascii=False) + "\n" for exchange in exchanges)


def _stems(arrangement: Arrangement, workshop: Workshop, folder: Path, title: str) -> Work[None]:
    """Every part before the master, in the folder "stems"."""
    names = stem_names(title, [part.name for part in arrangement.parts])
    for report in write_stems(arrangement, workshop.soundfont.path, folder / STEMS_FOLDER, names):
        yield replace(report, stage="stems")


def _tags_for(arrangement: Arrangement, styles: tuple[str, ...], created: str) -> Tags:
    return Tags(
        title=arrangement.title,
        styles=styles,
        tempo_bpm=arrangement.tempo_bpm,
        key=arrangement.key.abc(),
        date=created[:10],
        software=f"Llm-Music-Gen {__version__}",
        length_ms=round(arrangement.length_frames / SAMPLE_RATE_HZ * 1000),
    )


def _stage(work: Work[T]) -> Work[T]:
    """A stage's reports with `detail["whole"]`: how far the song is on the way to its first file."""
    shares = list(SHARES)
    while True:
        try:
            report = next(work)
        except StopIteration as stop:
            result: T = stop.value
            return result
        before = sum(SHARES[name] for name in shares[: shares.index(report.stage)])
        whole = before + SHARES[report.stage] * min(1.0, report.fraction)
        yield replace(report, detail={**report.detail, "whole": whole})
