"""Plans a long track: chapters, and what the model writes for each. All model work is here; it ends before rendering begins."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from llm_music_gen.arranging.calm import calm_band
from llm_music_gen.composing.chapters import plan_chapters
from llm_music_gen.composing.lengths import LengthRange
from llm_music_gen.composing.lexicon import bend_of
from llm_music_gen.composing.theme import PlannedSong, SongRequest
from llm_music_gen.composing.titles import numbered
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.long_form import Calm, Chapter
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.domain.score import System
from llm_music_gen.domain.text_model import Exchange
from llm_music_gen.domain.theme import SectionPlan
from llm_music_gen.errors import UsageError
from llm_music_gen.sound.bed.layers import BEATS, COLOURS
from llm_music_gen.sound.steady import steadiness
from llm_music_gen.studio.long.layers import read_layers
from llm_music_gen.studio.long.record import ChapterRecord, LayerRecord, LongRecord
from llm_music_gen.studio.recipe import ExchangeRecord, FileRecord, ModelRecord, Recipe, style_sha256
from llm_music_gen.studio.records import SectionText, ThemeRecord
from llm_music_gen.studio.seeds import stream, stream_seed
from llm_music_gen.studio.song import Workshop
from llm_music_gen.studio.tune_fallback import WrittenTune, tune_by
from llm_music_gen.studio.versions import versions
from llm_music_gen.studio.writer_model import Writer
from llm_music_gen.styles import Style
from llm_music_gen.tuning.frequency import Frequency
from llm_music_gen.tuning.retune import Tuning, beat_hz, tune_to
from llm_music_gen.units import SAMPLE_RATE_HZ

#: From this length on a song is planned in chapters and rendered in segments.
LONG_FROM_S = 900
#: What the model writes for each chapter of calm music.
_MATERIAL = SectionPlan("A", "verse", 4, 0.4, "calm, sparse")
_COMMON_TIME = Meter(4, 4)
#: Key, tempo and title are planned as for a song of this length; hours have chapters instead.
_SONG = LengthRange(Fraction(240), Fraction(300))
#: Bands of neighbouring chapters cross over in this time.
CROSSOVER_S = 6
_FEWEST_STEP_S, _MOST_STEPS = 10.0, 24
NIGHT_LUFS, DAY_LUFS = -22.0, -18.0


@dataclass(frozen=True, slots=True)
class LongWish:
    """What is asked of a long track beside what every song is asked."""

    night: bool = False
    """Nothing that wakes: calmer, quieter, darker."""
    intonation: System = "equal"
    layers: str = ""
    """As typed: "binaural 10-2, rain"."""
    frequencies: tuple[Frequency, ...] = ()
    """More than one: steps, each a chapter on its own frequency."""
    step_s: float = 600.0
    """Length of a step."""
    only_layers: bool = False
    """Nothing sounds but the layers."""
    fade_s: float | None = None
    """How long it fades out; None leaves it to the track."""

    @property
    def calm(self) -> Calm:
        """How calm it is."""
        return "night" if self.night else "day"


@dataclass(frozen=True, slots=True)
class LongPlan:
    """A track as planned."""

    recipe: Recipe
    exchanges: tuple[Exchange, ...] = ()
    """What models were asked, and their answers."""


@dataclass
class _Written:
    """What models wrote for the chapters so far."""

    writer: Writer
    """Who writes the next chapter."""
    first: Writer | None = None
    """Who wrote the first one."""
    records: list[ChapterRecord] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    hints: dict[str, None] = field(default_factory=dict)


def is_calm(style: Style) -> bool:
    """Whether a style's long form is a slow field of sound rather than a band that plays on."""
    return style.family == "ambient" and not style.pulse


def plan_long(request: SongRequest, wish: LongWish, seed: int, created: str, workshop: Workshop) -> Work[LongPlan]:
    """Words to a recipe that holds everything but sound. Yields "theme" and "tune". The same arguments give the same recipe.

    A model that fails is asked once more; then the built-in composer writes the chapters that are left, with a remark.
    """
    yield Progress("theme", 0.0, "Planning the track")
    rng = np.random.default_rng(stream(seed, "theme"))
    planned = yield from workshop.theme_writer.planning(replace(request, length=_SONG), workshop.styles, rng)
    theme, style = planned.theme, planned.style
    title = request.title or (_named_by(wish.layers) if wish.only_layers else "")
    if title:
        theme = replace(theme, title=numbered(title, request.taken_titles))
    if wish.only_layers:
        theme = replace(theme, hints=())  # about words for music
    tuning = tune_to(wish.frequencies[0] if wish.frequencies else None, request.key)
    key = tuning.key(theme.key, theme.key.mode)
    length_s = _length_s(request.length, wish, rng)
    frames = round(length_s * SAMPLE_RATE_HZ)
    tones = bend_of(planned.moods).tones
    if len(wish.frequencies) > 1:
        chapters = _steps(wish, key, length_s)
    elif wish.only_layers:
        chapters = (Chapter(0, 0.0, length_s, theme.title, key, 0.0, 0.0, tuning.a4_hz),)
    else:
        plain = plan_chapters(length_s, key, tones, wish.calm, rng, (theme.title,))
        chapters = tuple(replace(chapter, a4_hz=tuning.a4_hz) for chapter in plain)
    theme = replace(theme, key=key, meter=_COMMON_TIME, form=(_MATERIAL,), length_frames=frames)
    layers = _layers(wish, tuning, theme.tempo_bpm, length_s)
    yield Progress("theme", 1.0, f'"{theme.title}", {len(chapters)} chapters', {"title": theme.title, "chapters": len(chapters)})
    done = _Written(workshop.writer)
    if wish.only_layers:
        done.records = [ChapterRecord.of(chapter, "1/8", (), None) for chapter in chapters]
    else:
        yield from _written(request, replace(planned, theme=theme), chapters, seed, workshop, done)
        theme = replace(theme, hints=tuple(dict.fromkeys((*theme.hints, *done.hints, *workshop.remarks))))
    written, writer = tuple(done.records), done.first or workshop.writer
    finish = workshop.finish
    recipe = Recipe(
        schema=1, created=created, seed=seed, a4_hz=tuning.a4_hz, theme=ThemeRecord.of(theme), unit=written[0].unit,
        sections=written[0].sections, style_names=planned.style_names, style_sha256=style_sha256(style),
        model=ModelRecord(name=writer.name, sha256=writer.sha256, temperature=workshop.temperature),
        soundfont=FileRecord(name=workshop.soundfont.path.name, sha256=workshop.soundfont_facts.sha256),
        render_fingerprint=workshop.soundfont_facts.fingerprint, loudness_lufs=NIGHT_LUFS if wish.night else DAY_LUFS,
        formats=finish.formats, mp3_kbps=finish.mp3_kbps, versions=versions(),
        imagined=ExchangeRecord.of(planned.exchanges[0]) if planned.exchanges else None,
        long=LongRecord(
            calm=wish.calm, intonation=wish.intonation, tonic_hz=tuning.tonic_hz,
            frequency=", ".join(frequency.label for frequency in wish.frequencies), chapters=written, layers=layers,
            music=not wish.only_layers, fade_s=wish.fade_s,
            band=(
                _band(style, request.without, workshop, promised=bool(wish.frequencies))
                if is_calm(style) and not wish.only_layers
                else ()
            ),
        ),
    )  # fmt: skip
    return LongPlan(recipe, (*planned.exchanges, *done.exchanges))


def _named_by(layers: str) -> str:
    """A title for a track of nothing but layers: "Brown noise, rain"."""
    names = [part.strip().split()[0].lower() for part in layers.split(",") if part.strip()]
    said = [f"{name} noise" if name in COLOURS else f"{name} beat" if name in BEATS else name for name in names]
    return ", ".join(dict.fromkeys(name for name in said if not name.endswith(".sbg"))).capitalize()


def _length_s(length: LengthRange, wish: LongWish, rng: np.random.Generator) -> float:
    """Whole seconds within the range; steps add up to their own length."""
    if len(wish.frequencies) > 1:
        if len(wish.frequencies) > _MOST_STEPS or wish.step_s < _FEWEST_STEP_S:
            raise UsageError(
                f"{len(wish.frequencies)} steps of {wish.step_s:g} seconds cannot be made.",
                hint=f"{_MOST_STEPS} steps are the most, and each lasts {_FEWEST_STEP_S:g} seconds or more.",
            )
        return wish.step_s * len(wish.frequencies)
    if length.is_exact:
        return float(length.min_s)
    return float(rng.integers(int(-(-length.min_s // 1)), int(length.max_s) + 1))


def _steps(wish: LongWish, key: Key, length_s: float) -> tuple[Chapter, ...]:
    """A chapter for each frequency, on its own tonic."""
    chapters = []
    for number, frequency in enumerate(wish.frequencies):
        tuning = tune_to(frequency)
        share = number / max(1, len(wish.frequencies) - 1)
        chapters.append(
            Chapter(
                number, number * wish.step_s, min(wish.step_s, length_s - number * wish.step_s), frequency.label,
                tuning.key(key, key.mode), 0.2 + 0.5 * share * wish.night, 0.8, tuning.a4_hz,
            )
        )  # fmt: skip
    return tuple(chapters)


def _layers(wish: LongWish, tuning: Tuning, tempo_bpm: float, length_s: float) -> tuple[LayerRecord, ...]:
    """The layers asked for, and a pulse where the frequency itself is too low to be heard."""
    tonic_hz = tuning.tonic_hz or tuning.a4_hz / 2
    layers = read_layers(wish.layers, tonic_hz=tonic_hz, tempo_bpm=tempo_bpm, length_s=length_s)
    if wish.only_layers and not layers:
        raise UsageError("There is nothing to hear without music and layers.", hint='Say which layers, such as "brown, rain".')
    rate = beat_hz(wish.frequencies[0]) if len(wish.frequencies) == 1 else None
    if rate is not None and not any(layer.kind in ("binaural", "monaural", "isochronic") for layer in layers):
        layers += read_layers(f"isochronic {rate:g}", tonic_hz=tonic_hz, tempo_bpm=tempo_bpm, length_s=length_s)
    return layers


def _band(style: Style, without: Sequence[str], workshop: Workshop, *, promised: bool) -> tuple[str, ...]:
    """Who plays motifs: where a frequency is promised only who keeps to it, in both registers that motifs have."""
    if not promised:
        chosen = calm_band(style, without, lambda sound: True)
    else:
        with steadiness(workshop.soundfont.path) as known:
            chosen = calm_band(style, without, lambda sound: all(known.is_steady(sound.program, pitch) for pitch in (60, 72)))
    return tuple(f"<{sound.voice}>" if sound.voice else sound.name for sound in chosen)


def _written(
    request: SongRequest, planned: PlannedSong, chapters: Sequence[Chapter], seed: int, workshop: Workshop, done: _Written
) -> Work[None]:
    """What the model writes, chapter after chapter; each from a seed of its own."""
    calm = is_calm(planned.style)
    for chapter in chapters:
        if calm:
            theme = replace(planned.theme, title=chapter.name, key=chapter.key)
        else:
            own = yield from _band_theme(request, planned, chapter, len(chapters), seed, workshop)
            theme = replace(own.theme, title=chapter.name)
            done.hints |= dict.fromkeys(theme.hints)
            done.exchanges += own.exchanges
        work = tune_by(theme, done.writer, seed=_chapter_seed(seed, chapter.number), temperature=workshop.temperature)
        written = yield from _counted(work, chapter, len(chapters))
        if written.remark:
            done.hints[written.remark if not chapter.number else f"{written.remark} (From chapter {chapter.number + 1} on.)"] = (
                None
            )
        done.writer, done.first = written.writer, done.first or written.writer
        done.exchanges += written.tune.exchanges
        sections = tuple(SectionText(label=part.label, bars=part.bars, text=part.text) for part in written.tune.sections)
        done.records.append(ChapterRecord.of(chapter, str(written.tune.unit), sections, None if calm else ThemeRecord.of(theme)))
    if done.writer is not workshop.writer:
        done.writer.close()


def _band_theme(
    request: SongRequest, planned: PlannedSong, chapter: Chapter, chapters: int, seed: int, workshop: Workshop
) -> Work[PlannedSong]:
    """The form of a chapter that a band plays, exactly as long as the chapter and the crossing into the next."""
    length_s = Fraction(chapter.length_s).limit_denominator(1_000)
    if chapter.number + 1 < chapters:
        length_s += CROSSOVER_S
    wish = replace(
        request, length=LengthRange(length_s, length_s), key=chapter.key, tempo_bpm=planned.theme.tempo_bpm, meter=request.meter
    )
    rng = np.random.default_rng(np.random.SeedSequence(_chapter_seed(seed, chapter.number)))
    return (yield from workshop.theme_writer.planning(wish, workshop.styles, rng))


def _counted(work: Work[WrittenTune], chapter: Chapter, chapters: int) -> Work[WrittenTune]:
    """The reports of one chapter's tune as part of all of them."""
    while True:
        try:
            report = next(work)
        except StopIteration as stop:
            written: WrittenTune = stop.value
            return written
        fraction = (chapter.number + report.fraction) / chapters
        yield replace(report, fraction=fraction, message=f"Writing chapter {chapter.number + 1} of {chapters}")


def _chapter_seed(seed: int, number: int) -> int:
    digest = hashlib.sha256(f"{stream_seed(seed, 'tune')}:{number}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def summary(recipe: Recipe) -> Mapping[str, object]:
    """What people want to know of a plan."""
    assert recipe.long is not None
    return {
        "title": recipe.theme.title,
        "length_s": recipe.theme.length_frames / SAMPLE_RATE_HZ,
        "key": recipe.theme.key,
        "frequency": recipe.long.frequency,
        "chapters": [{"start_s": chapter.start_s, "name": chapter.name} for chapter in recipe.long.chapters],
        "layers": [layer.kind for layer in recipe.long.layers],
    }
