"""The configuration: the six options as the user drew them, then the rest. Every change is saved at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import OptionList, Static

from llm_music_gen.errors import SettingsError, StudioError
from llm_music_gen.settings import FORMATS, Settings, setting_fields, with_setting
from llm_music_gen.tui.actions import bindings
from llm_music_gen.tui.screens.base import StudioScreen
from llm_music_gen.tui.screens.dialogs import AskText, Choose
from llm_music_gen.tui.screens.main import frequency_words, length_words
from llm_music_gen.tui.themes import THEME_NAMES
from llm_music_gen.tui.widgets.rule import Line
from llm_music_gen.tui.widgets.song_list import SongList
from llm_music_gen.tui.words import fraction_text, shortened


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the list."""

    key: str
    label: str
    """With `{}` where the value stands."""
    show: Callable[[Any], str] = str
    read: Callable[[str], Any] = str
    choices: tuple[Any, ...] = ()


def _read_fraction(text: str) -> float:
    try:
        return float(Fraction(text[:-1]) / 100 if text.endswith("%") else Fraction(text.replace(",", ".")))
    except (ValueError, ZeroDivisionError) as error:
        raise SettingsError(f"{text!r} is no share.", hint="Write 5/6, 0.8 or 80%.") from error


def _read_percent(text: str) -> int:
    return _read_number(int)(text.rstrip("% "))  # type: ignore[no-any-return]


def _read_number(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return kind(text.strip().replace(",", "."))
        except ValueError as error:
            raise SettingsError(f"{text!r} is no number.") from error

    return read


def _read_list(text: str) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in text.split(",") if name.strip())


def _read_layers(text: str) -> str:
    from llm_music_gen.studio.long.layers import check_layers

    check_layers(text)
    return text


def _read_server(text: str) -> str:
    from llm_music_gen.llm.openai_server import OpenAiServer

    return OpenAiServer(text).base_url if text else ""


def _layers_words(value: int) -> str:
    return {-1: "auto", 0: "off"}.get(value, str(value))


def _read_layer_count(text: str) -> int:
    known = {"auto": -1, "off": 0}.get(text.strip().lower())
    return int(_read_number(int)(text)) if known is None else known


def _file_name(value: str) -> str:
    if value == "server":
        return "on the server"
    return shortened(value.replace("\\", "/").rsplit("/", 1)[-1]) if value else "built-in"


ITEMS = (
    Item("thread_fraction", "1. Change Thread Fraction ({})", fraction_text, _read_fraction),
    Item("temperature", "2. Change Model Temperature ({})", lambda value: f"{value:g}", _read_number(float)),
    Item("volume_percent", "3. Change Audio Volume ({}%)", str, _read_percent),
    Item("model", "4. Select Model ({})", _file_name),
    Item("song_length", "5. Set Song Length ({})", lambda value: length_words(value).title()),
    Item("auto_play", "6. Auto-Play After Convert ({})", lambda value: str(value).lower(), choices=(True, False)),
    Item("frequency", "   Frequency ({})", lambda value: frequency_words(value, strict=True) if value else "concert pitch"),
    Item("layers", "   Layers ({})", lambda value: value or "none", _read_layers),
    Item("night", "   Night ({})", lambda value: str(value).lower(), choices=(True, False)),
    Item("theme", "   Colours ({})", choices=THEME_NAMES),
    Item("formats", "   Formats ({})", ", ".join, _read_list),
    Item("mp3_kbps", "   MP3 Bit Rate ({} kbit/s)", choices=(128, 160, 192, 256, 320)),
    Item("output_dir", "   Output Folder ({})", lambda value: value or "the library only"),
    Item("soundfont", "   Soundfont ({})", lambda value: value or "the first one found"),
    Item("loudness_lufs", "   Loudness ({} LUFS)", lambda value: f"{value:g}", _read_number(float)),
    Item("gpu_layers", "   GPU Layers ({})", _layers_words, _read_layer_count),
    Item("context_tokens", "   Context ({})", lambda value: str(value) if value else "what suits the model", _read_number(int)),
    Item("theme_model", "   Theme Model ({})", lambda value: _file_name(value) if value else "built-in word tables"),
    Item("server", "   Server ({})", lambda value: value or "none", _read_server),
    Item("server_model", "   Server's Model ({})", lambda value: value or "the first one there"),
    Item("try_server", "   Try the Server"),
    Item("keep_prompts", "   Keep Prompts ({})", lambda value: str(value).lower(), choices=(True, False)),
    Item("log_level", "   Log Level ({})", choices=("debug", "info", "warning", "error")),
)
MODEL_KEYS = ("model", "theme_model")
#: A line that is no setting: it asks the server.
TRY = "try_server"
ABOUT_TRYING = (
    "Asks the server for its models and says in a sentence what it has. A key for it is never typed here or written down: it is "
    "read from the environment variable LLM_MUSIC_GEN_API_KEY."
)


class ConfigurationScreen(StudioScreen):
    """Numbers change the six; arrows and Enter reach all of them."""

    PLACE = "configuration"
    HEADING = "Configuration"
    PROMPT = "Selection; Options = 1-6, Back to Menu = B:"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("configuration")]

    def body(self) -> ComposeResult:
        yield SongList(id="options")
        yield Line()
        yield Static(id="about")

    def on_mount(self) -> None:
        self.query_one("#options").focus()

    def focus_home(self) -> None:
        self.query_one("#options").focus()

    def show_library(self) -> None:
        settings = self.studio.services.settings
        self.query_one(SongList).show([item.label.format(_shown(item, settings)) for item in ITEMS])
        self._explain()

    @on(OptionList.OptionHighlighted)
    def _explain(self) -> None:
        item = self._marked()
        if item.key == TRY:
            self.query_one("#about", Static).update(Text.assemble(("Try the Server. ", "bold"), ABOUT_TRYING))
            return
        field = next(field for field in setting_fields() if field.key == item.key)
        default = item.show(field.default)
        self.query_one("#about", Static).update(
            Text.assemble(
                (f"{field.title}. ", "bold"), field.explanation, (f"\nDefault: {default}    In settings.toml: {item.key}", "dim")
            )
        )

    @on(OptionList.OptionSelected)
    def _clicked(self) -> None:
        self.action_change_marked()

    def action_change(self, number: int) -> None:
        self.query_one(SongList).highlighted = number - 1
        self._change(ITEMS[number - 1])

    def action_change_marked(self) -> None:
        self._change(self._marked())

    def action_default(self) -> None:
        item = self._marked()
        if item.key != TRY:
            self.studio.change_setting(item.key, getattr(Settings(), item.key))
            self.show_library()

    def _marked(self) -> Item:
        return ITEMS[self.query_one(SongList).highlighted or 0]

    def _change(self, item: Item) -> None:
        if item.key == TRY:
            self._try_server()
            return
        value = getattr(self.studio.services.settings, item.key)
        if item.key in MODEL_KEYS:
            self._find_models(item)
        elif item.key == "server_model" and self.studio.services.settings.server:
            self._find_models_there(item)
        elif item.key == "song_length":
            self.studio.ask_length(self.show_library)
        elif item.choices == (True, False):
            self._set(item, not value)
        elif item.choices:
            self._choose(item, [str(choice) for choice in item.choices], item.choices, value)
        else:
            self._ask(item, value)

    def _ask(self, item: Item, value: Any) -> None:
        settings = self.studio.services.settings
        field = next(field for field in setting_fields() if field.key == item.key)
        limits = ", ".join(FORMATS) if item.key == "formats" else f"Default: {item.show(field.default)}"

        def check(text: str) -> str:
            return item.show(getattr(with_setting(settings, item.key, item.read(text)), item.key))

        shown = (
            fraction_text(value)
            if item.key == "thread_fraction"
            else _layers_words(value)
            if item.key == "gpu_layers"
            else ", ".join(value)
            if isinstance(value, tuple)
            else str(value)
        )
        dialog = AskText(f"{field.title}. {field.explanation}", shown, check, limits)
        self.app.push_screen(dialog, lambda text: None if text is None else self._set(item, item.read(text)))

    def _choose(self, item: Item, labels: list[str], values: tuple[Any, ...], value: Any) -> None:
        here = values.index(value) if value in values else 0

        def chosen(index: int | None) -> None:
            if index is not None:
                self._set(item, values[index])

        field = next(field for field in setting_fields() if field.key == item.key)
        self.app.push_screen(Choose(f"{field.title}. {field.explanation}", labels, here), chosen)

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _find_models(self, item: Item) -> None:
        """Look for models; folders on slow disks may take their time."""
        from llm_music_gen.llm.registry import find_models

        found = [model for model in find_models(self.studio.services.paths.models_dir) if model.source != "built-in"]
        self.app.call_from_thread(self._ask_model, item, found)

    def _ask_model(self, item: Item, found: list[Any]) -> None:
        labels = ["built-in composer" if item.key == "model" else "built-in word tables"]
        labels += [
            f"{model.name}  ({model.size_bytes / 1e9:.1f} GB, {model.quantization or '?'})"
            + (f"  {model.problem}" if model.problem else "")
            for model in found
        ]
        values = ("", *(str(model.path) for model in found))
        server = self.studio.services.settings.server
        if server and item.key == "model":
            labels, values = [*labels, f"the model on {server}"], (*values, "server")
        elif server:
            labels[0] = f"the model on {server}"
        self._choose(item, labels, values, getattr(self.studio.services.settings, item.key))

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _find_models_there(self, item: Item) -> None:
        """Ask the server which models it has; where it does not answer, the name is typed."""
        from llm_music_gen.studio.server_check import models_there

        settings = self.studio.services.settings
        try:
            found = models_there(settings.server)
        except StudioError as error:
            self.app.call_from_thread(self.notify, str(error), severity="error", markup=False)
            self.app.call_from_thread(self._ask, item, settings.server_model)
            return
        values = ("", *found)
        self.app.call_from_thread(self._choose, item, ["the first one there", *found], values, settings.server_model)

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _try_server(self) -> None:
        from llm_music_gen.studio.server_check import server_sentence

        settings = self.studio.services.settings
        if not settings.server:
            self.app.call_from_thread(self._say, "There is no server to try: give its address under Server.", "bold")
            return
        self.app.call_from_thread(self._say, f"Asking {settings.server}...", "dim")
        try:
            self.app.call_from_thread(self._say, server_sentence(settings.server, settings.server_model), "bold")
        except StudioError as error:
            self.app.call_from_thread(self._say, str(error), "bold")

    def _say(self, sentence: str, style: str) -> None:
        if self.is_mounted:
            self.query_one("#about", Static).update(Text(sentence, style=style))

    def _set(self, item: Item, value: Any) -> None:
        self.studio.change_setting(item.key, value)
        self.show_library()


def _shown(item: Item, settings: Settings) -> str:
    """An item's value in words."""
    if item.key == TRY:
        return ""
    value = getattr(settings, item.key)
    if item.key == "theme_model" and not value and settings.server:
        return "on the server"
    return item.show(value)
