"""Runs as plain lines, for pipes, logs and terminals without a screen."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from tui_trainer.text import clean, duration, percent, plural, rate, size

if TYPE_CHECKING:
    from types import FrameType

    from tui_trainer.runs.directory import Run
    from tui_trainer.runs.listing import Summary
    from tui_trainer.runs.notes import Notes
    from tui_trainer.runs.state import LogLine, RunState
    from tui_trainer.studies.directory import StudyDirectory

GLYPHS = {
    "starting": "…",
    "running": "▶",
    "paused": "⏸",
    "finished": "✓",
    "stopped": "■",
    "failed": "✗",
    "interrupted": "!",
}
DELIBERATE = 2.0  # seconds: ctrl+c held down is one wish; a later one is another


def print_json(value: Any) -> None:
    """What is no finite number is null: JSON knows no other word for it."""
    import msgspec

    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_line(line: LogLine) -> None:
    level = "" if line.level == "info" else f"{line.level}: "
    print(f"{datetime.fromtimestamp(line.time):%H:%M:%S}  {level}{line.message}", flush=True)


def follow_to_the_end(run: Run, past_lines: int | None = None) -> RunState:
    """Print the run's log as it grows until the run ends; at most `past_lines` of what was there before."""
    from tui_trainer.runs.follow import Follower
    from tui_trainer.runs.state import TERMINAL

    follower = Follower(run)
    follower.catch_up()
    lines = follower.new_lines()
    for line in lines if past_lines is None else lines[len(lines) - past_lines :]:
        print_line(line)
    while follower.state.status not in (*TERMINAL, "interrupted"):
        time.sleep(0.1)
        follower.poll()
        for line in follower.new_lines():
            print_line(line)
    return follower.state


class StopOnInterrupt:
    """While active, ctrl+c stops and saves the run; another, two seconds later or more, ends its worker at once.

    Entered before the worker is launched, or a ctrl+c in between would leave it going unnoticed: one that comes so
    early is obeyed when `launched` is called.
    """

    last = 0.0
    obeying = False
    is_launched = False
    is_early = False

    def __init__(self, place: Run | StudyDirectory) -> None:
        self.place = place

    def __enter__(self) -> Self:
        self.before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self.before)

    def launched(self) -> None:
        self.is_launched = True
        if self.is_early:
            signal.raise_signal(signal.SIGINT)

    def ask(self) -> None:
        """By a signal: a command to a worker that only starts would expire, and none can be sent on a full disk."""
        from tui_trainer.runs import launch

        launch.terminate(self.place)

    def end(self) -> None:
        from tui_trainer.runs import launch

        launch.kill(self.place)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        if not self.is_launched:
            self.is_early = True
            return
        if self.obeying:  # a key held down: one more of the same
            return
        self.obeying = True
        if not self.last:
            _say("stopping and saving; ctrl+c again in two seconds ends the worker at once\n")
            self.ask()
        elif time.monotonic() - self.last >= DELIBERATE:  # a key held down repeats sooner, however long it is held
            _say("ending the worker\n")
            self.end()
        self.last = time.monotonic()  # at the end: what waited while a slow disk took the command is still that wish
        self.obeying = False


def _say(line: str) -> None:
    """Past the buffers: `print` fails in a signal's handler that interrupts a `print`."""
    os.write(1, line.encode())


def results(state: RunState) -> str:
    """One line on how the run ended: `finished: 30 epochs in 0.3 s, test accuracy 99.26 %, …`."""
    words = [f"{state.epoch} of {plural(state.epochs, 'epoch')} in {duration(state.seconds)}"]
    if (test := state.accuracy("final", "test")) is not None:
        words.append(f"test accuracy {percent(test)}")
    if state.best:
        words.append(f"best validation accuracy {percent(state.best.val_accuracy)} in epoch {state.best.epoch}")
    if state.reason:
        words.append(state.reason)
    return f"{state.id}  {state.status}: {', '.join(words)}"


def run_rows(summaries: Iterable[Summary]) -> list[tuple[str, ...]]:
    """A line a run: id, state, epoch, validation and test accuracy, time, verdict, tags."""
    return [
        (
            run.run.id,
            f"{GLYPHS[run.status]} {run.status}",
            f"{run.epoch}/{run.epochs}",
            percent(run.facts["best_val_accuracy"]),
            percent(run.test_accuracy),
            duration(run.facts["seconds"]),
            run.facts["verdict"],
            " ".join(run.notes.tags),
        )
        for run in summaries
    ]


def print_table(
    headings: tuple[str, ...], rows: Sequence[tuple[str, ...]], right: frozenset[int] = frozenset()
) -> None:
    """Columns padded to their widest cell; those in `right` are aligned to the right."""
    rows = [tuple(map(clean, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for row in (headings, *rows):
        cells = (c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        print("  ".join(cells).rstrip())


def print_run(state: RunState, notes: Notes) -> None:
    """Everything a person asks about one run, a line each."""
    from tui_trainer.runs.verdict import verdict

    last, best, started, judged = state.last_epoch, state.best, state.started, verdict(state)
    threads = plural(started.threads, "thread") if started else ""
    facts = {
        "run": state.id,
        "preset": state.preset,
        "state": f"{GLYPHS[state.status]} {state.status}{f' – {state.reason}' if state.reason else ''}",
        "tags": " ".join((*notes.tags, *(["(archived)"] if notes.archived else []))) or "–",
        "note": " ".join(notes.note.split()) or "–",
        "device": " · ".join((started.device, started.device_name, threads, started.precision)) if started else "–",
        "step path": started.step_path if started else "–",
        "network": f"{state.architecture} · {plural(state.parameters, 'parameter')}" if state.parameters else "–",
        "epoch": f"{state.epoch} of {state.epochs}, step {state.step:,} of {state.total_steps:,}",
        "train": f"loss {last.train_loss:.4f}  accuracy {percent(last.train_accuracy)}" if last else "–",
        "validation": f"loss {last.val_loss:.4f}  accuracy {percent(last.val_accuracy)}" if last else "–",
        "best": f"{percent(best.val_accuracy)} in epoch {best.epoch}" if best else "–",
        "verdict": f"{judged}: {judged.reason}",
        "test": percent(state.accuracy("final", "test")),
        "best on test": percent(state.accuracy("best", "test")),
        "time": duration(state.seconds),
        "throughput": rate(state.images_per_second),
        "weights": newest.weights_sha256 if (newest := state.newest_checkpoint) else "–",
    }
    for key, value in facts.items():
        print(f"{key:>13}  {clean(value)}")
    if state.validation_is_test:
        print(f"{'note':>13}  validation is the test set: an epoch picked on it flatters the accuracy")
    for saved in sorted(state.checkpoints.values(), key=lambda c: c.step):
        kinds = ", ".join((*saved.kinds, *(["pinned"] if saved.file in notes.pins else [])))
        words = (saved.file, percent(saved.val_accuracy), size(saved.bytes), kinds)
        print(f"{'checkpoint':>13}  {'  '.join(words)}")
    if state.boundary:
        print(f"{'boundary':>13}  after epoch {state.boundary.epoch}, the class answered all over the plane:")
        print("\n".join(f"{'':>15}{row}" for row in state.boundary.rows))
    if state.unreadable:
        print(f"{'warning':>13}  {plural(state.unreadable, 'line')} of events.jsonl could not be read: skipped")


def share(fraction: float | None) -> str:
    """In percent, without the sign: `97.1`."""
    return "–" if fraction is None else f"{100 * fraction:.1f}"


def print_mistakes(found: Mapping[str, Any], worst: int) -> None:
    """The confusion matrix with recall and precision, then the worst mistakes."""
    names = [clean(name, 16) for name in found["classes"]]
    where = f"{found['checkpoint']} (epoch {found['epoch']}) on {found['split']}"
    count = plural(found["examples"] - found["correct"], "mistake")
    print(f"{where}: {count} in {plural(found['examples'], 'example')}, accuracy {percent(found['accuracy'])}\n")
    rows = [
        (name, *(str(cell) if cell else "·" for cell in row), share(recall))
        for name, row, recall in zip(names, found["confusion"], found["recall"], strict=True)
    ]
    rows.append(("precision %", *map(share, found["precision"]), ""))
    print_table(("true \\ predicted", *names, "recall %"), rows, right=frozenset(range(1, len(names) + 2)))
    if shown := found["mistakes"][:worst]:
        print(f"\n{len(shown):,} of {count}, the worst first\n")
        headings = ("example", "true", "predicted", "with", "true class", "loss")
        table = [
            (
                f"{mistake['index']:,}",
                names[mistake["true"]],
                names[mistake["predicted"]],
                percent(mistake["probability"], 1),
                percent(mistake["true_probability"], 1),
                f"{mistake['loss']:.3f}",
            )
            for mistake in shown
        ]
        print_table(headings, table, right=frozenset({0, 3, 4, 5}))
