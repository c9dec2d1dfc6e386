"""GGUF files that are broken, each in one way: what a reader of headers meets on other people's disks."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

HUGE = 2**62


def text(value: bytes) -> bytes:
    """A text as GGUF writes it."""
    return struct.pack("<Q", len(value)) + value


def start(tensors: int = 0, keys: int = 1, version: int = 3) -> bytes:
    """Magic, version and counts."""
    return b"GGUF" + struct.pack("<IQQ", version, tensors, keys)


#: Name -> whole content.
HOSTILE = {
    "empty": b"",
    "magic_only": b"GGUF",
    "half_a_magic": b"GG",
    "other_format": b"PK\x03\x04" + bytes(100),
    "web_page": b"<!DOCTYPE html><html>404</html>",
    "lfs_pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
    "old_ggml": b"lmgg" + bytes(64),
    "version_1": start(version=1) + bytes(64),
    "version_99": start(version=99) + bytes(64),
    "big_endian": b"GGUF" + struct.pack(">IQQ", 3, 1, 1) + bytes(64),
    "giant_key_count": start(keys=HUGE) + bytes(64),
    "giant_tensor_count": start(tensors=HUGE) + bytes(64),
    "giant_key": start() + struct.pack("<Q", HUGE) + bytes(64),
    "giant_string": start() + text(b"a") + struct.pack("<IQ", 8, HUGE) + bytes(64),
    "giant_array": start() + text(b"a") + struct.pack("<IIQ", 9, 4, HUGE) + bytes(64),
    "giant_text_array": start() + text(b"a") + struct.pack("<IIQ", 9, 8, HUGE) + bytes(64),
    "array_in_array": start() + text(b"a") + struct.pack("<IIQ", 9, 9, 1) + bytes(64),
    "unknown_type": start() + text(b"a") + struct.pack("<I", 77) + bytes(64),
    "same_key_twice": start(keys=2) + (text(b"a") + struct.pack("<II", 4, 1)) * 2,
    "no_dimensions": start(tensors=1, keys=0) + text(b"t") + struct.pack("<I", 0) + bytes(64),
    "no_weights": start(tensors=1, keys=0) + text(b"t") + struct.pack("<IQIQ", 1, 0, 0, 0) + bytes(64),
    "giant_tensor": start(tensors=1, keys=0) + text(b"t") + struct.pack("<IQQIQ", 2, HUGE, HUGE, 0, 0) + bytes(64),
    "tensor_beyond_the_end": start(tensors=1, keys=0) + text(b"t") + struct.pack("<IQIQ", 1, 4, 0, HUGE) + bytes(64),
    "silly_alignment": start() + text(b"general.alignment") + struct.pack("<II", 4, 0),
    "no_model_in_it": start(keys=0) + bytes(64),
}


def write_broken(folder: Path, whole: bytes) -> Iterator[Path]:
    """Every kind of broken file below `folder`; `whole` is a good one, to be cut and split."""
    for name, content in HOSTILE.items():
        path = folder / f"{name}.gguf"
        path.write_bytes(content)
        yield path
    for size in (5, 23, 24, 40, 200, len(whole) // 2, len(whole) - 1):
        path = folder / f"cut_at_{size}.gguf"
        path.write_bytes(whole[:size])
        yield path
    sparse = folder / "sparse_terabyte.gguf"
    with sparse.open("wb") as file:
        file.write(start(keys=4) + text(b"a") + struct.pack("<IIQ", 9, 8, 1_000_000))
        file.truncate(2**36)
    yield sparse
    split = folder / "split-00001-of-00003.gguf"
    split.write_bytes(whole)
    split.with_name("split-00003-of-00003.gguf").write_bytes(whole)
    yield split
    directory = folder / "directory.gguf"
    directory.mkdir()
    yield directory
    link = folder / "dangling.gguf"
    try:
        link.symlink_to(folder / "gone.gguf")
    except OSError:
        return  # no links for ordinary people on this system
    yield link
