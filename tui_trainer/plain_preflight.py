"""What a pre-flight found, in words: for the command line and for the form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from tui_trainer.text import duration, percent, plural, rate, size, unicode_terminal

Tone = Literal["good", "doubtful", "bad"]
MARKS = {"good": ("✓", "v"), "doubtful": ("!", "!"), "bad": ("✗", "x")}
ADVICE = {
    "learnt": "the network can learn",
    "learning": "it learns, but slowly: a higher learning rate may help",
    "stuck": "it does not learn: look at learning rate, activation and init",
    "diverged": "the loss grows: lower the learning rate",
}
TONES: dict[str, Tone] = {"learnt": "good", "learning": "doubtful", "stuck": "bad", "diverged": "bad"}


def facts(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and value of what was computed and measured; a row without a name goes on with the one above."""
    threads = f" · {plural(found['threads'], 'thread')}" if found["device"] == "cpu" else ""
    rows = [
        ("device", f"{found['device']} {found['device_name']}{threads}"),
        ("step path", f"{found['step_path']} · {found['precision']}"),
        ("memory", f"{size(found['memory_needed'])} needed, {size(found['memory_free'])} free"),
    ]
    rows += [("", f"{size(count):>10}  {name.replace('_', ' ')}") for name, count in found["memory"].items()]
    if speed := found["speed"]:
        epoch = f"{brief(speed['epoch_seconds'])}, of it {brief(speed['validation_seconds'])} validation"
        epochs = f"{plural(found['epochs'], 'epoch')} of {plural(found['steps_per_epoch'], 'step')}"
        rows += [
            ("speed", f"{rate(speed['images_per_second'])}, {brief(speed['step_seconds'])} a step"),
            ("an epoch", epoch),
            ("training", f"about {brief(speed['total_seconds'])} for {epochs}, saving apart"),
        ]
    return rows


def verdicts(found: Mapping[str, Any]) -> list[tuple[Tone, str]]:
    """What speaks for this training and against it, each in a sentence."""
    if found["memory_needed"] > found["memory_free"]:
        return [("bad", "it does not fit the memory that is free: a smaller network or batch; nothing was tried")]
    said: list[tuple[Tone, str]] = [("good", "it fits the memory that is free")]
    if found["speed"] is None:
        said.append(("bad", "the loss diverged within the first second: lower the learning rate"))
    if heart := found["by_heart"]:
        loss = f"loss {number(heart['first_loss'])} → {number(heart['last_loss'])}"
        right = f"{percent(heart['accuracy'], 0)} right"
        what = f"one batch of {heart['examples']:,} by heart: {loss} in {plural(heart['steps'], 'step')}, {right}"
        said.append((TONES[heart["verdict"]], f"{what}; {ADVICE[heart['verdict']]}"))
    return said


def marked(tone: Tone, words: str) -> str:
    return f"{MARKS[tone][not unicode_terminal()]} {words}"


def brief(seconds: float) -> str:
    """`83 µs`, `15 ms`, `4.2 s`, `12:05`."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} {'µs' if unicode_terminal() else 'us'}"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else duration(seconds)


def number(loss: float | None) -> str:
    return "not finite" if loss is None else f"{loss:.3g}"
