"""Layers that lie under the music for hours: drones, entrainment tones, noise and nature.

Each is a pure function of (settings, seed, first frame, number of frames): any block of any hour can be made alone, in any
order, on any core, and is the same. Time is an integer frame counter, phase is float64: float32 is 24 dB off in six minutes.
"""
