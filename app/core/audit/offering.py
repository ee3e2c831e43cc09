"""Cases that are offered to be read next, as they are recorded: the trainer and the audit window share it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from app.core.audit.choice import Chosen
from app.core.audit.next_case import Offer, Pool, Strategy, next_cases
from app.core.audit.verdicts import identity
from app.core.manifest import Row


@dataclass(frozen=True, slots=True)
class Sought:
    """What is asked for; see `app.core.audit.next_case.next_cases`.

    Attributes
    ----------
    frozen, frozen_by
        Patients who are never offered, and the hash of the splits that say so ("" where there are none).
    reader
        Who asks.
    """

    strategy: Strategy
    count: int
    frozen: frozenset[str]
    frozen_by: str = ""
    threshold: float | None = None
    seed: int = 0
    reader: str = ""


def offered(
    rows: Sequence[Row],
    sought: Sought,
    scores: npt.NDArray[np.float64],
    embeddings: npt.NDArray[np.float32] | None,
    read: npt.NDArray[np.bool_] | None,
    models: Sequence[str],
) -> tuple[Chosen, ...]:
    """Return the cases to read next, the first first, as they are recorded.

    Parameters
    ----------
    scores
        (models, rows), nan where there is none.
    embeddings
        (rows, width), nan where there is none; None: there are none at all.
    read
        (rows,), what is read already; None: nothing is.
    models
        ``name version`` of those that the scores or embeddings are of.

    Raises
    ------
    ChoiceError
        The strategy lacks what it needs, or no case is left.
    """
    pool = Pool([row.patient_id for row in rows], scores, embeddings, read)
    offers = next_cases(
        pool,
        sought.strategy,
        sought.count,
        frozen=sought.frozen,
        threshold=sought.threshold,
        seed=sought.seed,
    )
    made = datetime.now(UTC).isoformat(timespec="seconds")
    used = tuple(models) if sought.strategy != "random" else ()
    free = sum(
        row.patient_id not in sought.frozen and not (read is not None and bool(read[number]))
        for number, row in enumerate(rows)
    )
    return tuple(
        _chosen(offer, rank, rows[offer.case], sought, free, used, made)
        for rank, offer in enumerate(offers, start=1)
    )


def _chosen(
    offer: Offer, rank: int, row: Row, sought: Sought, free: int, models: tuple[str, ...], made: str
) -> Chosen:
    return Chosen(
        image=identity(row),
        image_id=row.image_id,
        patient_id=row.patient_id,
        strategy=sought.strategy,
        value=offer.value,
        rank=rank,
        of=free,
        seed=sought.seed,
        threshold=sought.threshold,
        models=models,
        frozen=sought.frozen_by,
        reader=sought.reader,
        made=made,
    )
