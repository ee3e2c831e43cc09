"""Patient Orientation (0020,0020) as two words of letters, or None where it is no orientation.

PS3.3 C.7.6.1.1.1: letters A P R L H F, at most three each, for the direction of the rows and columns.
"""

from __future__ import annotations

from pydicom.dataset import Dataset

from app.core.dicom.elements import texts
from app.core.imaging.image import Note

_AXES = ({"A", "P"}, {"L", "R"}, {"H", "F"})


def read_orientation(ds: Dataset) -> tuple[tuple[str, str] | None, tuple[Note, ...]]:
    """Return (row letters, column letters) or None.

    Notes
    -----
    Code ``orientation-unusable``: the element is there and says no direction. An absent or empty one
    is silent here; `complete` tells what the pixels say.
    """
    values = [value.upper() for value in texts(ds, "PatientOrientation")]
    if not any(values):
        return None, ()
    if len(values) == 2 and all(_is_direction(value) for value in values) and _crossed(*values):
        return (values[0], values[1]), ()
    words = "\\".join(values)[:40]
    return None, (
        Note("orientation-unusable", f"Patient Orientation '{words}' is not an orientation.", "warning"),
    )


def _is_direction(word: str) -> bool:
    letters = set(word)
    return (
        0 < len(word) <= 3
        and len(letters) == len(word)
        and letters <= set("APLRHF")
        and not any(axis <= letters for axis in _AXES)
    )


def _crossed(row: str, column: str) -> bool:
    """Tell whether rows and columns can run at a right angle: their leading letters differ in axis."""
    axis = next(axis for axis in _AXES if row[0] in axis)
    return column[0] not in axis
