"""The reader's own work as a data set: the store of the workstation, or a snapshot of a curated set.

The store holds no pixels and no patient's name, so that the images must be named too (`--images`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.core.manifest import Row
from app.core.reading.log import Log, read_log
from trainer.curation.curate import Curated, Options, curate
from trainer.curation.images import known_images
from trainer.curation.snapshot import is_snapshot, read_snapshot
from trainer.curation.statements import said
from trainer.errors import TrainerError

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class CuratedIndex:
    """A curated set with the log and the rules that it was made by."""

    made: Curated
    log: Log
    options: Options


def index(root: Path, report: Tell) -> list[Row]:
    """Return the rows of a snapshot; a store needs `index_store`, which is told where the images are.

    Raises
    ------
    TrainerError
        `root` is no snapshot, or not as it was written.
    """
    return list(index_snapshot(root, report).made.rows)


def index_snapshot(folder: Path, report: Tell) -> CuratedIndex:
    """Make a curated set again from its snapshot alone.

    Raises
    ------
    TrainerError
        It is none, or not as it was written.
    """
    if not is_snapshot(folder):
        raise TrainerError(f"{folder}: a store needs --images, the manifest or folder of its images")
    frozen = read_snapshot(folder)
    made = curate(said(frozen.log.changes, report), frozen.known, frozen.options, report)
    return CuratedIndex(made, frozen.log, frozen.options)


def index_store(store: Path, images: Path, options: Options, as_of: int | None, report: Tell) -> CuratedIndex:
    """Make a curated set of a store and the images searched.

    Parameters
    ----------
    as_of
        Number of the last change that counts; None: all.

    Raises
    ------
    StoreError
        No store, or no change of that number.
    TrainerError
        Images that cannot be searched or read.
    """
    log = read_log(store, as_of)
    words = said(log.changes, report)
    made = curate(words, known_images(images, report, hashed=words.by_hash), options, report)
    for sentence in (*made.missing, *(conflict.sentence for conflict in made.conflicts)):
        report(sentence)
    unknown = sorted(set(options.by_hand) - {record["image_id"] for record in made.records})
    if unknown:
        raise TrainerError(f"{unknown[0]}: named in the resolutions, but no reader said anything of it")
    return CuratedIndex(made, log, options)
