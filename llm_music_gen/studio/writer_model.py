"""Who writes the tunes: a GGUF file, loaded once for all songs, or a model on a server."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from llm_music_gen.composing.author import Author
from llm_music_gen.composing.local_author import LocalAuthor
from llm_music_gen.composing.server_author import ServerAuthor
from llm_music_gen.domain.text_model import TextModel
from llm_music_gen.errors import ModelError, UsageError
from llm_music_gen.llm.backend import load_model, thread_count, usable_gpu
from llm_music_gen.llm.formats import format_name
from llm_music_gen.llm.gguf import GgufHeader, read_gguf_header
from llm_music_gen.llm.memory import available_bytes, check_fits, needed_bytes, suitable_context
from llm_music_gen.llm.offload import layers_to_try
from llm_music_gen.llm.openai_server import OpenAiServer
from llm_music_gen.llm.registry import BUILT_IN_FILE, built_in_composer, choose_model, find_models
from llm_music_gen.llm.trial import try_model
from llm_music_gen.settings import Settings
from llm_music_gen.studio.recipe import file_sha256

#: As a model's name: the one on the server; "server:NAME" is one of several there.
SERVER_WORD = "server"


class Writer(Protocol):
    """Whoever writes the tunes of a batch of songs."""

    @property
    def name(self) -> str:
        """For people and recipes."""
        ...

    @property
    def settings(self) -> Settings:
        """With which it was chosen."""
        ...

    @property
    def now(self) -> str:
        """What it is about, for people: "Loading own.gguf"."""
        ...

    tries: int
    """How often it is asked for a tune before somebody else writes it."""

    @property
    def is_built_in(self) -> bool:
        """Whether it is the composer that comes with the studio."""
        ...

    @property
    def is_loaded(self) -> bool:
        """Whether it takes memory on this computer."""
        ...

    @property
    def sha256(self) -> str:
        """Checksum of its file; "" for a server's. Raises ModelError."""
        ...

    def needed_bytes(self) -> int:
        """Memory for it beyond what it has already. Raises ModelError when its file is no GGUF."""
        ...

    def make_ready(self) -> None:
        """Load it if it is a file. Raises ModelError or DependencyMissing."""
        ...

    def author(self, temperature: float) -> Author:
        """It as the author of one tune. Raises like `make_ready`."""
        ...

    def close(self) -> None:
        """Free the memory."""
        ...


@dataclass
class WriterModel:
    """A model file; loaded when it is first needed, closed at the end."""

    path: Path
    settings: Settings
    tries: int = 2
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
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def now(self) -> str:
        """See `Writer`; with its layers on the graphics card."""
        if self._loaded is None:
            return f"Loading {self.name}"
        layers = getattr(self._loaded, "gpu_layers", 0)
        there = f", {layers} of {read_gguf_header(self.path).layers + 1} layers on the graphics card" if layers else ""
        return f"{self.name} writes{there}"

    @property
    def format_name(self) -> str:
        """How the model wants to be asked. Raises ModelError when the file is no GGUF."""
        if not self._format:
            self._format = format_name(read_gguf_header(self.path), self.path.name)
        return self._format

    @property
    def is_built_in(self) -> bool:
        """See `Writer`."""
        return self.path.name == BUILT_IN_FILE and self.path == built_in_composer()

    @property
    def is_loaded(self) -> bool:
        """See `Writer`."""
        return self._loaded is not None

    @property
    def _context(self) -> int:
        return self.settings.context_tokens or suitable_context(read_gguf_header(self.path))

    def needed_bytes(self) -> int:
        """See `Writer`; 0 when it is loaded."""
        return 0 if self.is_loaded else needed_bytes(read_gguf_header(self.path), self._context)

    @property
    def sha256(self) -> str:
        """See `Writer`; read once."""
        if not self._sha256:
            try:
                self._sha256 = file_sha256(self.path)
            except OSError as error:
                raise ModelError(
                    f"{self.path} cannot be read ({error.strerror or error}).", hint="Choose another model."
                ) from error
        return self._sha256

    def make_ready(self) -> None:
        """See `Writer`."""
        self.loaded()

    def loaded(self) -> TextModel:
        """The model in memory. Raises ModelError or DependencyMissing."""
        if self._loaded is None:
            header, threads = read_gguf_header(self.path), thread_count(self.settings.thread_fraction)
            layers = self._gpu_layers(header)
            check_fits(header, self._context, available_bytes(), layers)
            if not self.is_built_in:
                try_model(self.path, threads=threads, gpu_layers=layers)
            self._loaded = load_model(self.path, threads=threads, context_tokens=self._context, gpu_layers=layers)
        return self._loaded

    def _gpu_layers(self, header: GgufHeader) -> int:
        """How many layers are tried on the graphics card. The built-in composer is too small to gain anything there."""
        asked = 0 if self.is_built_in else self.settings.gpu_layers
        if not asked:
            return 0
        return layers_to_try(asked, header.layers, needed_bytes(header, self._context), usable_gpu())

    def author(self, temperature: float) -> Author:
        """See `Writer`."""
        return LocalAuthor(self.loaded(), self.format_name, temperature)

    def close(self) -> None:
        """See `Writer`."""
        if self._loaded is not None:
            self._loaded.close()
            self._loaded = None


@dataclass
class ServerWriter:
    """A model on a server; takes no memory here."""

    server: OpenAiServer
    settings: Settings
    is_built_in: bool = False
    is_loaded: bool = False
    sha256: str = ""
    tries: int = 2
    _author: ServerAuthor | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """Model and address; the model only once it was asked, where the first there is taken."""
        return self.server.name if self._author is None else self._author.name

    @property
    def now(self) -> str:
        """See `Writer`."""
        return f"Asking {self.name}"

    def needed_bytes(self) -> int:
        """See `Writer`."""
        return 0

    def make_ready(self) -> None:
        """Nothing to load; whether the server is there shows when it is asked."""

    def author(self, temperature: float) -> Author:
        """See `Writer`."""
        known = self.server if self._author is None else self._author.server
        self._author = ServerAuthor(known, temperature)
        return self._author

    def close(self) -> None:
        """See `Writer`."""


def names_server(model: str) -> bool:
    """Whether a model's name means one on the server: "server" or "server:NAME"."""
    return model == SERVER_WORD or model.startswith(f"{SERVER_WORD}:")


def server_of(settings: Settings, address: str, model: str = "") -> OpenAiServer | None:
    """The server at an address, or the setting's; `model` as in "server:NAME" names one of its models.

    Raises UsageError for what is no address.
    """
    url = address or settings.server
    if not url:
        return None
    server = OpenAiServer(url, settings.server_model)
    named = model.partition(":")[2] if names_server(model) else ""
    return replace(server, model=named) if named else server


def server_writer(model: str, settings: Settings, address: str) -> ServerWriter:
    """Tunes by the server that a model's name means. Raises UsageError where no address is known."""
    server = server_of(settings, address, model)
    if server is None:
        raise UsageError(
            "It is not known where the server is.",
            hint="Give its address: --server http://127.0.0.1:11434/v1, or in the settings.",
        )
    return ServerWriter(server, settings)
