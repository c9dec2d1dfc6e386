"""Which samples a soundfont plays for a key and velocity: keys with the same zones share one sample and so its mistuning.

Reads the "pdta" chunk of SoundFont 2.04 (section 7) and of .sf3 files, which differ in their samples only. Untrusted: what
does not add up is reported as unknown, never guessed.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_INSTRUMENT, _KEY_RANGE, _VELOCITY_RANGE, _SAMPLE = 41, 43, 44, 53
_MOST_BYTES = 64_000_000
_ALL = (0, 127)

_Span = tuple[int, int]
_Generators = NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Region:
    """Keys and velocities around one that play the same samples."""

    name: str
    """The same for the whole region, different for every other region of the soundfont."""
    keys: _Span
    velocities: _Span


class Zones:
    """The zones of a soundfont's presets."""

    def __init__(self, chunks: dict[bytes, bytes]) -> None:
        self._preset_bags = _first_column(chunks[b"pbag"])
        self._preset_generators = _pairs(chunks[b"pgen"])
        self._bags = _first_column(chunks[b"ibag"])
        self._generators = _pairs(chunks[b"igen"])
        instruments = chunks[b"inst"]
        self._instruments = [struct.unpack_from("<H", instruments, at + 20)[0] for at in range(0, len(instruments) - 21, 22)]
        headers = chunks[b"phdr"]
        rows = [struct.unpack_from("<HHH", headers, at + 20) for at in range(0, len(headers) - 37, 38)]
        self._presets = {(bank, program): (first, rows[number + 1][2]) for number, (program, bank, first) in enumerate(rows[:-1])}

    def region(self, bank: int, program: int, key: int, velocity: int) -> Region | None:
        """Where a key and velocity lie, or None where the preset has no sample for them."""
        if (bank, program) not in self._presets:
            return None
        names: list[str] = []
        keys, velocities = _ALL, _ALL
        for outer, instrument, outer_keys, outer_velocities in self._parts(
            *self._presets[bank, program], self._preset_bags, self._preset_generators, _INSTRUMENT
        ):
            if not _inside(key, outer_keys) or not _inside(velocity, outer_velocities):
                # A neighbouring zone that is not played still ends the region.
                keys, velocities = _beside(keys, outer_keys, key), _beside(velocities, outer_velocities, velocity)
                continue
            keys, velocities = _common(keys, outer_keys), _common(velocities, outer_velocities)
            if not 0 <= instrument < len(self._instruments) - 1:
                return None
            span = self._instruments[instrument], self._instruments[instrument + 1]
            for inner, _, inner_keys, inner_velocities in self._parts(*span, self._bags, self._generators, _SAMPLE):
                if _inside(key, inner_keys) and _inside(velocity, inner_velocities):
                    keys, velocities = _common(keys, inner_keys), _common(velocities, inner_velocities)
                    names.append(f"{outer}.{inner}")
                else:
                    keys, velocities = _beside(keys, inner_keys, key), _beside(velocities, inner_velocities, velocity)
        return Region(" ".join(names), keys, velocities) if names else None

    def _parts(
        self, first: int, stop: int, bags: NDArray[np.uint16], generators: _Generators, wanted: int
    ) -> list[tuple[int, int, _Span, _Span]]:
        """(zone, what it plays, keys, velocities) of each zone that plays something; a first one that does not is for all."""
        found = []
        all_keys, all_velocities = _ALL, _ALL
        for zone in range(first, min(stop, len(bags) - 1)):
            values = {int(kind): int(amount) for kind, amount in generators[bags[zone] : bags[zone + 1]]}
            keys = _span(values[_KEY_RANGE]) if _KEY_RANGE in values else all_keys
            velocities = _span(values[_VELOCITY_RANGE]) if _VELOCITY_RANGE in values else all_velocities
            if wanted in values:
                found.append((zone, values[wanted], keys, velocities))
            elif zone == first:
                all_keys, all_velocities = keys, velocities
        return found


def read_zones(soundfont: Path) -> tuple[Zones | None, str]:
    """(zones, or None where the file cannot be understood; checksum of everything but the bulk of the samples).

    The checksum covers the file's length, its tables and sixty-four places of its samples: hashing all of a large soundfont
    would take a second at every start.
    """
    digest = hashlib.sha256()
    chunks: dict[bytes, bytes] = {}
    try:
        size = soundfont.stat().st_size
        digest.update(struct.pack("<Q", size))
        with soundfont.open("rb") as file:
            for place in range(64):
                file.seek(size * place // 64)
                digest.update(file.read(256))
            at = 12
            while at + 12 <= size:
                file.seek(at)
                name, length, kind = struct.unpack("<4sI4s", file.read(12))
                if name == b"LIST" and kind == b"pdta" and length < _MOST_BYTES:
                    tables = file.read(length - 4)
                    digest.update(tables)
                    chunks = _split(tables)
                at += 8 + length + length % 2
        return Zones(chunks), digest.hexdigest()
    except (OSError, KeyError, IndexError, ValueError, struct.error):
        return None, digest.hexdigest()


def _split(tables: bytes) -> dict[bytes, bytes]:
    chunks, at = {}, 0
    while at + 8 <= len(tables):
        name, length = struct.unpack_from("<4sI", tables, at)
        chunks[name] = tables[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    return chunks


def _pairs(chunk: bytes) -> _Generators:
    return np.frombuffer(chunk, dtype="<u2").reshape(-1, 2)


def _first_column(chunk: bytes) -> NDArray[np.uint16]:
    return np.ascontiguousarray(_pairs(chunk)[:, 0])


def _span(amount: int) -> _Span:
    return amount & 0xFF, amount >> 8


def _inside(value: int, span: _Span) -> bool:
    return span[0] <= value <= span[1]


def _common(one: _Span, other: _Span) -> _Span:
    return max(one[0], other[0]), min(one[1], other[1])


def _beside(span: _Span, other: _Span, value: int) -> _Span:
    """What is left of a span around a value when another zone begins beside it."""
    if other[0] > value:
        return span[0], min(span[1], other[0] - 1)
    if other[1] < value:
        return max(span[0], other[1] + 1), span[1]
    return span
