"""The list of any length: it looks only at what is seen, and moves as a list should."""

from __future__ import annotations

import asyncio

from textual.app import App, ComposeResult

from llm_music_gen.tui.widgets.long_list import LongList

SIZE = (40, 10)


class Lines(App[None]):
    """A hundred thousand lines, and which of them were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[int] = set()
        self.clicked: list[int] = []

    def compose(self) -> ComposeResult:
        yield LongList(id="list")

    def on_mount(self) -> None:
        self.query_one(LongList).show(100_000, self.line)
        self.query_one(LongList).focus()

    def line(self, index: int) -> str:
        self.asked.add(index)
        return f"line {index} \x1b[31m" if index == 3 else f"line {index}"

    def on_long_list_chosen(self, message: LongList.Chosen) -> None:
        self.clicked.append(message.index)

    def screen_text(self) -> str:
        return "\n".join("".join(segment.text for segment in strip) for strip in self.screen._compositor.render_strips())


def test_it_asks_only_for_what_is_seen_and_keys_move_the_mark() -> None:
    async def drive() -> None:
        app = Lines()
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()
            assert len(app.asked) <= 2 * SIZE[1]
            marked = app.query_one(LongList)
            await pilot.press("down", "down", "pagedown")
            assert marked.highlighted == 11
            await pilot.press("end")
            await pilot.pause()
            assert marked.highlighted == 99_999
            assert "line 99999" in app.screen_text()
            await pilot.press("down")
            await pilot.pause()
            assert marked.highlighted == 0
            assert "line 0" in app.screen_text()
            assert "\x1b" not in app.screen_text()
            assert len(app.asked) <= 6 * SIZE[1]

    asyncio.run(drive())


def test_a_click_marks_and_tells_and_a_shorter_list_keeps_the_mark_inside() -> None:
    async def drive() -> None:
        app = Lines()
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()
            await pilot.click(LongList, offset=(4, 5))
            assert app.clicked == [5]
            marked = app.query_one(LongList)
            marked.show(2, app.line)
            await pilot.pause()
            assert marked.highlighted == 1, "the last line that is left"
            marked.show(0, app.line)
            await pilot.pause()
            assert app.query_one(LongList).highlighted is None
            await pilot.press("down", "up", "pagedown", "home", "end")
            assert app.query_one(LongList).highlighted is None
            assert "line" not in app.screen_text()

    asyncio.run(drive())
