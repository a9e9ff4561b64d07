"""What a person has typed into the form so far, and what the config says to it.

Knows no field by name but the optimizer's, which decides what other fields there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tui_trainer.config import OPTIMIZERS, Knob, RunConfig, build, flatten, knobs
from tui_trainer.text import InputError

OPTIMIZER = "optimizer.name"


@dataclass(frozen=True)
class Verdict:
    """The config as typed, or None; what is wrong by field; what is wrong with no field in particular."""

    config: RunConfig | None
    errors: dict[str, str]
    others: tuple[str, ...]


class Draft:
    """Texts by dotted path. Those of an optimizer that is not selected are remembered for when it is again."""

    def __init__(self, base: RunConfig) -> None:
        self.base = base
        self.optimizer: str = base.optimizer.name
        known = {path: knob for name in OPTIMIZERS for path, knob in knobs(name).items() if knob.group != "optimizer"}
        values = flatten(base)
        self.texts = {path: knob.render(values[path]) for path, knob in known.items()}
        self.settings = {name: self._settings(name) for name in OPTIMIZERS}

    def _settings(self, optimizer: str) -> dict[str, str]:
        """The settings of one optimizer: the base's where it uses that one, else their defaults."""
        own = flatten(self.base) if optimizer == self.base.optimizer.name else {OPTIMIZER: optimizer}
        return {
            path: knob.render(own.get(path, knob.default))
            for path, knob in knobs(optimizer).items()
            if knob.group == "optimizer"
        }

    @property
    def knobs(self) -> dict[str, Knob]:
        """The fields there are now, in their order."""
        return knobs(self.optimizer)

    def read(self, path: str) -> str:
        return (self.settings[self.optimizer] | self.texts)[path]

    def write(self, path: str, text: str) -> None:
        if path == OPTIMIZER and text in OPTIMIZERS:
            self.optimizer = text
        elif path in self.texts:
            self.texts[path] = text
        else:
            self.settings[self.optimizer][path] = text

    def changed_from(self, path: str) -> str | None:
        """The base's value where the text means another one; None where it means the same, or nothing yet."""
        knob = self.knobs[path]
        base = flatten(self.base).get(path)
        if path == OPTIMIZER:
            return self.base.optimizer.name if self.optimizer != base else None
        if base is None or (knob.group == "optimizer" and self.optimizer != self.base.optimizer.name):
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
                value = flatten(self.base).get(path, knob.default)  # only so that the others can be judged
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
