"""The dashboard in a real terminal: it paints, and leaves the terminal as it found it however it is ended."""

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
from pathlib import Path

import pytest

CODE = """
import sys
from pathlib import Path
from tui_trainer.ui import app
from tui_trainer.ui.launcher import Launcher
Launcher.warm_up = lambda self: None
app.run(Path(sys.argv[1]), Path(sys.argv[1]))
print("torch" in sys.modules, "tui_trainer.engine" in sys.modules)
"""


class Terminal:
    """The master's end of a pty of 100×30 with the dashboard on the other."""

    def __init__(self, root: Path, environment: dict[str, str]) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.output = b""
        self.process = subprocess.Popen(
            [sys.executable, "-c", CODE, str(root)],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env=os.environ | {"TERM": "xterm-256color"} | environment,
            start_new_session=True,
        )

    def read_until(self, condition: Callable[[], bool], description: str) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, f"never happened: {description}\n{self.output[-3000:]!r}"
            if select.select([self.master], [], [], 0.05)[0]:
                self.output += os.read(self.master, 65_536)

    def read_to_end(self) -> None:
        self.read_until(lambda: self.process.poll() is not None, "the dashboard has ended")
        while select.select([self.master], [], [], 0)[0]:
            self.output += os.read(self.master, 65_536)


@contextmanager
def dashboard(root: Path, **environment: str) -> Iterator[Terminal]:
    terminal = Terminal(root, environment)
    try:
        terminal.read_until(lambda: b"leave" in terminal.output, "the footer")
        yield terminal
    finally:
        terminal.process.kill()
        terminal.process.wait()
        for descriptor in (terminal.master, terminal.slave):
            os.close(descriptor)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_the_terminal_restored(root: Path, number: signal.Signals) -> None:
    with dashboard(root) as terminal:
        assert termios.tcgetattr(terminal.slave) != terminal.before
        terminal.process.send_signal(number)
        terminal.read_to_end()
        assert terminal.process.returncode == 0
        assert termios.tcgetattr(terminal.slave) == terminal.before
        assert terminal.output.rindex(b"\x1b[?1049l") > terminal.output.rindex(b"\x1b[?1049h")
        assert terminal.output.rindex(b"\x1b[?25h") > terminal.output.rindex(b"\x1b[?25l")


def test_q_ends_it_without_torch_ever_loaded(root: Path) -> None:
    with dashboard(root) as terminal:
        os.write(terminal.master, b"q")
        terminal.read_to_end()
        assert terminal.process.returncode == 0
        assert terminal.output.rstrip().endswith(b"False False")


def test_a_terminal_without_unicode_is_drawn_on_with_plain_states(root: Path) -> None:
    from tests.dashboard import FakeRun

    FakeRun(root).take().start().train(1).finish()
    with dashboard(root, LC_ALL="C") as terminal:
        terminal.read_until(lambda: b"v finished" in terminal.output, "the state in ASCII")
        assert "✓ finished".encode() not in terminal.output
