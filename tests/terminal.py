"""The dashboard in a real terminal: a pty, and what a terminal would show of what is written to it."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyte

from tests.dashboard import PATIENCE_SECONDS

CURSOR_HIDDEN, CURSOR_SHOWN = b"\x1b[?25l", b"\x1b[?25h"
ALTERNATE, NORMAL = b"\x1b[?1049h", b"\x1b[?1049l"


class Terminal:
    """The outer end of a pty, with a program on the other."""

    def __init__(self, arguments: list[str], environment: dict[str, str], columns: int = 100, lines: int = 30) -> None:
        self.outer, self.inner = pty.openpty()
        self.before = termios.tcgetattr(self.inner)
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.output = b""
        self._set_size(columns, lines)
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=self.inner,
            stdout=self.inner,
            stderr=self.inner,
            env=os.environ | {"TERM": "xterm-256color"} | environment,
            start_new_session=True,
        )

    def _set_size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.outer, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, columns: int, lines: int) -> None:
        self._set_size(columns, lines)
        self.process.send_signal(signal.SIGWINCH)  # as the kernel does where this is the controlling terminal
        self.screen.resize(lines, columns)

    def type(self, keys: str) -> None:
        os.write(self.outer, keys.encode())

    @property
    def seen(self) -> str:
        return "\n".join(self.screen.display)

    def read(self, seconds: float) -> None:
        """What there is, or comes within so many seconds."""
        if select.select([self.outer], [], [], seconds)[0]:
            said = os.read(self.outer, 65_536)
            self.output += said
            self.stream.feed(said)

    def read_until(self, condition: Callable[[], object], description: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"never happened: {description}\n{self.seen}\n{self.output[-2000:]!r}"
            self.read(0.05)

    def read_until_seen(self, *words: str) -> None:
        self.read_until(lambda: all(word in self.seen for word in words), f"{words} on the screen")

    def read_to_end(self) -> int:
        """The program's exit status."""
        self.read_until(lambda: self.process.poll() is not None, "the program has ended")
        while select.select([self.outer], [], [], 0)[0]:
            self.read(0)
        return self.process.returncode

    def stall(self) -> None:
        """Read no more until what the program writes can go nowhere; each new size makes it paint all."""
        deadline, columns = time.monotonic() + PATIENCE_SECONDS, self.screen.columns
        while select.select([], [self.inner], [], 0.05)[1]:
            assert time.monotonic() < deadline, "the terminal never fills up"
            columns = 200 if columns < 200 else 199
            self.resize(columns, self.screen.lines)

    @property
    def is_as_before(self) -> bool:
        """Modes, cursor and the normal screen are back."""
        out = self.output
        pairs = ((CURSOR_SHOWN, CURSOR_HIDDEN), (NORMAL, ALTERNATE))
        return termios.tcgetattr(self.inner) == self.before and all(out.rfind(a) > out.rfind(b) for a, b in pairs)


@contextmanager
def terminal(*arguments: str, **environment: str) -> Iterator[Terminal]:
    """Python in a terminal of 100×30, ended when the test has done with it."""
    opened = Terminal([*arguments], environment)
    try:
        yield opened
    finally:
        opened.process.kill()
        opened.process.wait()
        for descriptor in (opened.outer, opened.inner):
            os.close(descriptor)
