"""One study: how far is it, what do its numbers say, and what can I do about it?"""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DataTable

from tui_trainer.studies import start
from tui_trainer.studies.commands import Add, AnyCommand, First, Move, Skip, Stop
from tui_trainer.studies.follow import MemberState
from tui_trainer.studies.plan import Row
from tui_trainer.text import InputError, clean
from tui_trainer.ui import study_report
from tui_trainer.ui.messages import OpenWanted, StudyResumeWanted
from tui_trainer.ui.screens.add_row import AddRowScreen
from tui_trainer.ui.screens.ask import Answer, AskScreen
from tui_trainer.ui.screens.conclusions import ConclusionsScreen
from tui_trainer.ui.screens.study_report import ReportScreen
from tui_trainer.ui.screens.study_view import StudyView
from tui_trainer.ui.study_rows import LIVE
from tui_trainer.ui.words import marked

DEPENDENT = {"resume", "stop", "skip", "move", "first"}  # actions that not every state allows


class StudyScreen(StudyView):
    KIND = "table"
    HELP = (
        "Above: the study's state, how many of its runs are done, and what is going on. Each row of the table is one "
        "setting; numbers are means over its seeds ± one standard deviation. Where it goes on, ‹ and › say so, and "
        "the left and right arrow keys lead there. The chart draws the rows that stand highest in the table and the "
        "highlighted one, with the glyph and colour they have there, shaded one standard deviation about the mean; "
        "thin lines are training. Beside it: printed figures and ours, the claims, and what seed noise leaves open. A "
        "coordinator of its own runs the study: leaving, like esc, never stops it."
    )
    STATES = ("queued", "running", "analysing", "finished", "stopped", "interrupted", "waiting", "failed", "skipped")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "resume", "resume", tooltip="Go on with a study that was stopped, interrupted, or had failures"),
        Binding(
            "c", "conclude", "conclusions", show=False, tooltip="Write what you conclude; it is printed in the report"
        ),
        Binding("w", "report", "report", tooltip="Write the report as HTML, Markdown, spreadsheet, CSV or JSON"),
        Binding("x", "stop", "stop", tooltip="Stop and save its runs; asks first"),
        Binding("d", "skip", "drop row", show=False, tooltip="Leave the highlighted row out; asks where it is live"),
        Binding("a", "add", "add row", show=False, tooltip="One row more, from a preset"),
        Binding("less_than_sign", "move(-1)", "earlier", show=False, key_display="<", tooltip="Start the row earlier"),
        Binding("greater_than_sign", "move(1)", "later", show=False, key_display=">", tooltip="Start the row later"),
        Binding("f", "first", "first", show=False, tooltip="Be the next study of the queue"),
    ]

    class Answered(Message):
        """What came of something that was asked of the study."""

        def __init__(self, words: str, ok: bool) -> None:
            super().__init__()
            self.words = words
            self.ok = ok

    def leave(self) -> None:
        """Leave the dashboard; a live study goes on."""
        farewell = f"the study goes on · attach again: tui-trainer study attach {self.directory.id}"
        self.app.exit(farewell if self.live else None)

    def possible(self) -> set[str]:
        """The actions that make sense now."""
        if not self.caught_up or self.asked:
            return set()
        if self.live:
            return {"stop", "skip", "move"} | ({"first"} if self.follower.status == "queued" else set())
        done = all(member.status == "finished" for member in study_report.wanted(self.follower))
        return {"skip", "move"} | (set() if done else {"resume"})

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action in self.possible() if action in DEPENDENT else True

    @on(DataTable.RowSelected)
    def open_row(self) -> None:
        row = self.row
        begun = [member for member in row.members if member.run] if row else []
        if len(begun) == 1:
            self._open(begun[0])
        elif row and begun:
            answers = [_seed(number, member) for number, member in enumerate(begun, 1)]
            question = AskScreen(f"Open {clean(row.row.name, 40)}", "which seed?", answers, "none")
            self.app.push_screen(question, lambda id: self._open(begun[int(id)]) if id else None)
        elif row:
            self.notify(f"{row.row.name} has not started yet", markup=False)

    def _open(self, member: MemberState) -> None:
        if member.run:
            self.post_message(OpenWanted(member.run))

    def action_resume(self) -> None:
        self.post_message(StudyResumeWanted(self.directory))

    def action_stop(self) -> None:
        answers = [Answer("s", "stop", "save and stop", "its runs are saved; r goes on with them")]
        question = AskScreen(f"Stop {clean(self.follower.title, 40)}?", "all its runs", answers, "go on")
        self.app.push_screen(question, lambda id: self._ask(Stop(), "stopping") if id else None)

    def action_skip(self) -> None:
        row = self.row
        if row is None:
            return
        name = row.row.name
        if not any(member.status in LIVE for member in row.members):
            self._ask(Skip(targets=[name]), f"dropping {name}")
            return
        answers = [Answer("d", "drop", "drop it", "its live run is saved and stopped")]
        question = AskScreen(f"Drop {clean(name, 40)}?", "it is training now", answers, "go on")
        self.app.push_screen(question, lambda id: self._ask(Skip(targets=[name]), f"dropping {name}") if id else None)

    def action_add(self) -> None:
        self.app.push_screen(AddRowScreen(self.follower), self._add)

    def _add(self, row: Row | None) -> None:
        if row:
            self._ask(Add(row=row.as_json()), f"adding {row.name}")

    def action_move(self, step: int) -> None:
        """Among the rows that have still to start."""
        waiting = self.rows.waiting
        name = self.table.chosen
        if name not in waiting:
            self.notify("only rows that wait can be moved", markup=False)
            return
        at = waiting.index(name)
        if 0 <= at + step < len(waiting):
            before = waiting[at - 1] if step < 0 else (*waiting, "", "")[at + 2]
            self._ask(Move(row=name, before=before), f"moving {name}")

    def action_first(self) -> None:
        self._ask(First(), "moving to the front of the queue")

    def _ask(self, command: AnyCommand, words: str) -> None:
        self.asked = clean(words, 80)
        self.show_words()
        self._send(command)

    @work(thread=True)
    def _send(self, command: AnyCommand) -> None:
        try:
            answer = self.Answered(start.ask(self.directory, command), ok=True)
        except (InputError, OSError) as error:
            answer = self.Answered(clean(str(error), 300), ok=False)
        self.post_message(answer)

    def on_study_screen_answered(self, event: Answered) -> None:
        self.asked = ""
        if not event.ok:
            self.notify(event.words, severity="warning", markup=False)
        self.read(self.follower.poll)
        self.show()

    def action_conclude(self) -> None:
        title = clean(self.follower.title, 60)
        self.app.push_screen(ConclusionsScreen(self.directory, title), lambda _: self.find(again=True))

    def action_report(self) -> None:
        self.app.push_screen(ReportScreen(self.follower))


def _seed(number: int, member: MemberState) -> Answer:
    return Answer(str(number), str(number - 1), f"seed {member.member.seed}", marked(member.status)[0])
