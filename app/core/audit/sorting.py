"""The order in which cases are looked at; stable, and a case without a value comes last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from app.core.audit.cases import Floats, Places
from app.core.audit.columns import NUMBERS, TEXTS, Sheet, numbers, texts


@dataclass(frozen=True, slots=True)
class Sorting:
    """A column (of `columns.TEXTS` or `columns.NUMBERS`) and whether the largest come first; "": as it is."""

    column: str = ""
    falling: bool = False


AS_IT_IS: Final = Sorting()
"""The order of the manifest."""

SORTABLE: Final = (*NUMBERS, *TEXTS)


def key_of(sheet: Sheet, column: str) -> Floats:
    """Return a number for each row by which a column sorts; nan where the row has no value.

    Raises
    ------
    KeyError
        There is no such column.
    """
    if column in NUMBERS:
        return numbers(sheet, column)
    found = texts(sheet, column)
    key = found.codes.astype(np.float64)
    if "" in found.words:
        key[found.codes == found.words.index("")] = np.nan
    return key


def ordered(sheet: Sheet, places: Places, sorting: Sorting) -> Places:
    """Return these rows in another order; those that are equal keep theirs."""
    if not sorting.column:
        return places
    key = key_of(sheet, sorting.column)[places]
    # argsort puts nan last, whichever way the numbers go.
    found: Places = places[np.argsort(-key if sorting.falling else key, kind="stable")]
    return found
