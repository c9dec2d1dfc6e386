"""Styles: the typed record, its sheets (TOML, data) and how several are mixed."""

from llm_music_gen.styles.blend import blend
from llm_music_gen.styles.grid import BassHit, DrumRow, SectionTemplate
from llm_music_gen.styles.loader import load_styles
from llm_music_gen.styles.sounds import Instrument, instrument_named
from llm_music_gen.styles.style import Style

__all__ = ["BassHit", "DrumRow", "Instrument", "SectionTemplate", "Style", "blend", "instrument_named", "load_styles"]
