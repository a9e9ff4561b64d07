"""A hypothesis strategy for configs, read off the declarations of the fields themselves."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel

from tui_trainer import datasets
from tui_trainer.config import VARIANTS, RunConfig, build


def values_of(kind: Any, limits: Iterable[Any]) -> st.SearchStrategy[Any]:
    """Every value that a type allows within its limits, as pydantic declares both."""
    least = max((x for m in limits if (x := getattr(m, "ge", getattr(m, "gt", None))) is not None), default=None)
    most = min((x for m in limits if (x := getattr(m, "le", getattr(m, "lt", None))) is not None), default=None)
    if get_origin(kind) is Annotated:
        inner, *metadata = get_args(kind)
        return values_of(inner, [*limits, *(m for field in metadata for m in getattr(field, "metadata", [field]))])
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if get_origin(kind) is tuple:
        sizes = {name: getattr(m, name) for m in limits for name in ("min_length", "max_length") if hasattr(m, name)}
        found = st.lists(
            values_of(get_args(kind)[0], ()), min_size=sizes.get("min_length", 0), max_size=sizes["max_length"]
        )
        return found.map(tuple)
    if kind is bool:
        return st.booleans()
    if kind is int:
        return st.integers(least, most)
    if kind is float:
        above, below = (any(hasattr(m, name) for m in limits) for name in ("gt", "lt"))
        return st.floats(least, most, exclude_min=above, exclude_max=below)
    assert kind is str
    return st.text(max_size=50).filter(lambda text: text == text.strip() and text[:1] != "~")


def group_of(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    fields = model.model_fields
    return st.fixed_dictionaries({name: values_of(info.annotation, info.metadata) for name, info in fields.items()})


GROUPS = {
    name: st.one_of(*map(group_of, VARIANTS[name][0].values())) if name in VARIANTS else group_of(type(info.default))
    for name, info in RunConfig.model_fields.items()
}


@st.composite
def configs(draw: st.DrawFn) -> RunConfig:
    """Any config at all, each field anywhere within its bounds, made to fit the others."""
    values = {name: draw(group) for name, group in GROUPS.items()}
    data, network, optimizer = values["data"], values["network"], values["optimizer"]
    if data["split"] not in datasets.splits_of(data["name"]):
        data["split"] = "auto"
    data["file"] = data["file"] or "own"
    values["noise"]["distortion"] *= datasets.is_image(data["name"])
    hidden = len(network["hidden_sizes"])
    one = network["dropout"][:1]
    network["dropout"] = (network["dropout"] * hidden)[:hidden] if hidden and draw(st.booleans()) else one
    values["layers"]["frozen"] = min(values["layers"]["frozen"], hidden)
    if optimizer["name"] == "sgd":
        optimizer["nesterov"] &= optimizer["momentum"] > 0 and optimizer["dampening"] == 0
    return build(values)
