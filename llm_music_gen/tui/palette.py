"""The command palette: every action of the table, found by typing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from llm_music_gen.tui.actions import ACTIONS, EVERYWHERE, Action


class ActionProvider(Provider):
    """The open screen's actions first, then the doors to the others."""

    def _actions(self) -> Iterator[Action]:
        place = getattr(self.screen, "PLACE", "")
        for action in (*ACTIONS.get(place, ()), *ACTIONS[EVERYWHERE]):
            if action.name != "command_palette" and not action.name.startswith("jump_to"):
                yield action
        if place != "main":
            yield from (action for action in ACTIONS["main"] if action.name.startswith("go("))

    def _run(self, action: Action) -> None:
        self.screen.call_later(self.screen.run_action, action.name)

    async def discover(self) -> Hits:
        for action in self._actions():
            yield DiscoveryHit(f"{action.label}  ({action.key_text})", partial(self._run, action), help=action.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action in self._actions():
            score = max(matcher.match(action.label), matcher.match(action.help))
            if score > 0:
                yield Hit(
                    score, matcher.highlight(f"{action.label}  ({action.key_text})"), partial(self._run, action), help=action.help
                )
