"""Whether songs of one style differ: `python benchmarks/style_variety.py [--styles LIST] [--songs 100] [--length 2m]`.

Plans and arranges so many songs of each style (tunes made by chance, no sound) and counts how many different ones there are of

- grooves: the strokes of the drums' commonest bar, on a grid of 24 steps a bar, with the bass's commonest rhythm; without drums
  the rhythms of bass, chords and arpeggio;
- voicings: the chords' shapes (intervals from the lowest note) in the order in which they are first heard;
- forms: kind and size of every section, who plays in it, and from which of its bars;

and of all three together, which must be as many as there are songs. Beside them the leap of any one voice from chord to chord
(at most an octave), clashes of bass and melody on strong beats (under 2 %), and whether layers enter and leave.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Hashable
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.arrangement_checks import clash_beats
from llm_music_gen.composing.lengths import parse_length
from llm_music_gen.composing.theme import PlannedSong, SongRequest, plan_theme
from llm_music_gen.domain.score import Arrangement, Part
from llm_music_gen.studio.band import played
from llm_music_gen.styles import load_styles
from tests.fakes.tunes import lead_sheet

STEPS = 24
#: No part holds a note longer.
_LONGEST_QL = 36.0
WIDEST_LEAP, MOST_CLASHES = 12, 0.02


def main() -> int:
    """Print a line a style; exit code 1 when two songs are the same or a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--styles", help="names separated by commas (default: all)")
    parser.add_argument("--songs", type=int, default=100)
    parser.add_argument("--length", default="2m")
    args = parser.parse_args()
    styles = load_styles()
    names = [name.strip() for name in args.styles.split(",")] if args.styles else list(styles)
    kept = True
    print(f"{'style':16} grooves voicings forms all  widest leap  clashes  entries and exits")
    for name in names:
        seen: dict[str, set[Hashable]] = {"groove": set(), "voicing": set(), "form": set(), "all": set()}
        leap = clashes = beats = 0
        changes = []
        for seed in range(args.songs):
            rng = np.random.default_rng([seed, len(name)])
            planned = plan_theme(SongRequest((name,), parse_length(args.length)), styles, rng)
            tune = lead_sheet(planned.theme, rng, chords=seed % 2 == 0)
            song = played(planned.theme, tune, planned.style, np.random.SeedSequence(seed))
            found = (groove(song), voicing(song), form(song, planned))
            for kind, value in zip(seen, (*found, found), strict=True):
                seen[kind].add(value)
            bad, count = clash_beats(song)
            clashes, beats = clashes + bad, beats + count
            leap = max(leap, widest_leap(song))
            layers = [{role for role, _ in players} for _, _, players in found[2]]
            changes.append(sum(len(one ^ other) for one, other in pairwise(layers)))
        share = clashes / max(1, beats)
        good = len(seen["all"]) == args.songs and leap <= WIDEST_LEAP and share < MOST_CLASHES
        kept &= good
        print(
            f"{name:16} {len(seen['groove']):7} {len(seen['voicing']):8} {len(seen['form']):5} {len(seen['all']):3} {leap:12} "
            f"{share:8.2%} {np.mean(changes):8.1f}{'' if good else '   MISSED'}",
            flush=True,
        )
    return 0 if kept else 1


def groove(song: Arrangement) -> Hashable:
    """The commonest bar of whoever keeps time."""
    roles = ("drums", "bass") if any(part.is_drums for part in song.parts) else ("bass", "chords", "arp")
    return tuple(_commonest_bar(part, float(song.meter.bar_ql)) for part in song.parts if part.role in roles)


def voicing(song: Arrangement) -> Hashable:
    """Shapes of the chords as they first come, from the chords or else the pad."""
    shapes: dict[tuple[int, ...], None] = {}
    for chord in _chords(song):
        shapes[tuple(pitch - chord[0] for pitch in chord)] = None
    return tuple(shapes)


def form(song: Arrangement, planned: PlannedSong) -> tuple[tuple[str, int, frozenset[tuple[str, int]]], ...]:
    """(kind, bars, (who plays, from which bar)) of each section; what is held over from before does not begin."""
    bar = float(song.meter.bar_ql)
    out = []
    start = 0
    for plan in planned.theme.form:
        stop = start + plan.bars
        # The first sixteenth belongs to what went before: people play early.
        begins = {
            part.role: min(
                (note.onset_ql for note in part.notes if start * bar - 0.3 <= note.onset_ql < stop * bar - 0.3), default=-1.0
            )
            for part in song.parts
        }
        players = frozenset((role, int((onset + 0.3) // bar) - start) for role, onset in begins.items() if onset >= 0)
        out.append((plan.role, plan.bars, players))
        start = stop
    return tuple(out)


def widest_leap(song: Arrangement) -> int:
    """Furthest that one voice moves between chords of as many notes, voices counted from below, in semitones."""
    return max(
        (
            abs(new - old)
            for one, other in pairwise(_chords(song))
            if len(one) == len(other)
            for old, new in zip(one, other, strict=True)
        ),
        default=0,
    )


def _chords(song: Arrangement) -> list[tuple[int, ...]]:
    """What of chords or pad sounds after each of its strokes, held tones too, in order."""
    part = next((part for role in ("chords", "pad") for part in song.parts if part.role == role), None)
    notes = part.notes if part else ()
    strokes = sorted({round(note.onset_ql * 2) / 2 for note in notes})
    out = []
    first = 0
    for stroke in strokes:
        # People strike early or late; a quarter later everyone is there, and who has left is gone.
        moment = stroke + 0.25
        while notes[first].onset_ql + _LONGEST_QL < moment:
            first += 1
        sounding = set()
        for note in notes[first:]:
            if note.onset_ql > moment:
                break
            if note.onset_ql + note.duration_ql > moment or abs(note.onset_ql - stroke) < 0.25:
                sounding.add(note.pitch)
        if len(sounding) >= 2:
            out.append(tuple(sorted(sounding)))
    return out


def _commonest_bar(part: Part, bar_ql: float) -> Hashable:
    bars: dict[int, set[tuple[int, int]]] = {}
    for note in part.notes:
        step = round(note.onset_ql / bar_ql * STEPS)
        bars.setdefault(step // STEPS, set()).add((step % STEPS, note.pitch if part.is_drums else 0))
    return Counter(frozenset(bar) for bar in bars.values()).most_common(1)[0][0]


if __name__ == "__main__":
    raise SystemExit(main())
