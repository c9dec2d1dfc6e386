"""The order of audio tools: cleaning first, loudness last, in between as the user says or as is usual in a studio."""

from __future__ import annotations

from collections.abc import Sequence

from llm_music_gen.requests.words import ranks
from llm_music_gen.tools.plan import Call

_PLAIN = {
    "auto_gain": "normalize", "auto_eq": "eq", "auto_compressor": "compress", "auto_limiter": "limit", "auto_reverb": "reverb",
    "auto_delay": "delay", "auto_noise_reduction": "denoise", "auto_enhancer": "enhance", "auto_stereo_widener": "width",
    "auto_pitch_corrector": "pitch_correct", "auto_time_stretcher": "tempo",
}  # fmt: skip
#: Tool -> the Auto tool that chooses its settings itself.
AUTO_TWINS = {plain: auto for auto, plain in _PLAIN.items()}
#: Said to the user rather than done to the file; they come after what is done.
_SAID = {"ask": 200, "refuse": 200}
#: From here on nothing of the sound is changed any more.
_FILE = 150


def rank(call: Call) -> int:
    """Place of a call in the usual chain."""
    return _SAID.get(call.tool, ranks().get(_PLAIN.get(call.tool, call.tool), 50))


def in_order(calls: Sequence[Call], *, given: bool) -> list[Call]:
    """The calls in their order; `given`: the user said which comes first, and only what is said to the user stays last."""
    return sorted(calls, key=lambda call: max(rank(call), _FILE) if given else rank(call))
