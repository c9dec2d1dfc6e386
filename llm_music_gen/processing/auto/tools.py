"""The Auto tools in one table: the function, how it chooses, and how a choice is carried out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llm_music_gen.processing.audio import Audio
from llm_music_gen.processing.auto.choice import Choice
from llm_music_gen.processing.auto.clarity import (
    apply_enhancer,
    apply_noise_reduction,
    auto_enhancer,
    auto_noise_reduction,
    enhancer_choice,
    noise_choice,
)
from llm_music_gen.processing.auto.eq import apply_eq, auto_eq, eq_choice
from llm_music_gen.processing.auto.levels import (
    apply_compressor,
    apply_gain,
    apply_limiter,
    auto_compressor,
    auto_gain,
    auto_limiter,
    compressor_choice,
    gain_choice,
    limiter_choice,
)
from llm_music_gen.processing.auto.space import (
    apply_delay,
    apply_reverb,
    apply_widener,
    auto_delay,
    auto_reverb,
    auto_stereo_widener,
    delay_choice,
    reverb_choice,
    widener_choice,
)
from llm_music_gen.processing.auto.time import apply_stretch, auto_time_stretcher, stretch_choice
from llm_music_gen.processing.auto.tune import apply_pitch_correction, auto_pitch_corrector, pitch_choice


@dataclass(frozen=True, slots=True)
class AutoTool:
    """A tool that measures first."""

    function: Callable[..., Audio]
    """The whole: `function(audio, **arguments)` is `apply(audio, choose(audio, **arguments))`."""
    choose: Callable[..., Choice]
    """Walks the sound and decides; what the caller gives stays as given."""
    apply: Callable[[Audio, Any], Audio]
    """Carries a choice out."""


AUTO_TOOLS: dict[str, AutoTool] = {
    tool.function.__name__: tool
    for tool in (
        AutoTool(auto_gain, gain_choice, apply_gain),
        AutoTool(auto_eq, eq_choice, apply_eq),
        AutoTool(auto_compressor, compressor_choice, apply_compressor),
        AutoTool(auto_limiter, limiter_choice, apply_limiter),
        AutoTool(auto_reverb, reverb_choice, apply_reverb),
        AutoTool(auto_delay, delay_choice, apply_delay),
        AutoTool(auto_noise_reduction, noise_choice, apply_noise_reduction),
        AutoTool(auto_enhancer, enhancer_choice, apply_enhancer),
        AutoTool(auto_stereo_widener, widener_choice, apply_widener),
        AutoTool(auto_pitch_corrector, pitch_choice, apply_pitch_correction),
        AutoTool(auto_time_stretcher, stretch_choice, apply_stretch),
    )
}
"""By name on the wire."""
