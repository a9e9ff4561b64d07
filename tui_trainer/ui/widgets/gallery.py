"""Examples a network got wrong: small pictures side by side, or a line each where they are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui_trainer.text import clean, percent
from tui_trainer.ui.filters import keep_blocks
from tui_trainer.ui.pixels import LEVELS, cells, character, extent, factor, rows_of, scaled

GAP = 2  # cells between two pictures
LARGEST = 10  # lines of a picture that is enlarged
CAPTION = 12  # cells at least: `4 → 9  97 %`


class Gallery(Widget, can_focus=True):
    """`chosen` is the example whose caption stands out; all that fit beside it are drawn."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "example before", show=False),
        Binding("right", "move(1)", "next example", key_display="← →", tooltip="Through the mistakes, worst first"),
        Binding("pageup,up", "page(-1)", "page before", show=False),
        Binding("pagedown,down", "page(1)", "next page", show=False),
    ]

    chosen = reactive(0)

    class Moved(Message):
        """Another example is chosen."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.examples: Sequence[Mapping[str, Any]] = ()
        self.names: Sequence[str] = ()
        self.shape: tuple[int, int] | None = None
        self.drawn: dict[tuple[int, float], list[list[Segment]]] = {}
        self.shades: dict[tuple[int, int], Style] = {}

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self._forget())

    def show(self, examples: Sequence[Mapping[str, Any]], names: Sequence[str], shape: tuple[int, int] | None) -> None:
        self.examples, self.names, self.shape = examples, names, shape
        self.chosen = 0
        self._forget()
        self.post_message(self.Moved())

    def _forget(self) -> None:
        self.drawn.clear()
        self.shades.clear()
        self.refresh()

    def on_resize(self) -> None:
        self._forget()

    def watch_chosen(self) -> None:
        self.post_message(self.Moved())

    @property
    def example(self) -> Mapping[str, Any] | None:
        return self.examples[self.chosen] if self.chosen < len(self.examples) else None

    def action_move(self, step: int) -> None:
        self.chosen = min(max(self.chosen + step, 0), max(len(self.examples) - 1, 0))

    def action_page(self, step: int) -> None:
        self.action_move(step * self._columns * self._rows)

    @property
    def _times(self) -> float:
        assert self.shape
        lines = max(self.size.height - 1, 1)
        return factor(self.shape, self.size.width, min(lines, max(LARGEST, -(-self.shape[0] // 2))))

    @property
    def _picture(self) -> tuple[int, int]:
        """Cells and lines of one picture."""
        if self.shape is None:
            return self.size.width, 0
        high, wide = extent(self.shape, self._times)
        return max(wide, CAPTION), -(-high // 2)

    @property
    def _columns(self) -> int:
        return max((self.size.width + GAP) // (self._picture[0] + GAP), 1)

    @property
    def _rows(self) -> int:
        lines = self._picture[1]
        return max(self.size.height // (lines + 2 if lines else 1), 1)

    def render_line(self, y: int) -> Strip:
        if not self.examples:
            return Strip.blank(self.size.width, self.rich_style)
        width, lines = self._picture
        block = lines + 2 if lines else 1
        row, line = divmod(y, block)
        page = self.chosen // (self._columns * self._rows) * self._columns * self._rows
        first = page + row * self._columns
        segments: list[Segment] = []
        if row < self._rows:
            for number in range(first, min(first + self._columns, len(self.examples))):
                segments += [*self._line(number, line, width, lines), Segment(" " * GAP, self.rich_style)]
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def _line(self, number: int, line: int, width: int, lines: int) -> list[Segment]:
        if line < lines:
            return self._drawing(number, width)[line]
        if line > lines:
            return [Segment(" " * width, self.rich_style)]
        words = clean(self._caption(self.examples[number]), width).ljust(width)
        chosen = Style(reverse=self.has_focus, bold=True) if number == self.chosen else Style()
        return [Segment(words, self.rich_style + chosen)]

    def _caption(self, example: Mapping[str, Any]) -> str:
        pair = f"{self.names[example['true']]} → {self.names[example['predicted']]}"
        words = f"{pair}  {percent(example['probability'], 0)}"
        if self.shape is None:
            numbers = " ".join(f"{value:g}" for value in example["inputs"])
            words = f"{words:<30}  {numbers}"
        return words

    def _drawing(self, number: int, width: int) -> list[list[Segment]]:
        times = self._times  # of the size now: the news of another one may still be on its way
        if (number, times) not in self.drawn:
            assert self.shape
            picture = scaled(rows_of(self.examples[number]["inputs"], self.shape), times)
            rows = []
            for row in cells(picture):
                segments = [Segment(*self._cell(top, bottom)) for top, bottom in row]
                rows.append([*segments, Segment(" " * (width - len(row)), self.rich_style)])
            self.drawn[number, times] = rows
        return self.drawn[number, times]

    def _cell(self, top: int, bottom: int) -> tuple[str, Style]:
        """Two pixels: half a block, its colour on the other's; where there are no blocks or colours, a character."""
        if not keep_blocks(self.app):
            return character(top, bottom), self.rich_style
        if (top, bottom) not in self.shades:
            ground, ink = self._paper_and_ink()
            upper, lower = (ground.blend(ink, level / (LEVELS - 1)).rich_color for level in (top, bottom))
            self.shades[top, bottom] = Style(color=upper, bgcolor=lower)
        return "▀", self.shades[top, bottom]

    def _paper_and_ink(self) -> tuple[Color, Color]:
        """Paper and ink; paper a little off the background, so that a picture has an edge."""
        theme = self.app.current_theme
        return Color.parse(theme.panel or "black"), Color.parse(theme.foreground or "white")
