"""What a study file says: its runs, the columns of its table, its charts, the published figures, its claims."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Text = Annotated[str, Field(max_length=20_000)]
Scalar = bool | int | float | str
Figures = dict[str, float]
"""Measure → printed value, accuracies as fractions; `train_loss@3` is the value of epoch 3."""


class Table(BaseModel):
    """A table of a study file: no unknown keys, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


class RunEntry(Table):
    """One row: a preset, with fields changed, and what its source printed."""

    preset: str
    name: str = ""
    """Defaults to the last part of the preset's name."""
    set: dict[str, Any] = {}
    published: Figures = {}
    note: Text = ""


class Grid(Table):
    """Every combination of the values of some fields of one preset, a row each."""

    preset: str
    name: str = ""
    """Begins the names of its rows, `name,learning_rate=0.1`; needed where two grids vary the same fields."""
    fields: dict[str, list[Any]]
    set: dict[str, Any] = {}
    most: int = Field(1000, ge=1, le=10_000)
    """The largest number of combinations meant; more are refused, naming the number."""


class Claim(Table):
    """A statement of the source about several rows, decided by numbers.

    `falls` and `rises`: `measure` over `rows` in order. `ratio`: of the first row to the second, at least `least`.
    `below` and `above`: the first row against the second.
    """

    text: Text
    measure: str
    rows: list[str] = []
    """In order; none means every row as listed."""
    holds: Literal["falls", "rises", "ratio", "below", "above"]
    least: float = 0.0


class Sharpness(Table):
    """φ(ε) of every run's final weights (Keskar et al. 2017), as the measures `sharpness@<ε>`."""

    kind: Literal["sharpness"]
    epsilons: list[float] = [1e-3, 5e-4]


class Line(Table):
    """Loss and accuracy along w(α) = α·w₂ + (1 − α)·w₁, seed by seed, between the final weights of two rows."""

    kind: Literal["line"]
    first: str
    second: str
    low: float = -1.0
    high: float = 2.0
    points: int = Field(61, ge=3, le=1001)


class Throughput(Table):
    """Images a second of the machine at hand, over hidden widths: the presets' networks with nothing else running."""

    kind: Literal["throughput"]


Analysis = Annotated[Sharpness | Line | Throughput, Field(discriminator="kind")]


class Study(Table):
    """A study file as written. `plan.rows` makes rows and configs of it."""

    title: Text = ""
    summary: Text = ""
    source: Text = ""
    notes: Text = ""
    seeds: int = Field(1, ge=1, le=1000)
    one_at_a_time: bool = False
    """Runs that are timed against printed times share the machine with nothing."""
    set: dict[str, Any] = {}
    """Fields changed in every run."""
    columns: list[str] = []
    """Of the table: fields of the config by path, and measures. None means the fields that differ, and accuracies."""
    charts: list[str] = ["val_accuracy"]
    """Series over epochs, all rows in one chart each: `val_accuracy`, `train_loss`; or `MEASURE against FIELD`."""
    tolerance: Figures = {}
    """Measure → how far ours may lie from the printed value and count as reproduced; `train_loss` for every epoch."""
    runs: list[RunEntry] = []
    grids: list[Grid] = []
    claims: list[Claim] = []
    analyses: list[Analysis] = []
    report: Literal["table", "evaluation-report"] = "table"
    """`evaluation-report`: the lab sheet's twelve columns, plots of every setting, conclusions."""

    @model_validator(mode="after")
    def _has_runs(self) -> Self:
        if not self.runs and not self.grids:
            raise ValueError("runs: is missing; a study needs [[runs]] or [[grids]]")
        return self
