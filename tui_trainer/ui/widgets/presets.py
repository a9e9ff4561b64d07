"""The presets, grouped by the source they come from."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from tui_trainer.presets import Preset
from tui_trainer.ui.words import plural

NAME_WIDTH = 14


class PresetTree(Tree[Preset | list[str] | None]):
    """A leaf's data is its preset; that of the leaf of unsound files is the list of what is wrong with them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "start", key_display="enter", tooltip="Train the highlighted preset"),
        Binding("e", "edit", "edit", tooltip="Change its settings before training"),
        Binding("tab", "app.focus_next", "runs", tooltip="Go to the runs"),
    ]

    class Edit(Message):
        """The person wants to change this preset before training it."""

        def __init__(self, preset: Preset) -> None:
            super().__init__()
            self.preset = preset

    def __init__(self, id: str | None = None) -> None:
        super().__init__("presets", id=id)
        self.show_root = False
        self.show_guides = False
        self.guide_depth = 2
        self.presets: list[Preset] = []
        self.problems: list[str] = []

    def fill(self, presets: list[Preset], problems: list[str]) -> None:
        self.presets, self.problems = presets, problems
        self.narrow("")

    def narrow(self, words: str) -> None:
        """Show the presets that contain every one of the words."""
        wanted = words.lower().split()
        self.clear()
        folders = {"": self.root}
        for preset in self.presets:
            text = f"{preset.name} {preset.title} {preset.config.optimizer.name} {preset.config.data.name}".lower()
            if not all(word in text for word in wanted):
                continue
            if preset.folder not in folders:
                folders[preset.folder] = self.root.add(Text(preset.folder), expand=True)
            folders[preset.folder].add_leaf(_label(preset), preset)
        if self.problems and not wanted:
            self.root.add_leaf(Text(f"! {plural(len(self.problems), 'problem')} in presets", "yellow"), self.problems)
        self.root.expand()
        self.set_reactive(PresetTree.cursor_line, -1)  # so that the same line with another preset is news
        if self.root.children:
            self.cursor_line = 1 if self.root.children[0].children else 0  # a preset, not the folder above it

    @property
    def preset(self) -> Preset | None:
        """The highlighted preset."""
        data = self.node.data if self.node else None
        return data if isinstance(data, Preset) else None

    @property
    def node(self) -> TreeNode[Preset | list[str] | None] | None:
        """The highlighted line; the tree's own `cursor_node` outlives its line."""
        return self.get_node_at_line(self.cursor_line) if self.root.children else None

    def action_edit(self) -> None:
        if self.preset:
            self.post_message(self.Edit(self.preset))


def _label(preset: Preset) -> Text:
    config = preset.config
    penalty = f" λ {config.regularization.weight_decay:g}" if config.regularization.weight_decay else ""
    return Text.assemble(f"{preset.short_name:{NAME_WIDTH}} ", (f"{config.optimizer.name}{penalty}", "dim"))
