"""The line in which a person types what a list is narrowed to."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input


class FilterBox(Input):
    """Letters are letters here, so that only the keys which leave it are in the footer. Its screen can `show_all`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "keep", key_display="enter", tooltip="Back to what these words leave"),
        Binding("escape", "screen.show_all", "show all", tooltip="Nothing is left out any more"),
    ]

    def __init__(self, placeholder: str, id: str) -> None:
        super().__init__(placeholder=placeholder, id=id, compact=True)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """As of every line; Textual does not know that `slash` is a character."""
        return key == "slash" or super().check_consume_key(key, character)
