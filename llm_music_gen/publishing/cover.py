"""The square cover (3000x3000 as stores ask), drawn from the song's own facts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llm_music_gen.publishing.canvas import draw
from llm_music_gen.publishing.lettering import Box, Line, block_height, fitted, writable, write
from llm_music_gen.publishing.picture import Stage, colours_of, kind_of, scene_for
from llm_music_gen.publishing.text import plain
from llm_music_gen.publishing.upload import Upload, length_words, number

if TYPE_CHECKING:
    from PIL import Image

COVER_SIDE = 3_000
_LONGEST_TITLE = 26


def cover(upload: Upload, side: int = COVER_SIDE, font: Path | None = None) -> tuple[Image.Image, float]:
    """The cover and the contrast of its words. `font`: a .ttf or .otf of the user's instead of Pillow's own."""
    kind = kind_of(upload)
    stage = Stage(1.0, (0.5, {"mandala": 0.43, "ridges": 0.42, "moon": 0.30}.get(kind, 0.40)), 0.115, 0.345)
    picture = draw(scene_for(upload, stage), side, side, upload.seed)
    most = 0.80 * side
    lines = []
    if title := writable(_short(plain(upload.title)), font).upper():
        lines.append(fitted(Line(title, 0.058 * side, 0.022 * side), most, font))
    lines.append(fitted(Line(writable(_second(upload), font).upper(), 0.024 * side, 0.008 * side), most, font))
    height = block_height(lines)
    tops = (0.925 - height / side, 0.895 - height / side, 0.865 - height / side)
    boxes = [Box((side - most) / 2, top * side, most, height) for top in tops]
    reached = write(picture, lines, boxes, colours_of(upload), centred=True, font=font)
    return picture, reached


def _second(upload: Upload) -> str:
    parts = (
        [f"{number(upload.frequency_hz)} Hz"]
        if upload.frequency_hz is not None
        else [plain(style) for style in upload.styles[:1]]
    )
    if upload.length_s >= 600:
        parts.append(length_words(upload.length_s))
    return " · ".join(part for part in parts if part) or "Instrumental"


def _short(title: str) -> str:
    """As many whole words as fit a line that can still be read."""
    words = title.split()
    while len(words) > 1 and len(" ".join(words)) > _LONGEST_TITLE:
        words.pop()
    return " ".join(words)[:_LONGEST_TITLE]
