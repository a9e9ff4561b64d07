"""What a person has typed into the form so far, and what the config says to it.

Knows no field by name but the optimizer's and the schedule's, which decide what other fields there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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


class Draft:
    """Texts by dotted path. Settings of an optimizer or schedule not selected are remembered for when it is again."""

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

    def write(self, path: str, text: str) -> None:
        group = CHOOSERS.get(path)
        if group is None:
            self._table(path)[path] = text
        elif text in VARIANTS[group][0]:
            self.chosen[group] = text

    def changed_from(self, path: str) -> str | None:
        """The base's value where the text means another one; None where it means the same, or nothing yet."""
        knob = self.knobs[path]
        base = self.base_values.get(path)
        chooser = self.base_values.get(f"{knob.group}.name") if knob.group in VARIANTS else None
        other_kind = knob.group in VARIANTS and chooser != self.chosen[knob.group]
        if path in CHOOSERS:
            return str(base) if other_kind else None
        if base is None or other_kind:
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
