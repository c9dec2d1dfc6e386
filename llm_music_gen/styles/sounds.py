"""Names of instruments as style sheets and people write them: General MIDI programs, and own voices in <angle brackets>."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from llm_music_gen.errors import StyleError

#: General MIDI program names, 0 to 127.
GM_NAMES: tuple[str, ...] = (
    "piano", "bright piano", "electric grand", "honky-tonk", "electric piano", "electric piano 2", "harpsichord", "clavinet",
    "celesta", "glockenspiel", "music box", "vibraphone", "marimba", "xylophone", "tubular bells", "dulcimer",
    "drawbar organ", "percussive organ", "rock organ", "church organ", "reed organ", "accordion", "harmonica", "bandoneon",
    "nylon guitar", "steel guitar", "jazz guitar", "clean guitar", "muted guitar", "overdriven guitar", "distortion guitar",
    "guitar harmonics", "upright bass", "finger bass", "pick bass", "fretless bass", "slap bass", "slap bass 2", "synth bass",
    "synth bass 2", "violin", "viola", "cello", "contrabass", "tremolo strings", "pizzicato strings", "harp", "timpani",
    "strings", "slow strings", "synth strings", "synth strings 2", "choir", "voice oohs", "synth voice", "orchestra hit",
    "trumpet", "trombone", "tuba", "muted trumpet", "french horn", "brass section", "synth brass", "synth brass 2",
    "soprano sax", "alto sax", "tenor sax", "baritone sax", "oboe", "english horn", "bassoon", "clarinet",
    "piccolo", "flute", "recorder", "pan flute", "bottle", "shakuhachi", "whistle", "ocarina",
    "square lead", "saw lead", "calliope lead", "chiff lead", "charang lead", "voice lead", "fifths lead", "bass lead",
    "new age pad", "warm pad", "polysynth pad", "choir pad", "bowed pad", "metallic pad", "halo pad", "sweep pad",
    "rain fx", "soundtrack fx", "crystal fx", "atmosphere fx", "brightness fx", "goblins fx", "echoes fx", "sci-fi fx",
    "sitar", "banjo", "shamisen", "koto", "kalimba", "bagpipe", "fiddle", "shanai",
    "tinkle bell", "agogo", "steel drums", "woodblock", "taiko", "melodic tom", "synth drum", "reverse cymbal",
    "fret noise", "breath noise", "seashore", "bird", "telephone", "helicopter", "applause", "gunshot",
)  # fmt: skip

#: Voices of our own -> the General MIDI program that comes nearest, for MIDI files and where a voice is not wanted.
VOICE_PROGRAMS: dict[str, int] = {
    "sub": 39, "bass808": 39, "wobble": 87, "reese": 38, "supersaw": 81, "pad": 89, "pluck": 84, "bell": 98, "crackle": 121,
    "riser": 119, "impact": 116,
}  # fmt: skip

#: Lowest and highest sensible pitch of General MIDI instruments whose range is narrower than a keyboard's.
RANGES: dict[int, tuple[int, int]] = {
    **dict.fromkeys((24, 25, 26, 27, 28, 29, 30), (40, 84)), **dict.fromkeys((32, 33, 34, 35, 36, 37), (28, 60)),
    8: (60, 108), 10: (60, 96), 11: (53, 89), 12: (45, 96), 22: (60, 96), 23: (36, 83), 40: (55, 100), 41: (48, 88), 42: (36, 79),
    43: (28, 60), 46: (24, 103), 47: (36, 57), 56: (54, 86), 57: (40, 72), 58: (28, 58), 59: (54, 86), 60: (34, 77), 64: (56, 88),
    65: (49, 81), 66: (44, 76), 67: (36, 69), 68: (58, 91), 69: (52, 81), 70: (34, 75), 71: (50, 91), 72: (74, 108), 73: (60, 96),
    74: (60, 98), 75: (60, 96), 105: (48, 81), 109: (55, 81), 110: (55, 96),
}  # fmt: skip

ALIASES = {
    "grand piano": "piano", "acoustic piano": "piano", "rhodes": "electric piano", "ep": "electric piano",
    "organ": "drawbar organ", "guitar": "nylon guitar",
    "acoustic guitar": "steel guitar", "electric guitar": "clean guitar", "bass": "finger bass",
    "double bass": "upright bass", "acoustic bass": "upright bass", "electric bass": "finger bass", "string ensemble": "strings",
    "horn": "french horn", "horns": "french horn", "sax": "tenor sax", "saxophone": "tenor sax", "vibes": "vibraphone",
    "brass": "brass section", "voice": "voice oohs", "tin whistle": "whistle", "synth lead": "saw lead", "synth pad": "warm pad",
    "pipes": "bagpipe", "pads": "warm pad", "steel drum": "steel drums", "pizzicato": "pizzicato strings",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Instrument:
    """One sound that can play a part."""

    name: str
    """For people: "electric piano", "supersaw"."""
    program: int
    """General MIDI program, 0 to 127; for own voices the nearest."""
    voice: str = ""
    """Name of one of the studio's own voices, or ""."""

    @property
    def range(self) -> tuple[int, int]:
        """Lowest and highest sensible MIDI pitch."""
        return (24, 108) if self.voice else RANGES.get(self.program, (21, 108))


def instrument_named(text: str) -> Instrument:
    """Read "electric piano", "Rhodes" or "<supersaw>". Raises StyleError with the nearest known name."""
    name = " ".join(text.strip().lower().replace("_", " ").split())
    if name.startswith("<") and name.endswith(">"):
        voice = name[1:-1].strip()
        if voice in VOICE_PROGRAMS:
            return Instrument(voice, VOICE_PROGRAMS[voice], voice)
        raise StyleError(f"There is no voice {text!r}.", hint=_nearest(voice, [*VOICE_PROGRAMS], "Voices are"))
    name = ALIASES.get(name, name)
    if name in GM_NAMES:
        return Instrument(name, GM_NAMES.index(name))
    if name in VOICE_PROGRAMS:
        return Instrument(name, VOICE_PROGRAMS[name], name)
    raise StyleError(f"There is no instrument {text!r}.", hint=_nearest(name, [*GM_NAMES, *ALIASES], "Some are"))


def _nearest(name: str, known: list[str], otherwise: str) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f'Did you mean "{near[0]}"?' if near else f"{otherwise} {', '.join(known[:8])}."
