"""The data sets: what they are, where they lie, whether they are sound, and their splits. Never imports torch."""

from tui_trainer.datasets.catalogue import (
    CATALOGUE,
    OWN,
    Dataset,
    IdxFile,
    Split,
    data_root,
    dataset,
    is_image,
    split_sizes,
    splits_of,
)
from tui_trainer.datasets.idx import checked, is_present, locate, read, read_idx, size_on_disk
from tui_trainer.datasets.own_file import own, own_digest, own_kind
from tui_trainer.datasets.parts import Choice, Part, Parts, load

__all__ = [
    "CATALOGUE",
    "OWN",
    "Choice",
    "Dataset",
    "IdxFile",
    "Part",
    "Parts",
    "Split",
    "checked",
    "data_root",
    "dataset",
    "is_image",
    "is_present",
    "load",
    "locate",
    "own",
    "own_digest",
    "own_kind",
    "read",
    "read_idx",
    "size_on_disk",
    "split_sizes",
    "splits_of",
]
