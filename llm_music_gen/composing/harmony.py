"""The chords a tune may use in its key, and those that close a section."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import ChordSymbol, LeadSection
from llm_music_gen.notation.chords import QUALITIES, chord_text, parse_chord

#: In minor the dominant borrows its leading note from the major key on the same tonic.
_BORROWED_DOMINANT = ("", "7")
#: Qualities that are tried on each degree of the scale, triads first.
_QUALITIES = ("", "m", "dim", "7", "m7", "maj7", "m7b5")


def key_chords(key: Key) -> tuple[str, ...]:
    """Chord symbols that belong to the key: triads and sevenths on its degrees, and in minor the major dominant."""
    scale = frozenset(key.scale_pcs)
    found = [
        ChordSymbol(Fraction(0), root, quality)
        for root in key.scale_pcs
        for quality in _QUALITIES
        if {(root + step) % 12 for step in QUALITIES[quality]} <= scale
    ]
    if key.is_minor:
        found += [ChordSymbol(Fraction(0), (key.tonic_pc + 7) % 12, quality) for quality in _BORROWED_DOMINANT]
    return tuple(dict.fromkeys(chord_text(chord, key) for chord in found))


def primary_chords(key: Key) -> tuple[str, ...]:
    """The few that say plainly which key it is: tonic, subdominant, dominant and their relatives; no diminished ones."""
    degrees = (0, 1, 3, 4, 5) if not key.is_minor else (0, 3, 4, 5, 6)
    roots = {key.scale_pcs[degree] for degree in degrees}
    dominant = (key.tonic_pc + 7) % 12
    chosen = []
    for symbol in key_chords(key):
        chord = parse_chord(symbol)
        if chord.root_pc in roots and (chord.quality in ("", "m") or (chord.quality == "7" and chord.root_pc == dominant)):
            chosen.append(symbol)
    return tuple(chosen)


def tonic_chord(key: Key) -> str:
    """The symbol of the tonic triad; a diminished one (locrian) becomes minor, because a song cannot rest on it."""
    return chord_text(ChordSymbol(Fraction(0), key.tonic_pc, "m" if key.is_minor else ""), key)


def half_close_chord(key: Key) -> str:
    """The chord on which an open section ends and that leads back to the tonic: the fifth degree, major in a minor key."""
    dominant = (key.tonic_pc + 7) % 12
    if key.mode in ("mixolydian", "phrygian", "locrian"):  # whose fifth degree does not lead: the degree below the tonic does
        lower = (key.tonic_pc - 2) % 12
        return chord_text(ChordSymbol(Fraction(0), lower, "m" if key.mode != "mixolydian" else ""), key)
    return chord_text(ChordSymbol(Fraction(0), dominant, ""), key)


def best_triad(pitch_classes: dict[int, Fraction], key: Key, avoid: str = "") -> str:
    """The key's triad that covers most of the given pitch classes (pitch class -> duration)."""
    scale = frozenset(key.scale_pcs)
    triads = [
        ChordSymbol(Fraction(0), root, quality)
        for root in key.scale_pcs
        for quality in ("", "m")
        if {(root + step) % 12 for step in QUALITIES[quality]} <= scale
    ]

    def covered(chord: ChordSymbol) -> tuple[Fraction, bool]:
        tones = {(chord.root_pc + step) % 12 for step in QUALITIES[chord.quality]}
        inside = sum((length for pc, length in pitch_classes.items() if pc in tones), Fraction(0))
        return inside, chord_text(chord, key) != avoid

    return chord_text(max(triads, key=covered), key)


def harmonised(section: LeadSection, key: Key, meter: Meter) -> LeadSection:
    """The section as it is where it has chords, otherwise with the best triad of the key for each bar; the last bar closes."""
    if section.chords:
        return section
    bars: list[dict[int, Fraction]] = [{} for _ in range(section.bars)]
    for note in section.notes:
        weights = bars[int(note.onset_ql // meter.bar_ql)]
        weights[note.pitch % 12] = weights.get(note.pitch % 12, Fraction(0)) + note.duration_ql
    symbols = [best_triad(weights, key) for weights in bars[:-1]] + [tonic_chord(key)]
    chords = tuple(parse_chord(symbol, index * meter.bar_ql) for index, symbol in enumerate(symbols))
    return replace(section, chords=chords)
