"""The fields as a form or a command line sees them: paths, kinds, texts."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tui_trainer.config import groups
from tui_trainer.config.run import RunConfig

Kind = Literal["integer", "number", "boolean", "choice", "integers", "numbers", "text"]
VARIANTS = {
    "optimizer": (groups.OPTIMIZERS, groups.OPTIMIZER_HELP),
    "schedule": (groups.SCHEDULES, groups.SCHEDULE_HELP),
}


@dataclass(frozen=True)
class Knob:
    """One field: `path` as training.epochs, `lower` and `higher` what less and more of it do."""

    path: str
    kind: Kind
    default: Any
    help: str
    lower: str
    higher: str
    unit: str
    when: str = ""
    choices: tuple[str, ...] = ()

    def counts(self, read: Callable[[str], str]) -> bool:
        """Does this field count, given what the others say? `read` gives the text of a field by its path."""
        field, _, values = self.when.partition(": ")
        return not self.when or read(f"{self.group}.{field}") in values.split()

    @property
    def group(self) -> str:
        return self.path.partition(".")[0]

    @property
    def name(self) -> str:
        return self.path.partition(".")[2]

    def render(self, value: Any) -> str:
        """`value` as a person writes it; `parse` reads it back."""
        if self.kind in ("integers", "numbers"):
            return ("-" if self.kind == "integers" else ",").join(map(repr, value)) or "none"
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value)

    def parse(self, text: str) -> Any:
        """The value a person wrote. Raises ValueError where it is not of this kind; bounds are the config's."""
        text = text.strip()
        match self.kind:
            case "boolean":
                if text.lower() not in ("true", "false"):
                    raise ValueError(f"{text[:60]!r} is neither true nor false")
                return text.lower() == "true"
            case "integer":
                return _number(text, int, "a whole number")
            case "number":
                return _number(text, float, "a number")
            case "integers":
                parts = text.replace(",", "-").split("-") if text.lower() not in ("none", "") else []
                return tuple(_number(part, int, "whole numbers joined by '-', as 128-64") for part in parts)
            case "numbers":
                return tuple(_number(part, float, "numbers joined by ','") for part in text.split(","))
            case "choice" | "text":
                return text


def _number(text: str, kind: type[int] | type[float], wanted: str) -> int | float:
    try:
        if "_" in text or not text.isascii() or len(text) > 40:  # int() takes 1_000, and refuses 5,000 digits
            raise ValueError
        return kind(text)
    except ValueError:
        raise ValueError(f"{text[:60]!r} is not {wanted}") from None


@cache
def knobs(optimizer: str = "adam", schedule: str = "constant") -> Mapping[str, Knob]:
    """Every field by its path, in the order of the form, with the settings of the chosen optimizer and schedule."""
    chosen = {"optimizer": optimizer, "schedule": schedule}
    found: dict[str, Knob] = {}
    for group, info in RunConfig.model_fields.items():
        annotation: Any = info.annotation
        if group in VARIANTS:
            known = VARIANTS[group][0]
            annotation = known.get(chosen[group], next(iter(known.values())))
        found |= {knob.path: knob for knob in _knobs_of(group, annotation)}
    return found


def knobs_of(config: RunConfig) -> Mapping[str, Knob]:
    """The knobs of this very config."""
    return knobs(config.optimizer.name, config.schedule.name)


def _knobs_of(group: str, model: type[BaseModel]) -> Iterator[Knob]:
    for name, info in model.model_fields.items():
        if name == "name" and group in VARIANTS:
            known, help = VARIANTS[group]
            yield Knob(f"{group}.name", "choice", info.default, help, "", "", "", choices=tuple(known))
            continue
        kind, choices = _kind(info.annotation)
        yield Knob(f"{group}.{name}", kind, info.default, info.description or "", **_extra(info), choices=choices)


def _kind(annotation: Any) -> tuple[Any, tuple[str, ...]]:
    if get_origin(annotation) is Literal:
        return "choice", get_args(annotation)
    if get_origin(annotation) is tuple:
        return ("integers" if get_args(get_args(annotation)[0])[0] is int else "numbers"), ()
    return {bool: "boolean", int: "integer", float: "number", str: "text"}[annotation], ()


def _extra(info: FieldInfo) -> dict[str, str]:
    found = info.json_schema_extra
    keys = ("lower", "higher", "unit", "when")
    return {key: str(found.get(key, "")) if isinstance(found, dict) else "" for key in keys}
