"""Proof of a finished file: what was promised, measured from its decoded samples by code that has no part in making music."""

from llm_music_gen.proof.checks import BeatPromise, Check, Promises, Proof
from llm_music_gen.proof.prove import prove

__all__ = ["BeatPromise", "Check", "Promises", "Proof", "prove"]
