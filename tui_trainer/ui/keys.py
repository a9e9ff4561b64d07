"""The actions of a screen and the keys they are on: what the help and the command palette list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen

TEXTUAL_OWN = ("app.focus_next", "app.focus_previous", "screen.copy_text", "command_palette")
MOVES = ("up", "down", "left", "right", "home", "end", "pageup", "pagedown")  # as everywhere; told where they do more


@dataclass(frozen=True)
class Action:
    """One action, where it is run, and its keys as a person knows them."""

    binding: Binding
    node: DOMNode
    keys: tuple[str, ...]
    enabled: bool

    @property
    def words(self) -> str:
        return (
            f"{self.binding.description}: {self.binding.tooltip}" if self.binding.tooltip else self.binding.description
        )


def actions(screen: Screen[object], app: App[Any]) -> list[Action]:
    """What can be done on this screen now, in the order it was declared."""
    found: dict[str, Action] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if not binding.description or binding.system or binding.action in TEXTUAL_OWN:
            continue
        if not binding.tooltip and binding.key.removeprefix("ctrl+") in MOVES:
            continue
        key = app.get_key_display(binding)
        known = found.get(binding.action)
        keys = known.keys if known else ()
        first = known.binding if known else binding
        found[binding.action] = Action(first, active.node, keys if key in keys else (*keys, key), active.enabled)
    return list(found.values())
