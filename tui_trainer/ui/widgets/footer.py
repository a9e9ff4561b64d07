"""The keys that matter now, on one line: one widget, where textual's footer makes a widget of each key."""

from __future__ import annotations

from typing import Any, NamedTuple

from textual import events
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from tui_trainer.ui.keys import Action, actions

GAP = 2  # cells between two keys


class Place(NamedTuple):
    """Where on the line an action stands: its first cell and the one after its last."""

    begin: int
    end: int
    action: Action


class KeyFooter(Widget):
    """As many keys of the screen as there is room for, the way out among them, then those of the whole program.

    A click is as good as a key.
    """

    def __init__(self) -> None:
        super().__init__()
        self.places: list[Place] = []
        self.shown = Content("")

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self.look)

    def on_resize(self) -> None:
        self.look(self.screen)

    def look(self, screen: Screen[Any]) -> None:
        """See which keys there are now."""
        if not self.is_attached or screen is not self.screen:
            return
        found = [action for action in actions(screen, self.app) if action.binding.show]
        own = [action for action in found if action.node is not self.app]
        everywhere = [action for action in found if action.node is self.app]
        room = self.content_size.width - sum(_label(action).cell_length + GAP for action in everywhere)
        while own and sum(_label(action).cell_length + GAP for action in own) > room:
            own.remove(next((action for action in reversed(own) if action.binding.key != "escape"), own[-1]))
        self.places, labels, at = [], [], 0
        for action in (*own, *everywhere):
            label = _label(action)
            self.places.append(Place(at, at + label.cell_length, action))
            labels.append(label)
            at += label.cell_length + GAP
        shown = Content(" " * GAP).join(labels)
        if shown != self.shown or shown.spans != self.shown.spans:
            self.shown = shown
            self.refresh()

    def render(self) -> Content:
        return self.shown

    def action_at(self, x: int) -> Action | None:
        return next((place.action for place in self.places if place.begin <= x < place.end), None)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        action = self.action_at(event.get_content_offset_capture(self).x)
        self.tooltip = action.binding.tooltip or None if action else None

    async def on_click(self, event: events.Click) -> None:
        action = self.action_at(event.get_content_offset_capture(self).x)
        if action and action.enabled:
            await self.app.run_action(action.binding.action, action.node)


def _label(action: Action) -> Content:
    key, words = action.keys[0], action.binding.description
    label = Content.assemble((key, "$accent"), f" {words}")
    return label if action.enabled else label.stylize("dim")
