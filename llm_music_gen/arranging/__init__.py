"""From a theme and a written tune to what every player of the band plays, and that as MIDI."""

from llm_music_gen.arranging.arranger import arrange
from llm_music_gen.arranging.midi import read_midi, write_midi

__all__ = ["arrange", "read_midi", "write_midi"]
