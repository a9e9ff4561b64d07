"""Configs from tables and settings, every problem at once, each line naming its key and its limit."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from tui_trainer.config.knobs import VARIANTS, Knob, knobs
from tui_trainer.config.run import RunConfig
from tui_trainer.names import resolve
from tui_trainer.text import InputError, clean, nearest


def build(values: Mapping[str, Any], where: str = "") -> RunConfig:
    """A config from nested tables. Raises `InputError` with every problem, each line `where: key: what, limit`."""
    prefix = f"{where}: " if where else ""
    try:
        return RunConfig.model_validate(dict(values))
    except ValidationError as error:
        raise InputError(*(prefix + line for line in _explain(error, values))) from None
    except InputError as error:
        raise InputError(*(prefix + line for line in error.problems)) from None


def _explain(error: ValidationError, values: Mapping[str, Any]) -> Iterator[str]:
    """pydantic's errors in our words: the key, what was given, the limit."""
    chosen = {group: _name_in(values, group) for group in VARIANTS}
    for item in error.errors(include_url=False):
        path = [str(part) for part in item["loc"]]
        if path[0:1] and path[0] in VARIANTS and len(path) > 1:
            path.pop(1)  # pydantic puts the chosen union member into the path
        key = ".".join(path)
        context = item.get("ctx", {})
        given = brief(item["input"])
        match item["type"]:
            case "value_error":
                yield from str(context["error"]).splitlines()
                continue
            case "extra_forbidden":
                yield clean(f"{key}: {_unknown(key, chosen)}", 300)
                continue
            case "too_short" if len(item["input"]) >= context["min_length"]:
                continue  # pydantic counts only the sound ones; those that are not have their own line
            case "union_tag_invalid":
                tag, known = str(context["tag"]), VARIANTS[key][0]
                yield f"{key}.name: {tag!r} is not one of {', '.join(known)}{nearest(tag, known)}"
                continue
            case "union_tag_not_found":
                yield f"{key}.name: is missing; one of {', '.join(VARIANTS[key][0])}"
                continue
            case "literal_error":
                knob = knobs(**chosen).get(key)
                choices = knob.choices if knob else ()
                yield f"{key}: {given} is not one of {', '.join(choices)}{nearest(str(item['input']), choices)}"
                continue
        problem = limit(item["type"], given, context) or f"{given}: {item['msg']}"
        yield clean(f"{key}: {problem}", 300)


def brief(value: object) -> str:
    """A foreign value as its first 60 characters."""
    try:
        return repr(value)[:60]
    except (RecursionError, ValueError):  # nested, or a number, beyond what Python prints
        return f"this {type(value).__name__}"


def _name_in(values: Mapping[str, Any], group: str) -> str:
    table = values.get(group)
    default = str(RunConfig.model_fields[group].default.name)
    return str(table.get("name", default)) if isinstance(table, Mapping) else default


def limit(kind: str, given: str, context: Mapping[str, Any]) -> str:
    """What pydantic's error of this kind says in our words; nothing for kinds no person meets."""
    match kind:
        case "greater_than_equal":
            return f"{given} is below the least allowed, {context['ge']}"
        case "greater_than":
            return f"{given} must be above {context['gt']}"
        case "less_than_equal":
            return f"{given} is above the most allowed, {context['le']}"
        case "less_than":
            return f"{given} must be below {context['lt']}"
        case "too_long" | "too_short":
            most = "max_length" in context
            bound = f"at most {context['max_length']}" if most else f"at least {context['min_length']}"
            return f"has {context['actual_length']} values, must have {bound}"
        case "string_too_long":
            return f"is longer than {context['max_length']} characters"
    return {
        "finite_number": f"{given} is not a finite number",
        "int_type": f"{given} is not a whole number",
        "int_from_float": f"{given} is not a whole number",
        "float_type": f"{given} is not a number",
        "bool_type": f"{given} is neither true nor false",
        "string_type": f"{given} is not a text",
        "tuple_type": f"{given} is not a list",
        "model_type": f"{given} is not a table of settings",
        "model_attributes_type": f"{given} is not a table of settings",
    }.get(kind, "")


def _unknown(key: str, chosen: Mapping[str, str]) -> str:
    group, _, name = key.partition(".")
    if not name:
        return f"no such table or setting{nearest(key, RunConfig.model_fields)}"
    if group in VARIANTS:
        for other, model in VARIANTS[group][0].items():
            if other != chosen[group] and name in model.model_fields:
                return f"a setting of {other}, but the {group} is {chosen[group]}"
    known = knobs(**chosen)
    here = {path.partition(".")[2]: path for path in known if path.startswith(group + ".")}
    elsewhere = [path for path in known if path.endswith("." + name)]
    return "no such setting" + (nearest(name, here) or (f" (did you mean '{elsewhere[0]}'?)" if elsewhere else ""))


def apply(config: RunConfig, settings: list[str]) -> RunConfig:
    """`config` with `key=value` settings applied, all problems at once.

    Choosing another optimizer or schedule drops the settings of the old one, but keeps what the new one has too.
    """
    values: dict[str, dict[str, Any]] = config.model_dump()
    pairs: list[tuple[str, str]] = []
    problems: list[str] = []
    chosen = {group: values[group]["name"] for group in VARIANTS}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            problems.append(f"--set {setting[:60]!r}: write key=value")
            continue
        group = name.strip().removesuffix(".name")
        if group in VARIANTS:
            chosen[group] = text.strip()
        pairs.append((name.strip(), text))
    for group, choice in chosen.items():
        values[group] = switch(values[group], group, choice)
    known = knobs(**chosen)
    for name, text in pairs:
        try:
            path = resolve(name, known)
        except ValueError as error:
            problems.append(f"--set {name}: {error}")
            continue
        group, _, field = path.partition(".")
        try:
            values[group][field] = known[path].parse(text)
        except ValueError as error:
            problems.append(f"--set {path}: {error}")
    try:
        changed = build(values, "--set")
    except InputError as error:
        problems += error.problems
    if problems:
        raise InputError(*problems)
    return changed


def switch(table: dict[str, Any], group: str, choice: str) -> dict[str, Any]:
    """A group's table for another optimizer or schedule: its name, and the old one's learning rate or warm-up."""
    if table["name"] == choice:
        return table
    model = VARIANTS[group][0].get(choice)
    shared = ("learning_rate", "warmup_epochs")
    kept = {key: value for key, value in table.items() if key in shared and model and key in model.model_fields}
    return {"name": choice, **kept}


def change(config: RunConfig, changes: Mapping[str, Any]) -> RunConfig:
    """`config` with fields replaced by dotted path; another optimizer's or schedule's name swaps its settings.

    Raises `InputError`.
    """
    values = config.model_dump()
    for group in VARIANTS:
        if name := changes.get(f"{group}.name"):
            values[group] = switch(values[group], group, str(name))
    for path, value in changes.items():
        group, _, field = path.partition(".")
        values.setdefault(group, {})[field] = value
    return build(values)


def differences(base: RunConfig, other: RunConfig) -> dict[str, tuple[Any, Any]]:
    """Every field in which the two differ, as path → (base's value or None, other's value or None)."""
    flat_base, flat_other = flatten(base), flatten(other)
    return {
        path: (flat_base.get(path), flat_other.get(path))
        for path in flat_base | flat_other
        if flat_base.get(path) != flat_other.get(path)
    }


def steps_between(base: RunConfig, other: RunConfig) -> dict[str, tuple[Any, Any]]:
    """What a person changes to come from one to the other: path → (before, after), another optimizer's name first.

    Where that is another one, its settings are compared with those it has once it has been chosen.
    """
    values = base.model_dump()
    chosen: dict[str, tuple[Any, Any]] = {}
    for group, (models, _) in VARIANTS.items():
        before, after = values[group]["name"], getattr(other, group).name
        if before != after:
            chosen[f"{group}.name"] = (before, after)
            values[group] = models[after](**switch(values[group], group, after)).model_dump()
    flat_base = _flat(values)
    rest = {path: (flat_base[path], value) for path, value in flatten(other).items() if flat_base[path] != value}
    return chosen | rest


def settings(base: RunConfig, other: RunConfig) -> list[str]:
    """The `key=value` settings with which `apply` makes `other` of `base`, each under the shortest name it has."""
    known, steps = knobs(other.optimizer.name, other.schedule.name), steps_between(base, other)
    return [f"{_shortest(path, known)}={known[path].render(after)}" for path, (_, after) in steps.items()]


def _shortest(path: str, known: Mapping[str, Knob]) -> str:
    """`optimizer` for optimizer.name, `epochs` for training.epochs; the path where that would be another's name too."""
    group, _, field = path.partition(".")
    name = group if field == "name" else field
    try:
        return name if resolve(name, known) == path else path
    except ValueError:
        return path


def flatten(config: RunConfig) -> dict[str, Any]:
    """Every value by its dotted path."""
    return _flat(config.model_dump())


def _flat(values: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {f"{group}.{name}": value for group, table in values.items() for name, value in table.items()}
