"""The 1280x720 thumbnail: few large words on the left, the picture on the right, readable at 168x94."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from llm_music_gen.publishing.canvas import draw
from llm_music_gen.publishing.lettering import Box, Line, block_height, fitted, writable, write
from llm_music_gen.publishing.picture import Stage, colours_of, kind_of, scene_for
from llm_music_gen.publishing.text import plain
from llm_music_gen.publishing.upload import Upload, length_words, number

if TYPE_CHECKING:
    from PIL import Image

THUMBNAIL_SIZE = (1_280, 720)
THUMBNAIL_BYTES = 2_000_000
_WORDS = 3
_LONG_WORD = 9


def thumbnail(upload: Upload, height: int = THUMBNAIL_SIZE[1], font: Path | None = None) -> tuple[Image.Image, float]:
    """The thumbnail and the contrast of its words; 16 to 9. The corner at the bottom right stays free for the site's clock."""
    width = round(height * THUMBNAIL_SIZE[0] / THUMBNAIL_SIZE[1])
    kind = kind_of(upload)
    stage = Stage(width / height, (0.76, {"mandala": 0.47, "ridges": 0.47, "moon": 0.33}.get(kind, 0.36)), 0.17, 0.37)
    picture = draw(scene_for(upload, stage), width, height, upload.seed)
    most = (0.41 if kind == "mandala" else 0.47) * width
    lines = [fitted(line, most, font) for line in _lines(upload, height, font)]
    tall = block_height(lines)
    boxes = [Box(0.06 * width, share * height - tall / 2, most, tall) for share in (0.42, 0.5, 0.58)]
    reached = write(picture, lines, boxes, colours_of(upload), centred=False, font=font)
    return picture, reached


def jpeg(picture: Image.Image, most_bytes: int | None = None) -> bytes:
    """The picture as JPEG, as good as fits into `most_bytes`."""
    for quality in (92, 88, 82, 74, 60):
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality, optimize=True, subsampling=0)
        if most_bytes is None or out.tell() < most_bytes:
            break
    return out.getvalue()


def _lines(upload: Upload, height: int, font: Path | None) -> list[Line]:
    lines: list[Line] = []
    if upload.frequency_hz is not None:
        lines.append(Line(f"{number(upload.frequency_hz)} Hz", 0.235 * height))
    else:
        words = writable(plain(upload.title), font).upper().split()[:_WORDS]
        if len(words) == _WORDS and len(words[0]) + len(words[1]) < _LONG_WORD:
            words = [f"{words[0]} {words[1]}", words[2]]
        lines += [Line(word, (0.20 if len(words) < _WORDS else 0.165) * height, 0.006 * height) for word in words]
    if upload.length_s >= 600 and len(lines) < _WORDS:
        lines.append(Line(length_words(upload.length_s).upper(), 0.122 * height, 0.008 * height))
    elif not lines or upload.frequency_hz is not None:
        style = writable(plain(upload.styles[0]), font) if upload.styles else ""
        lines.append(Line((style or "music").upper(), 0.122 * height, 0.008 * height))
    return lines
