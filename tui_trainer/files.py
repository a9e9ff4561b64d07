"""Files that somebody else may have put in place."""

import os
import stat
from pathlib import Path
from typing import BinaryIO


def written(file: str) -> Path:
    """The path a person wrote, with `~` resolved; as it stands where there is no such home."""
    path = Path(file)
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def open_regular(path: Path) -> BinaryIO:
    """Open for reading without hanging on a FIFO. Raises OSError, also when it is not a regular file."""
    if "\0" in str(path):  # Python's own complaint of it is no OSError
        raise OSError(0, "no file's name holds a NUL")
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "not a regular file")
    return os.fdopen(descriptor, "rb")


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file, or make it: durably, at once or not at all. Raises OSError, also where something else lies there.

    Written beside its place under a temporary name, synced, renamed, the folder synced.
    """
    if path.exists() and not path.is_file():
        raise OSError(0, "not a regular file")
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
