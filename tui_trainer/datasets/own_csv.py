"""A `.csv` with a header: one column names the class of each row, every other is a number."""

from __future__ import annotations

import csv
import io
import math
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from tui_trainer.datasets.content import MOST_CLASSES, Content, check_classes
from tui_trainer.text import InputError, nearest

LONGEST_LINE = 16 << 20  # characters
MOST_PROBLEMS = 20


class Rows(Protocol):
    """What `csv.reader` returns."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...
    def __next__(self) -> list[str]: ...


def read(path: Path, stream: BinaryIO, label_column: str) -> Content:
    """Every row. Raises `InputError`: one line for each bad row, naming line and column, `MOST_PROBLEMS` at most."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    rows = csv.reader(_lines(path, text), strict=True)
    try:
        return _read(path, rows, label_column)
    except csv.Error as error:
        raise InputError(f"{path}: line {max(1, rows.line_num)}: not CSV: {error}") from None


def _lines(path: Path, text: io.TextIOWrapper) -> Iterator[str]:
    number = 0
    while line := text.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise InputError(f"{path}: line {number}: longer than {LONGEST_LINE:,} characters")
        if not line.isascii() and any("\udc80" <= character <= "\udcff" for character in line):
            raise InputError(f"{path}: line {number}: not UTF-8")
        yield line


def _read(path: Path, rows: Rows, label_column: str) -> Content:
    import numpy as np

    header = [name.strip() for name in next(rows, [])]
    label_at = _label_at(path, header, label_column)
    names = header[:label_at] + header[label_at + 1 :]
    values, labels = array("f"), array("q")
    classes: dict[str, int] = {}
    problems: list[str] = []
    for row in rows:
        if not row:
            continue  # an empty line
        if len(row) != len(header):
            problems.append(
                f"{path}: line {rows.line_num}: has {len(row)} values; the header has {len(header)} columns"
            )
        else:
            label = row.pop(label_at).strip()
            if not label:
                problems.append(f"{path}: line {rows.line_num}, column {label_column!r}: the label is missing")
            try:
                values.extend(_numbers(row))
            except ValueError:
                problems += (f"{path}: line {rows.line_num}, {problem}" for problem in _bad_cells(row, names))
            labels.append(classes.setdefault(label, len(classes)))
        if len(classes) > MOST_CLASSES:
            break
        if len(problems) > MOST_PROBLEMS:
            problems[MOST_PROBLEMS:] = [f"{path}: and more; not read further than line {rows.line_num}"]
            break
    if problems:
        raise InputError(*problems)
    if not labels:
        raise InputError(f"{path}: has a header but no rows")
    check_classes(path, f"column {label_column!r}", len(classes))
    order = _sorted(classes)
    place = np.empty(len(order), dtype=np.int64)
    place[[classes[name] for name in order]] = np.arange(len(order))
    inputs = np.frombuffer(values, dtype=np.float32).reshape(len(labels), len(names))
    return Content(inputs, place[np.frombuffer(labels, dtype=np.int64)], tuple(order))


def _label_at(path: Path, header: list[str], label_column: str) -> int:
    """Where in a row the label stands."""
    if not any(header):
        raise InputError(f"{path}: is empty; its first line must name the columns")
    found = [index for index, name in enumerate(header) if name == label_column.strip()]
    if not found:
        near = nearest(label_column, header)
        known = "" if near else f"; its columns are {', '.join(repr(name[:40]) for name in header[:20])}"
        raise InputError(f"{path}: line 1: has no column {label_column[:60]!r}, data.label_column{near}{known}")
    if len(found) > 1:
        raise InputError(f"{path}: line 1: names column {label_column[:60]!r} {len(found)} times")
    if len(header) == 1:
        raise InputError(f"{path}: line 1: has no column beside {label_column[:60]!r} to learn from")
    return found[0]


def _numbers(cells: list[str]) -> array[float]:
    """The row as 32-bit floats. Raises ValueError where a cell is not a finite number of that size."""
    numbers = array("f", map(float, cells))
    if not all(map(math.isfinite, numbers)) or any("_" in cell for cell in cells):  # float() takes 1_000
        raise ValueError
    return numbers


def _bad_cells(cells: list[str], names: list[str]) -> Iterator[str]:
    for cell, name in zip(cells, names, strict=True):
        try:
            _numbers([cell])
        except ValueError:
            given = f"{cell[:40]!r} is not a finite number" if cell.strip() else "the value is missing"
            yield f"column {name[:60]!r}: {given}"


def _sorted(classes: dict[str, int]) -> list[str]:
    """By number where every class is one, so that 10 comes after 9; otherwise as text."""
    try:
        numbers = {name: float(name) for name in classes}
    except ValueError:
        return sorted(classes)
    if not all(map(math.isfinite, numbers.values())):
        return sorted(classes)
    return sorted(classes, key=lambda name: (numbers[name], name))
