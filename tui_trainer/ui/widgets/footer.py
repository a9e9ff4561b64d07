"""The keys of a screen in one line, as many as have room whole."""

from __future__ import annotations

from textual import events
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

ALWAYS = 2
"""The last keys, help and leave, stay where others have no room."""


class KeyFooter(Footer):
    """A key that would be cut is left out: help and palette have all."""

    def __init__(self) -> None:
        super().__init__(compact=True, show_command_palette=False)

    async def recompose(self) -> None:
        await super().recompose()
        self.call_after_refresh(self._cut)

    def on_resize(self, event: events.Resize) -> None:
        for key in self.query(FooterKey):
            key.display = True
        self.call_after_refresh(self._cut)

    def _cut(self) -> None:
        keys = [key for key in self.query(FooterKey) if key.display]
        widths = [key.outer_size.width + key.styles.margin.width for key in keys]
        room = self.content_region.width - sum(widths[-ALWAYS:])
        for key, width in zip(keys[:-ALWAYS], widths, strict=False):
            room -= width
            key.display = room >= 0
