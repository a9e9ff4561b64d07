"""One job under way, in one line: bar, how much of how much, rate, time left, and a way to cancel it."""

from __future__ import annotations

from typing import Any

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Button

from tui_trainer.runs.jobs import Job
from tui_trainer.runs.progress import Progress
from tui_trainer.text import InputError, clean
from tui_trainer.ui.report import fit
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED, bar

LOOK_SECONDS = 0.2


class JobLine(Horizontal):
    """Not there while there is no job. The screen binds `c` to `cancel`; the button does the same.

    The job runs in a thread and ends with this widget. Its end comes as `Ended`.
    """

    DEFAULT_CSS = """
    JobLine { height: 1; display: none; }
    JobLine.-busy { display: block; }
    JobLine Line { width: 1fr; margin: 0; }
    JobLine Button { width: 10; min-width: 10; }
    """

    class Ended(Message):
        """The job gave its `result`, or `problem` says in words why there is none; empty where it was cancelled."""

        def __init__(self, job_line: JobLine, title: str, result: Any, problem: str = "") -> None:
            super().__init__()
            self.job_line = job_line
            self.title = title
            self.result = result
            self.problem = problem

        @property
        def control(self) -> JobLine:
            return self.job_line

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.title = ""
        self.progress = Progress()
        self.told: dict[str, Any] = {}
        self.job: Job | None = None
        self.cancelled = False

    def compose(self) -> ComposeResult:
        yield Line()
        yield Button("c cancel", compact=True)

    def on_mount(self) -> None:
        self.set_interval(LOOK_SECONDS, self._look)

    def on_unmount(self) -> None:
        self.cancel()

    @property
    def busy(self) -> bool:
        return self.job is not None

    def start(self, title: str, *arguments: str) -> None:
        """Start a job of the engine; `title` says what it does, as `evaluating on test`. One at a time.

        Raises `InputError` where another is under way, or no process can be started.
        """
        if self.job:
            raise InputError(f"{self.title}: still under way; c cancels it")
        try:
            job = Job(*arguments)
        except OSError as error:
            raise InputError(f"no process can be started: {error.strerror}") from None
        self.title, self.job, self.cancelled = title, job, False
        self.told, self.progress = {}, Progress()
        self.add_class("-busy")
        self._look()
        self._follow(job)

    def cancel(self) -> None:
        if self.job:
            self.cancelled = True
            self.job.cancel()

    @on(Button.Pressed)
    def cancel_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.cancel()

    @work(thread=True)
    def _follow(self, job: Job) -> None:
        result, problem = None, ""
        try:
            result = job.result(self._hear)
        except InputError as error:
            problem = clean(str(error), 300)
        except Exception as error:  # a job that tells nonsense must not take the dashboard with it
            problem = clean(f"{job.name}: {error}", 300)
        self.post_message(self.Ended(self, self.title, result, "" if self.cancelled else problem))

    def _hear(self, told: dict[str, Any]) -> None:
        self.told = told

    def on_job_line_ended(self) -> None:
        self.job = None
        self.remove_class("-busy")

    def _look(self) -> None:
        if self.job:
            if self.told:
                self.progress.take(self.told)
            line = self.query_one(Line)
            line.content = self._words(line.size.width or 60)

    def _words(self, width: int) -> Content:
        if self.cancelled:
            return Content.styled(f"{self.title}: cancelling…", MUTED)
        fraction = self.progress.fraction
        pieces = [(1, Content(self.title)), (2, bar(fraction, max(6, width // 6)))]
        pieces.append((0, Content(f"{int(100 * fraction)} %" if self.progress.of else "…")))
        pieces += [(3 + rank, Content.styled(part, MUTED)) for rank, part in enumerate(self.progress.parts())]
        return fit(pieces, width)
