"""Stems of one piece: their sum is brought to a loudness, and all of them by the same gain, so that the mix stays the mix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from llm_music_gen.processing.audio import Audio
from llm_music_gen.processing.cutting import summed
from llm_music_gen.processing.files import opened
from llm_music_gen.processing.measure import loudness_of
from llm_music_gen.processing.registry import REGISTRY
from llm_music_gen.tools.plan import Call

_LOUDNESS_TOOLS = ("normalize", "auto_gain")
_MOST_GAIN_DB = 40.0


def with_one_gain(calls: Sequence[Call], files: Sequence[Path]) -> list[Call]:
    """The calls, those for loudness replaced by the gain that their sum needs; peaks of the sum stay under the ceiling."""
    out: list[Call] = []
    for call in calls:
        if call.tool in _LOUDNESS_TOOLS:
            out.append(Call("gain", {"db": _gain_db(call, out, files)}))
        else:
            out.append(call)
    return out


def _gain_db(call: Call, before: Sequence[Call], files: Sequence[Path]) -> float:
    usual = {name: REGISTRY["normalize"].parameter(name).default for name in ("lufs", "tp")}
    arguments = usual | {name: value for name, value in call.args.items() if value is not None}
    loudness = loudness_of(_sum(before, files))
    if not math.isfinite(loudness.integrated_lufs):
        return 0.0
    wanted: float = min(arguments["lufs"] - loudness.integrated_lufs, arguments["tp"] - loudness.true_peak_dbtp)
    return round(min(max(wanted, -_MOST_GAIN_DB), _MOST_GAIN_DB), 3)


def _sum(calls: Sequence[Call], files: Sequence[Path]) -> Audio:
    first, *others = (_processed(calls, file) for file in files)
    return summed(first, others)


def _processed(calls: Sequence[Call], file: Path) -> Audio:
    audio = opened(file).audio
    for call in calls:
        audio = REGISTRY[call.tool].function(audio, **call.args)
    return audio
