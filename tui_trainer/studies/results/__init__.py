"""What a study's runs add up to: estimates over seeds, the table, printed figures beside ours, claims decided."""

from tui_trainer.studies.results.columns import Cell, Column, columns, differing, field_cell, named
from tui_trainer.studies.results.curves import Curve, curve, together
from tui_trainer.studies.results.estimate import Estimate, by_seed, estimate, within_noise
from tui_trainer.studies.results.published import ClaimResult, Comparison, claims, comparisons
from tui_trainer.studies.results.relations import Group, across, between, groups, is_logarithmic
from tui_trainer.studies.results.table import Line, Table, footnotes, standing, table, verdicts

__all__ = [
    "Cell",
    "ClaimResult",
    "Column",
    "Comparison",
    "Curve",
    "Estimate",
    "Group",
    "Line",
    "Table",
    "across",
    "between",
    "by_seed",
    "claims",
    "columns",
    "comparisons",
    "curve",
    "differing",
    "estimate",
    "field_cell",
    "footnotes",
    "groups",
    "is_logarithmic",
    "named",
    "standing",
    "table",
    "together",
    "verdicts",
    "within_noise",
]
