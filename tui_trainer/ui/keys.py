"""The actions of a screen and the keys they are on: what footer, help and command palette list."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen

OURS = "tui_trainer."
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


@cache
def declared(kind: type[DOMNode]) -> frozenset[str]:
    """The actions that classes of ours gave keys to; textual's own, as moving by word, go without saying."""
    lists = [vars(base).get("BINDINGS", ()) for base in kind.__mro__ if base.__module__.startswith(OURS)]
    return frozenset(binding.action for one in lists for binding in one)


def actions(screen: Screen[Any], app: App[Any]) -> list[Action]:
    """What can be done on this screen now, in the order it was declared; the shown key of each first."""
    found: dict[str, Action] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if not binding.description or binding.action not in declared(type(active.node)):
            continue
        if not binding.tooltip and binding.key.removeprefix("ctrl+") in MOVES:
            continue
        key = app.get_key_display(binding)
        known = found.get(binding.action)
        if known is None:
            found[binding.action] = Action(binding, active.node, (key,), active.enabled)
        elif binding.show and not known.binding.show:
            found[binding.action] = Action(binding, active.node, (key, *known.keys), active.enabled)
        elif key not in known.keys:
            found[binding.action] = Action(known.binding, active.node, (*known.keys, key), known.enabled)
    return list(found.values())
