"""What a person has typed into the form so far, and what the config says to it.

Knows no field by name but the optimizer's and the schedule's, which decide what other fields there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tui_trainer.config import VARIANTS, Knob, RunConfig, build, flatten, knobs
from tui_trainer.text import InputError

CHOOSERS = {f"{group}.name": group for group in VARIANTS}
"""Fields whose value decides what other fields their group has."""


@dataclass(frozen=True)
class Verdict:
    """The config as typed, or None; what is wrong by field; what is wrong with no field in particular."""

    config: RunConfig | None
    errors: dict[str, str]
    others: tuple[str, ...]


@dataclass(frozen=True)
class Edit:
    """One step of undo: a field's text before and after."""

    path: str
    before: str
    after: str


class Draft:
    """Texts by dotted path. Settings of an optimizer or schedule not selected are remembered for when it is again.

    What is typed into one field without leaving it is one edit.
    """

    def __init__(self, base: RunConfig) -> None:
        self.base = base
        self.base_values = flatten(base)
        self.chosen = {group: str(self.base_values[f"{group}.name"]) for group in VARIANTS}
        self.texts = {
            path: knob.render(self.base_values[path])
            for path, knob in knobs(**self.chosen).items()
            if knob.group not in VARIANTS
        }
        self.settings = {
            (group, name): self._settings(group, name) for group, (names, _) in VARIANTS.items() for name in names
        }
        self.done: list[Edit] = []
        self.undone: list[Edit] = []
        self.typing = False

    def _settings(self, group: str, name: str) -> dict[str, str]:
        """The settings of one optimizer or schedule: the base's where it uses that one, else their defaults."""
        own = self.base_values if name == self.chosen[group] else {f"{group}.name": name}
        known = knobs(**{**self.chosen, group: name})
        return {path: knob.render(own.get(path, knob.default)) for path, knob in known.items() if knob.group == group}

    @property
    def knobs(self) -> Mapping[str, Knob]:
        """The fields there are now, in their order."""
        return knobs(**self.chosen)

    def _table(self, path: str) -> dict[str, str]:
        group = path.partition(".")[0]
        return self.settings[group, self.chosen[group]] if group in VARIANTS else self.texts

    def read(self, path: str) -> str:
        return self._table(path)[path]

    def original(self, path: str) -> str:
        """The text of a field there is now as it was before anything was typed."""
        knob = self.knobs[path]
        if path not in CHOOSERS and self._is_other(knob.group):
            return knob.render(knob.default)
        return knob.render(self.base_values[path])

    def _is_other(self, group: str) -> bool:
        """Is another optimizer, or schedule, chosen than the base's?"""
        return group in VARIANTS and self.chosen[group] != self.base_values[f"{group}.name"]

    def write(self, path: str, text: str) -> None:
        """Take what a person typed or chose."""
        before = self.read(path)
        if text == before or (path in CHOOSERS and text not in VARIANTS[CHOOSERS[path]][0]):
            return
        if self.typing and self.done and self.done[-1].path == path:
            edit = replace(self.done.pop(), after=text)
        else:
            edit = Edit(path, before, text)
        if edit.before != edit.after:
            self.done.append(edit)
        self.typing = True
        self.undone.clear()
        self._put(path, text)

    def leave(self) -> None:
        """The field has been left: what is typed from now on is another edit."""
        self.typing = False

    def undo(self) -> str | None:
        """Take the last edit back. Returns the field's path, or None where there is none."""
        return self._travel(self.done, self.undone, lambda edit: edit.before)

    def redo(self) -> str | None:
        """Make again the edit that was taken back last."""
        return self._travel(self.undone, self.done, lambda edit: edit.after)

    def _travel(self, source: list[Edit], target: list[Edit], text: Callable[[Edit], str]) -> str | None:
        self.leave()
        if not source:
            return None
        edit = source.pop()
        target.append(edit)
        self._put(edit.path, text(edit))
        return edit.path

    def _put(self, path: str, text: str) -> None:
        group = CHOOSERS.get(path)
        if group is None:
            self._table(path)[path] = text
        else:
            self.chosen[group] = text

    def changed_from(self, path: str) -> str | None:
        """The base's value where the text means another one; None where it means the same, or nothing yet."""
        knob = self.knobs[path]
        base = self.base_values.get(path)
        if path in CHOOSERS:
            return str(base) if self._is_other(knob.group) else None
        if base is None or self._is_other(knob.group):
            return None
        try:
            return knob.render(base) if knob.parse(self.read(path)) != base else None
        except ValueError:
            return knob.render(base)

    def check(self) -> Verdict:
        """Ask every field and then the config itself; a text that is no value is never replaced, only refused."""
        errors: dict[str, str] = {}
        values: dict[str, dict[str, Any]] = {}
        for path, knob in self.knobs.items():
            try:
                value = knob.parse(self.read(path))
            except ValueError as error:
                errors[path] = str(error)
                value = self.base_values.get(path, knob.default)  # only so that the others can be judged
            values.setdefault(knob.group, {})[knob.name] = value
        others: list[str] = []
        config: RunConfig | None = None
        try:
            config = build(values)
        except InputError as error:
            for line in error.problems:
                key, _, problem = line.partition(": ")
                path = next((p for p in self.knobs if key == p or key.startswith(p + ".")), "")
                if path:
                    errors.setdefault(path, problem)
                else:
                    others.append(line)
        in_order = {path: errors[path] for path in self.knobs if path in errors}
        return Verdict(None if errors else config, in_order, tuple(others))
