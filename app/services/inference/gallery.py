"""Pictures of cases for a report: the breast alone, hung, small; air and film labels are black.

A name may be burned in beside the breast, so that what lies outside it is not shown.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from app.core.audit.cases import Floats
from app.core.audit.matching import Matching
from app.core.audit.reported import Exhibit
from app.core.errors import MammoviewError
from app.core.imaging.orientation import Hang, canonical, hung_shape, turn
from app.core.manifest import Row
from app.services.inference.batch import views_of
from model_zoo.breast import find_breast
from model_zoo.contract import ArrayView
from model_zoo.errors import ModelError
from model_zoo.preprocess import DIGITAL

SIDE = 520
"""Longest side of a picture."""


def exhibit(place: int, row: Row, matching: Matching | None) -> Exhibit:
    """Return a case as a report shows it; one that cannot be read has its reason in place of a picture."""
    (view,) = views_of([row], ())
    try:
        pixels = view.pixels
    except (ModelError, MammoviewError) as error:
        return Exhibit(place, None, (row.rows, row.columns), np.eye(2, 3), None, f"{row.path}: {error}")
    rows, columns = pixels.shape
    found = find_breast(pixels, view.padding, digital=view.source in DIGITAL)
    mask = cv2.resize(
        found.mask.astype(np.uint8),
        (found.mask.shape[1] * found.factor, found.mask.shape[0] * found.factor),
        interpolation=cv2.INTER_NEAREST,
    )[:rows, :columns]
    grey = np.where(mask > 0, pixels >> 8, 0).astype(np.uint8)
    assert isinstance(view, ArrayView)
    hang = canonical(view.orientation, view.laterality, view.view)  # type: ignore[arg-type]
    upright = np.ascontiguousarray(turn(grey, hang))
    height, width = hung_shape(hang, rows, columns)
    factor = min(1.0, SIDE / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    _, png = cv2.imencode(".png", cv2.resize(upright, size, interpolation=cv2.INTER_AREA))
    return Exhibit(place, png.tobytes(), (height, width), shares(hang, rows, columns), matching)


def shares(hang: Hang, rows: int, columns: int) -> Floats:
    """Return 2x3 from (row, col, 1) of stored pixel corners to shares of the hung height and width."""
    linear = np.diag([1.0 / rows, 1.0 / columns])
    if hang.transpose:
        linear = linear[::-1].copy()
    offset = np.zeros(2)
    for axis, flipped in enumerate((hang.flip_rows, hang.flip_cols)):
        if flipped:
            linear[axis] *= -1
            offset[axis] = 1.0
    return np.column_stack([linear, offset])


def exhibits(chosen: Sequence[tuple[int, Row, Matching | None]]) -> tuple[Exhibit, ...]:
    """Return cases as they are shown in a report."""
    return tuple(exhibit(*one) for one in chosen)
