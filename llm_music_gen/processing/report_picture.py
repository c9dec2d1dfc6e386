"""The spectra before and after in one small picture."""

from __future__ import annotations

import io
import math
from pathlib import Path

from llm_music_gen.errors import StorageError
from llm_music_gen.processing.dsp.spectrum import ThirdOctaves
from llm_music_gen.processing.report import Report

SIZE = (960, 480)
#: Drawn so much larger and made smaller afterwards, for smooth lines.
_LARGER = 2
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 44, 44
_LOWEST_HZ, _HIGHEST_HZ = 22.0, 22_000.0
_GRID_HZ = (31.5, 63, 125, 250, 500, 1_000, 2_000, 4_000, 8_000, 16_000)
_RANGE_DB = 70.0
_BACKGROUND, _GRID, _TEXT, _BEFORE, _AFTER = "#14161a", "#2c3038", "#c8ccd4", "#7f8896", "#5ad1a8"


def spectra_png(report: Report) -> bytes:
    """A PNG: third-octave levels over frequency, grey before and green after, as loud as they are."""
    from PIL import Image, ImageDraw, ImageFont

    before, after = report.before.spectrum, report.after.spectrum
    loudest = max([level for level in (*before.levels_db, *after.levels_db) if math.isfinite(level)], default=0.0)
    top_db = 10.0 * math.ceil((loudest + 3.0) / 10.0)
    image = Image.new("RGB", (_LARGER * SIZE[0], _LARGER * SIZE[1]), _BACKGROUND)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(11 * _LARGER)
    for hz in _GRID_HZ:
        x = _x(hz)
        draw.line(_at((x, _TOP), (x, SIZE[1] - _BOTTOM)), fill=_GRID, width=_LARGER)
        name = f"{hz / 1000:g} kHz" if hz >= 1_000 else f"{hz:g} Hz"
        draw.text(_at((x, SIZE[1] - _BOTTOM + 8))[0], name, fill=_TEXT, anchor="ma", font=font)
    for step in range(int(_RANGE_DB) // 10 + 1):
        y = _y(top_db - 10.0 * step, top_db)
        draw.line(_at((_LEFT, y), (SIZE[0] - _RIGHT, y)), fill=_GRID, width=_LARGER)
        draw.text(_at((_LEFT - 8, y))[0], f"{top_db - 10 * step:g} dB", fill=_TEXT, anchor="rm", font=font)
    for spectrum, colour, line in ((before, _BEFORE, 2), (after, _AFTER, 3)):
        points = _points(spectrum, top_db)
        if len(points) > 1:
            draw.line(_at(*points), fill=colour, width=line * _LARGER, joint="curve")
    for number, (name, colour, lufs) in enumerate(
        (("before", _BEFORE, report.before.lufs), ("after", _AFTER, report.after.lufs))
    ):
        loudness = f"{lufs:.1f} LUFS" if math.isfinite(lufs) else "silence"
        draw.text(_at((_LEFT + 220 * number, 16))[0], f"{name}: {loudness}", fill=colour, anchor="la", font=font)
    with io.BytesIO() as out:
        image.resize(SIZE, Image.Resampling.LANCZOS).save(out, "PNG")
        return out.getvalue()


def write_picture(report: Report, path: Path) -> Path:
    """Write the picture. Raises StorageError; nothing half-written stays."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(spectra_png(report))
        part.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror or error}).", hint="Choose another folder.") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _points(spectrum: ThirdOctaves, top_db: float) -> list[tuple[float, float]]:
    return [
        (_x(hz), _y(max(level, top_db - _RANGE_DB), top_db))
        for hz, level in zip(spectrum.centres_hz, spectrum.levels_db, strict=True)
    ]


def _at(*points: tuple[float, float]) -> list[tuple[float, float]]:
    """Places of the picture in the larger one that is drawn."""
    return [(_LARGER * x, _LARGER * y) for x, y in points]


def _x(hz: float) -> float:
    share = math.log(hz / _LOWEST_HZ) / math.log(_HIGHEST_HZ / _LOWEST_HZ)
    return _LEFT + share * (SIZE[0] - _LEFT - _RIGHT)


def _y(level_db: float, top_db: float) -> float:
    return _TOP + (top_db - level_db) / _RANGE_DB * (SIZE[1] - _TOP - _BOTTOM)
