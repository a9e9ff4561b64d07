"""Every field of a draft, by group: what is typed goes into the draft, what the draft brings back is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from tui_trainer.config import Knob
from tui_trainer.ui.draft import CHOOSERS, Draft, Verdict
from tui_trainer.ui.widgets.field import Field
from tui_trainer.ui.widgets.line import Line


class Fields(Vertical):  # not a VerticalScroll, which would take up and down for itself
    """`origin` is what a changed value is compared with: `preset`, or `was`."""

    class Edited(Message):
        """The draft says something else than before."""

    def __init__(self, draft: Draft, origin: str, id: str | None = None) -> None:
        super().__init__(id=id)
        self.draft = draft
        self.origin = origin

    def compose(self) -> ComposeResult:
        for group, knobs in self.groups.items():
            yield Vertical(
                Line(Content.styled(title(group), "bold"), classes="heading"),
                *self._editors(knobs),
                id=f"group-{group}",
                classes="group",
            )

    @property
    def groups(self) -> dict[str, list[Knob]]:
        return {group: list(knobs) for group, knobs in groupby(self.draft.knobs.values(), key=lambda knob: knob.group)}

    def _editors(self, knobs: Iterable[Knob]) -> list[Field]:
        return [Field(knob, self.draft.read(knob.path), self.origin) for knob in knobs]

    @property
    def focused(self) -> Field | None:
        """The field that has the focus."""
        return next((field for field in self.query(Field) if field.has_focus_within), None)

    def find(self, path: str) -> Field | None:
        """The field of this path, if there is one now."""
        return next((field for field in self.query(Field) if field.knob.path == path), None)

    def show(self, verdict: Verdict) -> None:
        """Beside each field what is wrong with it; only the fields that count."""
        for field in self.query(Field):
            path = field.knob.path
            if path in self.draft.knobs:
                field.show(verdict.errors.get(path, ""), self.draft.changed_from(path))
                field.display = field.knob.counts(self.draft.read)

    def go_to_group(self, group: str) -> None:
        place = self.query_one(f"#group-{group}")
        next(field for field in place.query(Field) if field.display).focus_editor()
        self.scroll_to_widget(place, animate=False, top=True)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.draft.leave()

    @on(Field.Changed)
    async def take(self, event: Field.Changed) -> None:
        event.stop()
        if field := self.find(event.path):
            await self._read(field)

    async def _read(self, field: Field) -> None:
        """Take what a field says by now, which may be more than the news of it did."""
        path = field.knob.path
        if path in self.draft.knobs and field.value != self.draft.read(path):
            self.draft.write(path, field.value)
            await self._follow(path)

    async def _follow(self, path: str) -> None:
        """After a change of the draft: with another optimizer or schedule its settings in the place of the other's."""
        if name := CHOOSERS.get(path):
            group = self.query_one(f"#group-{name}")
            async with self.batch():
                await group.query(Field).exclude(f"#field-{name}-name").remove()
                await group.mount(*self._editors(knob for knob in self.groups[name] if knob.path not in CHOOSERS))
        self.post_message(self.Edited())

    def travel(self, step: Callable[[], str | None], nothing: str) -> None:
        """Undo or redo: `step` changes the draft and says where. In turn with the edits, so that none is lost."""
        self.call_next(self._travel, step, nothing)

    async def _travel(self, step: Callable[[], str | None], nothing: str) -> None:
        if self.focused:
            await self._read(self.focused)
        path = step()
        if path is None:
            self.notify(nothing)
            return
        await self._follow(path)
        await self._put(path)

    def write(self, path: str, text: str) -> None:
        """Write into a field as if it had been typed there, as an edit of its own."""
        self.call_next(self._write, path, text)

    async def _write(self, path: str, text: str) -> None:
        self.draft.leave()
        self.draft.write(path, text)
        await self._follow(path)
        await self._put(path)
        self.draft.leave()

    async def _put(self, path: str) -> None:
        if field := self.find(path):
            field.put(self.draft.read(path))
            field.focus_editor()


def title(group: str) -> str:
    return group.replace("_", " ")
