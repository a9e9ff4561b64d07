"""A terminal dashboard for training multilayer perceptrons."""


def __getattr__(name: str) -> str:
    """`__version__`, looked up only when asked for: reading package metadata would delay the first paint."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version

    return version("tui-trainer")
