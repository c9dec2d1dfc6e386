"""How much memory a model needs and how much there is, measured before anything is loaded."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from pathlib import Path

from llm_music_gen.errors import ModelError
from llm_music_gen.llm.gguf import GgufHeader

#: Computing buffers and the vocabulary beside weights and KV cache.
OVERHEAD_BYTES = 150 * 2**20
#: Context where the settings leave it open, and the cache from which it is halved.
USUAL_CONTEXT, LARGE_CACHE_BYTES = 4096, 2**30
_MEMINFO = Path("/proc/meminfo")


def suitable_context(header: GgufHeader) -> int:
    """How many tokens a song needs: a theme, or six materials of 16 bars and the question, fit into 4,096 tokens.

    Where their cache would be large half of it does: then a model is shown fewer of the earlier sections.
    """
    return USUAL_CONTEXT if cache_bytes(header, USUAL_CONTEXT) <= LARGE_CACHE_BYTES else USUAL_CONTEXT // 2


def needed_bytes(header: GgufHeader, context_tokens: int) -> int:
    """Weights, KV cache and buffers."""
    overhead = min(OVERHEAD_BYTES, header.size_bytes // 4)
    return header.size_bytes + cache_bytes(header, context_tokens) + overhead


def cache_bytes(header: GgufHeader, context_tokens: int) -> int:
    """KV cache in float16: keys and values, layers x tokens x KV heads x head size x 2 bytes each."""
    architecture = header.architecture
    heads = header.number(f"{architecture}.attention.head_count") or 1
    kv_heads = header.number(f"{architecture}.attention.head_count_kv") or heads
    width = header.number(f"{architecture}.embedding_length")
    head_size = header.number(f"{architecture}.attention.key_length") or width // max(1, heads)
    tokens = min(context_tokens, header.context_tokens or context_tokens)
    return 4 * header.layers * tokens * kv_heads * head_size


def available_bytes() -> int | None:
    """Memory that programs can have without others being pushed out; None where the system does not say."""
    if sys.platform == "win32":
        return _windows_available()
    try:
        lines = _MEMINFO.read_text(encoding="ascii").splitlines()
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)
    except (OSError, ValueError, LookupError):
        return None


def check_fits(header: GgufHeader, context_tokens: int, available: int | None, gpu_layers: int = 0) -> None:
    """Raises ModelError in one sentence when a model does not fit; where nothing is known it is taken to fit.

    Layers on the graphics card take their share off what is needed here.
    """
    here = max(0, header.layers + 1 - gpu_layers) / (header.layers + 1)
    needed = int(needed_bytes(header, context_tokens) * here)
    if available is not None and needed > available:
        raise ModelError(
            f"{header.path.name} needs {needed / 1e9:.1f} GB of memory, and {available / 1e9:.1f} GB are free.",
            hint="Close other programs, choose a smaller quantization, or give it less context in the settings.",
        )


if sys.platform == "win32":
    import ctypes

    class _MemoryStatus(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load_percent", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "available", "a", "b", "c", "d", "e")),
        )

    def _windows_available() -> int | None:
        status = _MemoryStatus()
        status.length = ctypes.sizeof(status)
        return int(status.available) if ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)) else None


def give_memory_back() -> None:
    """What a model used and freed goes back to the system. On Linux the C library keeps it otherwise; elsewhere it does not."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").malloc_trim(0)
