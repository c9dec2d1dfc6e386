"""What is taken out of a recording: hiss, hum, clicks. The doors of three modules in one place."""

from llm_music_gen.processing.dsp.clicks import clicks_per_minute, remove_clicks
from llm_music_gen.processing.dsp.hiss import NoiseProfile, noise_profile, reduce_noise
from llm_music_gen.processing.dsp.hum import Hum, find_hum, remove_hum, without_hum

__all__ = [
    "Hum", "NoiseProfile", "clicks_per_minute", "find_hum", "noise_profile", "reduce_noise", "remove_clicks", "remove_hum",
    "without_hum",
]  # fmt: skip
