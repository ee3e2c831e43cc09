"""Pixels, boxes, heat map and magnifier land on one planted bead, however the file is stored.

The expected place on screen is computed here from the hanging rules: one scale, so that the breast
just fits; chest wall of a right breast at the pane's right edge; a CC view centred up and down.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from ui_desk import FACTS, Desk, frame_of, image_of

from app.core.imaging.image import Study
from app.core.reading.findings import Evidence, Finding, SecondLook, ViewLook

EIGHT = list(product((False, True), repeat=3))
ROWS, COLUMNS, SIDE = 240, 160, 6
BEAD = (90, 60)
"""Top left pixel of the bead (SIDE x SIDE) in the hung image."""
OPPOSITE = {"P": "A", "A": "P", "L": "R", "R": "L"}


def hung_pixels() -> np.ndarray:
    """A right CC breast as it hangs, grey 500 of 4095, with a bead of 4000."""
    row, col = np.mgrid[0:ROWS, 0:COLUMNS]
    inside = np.hypot((row - ROWS / 2) / (0.4 * ROWS), (COLUMNS - 1 - col) / (0.7 * COLUMNS)) < 1
    pixels = np.where(inside, 500, 0).astype(np.uint16)
    pixels[BEAD[0] : BEAD[0] + SIDE, BEAD[1] : BEAD[1] + SIDE] = 4000
    return pixels


def stored_way(array: np.ndarray, turned: tuple[bool, bool, bool]) -> np.ndarray:
    """Store what hangs in one of the eight orientations."""
    transpose, flip_rows, flip_cols = turned
    array = array.T if transpose else array
    return np.ascontiguousarray(array[:: -1 if flip_rows else 1, :: -1 if flip_cols else 1])


def letters(turned: tuple[bool, bool, bool]) -> tuple[str, str]:
    """Patient Orientation of that file; a hung RCC is P, L."""
    transpose, flip_rows, flip_cols = turned
    row, col = ("L", "P") if transpose else ("P", "L")
    return (OPPOSITE[row] if flip_cols else row, OPPOSITE[col] if flip_rows else col)


def box_of_bead(stored: np.ndarray) -> tuple[float, float, float, float]:
    """The bead's box in stored pixels, edges at pixel corners."""
    rows, cols = np.nonzero(stored > 2000)
    return (float(rows.min()), float(cols.min()), rows.max() + 1.0, cols.max() + 1.0)


def expected_place(pane_rows: int, pane_cols: int) -> tuple[float, float, float]:
    """(row, col) of the bead's centre in device pixel edges, and the scale in pixels per stored pixel."""
    rows, cols = np.nonzero(hung_pixels())
    top, bottom, left = rows.min(), rows.max() + 1, cols.min()
    scale = min(pane_rows / (bottom - top), pane_cols / (COLUMNS - left))
    row = pane_rows / 2 + (BEAD[0] + SIDE / 2 - (top + bottom) / 2) * scale
    col = pane_cols - (COLUMNS - BEAD[1] - SIDE / 2) * scale
    return row, col, scale


def show_bead(desk: Desk, turned: tuple[bool, bool, bool]) -> np.ndarray:
    """Hang one file alone, without corner text, and give back its stored pixels."""
    stored = stored_way(hung_pixels(), turned)
    image = image_of("RCC", rows=stored.shape[0], columns=stored.shape[1], orientation=letters(turned))
    study = Study("study-1", image.patient, None, (image,))
    desk.open(study, decoded=False)
    desk.session.set_protocol("single")
    desk.library.give(frame_of(image, stored))
    desk.session.set_overlay(corner="off")
    return stored


def centre(mask: np.ndarray) -> tuple[float, float]:
    """Centre of a mask in pixel edges."""
    rows, cols = np.nonzero(mask)
    return (rows.mean() + 0.5, cols.mean() + 0.5)


def say(desk: Desk, **facts: object) -> None:
    """Let the model say something about the one image."""
    study = desk.session.screen.study
    desk.session.analyse()
    look = ViewLook(study.images[0].key, "RCC", "scored", **facts)  # type: ignore[arg-type]
    desk.oracle.look_changed.emit(SecondLook(study.key, FACTS, "findings", (look,), exam_score=0.5))


@pytest.mark.parametrize("turned", EIGHT)
def test_pixels_hang_the_same_from_all_eight_orientations(desk, pixels_of, turned):
    show_bead(desk, turned)
    seen = pixels_of(desk.pane)[..., 0]
    row, col, scale = expected_place(*seen.shape)
    found = centre(seen > 127)
    assert found == pytest.approx((row, col), abs=1.0)
    assert np.count_nonzero(seen > 127) == pytest.approx((SIDE * scale) ** 2, rel=0.1)


@pytest.mark.parametrize("turned", EIGHT)
def test_a_box_encloses_the_bead(desk, pixels_of, turned):
    stored = show_bead(desk, turned)
    say(desk, findings=(Finding("", 0.5, False, 0, box_of_bead(stored)),))
    seen = pixels_of(desk.pane).astype(int)
    outline = (seen[..., 0] - seen[..., 2] > 70) & (seen[..., 0] > 150)
    row, col, scale = expected_place(*seen.shape[:2])
    # The label stands above the box: look no further than half a box around it.
    near = outline[round(row - SIDE * scale * 0.62) : round(row + SIDE * scale)]
    rows, cols = np.nonzero(near)
    rows = rows + round(row - SIDE * scale * 0.62)
    half = SIDE * scale / 2
    edges = (rows.min(), cols.min(), rows.max() + 1, cols.max() + 1)
    assert edges == pytest.approx((row - half, col - half, row + half, col + half), abs=2.0)


@pytest.mark.parametrize("turned", EIGHT)
def test_the_heat_map_peaks_on_the_bead(desk, pixels_of, turned):
    stored = show_bead(desk, turned)
    before = pixels_of(desk.pane).astype(int)
    # A native grid of 10 x 10 stored pixels a cell; its hottest cell is centred on the bead.
    top, left, bottom, right = box_of_bead(stored)
    at = ((top + bottom) / 2 - 0.5, (left + right) / 2 - 0.5)
    cells = np.zeros((9, 9), np.float32)
    cells[4, 4] = 2.0
    affine = np.array([[10.0, 0.0, at[0] - 40.0], [0.0, 10.0, at[1] - 40.0]])
    say(desk, evidence=Evidence(cells, affine, "test"))
    desk.session.set_overlay(heatmap=True, threshold=0.2, opacity=1.0)
    seen = pixels_of(desk.pane).astype(int)
    changed = np.abs(seen - before).sum(axis=-1) > 12
    row, col, scale = expected_place(*seen.shape[:2])
    assert centre(changed) == pytest.approx((row, col), abs=1.5)
    # Bilinear: 80 % of the way from the hottest cell to the next one is where 0.2 is reached.
    rows, _ = np.nonzero(changed)
    assert rows.max() - rows.min() == pytest.approx(2 * 0.8 * 10 * scale, rel=0.12)


@pytest.mark.parametrize("turned", EIGHT)
@pytest.mark.parametrize("flips", [(), ("h",), ("v",), ("h", "v")])
def test_the_magnifier_shows_true_pixels_of_what_is_under_it(desk, pixels_of, turned, flips):
    show_bead(desk, turned)
    for axis in flips:
        desk.session.flip(0, axis)
    view = desk.pane
    row, col, scale = expected_place(*view.device_size)
    rows, cols = view.device_size
    row, col = (rows - row if "v" in flips else row), (cols - col if "h" in flips else col)
    assert scale > 1  # a small file: the pane already shows more than true pixels, the lens doubles it
    desk.session.zoom_at(0, 0.5 / scale, view.anchor_at(QPointF(col, row)))  # now half of true pixels
    desk.session.set_tool("magnifier")
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPointF(col, row).toPoint())
    seen = pixels_of(view)[..., 0]
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPointF(col, row).toPoint())
    lens = seen[max(0, round(row) - 100) : round(row) + 100, max(0, round(col) - 100) : round(col) + 100]
    bead = lens > 240
    assert np.count_nonzero(bead) == SIDE * SIDE  # one image pixel on one screen pixel
    found = centre(seen[: round(row) + 100] > 240)
    assert found == pytest.approx((row, col), abs=2.0)
    assert view.scene.lens is None


def test_known_lesions_are_white_dashes_around_the_bead(desk, pixels_of):
    stored = show_bead(desk, (False, False, False))
    key = desk.session.screen.panes[0].viewport.image.key
    desk.window.grid.set_truth({key: (box_of_bead(stored),)})
    plain = pixels_of(desk.pane).astype(int)
    desk.session.set_overlay(truth=True)
    seen = pixels_of(desk.pane).astype(int)
    row, col, _ = expected_place(*seen.shape[:2])
    changed = np.abs(seen - plain).sum(axis=-1) > 30
    assert centre(changed) == pytest.approx((row, col), abs=2.0)
    grey = np.ptp(seen[changed], axis=-1)
    assert grey.max() <= 8  # white, not amber


def test_boxes_below_the_score_threshold_are_not_drawn(desk, pixels_of):
    stored = show_bead(desk, (False, False, False))
    plain = pixels_of(desk.pane)
    say(desk, findings=(Finding("mass", 0.5, False, 0, box_of_bead(stored)),))
    assert (pixels_of(desk.pane) != plain).any()
    desk.session.set_overlay(score_threshold=0.51)
    assert (pixels_of(desk.pane) == plain).all()


def test_boxes_of_another_frame_are_not_drawn(desk, pixels_of):
    stored = show_bead(desk, (False, False, False))
    plain = pixels_of(desk.pane)
    say(desk, findings=(Finding("mass", 0.5, False, 3, box_of_bead(stored)),))
    assert (pixels_of(desk.pane) == plain).all()


def test_air_stays_black_when_inverted(desk, pixels_of):
    show_bead(desk, (False, False, False))
    desk.session.set_overlay(corner="off")
    desk.session.invert(0)
    seen = pixels_of(desk.pane)[..., 0]
    assert seen[-60:, :60].max() == 0  # the upper corner holds the badge INVERTED
    assert seen[seen.shape[0] // 2, -5] > 150  # breast of 500 under C 2000 W 3000, inverted
