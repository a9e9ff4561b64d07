"""A peer's epochs, timed by whoever runs it."""

from typing import Protocol


class Laps(Protocol):
    def more(self) -> bool:
        """Shall another epoch be trained?"""
