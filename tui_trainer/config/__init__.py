"""`RunConfig`: every hyperparameter of a run, declared once with its type, bounds, default and help.

The form, `--set`, presets and `show` all read these declarations; none keeps a list of its own.
"""

from tui_trainer.config.change import apply, build, change, differences, flatten, settings, steps_between
from tui_trainer.config.groups import OPTIMIZERS, SCHEDULES
from tui_trainer.config.knobs import VARIANTS, Knob, knobs, knobs_of
from tui_trainer.config.live import is_live
from tui_trainer.config.run import RunConfig

__all__ = [
    "OPTIMIZERS",
    "SCHEDULES",
    "VARIANTS",
    "Knob",
    "RunConfig",
    "apply",
    "build",
    "change",
    "differences",
    "flatten",
    "is_live",
    "knobs",
    "knobs_of",
    "settings",
    "steps_between",
]
