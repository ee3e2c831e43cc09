"""Eight orientations x two photometrics x two breasts x CC and MLO: everything lands on the same anatomy.

Four beads are planted in a breast at known heights and depths in millimetres, in pixels that are not
square. The files are real DICOM files, read and decoded as any. What is expected on screen follows from
the hanging rules alone: the chest wall of a right breast at the pane's right edge and of a left one at its
left, an MLO held to the top, millimetres alike in both directions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest
from dicom_files import write_mg
from PySide6.QtCore import QPointF
from ui_desk import FACTS, Desk

from app.core.dicom.reader import read_image
from app.core.imaging.image import Image, Study
from app.core.reading.annotations import new_annotation
from app.core.reading.findings import Evidence, SecondLook, ViewLook
from app.core.reading.measure import measured
from app.services.develop import decode_frame

ROWS, COLUMNS = 260, 180
"""As it hangs."""
TALL, WIDE = 0.1, 0.08
"""Millimetres of a pixel as it hangs, down and across."""
BEADS = {"one": (8.0, 4.0), "two": (8.0, 8.8), "three": (15.2, 5.6), "four": (16.4, 6.4)}
"""(height, depth from the chest wall) of the centres in millimetres."""
HOT = (18.5, 6.0)
"""The middle of the heat map's one hot cell."""
HALF = 3
LENS = 300
CELL = 10
LETTERS = {"RCC": ("P", "L"), "LCC": ("A", "R"), "RMLO": ("P", "FL"), "LMLO": ("A", "FR")}
EIGHT = tuple(product((False, True), repeat=3))
CASES = tuple(product(EIGHT, ("MONOCHROME2", "MONOCHROME1"), LETTERS))
OPPOSITE = str.maketrans("APLRHF", "PARLFH")
CYAN = np.array([79, 179, 200])


def _id(case) -> str:
    turned, photometric, label = case
    return f"{label}-{photometric[-1]}-{''.join('tvh'[i] for i in range(3) if turned[i]) or 'as-hung'}"


def hung_place(label: str, place: tuple[float, float]) -> tuple[float, float]:
    """(row, column) in edge coordinates of the hung pixel grid."""
    height, depth = place
    across = COLUMNS * WIDE - depth if label[0] == "R" else depth
    return height / TALL, across / WIDE


def hung_pixels(label: str) -> np.ndarray:
    row, col = np.mgrid[0:ROWS, 0:COLUMNS] + 0.5
    depth = COLUMNS - col if label[0] == "R" else col
    inside = np.hypot((row - ROWS / 2) / (0.42 * ROWS), depth / (0.8 * COLUMNS)) < 1
    pixels = np.where(inside, 700, 0)
    for place in BEADS.values():
        at = [round(value) for value in hung_place(label, place)]
        pixels[at[0] - HALF : at[0] + HALF, at[1] - HALF : at[1] + HALF] = 4000
    return pixels.astype(np.uint16)


def stored_way(array: np.ndarray, turned: tuple[bool, bool, bool]) -> np.ndarray:
    transpose, flip_rows, flip_cols = turned
    array = array.T if transpose else array
    return np.ascontiguousarray(array[:: -1 if flip_rows else 1, :: -1 if flip_cols else 1])


def letters(label: str, turned: tuple[bool, bool, bool]) -> tuple[str, str]:
    transpose, flip_rows, flip_cols = turned
    row, col = LETTERS[label][:: -1 if transpose else 1]
    return (row.translate(OPPOSITE) if flip_cols else row, col.translate(OPPOSITE) if flip_rows else col)


def stored_point(
    label: str, turned: tuple[bool, bool, bool], place: tuple[float, float]
) -> tuple[float, float]:
    """(row, col) of stored pixels, centres at integers: where a spot about the place comes to be stored."""
    at = [round(value) for value in hung_place(label, place)]
    spot = np.zeros((ROWS, COLUMNS))
    spot[at[0] - 1 : at[0] + 1, at[1] - 1 : at[1] + 1] = 1
    rows, cols = np.nonzero(stored_way(spot, turned))
    return float(rows.mean()), float(cols.mean())


@dataclass
class Shown:
    """One case on screen: its pane, and where the beads are to be seen."""

    desk: Desk
    label: str
    turned: tuple[bool, bool, bool]
    image: Image
    index: int
    scale: float = 0.0
    first: float = 0.0

    @property
    def view(self):
        return self.desk.window.grid.viewports[self.index]

    def on_screen(self, place: tuple[float, float]) -> tuple[float, float]:
        """(y, x) of a place in pixel edges of the pane."""
        height, depth = place
        across = depth * self.scale
        x = self.view.device_size[1] - across if self.label[0] == "R" else across
        return self.first + (height - BEADS["one"][0]) * self.scale, x

    def stored(self, name: str) -> tuple[float, float]:
        return stored_point(self.label, self.turned, BEADS[name])


def write(folder: Path, label: str, turned, photometric: str) -> Path:
    pixels = stored_way(hung_pixels(label), turned)
    spacing = [WIDE, TALL] if turned[0] else [TALL, WIDE]
    return write_mg(
        folder / f"{label}.dcm",
        4095 - pixels if photometric == "MONOCHROME1" else pixels,
        laterality=label[0],
        view=label[1:],
        orientation=letters(label, turned),
        photometric=photometric,
        window=(2048, 4096),
        ImagerPixelSpacing=spacing,
    )


def spots(seen: np.ndarray) -> list[tuple[float, float]]:
    """Centres (y, x) in pixel edges of what is bright, top first."""
    count, _, _, centres = cv2.connectedComponentsWithStats((seen > 200).astype(np.uint8))
    return sorted((float(y) + 0.5, float(x) + 0.5) for x, y in centres[1:count])


@pytest.fixture(params=CASES, ids=_id)
def shown(request, desk, tmp_path, pixels_of) -> Shown:
    """The case's file beside its partner (the other view of that breast) stored as it hangs."""
    turned, photometric, label = request.param
    partner = label[0] + ("MLO" if label[1:] == "CC" else "CC")
    files = [
        write(tmp_path, label, turned, photometric),
        write(tmp_path, partner, (False,) * 3, "MONOCHROME2"),
    ]
    images = tuple(read_image(file) for file in files)
    desk.open(Study("study", images[0].patient, date(2024, 3, 5), images), decoded=False)
    for image in images:
        desk.library.give(decode_frame(image, 0, lambda done, total: None))
    wants = [pane.wants for pane in desk.session.screen.panes]
    desk.session.set_overlay(corner="off")
    case = Shown(desk, label, turned, images[0], wants.index(label))
    case.desk.session.set_active(case.index)
    found = spots(pixels_of(case.view)[..., 0])
    assert len(found) == 4
    case.first = (found[0][0] + found[1][0]) / 2
    case.scale = (found[2][0] - case.first) / (BEADS["three"][0] - BEADS["one"][0])
    return case


def test_everything_lands_on_the_same_anatomy(shown, pixels_of):
    assert_pixels(shown, pixels_of)
    assert_lengths(shown)
    assert_mark(shown, pixels_of)
    assert_magnifier(shown, pixels_of)
    assert_arc(shown, pixels_of)
    assert_heat(shown, pixels_of)


def assert_pixels(shown: Shown, pixels_of) -> None:
    """Chest wall at its edge, axilla or lateral side up, millimetres square, white beads on black air."""
    seen = pixels_of(shown.view)[..., 0]
    found = spots(seen)
    assert shown.scale > 5  # device pixels per millimetre: nothing is upside down
    upper = sorted(found[:2], key=lambda at: at[1], reverse=shown.label[0] == "R")
    for at, name in zip((*upper, *found[2:]), BEADS, strict=True):
        assert at == pytest.approx(shown.on_screen(BEADS[name]), abs=0.75)
    if shown.label[1:] == "MLO":
        assert shown.first == pytest.approx(BEADS["one"][0] * shown.scale, abs=0.75)
    free = 4 if shown.label[0] == "R" else -5  # beside the line of the active pane
    assert seen[:, free].max() == 0


def assert_lengths(shown: Shown) -> None:
    """4.8 mm across and the hypotenuse of 7.2 and 1.6 mm: 7.3756."""
    for other, expected in (("two", 4.8), ("three", (7.2**2 + 1.6**2) ** 0.5)):
        ends = (shown.stored("one"), shown.stored(other))
        found = measured(new_annotation("length", shown.image.sop_uid, 0, ends), shown.image)
        assert (found.value, found.unit, found.basis) == (pytest.approx(expected), "mm", "at detector")


def cyan(pixels: np.ndarray) -> np.ndarray:
    """Pixels in the marks' colour, blended with no more than a third of anything else."""
    return np.abs(pixels.astype(int) - CYAN).sum(axis=-1) < 100


def assert_mark(shown: Shown, pixels_of) -> None:
    """A square of 3 mm drawn about the second bead stands about it on screen."""
    row, col = shown.stored("two")
    tall, wide = (WIDE, TALL) if shown.turned[0] else (TALL, WIDE)
    high, broad = 1.5 / tall, 1.5 / wide
    mark = new_annotation(
        "rectangle", shown.image.sop_uid, 0, ((row - high, col - broad), (row + high, col + broad))
    )
    work = shown.desk.session.work
    work.add(mark)
    work.select("")
    y, x = shown.on_screen(BEADS["two"])
    reach = 1.5 * shown.scale
    seen = cyan(pixels_of(shown.view))
    top, left = round(y - reach - 6), round(x - reach - 6)
    rows, cols = np.nonzero(seen[top : round(y + reach + 6), left : round(x + reach + 6)])
    edges = (rows.min() + top, cols.min() + left, rows.max() + 1 + top, cols.max() + 1 + left)
    assert edges == pytest.approx((y - reach, x - reach, y + reach, x + reach), abs=2.0)
    work.remove(mark.uid)


def assert_magnifier(shown: Shown, pixels_of) -> None:
    """The lens over the third bead has it in its middle, and the fourth below it, away from the wall."""
    (y, x), (rows, cols) = shown.on_screen(BEADS["three"]), shown.view.device_size
    shown.view.lens_moved.emit(shown.index, shown.view.to_device(QPointF(x, y)))
    seen = pixels_of(shown.view)[..., 0]
    shown.view.lens_moved.emit(shown.index, None)
    # Beside the chest wall the lens itself is moved, so that it stays whole within the pane.
    middle = (min(max(y, LENS / 2), rows - LENS / 2), min(max(x, LENS / 2), cols - LENS / 2))
    near = [at for at in spots(seen) if max(abs(at[0] - middle[0]), abs(at[1] - middle[1])) < LENS / 2 - 8]
    assert any(np.hypot(at[0] - middle[0], at[1] - middle[1]) < 1.5 for at in near)
    # The small file is shown larger than its pixels: the lens doubles it. 1.2 mm lower, 0.8 mm deeper.
    away = -1 if shown.label[0] == "R" else 1
    four = (middle[0] + 2 * 1.2 * shown.scale, middle[1] + away * 2 * 0.8 * shown.scale)
    assert any(np.hypot(at[0] - four[0], at[1] - four[1]) < 2.0 for at in near)


def assert_arc(shown: Shown, pixels_of) -> None:
    """Pointing 5 mm from the partner's nipple draws a circle of 5 mm about this one's."""
    session, grid = shown.desk.session, shown.desk.window.grid
    partner = next(
        p.viewport.image
        for p in session.screen.panes
        if p.viewport.image not in (None, shown.image) and p.wants != shown.label
    )
    other = next(i for i, p in enumerate(session.screen.panes) if p.viewport.image is partner)
    label = session.screen.panes[other].wants
    there = stored_point(label, (False,) * 3, BEADS["three"])
    for image, point in ((shown.image, shown.stored("three")), (partner, there)):
        session.work.add(new_annotation("nipple", image.sop_uid, 0, (point,)))
    session.work.select("")
    before = cyan(pixels_of(shown.view))
    session.set_overlay(pointer=True)
    grid.point(other, (there[0] - 3.0 / TALL, there[1] + 4.0 / WIDE))
    after = cyan(pixels_of(shown.view)) & ~before
    y, x = shown.on_screen(BEADS["three"])
    rows, cols = np.nonzero(after)
    distance = np.hypot(rows + 0.5 - y, cols + 0.5 - x) / shown.scale
    on_arc = np.abs(distance - 5.0) < 2.5 / shown.scale
    assert on_arc.sum() > 100
    # What is off it is the words above the circle.
    assert (rows[~on_arc] + 0.5 < y - 5.0 * shown.scale + 16).all()
    session.set_overlay(pointer=False)
    for mark in session.work.state.work.annotations:
        session.work.remove(mark.uid)


def assert_heat(shown: Shown, pixels_of) -> None:
    """One hot cell of ten pixels, stored as the file is, glows where it lies in the breast."""
    cells = np.zeros((ROWS // CELL, COLUMNS // CELL), np.float32)
    row, col = hung_place(shown.label, HOT)
    cells[int(row // CELL), int(col // CELL)] = 1.0
    centre = ((row // CELL + 0.5) * CELL * TALL, (col // CELL + 0.5) * CELL * WIDE)
    depth = COLUMNS * WIDE - centre[1] if shown.label[0] == "R" else centre[1]
    affine = np.array([[CELL, 0.0, (CELL - 1) / 2], [0.0, CELL, (CELL - 1) / 2]])
    evidence = Evidence(stored_way(cells, shown.turned), affine, "test")
    before = pixels_of(shown.view).astype(int)
    look = ViewLook(shown.image.key, shown.label, "scored", score=0.5, evidence=evidence)
    study = shown.desk.session.screen.study
    shown.desk.session.analyse()
    shown.desk.oracle.look_changed.emit(SecondLook(study.key, FACTS, "findings", views=(look,)))
    shown.desk.session.set_overlay(heatmap=True, threshold=0.2, opacity=1.0)
    changed = np.abs(pixels_of(shown.view).astype(int) - before).sum(axis=-1) > 12
    rows, cols = np.nonzero(changed)
    assert (rows.mean() + 0.5, cols.mean() + 0.5) == pytest.approx(
        shown.on_screen((centre[0], depth)), abs=1.5
    )
