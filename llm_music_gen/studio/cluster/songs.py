"""Whole songs by other machines: written, played and mastered there, verified and filed here."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from llm_music_gen import disk
from llm_music_gen.composing.lengths import parse_length
from llm_music_gen.composing.titles import numbered
from llm_music_gen.domain.machines import Machines
from llm_music_gen.domain.song import Song
from llm_music_gen.errors import StorageError, StudioError
from llm_music_gen.jobs.spread import Call, spread
from llm_music_gen.library.shelf import read_song
from llm_music_gen.sound.soundfonts import find_soundfont
from llm_music_gen.studio.batch import Outcome, entered
from llm_music_gen.studio.cluster.admission import Admission
from llm_music_gen.studio.cluster.files import NeededFile
from llm_music_gen.studio.cluster.songs_there import SentSong, SongOrder, make_song
from llm_music_gen.studio.files import copy_out, move_into_place, unfinished_folder, write_bytes
from llm_music_gen.studio.long.wish import is_long
from llm_music_gen.studio.names import safe_name
from llm_music_gen.studio.recipe import file_sha256
from llm_music_gen.studio.request import GenerateRequest, read_frequencies
from llm_music_gen.studio.song import STEMS_FOLDER
from llm_music_gen.studio.soundfont_facts import soundfont_facts
from llm_music_gen.studio.studio import Studio
from llm_music_gen.studio.writer_model import WriterModel, names_server

_log = logging.getLogger(__name__)
_FOLDERS = ("", STEMS_FOLDER)


def can_go(request: GenerateRequest, studio: Studio) -> bool:
    """Whether a song can be made on another machine: no track of hours, whose segments go there one by one, and no model that
    stands on a server, which only this machine may reach."""
    settings = studio.settings
    length = parse_length(request.length or settings.song_length)
    frequencies = read_frequencies(request.frequency or settings.frequency)
    models = (request.model or settings.model, request.theme_model or settings.theme_model)
    on_server = bool(request.server or settings.server) or any(names_server(name) for name in models)
    return not (is_long(request, length, frequencies) or on_server)


def songs_elsewhere(
    studio: Studio, machines: Machines, requests: Sequence[GenerateRequest]
) -> Iterator[tuple[int, Outcome] | str | None]:
    """Make songs there: (place in `requests`, outcome) as each is filed here, sentences about workers, None now and then.

    Raises ClusterError, and StudioError for a model or soundfont that is not there.
    """
    groups: dict[tuple[str, str, str], list[int]] = {}
    for place, request in enumerate(requests):
        names = (request.soundfont or studio.settings.soundfont, request.model or studio.settings.model)
        groups.setdefault((*names, request.theme_model or studio.settings.theme_model), []).append(place)
    for (soundfont, model, theme_model), places in groups.items():
        tools = _Tools.found(studio, soundfont, model, theme_model)
        calls = [Call(place, make_song, (tools.order(requests[place], studio),)) for place in places]

        def filed(place: int, sent: object) -> tuple[int, Outcome] | None:
            outcome = _filed(sent, studio, requests[place])
            return None if outcome is None else (place, outcome)

        yield from spread(machines, calls, Admission(tools.files, tools.fingerprint, True), filed)


@dataclass(frozen=True, slots=True)
class _Tools:
    """The files that a group of songs needs."""

    soundfont: NeededFile
    model: NeededFile
    theme_model: NeededFile | None
    files: Mapping[NeededFile, Path]
    fingerprint: str
    sheets: Mapping[str, str]

    @staticmethod
    def found(studio: Studio, soundfont: str, model: str, theme_model: str) -> _Tools:
        """Raises StudioError for what is not there."""
        paths = studio.paths
        font = find_soundfont(soundfont, paths.soundfonts_dir)
        facts = soundfont_facts(font, paths.cache_dir)
        writer = WriterModel.choose(model, studio.settings, paths.models_dir)
        files = {
            NeededFile.of("soundfont", font.path, facts.sha256): font.path,
            NeededFile.of("model", writer.path, writer.sha256): writer.path,
        }
        needed_font, needed_model = files
        theme: NeededFile | None = None
        if theme_model:
            path = studio.model(theme_model).path
            theme = NeededFile.of("model", path, file_sha256(path))
            files[theme] = path
        return _Tools(needed_font, needed_model, theme, files, facts.fingerprint, _sheets(paths.styles_dir))

    def order(self, request: GenerateRequest, studio: Studio) -> SongOrder:
        """What a worker is told."""
        bare = replace(request, soundfont="", model="", theme_model="", output_dir="")
        return SongOrder(
            bare, _titles_before(request), studio.settings, self.soundfont, self.model, self.theme_model, self.sheets
        )


def _titles_before(request: GenerateRequest) -> tuple[str, ...]:
    """Titles of the songs before the last that a request asks for, as far as they are known before any is made."""
    if not request.title:
        return ("",) * (request.songs - 1)
    taken: list[str] = []
    for _ in range(request.songs - 1):
        taken.append(numbered(request.title, taken))
    return tuple(taken)


def _sheets(styles_dir: Path) -> dict[str, str]:
    try:
        return {path.name: path.read_text(encoding="utf-8-sig") for path in sorted(styles_dir.glob("*.toml"))}
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"The style sheets in {styles_dir} cannot be read ({error}).", hint="Mend or remove them.") from error


def _filed(sent: object, studio: Studio, request: GenerateRequest) -> Outcome | None:
    """The song in the library, once every byte of it is what was sent; None for one that is damaged."""
    if not isinstance(sent, SentSong):
        return None
    if sent.error:
        return Outcome(error=sent.error)
    if not _is_whole(sent):
        return None
    try:
        song = _put(sent.files, studio)
        if song is None:
            return None
        wanted = request.output_dir or studio.settings.output_dir
        if wanted:
            folder = Path(wanted).expanduser()
            song = replace(song, files=copy_out(song.files, folder, safe_name(song.title)), folder=folder)
    except StudioError as error:  # the rest of the batch goes on, as it does with songs of this machine
        _log.warning("a song of another machine could not be filed: %s", error)
        return Outcome(error=str(error))
    return Outcome(song=song)


def _put(files: Mapping[str, bytes], studio: Studio) -> Song | None:
    """The files as a song of the library, in one move; None where they are no song. Raises StorageError."""
    with unfinished_folder(studio.paths.songs_dir) as folder:
        for name, data in files.items():
            path = folder / name
            try:
                path.parent.mkdir(exist_ok=True)
            except OSError as error:
                raise disk.storage_error(path, error) from error
            write_bytes(path, data)
        try:
            title = read_song(folder).title
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return entered(read_song(move_into_place(folder, studio.paths.songs_dir, title)), studio.library)


def _is_whole(sent: SentSong) -> bool:
    """Whether every file has its checksum and a name that a song's files can have: what comes from elsewhere is not trusted."""
    if "recipe.json" not in sent.files or set(sent.files) != set(sent.sha256):
        return False
    return all(_is_own(name) and hashlib.sha256(data).hexdigest() == sent.sha256[name] for name, data in sent.files.items())


def _is_own(name: str) -> bool:
    folder, _, file = name.rpartition("/")
    stem, dot, ending = file.rpartition(".")
    if name != (f"{folder}/{file}" if folder else file):  # "/x" has an empty folder, too
        return False
    return folder in _FOLDERS and bool(dot) and ending.isalnum() and ending.isascii() and safe_name(stem) == stem
