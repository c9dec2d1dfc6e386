"""The caption: a few sentences in plain English, made of the facts alone. No model, the same facts give the same words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from llm_music_gen.describing.affect import AXIS_BAND, NOTE
from llm_music_gen.describing.facts import Event, Facts, OwnSong
from llm_music_gen.describing.levels import a_weighting
from llm_music_gen.describing.tones import Beat, Tone

#: Label -> how it is called in a sentence.
NAMES = {
    "Silence": "near silence",
    "Human sounds": "people",
    "Wind": "wind",
    "Water": "water",
    "Natural sounds": "sounds of nature",
    "Traffic": "traffic",
    "Sounds of things": "sounds of things",
    "Vehicle": "vehicles",
    "Bird": "birds",
    "Outside, rural or natural": "the open air",
    "Environment and background": "background sound",
    "Speech": "speech",
    "Music": "music",
    "Noise": "noise",
    "Animal": "animals",
}
SCENES = {"public_square": "a public square", "park": "a park", "street_traffic": "a street"}
#: Labels that only say of what kind other labels are: named after those.
_BROAD = ("Natural sounds", "Outside, rural or natural", "Environment and background", "Animal", "Noise", "Sounds of things")
#: (sign of pleasantness, sign of eventfulness) -> words; near the middle the sign is 0.
_KINDS = {
    (1, 1): "lively and pleasant",
    (1, 0): "pleasant",
    (1, -1): "calm and pleasant",
    (0, 1): "eventful, neither pleasant nor unpleasant",
    (0, 0): "neither pleasant nor unpleasant",
    (0, -1): "uneventful, neither pleasant nor unpleasant",
    (-1, 1): "chaotic and unpleasant",
    (-1, 0): "unpleasant",
    (-1, -1): "monotonous and unpleasant",
}
_MIDDLE = 0.1
_SURE, _THROUGHOUT, _AT_TIMES = 0.8, 0.85, 0.3
_LOUDNESS = ((0.5, "almost inaudible"), (2.0, "very quiet"), (6.0, "quiet"), (14.0, "moderately loud"), (30.0, "loud"))
_MOST_TONES = 3
_SILENCE_S, _CLIPPED = 2.0, 10
#: A tone so far under the whole is not named.
_HIDDEN_DB = 20.0


def caption(facts: Facts) -> str:
    """The caption. Names at least two measured facts and every event over its threshold."""
    sentences = [*_own(facts.own, facts.length_s), *_scene(facts), *_loudness(facts), *_character(facts)]
    sentences += [*_music(facts), *_tones(facts), *_faults(facts), *_mood(facts)]
    return " ".join(sentences)


def _own(own: OwnSong | None, length_s: float) -> list[str]:
    if own is None:
        return []
    styles = ", ".join(own.styles)
    kind = "song" if own.music and not own.chapters else "track"
    first = f'"{own.title}" is {_article(styles)} {styles} {kind} of this studio, {clock(length_s)} long'
    if not own.music:
        return [f"{first}: {listed(own.layers)}." if own.layers else f"{first}.", *_tuning(own)]
    if own.chapters > 1:
        return [f"{first}, in {own.chapters} chapters.", *_tuning(own), *_layers(own)]
    out = [f"{first}, in {own.key}, {own.tempo_bpm:g} bpm, {own.meter}."]
    if own.instruments:
        out.append(f"It is played by {listed([_lower(name) for name in own.instruments])}.")
    if own.form:
        out.append(f"Its form over {own.bars} bars is {' - '.join(own.form)}.")
    return [*out, *_tuning(own), *_layers(own)]


def _tuning(own: OwnSong) -> list[str]:
    if own.tonic_hz is not None:
        return [f"Its tonic lies on {own.tonic_hz:g} Hz."]
    return [f"Its A is at {own.a4_hz:g} Hz."] if own.a4_hz != 440.0 else []


def _layers(own: OwnSong) -> list[str]:
    return [f"Under it: {listed(own.layers)}."] if own.layers else []


def _scene(facts: Facts) -> list[str]:
    scape = facts.soundscape
    if scape is None:
        return []
    plain = [event for event in scape.events if event.label not in _BROAD]
    broad = [event for event in scape.events if event.label in _BROAD]
    where = f"This sounds like {SCENES[scape.scene]}" if scape.scene in SCENES and facts.own is None else ""
    if not scape.events:
        return [f"{where}." if where else "No kind of sound stands out clearly enough to be named."]
    named = _named(plain or broad)
    opening = f"{where}, with {named}." if where else f"You hear {named}."
    if plain and broad:
        opening += f" More broadly: {_named(broad)}."
    return [opening]


def _named(events: Sequence[Event]) -> str:
    """Names of events, the sure ones first."""
    always = all(event.share >= _THROUGHOUT for event in events)
    sure = [_when(event, always) for event in events if event.confidence >= _SURE]
    unsure = [_when(event, always) for event in events if event.confidence < _SURE]
    return listed([*sure, f"probably {listed(unsure)}"] if unsure else sure)


def _when(event: Event, always: bool) -> str:
    """An event's name, and whether it comes now and then, or goes on all the time where others do not."""
    when = " at times" if 0 < event.share <= _AT_TIMES else " throughout" if event.share >= _THROUGHOUT and not always else ""
    return f"{NAMES[event.label]}{when}"


def _loudness(facts: Facts) -> list[str]:
    if facts.lufs is None:
        return [f"It is {clock(facts.length_s)} of silence, {facts.n5_sone:.1f} sone."]
    word = next((word for limit, word in _LOUDNESS if facts.n5_sone < limit), "very loud")
    return [
        f"It measures {facts.lufs:.1f} LUFS. Played so that full scale is {facts.calibration_db:g} dB it is {word}: "
        f"{facts.laeq_db:.0f} dB(A) on average, and {facts.n5_sone:.1f} sone or more for 5 % of the time."
    ]


def _character(facts: Facts) -> list[str]:
    if facts.lufs is None:
        return []
    words = []
    if facts.sharpness_acum > 0:
        tone = "dark" if facts.sharpness_acum < 1.1 else "bright" if facts.sharpness_acum > 1.9 else "balanced in tone"
        words.append(f"{tone} (sharpness {facts.sharpness_acum:.1f} acum)")
    if facts.roughness_asper >= 0.25:
        words.append(f"rough ({facts.roughness_asper:.2f} asper)")
    steady = "steady" if facts.level_range_db < 4 else "changing" if facts.level_range_db > 10 else "moderately varied"
    words.append(f"{steady} (loud and soft moments lie {facts.level_range_db:.0f} dB apart)")
    return [f"It is {listed(words)}."]


def _music(facts: Facts) -> list[str]:
    """Noise has a tempo and a key as well, so they are told of music alone; of own songs the recipe knows better."""
    music = next((event for event in facts.events if event.label == "Music"), None)
    if facts.own is not None or music is None:
        return []
    said = []
    if facts.tempo_bpm is not None:
        said.append(f"has a pulse of about {facts.tempo_bpm:.0f} bpm")
    if facts.key is not None:
        said.append(f"seems to be in {facts.key}")
    what = "The music" if music.confidence >= _SURE else "What may be music"
    return [f"{what} {listed(said)}."] if said else []


def _tones(facts: Facts) -> list[str]:
    out = []
    heard = [tone for tone in facts.tones if _heard(tone, facts) and not _beats(tone, facts.beat)]
    standing = [tone for tone in heard if tone.stands and tone.share >= 0.5][:_MOST_TONES]
    if standing:
        many = "A tone stands" if len(standing) == 1 else "Tones stand"
        out.append(f"{many} at {listed([_tone(tone) for tone in standing])}.")
    notes = [tone for tone in heard if not tone.stands][:_MOST_TONES]
    if notes and facts.own is None and any(event.label == "Music" for event in facts.events):
        out.append(f"Its strongest notes lie near {listed([f'{note.frequency_hz:.0f} Hz' for note in notes])}.")
    if facts.beat is not None:
        out.append(_beat(facts.beat))
    return out


def _heard(tone: Tone, facts: Facts) -> bool:
    """Whether a tone is not hidden under the rest: its A-weighted level beside that of everything."""
    weight_db = 10 * math.log10(max(1e-12, float(a_weighting(np.array([tone.frequency_hz]))[0])))
    return facts.calibration_db + tone.level_dbfs + weight_db > facts.laeq_db - _HIDDEN_DB


def _beats(tone: Tone, beat: Beat | None) -> bool:
    """Whether a tone is one ear's of the beat, which is told by itself."""
    return beat is not None and tone.channels != "both" and abs(abs(tone.frequency_hz - beat.carrier_hz) - beat.beat_hz / 2) < 0.1


def _tone(tone: Tone) -> str:
    where = "" if tone.channels == "both" else f" on the {tone.channels}"
    if tone.glides:
        return f"{tone.lowest_hz:.1f} to {tone.highest_hz:.1f} Hz{where}"
    return f"{tone.frequency_hz:.1f} Hz{where}"


def _beat(beat: Beat) -> str:
    if beat.glides:
        return (
            f"Between the ears it beats at {beat.lowest_hz:.1f} to {beat.highest_hz:.1f} Hz, around {beat.carrier_hz:.1f} Hz: "
            "a binaural beat that changes."
        )
    return f"Between the ears it beats at {beat.beat_hz:.2f} Hz, around {beat.carrier_hz:.1f} Hz: a binaural beat."


def _faults(facts: Facts) -> list[str]:
    out = []
    if facts.clipping >= _CLIPPED:
        out.append(f"{facts.clipping} samples are clipped.")
    if facts.lufs is not None and facts.longest_silence_s >= _SILENCE_S:
        out.append(f"There is a silence of {facts.longest_silence_s:.1f} s.")
    if facts.correlation is not None and facts.correlation < -0.2:
        out.append(f"Left and right work against each other (correlation {facts.correlation:.2f}), so it loses in mono.")
    return out


def _mood(facts: Facts) -> list[str]:
    if facts.affect is None:
        return []
    affect = facts.affect
    return [
        f"It may feel {_KINDS[_sign(affect.pleasantness), _sign(affect.eventfulness)]} (pleasantness {affect.pleasantness:+.1f}, "
        f"eventfulness {affect.eventfulness:+.1f}, each give or take {AXIS_BAND:g}: {NOTE})."
    ]


def _sign(value: float) -> int:
    return 0 if abs(value) < _MIDDLE else 1 if value > 0 else -1


def listed(words: Sequence[str]) -> str:
    """a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def clock(length_s: float) -> str:
    """H:MM:SS, or seconds under a minute: 5:00, 1:00:00, 8.5 s."""
    if length_s < 60:
        return f"{length_s:.1f} s"
    whole = round(length_s)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def _lower(name: str) -> str:
    """Inside a sentence, but for abbreviations."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def _article(word: str) -> str:
    return "an" if word[:1].lower() in "aeiou" else "a"
