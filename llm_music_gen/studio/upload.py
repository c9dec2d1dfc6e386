"""The facts of a finished song or track as an upload kit wants them, and the kit beside its audio."""

from __future__ import annotations

from pathlib import Path

from llm_music_gen.domain.progress import Work
from llm_music_gen.publishing.kit import make_kit
from llm_music_gen.publishing.upload import Licensed, Upload
from llm_music_gen.studio.long.record import LayerRecord, LongRecord
from llm_music_gen.studio.recipe import Recipe
from llm_music_gen.units import SAMPLE_RATE_HZ

KIT_FOLDER = "upload"
#: What soundfonts that systems and packages bring say of themselves.
_SOUNDFONT_LICENCES = {
    "fluidr3": "MIT (Frank Wen)", "timgm6mb": "GPL-2 (Tim Brechbill)", "musescore_general": "MIT (S. Christian Collins)",
}  # fmt: skip
_BEATS = ("binaural", "monaural", "isochronic")


def upload_kit(recipe: Recipe, audio: Path, folder: Path) -> Work[Path]:
    """Write the kit into `folder`. Yields "data" and "files". Raises StorageError, SoundError."""
    return (yield from make_kit(upload_of(recipe), audio, folder))


def upload_of(recipe: Recipe) -> Upload:
    """What a recipe knows of its song."""
    long = recipe.long
    tonic_hz = long.tonic_hz if long is not None else recipe.tuning.tonic_hz if recipe.tuning is not None else None
    reference = tonic_hz is None and recipe.a4_hz != 440.0
    return Upload(
        title=recipe.theme.title,
        length_s=recipe.theme.length_frames / SAMPLE_RATE_HZ,
        styles=recipe.theme.styles,
        chapters=tuple((chapter.start_s, chapter.name) for chapter in long.chapters) if long is not None else (),
        frequency_hz=recipe.a4_hz if reference else tonic_hz,
        frequency_meaning="reference" if reference else "tonic",
        tuning=_tuning(recipe, long),
        layers=(
            *(_layer(layer) for layer in (long.layers if long is not None else ())),
            *(("spoken narration",) if recipe.narration is not None else ()),
        ),
        seed=recipe.seed,
        soundfont=Licensed(recipe.soundfont.name, _soundfont_licence(recipe.soundfont.name)),
        models=(
            Licensed(recipe.model.name, "part of Llm-Music-Gen" if "built-in" in recipe.model.name else ""),
            *((_voice(recipe.narration.voice),) if recipe.narration is not None else ()),
        ),
        loudness_lufs=recipe.measured.lufs if recipe.measured is not None else None,
        true_peak_dbtp=recipe.measured.true_peak_dbtp if recipe.measured is not None else None,
        key=recipe.theme.key,
        tempo_bpm=None if long is not None and long.chapters[0].theme is None else recipe.theme.tempo_bpm,
        mood="sleep" if long is not None and long.calm == "night" else "",
    )


def _tuning(recipe: Recipe, long: LongRecord | None) -> str:
    system = long.intonation if long is not None else recipe.tuning.system if recipe.tuning is not None else "equal"
    named = "just intonation" if system == "just" else "equal temperament"
    return f"{named}, A4 = {recipe.a4_hz:.3f} Hz"


def _voice(name: str) -> Licensed:
    """Who speaks: a voice that comes along, or the user's own, whose licence is not known here."""
    if ":" in name:
        return Licensed(f"voice {name}")
    return Licensed(f"voice {name} of eSpeak NG", "GPL-3.0-or-later, the program")


def _layer(layer: LayerRecord) -> str:
    if layer.kind not in _BEATS:
        return f"{layer.kind} noise" if layer.kind in ("white", "pink", "brown", "blue", "violet", "grey") else layer.kind
    first, last = layer.beat_points[0][1], layer.beat_points[-1][1]
    rate = f"{first:g} Hz" if first == last else f"{first:g} to {last:g} Hz"
    return f"{layer.kind} beat {rate} on {layer.carrier_hz:g} Hz"


def _soundfont_licence(name: str) -> str:
    return next((licence for part, licence in _SOUNDFONT_LICENCES.items() if part in name.lower()), "")
