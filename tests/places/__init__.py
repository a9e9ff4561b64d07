"""Every place of the dashboard that a person can be at, and how to get there; nothing of it differs between two visits.

A place is a function of `World`; `@place()` notes it in `PLACES` under its name.
"""

from tests.places import form, home, run, runs, studies
from tests.screens import LARGE_TOO, PLACES

__all__ = ["LARGE_TOO", "PLACES", "form", "home", "run", "runs", "studies"]
