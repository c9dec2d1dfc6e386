"""What a recipe promises of its finished file: the proof measures it without knowing how it was made."""

from __future__ import annotations

import math
from pathlib import Path

from llm_music_gen.domain.edit import SetMode, Transpose
from llm_music_gen.domain.key import Key
from llm_music_gen.errors import SoundError
from llm_music_gen.parsing import parse_json
from llm_music_gen.proof import Promises
from llm_music_gen.proof.checks import BeatPromise
from llm_music_gen.sound.bed.layers import Beats
from llm_music_gen.sound.bed.schedule import Schedule
from llm_music_gen.studio.long.record import LayerRecord, LongRecord
from llm_music_gen.studio.recipe import Recipe

MOST_TRUE_PEAK_DBTP = -1.0
MOST_SILENCE_S = 2.0
#: Own layers stand on their frequency; soundfonts can be brought within a cent of it.
OWN_CENTS, SOUNDFONT_CENTS = 0.1, 1.0
_MAJOR_MINOR = ("major", "minor")


def promises_of(recipe: Recipe, *, pulse: bool) -> Promises:
    """The promises of a song or track. `pulse`: whether its style has a beat that can be counted.

    The loudness of a long track is a promise as far as its peaks allow, so it is left to the caller to judge; songs have theirs.
    """
    long = recipe.long
    key = Key.parse(recipe.theme.key)
    calm = long is not None and long.chapters[0].theme is None
    steps = long is not None and len({chapter.a4_hz for chapter in long.chapters}) > 1
    tonic_hz = long.tonic_hz if long is not None else recipe.tuning.tonic_hz if recipe.tuning is not None else None
    if long is not None and not long.music and not any(layer.kind in ("tone", "isochronic") for layer in long.layers):
        tonic_hz = None  # beats lie on either side of their carrier, and noise has no tone
    return Promises(
        frames=recipe.theme.length_frames,
        tonic_hz=None if steps else tonic_hz,
        tonic_tolerance_cents=OWN_CENTS if calm else SOUNDFONT_CENTS,
        a4_hz=recipe.a4_hz,
        beat=_beat(long) if long is not None else None,
        tempo_bpm=recipe.theme.tempo_bpm if pulse and not calm else None,
        key=key if key.mode in _MAJOR_MINOR and long is None and not _changes_key(recipe) else None,
        lufs=recipe.loudness_lufs,
        true_peak_dbtp=MOST_TRUE_PEAK_DBTP,
        longest_silence_s=MOST_SILENCE_S,
        varied=long is not None and long.music,
        spoken=tuple((span.start_s, span.end_s) for span in recipe.narration.spans) if recipe.narration is not None else (),
    )


def _changes_key(recipe: Recipe) -> bool:
    """Whether an edit put a part of the song into another key or mode: then no single one can be measured."""
    operations = recipe.edited.operations if recipe.edited is not None else ()
    return any(isinstance(step, SetMode | Transpose) and step.bars is not None for step in operations)


def _beat(long: LongRecord) -> BeatPromise | None:
    """The first layer that beats."""
    layer = next((layer for layer in long.layers if layer.kind in ("binaural", "monaural", "isochronic")), None)
    return None if layer is None else _promised(layer)


def _promised(layer: LayerRecord) -> BeatPromise:
    kind: Beats = "binaural" if layer.kind == "binaural" else "monaural" if layer.kind == "monaural" else "isochronic"
    end_s = math.inf if layer.end_s is None else layer.end_s
    return BeatPromise(kind, layer.carrier_hz, Schedule(layer.beat_points), layer.start_s, end_s)


def promises_beside(path: Path) -> Promises | None:
    """What proof.json beside a file says was promised, if it speaks of that file. Raises SoundError."""
    place = path.with_name("proof.json")
    if not place.is_file():
        return None
    try:
        data = parse_json(place.read_text(encoding="utf-8"))
        named, promises = Path(str(data["file"])).stem, data["promises"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise SoundError(f"{place} cannot be read.", hint="Remove it to measure the file without promises.") from error
    # Every format of a song is held to the same promises.
    return Promises.from_dict(promises) if named == path.stem and isinstance(promises, dict) else None
