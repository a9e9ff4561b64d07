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
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "not a regular file")
    return os.fdopen(descriptor, "rb")
