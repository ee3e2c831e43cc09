"""Adapters of public data sets, one module each; the registry is the explicit table below.

An adapter is a function ``index(root, report) -> list of Row``. Adapters are strangers to each other.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trainer.datasets import cbis_mass, mias, phantom
from trainer.errors import TrainerError
from trainer.manifest import Row

Adapter = Callable[[Path, Callable[[str], None]], list[Row]]

DATASETS: dict[str, Adapter] = {
    "mias": mias.index,
    "cbis-mass": cbis_mass.index,
    "phantom": phantom.index,
}
LATER = (
    "cbis",
    "cdd-cesm",
    "ddsm-tiles",
    "rsna",
    "inbreast",
    "vindr",
    "cmmd",
    "folder",
    "csv",
    "coco",
)


def index(name: str, root: Path, report: Callable[[str], None]) -> list[Row]:
    """Return the manifest rows of a data set below `root`; `report` takes one sentence per doubt.

    Raises
    ------
    TrainerError
        Unknown or not yet supported data set, missing folder, nothing found.
    """
    if name in LATER:
        raise TrainerError(f"{name}: the adapter of this data set comes with a later version")
    if name not in DATASETS:
        raise TrainerError(f"{name}: no such data set (known: {', '.join(DATASETS)})")
    if not root.is_dir():
        raise TrainerError(f"{root}: not a folder")
    rows = DATASETS[name](root, report)
    if not rows:
        raise TrainerError(f"{root}: no image of the data set {name} was found")
    return rows


def stored_orientation(row: Row) -> tuple[str, str] | None:
    """Return the Patient Orientation that a data set's conventions give its image files, or None.

    Some collections store their pictures mirrored; only their adapter knows. The adapter is named
    by the first word of the row's label source.
    """
    name = row.label_source.partition(":")[0].strip()
    return mias.stored_orientation(row) if name == "mias" else None
