"""One field of the form: its name, what is typed, and beside it the error or the preset's value."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from tui_trainer.config import Knob
from tui_trainer.ui.widgets.choice import Choice
from tui_trainer.ui.words import MUTED

EMPTY = "empty"


class Field(Horizontal):
    """`knob` says which widget edits it; `origin` is what a changed value is compared with: `preset`, or `was`."""

    class Changed(Message):
        """The person typed or chose something."""

        def __init__(self, path: str, text: str) -> None:
            super().__init__()
            self.path = path
            self.text = text

    def __init__(self, knob: Knob, text: str, origin: str = "preset") -> None:
        super().__init__(id=f"field-{knob.path.replace('.', '-')}", classes=f"-{knob.kind}")
        self.origin = origin
        self.knob = knob
        self.text = text
        self.error = ""
        self.note = Content("")

    def compose(self) -> ComposeResult:
        if self.knob.kind in ("choice", "boolean"):
            choices = self.knob.choices or ("true", "false")
            yield Choice(choices, self.text)
        else:
            yield Input(self.text, compact=True)

    def render(self) -> Content:
        """Name and note, the editor over the gap between them: two widgets less for each of sixty fields."""
        editor = self.query("Input, Choice").first()
        before = max(editor.region.x - self.content_region.x, 0)
        after = before + editor.region.width + 1
        name = Content.styled(self.knob.name.replace("_", " "), self._colour)
        note = self.note.truncate(max(self.content_size.width - after, 0), ellipsis=True)
        return Content.assemble(name.truncate(before, pad=True), " " * (after - before), note)

    @property
    def _colour(self) -> str:
        if self.error:
            return "$text-error"
        return "bold $accent" if self.has_focus_within else MUTED

    def on_resize(self) -> None:
        self.call_after_refresh(self.refresh)  # the editor has its place only then

    def on_descendant_focus(self) -> None:
        self.refresh()

    def on_descendant_blur(self) -> None:
        self.refresh()

    def show(self, error: str, preset_value: str | None) -> None:
        """The note beside the field: what is wrong, else the preset's value where it was changed, else the unit."""
        if error:
            note = Content.styled(f"! {error}", "$text-error")
        elif preset_value is not None:
            note = Content.styled(f"• {self.origin} {preset_value or EMPTY}", "$text-accent")
        else:
            note = Content.styled(self.knob.unit, MUTED)
        if (error, note) != (self.error, self.note):
            self.error, self.note = error, note
            self.refresh()

    @property
    def value(self) -> str:
        """What the editor says now."""
        editor = self.query("Input, Choice").first()
        return editor.value if isinstance(editor, Input | Choice) else ""

    def put(self, text: str) -> None:
        """Set what the editor says, without the news of a person's edit."""
        for editor in self.query(Choice):
            editor.value = text
        for line in self.query(Input):
            with self.prevent(Input.Changed):
                line.value = text

    def focus_editor(self) -> None:
        self.query("Input, Choice").first().focus()

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self.knob.path, event.value))

    @on(Choice.Changed)
    def chosen(self, event: Choice.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self.knob.path, event.value))
