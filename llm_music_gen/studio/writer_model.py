"""Loads the model that writes the tunes, once for all songs, and knows how it wants to be asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from llm_music_gen.domain.text_model import TextModel
from llm_music_gen.errors import ModelError
from llm_music_gen.llm.backend import load_model, thread_count
from llm_music_gen.llm.formats import format_name
from llm_music_gen.llm.gguf import read_gguf_header
from llm_music_gen.llm.memory import available_bytes, check_fits, needed_bytes
from llm_music_gen.llm.registry import BUILT_IN_FILE, built_in_composer, choose_model, find_models
from llm_music_gen.llm.trial import try_model
from llm_music_gen.settings import Settings
from llm_music_gen.studio.recipe import file_sha256

DEFAULT_CONTEXT_TOKENS = 4096


@dataclass
class WriterModel:
    """A model file; loaded when it is first needed, closed at the end."""

    path: Path
    settings: Settings
    _loaded: TextModel | None = field(default=None, repr=False)
    _sha256: str = ""
    _format: str = ""

    @staticmethod
    def choose(name: str, settings: Settings, models_dir: Path) -> WriterModel:
        """The model called `name` (a path or part of a name), or the setting's, or the built-in one. Raises ModelError."""
        wanted = name or settings.model
        if not wanted:
            return WriterModel(built_in_composer(), settings)
        return WriterModel(choose_model(wanted, find_models(models_dir)).path, settings)

    @property
    def format_name(self) -> str:
        """How the model wants to be asked. Raises ModelError when the file is no GGUF."""
        if not self._format:
            self._format = format_name(read_gguf_header(self.path), self.path.name)
        return self._format

    @property
    def is_built_in(self) -> bool:
        """Whether it is the composer that comes with the studio."""
        return self.path.name == BUILT_IN_FILE and self.path == built_in_composer()

    @property
    def is_loaded(self) -> bool:
        """Whether it is in memory."""
        return self._loaded is not None

    @property
    def _context(self) -> int:
        return self.settings.context_tokens or DEFAULT_CONTEXT_TOKENS

    def needed_bytes(self) -> int:
        """Memory for it beyond what it has already; 0 when it is loaded. Raises ModelError when the file is no GGUF."""
        return 0 if self.is_loaded else needed_bytes(read_gguf_header(self.path), self._context)

    @property
    def sha256(self) -> str:
        """Checksum of the file; read once."""
        if not self._sha256:
            try:
                self._sha256 = file_sha256(self.path)
            except OSError as error:
                raise ModelError(
                    f"{self.path} cannot be read ({error.strerror or error}).", hint="Choose another model."
                ) from error
        return self._sha256

    def loaded(self) -> TextModel:
        """The model in memory. Raises ModelError or DependencyMissing."""
        if self._loaded is None:
            if self.settings.gpu_layers == 0:
                check_fits(read_gguf_header(self.path), self._context, available_bytes())
            if not self.is_built_in:
                try_model(self.path, threads=thread_count(self.settings.thread_fraction), gpu_layers=self.settings.gpu_layers)
            self._loaded = load_model(
                self.path,
                threads=thread_count(self.settings.thread_fraction),
                context_tokens=self._context,
                gpu_layers=self.settings.gpu_layers,
            )
        return self._loaded

    def close(self) -> None:
        """Free the memory."""
        if self._loaded is not None:
            self._loaded.close()
            self._loaded = None
