"""Every audio tool by its name on the wire."""

from __future__ import annotations

from collections.abc import Callable

from llm_music_gen.processing.audio import Audio
from llm_music_gen.processing.auto.tools import AUTO_TOOLS
from llm_music_gen.processing.colour import bitcrush, saturate
from llm_music_gen.processing.conversion import convert
from llm_music_gen.processing.cutting import concat, loop, mix, reverse, silence, trim
from llm_music_gen.processing.filters import deess, enhance, eq, highpass, lowpass
from llm_music_gen.processing.levels import compress, fade, gain, limit, normalize, tremolo
from llm_music_gen.processing.pitching import pitch, pitch_correct, retune, tempo
from llm_music_gen.processing.repair import declick, dehum, denoise
from llm_music_gen.processing.space import chorus, delay, mono, pan, reverb, width
from llm_music_gen.tools.plan import Registry
from llm_music_gen.tools.spec import tool

_PLAIN: tuple[Callable[..., Audio], ...] = (
    gain, normalize, limit, eq, highpass, lowpass, denoise, dehum, declick, deess, compress, reverb, delay, width, enhance, pan,
    pitch, pitch_correct, retune, tempo, trim, fade, loop, concat, mix, silence, reverse, saturate, chorus, tremolo, bitcrush,
    mono, convert,
)  # fmt: skip
_AUTO = tuple(automatic.function for automatic in AUTO_TOOLS.values())
REGISTRY = Registry(tool(function, skip=("audio",)) for function in (*_PLAIN, *_AUTO))
#: Tools that look at the whole sound before they change it, so that what comes before them is worked out once and kept.
LOOKING = frozenset(("normalize", "denoise", "dehum", "declick", "silence", "pitch_correct"))
#: Tools that join several files into one.
JOINING = frozenset(("concat", "mix"))
