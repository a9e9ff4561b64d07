"""A config in words, for a person who chooses what to train."""

from __future__ import annotations

import math
import re
import shlex
import textwrap
from collections.abc import Sequence
from pathlib import Path

from textual.content import Content

from tui_trainer import datasets
from tui_trainer.config import Knob, RunConfig, knobs_of, steps_between
from tui_trainer.presets import Preset
from tui_trainer.runs import directory
from tui_trainer.studies.catalogue import Definition
from tui_trainer.text import InputError, clean, plural
from tui_trainer.ui.words import MUTED

LABEL = 11  # cells for the names on the left of a list of facts
MOST_LAYERS = 12
MOST_ROWS = 12
MOST_CHANGES = 8
ON_TEST = re.compile(r"(\d+(?:\.\d+)?(?:–\d+(?:\.\d+)?)?) % on test")
OF_THREE = re.compile(r"on train, dev and test: [\d., ]+ and (\d+(?:\.\d+)?) %")


def settings(config: RunConfig, group: str) -> list[str]:
    """The settings of the chosen optimizer or schedule that differ from their defaults."""
    chosen = getattr(config, group)
    return [
        f"{knob.name} {knob.render(getattr(chosen, knob.name))}"
        for knob in knobs_of(config).values()
        if knob.group == group
        and knob.name not in ("name", "learning_rate")
        and getattr(chosen, knob.name) != knob.default
    ]


def optimizer(config: RunConfig) -> str:
    """`adam  lr 0.0001  λ 0.01  cosine`, with the settings that differ from their defaults."""
    parts = [f"{config.optimizer.name}  lr {config.optimizer.learning_rate:g}", *settings(config, "optimizer")]
    if config.regularization.weight_decay:
        parts.append(f"λ {config.regularization.weight_decay:g}")
    if config.schedule.name != "constant":
        parts += [config.schedule.name, *settings(config, "schedule")]
    return "  ".join(parts)


def absence(config: RunConfig, data_root: Path) -> str:
    """What is wrong with the data or how to get them; nothing where they are on this machine."""
    if unsound := own_file_problem(config):
        return unsound
    if datasets.is_present(config.dataset, data_root):
        return ""
    return f"{config.data.name} is not on this machine; get it with: {fetch_command(config, data_root)}"


def own_file_problem(config: RunConfig) -> str:
    """What is wrong with a person's own file, if the config names one that cannot be used."""
    try:
        assert config.dataset
    except InputError as error:
        return error.problems[0]
    return ""


def fetch_command(config: RunConfig, data_root: Path) -> str:
    where = "" if data_root == datasets.data_root() else f" --data {data_root}"
    return f"tui-trainer data fetch {config.data.name}{where}"


def facts(config: RunConfig, data_root: Path) -> list[tuple[str, str, str]]:
    """Name, value and colour of each line that says what would be trained."""
    if unsound := own_file_problem(config):
        return [("data", f"! {unsound}", "$text-error")]
    split = config.split
    training = config.training
    units = config.network
    dropout = f" · dropout {','.join(f'{d:g}' for d in units.dropout)}" if any(units.dropout) else ""
    shape = f"{units.activation} · {units.init}{dropout}" if units.hidden_sizes else f"linear · {units.init}"
    steps = plural(config.total_steps, "step")
    found = [
        ("network", f"{config.architecture} · {shape}", ""),
        ("", plural(sum(config.layer_parameters), "parameter"), ""),
        ("optimizer", optimizer(config), ""),
        ("training", " · ".join((plural(config.total_epochs, "epoch"), f"batch {training.batch_size}", steps)), ""),
    ]
    if absence(config, data_root):
        found.append(("data", f"! {config.data.name} is not on this machine; d fetches it, as does", "$text-warning"))
        found.append(("", fetch_command(config, data_root), "$text-warning"))
    else:
        parts = f"{config.data.name} · {split.train:,} train, {split.validation:,} val, {split.test:,} test"
        found.append(("data", f"✓ {parts}", ""))
    if split.validation_is_test:
        found.append(("", "! validation is the test set: the best epoch flatters", "$text-warning"))
    return found


def page_of(chosen: object, name: str, data_root: Path, width: int) -> Content:
    """What is highlighted: a preset, a study, the entries of a folder, or what is wrong with files."""
    if isinstance(chosen, Preset):
        return preset_page(chosen, data_root, width)
    if isinstance(chosen, Definition):
        return study_page(chosen, width)
    entries = chosen if isinstance(chosen, list) else []
    if all(isinstance(entry, str) for entry in entries):
        title = Content.styled("These files are not usable presets", "bold")
        return Content("\n").join([title, *(Content("! " + line) for line in entries)])
    return folder_page(name, entries, width)


def preset_page(preset: Preset, data_root: Path, width: int) -> Content:
    """Everything about one preset, wrapped to `width`."""
    lines = [Content.styled(preset.title or preset.name, "bold")]
    for text in (preset.summary, preset.expect):
        if text:
            lines += [Content(line) for line in textwrap.wrap(text, width, break_on_hyphens=False)]
    lines.append(Content(""))
    for name, value, colour in facts(preset.config, data_root):
        lines += fact(name, value, width, colour)
    if preset.source:
        lines += fact("source", preset.source, width, MUTED)
    return Content("\n").join(lines)


def command_of(chosen: Preset | Definition, runs_root: Path, data_root: Path) -> str:
    """The command line that does what enter does, from this folder of runs and data."""
    options = [] if runs_root == directory.runs_root() else ["--runs", str(runs_root)]
    options += [] if data_root == datasets.data_root() else ["--data", str(data_root)]
    verb = ("study", "run") if isinstance(chosen, Definition) else ("train",)
    return shlex.join(["tui-trainer", *verb, chosen.name, *options])


def expected(words: str) -> str:
    """The test accuracy that a preset's `expect` promises, as `97.9 %` or `95.2–95.7 %`; empty where there is none."""
    found = ON_TEST.search(words) or OF_THREE.search(words)
    return f"{found[1]} %" if found else ""


def study_page(definition: Definition, width: int) -> Content:
    """What a study asks, its rows, and what was printed."""
    study = definition.study
    lines = [Content.styled(clean(study.title, 200) or definition.name, "bold")]
    lines += [Content(line) for line in textwrap.wrap(clean(study.summary, 2000), width, break_on_hyphens=False)]
    lines.append(Content(""))
    grids = sum(math.prod(map(len, grid.fields.values())) for grid in study.grids)
    rows = len(study.runs) + grids
    seeds = f", {plural(study.seeds, 'seed')} each" if study.seeds > 1 else ""
    lines += fact("runs", f"{plural(rows * study.seeds, 'run')}: {plural(rows, 'row')}{seeds}", width)
    names = [clean(run.name or run.preset, 60) for run in study.runs[:MOST_ROWS]]
    names += [" × ".join(clean(field.rpartition(".")[2], 40) for field in grid.fields) for grid in study.grids]
    lines += fact("rows", ", ".join(names) + (" …" if len(study.runs) > MOST_ROWS else ""), width)
    printed = sum(len(run.published) for run in study.runs)
    compared = [plural(n, w) for n, w in ((printed, "printed figure"), (len(study.claims), "claim")) if n]
    if compared:
        lines += fact("beside", " and ".join(compared), width)
    if study.source:
        lines += fact("source", clean(study.source, 1000), width, MUTED)
    lines += [Content(""), Content.styled("enter runs it, or opens it where it has been begun", MUTED)]
    return Content("\n").join(lines)


def folder_page(folder: str, entries: Sequence[object], width: int) -> Content:
    """The presets and studies of a folder, a line each: name and title."""
    named = [(entry.short_name, entry.title) for entry in entries if isinstance(entry, Preset)]
    studies = [entry for entry in entries if isinstance(entry, Definition)]
    named = [(clean(s.name.rpartition("/")[2], 60), clean(s.study.title, 200)) for s in studies] + named
    longest = min(max((len(name) for name, _ in named), default=0), width // 2)
    lines = [
        Content.assemble(
            Content(name).truncate(longest, ellipsis=True, pad=True),
            "  ",
            Content.styled(title, MUTED).truncate(max(width - longest - 2, 1), ellipsis=True),
        )
        for name, title in named
    ]
    counts = [plural(len(named) - len(studies), "preset")]
    counts += [f"{len(studies)} {'study' if len(studies) == 1 else 'studies'}"] if studies else []
    count = f"  {' · '.join(counts)} · enter opens and closes"
    return Content("\n").join([Content.assemble((folder, "bold"), (count, MUTED)), Content(""), *lines])


def changes(base: RunConfig, config: RunConfig, width: int) -> Content:
    """`2 changes`, and below it each field with its value before and after; nothing where there are none."""
    steps, known = steps_between(base, config), knobs_of(config)
    if not steps:
        return Content("")
    lines = [Content.styled(plural(len(steps), "change"), "bold $text-accent")]
    for path, pair in list(steps.items())[:MOST_CHANGES]:
        name = path.removesuffix(".name").rpartition(".")[2].replace("_", " ")
        before, after = (clean(known[path].render(value), 60) or "empty" for value in pair)
        line = Content.assemble((f"{name}  ", MUTED), f"{before} → {after}")
        lines.append(line.truncate(width, ellipsis=True))
    if len(steps) > MOST_CHANGES:
        lines.append(Content.styled(f"… and {len(steps) - MOST_CHANGES} more", MUTED))
    return Content("\n").join(lines)


def hint(knob: Knob, error: str = "") -> Content:
    """What is wrong with a field, else what less and more of it do, or what there is to choose from."""
    if error:
        return Content.styled(f"! {error}", "$text-error")
    effects = [f"lower ↓ {knob.lower}" if knob.lower else "", f"higher ↑ {knob.higher}" if knob.higher else ""]
    words = "     ".join(filter(None, effects)) or "  ".join(knob.choices)
    return Content.styled(words, "$text-accent")


def fact(name: str, value: str, width: int, colour: str = "") -> list[Content]:
    """`name` in a column of its own, `value` wrapped beside it."""
    wrapped = textwrap.wrap(value, max(width - LABEL, 10), break_on_hyphens=False) or [""]
    return [
        Content.assemble(((name if first else "").ljust(LABEL), MUTED), (line, colour))
        for first, line in zip([True] + [False] * len(wrapped), wrapped, strict=False)
    ]


def model_card(config: RunConfig, width: int) -> Content:
    """Each layer with its parameters, the total, and how many steps the training takes."""
    if unsound := own_file_problem(config):
        return Content.styled(f"! {unsound}", "$text-error")
    sizes, counts = config.layer_sizes, config.layer_parameters
    last = len(counts) - 1
    rows: list[tuple[str, str, str]] = [
        (f"{i} → {o}", config.network.activation if n < last else "softmax", f"{count:,}")
        for n, (i, o, count) in enumerate(zip(sizes, sizes[1:], counts, strict=False))
    ]
    if len(rows) > MOST_LAYERS:
        left_out = len(rows) - MOST_LAYERS + 1
        rows[MOST_LAYERS // 2 : MOST_LAYERS // 2 + left_out] = [(f"… {left_out} layers …", "", "")]
    total = f"{sum(counts):,}"
    lines = [Content.styled("Network", "bold"), Content("")]
    lines += [
        Content.assemble(f"{shape:<14}", (f"{name:<11}", MUTED), f"{count:>{max(width - 25, 7)}}")
        for shape, name, count in rows
    ]
    steps = config.steps_per_epoch
    totals = [
        ("parameters", total),
        ("steps/epoch", f"{steps:,}"),
        ("steps", f"{config.total_steps:,}"),
        ("train", f"{config.split.train:,}"),
        ("validation", f"{config.split.validation:,}"),
        ("test", f"{config.split.test:,}"),
    ]
    lines.append(Content.styled("─" * width, "$panel"))
    lines += [Content.assemble((f"{name:<13}", MUTED), f"{value:>{max(width - 13, 8)}}") for name, value in totals]
    if config.split.validation_is_test:
        lines += [
            Content(""),
            *(Content.styled(line, "$text-warning") for line in textwrap.wrap("! validation is the test set", width)),
        ]
    return Content("\n").join(lines)
