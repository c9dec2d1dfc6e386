"""What a band makes of a song beside its tune: groove, voicing and form, in a form that can be compared between songs."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from llm_music_gen.domain.score import Arrangement, Part
from llm_music_gen.domain.theme import Theme

_STEPS_PER_QUARTER = 4
#: Roles whose rhythm is the groove where nobody drums.
_RHYTHM = ("bass", "arp", "chords", "pad")
_SHAPES = 3


def setting_of(arrangement: Arrangement, theme: Theme) -> dict[str, str]:
    """Fingerprints of how a song is set.

    groove: the onsets, on a grid of sixteenths, of every drum in the commonest full bar (without drums: of the accompaniment).
    voicing: the three commonest shapes of the chords, in semitones above their lowest note, their commonest rhythm, and who
    plays them. form: role, material and bars of every section.
    """
    drums = [part for part in arrangement.parts if part.is_drums]
    chords = [part for part in arrangement.parts if part.role in ("chords", "pad")]
    bar_ql = float(arrangement.meter.bar_ql)
    groove = _commonest_bars(drums or [part for part in arrangement.parts if part.role in _RHYTHM], bar_ql, pitched=bool(drums))
    voicing = (_shapes(chords), _commonest_bars(chords, bar_ql, pitched=False), [(part.program, part.voice) for part in chords])
    form = [(plan.role, plan.label, plan.bars) for plan in theme.form]
    return {"groove": _hash(groove), "voicing": _hash(voicing), "form": _hash(form)}


def same_settings(songs: Sequence[Mapping[str, str]]) -> int:
    """How many songs have groove, voicing and form together of an earlier one."""
    return len(songs) - len({(song["groove"], song["voicing"], song["form"]) for song in songs})


def _commonest_bars(parts: Sequence[Part], bar_ql: float, *, pitched: bool) -> list[object]:
    """The onsets of the commonest bar that is not empty."""
    bars: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for part in parts:
        for note in part.notes:
            step = round(note.onset_ql * _STEPS_PER_QUARTER)
            number, place = divmod(step, max(1, round(bar_ql * _STEPS_PER_QUARTER)))
            bars[number].add((place, note.pitch if pitched else 0))
    counts = Counter(tuple(sorted(bar)) for bar in bars.values())
    return list(min(counts.items(), key=lambda item: (-item[1], item[0]))[0]) if counts else []


def _shapes(parts: Sequence[Part]) -> list[object]:
    counts: Counter[tuple[int, ...]] = Counter()
    for part in parts:
        together: dict[int, set[int]] = defaultdict(set)
        for note in part.notes:
            together[round(note.onset_ql * _STEPS_PER_QUARTER)].add(note.pitch)
        counts.update(tuple(pitch - min(pitches) for pitch in sorted(pitches)) for pitches in together.values())
    return [shape for shape, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_SHAPES]]


def _hash(value: object) -> str:
    return hashlib.blake2b(repr(value).encode("utf-8"), digest_size=6).hexdigest()
