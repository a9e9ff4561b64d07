"""A terminal dashboard for training multilayer perceptrons."""

from importlib.metadata import version

__version__ = version("tui-trainer")
