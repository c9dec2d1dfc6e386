"""Calm music of hours: from chapters and the motifs written for each to held tones and single notes, without pulse or loop."""

from llm_music_gen.arranging.calm.score import calm_band, calm_score

__all__ = ["calm_band", "calm_score"]
