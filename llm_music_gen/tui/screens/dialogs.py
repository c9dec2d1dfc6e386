"""Questions in the middle of the screen: a text, a choice, a page to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.events import Click, Key
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static

from llm_music_gen.errors import StudioError

T = TypeVar("T")
_CLOSE = Binding("escape", "close", "Close")


class _Dialog(ModalScreen[T], Generic[T]):
    """Closed with Esc or a click beside it."""

    BINDINGS: ClassVar[list[BindingType]] = [_CLOSE]

    def on_click(self, event: Click) -> None:
        if event.widget is self:
            self.dismiss(None)

    def action_close(self) -> None:
        self.dismiss(None)


class AskText(_Dialog[str]):
    """One field. `check` gives the sentence below it and raises StudioError for what will not do."""

    def __init__(self, question: str, value: str, check: Callable[[str], str], hint: str = "") -> None:
        super().__init__()
        self._question, self._value, self._check, self._hint = question, value, check, hint

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self._question, classes="question", markup=False)
            yield Input(self._value, id="answer")
            yield Static("", id="remark", markup=False)
            yield Static(
                (self._hint + "\n" if self._hint else "") + "Enter: take it    Esc: leave it", classes="hint", markup=False
            )

    def on_mount(self) -> None:
        self._remark(self._value)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._remark(event.value)

    @on(Input.Submitted)
    def _done(self, event: Input.Submitted) -> None:
        if self._remark(event.value):
            self.dismiss(event.value.strip())

    def _remark(self, value: str) -> bool:
        remark = self.query_one("#remark", Static)
        try:
            remark.update(self._check(value.strip()))
        except StudioError as error:
            remark.update(str(error))
            remark.set_class(True, "bad")
            return False
        remark.set_class(False, "bad")
        return True


class Choose(_Dialog[int]):
    """Several answers with numbers; the answer is the index of the chosen one."""

    def __init__(self, question: str, answers: Sequence[str], marked: int = 0) -> None:
        super().__init__()
        self._question, self._answers, self._marked = question, tuple(answers), marked

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self._question, classes="question", markup=False)
            lines = [f"{number}. {answer}" if number < 10 else f"   {answer}" for number, answer in enumerate(self._answers, 1)]
            yield OptionList(*[line.replace("[", "\\[") for line in lines], id="answers")
            yield Static("Enter or the number: choose    Esc: leave it", classes="hint", markup=False)

    def on_mount(self) -> None:
        answers = self.query_one(OptionList)
        answers.highlighted = self._marked
        answers.focus()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_index)

    def on_key(self, event: Key) -> None:
        if event.character and event.character in "123456789":
            event.stop()  # else the screen behind would take the same key as its own
            number = int(event.character)
            if number <= len(self._answers):
                self.dismiss(number - 1)


class Page(_Dialog[None]):
    """Something to read."""

    BINDINGS: ClassVar[list[BindingType]] = [_CLOSE, Binding("enter,b,B,q,Q,f1,question_mark", "close", "Close", show=False)]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog page"):
            yield Static(self._title, classes="question", markup=False)
            with VerticalScroll(id="page"):
                yield Static(self._text, markup=False)
            yield Static("Arrows: scroll    Esc: close", classes="hint", markup=False)

    def on_mount(self) -> None:
        self.query_one("#page").focus()
