"""What only a real terminal shows: the dashboard leaves without ever having loaded torch, and speaks its encoding."""

from pathlib import Path

from tests.dashboard import FakeRun
from tests.terminal import terminal

CODE = """
import sys
from pathlib import Path
from tui_trainer.ui import app
from tui_trainer.ui.launcher import Launcher
Launcher.warm_up = lambda self: None
app.run(Path(sys.argv[1]), Path(sys.argv[1]))
print("torch" in sys.modules, "tui_trainer.engine" in sys.modules)
"""


def test_q_ends_it_without_torch_ever_loaded(root: Path) -> None:
    with terminal("-c", CODE, str(root)) as dashboard:
        dashboard.read_until_seen("digits", "leave")
        dashboard.type("q")
        assert dashboard.read_to_end() == 0 and dashboard.is_as_before
        assert dashboard.output.rstrip().endswith(b"False False")


def test_a_terminal_without_unicode_is_drawn_on_with_plain_states(root: Path) -> None:
    FakeRun(root).take().start().train(1).finish()
    with terminal("-c", CODE, str(root), LC_ALL="C") as dashboard:
        dashboard.read_until_seen("v finished", "leave")
        assert "✓ finished".encode() not in dashboard.output
