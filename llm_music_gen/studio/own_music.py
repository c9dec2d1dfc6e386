"""The user's own ABC or MIDI: as it is, or taken as the tune of a song that the studio's band plays."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from llm_music_gen.arranging import read_midi
from llm_music_gen.composing.form import tail_target_s
from llm_music_gen.composing.lexicon import read_words
from llm_music_gen.composing.theme import PlannedSong, resolve_style
from llm_music_gen.composing.tune import Tune, sheet_of
from llm_music_gen.composing.written import WrittenSection
from llm_music_gen.domain.score import Arrangement, ChordSymbol, LeadSheet, Part, PlayedNote
from llm_music_gen.domain.theme import SectionPlan, Theme
from llm_music_gen.errors import NotationError, StorageError, UsageError
from llm_music_gen.notation.chords import chord_pcs
from llm_music_gen.notation.reader import read_abc
from llm_music_gen.notation.spec import UNITS, default_unit
from llm_music_gen.notation.writer import section_text
from llm_music_gen.studio.recipe import ModelRecord
from llm_music_gen.studio.song import Draft
from llm_music_gen.styles import Style
from llm_music_gen.styles.sounds import instrument_named
from llm_music_gen.units import SAMPLE_RATE_HZ, seconds_to_frames

MAX_FILE_BYTES = 20_000_000
#: The most materials that an arranged tune may have: one letter each.
MAX_SECTIONS = 26
_MIDI = (".mid", ".midi")


def read_file(path: Path) -> bytes:
    """The file's bytes. Raises StorageError or UsageError in one sentence."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UsageError(f"{path} is too large to be a score.", hint=f"The limit is {MAX_FILE_BYTES // 1_000_000} MB.")
        return path.read_bytes()
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error.strerror or error}).", hint="Check the file's name.") from error


def arrangement_of(path: Path, tempo_bpm: float | None) -> Arrangement:
    """The file as it is: MIDI with its own instruments, ABC on a piano with its chord symbols below. Raises NotationError."""
    data = read_file(path)
    if path.suffix.lower() in _MIDI:
        arrangement = read_midi(data, path.stem)
        return arrangement if tempo_bpm is None else _at_tempo(arrangement, tempo_bpm)
    return _plain(lead_sheet_of(path, tempo_bpm))


def played_by(arrangement: Arrangement, names: Sequence[str]) -> Arrangement:
    """The arrangement with its parts, drums left out, given to the instruments named, in order. Raises StyleError."""
    chosen = [instrument_named(name) for name in names]
    pitched = [place for place, part in enumerate(arrangement.parts) if not part.is_drums]
    parts = list(arrangement.parts)
    for place, instrument in zip(pitched, chosen, strict=False):
        parts[place] = replace(parts[place], program=instrument.program, voice=instrument.voice)
    return replace(arrangement, parts=tuple(parts))


def lead_sheet_of(path: Path, tempo_bpm: float | None) -> LeadSheet:
    """The tune of an ABC file. Raises NotationError, or UsageError for a MIDI file, which has no tune of its own."""
    if path.suffix.lower() in _MIDI:
        raise UsageError("A MIDI file is played as it is.", hint="To have a tune arranged for a band, give it as ABC.")
    sheet = read_abc(read_file(path).decode("utf-8-sig", errors="replace"))
    return replace(sheet, title=sheet.title or path.stem, tempo_bpm=tempo_bpm or sheet.tempo_bpm)


def draft_from_sheet(
    path: Path, sheet: LeadSheet, words: tuple[str, ...], styles: Mapping[str, Style], *, seed: int, created: str
) -> Draft:
    """A draft whose tune is the user's own, for the band to play in the styles of `words`. Raises UsageError, NotationError."""
    reading = read_words(words, {name: style.aliases for name, style in styles.items()})
    if not reading.styles:
        raise UsageError(f"No style that I know is in {', '.join(words)!r}.", hint='"llm-music-gen styles" lists them.')
    if len(sheet.sections) > MAX_SECTIONS:
        raise UsageError(f"The tune has {len(sheet.sections)} different sections.", hint=f"The band takes up to {MAX_SECTIONS}.")
    style, _ = resolve_style(styles, reading.styles, reading.moods)
    form = _form_of(sheet)
    music_s = sum(plan.bars for plan in form) * sheet.meter.bar_seconds(sheet.tempo_bpm)
    theme = Theme(
        title=sheet.title, styles=words, mood=reading.moods, key=sheet.key, tempo_bpm=sheet.tempo_bpm, meter=sheet.meter,
        form=form, density=style.density, length_frames=seconds_to_frames(music_s + tail_target_s(music_s)), hints=reading.hints,
    )  # fmt: skip
    unit, sections = _written(sheet)
    model = ModelRecord(name=path.name, sha256=hashlib.sha256(read_file(path)).hexdigest(), temperature=0.0)
    return Draft(
        seed,
        created,
        PlannedSong(theme, style, reading.styles, reading.moods),
        Tune(unit, sections, sheet_of(theme, unit, sections)),
        model,
    )


def _form_of(sheet: LeadSheet) -> tuple[SectionPlan, ...]:
    """The user's own order; what comes again comes fuller, and the last time is the fullest."""
    order = sheet.order or tuple(section.label for section in sheet.sections)
    plans = []
    for place, label in enumerate(order):
        energy = 0.45 + 0.45 * place / max(1, len(order) - 1)
        plans.append(SectionPlan(label, "verse" if label == order[0] else "chorus", sheet.section(label).bars, energy))
    return tuple(plans)


def _written(sheet: LeadSheet) -> tuple[Fraction, tuple[WrittenSection, ...]]:
    """The sections as composer text, in the first unit that can hold the rhythm. Raises NotationError when none can."""
    usual = default_unit(sheet.meter)
    complaint: NotationError | None = None
    for unit in (usual, *(other for other in UNITS if other != usual)):
        try:
            sections = [
                WrittenSection(section.label, section.bars, section_text(section, sheet.key, sheet.meter, unit))
                for section in sheet.sections
            ]
            return unit, tuple(sections)
        except NotationError as error:
            complaint = complaint or error
    raise complaint or NotationError("The tune has no sections.")


def _plain(sheet: LeadSheet) -> Arrangement:
    """Melody and chord symbols, as a pianist would read them off the sheet."""
    melody: list[PlayedNote] = []
    chords: list[PlayedNote] = []
    start_ql = 0.0
    for label in sheet.order or tuple(section.label for section in sheet.sections):
        section = sheet.section(label)
        melody += [PlayedNote(start_ql + float(note.onset_ql), float(note.duration_ql), note.pitch, 88) for note in section.notes]
        end_ql = float(section.bars * sheet.meter.bar_ql)
        onsets = [float(chord.onset_ql) for chord in section.chords] + [end_ql]
        for chord, onset, following in zip(section.chords, onsets[:-1], onsets[1:], strict=True):
            chords += [PlayedNote(start_ql + onset, following - onset, pitch, 60) for pitch in _voiced(chord)]
        start_ql += end_ql
    music_s = start_ql * 60.0 / sheet.meter.quarter_bpm(sheet.tempo_bpm)
    parts = [Part("Melody", "melody", 0, tuple(melody))]
    if chords:
        parts.append(Part("Chords", "chords", 0, tuple(chords), gain_db=-3.0))
    return Arrangement(
        title=sheet.title, key=sheet.key, meter=sheet.meter, tempo_bpm=sheet.tempo_bpm, parts=tuple(parts),
        length_frames=seconds_to_frames(music_s + tail_target_s(music_s)),
    )  # fmt: skip


def _voiced(chord: ChordSymbol) -> list[int]:
    """Root in the bass octave, the other tones below middle C."""
    bass = chord.root_pc if chord.bass_pc is None else chord.bass_pc
    return [36 + bass, *sorted(48 + pc for pc in chord_pcs(chord))]


def _at_tempo(arrangement: Arrangement, tempo_bpm: float) -> Arrangement:
    tail_s = tail_target_s(arrangement.length_frames / SAMPLE_RATE_HZ)
    music_s = max(0.0, arrangement.length_frames / SAMPLE_RATE_HZ - tail_s) * arrangement.tempo_bpm / tempo_bpm
    return replace(arrangement, tempo_bpm=tempo_bpm, length_frames=seconds_to_frames(music_s + tail_s))
