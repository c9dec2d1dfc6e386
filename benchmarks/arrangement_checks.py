"""What the arranger promises, counted over songs: `python benchmarks/arrangement_checks.py [--songs N] [--style NAME]`.

Prints how often the MIDI has the tempo asked for, how often the last bass note is the tonic and the last chord the tonic's, how
often Krumhansl's profiles (weighted by duration over all pitched parts) find the key asked for or a near one, how often bass and
melody clash on strong beats, and how far voices leap. Beside the key stands the same figure for the bare tunes.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import mido
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from llm_music_gen.arranging import arrange, write_midi
from llm_music_gen.arranging.key_finding import is_related, pitch_class_weights, rank_keys
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import Arrangement, LeadSheet, Part
from llm_music_gen.styles import Style, load_styles
from tests.fakes.tunes import lead_sheet, theme_for


def main() -> int:
    """Print the figures; exit code 1 when a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=100)
    parser.add_argument("--style", help="only this one; left out = all in turn")
    parser.add_argument("--verbose", action="store_true", help="name the songs that miss")
    args = parser.parse_args()
    styles = load_styles()
    chosen = [styles[args.style]] if args.style else list(styles.values())
    counts = dict.fromkeys(("tempo", "last bass", "last chord", "key", "near key", "bare key", "five parts"), 0)
    clashes = beats = 0
    widest = 0
    for number in range(args.songs):
        style = chosen[number % len(chosen)]
        song, tune = make_song(style, number)
        ranked = rank_keys(pitch_class_weights(song))[0]
        found = {
            "tempo": midi_tempo(song),
            "last bass": last_bass_is_tonic(song),
            "last chord": last_chord_is_tonic(song),
            "key": ranked[1:] == (song.key.tonic_pc, song.key.is_minor),
            "near key": is_related(ranked[1], ranked[2], song.key),
            "bare key": rank_keys(_tune_weights(tune))[0][1:] == (song.key.tonic_pc, song.key.is_minor),
            "five parts": len(song.parts) >= (5 if style.has_drums else 4),
        }
        for name, hit in found.items():
            counts[name] += hit
            if args.verbose and not hit and name != "bare key":
                print(f"  song {number} ({style.name}, {song.key}, {song.meter}) misses {name}: {ranked[1:]}")
        bad, all_beats = clash_beats(song)
        clashes, beats = clashes + bad, beats + all_beats
        widest = max(widest, widest_voice_leap(song))
    songs = args.songs
    share = 100 * clashes / max(1, beats)
    for name, count in counts.items():
        print(f"{name:12} {count:4} of {songs}")
    print(f"clashes of bass and melody on strong beats: {share:.2f} % of {beats}")
    print(f"widest leap of a pad's voice: {widest} semitones")
    kept = (
        counts["tempo"] == songs == counts["last bass"] and counts["last chord"] >= 0.98 * songs
        and counts["key"] >= 0.8 * songs and counts["near key"] >= 0.95 * songs and share < 2.0 and widest <= 12
    )  # fmt: skip
    print("all promises kept" if kept else "a promise is broken")
    return 0 if kept else 1


def make_song(style: Style, number: int) -> tuple[Arrangement, LeadSheet]:
    """One song of a style, in a key and metre that its number chooses, at the style's tempo."""
    rng = np.random.default_rng(number)
    key = Key.from_pc(int(rng.integers(0, 12)), "minor" if number % 2 else "major")
    meter = Meter.parse(list(style.meters)[number // 7 % len(style.meters)])
    tempo = float(round(rng.uniform(style.tempo_min_bpm, style.tempo_max_bpm)))
    theme = theme_for(key, meter, tempo)
    tune = lead_sheet(theme, rng, chords=number % 5 != 0)
    return arrange(theme, tune, style, rng), tune


def midi_tempo(song: Arrangement) -> bool:
    """Whether the file's one tempo is the song's, to the microsecond that MIDI can say."""
    file = mido.MidiFile(file=io.BytesIO(write_midi(song)))
    tempos = [message.tempo for track in file.tracks for message in track if message.type == "set_tempo"]
    return tempos == [round(60_000_000 / song.quarter_bpm)]


def last_bass_is_tonic(song: Arrangement) -> bool:
    """Whether the lowest note that begins last in the bass is the tonic."""
    bass = [part for part in song.parts if part.role == "bass"]
    return bool(bass) and bass[0].notes[-1].pitch % 12 == song.key.tonic_pc


def last_chord_is_tonic(song: Arrangement) -> bool:
    """Whether what sounds at the very end, all parts together, is the tonic triad: its root in the bass, no foreign tone."""
    pitched = [part for part in song.parts if not part.is_drums and part.role != "fx"]
    end = max(note.onset_ql + note.duration_ql for part in pitched for note in part.notes)
    last_onset = max(note.onset_ql for part in pitched for note in part.notes)
    middle = (last_onset + end) / 2
    sounding = [n.pitch for p in pitched for n in p.notes if n.onset_ql <= middle < n.onset_ql + n.duration_ql]
    third = (song.key.tonic_pc + (3 if song.key.is_minor else 4)) % 12
    triad = {song.key.tonic_pc, third, (song.key.tonic_pc + 7) % 12}
    pcs = {pitch % 12 for pitch in sounding}
    return min(sounding) % 12 == song.key.tonic_pc and third in pcs and pcs <= triad


def clash_beats(song: Arrangement) -> tuple[int, int]:
    """(strong beats with a semitone, its octaves or inversion between bass and melody, strong beats where both sound)."""
    bass = next((part for part in song.parts if part.role == "bass"), None)
    melody = next((part for part in song.parts if part.role == "melody"), None)
    if bass is None or melody is None:
        return 0, 0
    bar = float(song.meter.bar_ql)
    strong = [0.0] if song.meter.beats_per_bar % 2 else [0.0, bar / 2]
    end = max(note.onset_ql for note in melody.notes)
    low, high = _Sounding(bass), _Sounding(melody)
    bad = count = 0
    for number in range(int(end / bar) + 1):
        for place in strong:
            below, above = low.at(number * bar + place), high.at(number * bar + place)
            if below is not None and above is not None:
                count += 1
                bad += (above - below) % 12 in (1, 11)
    return bad, count


def widest_voice_leap(song: Arrangement) -> int:
    """Furthest that the top or bottom of the pad or chords moves from one struck chord to the next, in semitones."""
    widest = 0
    for part in song.parts:
        if part.role in ("chords", "pad"):
            struck: dict[float, list[int]] = {}
            for note in part.notes:
                struck.setdefault(round(note.onset_ql * 2) / 2, []).append(note.pitch)
            full = [sorted(pitches) for _, pitches in sorted(struck.items()) if len(pitches) >= 3]
            for one, other in pairwise(full):
                widest = max(widest, abs(one[0] - other[0]), abs(one[-1] - other[-1]))
    return widest


class _Sounding:
    """Which note of a part sounds at a time, asked in rising order."""

    def __init__(self, part: Part) -> None:
        self._notes = sorted(part.notes, key=lambda note: note.onset_ql)
        self._next = 0

    def at(self, time_ql: float) -> int | None:
        """The pitch of the note heard at `time_ql`, give or take a human's tenth of a quarter."""
        while self._next < len(self._notes) and self._notes[self._next].onset_ql <= time_ql + 0.12:
            self._next += 1
        if not self._next:
            return None
        note = self._notes[self._next - 1]
        return note.pitch if note.onset_ql + note.duration_ql > time_ql + 0.1 else None


def _tune_weights(tune: LeadSheet) -> Sequence[float]:
    weights = [0.0] * 12
    for section in tune.sections:
        for note in section.notes:
            weights[note.pitch % 12] += float(note.duration_ql)
    return weights


if __name__ == "__main__":
    raise SystemExit(main())
