"""The filter language of lists of runs: `val_accuracy>98% optimizer=adam -tag:debug mnist`.

Words stand for themselves in name, id or preset. `FIELD OP VALUE`, without spaces, asks of a field; `-` before either
turns it round, and all must hold. Quotes hold a value with spaces together.

    = !=        equal, letters of either size alike; a number as a number
    > >= < <=   of numbers; `98%` is 0.98, `1.5k` 1,500, `2M` 2,000,000
    ~           the text contains
    :           of tags: has this one; elsewhere as =

A field is anything `show --json` prints, or a setting by its path, its last part or its group: `training.epochs`,
`batch_size`, `optimizer`. A run that has no such number fulfils no comparison with it.
"""

from __future__ import annotations

import math
import operator
import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tui_trainer import names
from tui_trainer.runs.listing import Summary
from tui_trainer.runs.verdict import WORDS as VERDICTS
from tui_trainer.text import InputError, clean, nearest

Value = str | float | bool | None
ORDERS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
OPERATORS = (">=", "<=", "!=", "=", ">", "<", "~", ":")
FACTORS = {"%": 0.01, "k": 1e3, "M": 1e6, "G": 1e9}
STATUSES = ("starting", "running", "paused", "finished", "stopped", "failed", "interrupted", "unreadable")
CHOICES = {"status": STATUSES, "verdict": VERDICTS, "archived": ("true", "false")}
OTHER_NAMES = {"tag": "tags", "pin": "pins"}
NOT_FIELDS = {"config", "checkpoints", "changes"}
ALWAYS = ("id", "name", "status", "reason", "preset", "epoch", "epochs", "tags", "note", "pins", "archived")
_TERM = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)(>=|<=|!=|=|>|<|~|:)(.*)", re.DOTALL)


@dataclass(frozen=True)
class Term:
    """One word of a filter; without a field a free one."""

    field: str
    operator: str
    value: str
    negated: bool

    def holds(self, summary: Summary) -> bool:
        return self._holds(summary) != self.negated

    def _holds(self, summary: Summary) -> bool:
        wanted = self.value.casefold()
        if not self.field:
            facts = (summary.name, summary.run.id, str(summary.facts.get("preset", "")))
            return any(wanted in text.casefold() for text in facts)
        found = value_of(summary, self.field)
        if self.operator in ORDERS:
            number, limit = as_number(found), parse_number(self.value)
            return number is not None and limit is not None and ORDERS[self.operator](number, limit)
        if isinstance(found, list) and self.field in ("tags", "pins"):
            texts = [str(each).casefold() for each in found]
            has = any(wanted in text for text in texts) if self.operator == "~" else wanted in texts
        elif self.operator == "~":
            has = wanted in as_text(found).casefold()
        else:
            has = self._equals(found, wanted)
        return has != (self.operator == "!=")

    def _equals(self, found: Any, wanted: str) -> bool:
        number, other = as_number(found), parse_number(self.value)
        if number is not None and other is not None:
            return math.isclose(number, other, rel_tol=1e-9)
        return as_text(found).casefold() == wanted


@dataclass(frozen=True)
class Filter:
    """All terms must hold; no terms hold for every run."""

    terms: tuple[Term, ...] = ()

    def __call__(self, summary: Summary) -> bool:
        return all(term.holds(summary) for term in self.terms)

    def asks_of(self, field: str) -> bool:
        return any(term.field == field for term in self.terms)


def parse(text: str, fields: Iterable[str]) -> Filter:
    """The filter a person wrote, on `fields` as `fields_of` gives them. Raises `InputError`, one line a wrong word."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise InputError(f"filter: {str(error).lower()}") from None
    known = list(fields)
    terms: list[Term] = []
    problems: list[str] = []
    for word in words:
        try:
            terms.append(_term(word, known))
        except ValueError as error:
            problems.append(f"filter: {clean(word, 60)}: {error}")
    if problems:
        raise InputError(*problems)
    return Filter(tuple(terms))


def _term(word: str, known: list[str]) -> Term:
    negated = len(word) > 1 and word.startswith("-")
    positive = word[1:] if negated else word
    found = _TERM.fullmatch(positive)
    if found is None:
        return Term("", "", positive, negated)
    name, sign, value = found.groups()
    field = resolve(name, known)
    if not value and sign not in ("=", "!="):
        raise ValueError(f"a value must follow {sign}")
    if sign in ORDERS and parse_number(value) is None:
        raise ValueError(f"{clean(value, 40)!r} is not a number")
    choices = CHOICES.get(field, ())
    if choices and sign in ("=", "!=", ":") and value.casefold() not in choices:
        raise ValueError(f"{clean(value, 40)!r} is not one of {', '.join(choices)}{nearest(value, choices)}")
    return Term(field, sign, value, negated)


def resolve(name: str, known: list[str]) -> str:
    """The field a person means. Raises ValueError with the nearest name."""
    return names.resolve(OTHER_NAMES.get(name, name), known, f"no run has a field {name!r}")


def fields_of(summaries: Iterable[Summary]) -> list[str]:
    """Every field that a filter over these runs may ask of."""
    found = dict.fromkeys(ALWAYS)
    configs: dict[tuple[str, ...], None] = {}
    for summary in summaries:
        found |= dict.fromkeys(summary.facts)
        for group, settings in summary.facts.get("config", {}).items():
            configs[(group, *settings)] = None
    fields = [field for field in found if field not in NOT_FIELDS]
    return fields + list(dict.fromkeys(f"{group}.{name}" for group, *names in configs for name in names))


def value_of(summary: Summary, field: str) -> Any:
    """What a run has there; None where it has nothing."""
    if "." in field:
        group, _, name = field.partition(".")
        return summary.facts.get("config", {}).get(group, {}).get(name)
    own = {"id": summary.run.id, "name": summary.name, "status": summary.status, "reason": summary.reason}
    return own[field] if field in own else summary.facts.get(field)


def as_number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def as_text(value: Any) -> str:
    """A value as `--set` and forms write it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        joint = "-" if all(isinstance(each, int) for each in value) else ","
        return joint.join(map(str, value)) or "none"
    return str(value)


def parse_number(text: str) -> float | None:
    """`0.98`, `98%`, `1e-3`, `1,500`, `1.5k`."""
    text = text.strip().replace(",", "")
    unit = text[-1:] if text[-1:] in FACTORS else ""
    digits = text.removesuffix(unit)
    if "_" in digits or not digits.isascii():  # float() takes 1_000
        return None
    try:
        number = float(digits) / 100 if unit == "%" else float(digits) * FACTORS.get(unit, 1.0)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def order(summaries: Iterable[Summary], field: str, falling: bool = False) -> list[Summary]:
    """Sorted by a field; numbers before texts, and runs without a value last either way."""
    keyed = [(sort_key(value_of(summary, field)), summary) for summary in summaries]
    having = [(key, summary) for key, summary in keyed if key is not None]
    having.sort(key=lambda pair: pair[0], reverse=falling)
    return [summary for _, summary in having] + [summary for key, summary in keyed if key is None]


def sort_key(value: Any) -> tuple[bool, float, str] | None:
    number = as_number(value)
    if number is not None:
        return None if math.isnan(number) else (False, number, "")
    text = as_text(value).casefold()
    return (True, 0.0, text) if text else None
