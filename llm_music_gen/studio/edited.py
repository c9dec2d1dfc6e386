"""Plays an edited song: as it was made first, then every edit in order. The same record gives the same notes.

Some edits need the band to play again (another metre, a new tune, a part that did not play): they come first, and only the bars
and parts that are meant are taken from what it plays then. The others are done to the notes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from llm_music_gen.arranging import editing as band_edits
from llm_music_gen.arranging import editing_form as band_form
from llm_music_gen.composing import editing as tune_edits
from llm_music_gen.composing import editing_form as tune_form
from llm_music_gen.composing.editing_form import Written
from llm_music_gen.composing.theme import resolve_style
from llm_music_gen.composing.tune import sheet_of
from llm_music_gen.composing.written import WrittenSection
from llm_music_gen.domain.edit import (
    REPLAYED,
    AddPart,
    Bars,
    Cut,
    Dynamics,
    Operation,
    PlayOn,
    Repeat,
    Restyle,
    Rewrite,
    SetEnergy,
    SetMeter,
    SetMode,
    SetSwing,
    SetTempo,
    SetTitle,
    Silence,
    Transpose,
)
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import Arrangement, Part
from llm_music_gen.domain.theme import Theme
from llm_music_gen.errors import StyleError
from llm_music_gen.notation.spec import default_unit
from llm_music_gen.notation.text import parse_section
from llm_music_gen.studio.band import played
from llm_music_gen.studio.editing_record import EditedRecord
from llm_music_gen.studio.recipe import style_sha256
from llm_music_gen.studio.seeds import stream
from llm_music_gen.styles import Style, instrument_named

#: The energy at which everyone plays.
_EVERYONE = 0.95
#: Who lends drums to a style that has none.
_DRUMMER = "pop"
#: What a role that the style does not have is played on, and whose notes it plays.
_DOUBLES = {"counter": ("melody", "flute"), "arp": ("chords", "harp"), "bass": ("chords", "finger bass")}


@dataclass(frozen=True, slots=True)
class Edited:
    """An edited song before it is recorded."""

    written: Written
    band: Arrangement
    style: Style
    style_names: tuple[str, ...]
    swing: float
    """Place of the off-beat eighth in its pair, in percent."""
    origin: tuple[int, ...]
    """For each bar the one of the song as it was made first."""
    base: Written
    """The song as it was made first, with the metre, styles and tunes that it has now."""


def edited(record: EditedRecord, operations: Sequence[Operation], styles: Mapping[str, Style], seed: int) -> Edited:
    """The song of a record after `operations`.

    Raises StyleError when a style sheet has changed since, UsageError or NotationError where an operation does not fit.
    """
    theme = record.theme.theme()
    style = checked_style(styles, record.style_names, theme, record.style_sha256)
    texts = tuple(WrittenSection(part.label, part.bars, part.text) for part in record.sections)
    first = Written(theme, sheet_of(theme, Fraction(record.unit), texts), style.lead.augment)
    return _Replay(first, style, record.style_names, styles, seed).run(operations)


def checked_style(styles: Mapping[str, Style], names: Sequence[str], theme: Theme, sha256: str) -> Style:
    """A style as it was. Raises StyleError when its sheets have changed since."""
    style, _ = resolve_style(styles, names, theme.mood)
    if sha256 and style_sha256(style) != sha256:
        raise StyleError(
            f"The style sheets ({', '.join(names)}) have changed since this song was made.",
            hint="It cannot be made the same again; edit --anyway lets the band play it by the new ones.",
        )
    return style


@dataclass
class _Replay:
    base: Written
    style: Style
    style_names: tuple[str, ...]
    styles: Mapping[str, Style]
    seed: int

    def run(self, operations: Sequence[Operation]) -> Edited:
        band = self._played_again([operation for operation in operations if isinstance(operation, REPLAYED)])
        swing = self.style.swing_8
        written, origin = self.base, tuple(range(self.base.theme.bars))
        for place, operation in enumerate(operations):
            if isinstance(operation, Silence):
                spans = list(_silent(operation, operations[place + 1 :], origin))
                for span in spans:
                    band = band_edits.silenced(band, operation.roles, span)
                if None in spans:
                    without = tuple(dict.fromkeys((*written.theme.without, *operation.roles)))
                    written = replace(written, theme=replace(written.theme, without=without))
                continue
            if isinstance(operation, SetSwing):
                band, swing = band_edits.swung(band, swing, operation.percent), operation.percent
                continue
            written, band = _touched(written, band, operation)
            if isinstance(operation, Cut):
                origin = origin[: operation.bars[0]] + origin[operation.bars[1] :]
            elif isinstance(operation, Repeat):
                first, stop = operation.bars
                origin = origin[:stop] + origin[first:stop] * operation.times + origin[stop:]
        band = replace(band, title=written.theme.title)
        return Edited(written, band, self.style, self.style_names, swing, origin, self.base)

    def _played_again(self, operations: Sequence[Operation]) -> Arrangement:
        """What the band plays, from the first song on."""
        plain, rewritten, later = self.base, list[Bars](), list[AddPart | Restyle]()
        for operation in operations:
            if isinstance(operation, SetMeter):
                self.base = plain = tune_edits.in_meter(self.base, Meter.parse(operation.meter))
                rewritten = []
            elif isinstance(operation, Restyle) and operation.bars is None:
                self.style = checked_style(self.styles, operation.styles, self.base.theme, operation.sha256)
                self.style_names = operation.styles
                self.base = plain = replace(self.base, augment=self.style.lead.augment)
                rewritten = []
            elif isinstance(operation, Rewrite):
                self.base = _rewritten(self.base, operation)
                rewritten.append(operation.bars)
            elif isinstance(operation, AddPart | Restyle):
                later.append(operation)
        band = self._played(plain, self.style)
        if rewritten:
            other = self._played(self.base, self.style)
            for bars in rewritten:
                band = band_edits.spliced(band, other, band_edits.Splice(bars))
        for step in later:
            band = self._added(band, step) if isinstance(step, AddPart) else self._restyled(band, step)
        return band

    def _played(self, written: Written, style: Style) -> Arrangement:
        return played(written.theme, written.sheet, style, stream(self.seed, "arrangement"))

    def _restyled(self, band: Arrangement, step: Restyle) -> Arrangement:
        style = checked_style(self.styles, step.styles, self.base.theme, step.sha256)
        return band_edits.spliced(band, self._played(self.base, style), band_edits.Splice(step.bars))

    def _added(self, band: Arrangement, step: AddPart) -> Arrangement:
        """The band with one more part, from those of the style, of another one, or alongside a part that is there."""
        if band_edits.plays(band, step.role, step.bars) and not step.instrument:
            return band
        part = self._part_of(band, step)
        if part is None or not part.notes:
            return band
        return replace(band, parts=tuple(band_edits.named(band_edits.joined(band.parts, part))))

    def _part_of(self, band: Arrangement, step: AddPart) -> Part | None:
        known = next((part for part in band.parts if part.role == step.role), None)
        instrument = instrument_named(step.instrument) if step.instrument else None
        inside = band_edits.within_bars(band, step.bars)
        source = self._everyone(step.role, self.style)
        if source is None and step.role == "drums" and _DRUMMER in self.styles:
            source = self._everyone(step.role, self.styles[_DRUMMER])
        if source is not None:
            part = replace(source, notes=tuple(note for note in source.notes if inside(note)))
            if instrument is not None and step.role != "drums":
                return band_edits.on(part, instrument)
            if known is not None:  # the same players as elsewhere in the song
                part = replace(
                    part, name=known.name, program=known.program, voice=known.voice, bank=known.bank, gain_db=known.gain_db
                )
            return part
        if step.role == "pad":
            chords = next((part for part in band.parts if part.role == "chords"), None)
            return band_edits.held(chords, instrument or instrument_named("strings"), step.bars, band) if chords else None
        if step.role not in _DOUBLES:
            return None
        leader, usual = _DOUBLES[step.role]
        led = next((part for part in band.parts if part.role == leader), None)
        return band_edits.doubled(led, step.role, instrument or instrument_named(usual), step.bars, band) if led else None

    def _everyone(self, role: str, style: Style) -> Part | None:
        """The part of a role when everyone plays all the time, or None where the style has none."""
        theme = self.base.theme
        without = tuple(word for word in theme.without if word != role)
        form = tuple(replace(plan, energy=max(plan.energy, _EVERYONE)) for plan in theme.form)
        full = self._played(replace(self.base, theme=replace(theme, form=form, without=without)), style)
        return next((part for part in full.parts if part.role == role), None)


def _touched(written: Written, band: Arrangement, operation: Operation) -> tuple[Written, Arrangement]:
    """One operation on what is written and on what is played."""
    change = _TOUCHES.get(type(operation))
    return change(written, band, operation) if change is not None else (written, band)


def _tempo(written: Written, band: Arrangement, step: SetTempo) -> tuple[Written, Arrangement]:
    music_ql = float(written.theme.bars * written.theme.meter.bar_ql)
    written = tune_edits.at_tempo(written, step.bpm)
    return written, band_edits.at_tempo(band, step.bpm, music_ql, written.theme.length_frames)


def _transpose(written: Written, band: Arrangement, step: Transpose) -> tuple[Written, Arrangement]:
    key = Key.parse(step.key)
    return (
        tune_edits.transposed(written, step.semitones, key, step.bars),
        band_edits.transposed(band, step.semitones, key, step.bars),
    )


def _mode(written: Written, band: Arrangement, step: SetMode) -> tuple[Written, Arrangement]:
    key = written.theme.key
    return tune_edits.modal(written, step.mode, step.bars), band_edits.modal(band, key, step.mode, step.bars)


def _play_on(written: Written, band: Arrangement, step: PlayOn) -> tuple[Written, Arrangement]:
    names = tuple(dict.fromkeys((*written.theme.instruments, step.instrument)))
    written = replace(written, theme=replace(written.theme, instruments=names))
    return written, band_edits.on_instrument(band, step.role, instrument_named(step.instrument), step.bars)


def _add(written: Written, band: Arrangement, step: AddPart) -> tuple[Written, Arrangement]:
    """The notes are there already; what is written says so."""
    theme = written.theme
    instruments = tuple(dict.fromkeys((*theme.instruments, *((step.instrument,) if step.instrument else ()))))
    without = tuple(word for word in theme.without if word != step.role)
    return replace(written, theme=replace(theme, instruments=instruments, without=without)), band


def _dynamics(written: Written, band: Arrangement, step: Dynamics) -> tuple[Written, Arrangement]:
    return written, band_edits.louder(band, step.db, step.roles, step.bars)


def _energy(written: Written, band: Arrangement, step: SetEnergy) -> tuple[Written, Arrangement]:
    return tune_edits.livened(written, step.steps, step.bars), band_edits.livened(band, step.steps, step.bars)


def _cut(written: Written, band: Arrangement, step: Cut) -> tuple[Written, Arrangement]:
    written = tune_form.cut(written, step.bars)
    return written, band_form.cut(band, step.bars, written.theme.length_frames)


def _repeat(written: Written, band: Arrangement, step: Repeat) -> tuple[Written, Arrangement]:
    last_bar = written.theme.bars - 1
    written = tune_form.repeated(written, step.bars, step.times)
    return written, band_form.repeated(band, step.bars, step.times, written.theme.length_frames, last_bar)


def _title(written: Written, band: Arrangement, step: SetTitle) -> tuple[Written, Arrangement]:
    return tune_edits.titled(written, step.title), band


_TOUCHES: dict[type, Callable[..., tuple[Written, Arrangement]]] = {
    SetTempo: _tempo, Transpose: _transpose, SetMode: _mode, PlayOn: _play_on, AddPart: _add, Dynamics: _dynamics,
    SetEnergy: _energy, Cut: _cut, Repeat: _repeat, SetTitle: _title,
}  # fmt: skip


def _rewritten(base: Written, step: Rewrite) -> Written:
    theme = base.theme
    section = parse_section(
        step.text, label=step.label, key=theme.key, meter=theme.meter, unit=default_unit(theme.meter), bars=step.written_bars
    )
    return tune_edits.with_new_material(base, step.bars, section)


def _silent(step: Silence, later: Sequence[Operation], origin: Sequence[int]) -> Iterator[Bars]:
    """The bars that a silence still holds: without those for which its part was added again."""
    again = [add for add in later if isinstance(add, AddPart) and add.role in step.roles]
    if not again:
        yield step.bars
        return
    first, stop = step.bars or (0, len(origin))

    def back(bar: int) -> bool:
        return any(add.bars is None or add.bars[0] <= origin[bar] < add.bars[1] for add in again)

    silent = [bar for bar in range(first, min(stop, len(origin))) if not back(bar)]
    start = None
    for bar in silent:
        start = bar if start is None else start
        if bar + 1 not in silent:
            yield start, bar + 1
            start = None
