"""Adapters of public data sets, one module each; the registry is the explicit table below.

An adapter is a function ``index(root, report) -> list of Row``. Adapters are strangers to each other.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.core.manifest import Row
from trainer.datasets import (
    cbis,
    cbis_mass,
    cdd_cesm,
    cmmd,
    coco,
    curated,
    ddsm_tiles,
    folder,
    inbreast,
    mias,
    own_csv,
    phantom,
    rsna,
    vindr,
)
from trainer.errors import TrainerError

Adapter = Callable[[Path, Callable[[str], None]], list[Row]]

DATASETS: dict[str, Adapter] = {
    "mias": mias.index,
    "cbis": cbis.index,
    "cbis-mass": cbis_mass.index,
    "cdd-cesm": cdd_cesm.index,
    "ddsm-tiles": ddsm_tiles.index,
    "rsna": rsna.index,
    "inbreast": inbreast.index,
    "vindr": vindr.index,
    "cmmd": cmmd.index,
    "folder": folder.index,
    "csv": own_csv.index,
    "coco": coco.index,
    "phantom": phantom.index,
    "curated": curated.index,
}
FILES = frozenset({"csv", "coco", "curated"})
"""Data sets of which ROOT may be the table itself."""


def index(name: str, root: Path, report: Callable[[str], None]) -> list[Row]:
    """Return the manifest rows of a data set below `root`; `report` takes one sentence per doubt.

    Raises
    ------
    TrainerError
        Unknown data set, missing folder, nothing found.
    """
    if name not in DATASETS:
        raise TrainerError(f"{name}: no such data set (known: {', '.join(DATASETS)})")
    if not root.exists():
        raise TrainerError(f"{root}: does not exist")
    if not root.is_dir() and name not in FILES:
        raise TrainerError(f"{root}: not a folder")
    rows = DATASETS[name](root, report)
    if not rows:
        raise TrainerError(f"{root}: no image of the data set {name} was found")
    return rows
