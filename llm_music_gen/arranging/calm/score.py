"""The score of a calm track: a drone that stays, pads that change, bowls far apart, and motifs that are told and answered."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from llm_music_gen.arranging.calm.chance import stream
from llm_music_gen.arranging.calm.harmony import HeldChord, chord_walk
from llm_music_gen.arranging.calm.motif import Motif, motif_scale, motifs_of, pitch_of, retold, settled
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.long_form import Calm, Chapter, HeldTone, LongScore, Piece
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import Arrangement, Intonation, LeadSection, Marker, Part, PlayedNote
from llm_music_gen.styles import Style
from llm_music_gen.styles.sounds import Instrument, instrument_named
from llm_music_gen.tuning.intonation import pitch_hz
from llm_music_gen.units import SAMPLE_RATE_HZ

InTune = Callable[[int], float]
"""Frequency in Hz of a MIDI pitch."""

#: Notes of calm parts count in seconds: a quarter note at 60 beats a minute.
_TEMPO_BPM = 60.0
_PAD_VOICES = ("pad", "choir", "glass")
#: Instruments whose notes fade by themselves, for motifs at any hour.
_GENTLE = ("piano", "electric piano", "harp", "vibraphone", "kalimba", "celesta", "nylon guitar", "music box")
_SUSTAINED = frozenset((*range(16, 24), *range(40, 46), *range(48, 55), *range(56, 80), *range(88, 96)))
_HARSH = frozenset(("wobble", "supersaw", "reese"))
#: Pads and drone rise by themselves.
_FADE_IN_S = 3.0
#: Bands of two tunings cross over in this time.
_OVERLAP_S = 12.0
#: From chapter to chapter pads and drones turn over in this time.
_TURN_S = 14.0


@dataclass(frozen=True, slots=True)
class _Manner:
    """How calm calm is."""

    chord_s: tuple[float, float]
    pad_attack_s: float
    pad_spread_db: float
    pad_level_db: float
    home_db: float
    register_spread: float
    bowl_gap_s: tuple[float, float]
    bowl_attack_s: float
    bowl_level_db: float
    phrase_gap_s: tuple[float, float]
    breath_s: float
    velocities: tuple[int, int]
    melody_until_depth: float
    band_level_db: float


_MANNERS: dict[Calm, _Manner] = {
    "day": _Manner(
        chord_s=(16.0, 32.0), pad_attack_s=4.0, pad_spread_db=1.2, pad_level_db=-31.0, home_db=1.0, register_spread=1.5,
        bowl_gap_s=(35.0, 80.0), bowl_attack_s=0.04, bowl_level_db=-33.0, phrase_gap_s=(9.0, 24.0), breath_s=2.1,
        velocities=(30, 52), melody_until_depth=2.0, band_level_db=-4.0,
    ),
    "night": _Manner(
        chord_s=(28.0, 55.0), pad_attack_s=8.0, pad_spread_db=0.3, pad_level_db=-32.5, home_db=0.5, register_spread=1.0,
        bowl_gap_s=(90.0, 220.0), bowl_attack_s=1.8, bowl_level_db=-35.0, phrase_gap_s=(22.0, 60.0), breath_s=3.2,
        velocities=(22, 34), melody_until_depth=0.75, band_level_db=-10.0,
    ),
}  # fmt: skip


def calm_score(
    title: str,
    chapters: Sequence[Chapter],
    motifs: Sequence[LeadSection],
    style: Style,
    *,
    frames: int,
    calm: Calm,
    seed: int,
    band: Sequence[Instrument],
    corrections_db: Mapping[int, float] | None = None,
    without: Sequence[str] = (),
) -> LongScore:
    """The score. `motifs`: one written section for each chapter; `band` plays motifs (see `calm_band`);
    `corrections_db` turns the events of single chapters (bowls and notes) up or down.

    The same arguments give the same score; a chapter depends on its own number only.
    """
    manner = _MANNERS[calm]
    tones: list[HeldTone] = []
    pieces: list[Piece] = []
    cuts = ("_highpass_hz", "_lowpass_hz")
    # Single notes far apart need no room made for them, and nothing may pump.
    settings = {name: value for name, value in style.mix.as_settings().items() if not name.endswith(cuts)}
    mix = {**settings, "glue": 0.0, "sidechain_db": 0.0}
    sections = {chapter.number: section for chapter, section in zip(chapters, motifs, strict=True)}
    for group in _alike(chapters):
        tones += _drone(group)
        start_frame, length_frames = _span(group, chapters, frames)
        parts: list[Part] = []
        for chapter in group:
            correction_db = (corrections_db or {}).get(chapter.number, 0.0)
            tonic, hz = _tonic_pitch(chapter.key), partial(pitch_hz, a4_hz=chapter.a4_hz, intonation=chapter.intonation)
            chords = chord_walk(chapter, *manner.chord_s, stream(seed, "chords", chapter.number))
            tones += _pads(chapter, chords, tonic, manner, hz, stream(seed, "pads", chapter.number))
            if not {"bowl", "bowls"} & set(without):
                tones += _bowls(chapter, tonic, manner, hz, stream(seed, "bowls", chapter.number), correction_db)
            if band and chapter.depth <= manner.melody_until_depth:
                for instrument, played in _phrases(chapter, sections[chapter.number], tonic, band, manner, seed):
                    level_db = manner.band_level_db + correction_db
                    parts.append(_part(instrument, played, style, start_frame, length_frames, level_db))
        arrangement = Arrangement(
            title=title, key=group[0].key, meter=Meter.parse("4/4"), tempo_bpm=_TEMPO_BPM,
            parts=tuple(parts), length_frames=length_frames, a4_hz=group[0].a4_hz, intonation=group[0].intonation, mix=mix,
            markers=tuple(Marker(max(0.0, chapter.start_s - start_frame / SAMPLE_RATE_HZ), chapter.name) for chapter in group),
        )  # fmt: skip
        pieces.append(Piece(start_frame, length_frames, partial(_same, arrangement)))
    end_s = frames / SAMPLE_RATE_HZ
    fade_out_s = min(300.0 if calm == "night" else 60.0, 0.1 * end_s)
    return LongScore(
        frames, tuple(chapters), tuple(sorted(tones, key=lambda tone: (tone.onset_s, tone.frequency_hz, tone.voice))),
        tuple(pieces), min(_FADE_IN_S, 0.05 * end_s), fade_out_s, mix=mix,
    )  # fmt: skip


def _alike(chapters: Sequence[Chapter]) -> list[list[Chapter]]:
    """Neighbouring chapters of one tuning together: a band is tuned once for each."""
    groups: list[list[Chapter]] = []
    for chapter in chapters:
        if groups and _tuning(groups[-1][0]) == _tuning(chapter):
            groups[-1].append(chapter)
        else:
            groups.append([chapter])
    return groups


def _tuning(chapter: Chapter) -> tuple[float, Intonation]:
    return chapter.a4_hz, chapter.intonation


def _span(group: Sequence[Chapter], chapters: Sequence[Chapter], frames: int) -> tuple[int, int]:
    """(first frame, number of frames) of a group's band; neighbours overlap for a while."""
    first, last = group[0], group[-1]
    start = 0 if first.number == chapters[0].number else round((first.start_s - _OVERLAP_S / 2) * SAMPLE_RATE_HZ)
    end = frames if last.number == chapters[-1].number else round((last.end_s + _OVERLAP_S / 2) * SAMPLE_RATE_HZ)
    return max(0, start), min(frames, end) - max(0, start)


def _same(arrangement: Arrangement) -> Arrangement:
    return arrangement


def _tonic_pitch(key: Key) -> int:
    """The tonic between F3 and E4: where voices and strings feel at home."""
    return 53 + (key.tonic_pc - 5) % 12


def _drone(group: Sequence[Chapter]) -> list[HeldTone]:
    """Two octaves of the tonic from the first of these chapters to the last; where the tonic changes, one drone gives way."""
    first, last = group[0], group[-1]
    tonic = _tonic_pitch(first.key)
    start_s = max(0.0, first.start_s - _TURN_S / 2)
    return [
        HeldTone(
            start_s, last.end_s + _TURN_S / 2 - start_s, pitch_hz(tonic - octaves * 12, first.a4_hz, first.intonation), "drone",
            level, _TURN_S, _TURN_S, 600.0,
        )
        for octaves, level in ((2, -27.0), (1, -30.0))
    ]  # fmt: skip


def _pads(
    chapter: Chapter, chords: Sequence[HeldChord], tonic: int, manner: _Manner, hz: InTune, rng: np.random.Generator
) -> list[HeldTone]:
    colour = _PAD_VOICES[int(rng.integers(len(_PAD_VOICES)))]
    second = _PAD_VOICES[int(rng.integers(len(_PAD_VOICES)))]
    centre = tonic + float(rng.uniform(-2, 4)) - 4.0 * chapter.depth
    brightness_hz = float(2 ** (np.log2(2_600.0) - 1.4 * chapter.depth + rng.normal(0, 0.15)))
    tones: list[HeldTone] = []
    last: list[int] = []
    sounding: dict[int, int] = {}
    before_s = _TURN_S
    for chord in chords:
        count = 3 if chapter.depth > 0.7 or rng.random() < 0.35 else 4
        pitches = _voiced(chord.pcs, count, centre + float(rng.normal(0, manner.register_spread)), last)
        last = pitches
        # What one chord loses the next gains: both turn over in the same stretch, at equal power. A tone that both have goes on.
        overlap_s = _TURN_S if chord is chords[-1] else 0.45 * chord.length_s
        going_on = {pitch: held for pitch, held in sounding.items() if pitch in pitches}
        sounding = {}
        for number, pitch in enumerate(pitches):
            end_s = chord.start_s + chord.length_s + overlap_s
            if pitch in going_on:
                index = going_on[pitch]
                tones[index] = replace(tones[index], length_s=end_s - tones[index].onset_s, release_s=overlap_s)
                sounding[pitch] = index
                continue
            late_s = float(rng.uniform(0.0, 0.1)) * chord.length_s if number else 0.0
            # A voice that leans back lets another come forward; chords that come home are quieter.
            level = (
                manner.pad_level_db
                - 0.8 * chapter.depth
                + float(rng.normal(0, manner.pad_spread_db))
                - manner.home_db * chord.home
            )
            sounding[pitch] = len(tones)
            tones.append(
                HeldTone(
                    chord.start_s + late_s, end_s - chord.start_s - late_s, hz(pitch),
                    second if number == len(pitches) - 1 else colour, level - 10.0 * math.log10(len(pitches) / 4),
                    max(manner.pad_attack_s, before_s - late_s), overlap_s, brightness_hz, float(rng.uniform(-0.5, 0.5)),
                )
            )  # fmt: skip
        before_s = overlap_s
    return tones


def _voiced(pcs: Sequence[int], count: int, centre: float, last: Sequence[int]) -> list[int]:
    """`count` pitches of the chord around `centre`, each near one of the last."""
    candidates = [pitch for pitch in range(round(centre) - 10, round(centre) + 15) if pitch % 12 in pcs]
    chosen: list[int] = []
    for number in range(count):
        wanted = last[number] if number < len(last) else centre - 7 + 7 * number
        free = [pitch for pitch in candidates if all(abs(pitch - other) > 2 for other in chosen)]
        if not free:
            break
        # The chord's own tones come first: none is doubled before all have sounded.
        missing = [pitch for pitch in free if pitch % 12 not in {other % 12 for other in chosen}]
        chosen.append(min(missing or free, key=lambda pitch: (abs(pitch - wanted) + 0.25 * abs(pitch - centre), pitch)))
    return sorted(chosen)


def _bowls(
    chapter: Chapter, tonic: int, manner: _Manner, hz: InTune, rng: np.random.Generator, correction_db: float
) -> list[HeldTone]:
    tones = []
    time_s = chapter.start_s + float(rng.uniform(4.0, manner.bowl_gap_s[0]))
    while time_s < chapter.end_s - 2.0:
        pitch = tonic + int(rng.choice([0, 0, -12, 7, -5, 12]))
        length_s = float(rng.uniform(22.0, 38.0))
        level = manner.bowl_level_db + correction_db - 2.0 * chapter.depth + float(rng.normal(0, 1.5))
        attack_s = manner.bowl_attack_s * float(rng.uniform(0.8, 1.6))
        pan = float(rng.uniform(-0.6, 0.6))
        tones.append(HeldTone(time_s, length_s, hz(pitch), "bowl", level, attack_s, 0.4 * length_s, 3_000.0, pan))
        low, high = manner.bowl_gap_s
        time_s += float(rng.uniform(low, high)) * (1.0 + 0.6 * chapter.depth)
    return tones


def _phrases(
    chapter: Chapter, section: LeadSection, tonic: int, band: Sequence[Instrument], manner: _Manner, seed: int
) -> list[tuple[Instrument, list[PlayedNote]]]:
    """Who tells the chapter's motifs, and who answers."""
    rng = stream(seed, "melody", chapter.number)
    answers = stream(seed, "answers", chapter.number)
    lead, other = (band[int(index)] for index in rng.choice(len(band), 2, replace=len(band) < 2))
    scale = motif_scale(chapter.key, chapter.depth)
    family = motifs_of(section, chapter.key, scale, manner.breath_s, rng)
    told: list[PlayedNote] = []
    answered: list[PlayedNote] = []
    time_s = chapter.start_s + float(rng.uniform(6.0, 16.0))
    low, high = manner.phrase_gap_s
    while time_s < chapter.end_s - 8.0:
        parent = family[int(rng.integers(len(family)))]
        motif = settled(retold(parent, rng), scale, rng)
        end_s = _play(told, motif, time_s, tonic + 12, lead, scale, manner, chapter, rng)
        if answers.random() < 0.35 * chapter.density and end_s < chapter.end_s - 12.0:
            reply = settled(retold(motif, answers), scale, answers)
            _play(answered, reply, end_s + float(answers.uniform(1.0, 4.0)), tonic, other, scale, manner, chapter, answers)
        time_s = end_s + float(rng.uniform(low, high)) / max(0.35, chapter.density)
    return [(lead, told), (other, answered)]


def _play(
    notes: list[PlayedNote], motif: Motif, start_s: float, tonic: int, instrument: Instrument, scale: Sequence[int],
    manner: _Manner, chapter: Chapter, rng: np.random.Generator,
) -> float:  # fmt: skip
    """Append a motif's notes; where it ends."""
    low, high = instrument.range
    register = tonic - (12 if chapter.depth > 0.6 else 0)
    time_s = start_s
    last: int | None = None
    for step, gap_s in zip(motif.steps, motif.gaps_s, strict=True):
        pitch = pitch_of(step, register, scale)
        while pitch > min(high, 86):
            pitch -= 12
        while pitch < max(low, 43):
            pitch += 12
        # What was folded into the range, or turned round, would leap; nobody sings more than an octave.
        while last is not None and abs(pitch - last) > 12:
            pitch += 12 if pitch < last else -12
        last = pitch
        soft, loud = manner.velocities
        velocity = int(rng.integers(soft, loud + 1))
        # A held instrument leaves room to breathe; a struck one rings into the next note.
        length_s = min(6.0, 0.9 * gap_s) if instrument.program in _SUSTAINED else min(8.0, 1.6 * gap_s)
        notes.append(PlayedNote(round(time_s, 4), round(length_s, 4), pitch, velocity))
        time_s += gap_s
    return time_s


def calm_band(style: Style, without: Sequence[str], suits: Callable[[Instrument], bool]) -> list[Instrument]:
    """The style's own single-note instruments that suit, and gentle ones beside them where those are fewer than four."""
    refused = {name.lower() for name in without}
    if "melody" in refused:
        return []
    named = [sound for role in ("melody", "arp", "counter") for sound in style.instruments.get(role, ())]
    band = [
        sound
        for sound in dict.fromkeys(named)
        if sound.name not in refused and sound.voice not in ("wobble", "supersaw", "reese")
    ]
    for name in _GENTLE:
        if len(band) >= 4:
            break
        sound = instrument_named(name)
        if sound not in band and name not in refused and suits(sound):
            band.append(sound)
    return band


def _part(
    instrument: Instrument, notes: Sequence[PlayedNote], style: Style, start_frame: int, length_frames: int, level_db: float
) -> Part:
    start_s, length_s = start_frame / SAMPLE_RATE_HZ, length_frames / SAMPLE_RATE_HZ
    moved = [replace(note, onset_ql=note.onset_ql - start_s) for note in notes]
    kept = [note for note in moved if 0.0 <= note.onset_ql < length_s - 1.0]
    return Part(
        name=instrument.name.capitalize(), role="melody", program=instrument.program,
        notes=tuple(sorted(kept, key=lambda note: (note.onset_ql, note.pitch))), voice=instrument.voice,
        gain_db=level_db, pan=((instrument.program * 37) % 13 - 6) / 15.0,
        reverb_send=max(0.35, style.mix.reverb.get("melody", 0.4)),
    )  # fmt: skip
