"""Write a study's report: which kind of file, and where; then say where it went."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui_trainer.files import written
from tui_trainer.studies.follow import StudyFollower
from tui_trainer.text import InputError, clean
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED, choice

if TYPE_CHECKING:
    from tui_trainer.studies.report import Format

FORMATS: dict[Format, str] = {
    "html": "one page with its plots, for reading and handing in",
    "md": "Markdown, the plots beside it",
    "xlsx": "a spreadsheet laid out like the sheet, plots in it",
    "csv": "the table alone",
    "json": "every number, for other programs",
}
KEYS = "↑ ↓ kind of file   tab its name   enter writes it   esc closes"


class ReportScreen(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "close")]

    class Written(Message):
        """The report has been written, or could not be."""

        def __init__(self, words: str, ok: bool) -> None:
            super().__init__()
            self.words = words
            self.ok = ok

    def __init__(self, follower: StudyFollower) -> None:
        super().__init__()
        self.follower = follower
        self.writing = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Line(Content.assemble(("Write a report", "bold"), (f"   {clean(self.follower.title, 60)}", MUTED)))
            yield OptionList(*(Option(choice(k, words, ""), id=k) for k, words in FORMATS.items()), compact=True)
            yield Input(id="report-file", compact=True)
            yield Line(Content.styled(KEYS, MUTED), id="report-status")

    @property
    def format(self) -> Format:
        return list(FORMATS)[self.query_one(OptionList).highlighted or 0]

    @on(OptionList.OptionHighlighted)
    def name_file(self) -> None:
        """The file keeps its name and takes the ending of its kind."""
        field = self.query_one(Input)
        before = Path(field.value or str(Path.cwd() / self.follower.directory.id))
        stem = before.with_suffix("") if before.suffix.removeprefix(".") in FORMATS else before
        field.value = f"{stem}.{self.format}"

    @on(OptionList.OptionSelected)
    @on(Input.Submitted)
    def write(self) -> None:
        path = written(self.query_one(Input).value)
        if not self.writing:
            self.writing = True
            self._say("writing…", "$text-accent")
            self._write(path, self.format)

    @work(thread=True)
    def _write(self, path: Path, format: Format) -> None:
        from tui_trainer.studies import report  # draws with matplotlib, which takes long to load

        try:
            files = report.write(self.follower, format, path)
        except (InputError, OSError) as error:
            self.post_message(self.Written(f"! {clean(str(error), 200)}", ok=False))
        else:
            more = f" and {len(files) - 1} pictures" if len(files) > 1 else ""
            self.post_message(self.Written(f"✓ {clean(str(files[0].absolute()), 200)}{more}", ok=True))

    def on_report_screen_written(self, event: Written) -> None:
        self.writing = False
        self._say(event.words, "$text-success" if event.ok else "$text-error")

    def _say(self, words: str, colour: str) -> None:
        self.query_one("#report-status", Line).content = Content.styled(words, colour)
