"""The person's settings: looks and keys, saved as they are changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_trainer.ui import keymap, settings
from tui_trainer.ui.keymap import Command
from tui_trainer.ui.widgets.choice import Choice
from tui_trainer.ui.widgets.footer import KeyFooter
from tui_trainer.ui.widgets.line import Line
from tui_trainer.ui.words import MUTED

if TYPE_CHECKING:
    from tui_trainer.ui.app import TrainerApp

NAME_WIDTH = 12
PLACE_WIDTH = 18


class SettingsScreen(Screen[None]):
    KIND = "settings"
    HELP = (
        "Each setting is a choice: up and down lead from one to the next, left and right choose, and what is chosen "
        "holds at once and is written to the file named above. Below are the actions of every screen with their "
        "keys: enter on one, then press the key it shall have; a key that another action of the same screen has is "
        "refused."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", "setting before", show=False),
        Binding("down", "app.focus_next", "next setting", show=False),
        Binding("delete,backspace", "own_key", "own key again", tooltip="Give the action the key it had at first"),
        Binding("escape", "back", "back"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.commands = keymap.commands()
        self.keys_width = 0

    @property
    def trainer(self) -> TrainerApp:
        return cast("TrainerApp", self.app)

    def compose(self) -> ComposeResult:
        file = Content.styled(str(settings.settings_file()), MUTED)
        yield Line(Content.assemble(("Settings", "bold"), "  ", file), id="settings-top")
        with Vertical(id="settings"):
            for setting in settings.CHOICES:
                with Horizontal(classes="setting"):
                    yield Line(Content(setting.title), classes="setting-name")
                    value = getattr(self.trainer.settings, setting.name)
                    yield Choice(tuple(setting.words), value, setting.words, id=setting.name)
        yield Line(id="setting-help")
        yield OptionList(id="commands", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        self.list_commands()
        self.query_one(f"#{settings.CHOICES[0].name}").focus()

    def list_commands(self) -> None:
        options = self.query_one("#commands", OptionList)
        at = options.highlighted
        options.clear_options()
        self.keys_width = 2 + max(len(self.keys_of(command)) for command in self.commands)
        options.add_options([Option(self.row(command), id=None) for command in self.commands])
        options.highlighted = at or 0

    def row(self, command: Command) -> Content:
        mark = "●" if command.id in self.trainer.settings.keys else " "
        keys = f"{self.keys_of(command):<{self.keys_width}}"
        return Content.assemble(
            (f"{mark} {command.place.replace('-', ' '):<{PLACE_WIDTH}}", MUTED), (keys, "bold $accent"), command.words
        )

    def keys_of(self, command: Command) -> str:
        return " ".join(map(keymap.shown, keymap.keys_of(command, self.trainer.settings.keys)))

    @on(events.DescendantFocus)
    @on(OptionList.OptionHighlighted, "#commands")
    def explain(self) -> None:
        """What has the focus, and how the file calls it."""
        found = next((one for one in settings.CHOICES if self.focused and one.name == self.focused.id), None)
        at = self.query_one("#commands", OptionList).highlighted or 0
        words = found.help if found else "Keys: enter, then the key that an action shall have."
        value = getattr(self.trainer.settings, found.name) if found else ""
        line = f'{found.name} = "{value}"' if found else f'keys."{self.commands[at].id}"'
        self.query_one("#setting-help", Line).content = Content.styled(f"{words}\nin the file: {line}", MUTED)

    @on(Choice.Changed)
    def take(self, event: Choice.Changed) -> None:
        self.trainer.change_setting(str(event.choice.id), event.value)
        self.explain()

    @on(OptionList.OptionSelected, "#commands")
    def ask_key(self, event: OptionList.OptionSelected) -> None:
        command = self.commands[event.option_index]
        self.app.push_screen(PressScreen(command, self.commands, self.trainer.settings.keys), self.put)

    def put(self, found: tuple[str, str] | None) -> None:
        if found:
            name, key = found
            self.trainer.change_keys({**self.trainer.settings.keys, name: key})
            self.list_commands()

    def action_own_key(self) -> None:
        options = self.query_one("#commands", OptionList)
        if options.has_focus and options.highlighted is not None:
            gone = self.commands[options.highlighted].id
            self.trainer.change_keys({name: key for name, key in self.trainer.settings.keys.items() if name != gone})
            self.list_commands()

    def action_back(self) -> None:
        self.dismiss()


class PressScreen(ModalScreen[tuple[str, str] | None]):
    """Waits for the key that an action shall have."""

    def __init__(self, command: Command, known: list[Command], own: Mapping[str, str]) -> None:
        super().__init__()
        self.command = command
        self.known = known
        self.own = own

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            words = self.command.words.partition(":")[0]
            yield Line(
                Content.assemble(("Press the key for ", ""), (words, "bold"), (f" ({self.command.place})", MUTED))
            )
            yield Line(Content.styled("esc keeps what there is", MUTED), id="press-status")

    def on_key(self, event: events.Key) -> None:
        event.stop()
        if event.key == "escape":
            self.dismiss(None)
        elif problem := keymap.objection(self.command, event.key, self.known, self.own):
            self.query_one("#press-status", Line).content = Content.styled(problem, "$text-error")
        else:
            self.dismiss((self.command.id, event.key))
