"""Text that repaints only when it differs from what is on screen."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget


class Line(Widget):
    """One line of content set from outside, cut where it is too long."""

    content = reactive(Content(""))

    def __init__(self, content: Content | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        if content is not None:
            self.set_reactive(Line.content, content)

    def render(self) -> Content:
        return self.content


class Lines(Line):
    """As many lines as the content has; laid out anew only when that number changes."""

    def watch_content(self, before: Content, content: Content) -> None:
        width = self.content_size.width
        if width < 1 or before.get_height({}, width) != content.get_height({}, width):
            self.refresh(layout=True)
