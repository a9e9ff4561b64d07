"""A `.npz` with arrays `x` [n, …] and `y` [n], and perhaps `class_names`. Nothing in it is ever unpickled."""

from __future__ import annotations

import math
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from tui_trainer.datasets.content import Content, check_classes, refuse_larger
from tui_trainer.text import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNSOUND = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, SyntaxError, tokenize.TokenError)


def read(path: Path, stream: BinaryIO) -> Content:
    """Both arrays. uint8 are pixels, 0 to 255; any other number becomes float32. Raises `InputError`."""
    try:
        archive = zipfile.ZipFile(stream)
    except UNSOUND:
        raise InputError(f"{path}: not an npz file; write one with numpy.savez(file, x=…, y=…)") from None
    with archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        refuse_larger(path, sum(info.file_size for info in members.values()))
        if missing := [name for name in ("x", "y") if name not in members]:
            held = ", ".join(repr(name[:40]) for name in list(members)[:10]) or "nothing"
            raise InputError(*(f"{path}: has no array {name}; it holds {held}" for name in missing))
        arrays = {name: _array(path, archive, members[name]) for name in ("x", "y", "class_names") if name in members}
    names = _class_names(path, arrays["class_names"]) if "class_names" in arrays else None
    problems = [*_problems_of_x(path, arrays["x"]), *_problems_of_y(path, arrays["y"])]
    if not problems and len(arrays["x"]) != len(arrays["y"]):
        problems = [f"{path}: x has {len(arrays['x']):,} examples, y has {len(arrays['y']):,}"]
    if problems:
        raise InputError(*problems)
    return _content(path, arrays["x"], arrays["y"], names)


def _array(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """One array; its header must promise no more than the member holds, for numpy allocates what it promises."""
    import numpy as np

    name = member.filename.removesuffix(".npy")
    try:
        with archive.open(member) as stream:
            version = np.lib.format.read_magic(stream)
            header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
            if version not in header:
                raise InputError(f"{path}: array {name}: version {version} of the format is not read")
            shape, _, dtype = header[version](stream)
            if dtype.hasobject:
                raise InputError(
                    f"{path}: array {name}: holds pickled Python objects, which are never read; save it as numbers"
                )
            if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize > member.file_size:
                raise InputError(f"{path}: array {name}: promises more values than the file holds")
        with archive.open(member) as stream:
            return np.lib.format.read_array(stream, allow_pickle=False)
    except UNSOUND as error:
        raise InputError(f"{path}: array {name}: cannot be read: {str(error)[:200]}") from None


def _problems_of_x(path: Path, x: NDArray[Any]) -> list[str]:
    import numpy as np

    if x.dtype.kind not in "biuf":
        return [f"{path}: array x: holds {x.dtype}, must hold numbers"]
    if x.ndim < 2 or 0 in x.shape:
        return [f"{path}: array x: has shape {_times(x.shape)}, must be examples × inputs, at least one of each"]
    if x.dtype.kind == "f":
        with np.errstate(over="ignore"):
            finite = np.isfinite(x.astype(np.float32)).reshape(len(x), -1)
        if not finite.all():
            row, column = (int(index) for index in np.argwhere(~finite)[0])
            bad = x.reshape(len(x), -1)[row, column]
            return [f"{path}: array x: example {row}, input {column}: {bad} is not a finite 32-bit number"]
    return []


def _problems_of_y(path: Path, y: NDArray[Any]) -> list[str]:
    if y.ndim != 1 or not len(y):
        return [f"{path}: array y: has shape {_times(y.shape)}, must be one label for each example"]
    if y.dtype.kind not in "iu":
        return [f"{path}: array y: holds {y.dtype}, must hold whole numbers; write y.astype('int64')"]
    return []


def _class_names(path: Path, names: NDArray[Any]) -> tuple[str, ...]:
    if names.ndim != 1 or names.dtype.kind != "U":
        raise InputError(f"{path}: array class_names: must be a list of texts")
    return tuple(map(str, names))


def _content(path: Path, x: NDArray[Any], y: NDArray[Any], names: tuple[str, ...] | None) -> Content:
    import numpy as np

    held = np.unique(y)
    check_classes(path, "array y", len(held))
    check_classes(path, "class_names", len(held if names is None else names))
    given = "class_names has" if names is not None else "y holds"
    classes = len(names) if names is not None else len(held)
    if bad := [int(label) for label in (held[0], held[-1]) if not 0 <= label < classes]:
        example = int(np.argmax(y == bad[0]))
        raise InputError(
            f"{path}: array y: example {example} has label {bad[0]}; {given} {classes:,} classes, so labels must be "
            f"0 to {classes - 1:,}"
        )
    inputs = x if x.dtype == np.uint8 else x.astype(np.float32)
    return Content(np.ascontiguousarray(inputs), y.astype(np.int64), names or tuple(map(str, range(classes))))


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "of a single number"
