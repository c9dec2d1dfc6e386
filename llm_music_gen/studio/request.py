"""What a person asks of the studio, checked: every wrong word is refused here, before any work begins."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from llm_music_gen.composing.form import fixed_tempo
from llm_music_gen.composing.lengths import parse_fade, parse_length
from llm_music_gen.composing.lexicon import split_words
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.errors import NotationError, UsageError
from llm_music_gen.llm.openai_server import OpenAiServer
from llm_music_gen.settings import FORMATS, AudioFormat
from llm_music_gen.studio.long.layers import check_layers
from llm_music_gen.tuning.frequency import Frequency, parse_frequency
from llm_music_gen.voice.script import checked_pause, checked_rate, read_script_file

MAX_SONGS = 1000
MAX_TITLE_CHARACTERS = 120
MAX_STYLES_CHARACTERS = 500
MAX_SEED = 2**53 - 1  # a seed survives JSON readers that know only doubles


@dataclass(frozen=True, slots=True)
class LongWords:
    """What was typed about hours, layers and tuning; empty leaves the choice to the studio."""

    each: str = ""
    layers: str = ""
    night: bool = False
    intonation: str = ""
    upload_kit: str = ""
    only_layers: bool = False
    fade: str = ""
    narration: str = ""
    voice: str = ""
    narration_rate: str = ""
    narration_pause: str = ""

    def checked(self) -> dict[str, Any]:
        """The fields of a request. Raises UsageError in one sentence."""
        if self.each:
            parse_length(self.each)
        if self.layers:
            check_layers(self.layers)
        elif self.only_layers:
            raise UsageError(
                "There is nothing to hear without music and layers.", hint='Say which layers, such as "brown, rain".'
            )
        if self.fade:
            parse_fade(self.fade)
        narration = self._narration()
        for name, value, choices in (
            ("intonation", self.intonation, ("equal", "just")), ("upload kit", self.upload_kit, ("yes", "no")),
        ):  # fmt: skip
            if value and value not in choices:
                raise UsageError(f"{value!r} is no {name}.", hint=f"Choose {' or '.join(choices)}.")
        return {**asdict(self), "narration": narration}

    def _narration(self) -> str:
        """The whole name of the text that is spoken, once it can be, or nothing."""
        if self.narration_rate:
            checked_rate(self.narration_rate)
        if self.narration_pause:
            checked_pause(self.narration_pause)
        if not self.narration:
            if self.voice or self.narration_rate or self.narration_pause:
                raise UsageError("A voice needs something to say.", hint="Name a text file with --narration.")
            return ""
        path = Path(self.narration).expanduser().absolute()
        read_script_file(path)
        return str(path)


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """Songs to be made. Empty fields leave the choice to the settings or the styles."""

    styles: tuple[str, ...]
    songs: int = 1
    length: str = ""
    key: str = ""
    tempo_bpm: float | None = None
    meter: str = ""
    seed: int | None = None
    formats: tuple[AudioFormat, ...] = ()
    output_dir: str = ""
    model: str = ""
    soundfont: str = ""
    instruments: tuple[str, ...] = ()
    """Instruments wished for by name."""
    without: tuple[str, ...] = ()
    """Instruments or roles that must not sound."""
    frequency: str = ""
    """Where the tonic lies, as typed: 528, A4=432, om; several are steps; empty leaves it to the settings."""
    each: str = ""
    """How long each of several frequencies lasts, as typed: minutes, or as a length."""
    layers: str = ""
    """What lies under the music, as typed: "binaural 10-2, rain"."""
    night: bool = False
    """Calm enough to sleep to."""
    intonation: str = ""
    """equal or just; empty is equal."""
    upload_kit: str = ""
    """yes or no; empty is yes from an hour on."""
    only_layers: bool = False
    """Whether nothing sounds but the layers."""
    fade: str = ""
    """How long a track of layers or hours fades out, as a length; empty leaves it to the track."""
    narration: str = ""
    """Text file that is spoken over the music."""
    voice: str = ""
    """Who speaks it; empty is the usual voice."""
    narration_rate: str = ""
    """Words a minute; empty is slow."""
    narration_pause: str = ""
    """Seconds between its paragraphs."""
    title: str = ""
    """Its name; empty leaves it to whoever imagines the theme."""
    theme_model: str = ""
    """GGUF file that imagines the themes."""
    server: str = ""
    """Address of a server that imagines the themes."""
    stems: bool = False
    """Whether every part is written as a file of its own, too."""

    @staticmethod
    def from_words(
        styles: str,
        *,
        songs: str | int = 1,
        length: str | None = None,
        key: str | None = None,
        tempo: str | float | None = None,
        meter: str | None = None,
        seed: str | int | None = None,
        formats: str | None = None,
        output_dir: str | None = None,
        model: str | None = None,
        soundfont: str | None = None,
        frequency: str | None = None,
        long: LongWords | None = None,
        theme_model: str | None = None,
        server: str | None = None,
    ) -> GenerateRequest:
        """Check what was typed. Raises UsageError in one sentence."""
        words = split_words(styles)
        if not words:
            raise UsageError("Say in which styles.", hint='For example: llm-music-gen generate "Chill, Dubstep"')
        if len(styles) > MAX_STYLES_CHARACTERS:
            raise UsageError(f"The styles are longer than {MAX_STYLES_CHARACTERS} characters.", hint="A few words will do.")
        request = GenerateRequest(words)
        return request.changed(
            songs=songs, length=length, key=key, tempo=tempo, meter=meter, seed=seed, formats=formats, output_dir=output_dir,
            model=model, soundfont=soundfont, frequency=frequency, long=long, theme_model=theme_model,
            server=server,
        )  # fmt: skip

    def changed(
        self,
        *,
        songs: str | int = 1,
        length: str | None = None,
        key: str | None = None,
        tempo: str | float | None = None,
        meter: str | None = None,
        seed: str | int | None = None,
        formats: str | None = None,
        output_dir: str | None = None,
        model: str | None = None,
        soundfont: str | None = None,
        frequency: str | None = None,
        long: LongWords | None = None,
        theme_model: str | None = None,
        server: str | None = None,
    ) -> GenerateRequest:
        """The request with what was typed in place of what it has; None keeps a field. Raises UsageError in one sentence."""
        given: dict[str, Any] = {"songs": _songs(songs)}
        if length is not None:
            parse_length(length)
            given["length"] = length
        if key is not None:
            given["key"] = _key(key)
        if tempo is not None:
            given["tempo_bpm"] = read_tempo(tempo)
        if meter is not None:
            given["meter"] = _meter(meter)
        if seed is not None:
            given["seed"] = read_seed(seed)
        if formats is not None:
            given["formats"] = read_formats(formats)
        if output_dir is not None:
            given["output_dir"] = output_dir
        if model is not None:
            given["model"] = model
        if soundfont is not None:
            given["soundfont"] = soundfont
        if frequency is not None:
            read_frequencies(frequency)
            given["frequency"] = frequency
        if theme_model is not None:
            given["theme_model"] = theme_model
        if server is not None:
            given["server"] = OpenAiServer(server).base_url
        if long is not None:
            given |= long.checked()
        return replace(self, **given)

    @property
    def styles_text(self) -> str:
        """As the user typed it: Chill, Dubstep."""
        return ", ".join(self.styles)

    def to_dict(self) -> dict[str, Any]:
        """For the job queue: plain JSON values."""
        return asdict(self)

    @staticmethod
    def from_dict(data: dict[str, Any]) -> GenerateRequest:
        """From the job queue. Raises UsageError when it is not what `to_dict` gave."""
        try:
            lists = {name: tuple(map(str, data.get(name, ()))) for name in ("styles", "formats", "instruments", "without")}
            request = GenerateRequest(**{**data, **lists})
        except TypeError as error:
            raise UsageError(f"The request cannot be understood ({error}).") from error
        return request.changed(
            songs=request.songs, length=request.length or None, key=request.key or None, tempo=request.tempo_bpm,
            meter=request.meter or None, seed=request.seed, formats=",".join(request.formats) or None,
            frequency=request.frequency, server=request.server or None,
            long=LongWords(
                request.each, request.layers, request.night, request.intonation, request.upload_kit, request.only_layers,
                request.fade, request.narration, request.voice, request.narration_rate, request.narration_pause,
            ),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """The user's own file to be played."""

    file: Path
    styles: tuple[str, ...] = ()
    """Empty: as it is."""
    tempo_bpm: float | None = None
    seed: int | None = None
    formats: tuple[AudioFormat, ...] = ()
    output_dir: str = ""
    soundfont: str = ""
    stems: bool = False
    """Whether every part is written as a file of its own, too."""
    instruments: tuple[str, ...] = ()
    """Who plays its parts where no style has a band for them, in their order; empty leaves them as they are."""

    @staticmethod
    def from_words(
        file: Path,
        *,
        styles: str | None = None,
        tempo: str | float | None = None,
        seed: str | int | None = None,
        formats: str | None = None,
        output_dir: str | None = None,
        soundfont: str | None = None,
    ) -> RenderRequest:
        """Check what was typed. Raises UsageError in one sentence."""
        if file.suffix.lower() not in (".abc", ".mid", ".midi"):
            raise UsageError(f"{file.name!r} is neither an ABC nor a MIDI file.", hint="Give a file ending in .abc or .mid.")
        return RenderRequest(
            file, split_words(styles or ""), None if tempo is None else read_tempo(tempo),
            None if seed is None else read_seed(seed), read_formats(formats) if formats else (), output_dir or "",
            soundfont or "",
        )  # fmt: skip


def read_frequencies(text: str) -> tuple[Frequency, ...]:
    """One frequency or several separated by commas; none for an empty text. Raises UsageError."""
    return tuple(parse_frequency(part) for part in text.split(",") if part.strip())


def read_tempo(text: str | float) -> float:
    """Beats a minute. Raises UsageError."""
    try:
        value = float(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no tempo.", hint="Give beats a minute, for example 90.") from error
    return fixed_tempo(value).default_bpm


def read_seed(text: str | int) -> int:
    """A whole number from 0. Raises UsageError."""
    try:
        value = int(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no seed.", hint="Give a whole number.") from error
    if not 0 <= value <= MAX_SEED:
        raise UsageError(f"The seed {value} is out of range.", hint=f"It goes from 0 to {MAX_SEED}.")
    return value


def read_formats(text: str) -> tuple[AudioFormat, ...]:
    """Audio formats separated by commas, each once. Raises UsageError."""
    names = dict.fromkeys(name.strip().lower().lstrip(".") for name in text.split(",") if name.strip())
    for name in names:
        if name not in FORMATS:
            raise UsageError(f"{name!r} is not a format.", hint=f"Choose from {', '.join(FORMATS)}.")
    if not names:
        raise UsageError("No format is given.", hint=f"Choose from {', '.join(FORMATS)}.")
    return tuple(known for name in names for known in FORMATS if known == name)


def titled(text: str) -> str:
    """A title as files and tags can carry it: one line, at most 120 characters. Raises UsageError for one without a letter."""
    title = " ".join("".join(char if char.isprintable() else " " for char in text).split())[:MAX_TITLE_CHARACTERS].strip()
    if text and not title:
        raise UsageError("The title has no readable character.", hint="Give a few words.")
    return title


def _songs(text: str | int) -> int:
    try:
        count = int(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no number of songs.", hint=f"Give 1 to {MAX_SONGS}.") from error
    if not 1 <= count <= MAX_SONGS:
        raise UsageError(f"{count} songs cannot be made in one go.", hint=f"Give 1 to {MAX_SONGS}.")
    return count


def _key(text: str) -> str:
    try:
        return Key.parse(text).abc()
    except NotationError as error:
        raise UsageError(error.message, hint=error.hint) from error


def _meter(text: str) -> str:
    try:
        return str(Meter.parse(text))
    except NotationError as error:
        raise UsageError(error.message, hint=error.hint) from error
