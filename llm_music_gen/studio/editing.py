"""Changes finished songs by request: a plan to look at, a new version that plays only what changed anew, history and undo."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from llm_music_gen.arranging.editing import plays
from llm_music_gen.composing.editing_form import Written, free_label, places
from llm_music_gen.composing.editing_tune import rewrite_section
from llm_music_gen.composing.theme import PlannedSong, resolve_style
from llm_music_gen.composing.tune import Tune, sheet_of
from llm_music_gen.composing.written import WrittenSection
from llm_music_gen.domain.edit import AddPart, Bars, Cut, Operation, Repeat, Restyle, Rewrite, SetEnergy, Transpose, spoken
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.domain.score import LeadSection
from llm_music_gen.domain.song import Song
from llm_music_gen.domain.theme import SectionPlan
from llm_music_gen.errors import LibraryError, ModelError, StudioError, UsageError
from llm_music_gen.library.catalogue import Library
from llm_music_gen.llm.registry import built_in_composer
from llm_music_gen.notation.spec import default_unit
from llm_music_gen.notation.writer import section_text
from llm_music_gen.requests.editing import plan_edit
from llm_music_gen.requests.editing_parts import Band
from llm_music_gen.sound.part_cache import PartBlocks
from llm_music_gen.studio.batch import Outcome
from llm_music_gen.studio.delivery import Finish
from llm_music_gen.studio.edited import Edited, edited
from llm_music_gen.studio.editing_record import EditedRecord, EditRecord
from llm_music_gen.studio.recipe import Recipe, ThemeRecord, read_recipe, style_sha256
from llm_music_gen.studio.song import Draft, Workshop, finish_song
from llm_music_gen.studio.song_versions import SongVersions
from llm_music_gen.studio.writer_model import Writer, WriterModel
from llm_music_gen.styles import Style
from llm_music_gen.units import SAMPLE_RATE_HZ

MAX_LENGTH_S = 2 * 3600
#: Sets the random numbers of new tunes apart from those of new songs.
_EDIT_STREAM = 6
#: Layers that come in where it gets bigger.
_LAYERS = ("drums", "bass", "pad", "arp", "counter")


@dataclass(frozen=True, slots=True)
class SongEdit:
    """A request for a song, understood."""

    song: Song
    request: str
    operations: tuple[Operation, ...]
    """What will be done, in bars of the song as it is."""
    remarks: tuple[str, ...]
    """A sentence for each wish that cannot be met."""
    anyway: bool = False
    """Also with other style sheets and another soundfont than those with which it was made."""

    def to_dict(self) -> dict[str, Any]:
        """For people and programs."""
        return {
            "song": self.song.title,
            "id": self.song.id,
            "request": self.request,
            "operations": [str(operation) for operation in self.operations],
            "remarks": list(self.remarks),
        }


@dataclass(frozen=True, slots=True)
class SongVersion:
    """One version of a song."""

    identity: str
    request: str
    """"" for the first one."""
    changes: str
    is_kept: bool
    """Whether its files are there."""

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)


class EditingRoom:
    """Edits the songs of a library."""

    def __init__(
        self,
        library: Library,
        versions: SongVersions,
        styles: Callable[[], Mapping[str, Style]],
        workshop: Callable[[Recipe], Workshop],
        blocks_dir: Path,
        now: Callable[[], str],
    ) -> None:
        self._library = library
        self._versions = versions
        self._styles = styles
        self._workshop = workshop
        self._blocks_dir = blocks_dir
        self._now = now

    def song(self, name: str) -> Song:
        """The song of this name, number or id; "last" is the newest. Raises LibraryError."""
        self._versions.settle()
        if name.strip().casefold() in ("last", "latest", "newest", ""):
            song = next((song for song in self._library.search(newest_first=True) if not song.missing), None)
            if song is None:
                raise LibraryError("There is no song yet.", hint='Make one: llm-music-gen generate "chill"')
            return song
        return self._library.find(name)

    def plan(self, song: Song, request: str, *, anyway: bool = False) -> SongEdit:
        """What a request means for a song. Raises UsageError for tracks that cannot be edited, StyleError where style sheets
        have changed since: with `anyway` the band plays by the new ones.
        """
        recipe = _editable(song, self._styles() if anyway else None)
        state = _state(recipe, self._styles())
        parts = tuple((part.role, part.name) for part in state.band.parts)
        plan = plan_edit(request, state.written.theme, Band(parts), state.swing)
        operations, remarks = list(plan.operations), list(plan.remarks)
        if recipe.tuning is not None and recipe.tuning.tonic_hz and any(isinstance(step, Transpose) for step in operations):
            operations = [step for step in operations if not isinstance(step, Transpose)]
            remarks.append(f"Its tonic lies on {recipe.tuning.frequency} and stays there; make another with another --frequency.")
        return SongEdit(song, request.strip()[:500], tuple(operations), tuple(remarks), anyway)

    def run(self, edit: SongEdit) -> Work[Song]:
        """Make the new version and put it in the place of the old one, which is kept.

        Yields the stages of a song. Raises UsageError when there is nothing to do, StudioError when it cannot be done: then the
        song is as it was.
        """
        if not edit.operations:
            raise UsageError(" ".join(edit.remarks) or "Nothing in this request changes the song.")
        recipe = _editable(edit.song, self._styles() if edit.anyway else None)
        workshop = self._workshop(recipe)
        if workshop.soundfont_facts.sha256 != recipe.soundfont.sha256 and not edit.anyway:
            raise LibraryError(
                f"This song was made with the soundfont {recipe.soundfont.name}, and {workshop.soundfont.path.name} is another.",
                hint="Choose the same file in the settings, or take the new sound with --anyway.",
            )
        operations = yield from self._resolved(edit, recipe, workshop)
        record = _record_of(recipe, edit, operations)
        draft = _draft_of(recipe, record, edited(record, record.operations, workshop.styles, recipe.seed), self._now())
        source = f"{workshop.soundfont_facts.sha256} {workshop.soundfont_facts.fingerprint}"
        blocks = PartBlocks(self._blocks_dir, source)
        finish = Finish(recipe.formats, recipe.loudness_lufs, recipe.mp3_kbps)
        song = yield from finish_song(draft, replace(workshop, finish=finish, blocks=blocks))
        blocks.prune()
        put_away = self._versions.supersede(edit.song, song)
        anew = sorted(set(blocks.changed_parts))
        note = f"Played anew: {', '.join(anew) or 'nothing'}"
        note += "" if put_away else "; the former version is open somewhere and will be put away later"
        yield Progress("files", 1.0, note, {"note": note, "blocks_rendered": blocks.rendered, "blocks_reused": blocks.reused})
        return song

    def outcomes(self, edit: SongEdit) -> Work[Sequence[Outcome]]:
        """The same as a batch of one song: an error is a report, as it is for songs that are made."""
        place = {"song_number": 1, "songs": 1}
        try:
            with closing(self.run(edit)) as work:
                while True:
                    try:
                        report = next(work)
                    except StopIteration as stop:
                        song: Song = stop.value
                        break
                    yield replace(report, detail={**report.detail, **place})
        except StudioError as error:
            yield Progress("failed", 1.0, str(error), place)
            return [Outcome(error=str(error))]
        yield Progress("finished", 1.0, f'"{song.title}" is ready', {**place, "song": song})
        return [Outcome(song=song)]

    def undo(self, song: Song, steps: int = 1) -> Song:
        """The version `steps` before. Raises LibraryError where there is none."""
        self._versions.settle()
        edits = _edits(song)
        if not edits:
            raise LibraryError(f"{song.title!r} was never edited.", hint="There is nothing to take back.")
        former = edits[-min(max(1, steps), len(edits))].former
        return self._versions.bring_back(song, former)

    def history(self, song: Song) -> tuple[SongVersion, ...]:
        """The versions of a song, the first one first; the last is the song as it is."""
        self._versions.settle()
        edits = _edits(song)
        identities = [*(edit.former for edit in edits), song.id]
        changes = [("", "as it was made"), *((edit.request, spoken(edit.operations)) for edit in edits)]
        return tuple(
            SongVersion(identity, request, done, identity == song.id or self._versions.find(identity) is not None)
            for identity, (request, done) in zip(identities, changes, strict=True)
        )

    def _resolved(self, edit: SongEdit, recipe: Recipe, workshop: Workshop) -> Work[tuple[Operation, ...]]:
        """The operations as they are recorded: what a model writes is written, bars for the band are those of the first song."""
        state = _state(recipe, workshop.styles)
        done: list[Operation] = []
        rewrites: list[Rewrite] = []
        for step in edit.operations:
            if isinstance(step, Rewrite):
                rewrites += [replace(step, bars=span) for span in _base_spans(step.bars, state)]
            elif isinstance(step, Restyle):
                style, _ = resolve_style(workshop.styles, step.styles, state.base.theme.mood)
                spans: list[Bars] = [None] if step.bars is None else list(_base_spans(step.bars, state))
                done += [replace(step, bars=span, sha256=style_sha256(style)) for span in spans]
            elif isinstance(step, AddPart):
                done += [replace(step, bars=span) for span in ([None] if step.bars is None else _base_spans(step.bars, state))]
            else:
                done.append(step)
            if isinstance(step, SetEnergy) and step.steps > 0:
                done += _layers(step, state)
        # A tune is written in the metre that the song has before this request.
        done[:0] = yield from self._written(rewrites, state, recipe, workshop)
        # Bars are those of the song as it is: what moves them comes last, from the end to the beginning.
        moving = sorted((step for step in done if isinstance(step, Cut | Repeat)), key=lambda step: -step.bars[0])
        return (*(step for step in done if not isinstance(step, Cut | Repeat)), *moving)

    def _written(self, rewrites: Sequence[Rewrite], state: Edited, recipe: Recipe, workshop: Workshop) -> Work[list[Operation]]:
        """New tunes for sections; those that share their material share the new one."""
        base, out, known = state.base, list[Operation](), dict[str, Rewrite]()
        count = len(recipe.edited.edits) if recipe.edited is not None else 0
        for step in rewrites:
            for index, first, stop in places(base.theme, step.bars):
                plan = base.theme.form[index]
                if 2 * (stop - first) < plan.bars:
                    continue
                start = sum(other.bars for other in base.theme.form[:index])
                made = known.get(plan.label)
                if made is None:
                    longest = max(other.bars for other in base.theme.form if other.label == plan.label)
                    texts = _texts(base)
                    former = next((text.text for text in texts if text.label == plan.label), "")
                    beside = [text for text in texts if text.label != plan.label]
                    seed = int(np.random.SeedSequence((recipe.seed, _EDIT_STREAM, count, ord(plan.label))).generate_state(1)[0])
                    work = _rewritten(workshop, base, replace(plan, bars=longest), beside, former, step.wish, seed)
                    text, name = yield from work
                    label = free_label(replace(base, sheet=replace(base.sheet, sections=(*base.sheet.sections, *_taken(known)))))
                    made = Rewrite((0, 1), step.wish, label, text, longest, name)
                    known[plan.label] = made
                out.append(replace(made, bars=(start, start + plan.bars)))
        if rewrites and not out:
            raise UsageError("Only whole sections get a new tune.", hint="Name a section, such as the second part.")
        return out


def _taken(known: dict[str, Rewrite]) -> Iterator[LeadSection]:
    """Labels that are given already."""
    return (LeadSection(step.label, 1, (), ()) for step in known.values())


def _rewritten(
    workshop: Workshop, base: Written, plan: SectionPlan, beside: Sequence[WrittenSection], former: str, wish: str, seed: int
) -> Work[tuple[str, str]]:
    """(composer text, name of the model): by the model of the settings, or where it fails by the built-in composer."""
    unit = default_unit(base.theme.meter)
    writers: list[Writer] = [workshop.writer]
    if not workshop.writer.is_built_in:
        writers.append(WriterModel(built_in_composer(), workshop.writer.settings))
    for writer in writers:
        yield Progress("tune", 0.0, f"{writer.name} writes section {plan.label}", {"whole": 0.0})
        try:
            author = writer.author(workshop.temperature)
            text = yield from rewrite_section(author, base.theme, plan, beside, former, wish=wish, unit=unit, seed=seed)
        except ModelError as error:
            if writer is writers[-1]:
                raise
            writer.close()
            yield Progress("tune", 0.0, f"{writer.name} failed ({error.message.rstrip('.')}); the built-in composer writes.")
        else:
            if writer is not workshop.writer:
                writer.close()
            return text, writer.name
    raise AssertionError("the last writer returned or raised")


def _layers(step: SetEnergy, state: Edited) -> Iterator[AddPart]:
    """The layers of the style that do not play where it shall be bigger."""
    for role in _LAYERS:
        if not (state.style.has_drums if role == "drums" else state.style.instruments.get(role)):  # type: ignore[call-overload]
            continue
        if role in state.written.theme.without or plays(state.band, role, step.bars):
            continue
        for span in [None] if step.bars is None else _base_spans(step.bars, state):
            yield AddPart(role, "", span)


def _base_spans(bars: tuple[int, int], state: Edited) -> list[tuple[int, int]]:
    """Bars of the song as it is -> ranges of bars of the song as it was made first."""
    numbers = sorted({state.origin[bar] for bar in range(bars[0], min(bars[1], len(state.origin)))})
    runs = []
    for _, group in groupby(enumerate(numbers), key=lambda item: item[1] - item[0]):
        run = [number for _, number in group]
        runs.append((run[0], run[-1] + 1))
    return runs


def _editable(song: Song, styles: Mapping[str, Style] | None) -> Recipe:
    """The recipe of a song that can be edited; with `styles` as if it had been made with these."""
    recipe = read_recipe(song.folder)
    if recipe.long is not None:
        raise UsageError(
            "Tracks of hours and layers cannot be edited.", hint=f'Make another: llm-music-gen like "{song.folder.name}"'
        )
    if styles is None:
        return recipe
    first = _first(recipe)
    names = {first.style_names: first.theme.mood} | {
        step.styles: first.theme.mood for step in first.operations if isinstance(step, Restyle)
    }
    known = {name: style_sha256(resolve_style(styles, name, mood)[0]) for name, mood in names.items()}
    edits = tuple(
        edit.model_copy(
            update={
                "operations": tuple(
                    replace(step, sha256=known[step.styles]) if isinstance(step, Restyle) else step for step in edit.operations
                )
            }
        )
        for edit in first.edits
    )
    renewed = first.model_copy(update={"style_sha256": known[first.style_names], "edits": edits})
    if not edits:
        return recipe.model_copy(update={"style_sha256": renewed.style_sha256})
    return recipe.model_copy(update={"edited": renewed})


def _edits(song: Song) -> tuple[EditRecord, ...]:
    recipe = read_recipe(song.folder)
    return recipe.edited.edits if recipe.edited is not None else ()


def _first(recipe: Recipe) -> EditedRecord:
    """How the song of a recipe was made first."""
    if recipe.edited is not None:
        return recipe.edited
    return EditedRecord.model_construct(
        theme=recipe.theme, unit=recipe.unit, sections=recipe.sections, style_names=recipe.style_names,
        style_sha256=recipe.style_sha256, edits=(),
    )  # fmt: skip


def _state(recipe: Recipe, styles: Mapping[str, Style]) -> Edited:
    """The song as it is, with everything that the band plays."""
    operations = recipe.edited.operations if recipe.edited is not None else ()
    return edited(_first(recipe), operations, styles, recipe.seed)


def _record_of(recipe: Recipe, edit: SongEdit, operations: Sequence[Operation]) -> EditedRecord:
    first = _first(recipe)
    done = EditRecord(request=edit.request, former=edit.song.id, operations=tuple(operations))
    return EditedRecord(
        theme=first.theme, unit=first.unit, sections=first.sections, style_names=first.style_names,
        style_sha256=first.style_sha256, edits=(*first.edits, done),
    )  # fmt: skip


def _draft_of(recipe: Recipe, record: EditedRecord, state: Edited, created: str) -> Draft:
    """The new version as the stages of a song take it."""
    theme = state.written.theme
    if theme.length_frames > MAX_LENGTH_S * SAMPLE_RATE_HZ:
        raise UsageError("The song would be longer than two hours.", hint="Repeat less of it.")
    ThemeRecord.of(theme)  # what cannot be recorded is refused before anything sounds
    unit = default_unit(theme.meter)
    texts = _texts(state.written)
    tune = Tune(unit, texts, sheet_of(theme, unit, texts))
    exchanges = (recipe.imagined.exchange(),) if recipe.imagined else ()
    planned = PlannedSong(theme, state.style, state.style_names, theme.mood, exchanges)
    return Draft(recipe.seed, created, planned, tune, recipe.model, recipe.a4_hz, recipe.tuning, record)


def _texts(written: Written) -> tuple[WrittenSection, ...]:
    theme, unit = written.theme, default_unit(written.theme.meter)
    return tuple(
        WrittenSection(section.label, section.bars, section_text(section, theme.key, theme.meter, unit))
        for section in written.sheet.sections
    )
