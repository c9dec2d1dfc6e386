"""A description for people: its facts in lines, and its pictures as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from llm_music_gen.describing.affect import AXIS_BAND, NOTE, RATING_BAND
from llm_music_gen.describing.pictures import circumplex_png, loudness_png, spectrogram_png
from llm_music_gen.errors import StorageError
from llm_music_gen.studio.describing_room import Description


def lines(described: Description, aspects: Sequence[str] = ()) -> list[str]:
    """The facts in lines for people, beside the caption."""
    facts, loud = described.facts, described.facts.loudness
    out = []
    scape = facts.soundscape
    if scape is not None and (not aspects or "scene" in aspects):
        out.append("scene: " + ", ".join(f"{name.replace('_', ' ')} {sure:.2f}" for name, sure in scape.scenes.items()))
    if scape is not None and (not aspects or "events" in aspects):
        heard = ", ".join(f"{one.label} {one.confidence:.2f} ({one.share:.0%} of the time)" for one in scape.events)
        out.append(f"events: {heard or 'none is sure'}")
    if not aspects or "loudness" in aspects:
        percentiles = ", ".join(f"N{name} {loud[f'n{name}_sone']:.1f}" for name in (5, 10, 50, 90, 95))
        levels = ", ".join(f"L{name} {loud[f'la{name}_db']:.0f}" for name in (5, 10, 50, 90, 95))
        out += [
            f"loudness: {_number(facts.lufs)} LUFS, range {_number(facts.lra_lu)} LU, "
            f"true peak {_number(facts.true_peak_dbtp)} dBTP",
            f"at full scale = {facts.calibration_db:g} dB: {loud['stationary_sone']:.1f} sone steady, {percentiles} sone",
            f"sharpness {facts.sharpness_acum:.2f} acum, roughness {facts.roughness_asper:.2f} asper, "
            f"{facts.laeq_db:.0f} dB(A), {levels}",
        ]
    if not aspects and facts.own is None and (facts.tempo_bpm is not None or facts.key is not None):
        bpm = "unsure" if facts.tempo_bpm is None else f"{facts.tempo_bpm:.0f} bpm"
        out.append(f"if it is music: tempo {bpm}, key {facts.key or 'unsure'}")
    if facts.affect is not None and (not aspects or "affect" in aspects):
        ratings = ", ".join(f"{name} {value:.1f}" for name, value in facts.affect.ratings.items())
        out.append(f"affect, 1 to 5, each give or take {RATING_BAND:g} ({NOTE}): {ratings}")
    if facts.affect is not None and (not aspects or "iso12913" in aspects):
        out.append(
            f"ISO 12913-3: pleasantness {facts.affect.pleasantness:+.2f}, eventfulness {facts.affect.eventfulness:+.2f}, "
            f"each give or take {AXIS_BAND:g} ({NOTE})"
        )
    return out


def draw(described: Description, folder: Path) -> list[Path]:
    """Write the pictures of a description into a folder. Raises StorageError; nothing half-written stays.

    They carry the file's whole name, so that those of song.mp3 and song.wav may lie together.
    """
    drawn = {"spectrogram": spectrogram_png(described.heard.spectrogram), "loudness": loudness_png(described.heard.zwicker)}
    if described.facts.affect is not None:
        drawn["circumplex"] = circumplex_png(described.facts.affect)
    return [_write(folder / f"{described.path.name}.{name}.png", data) for name, data in drawn.items()]


def _write(path: Path, data: bytes) -> Path:
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror or error}).", hint="Choose another folder.") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
