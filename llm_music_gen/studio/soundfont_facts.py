"""What must be known about a soundfont before each song: its checksum, and how this computer renders with it.

Both take a moment, so they are remembered in `data/cache/` for as long as the file and the programs that render stay the same.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from llm_music_gen import disk
from llm_music_gen.parsing import parse_json
from llm_music_gen.sound.soundfonts import Soundfont
from llm_music_gen.studio.fingerprint import render_fingerprint
from llm_music_gen.studio.versions import versions


@dataclass(frozen=True, slots=True)
class SoundfontFacts:
    """A soundfont's checksum and the fingerprint of this computer's rendering with it."""

    sha256: str
    fingerprint: str


def soundfont_facts(soundfont: Soundfont, cache_dir: Path) -> SoundfontFacts:
    """From the cache, or worked out and remembered. A cache that cannot be read or written only costs time."""
    place = cache_dir / "soundfonts.json"
    key = _key(soundfont.path)
    known = _read(place)
    found = known.get(key)
    if isinstance(found, dict) and set(found) == {"sha256", "fingerprint"}:
        return SoundfontFacts(str(found["sha256"]), str(found["fingerprint"]))
    facts = SoundfontFacts(soundfont.checksum(), render_fingerprint(soundfont.path))
    with contextlib.suppress(OSError):
        cache_dir.mkdir(parents=True, exist_ok=True)
        disk.write_whole(place, json.dumps({**known, key: asdict(facts)}, indent=1).encode("utf-8"))
    return facts


def _key(path: Path) -> str:
    """Changes with the file and with everything that renders it."""
    state = path.stat()
    described = json.dumps([str(path.resolve()), state.st_size, state.st_mtime_ns, versions()], sort_keys=True)
    return hashlib.sha256(described.encode("utf-8")).hexdigest()


def _read(place: Path) -> dict[str, object]:
    try:
        data = parse_json(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
