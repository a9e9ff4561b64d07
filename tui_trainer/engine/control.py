"""What people ask of a live run, carried out between chunks: commands from the inbox, signals from the system."""

import signal
import sys
import time
from pathlib import Path

from tui_trainer.engine.retention import Retention
from tui_trainer.engine.train import Report
from tui_trainer.engine.trainer import Trainer
from tui_trainer.runs import commands, events
from tui_trainer.runs.commands import AnyCommand, Pause, Resume, Save, Set, Stop
from tui_trainer.runs.state import Change
from tui_trainer.text import BETWEEN, InputError

PAUSE_LOOK = 0.05  # seconds between looks into the inbox while paused


class Signals:
    """SIGTERM and SIGINT ask for an orderly end; SIGHUP, a terminal gone, is no reason to end."""

    def __init__(self) -> None:
        self.received = ""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._remember)

    def _remember(self, number: int, _frame: object) -> None:
        self.received = signal.Signals(number).name


class Inbox:
    """What people sent. A folder that cannot be read or changed any more is told once, and ends nothing."""

    def __init__(self, folder: Path, report: Report) -> None:
        self.folder = folder
        self.report = report
        self.done: set[str] = set()  # carried out, but their files could not be deleted
        self.is_told = False

    def waiting(self) -> list[tuple[Path, AnyCommand | None]]:
        """Commands in order, each with its file. Raises `FileNotFoundError` where the run itself is gone."""
        try:
            return [(path, command) for path, command in commands.receive(self.folder) if path.name not in self.done]
        except FileNotFoundError:
            raise
        except OSError as error:  # or a network file system that stutters: the next look will do
            self._tell(f"the inbox cannot be read: {error.strerror}")
            return []

    def delete(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            self.done.add(path.name)
            self._tell(f"{path.name} cannot be deleted from the inbox: {error.strerror}")

    def _tell(self, problem: str) -> None:
        if not self.is_told:
            self.is_told = True
            message = f"{problem}; training goes on, and a signal ends it whatever becomes of the folder"
            print(message, file=sys.stderr, flush=True)  # into worker.log
            self.report(events.Log(level="error", message=message))


class Control:
    """`go_on` is the training loop's only look at the world; `last_state` says how the run ended early, if it did."""

    def __init__(self, inbox: Inbox, trainer: Trainer, keep: Retention, signals: Signals, report: Report) -> None:
        self.inbox = inbox
        self.trainer = trainer
        self.keep = keep
        self.signals = signals
        self.report = report
        self.paused = False
        self.last_state: events.State | None = None

    def go_on(self) -> bool:
        """Carry out what waits, and wait while paused. False: the run ends here."""
        while self.last_state is None:
            for path, command in self.inbox.waiting():
                if command is None:
                    self.report(events.Log(level="warning", message=f"{path.name}: not a command; deleted"))
                else:
                    ok, message, changes = self._carry_out(command)
                    acknowledge(self.report, command, self.trainer, ok, message, changes)
                self.inbox.delete(path)
                if self.last_state is not None:
                    break  # whoever asked for more is answered when the run has ended
            if self.signals.received and self.last_state is None:
                _, saved = self._save("last")
                self.last_state = events.State(
                    status="stopped", reason=f"asked to end by {self.signals.received}; {saved}"
                )
            if not self.paused:
                break
            time.sleep(PAUSE_LOOK)
        return self.last_state is None

    def _carry_out(self, command: AnyCommand) -> tuple[bool, str, dict[str, object]]:
        """Whether it worked, what happened in words, and the fields of the config that changed."""
        t = self.trainer
        match command:
            case Pause():
                if self.paused:
                    return True, "already paused", {}
                self._save("last")
                t.clock.enter("paused")
                self.paused = True
                self.report(events.State(status="paused"))
                return True, f"at epoch {t.epoch}, step {t.step:,}", {}
            case Resume():
                if not self.paused:
                    return True, "already running", {}
                self.paused = False
                t.clock.enter("training")
                self.report(events.State(status="running"))
                return True, f"from epoch {t.epoch}, step {t.step:,}", {}
            case Save():
                return *self._save("save"), {}
            case Stop(discard=True):
                self.last_state = events.State(status="stopped", reason="not saved")
                return True, "not saved", {}
            case Stop():
                ok, message = self._save("last")
                self.last_state = events.State(status="stopped", reason=message)
                return ok, message, {}
            case Set(changes=changes):
                try:
                    t.wish(Change(command.id, t.epoch, t.step, changes))
                except InputError as error:
                    return False, BETWEEN.join(error.problems), {}
                t.change(t.pending.pop(0))
                return True, ", ".join(f"{path} = {value}" for path, value in changes.items()), changes

    def _save(self, kind: str) -> tuple[bool, str]:
        clock = self.trainer.clock
        before = clock.phase
        clock.enter("saving")
        snapshot = self.trainer.capture(kind)
        problem = self.keep.save(snapshot)
        clock.enter(before)
        return not problem, problem or f"saved {snapshot.meta.file_name}"


def acknowledge(
    report: Report, command: AnyCommand, trainer: Trainer, ok: bool, message: str, changes: dict[str, object]
) -> None:
    """Answer whoever asked, with the exact step."""
    report(
        events.Applied(
            id=command.id,
            command=type(command).__name__.lower(),
            epoch=trainer.epoch,
            step=trainer.step,
            ok=ok,
            message=message,
            changes=changes,
        )
    )
