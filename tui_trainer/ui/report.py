"""A run's state in words: the lines above and beside the charts, for the width there is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from textual.content import Content

from tui_trainer.runs.state import TERMINAL, RunState
from tui_trainer.runs.verdict import Verdict
from tui_trainer.text import clean, duration, loss, percent, plural, rate
from tui_trainer.ui import phases
from tui_trainer.ui.words import MUTED, bar, status, without_moment

HUNG_SECONDS = 30.0
GAP = "  "
Piece = tuple[int, Content]
"""What to show, and its rank: where it is narrow, high ranks leave first."""


@dataclass(frozen=True)
class Moment:
    """A run as the screen sees it now.

    Its state, how long its worker has been silent, what was asked of it, the verdict on its curves, and what is wrong
    where it cannot be read.
    """

    state: RunState
    silence: float = 0.0
    asked: str = ""
    verdict: Verdict | None = None
    trouble: str = ""

    @property
    def status(self) -> str:
        """Of a run of which nothing could be read nothing more is known."""
        return "unreadable" if self.trouble and not self.state.events_seen else self.state.status


def fit(pieces: Sequence[Piece], width: int, gap: str = GAP) -> Content:
    """As many pieces as fit, in their order."""
    shown = list(pieces)
    while len(shown) > 1 and sum(p.cell_length for _, p in shown) + len(gap) * (len(shown) - 1) > width:
        shown.remove(max(shown, key=lambda piece: piece[0]))
    return Content(gap).join(piece for _, piece in shown)


def _loss(value: float | None) -> str:
    return "–" if value is None else loss(value)


def headline(moment: Moment, width: int) -> Content:
    """Name, state, device, and the time spent and left."""
    state = moment.state
    started = state.started
    name = Content.styled(clean(state.name, 60) or state.id, "bold")
    times = [Content.assemble((duration(state.seconds), ""), (" trained", MUTED))]
    left = state.seconds_left
    if state.status in ("running", "paused") and left is not None:
        times.append(Content.assemble((duration(left), ""), (" left", MUTED)))
    device = f"{started.device} · {started.precision}" if started else ""
    threads = f" · {started.threads} threads" if started and started.device == "cpu" and started.threads > 1 else ""
    pieces = [
        (0, status(moment.status)),
        (1, name),
        (4, Content.styled(clean(state.preset, 60), MUTED) if state.preset else Content("")),
        (2, Content.styled(" · ", MUTED).join(times)),
        (3, Content.styled(clean(device + threads, 60), MUTED)),
    ]
    return fit([piece for piece in pieces if piece[1]], width)


def progress(moment: Moment, width: int) -> Content:
    """Two bars: the whole training by its epochs, and the epoch under way by its steps."""
    state = moment.state
    per_epoch = state.steps_per_epoch
    within = state.step - state.epoch * per_epoch
    done = state.step / max(state.total_steps, 1)
    digits = len(str(state.epochs))
    total = Content.assemble(
        ("epoch ", MUTED),
        (f"{state.epoch:>{digits}}/{state.epochs}", "bold"),
        "  ",
        bar(done, max(10, width // 4)),
        f" {math.floor(100 * done):>3} %",
    )
    step = Content.assemble(
        ("step ", MUTED), f"{state.step:>{len(f'{state.total_steps:,}')},}", (f"/{state.total_steps:,}", MUTED)
    )
    epoch = Content.assemble(
        ("this epoch ", MUTED),
        bar(within / per_epoch, max(6, width // 12)),
        f" {math.floor(100 * within / per_epoch):>3} %",
    )
    pieces = [(0, total), (1, step)]
    if state.status not in TERMINAL and state.epoch < state.epochs:
        pieces.append((2, epoch))
    return fit(pieces, width)


def numbers(moment: Moment, width: int) -> Content:
    """Current loss and accuracy of both sets, the best so far, the test accuracy when there is one."""
    state = moment.state
    last, live = state.last_epoch, state.metrics
    if live and last and live.step < last.step:  # epochs may end faster than means over steps are sent
        live = None
    train_loss = live.loss if live else last.train_loss if last else None
    train_accuracy = live.accuracy if live else last.train_accuracy if last else None
    pieces = [
        (1, _pair("loss", _loss(train_loss), _loss(last.val_loss if last else None))),
        (
            0,
            _pair(
                "accuracy" if width >= 100 else "acc",
                percent(train_accuracy),
                percent(last.val_accuracy if last else None),
            ),
        ),
    ]
    if state.best:
        best = f"★ {percent(state.best.val_accuracy)}"
        pieces.append((3, Content.assemble((best, "$best"), (f" @{state.best.epoch}", MUTED))))
    if (test := state.accuracy("final", "test")) is not None:
        pieces.append((2, Content.assemble(("test ", MUTED), (percent(test), "bold"))))
    return fit(pieces, width)


def _pair(label: str, train: str, validation: str) -> Content:
    return Content.assemble(
        (f"{label} ", MUTED), ("train ", "$train"), f"{train:>6} ", ("val ", "$validation"), f"{validation:>6}"
    )


def sentence(moment: Moment, width: int) -> Content:
    """What is going on, in a sentence: the one place that says what to do next. The verdict stands at its end."""
    judged = moment.verdict
    said = f"verdict: {judged}" if judged and moment.state.epochs_done and not moment.trouble else ""
    in_pieces = moment.state.status in ("running", "finished")  # of which some may leave to let the verdict stand
    here = _going_on(moment, width - len(said) - len(GAP) if said and in_pieces else width)
    gap = width - here.cell_length - len(said)
    return Content.assemble(here, " " * gap, (said, MUTED)) if said and gap >= len(GAP) else here


def _going_on(moment: Moment, width: int) -> Content:
    state = moment.state
    if moment.trouble:
        return Content.styled(f"cannot be read: {clean(moment.trouble, 300)}", "$text-error")
    if moment.asked:
        return Content.styled(f"{moment.asked}…", "$text-accent")
    if moment.silence > HUNG_SECONDS:
        return Content.styled(
            f"no progress for {duration(moment.silence)}: the worker lives but says nothing", "$text-warning"
        )
    where = f"epoch {state.epoch}, step {state.step:,}"
    match state.status:
        case "starting":
            return Content.styled("starting worker… loading torch takes a few seconds", "$text-accent")
        case "running":
            return _phases(state, width)
        case "paused":
            return Content.assemble((f"paused at {where}", "$text-warning"), ("   p goes on", MUTED))
        case "finished":
            return _finished(state, width)
        case "stopped":
            why = f": {state.reason}" if state.reason else ""
            return _resumable(f"stopped at {where}{why}", "", width)
        case "failed":
            return Content.styled(f"failed at {where}: {state.reason or 'see the log'}", "$text-error")
        case "interrupted":
            why = state.reason or "the worker left no word"
            return _resumable(f"interrupted at {where}: {why}", "$text-warning", width)


def _resumable(words: str, colour: str, width: int) -> Content:
    """What happened, cut so that what to do next is always seen."""
    next_step = Content.styled("   r resumes", MUTED)
    return Content.styled(words, colour).truncate(max(width - next_step.cell_length, 1), ellipsis=True) + next_step


def _phases(state: RunState, width: int) -> Content:
    """How fast it goes, and where its time went."""
    pieces: list[Piece] = [(0, Content(rate(state.images_per_second)))] if state.images_per_second else []
    found = phases.shares(state)
    if found is None:
        pieces.append((0, Content.styled("first epoch under way", MUTED)))
    else:
        pieces.append((2, Content.assemble(("time: ", MUTED), phases.words(found[0], width))))
    if state.unreadable:
        pieces.append(
            (1, Content.styled(f"{plural(state.unreadable, 'line')} of its events unreadable", "$text-warning"))
        )
    if state.validation_is_test:
        pieces.append((3, Content.styled("validation is the test set", MUTED)))
    return fit(pieces, width)


def _finished(state: RunState, width: int) -> Content:
    parts = [f"finished in {duration(state.seconds)}"]
    if (final := state.accuracy("final", "test")) is not None:
        parts.append(f"test {percent(final)} with final weights")
    if (best := state.accuracy("best", "test")) is not None and state.best:
        parts.append(f"{percent(best)} with best, @{state.best.epoch}")
    if state.early_stop:
        parts.append(f"early stop @{state.early_stop.epoch}")
    if state.parent:
        parts.append(f"fork of {clean(without_moment(state.parent), 60)}")
    return fit([(rank, Content.styled(part, "$text-success")) for rank, part in enumerate(parts)], width, " · ")


def glance(moment: Moment) -> Content:
    """All there is room for on a very small terminal."""
    state = moment.state
    last = state.last_epoch
    test = state.accuracy("final", "test")
    accuracy = f"test {percent(test)}" if test is not None else f"val {percent(last.val_accuracy if last else None)}"
    return Content("\n").join(
        [status(moment.status), Content(f"epoch {state.epoch}/{state.epochs}"), Content(accuracy)]
    )


def tail(file: Path, lines: int = 12) -> list[str]:
    """The last lines of a text file; none where it cannot be read."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - 8000))
            return stream.read().decode(errors="replace").splitlines()[-lines:]
    except OSError:
        return []
