"""From a request to what a long track shall be, and which requests ask for one."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llm_music_gen.composing.lengths import LengthRange, parse_fade, parse_length
from llm_music_gen.studio.long.layers import layers_text
from llm_music_gen.studio.long.plan import LONG_FROM_S, LongWish
from llm_music_gen.studio.long.speaking import USUAL_RATE_WPM, NarrationWish
from llm_music_gen.studio.recipe import Recipe
from llm_music_gen.studio.request import GenerateRequest, read_frequencies
from llm_music_gen.tuning.frequency import LOWEST_AUDIBLE_HZ, Frequency
from llm_music_gen.units import SAMPLE_RATE_HZ
from llm_music_gen.voice.script import USUAL_PAUSE_S, checked_pause, checked_rate, read_script_file

KIT_FROM_S = 3_600
_NARRATION = ("narration", "voice", "narration_rate", "narration_pause")


def is_long(request: GenerateRequest, length: LengthRange, frequencies: Sequence[Frequency]) -> bool:
    """Whether a request is for a track of chapters and layers rather than a song."""
    pulse = any(frequency.kind == "pulse" or frequency.hz < LOWEST_AUDIBLE_HZ for frequency in frequencies)
    layered = bool(request.layers or request.only_layers or request.narration)
    return bool(length.min_s >= LONG_FROM_S or len(frequencies) > 1 or layered or request.night or pulse)


def long_wish(request: GenerateRequest, usual_frequency: str) -> LongWish:
    """What the request says of the track. Raises UsageError."""
    return LongWish(
        night=request.night, intonation="just" if request.intonation == "just" else "equal", layers=request.layers,
        frequencies=read_frequencies(request.frequency or usual_frequency),
        step_s=float(parse_length(request.each or "10").min_s), only_layers=request.only_layers,
        fade_s=parse_fade(request.fade) if request.fade else None,
    )  # fmt: skip


def wish_like(recipe: Recipe) -> dict[str, Any]:
    """The fields of a request for another one like this: on the same frequencies, over the same layers, as calm."""
    long, tuning = recipe.long, recipe.tuning
    labels = long.frequency if long is not None else tuning.frequency if tuning is not None else ""
    said: dict[str, Any] = {"frequency": re.sub(r" \([0-9.]+ Hz\)", "", labels)}  # "om (136.102 Hz)" is asked for as "om"
    if tuning is not None and tuning.system == "just":
        said["intonation"] = "just"
    if long is None:
        return said
    layers = layers_text(long.layers)
    if long.intonation == "just":
        said["intonation"] = "just"
    if "," in labels:
        said["each"] = f"{long.chapters[0].length_s:.0f}s"
    return {**said, "night": long.calm == "night", "layers": layers, "only_layers": bool(layers) and not long.music}


def narration_wish(request: GenerateRequest) -> NarrationWish | None:
    """What shall be spoken, or None. Raises StorageError, UsageError for a text that cannot be."""
    if not request.narration:
        return None
    return NarrationWish(
        text=read_script_file(Path(request.narration)), voice=request.voice,
        rate_wpm=checked_rate(request.narration_rate) if request.narration_rate else USUAL_RATE_WPM,
        pause_s=checked_pause(request.narration_pause) if request.narration_pause else USUAL_PAUSE_S,
    )  # fmt: skip


def unfinished_key(request: GenerateRequest, seed: int) -> str:
    """Name of the folder in which the track is made: the same for the same request, narrated text and seed."""
    words = {
        name: value
        for name, value in request.to_dict().items()
        if name not in ("seed", "songs", "output_dir", "upload_kit") and (value or name not in _NARRATION)
    }
    if request.narration:
        words["narration"] = read_script_file(Path(request.narration))
    data = json.dumps([words, seed], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(data.encode("utf-8")).hexdigest()[:12]


def wants_kit(request: GenerateRequest, recipe: Recipe) -> bool:
    """Whether an upload kit is made: as asked, else from an hour on."""
    if request.upload_kit:
        return request.upload_kit == "yes"
    return recipe.theme.length_frames >= KIT_FROM_S * SAMPLE_RATE_HZ
