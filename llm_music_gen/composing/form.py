"""Plans form, tempo and exact length together, before a note is written.

Bars are whole, so their sum hardly ever equals the length asked for: the tail, in which the last chord sounds on and dies away,
takes up the rest. With a free tempo the plan looks for the whole-number tempo near the style's own that leaves a tail of good
size; with a given tempo only the number of bars can move.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from llm_music_gen.composing.lengths import LengthRange
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.theme import SectionPlan
from llm_music_gen.errors import UsageError
from llm_music_gen.units import SAMPLE_RATE_HZ, seconds_to_frames

#: No written section is longer than the composer can keep in mind.
MAX_SECTION_BARS = 16
#: A song may have this many different materials, named A to Z.
MAX_MATERIALS = 26
#: Bodies played with the same materials before new ones come, so that hours do not loop.
BODIES_PER_MATERIAL_SET = 2
MIN_TEMPO_BPM, MAX_TEMPO_BPM = 20, 400


@dataclass(frozen=True, slots=True)
class TempoChoice:
    """The tempo a plan may use. Equal bounds mean that it is given."""

    min_bpm: float
    max_bpm: float
    default_bpm: float

    @property
    def is_fixed(self) -> bool:
        """Whether the tempo is given."""
        return self.min_bpm == self.max_bpm


@dataclass(frozen=True, slots=True)
class FormPlan:
    """Sections, tempo and length that fit each other to the frame."""

    sections: tuple[SectionPlan, ...]
    tempo_bpm: float
    length_frames: int
    """Bars and tail at 44,100 Hz."""


def fixed_tempo(tempo_bpm: float) -> TempoChoice:
    """A tempo that the user gave. Raises UsageError outside 20 to 400."""
    if not MIN_TEMPO_BPM <= tempo_bpm <= MAX_TEMPO_BPM:
        raise UsageError(f"{tempo_bpm:g} BPM is no tempo.", hint=f"It goes from {MIN_TEMPO_BPM} to {MAX_TEMPO_BPM}.")
    return TempoChoice(tempo_bpm, tempo_bpm, tempo_bpm)


def plan_form(length: LengthRange, meter: Meter, tempo: TempoChoice, template: Sequence[SectionPlan]) -> FormPlan:
    """Stretch or cut `template` to the length. Raises UsageError when not even one bar fits."""
    best: tuple[float, float, int, int] | None = None
    for tempo_bpm in _tempos(tempo):
        for bars, frames in _bar_counts(length, meter, tempo_bpm, sum(section.bars for section in template)):
            cost = _cost(length, meter, tempo, tempo_bpm, bars, frames)
            if best is None or cost < best[0]:
                best = (cost, tempo_bpm, bars, frames)
    if best is None:
        bar_s = meter.bar_seconds(tempo.max_bpm)
        raise UsageError(
            f"At {tempo.max_bpm:g} BPM a bar of {meter} lasts {bar_s:.1f} s, which does not fit into {length}.",
            hint="Ask for a faster tempo or a longer song.",
        )
    _, tempo_bpm, bars, frames = best
    return FormPlan(fit_template(template, bars), tempo_bpm, frames)


def tail_target_s(length_s: float) -> float:
    """How long the last chord should sound on after the last bar: 1.2 s for miniatures, 4 s for songs."""
    return min(4.0, max(1.2, 0.04 * length_s))


def fit_template(template: Sequence[SectionPlan], bars: int) -> tuple[SectionPlan, ...]:
    """`template` with whole sections repeated or left out, and their sizes changed, so that the sum is exactly `bars`."""
    quantum = 4 if bars >= 16 else 2 if bars >= 8 else 1
    ideal = sum(section.bars for section in template) / len(template)
    count = max(
        1, round(bars / min(ideal, MAX_SECTION_BARS / 2 if bars < 64 else MAX_SECTION_BARS)), math.ceil(bars / MAX_SECTION_BARS)
    )
    count = min(count, max(1, bars // quantum))
    chosen = _repeat(template, count) if count >= len(template) else _thin_out(template, count)
    return _named_in_order(_allot(chosen, bars, quantum))


def _tempos(tempo: TempoChoice) -> list[float]:
    if tempo.is_fixed:
        return [tempo.min_bpm]
    whole = range(math.ceil(tempo.min_bpm), math.floor(tempo.max_bpm) + 1)
    return [float(bpm) for bpm in whole] or [tempo.default_bpm]


def _bar_counts(length: LengthRange, meter: Meter, tempo_bpm: float, template_bars: int) -> list[tuple[int, int]]:
    """Candidates (bars, frames of the whole song) at one tempo."""
    bar_s = float(meter.bar_seconds(tempo_bpm))
    if length.is_exact:
        frames = seconds_to_frames(length.min_s)
        most = math.floor((frames / SAMPLE_RATE_HZ - 0.75 * tail_target_s(float(length.min_s))) / bar_s)
        return [(bars, frames) for bars in range(max(1, most - 7), most + 1)] if most >= 1 else []
    shortest = max(1, math.ceil((float(length.min_s) - tail_target_s(float(length.min_s))) / bar_s))
    longest = math.floor((float(length.max_s) - tail_target_s(float(length.max_s))) / bar_s)
    wanted = min(max(template_bars, shortest), max(longest, shortest))
    found = []
    for bars in range(max(shortest, wanted - 8), min(longest, wanted + 8) + 1):
        music_s = bars * bar_s
        frames = seconds_to_frames(music_s + tail_target_s(music_s))
        frames = min(max(frames, length.min_frames), length.max_frames)
        if frames / SAMPLE_RATE_HZ - music_s >= 0.5:
            found.append((bars, frames))
    return found


def _cost(length: LengthRange, meter: Meter, tempo: TempoChoice, tempo_bpm: float, bars: int, frames: int) -> float:
    """Lower is better: phrases of four bars, a tail of good size, a tempo near the style's own."""
    tail_s = frames / SAMPLE_RATE_HZ - bars * meter.bar_seconds(tempo_bpm)
    want_s = tail_target_s(float(length.max_s))
    phrase = 0.0 if bars % 8 == 0 else 0.1 if bars % 4 == 0 else 0.4 if bars % 2 == 0 else 0.8
    if bars < 8:
        phrase *= 0.3
    return phrase + ((tail_s - want_s) / want_s) ** 2 + 12 * abs(math.log(tempo_bpm / tempo.default_bpm))


def _thin_out(template: Sequence[SectionPlan], count: int) -> list[SectionPlan]:
    """The `count` sections that matter most, in order: each material once, the liveliest, then opening and ending."""

    def weight(index: int) -> tuple[float, int]:
        section = template[index]
        alike = [other for other in template[:index] if other.label == section.label and other.role not in ("intro", "outro")]
        worth = {"intro": 0.7, "outro": 1.6, "break": 1.0, "bridge": 1.0}.get(section.role, 2.0)
        return (worth * (section.role in ("intro", "outro") or not alike) + section.energy, -index)

    kept = sorted(range(len(template)), key=weight, reverse=True)[:count]
    return [template[index] for index in sorted(kept)]


def _repeat(template: Sequence[SectionPlan], count: int) -> list[SectionPlan]:
    """At least the whole template; its body again and again, with new materials now and then, until there are `count`."""
    opening = [section for section in template[:1] if section.role == "intro"]
    ending = [section for section in template[-1:] if section.role == "outro"]
    body = list(template[len(opening) : len(template) - len(ending)]) or list(template)
    labels = list(dict.fromkeys(section.label for section in template))
    chosen: list[SectionPlan] = []
    wanted = count - len(opening) - len(ending)
    while len(chosen) < wanted:
        repetition = len(chosen) // len(body)
        section = body[len(chosen) % len(body)]
        chosen.append(replace(section, label=_material(labels, section.label, repetition)))
    return [*opening, *chosen, *ending]


def _material(labels: Sequence[str], label: str, repetition: int) -> str:
    """The label that stands for `label` in the given repetition of the body."""
    sets = max(1, MAX_MATERIALS // len(labels))
    shift = repetition // BODIES_PER_MATERIAL_SET
    # After the last set the sets return in another order, so that neighbours differ from the first time round.
    turn, place = divmod(shift, sets)
    chosen_set = place if turn == 0 else (place * (2 * turn + 1) + turn) % sets
    if chosen_set == 0:
        return label
    return chr(ord("A") + chosen_set * len(labels) + labels.index(label))


def _named_in_order(sections: Sequence[SectionPlan]) -> tuple[SectionPlan, ...]:
    """The same with the materials named A, B, C in the order in which they are first heard."""
    names = {label: chr(ord("A") + index) for index, label in enumerate(dict.fromkeys(section.label for section in sections))}
    return tuple(replace(section, label=names[section.label]) for section in sections)


def _allot(sections: Sequence[SectionPlan], bars: int, quantum: int) -> tuple[SectionPlan, ...]:
    """Give out exactly `bars` in steps of `quantum`, in proportion to the template's sizes; the last section takes the rest."""
    units, rest = divmod(bars, quantum)
    most = MAX_SECTION_BARS // quantum
    total = sum(section.bars for section in sections)
    shares = [Fraction(section.bars * units, total) for section in sections]
    given = [min(most, max(1, math.floor(share))) for share in shares]
    # Those furthest below their share get more first, those furthest above it give first.
    missing = units - sum(given)
    order = sorted(range(len(given)), key=lambda index: (shares[index] - given[index], -index), reverse=missing > 0)
    step = 1 if missing > 0 else -1
    while missing != 0:
        for index in order:
            if missing != 0 and 1 <= given[index] + step <= most:
                given[index] += step
                missing -= step
    sizes = [units_given * quantum for units_given in given]
    smallest = min(range(len(sizes)), key=lambda index: (sizes[index] + rest > MAX_SECTION_BARS, index != len(sizes) - 1, index))
    sizes[smallest] += rest
    return tuple(replace(section, bars=size) for section, size in zip(sections, sizes, strict=True))
