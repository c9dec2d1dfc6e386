"""Where things live. The one file that knows directories; importing it creates nothing.

Started from a checkout everything of the user's stays in that folder (`data/`, `models/`); installed as a wheel it goes to the
platform's own folders; `LLM_MUSIC_GEN_HOME` moves all of it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

HOME_VARIABLE = "LLM_MUSIC_GEN_HOME"
PACKAGE_DIR = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class StudioPaths:
    """The folders and files of one studio. Nothing here is created until something is written."""

    data_dir: Path
    """Settings, library, songs, jobs, soundfonts, styles, prompts, logs."""
    models_dir: Path
    """GGUF files of the user's."""

    @property
    def settings_file(self) -> Path:
        return self.data_dir / "settings.toml"

    @property
    def database_file(self) -> Path:
        return self.data_dir / "studio.sqlite"

    @property
    def songs_dir(self) -> Path:
        return self.data_dir / "songs"

    @property
    def jobs_dir(self) -> Path:
        return self.data_dir / "jobs"

    @property
    def unfinished_dir(self) -> Path:
        return self.data_dir / "unfinished"

    @property
    def plans_dir(self) -> Path:
        return self.data_dir / "plans"

    @property
    def soundfonts_dir(self) -> Path:
        return self.data_dir / "soundfonts"

    @property
    def styles_dir(self) -> Path:
        return self.data_dir / "styles"

    @property
    def logs_dir(self) -> Path:
        return self.data_dir / "logs"

    @property
    def cache_dir(self) -> Path:
        return self.data_dir / "cache"


def checkout_root() -> Path | None:
    """The folder of the checkout this package runs from, or None when it is installed as a wheel."""
    root = PACKAGE_DIR.parent
    return root if (root / "pyproject.toml").is_file() and (root / "models").is_dir() else None


def studio_paths() -> StudioPaths:
    """Resolve the folders from the environment, the checkout or the platform, in that order."""
    moved = os.environ.get(HOME_VARIABLE)
    if moved:
        home = Path(moved).expanduser().resolve()
        return StudioPaths(data_dir=home / "data", models_dir=home / "models")
    root = checkout_root()
    if root is not None:
        return StudioPaths(data_dir=root / "data", models_dir=root / "models")
    import platformdirs

    base = Path(platformdirs.user_data_dir("Llm-Music-Gen", appauthor=False))
    return StudioPaths(data_dir=base / "data", models_dir=base / "models")
