"""Every key of the dashboard by an id, `run.pause`: what a person may put on another key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import format_key

OURS = "tui_trainer."
EVERYWHERE = "everywhere"
"""The place of what the whole program does."""
PLAIN = re.compile(r"f\d{1,2}|ctrl\+[a-z]|[a-z0-9A-Z]|[a-z]{4,}(_[a-z]+)*")  # four letters and more: `comma`, `space`
STAY = (
    *("enter", "escape", "tab", "ctrl+c", "ctrl+q", "ctrl+p", "delete", "backspace", "insert"),
    *("up", "down", "left", "right", "home", "end", "pageup", "pagedown"),
)
"""Keys that lead to the same thing everywhere, whatever a keymap says."""


@dataclass(frozen=True)
class Command:
    """One action that keys lead to: `keys` as textual names them, by default."""

    id: str
    keys: tuple[str, ...]
    words: str

    @property
    def place(self) -> str:
        return self.id.partition(".")[0]


def name_bindings(*made: DOMNode) -> None:
    """Give every binding of our classes its id, and of the nodes that are `made` already."""
    named = [new for new in _kinds(DOMNode) if new.__module__.startswith(OURS) and _name(new)]
    for kind in {below for new in named for below in (new, *_kinds(new))}:
        kind._merged_bindings = kind._merge_bindings()
    for node in made:
        if node._merged_bindings and type(node).__module__.startswith(OURS):
            node._bindings = node._merged_bindings.copy()


def _name(kind: type[DOMNode]) -> bool:
    """True where the class has bindings that had no ids yet."""
    own = [binding for binding in vars(kind).get("BINDINGS", ()) if isinstance(binding, Binding)]
    if not own or any(binding.id for binding in own):
        return False
    kind.BINDINGS = [part for binding in own for part in _parts(binding, f"{_place(kind)}.{binding.action}")]
    return True


def _parts(binding: Binding, name: str) -> list[Binding]:
    """The keys that may be changed, with the id; those that stay, without one."""
    keys = binding.key.split(",")
    free, kept = [key for key in keys if key not in STAY], [key for key in keys if key in STAY]
    found = [replace(binding, key=",".join(free), id=name)] if free else []
    return [*found, replace(binding, key=",".join(kept))] if kept else found


def _place(kind: type[DOMNode]) -> str:
    name = kind.__name__.removesuffix("Screen")
    return EVERYWHERE if name.endswith("App") else re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def _kinds(kind: type[DOMNode]) -> Iterator[type[DOMNode]]:
    for below in kind.__subclasses__():
        yield below
        yield from _kinds(below)


def commands() -> list[Command]:
    """All there are, those of the whole program first. Imports every screen."""
    from tui_trainer.ui import screens, widgets

    import_module("tui_trainer.ui.app")
    for package in (screens, widgets):
        for module in iter_modules(package.__path__):
            import_module(f"{package.__name__}.{module.name}")
    name_bindings()
    found: dict[str, Command] = {}
    for kind in _kinds(DOMNode):
        for binding in vars(kind).get("BINDINGS", ()) if kind.__module__.startswith(OURS) else ():
            keys = tuple(binding.key.split(","))
            if binding.id and binding.description:
                known = found.get(binding.id)
                words = f"{binding.description}: {binding.tooltip}" if binding.tooltip else binding.description
                found[binding.id] = Command(
                    binding.id, (*known.keys, *keys) if known else keys, known.words if known else words
                )
    return sorted(found.values(), key=lambda command: (command.place != EVERYWHERE, command.place))


def keys_of(command: Command, keymap: Mapping[str, str]) -> tuple[str, ...]:
    chosen = keymap.get(command.id)
    return tuple(key.strip() for key in chosen.split(",")) if chosen else command.keys


def objection(command: Command, key: str, known: list[Command], keymap: Mapping[str, str]) -> str:
    """Why this key cannot be the command's, or nothing."""
    if key in STAY or not PLAIN.fullmatch(key):
        return f"{shown(key)} cannot be chosen: letters, digits, punctuation, space, F-keys and ctrl with a letter can"
    for other in known:
        near = command.place == other.place or EVERYWHERE in (command.place, other.place)
        if other.id != command.id and near and key in keys_of(other, keymap):
            return f"{shown(key)} is taken: {other.place}, {other.words.partition(':')[0]}"
    return ""


def shown(key: str) -> str:
    """A key as a person knows it: `?`, `^s`, `F2`."""
    return f"^{key[5:]}" if key.startswith("ctrl+") else format_key(key)


def unknown(keymap: Mapping[str, Any]) -> list[str]:
    """A line for each id of a keymap that no command has."""
    from tui_trainer.text import nearest

    ids = [command.id for command in commands()]
    return [f"keys.{name[:60]}: there is no such action{nearest(name, ids)}" for name in keymap if name not in ids]
