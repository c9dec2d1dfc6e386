"""Own songs described from their recipe: exact, not guessed."""

from __future__ import annotations

from pathlib import Path

from llm_music_gen.arranging import read_midi
from llm_music_gen.describing.facts import OwnSong
from llm_music_gen.domain.key import Key
from llm_music_gen.errors import StudioError
from llm_music_gen.library.catalogue import Library
from llm_music_gen.sound.bed.layers import COLOURS
from llm_music_gen.studio.long.record import LayerRecord
from llm_music_gen.studio.recipe import Recipe, read_recipe

#: A file that is longer or shorter than its recipe by more was cut, and is described as any sound.
_SAME_LENGTH_S = 0.5
_RECIPE = "recipe.json"


def own_song(path: Path, length_s: float, library: Library | None = None) -> OwnSong | None:
    """What is known of one of the studio's own songs, or None for any other sound, a changed one as well."""
    folder = _folder_of(path, library)
    if folder is None:
        return None
    try:
        recipe = read_recipe(folder)
    except StudioError:
        return None  # what lies beside the file is no recipe of ours: then it is a sound like any other
    if abs(recipe.theme.length_frames / 44_100 - length_s) > _SAME_LENGTH_S:
        return None
    return song_facts_of(recipe, folder)


def song_facts_of(recipe: Recipe, folder: Path) -> OwnSong:
    """What a recipe says, with the instruments of the MIDI file beside it. Raises NotationError for a damaged key."""
    theme, long = recipe.theme, recipe.long
    layers = () if long is None else tuple(_layer(layer) for layer in long.layers)
    tonic_hz = recipe.tuning.tonic_hz if recipe.tuning is not None else long.tonic_hz if long is not None else None
    return OwnSong(
        title=theme.title,
        styles=theme.styles or recipe.style_names,
        mood=theme.mood,
        key=str(Key.parse(theme.key)),
        tempo_bpm=theme.tempo_bpm,
        meter=theme.meter,
        instruments=_instruments(folder) or theme.instruments,
        form=tuple(section.role for section in theme.form),
        bars=sum(section.bars for section in theme.form),
        a4_hz=recipe.a4_hz,
        tonic_hz=tonic_hz,
        layers=layers,
        chapters=0 if long is None else len(long.chapters),
        music=long is None or long.music,
    )


def _folder_of(path: Path, library: Library | None) -> Path | None:
    """The song's folder: the one in which the file lies, or that of the song in the library with the same file."""
    if (path.parent / _RECIPE).is_file():
        return path.parent
    if library is None:
        return None
    try:
        size = path.stat().st_size
        for song in library.songs_with_file(path.name):
            if (song.folder / path.name).stat().st_size == size:
                return song.folder
    except (OSError, StudioError):
        return None  # without a library it is a sound like any other
    return None


def _instruments(folder: Path) -> tuple[str, ...]:
    """The names of the parts in the song's MIDI file, each once."""
    file = next(iter(sorted(folder.glob("*.mid"))), None)
    if file is None:
        return ()
    try:
        arrangement = read_midi(file.read_bytes(), file.stem)
    except (OSError, StudioError):
        return ()
    return tuple(dict.fromkeys(part.name for part in arrangement.parts if part.name))


def _layer(layer: LayerRecord) -> str:
    """A layer in words."""
    beats = sorted({value for _, value in layer.beat_points})
    if layer.kind in ("binaural", "monaural", "isochronic"):
        speed = f"{beats[0]:g} Hz" if len(beats) == 1 else f"{beats[0]:g} to {beats[-1]:g} Hz"
        kind = "isochronic pulses" if layer.kind == "isochronic" else f"a {layer.kind} beat"
        return f"{kind} of {speed} on {layer.carrier_hz:g} Hz"
    if layer.kind == "tone":
        return f"a tone of {layer.carrier_hz:g} Hz"
    return f"{layer.kind} noise" if layer.kind in COLOURS else layer.kind
