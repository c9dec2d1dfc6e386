"""Whether songs of one style differ: `python benchmarks/style_variety.py [--styles LIST] [--songs 100] [--length 2m]`.

Plans and arranges so many songs of each style (tunes made by chance, no sound) and counts how many different ones there are of

- grooves: the strokes of the drums' commonest bar, on a grid of 24 steps a bar, with the bass's commonest rhythm; without drums
  the rhythms of bass, chords and arpeggio;
- voicings: the chords' shapes (intervals from the lowest note) in the order in which they are first heard;
- forms: kind and size of every section, and who plays in it;

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
            layers = [players for _, _, players in found[2]]
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


def form(song: Arrangement, planned: PlannedSong) -> tuple[tuple[str, int, frozenset[str]], ...]:
    """(kind, bars, who plays) of each section."""
    bar = float(song.meter.bar_ql)
    out = []
    start = 0
    for plan in planned.theme.form:
        stop = start + plan.bars
        # The first sixteenth belongs to what went before: people play early.
        players = frozenset(
            part.role for part in song.parts if any(start * bar + 0.3 <= note.onset_ql < stop * bar - 0.3 for note in part.notes)
        )
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
    """What chords or pad strike together, in order; octave doublings stay."""
    part = next((part for role in ("chords", "pad") for part in song.parts if part.role == role), None)
    struck: dict[int, list[int]] = {}
    for note in part.notes if part else ():
        struck.setdefault(round(note.onset_ql * 2), []).append(note.pitch)
    return [tuple(sorted(set(pitches))) for _, pitches in sorted(struck.items()) if len(set(pitches)) >= 3]


def _commonest_bar(part: Part, bar_ql: float) -> Hashable:
    bars: dict[int, set[tuple[int, int]]] = {}
    for note in part.notes:
        step = round(note.onset_ql / bar_ql * STEPS)
        bars.setdefault(step // STEPS, set()).add((step % STEPS, note.pitch if part.is_drums else 0))
    return Counter(frozenset(bar) for bar in bars.values()).most_common(1)[0][0]


if __name__ == "__main__":
    raise SystemExit(main())
