"""Many songs as one: shares, means, the comparison with people, and each figure beside its target."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from llm_music_gen.evaluating.humans import compared, humans, structure_kept
from llm_music_gen.evaluating.setting import same_settings
from llm_music_gen.studio.evaluation import KEYS, TEMPO
from llm_music_gen.studio.tune_evaluation import melody_of, rounded

_RIGHT_KEYS = ("same", "relative", "fifth")
_MEANS = (
    "parses", "bar_validity", "form_kept", "phrase_repetition", "near_repetition", "pitch_class_entropy_1_bar",
    "pitch_class_entropy_4_bars", "groove_similarity", "known_share", "style_score", "lufs", "lowest_correlation",
    "tilt_db_per_octave", "low_percent",
)  # fmt: skip
LEAST_TEMPO, LEAST_KEY, LEAST_OVERLAP, LEAST_STYLE_SCORE = 0.9, 0.9, 0.85, 0.75


def summary(songs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Shares and means over songs, tempo over those whose style has a pulse, and the comparison with people."""
    out: dict[str, Any] = {"songs": len(songs)}
    pulsed = [song for song in songs if song.get("pulse")]
    heard = [song for song in songs if "lufs" in song]
    if heard:
        out["with_pulse"] = len(pulsed)
        for name in TEMPO:
            right = name.replace("_bpm", "_right")
            out[right] = rounded(fmean(song[right] for song in pulsed)) if pulsed else None
        for name in KEYS:
            out[name + "_right"] = rounded(fmean(song[name + "_is"] in _RIGHT_KEYS for song in heard))
    for name in _MEANS:
        values = [float(song[name]) for song in songs if song.get(name) is not None]
        if values:
            out[name] = rounded(fmean(values))
    out["longest_known_notes"] = max((song["longest_known_notes"] for song in songs), default=0)
    by_style: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for song in songs:
        by_style[", ".join(song["styles"])].append(song)
    out["same_setting"] = sum(same_settings([song["setting"] for song in group]) for group in by_style.values())
    out["lowest_style_score"] = _lowest(by_style, "style_score")
    melodies = [melody for song in songs if (melody := melody_of(song)) is not None]
    comparison = compared(melodies, humans())
    people = humans().novelty
    out["humans"] = {
        **comparison,
        "structure_kept": structure_kept(comparison),
        "known_share": rounded(float(people[:, 0].mean())),
        "longest_known_notes": int(people[:, 1].max()),
    }
    return out


def targets(found: Mapping[str, Any]) -> Iterator[tuple[bool, str]]:
    """(kept, a line) for every figure of a summary that has a target."""
    for name, least in [
        *((name.replace("_bpm", "_right"), LEAST_TEMPO) for name in TEMPO),
        *((name + "_right", LEAST_KEY) for name in KEYS),
    ]:
        if found.get(name) is not None:
            yield found[name] >= least, f"{name.replace('_', ' ')}: {found[name]:.2f} (at least {least})"
    if found.get("lowest_style_score"):
        style, worst = found["lowest_style_score"]
        yield worst >= LEAST_STYLE_SCORE, f"lowest style score: {worst:.2f}, {style} (at least {LEAST_STYLE_SCORE})"
    for name in ("parses", "bar_validity", "form_kept"):
        if found.get(name) is not None:
            yield found[name] == 1, f"{name.replace('_', ' ')}: {found[name]:.3f} (1)"
    yield found["same_setting"] == 0, f"songs with groove, voicing and form of another: {found['same_setting']} (0)"
    people = found["humans"]
    for name, row in people.get("histograms", {}).items():
        halves = f"{row['half_against_half']:.3f} between halves of humans"
        text = f"{row['overlap']:.3f}, {halves}; divergence {row['divergence_bits']:.3f} bits"
        yield row["ratio"] >= LEAST_OVERLAP, f"{name}: ratio {row['ratio']:.3f} (at least {LEAST_OVERLAP}); overlap {text}"
    for name, kept in people["structure_kept"].items():
        row = people["figures"][name]
        marks = " ".join(f"{mark:g}" for mark in row["humans"])
        yield (
            kept,
            f"{name.replace('_', ' ')}: median {row['median']:g}, {row['within']:.0%} between 10th and 90th of humans ({marks})",
        )


def _lowest(by_style: Mapping[str, Sequence[Mapping[str, Any]]], name: str) -> tuple[str, float] | None:
    means = {
        style: fmean(song[name] for song in group) for style, group in by_style.items() if all(name in song for song in group)
    }
    if not means:
        return None
    style = min(means, key=lambda one: (means[one], one))
    return style, round(means[style], 3) if math.isfinite(means[style]) else 0.0
