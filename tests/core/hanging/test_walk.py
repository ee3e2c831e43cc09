"""The stops of a walk at actual pixels: together they show every pixel of the breast."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.hanging.placement import place
from app.core.hanging.walk import next_stop, stops
from app.core.reading.coverage import shown, unseen
from app.services.state import ViewportState
from tests.core.hanging.test_placement import image

ROWS, COLUMNS = 400, 300
BREASTS = {"R": (40, 60, 380, 300), "L": (40, 0, 380, 240)}


@pytest.mark.parametrize("pane", [(100.0, 120.0), (200.0, 90.0)])
def test_every_cell_of_the_coverage_is_whole_in_some_stop(pane: tuple[float, float]) -> None:
    one = image("RCC")
    mask = np.ones((ROWS, COLUMNS), dtype=bool)
    mask[40:380, 60:] = False
    coverage = unseen(mask)
    for focus in stops(one, BREASTS["R"], pane):
        view = ViewportState(image=one, sizing="actual", focus=focus)
        affine = place(one, ROWS, COLUMNS, BREASTS["R"], view, "none", False, pane, 1.0)
        coverage = shown(coverage, affine.inverse().apply_box((0.0, 0.0, *pane)))
    assert coverage.complete


@pytest.mark.parametrize("label", ["RCC", "LCC", "RMLO", "LMLO"])
@pytest.mark.parametrize("mm", [0.1, (0.1, 0.05)])
@pytest.mark.parametrize("pane", [(100.0, 90.0), (400.0, 300.0), (37.0, 211.0)])
def test_every_pixel_of_the_breast_is_in_some_stop(label: str, mm: float, pane: tuple[float, float]) -> None:
    one = image(label, mm=mm)
    breast = BREASTS[label[0]]
    seen = np.zeros((ROWS, COLUMNS), dtype=bool)
    for focus in stops(one, breast, pane):
        view = ViewportState(image=one, sizing="actual", focus=focus)
        affine = place(one, ROWS, COLUMNS, breast, view, "none", False, pane, 1.0)
        rows, columns = np.mgrid[0:ROWS, 0:COLUMNS]
        on_device = affine.apply(np.stack([rows.ravel(), columns.ravel()], axis=1))
        inside = ((on_device >= -0.5) & (on_device < np.array(pane) - 0.5)).all(axis=1)
        seen |= inside.reshape(ROWS, COLUMNS)
    row0, col0, row1, col1 = breast
    assert seen[row0:row1, col0:col1].all()


def test_the_walk_begins_at_the_top_by_the_chest_wall() -> None:
    right, left = (
        stops(image("RCC"), BREASTS["R"], (100, 90))[0],
        stops(image("LCC"), BREASTS["L"], (100, 90))[0],
    )
    # Edges 40 - 32 + 100/2 = 58: centre 57.5; chest wall at columns 300 and 0, half a pane away.
    assert right == pytest.approx((57.5, 300 - 45 - 0.5))
    assert left == pytest.approx((57.5, 45 - 0.5))


def test_a_breast_that_fits_has_one_stop_at_its_middle() -> None:
    # 340 and 240 pixels with 32 around, cut at the image's edges: rows 8..400, columns 0..272.
    assert stops(image("LCC"), BREASTS["L"], (392, 272)) == (pytest.approx((203.5, 135.5)),)


def test_walking_on_and_back_ends_at_the_ends() -> None:
    at = ((0.0, 0.0), (0.0, 10.0), (10.0, 0.0))
    assert next_stop(at, None, 1) == 0
    assert next_stop(at, None, -1) is None
    assert next_stop(at, at[0], 1) == 1
    assert next_stop(at, (1.0, 9.0), 1) == 2  # the reader moved away from the second
    assert next_stop(at, at[2], 1) is None
    assert next_stop(at, at[0], -1) is None
    assert next_stop((), None, 1) is None
