"""Every error the studio raises on purpose, as one tree.

StudioError                    a sentence for the user: what is wrong and what to do
├── UsageError                 the request itself makes no sense (exit code 2)
├── SettingsError              a settings file or value is wrong
├── StyleError                 a style sheet or style name is wrong
├── ThemeError                 no theme can be made from the request
├── NotationError              text is not the ABC we can read
├── ModelError                 a language model is missing, broken or misbehaves
│   └── ModelCrashed           the process that held the model died
├── SoundError                 rendering, soundfonts, encoding, decoding
│   ├── SoundfontMissing       no soundfont could be found
│   └── EncodingError          a finished file could not be written or verified
├── StorageError               disk full, unwritable folder, file vanished
│   └── DiskMissing            the disk is full or gone: it goes on when room is made or the disk is back
├── LibraryError               the catalogue cannot do what was asked
├── JobError                   the queue cannot do what was asked
├── ClusterError               other machines cannot be reached or cannot help
├── PlaybackError              no device, unplayable file
├── DownloadError              a file could not be fetched from the network
└── DependencyMissing          an optional program or package is needed for this
"""

from __future__ import annotations

import re

#: A message that quotes a file may quote pages of it.
MOST_CHARACTERS = 700
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class StudioError(Exception):
    """Root of the tree. `str(error)` is one sentence that can be shown to the user as it is."""

    exit_code: int = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        message = _bearable(message)
        super().__init__(f"{message} {hint}" if hint else message)
        self.message = message
        self.hint = hint


class UsageError(StudioError):
    """The request itself makes no sense."""

    exit_code = 2


class SettingsError(StudioError):
    """A settings file or value is wrong."""


class StyleError(StudioError):
    """A style sheet or style name is wrong."""


class ThemeError(StudioError):
    """No theme can be made from the request."""


class NotationError(StudioError):
    """Text is not the ABC that the studio can read."""


class ModelError(StudioError):
    """A language model is missing, broken or misbehaves."""


class ModelCrashed(ModelError):
    """The process that held the model died."""


class SoundError(StudioError):
    """Rendering, soundfonts, encoding, decoding."""


class SoundfontMissing(SoundError):
    """No soundfont could be found."""


class EncodingError(SoundError):
    """A finished file could not be written or verified."""


class StorageError(StudioError):
    """Disk full, unwritable folder, vanished file."""


class DiskMissing(StorageError):
    """The disk is full or gone: nothing is wrong with the work, and it goes on when room is made or the disk is back."""


class LibraryError(StudioError):
    """The catalogue cannot do what was asked."""


class JobError(StudioError):
    """The queue cannot do what was asked."""


class ClusterError(StudioError):
    """Other machines cannot be reached, or none of them can help."""


class PlaybackError(StudioError):
    """No output device, or a file that cannot be played."""


class DownloadError(StudioError):
    """A file could not be fetched from the network, or is not what it should be."""


class DependencyMissing(StudioError):
    """An optional program or package is needed for this."""


def _bearable(message: str) -> str:
    """The message on one line, its middle left out where it is longer than anybody reads: what is wrong stands at either end."""
    message = _BREAKS.sub(" ", message)
    if len(message) <= MOST_CHARACTERS:
        return message
    half = MOST_CHARACTERS // 2
    return f"{message[:half]} ... {message[-half:]}"
