"""A dotted name by as much of it as is unique, where a person writes one. Without pydantic: lists of runs ask too."""

from collections.abc import Collection

from tui_trainer.text import nearest


def resolve(name: str, known: Collection[str], unknown: str = "no such setting") -> str:
    """The known name meant by itself, by its last part where that is unique, or by a group that has a name.

    `epochs` → `training.epochs`; `optimizer` → `optimizer.name`; `data` → `data.name`. Raises ValueError, which begins
    with `unknown` and names the nearest where there is none.
    """
    if name in known:
        return name
    if f"{name}.name" in known:
        return f"{name}.name"
    matches = [path for path in known if path.endswith(f".{name}")]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise ValueError(f"could be {' or '.join(matches)}")
    raise ValueError(unknown + nearest(name, [*known, *(path.partition(".")[2] for path in known)]))
