"""Reads the header of a GGUF file: what a model is, without loading it.

The file is untrusted: every count and length is checked against the file's size and a fixed bound before anything is allocated;
a hostile header costs well under a second and 50 MB and ends in one sentence. Format: ggml's docs/gguf.md, versions 2 and 3.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, cast

from llm_music_gen.errors import ModelError
from llm_music_gen.llm.gguf_tables import FILE_TYPES, SCALARS, TENSOR_BLOCKS

# Bounds well above the largest headers in use (vocabularies of 260,000 tokens with 500,000 merges).
MAX_HEADER_BYTES = 24 * 2**20
MAX_KEYS = 4_096
MAX_TENSORS = 16_384
MAX_ARRAY = 1_000_000
MAX_STRING_BYTES = 2**20
MAX_KEPT_TEXT_BYTES = 4 * 2**20
MAX_TEXTS = 1_500_000
#: Numeric arrays up to this length are kept; longer ones and all text arrays only when asked for.
KEPT_ARRAY = 512

_BOOL, _STRING, _ARRAY = 7, 8, 9
_LENGTH = struct.Struct("<Q")
_SPLIT_NAME = re.compile(r"^(?P<stem>.+)-(?P<part>\d{5})-of-(?P<parts>\d{5})\.gguf$", re.IGNORECASE)

Scalar = int | float | bool | str
Value = Scalar | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a GGUF file says about itself."""

    path: Path
    """The file; of a split model its first part."""
    files: tuple[Path, ...]
    """All files that belong to it."""
    size_bytes: int
    """Of all files together."""
    version: int
    parameters: int
    """Number of weights."""
    metadata: Mapping[str, Value] = field(repr=False)
    """Every scalar, text and short numeric array by its key."""
    array_lengths: Mapping[str, int] = field(repr=False)
    """How long each array is, kept or not."""

    def text(self, key: str) -> str:
        """A text value, "" if absent or of another type."""
        value = self.metadata.get(key)
        return value if isinstance(value, str) else ""

    def number(self, key: str) -> int:
        """A whole number, 0 if absent or of another type."""
        value = self.metadata.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else 0

    @property
    def architecture(self) -> str:
        """Such as `llama`; "" if the file does not say."""
        return self.text("general.architecture")

    @property
    def layers(self) -> int:
        """Blocks of the network; 0 for files that hold no language model."""
        return self.number(f"{self.architecture}.block_count")

    @property
    def context_tokens(self) -> int:
        """The context that the model was trained for."""
        return self.number(f"{self.architecture}.context_length")

    @property
    def quantization(self) -> str:
        """Such as `Q6_K`; `unknown` if the file does not say."""
        return FILE_TYPES.get(self.number("general.file_type"), "unknown") if "general.file_type" in self.metadata else "unknown"

    @property
    def chat_template(self) -> str:
        """The Jinja source of the chat template, "" if there is none."""
        return self.text("tokenizer.chat_template")

    @property
    def vocabulary_size(self) -> int:
        """Number of tokens."""
        return self.array_lengths.get("tokenizer.ggml.tokens", 0)


def read_gguf_header(path: Path, *, arrays: Sequence[str] = ()) -> GgufHeader:
    """Read the header of `path`, of all parts if it is split; keep the `arrays` named in full.

    Raises ModelError: missing, a folder, empty, not a GGUF, truncated, damaged, a part missing.
    """
    parts = split_parts(path)
    for part in parts:
        _check_file(part)
    first = _read_part(parts[0], frozenset(arrays))
    parameters = first.parameters + sum(_read_part(part, frozenset()).parameters for part in parts[1:])
    size_bytes = sum(part.stat().st_size for part in parts)
    if len(parts) == 1 and isinstance(count := first.metadata.get("split.count"), int) and count > 1:
        raise ModelError(f"{path.name} is one of {count} parts; give it back the name that ends in -00001-of-{count:05d}.gguf.")
    return GgufHeader(parts[0], parts, size_bytes, first.version, parameters, first.metadata, first.array_lengths)


def split_parts(path: Path) -> tuple[Path, ...]:
    """All parts of the split model that `path` is one of, or just `path`. Nothing is opened."""
    match = _SPLIT_NAME.match(path.name)
    if match is None or not 1 <= int(match["parts"]) <= 999:
        return (path,)
    count = int(match["parts"])
    return tuple(path.with_name(f"{match['stem']}-{part:05d}-of-{count:05d}.gguf") for part in range(1, count + 1))


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise ModelError(f"{path.name} is a folder, not a model file.")
        if not path.exists():
            if path.is_symlink():
                raise ModelError(f"{path.name} is a link to a file that is no longer there.")
            raise ModelError(f"There is no model file {path}.")
        if path.stat().st_size == 0:
            raise ModelError(f"{path.name} is empty; download it again.")
    except OSError as error:
        raise ModelError(f"{path.name} cannot be read: {error.strerror or error}.") from error


def _read_part(path: Path, arrays: frozenset[str]) -> GgufHeader:
    try:
        with path.open("rb") as file:
            return _Parser(path, file, arrays).header()
    except OSError as error:
        raise ModelError(f"{path.name} cannot be read: {error.strerror or error}.") from error


class _Parser:
    """Walks one header from start to end."""

    def __init__(self, path: Path, file: BinaryIO, arrays: frozenset[str]) -> None:
        self._path = path
        self._file = file
        self._arrays = arrays
        self._size = path.stat().st_size
        self._data = bytearray()
        self._at = 0
        self._lengths: dict[str, int] = {}
        self._texts = 0
        self._kept_text_bytes = 0

    def header(self) -> GgufHeader:
        version = self._version()
        tensors, keys = self._counts()
        metadata: dict[str, Value] = {}
        for _ in range(keys):
            key = self._string()
            if key in metadata or key in self._lengths:
                raise self._damaged(f"{key[:64]!r} stands in it twice")
            value = self._value(key, self._number("<I"))
            if value is not None:
                metadata[key] = value
        parameters = self._tensors(tensors, metadata)
        frozen, lengths = MappingProxyType(metadata), MappingProxyType(self._lengths)
        return GgufHeader(self._path, (self._path,), self._size, version, parameters, frozen, lengths)

    def _version(self) -> int:
        start = self._file.peek(64)[:64] if hasattr(self._file, "peek") else b""
        if start[:4] != b"GGUF":
            raise ModelError(f"{self._path.name} is not a GGUF model file{_lookalike(bytes(start))}.")
        self._skip(4)
        version = self._number("<I")
        if version and not version & 0xFFFF:
            raise ModelError(f"{self._path.name} is a big-endian GGUF file, made for another kind of computer.")
        if version not in (2, 3):
            raise ModelError(f"{self._path.name} has GGUF version {version}; this program reads versions 2 and 3.")
        return version

    def _counts(self) -> tuple[int, int]:
        tensors, keys = self._number("<Q"), self._number("<Q")
        if keys > MAX_KEYS or tensors > MAX_TENSORS:
            raise self._damaged(f"it claims to hold {keys} keys and {tensors} tensors")
        return tensors, keys

    def _value(self, key: str, kind: int) -> Value | None:
        """The value, or None for an array that is not kept."""
        if kind == _STRING:
            text = self._string()
            self._kept_text_bytes += len(text)
            if self._kept_text_bytes > MAX_KEPT_TEXT_BYTES:
                raise self._damaged(f"it holds more than {MAX_KEPT_TEXT_BYTES // 2**20} MB of text")
            return text
        if kind == _ARRAY:
            return self._array(key)
        if kind not in SCALARS:
            raise self._damaged(f"the value of {key[:64]!r} has the unknown type {kind}")
        return self._scalar(kind)

    def _scalar(self, kind: int) -> Scalar:
        value = self._number(SCALARS[kind])
        return bool(value) if kind == _BOOL else value

    def _array(self, key: str) -> Value | None:
        kind, count = self._number("<I"), self._number("<Q")
        if kind != _STRING and kind not in SCALARS:
            raise self._damaged(f"the list {key[:64]!r} has entries of the unsupported type {kind}")
        entry_bytes = 8 if kind == _STRING else struct.calcsize(SCALARS[kind])
        if count > MAX_ARRAY:
            raise self._damaged(f"the list {key[:64]!r} claims to have {count} entries")
        if self._at + count * entry_bytes > self._size:
            raise self._truncated()
        self._lengths[key] = count
        if kind == _STRING:
            if key in self._arrays:
                return tuple(self._string() for _ in range(count))
            self._skip_strings(count)
            return None
        if key in self._arrays or count <= KEPT_ARRAY:
            return tuple(self._scalar(kind) for _ in range(count))
        self._skip(count * entry_bytes)
        return None

    def _tensors(self, count: int, metadata: Mapping[str, Value]) -> int:
        """Check that the file holds all tensors' data; return the number of weights."""
        parameters, end = 0, 0
        for _ in range(count):
            self._skip(self._string_length())
            dimensions = self._number("<I")
            if not 1 <= dimensions <= 4:
                raise self._damaged(f"a tensor has {dimensions} dimensions")
            weights = 1
            for _ in range(dimensions):
                weights *= self._number("<Q")
            if not weights:
                raise self._damaged("a tensor in it has no weights")
            kind, offset = self._number("<I"), self._number("<Q")
            parameters += weights
            block_weights, block_bytes = TENSOR_BLOCKS.get(kind, (1, 0))
            end = max(end, offset + -(-weights // block_weights) * block_bytes)
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or not 1 <= alignment <= 2**20:
            raise self._damaged(f"its alignment is {alignment}")
        data_start = -(-self._at // alignment) * alignment
        if data_start + end > self._size and count:
            raise self._truncated()
        return parameters

    def _number(self, layout: str) -> int:
        size = struct.calcsize(layout)
        self._need(size)
        (value,) = struct.unpack_from(layout, self._data, self._at)
        self._at += size
        return cast(int, value)

    def _string_length(self) -> int:
        length = self._number("<Q")
        if length > MAX_STRING_BYTES:
            raise self._damaged(f"a text in it claims to have {length} bytes")
        return length

    def _string(self) -> str:
        length = self._string_length()
        self._need(length)
        text = self._data[self._at : self._at + length].decode("utf-8", errors="replace")
        self._at += length
        return text

    def _skip_strings(self, count: int) -> None:
        """Pass over `count` texts; a plain loop, because vocabularies have hundreds of thousands."""
        self._texts += count
        if self._texts > MAX_TEXTS:
            raise self._damaged(f"it claims to hold {self._texts:,} texts")
        unpack, at, available = _LENGTH.unpack_from, self._at, len(self._data)
        for _ in range(count):
            if at + 8 > available:
                self._at = at
                self._need(8)
                available = len(self._data)
            (length,) = unpack(self._data, at)
            if length > MAX_STRING_BYTES:
                raise self._damaged(f"a text in it claims to have {length} bytes")
            at += 8 + length
        self._at = at
        self._need(0)

    def _skip(self, size: int) -> None:
        self._need(size)
        self._at += size

    def _need(self, size: int) -> None:
        """Have the next `size` bytes in memory."""
        wanted = self._at + size
        if wanted <= len(self._data):
            return
        if wanted > self._size:
            raise self._truncated()
        if wanted > MAX_HEADER_BYTES:
            raise self._damaged(f"its header is longer than {MAX_HEADER_BYTES // 2**20} MB")
        self._data += self._file.read(max(wanted - len(self._data), 2**18))
        if wanted > len(self._data):
            raise self._truncated()

    def _damaged(self, detail: str) -> ModelError:
        return ModelError(f"{self._path.name} is damaged: {detail}; download it again.")

    def _truncated(self) -> ModelError:
        return ModelError(f"{self._path.name} is incomplete (it ends after {self._size:,} bytes); download it again.")


def _lookalike(start: bytes) -> str:
    """What the first bytes look like instead, for the error."""
    if start.startswith(b"version https://git-lfs"):
        return " but a Git LFS pointer to one (fetch it with: git lfs pull)"
    if start.lstrip().lower().startswith((b"<!doctype", b"<html")):
        return " but a web page; download it again"
    if start.startswith((b"ggml", b"lmgg", b"fmgg", b"tjgg")):
        return " but one in an older format; look for a .gguf of the model"
    return ""
