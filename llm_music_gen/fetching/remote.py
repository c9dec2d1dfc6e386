"""What there is to fetch, as a value, and the words for sizes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file somewhere on the network."""

    address: str
    """Where it is: https, or http on this computer."""
    name: str
    """What it is called here, without folders."""
    size_bytes: int = 0
    """0 where nobody has said yet; the server then has to."""
    sha256: str = ""
    """64 hexadecimal digits, or "" where there is none."""
    git_sha1: str = ""
    """Git's checksum of the content, where the hub has only that one (small text files)."""

    @property
    def identity(self) -> str:
        """What must be the same for a part of it to be continued."""
        return self.sha256 or self.git_sha1 or self.address


def size_words(size_bytes: float) -> str:
    """5.53 GB, 63 MB, 7 kB."""
    if size_bytes >= 1e9:
        return f"{size_bytes / 1e9:.2f} GB"
    return f"{size_bytes / 1e6:.0f} MB" if size_bytes >= 1e6 else f"{max(1, round(size_bytes / 1e3))} kB"
