"""IDX files: found in torchvision's layout, read whole, and checked against what the catalogue says of them."""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from tui_trainer.datasets.catalogue import Dataset, IdxFile
from tui_trainer.files import open_regular
from tui_trainer.text import InputError, reason

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def locate(entry: Dataset, root: Path) -> dict[str, Path | None]:
    """For each file of the data set: where it lies (raw or `.gz`, torchvision's layout), or None."""
    found: dict[str, Path | None] = {}
    for role, file in entry.files.items():
        raw = root / entry.folder / file.name
        candidates = (raw, raw.with_name(raw.name + ".gz"))
        found[role] = next((path for path in candidates if _is_there(path)), None)
    return found


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # in a folder that may not be looked into
        return False


def size_on_disk(entry: Dataset, root: Path) -> int:
    """Bytes of the set's files that lie under `root`."""
    sizes = 0
    for path in locate(entry, root).values():
        if path is not None:
            with suppress(OSError):
                sizes += path.stat().st_size
    return sizes


def is_present(entry: Dataset, root: Path) -> bool:
    """Every file of the set lies under `root` (or it needs none). Does not read them."""
    return None not in locate(entry, root).values()


def read(
    entry: Dataset, root: Path, progress: Callable[[int, int], None] = lambda _done, _of: None
) -> dict[str, NDArray[np.uint8]]:
    """Every IDX file of the set, checked against its shape, digest and labels, by role; labels as in the file.

    `progress` is told after each file how many bytes of the unpacked files are read, of how many.
    Raises `InputError` naming each file that is absent or unsound.
    """
    arrays: dict[str, NDArray[np.uint8]] = {}
    problems: list[str] = []
    done, of = 0, sum(math.prod(file.shape) for file in entry.files.values())
    for role, path in locate(entry, root).items():
        file = entry.files[role]
        if path is None:
            problems.append(
                f"{root / entry.folder / file.name}: not there; get it with: tui-trainer data fetch {entry.name}"
                ", or point --data (or TUI_TRAINER_DATA) at a folder that holds it"
            )
            continue
        try:
            arrays[role] = read_idx(path, file)
            if role.endswith("labels"):
                _check_labels(path, arrays[role], entry)
        except InputError as error:
            problems += error.problems
        done += math.prod(file.shape)
        progress(done, of)
    if problems:
        raise InputError(*problems)
    return arrays


def checked(entry: Dataset) -> str:
    """What `read` has compared, in words."""
    if not entry.files:
        return "needs no files"
    if all(file.sha256 for file in entry.files.values()):
        return "digests as published"
    known = "shapes and labels as published"
    return f"{known}; digests of .gz files too" if all(file.md5 for file in entry.files.values()) else known


def _check_labels(path: Path, labels: NDArray[np.uint8], entry: Dataset) -> None:
    lowest, highest = entry.first_label, entry.first_label + entry.classes - 1
    for label in (int(labels.min()), int(labels.max())):
        if not lowest <= label <= highest:
            raise InputError(f"{path}: holds label {label}; {entry.name} has labels {lowest} to {highest}")


def read_idx(path: Path, file: IdxFile) -> NDArray[np.uint8]:
    """The unsigned bytes of one IDX file (raw or gzip), of exactly the catalogue's shape and, where known, digest.

    Format: two zero bytes, 0x08 for unsigned bytes, the number of dimensions, each dimension as a big-endian
    32-bit count, then the payload (http://yann.lecun.com/exdb/mnist/).
    """
    import numpy as np

    packed = path.suffix == ".gz"
    header = 4 + 4 * len(file.shape)
    expected = header + math.prod(file.shape)
    try:
        with open_regular(path) as stream:
            if packed and file.md5 and _md5(stream, expected) != file.md5:
                raise InputError(f"{path}: damaged: its md5 is not the published one; delete it and fetch it again")
            unpacked = gzip.GzipFile(fileobj=stream) if packed else stream
            # one byte more than fits tells a file that is too long without unpacking a gzip bomb
            content = cast(BinaryIO, unpacked).read(expected + 1)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read: {reason(error)}") from None
    if content[:4] != bytes((0, 0, 8, len(file.shape))):
        raise InputError(
            f"{path}: not an IDX file of {len(file.shape)}-dimensional unsigned bytes (wrong magic number)"
        )
    shape = tuple(int(n) for n in np.frombuffer(content[4:header], dtype=">u4")) if len(content) >= header else ()
    if shape and shape != file.shape:
        raise InputError(f"{path}: holds {'×'.join(map(str, shape))}, expected {'×'.join(map(str, file.shape))}")
    if len(content) != expected:
        raise InputError(
            f"{path}: {'longer' if len(content) > expected else 'shorter'} than the {expected:,} bytes expected"
        )
    if file.sha256 and hashlib.sha256(content).hexdigest() != file.sha256:
        raise InputError(f"{path}: damaged: its sha256 is not the published one (delete it and fetch it again)")
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(file.shape)


def _md5(stream: BinaryIO, unpacked_size: int) -> str:
    """md5 of a `.gz`; nothing is read of one larger than what it should unpack to."""
    if os.fstat(stream.fileno()).st_size > unpacked_size + 65_536:
        return ""
    digest = hashlib.md5(stream.read(), usedforsecurity=False)
    stream.seek(0)
    return digest.hexdigest()
