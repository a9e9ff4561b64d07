"""The program on a pseudo-terminal of our own, 120×40; what it draws is read and counted."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Mapping

PROGRAM = [sys.executable, "-m", "tui_trainer"]
ESCAPES = re.compile(rb"\x1b(\[[0-9;?<>=]*[a-zA-Z]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][A-Z0-9]|[=>78])")


class Screen:
    def __init__(self, *arguments: str, environment: Mapping[str, str] = os.environ) -> None:
        self.started = time.perf_counter()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execve(PROGRAM[0], [*PROGRAM, *arguments], {**environment, "TERM": "xterm-256color"})
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.drawn = b""
        self.bytes = 0
        self.chunks: list[tuple[float, bytes]] = []

    def read(self, seconds: float, until: Callable[[bytes], bool] | None = None) -> bool:
        """Read for at most `seconds`, or until the words drawn so far satisfy `until`."""
        deadline = time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            if select.select([self.terminal], [], [], left)[0]:
                try:
                    got = os.read(self.terminal, 65_536)
                except OSError:
                    return False
                self.bytes += len(got)
                self.chunks.append((time.perf_counter(), got))
                if until:
                    self.drawn += got
                    if until(ESCAPES.sub(b"", self.drawn)):
                        return True
        return False

    def press(self, keys: str) -> None:
        self.drawn = b""
        os.write(self.terminal, keys.encode())

    def close(self) -> None:
        """End the program, reading what it still draws: it waits for its terminal."""
        os.kill(self.pid, signal.SIGTERM)
        deadline = time.perf_counter() + 10
        while os.waitpid(self.pid, os.WNOHANG) == (0, 0):
            self.read(0.1)
            if time.perf_counter() > deadline:
                os.kill(self.pid, signal.SIGKILL)
        os.close(self.terminal)
