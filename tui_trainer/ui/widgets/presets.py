"""The presets, grouped by the source they come from."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import set_cell_size
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from tui_trainer.presets import Preset
from tui_trainer.studies.catalogue import Definition
from tui_trainer.text import plural, unicode_terminal
from tui_trainer.ui.describe import expected

AT_FIRST_OPEN = {"evaluation-report", "xor", "yours"}  # short, or one's own; 24 lab sheets would push all else away
INDENT = 3  # of a preset in its folder

Data = Preset | Definition | list[str] | str | None


class PresetTree(Tree[Data]):
    """A leaf's data is its preset or study, a folder's its name; the leaf of unsound files has what is wrong."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "select_cursor",
            "start",
            key_display="enter",
            tooltip="Train the preset, run the study, open the folder",
        ),
        Binding("e", "edit", "edit", tooltip="Change its settings before training"),
        Binding("f", "edit(True)", "find rate", tooltip="Try learning rates on it and suggest one"),
        Binding("c", "copy", "copy command", show=False, tooltip="The line for a shell that does the same"),
        Binding("right", "open", "open folder", show=False, tooltip="Show the presets of this folder"),
        Binding("left", "close", "close folder", show=False, tooltip="Show only the folder's name"),
        Binding("tab", "app.focus_next", "runs", tooltip="Go to the runs"),
    ]
    ICON_NODE = "▸ "
    ICON_NODE_EXPANDED = "▾ "

    class Edit(Message):
        """The person wants to change this preset before training it, perhaps by first finding a learning rate."""

        def __init__(self, preset: Preset, find_rate: bool) -> None:
            super().__init__()
            self.preset = preset
            self.find_rate = find_rate

    class Copy(Message):
        """The person wants the command that starts this."""

        def __init__(self, chosen: Preset | Definition) -> None:
            super().__init__()
            self.chosen = chosen

    def __init__(self, id: str | None = None) -> None:
        super().__init__("presets", id=id)
        self.show_root = False
        self.show_guides = False
        self.guide_depth = INDENT
        self.presets: list[Preset] = []
        self.studies: list[Definition] = []
        self.problems: list[str] = []
        self.open_folders = set(AT_FIRST_OPEN)
        self.filtered = False

    def fill(self, presets: list[Preset], studies: list[Definition], problems: list[str]) -> None:
        self.presets, self.studies, self.problems = presets, studies, problems
        self.narrow("")

    def narrow(self, words: str) -> None:
        """Show the presets and studies that contain every one of the words, in open folders; studies come first."""
        wanted = words.lower().split()
        self.filtered = bool(wanted)
        self.clear()
        folders: dict[str, TreeNode[Data]] = {"": self.root}
        in_folders = {preset.folder for preset in self.presets}
        listed: list[tuple[str, Text, Preset | Definition]] = [
            (_folder(study, in_folders), _study_label(study, in_folders), study)
            for study in self.studies
            if _has(wanted, study.name, study.study.title, "study")
        ]
        listed += [
            (preset.folder, Text(preset.short_name), preset)
            for preset in self.presets
            if _has(wanted, preset.name, preset.title, preset.config.optimizer.name, preset.config.data.name)
        ]
        for folder, label, data in sorted(listed, key=lambda entry: entry[0]):
            if folder not in folders:
                folders[folder] = self.root.add(
                    Text(folder), folder, expand=self.filtered or folder in self.open_folders
                )
            folders[folder].add_leaf(label, data)
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
    def node(self) -> TreeNode[Data] | None:
        """The highlighted line; the tree's own `cursor_node` outlives its line."""
        return self.get_node_at_line(self.cursor_line) if self.root.children else None

    def render_label(self, node: TreeNode[Data], base_style: Style, style: Style) -> Text:
        """The name on the left, optimizer and expected accuracy on the right: those leave first where it is narrow."""
        label = super().render_label(node, base_style, style)
        top = node.parent is self.root
        if top and not node.allow_expand:
            label = Text.assemble(" " * len(self.ICON_NODE), label)  # in one column with the folders
        room = max(self.size.width - 1 - (0 if top else INDENT), 8)  # the last column is the scrollbar's
        if label.cell_len > room:
            return Text(set_cell_size(label.plain, room - 1) + "…", style)
        for tail in _tails(node):
            gap = room - label.cell_len - len(tail)
            if gap > 0:
                return Text.assemble(label, (" " * gap + tail, style + Style(dim=True)))
        return label

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[Data]) -> None:
        if isinstance(event.node.data, str) and not self.filtered:
            self.open_folders.add(event.node.data)

    def on_tree_node_collapsed(self, event: Tree.NodeCollapsed[Data]) -> None:
        if isinstance(event.node.data, str) and not self.filtered:
            self.open_folders.discard(event.node.data)

    def action_edit(self, find_rate: bool = False) -> None:
        if self.preset:
            self.post_message(self.Edit(self.preset, find_rate))

    def action_copy(self) -> None:
        data = self.node.data if self.node else None
        if isinstance(data, Preset | Definition):
            self.post_message(self.Copy(data))

    def action_open(self) -> None:
        """Open the folder; in an open one, go to its first preset."""
        node = self.node
        if node and node.is_expanded and node.children:
            self.move_cursor(node.children[0])
        elif node:
            node.expand()

    def action_close(self) -> None:
        """Close the folder; from one of its presets, go to it."""
        node = self.node
        if node and node.parent and node.parent is not self.root:
            self.move_cursor(node.parent)
        elif node:
            node.collapse()


def _has(wanted: list[str], *texts: str) -> bool:
    text = " ".join(texts).lower()
    return all(word in text for word in wanted)


def _folder(study: Definition, folders: set[str]) -> str:
    """The folder of the presets it runs: its own name where that is one, else the folder its file lies in."""
    return study.name if study.name in folders else study.name.rpartition("/")[0]


def _study_label(study: Definition, folders: set[str]) -> Text:
    glyph = "≡" if unicode_terminal() else "="
    return Text(f"{glyph} {'all of them' if study.name in folders else study.name.rpartition('/')[2]}")


def _tails(node: TreeNode[Data]) -> list[str]:
    """What stands on the right of a line, the longest first."""
    if isinstance(node.data, Definition):
        return ["study"]
    if isinstance(node.data, Preset):
        config = node.data.config
        penalty = config.regularization.weight_decay
        name = config.optimizer.name
        tail = f"{name} λ {penalty:g}" if penalty else name
        promised = expected(node.data.expect)
        return [*([f"{tail}  {promised:>6}"] if promised else []), tail, name]
    return [str(len(node.children))] if isinstance(node.data, str) else []
