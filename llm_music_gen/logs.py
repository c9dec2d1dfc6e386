"""Log files. The screen belongs to the command line or the app; what went wrong, and when, goes here."""

from __future__ import annotations

import logging
import logging.handlers
from pathlib import Path

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
MAX_BYTES = 1_000_000
KEPT_FILES = 3


def start_logging(logs_dir: Path, level: str = "info", name: str = "studio") -> Path | None:
    """Send this package's log to `logs_dir/<name>.log` (rotating). Returns the file, or None where none can be written.

    A folder that cannot be written is no reason to make no music, so that case is silent.
    """
    logger = logging.getLogger("llm_music_gen")
    logger.setLevel(level.upper())
    logger.propagate = False
    path = logs_dir / f"{name}.log"
    handler: logging.Handler
    try:
        logs_dir.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=MAX_BYTES, backupCount=KEPT_FILES, encoding="utf-8", delay=False
        )
    except OSError:
        logger.addHandler(logging.NullHandler())
        return None
    handler.setFormatter(logging.Formatter(FORMAT))
    stop_logging()
    logger.addHandler(handler)
    return path


def stop_logging() -> None:
    """Close the log file, so that its folder can be moved or deleted."""
    logger = logging.getLogger("llm_music_gen")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
