"""Placement by arithmetic: where planted points come to lie on the device."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.hanging.layout import justify_of, top_of
from app.core.hanging.placement import anchor_of, extent_mm, place, same_scale, sizing_label
from app.core.imaging.geometry import Affine
from app.core.imaging.image import Image, Spacing
from app.services.state import ViewportState

ROWS, COLUMNS = 400, 300
PANE = (800.0, 600.0)


def image(label: str, orientation: tuple[str, str] | None = None, mm: Any = 0.1, **facts: Any) -> Image:
    natural = {"RCC": ("P", "L"), "LCC": ("A", "R"), "RMLO": ("P", "FL"), "LMLO": ("A", "FR")}
    if isinstance(mm, float):
        mm = (mm, mm)
    return Image(
        path=Path("/a.dcm"),
        sop_uid="1",
        rows=ROWS,
        columns=COLUMNS,
        laterality=label[0],  # type: ignore[arg-type]
        view=label[1:],
        orientation=orientation or natural[label],
        spacing=None if mm is None else Spacing(*mm, "at detector"),
        **facts,
    )


def placed(
    of: Image,
    state: ViewportState | None = None,
    breast: tuple[int, int, int, int] | None = None,
    scale: float = 10.0,
    pane: tuple[float, float] = PANE,
) -> Affine:
    state = state or ViewportState()
    return place(of, of.rows, of.columns, breast, state, justify_of(of), top_of(of), pane, scale)


def device_box(affine: Affine, rows: int = ROWS, columns: int = COLUMNS) -> tuple[float, float, float, float]:
    """The image's outer edges on the device, in edge coordinates (the pane is 0..height, 0..width)."""
    return affine.apply_box((0, 0, rows, columns))


def test_the_chest_wall_of_the_right_breast_lies_exactly_on_the_right_edge_of_its_pane() -> None:
    assert device_box(placed(image("RCC"), scale=7.3))[3] == pytest.approx(PANE[1], abs=1e-9)


def test_the_chest_wall_of_the_left_breast_lies_exactly_on_the_left_edge_of_its_pane() -> None:
    assert device_box(placed(image("LCC"), scale=7.3))[1] == pytest.approx(0.0, abs=1e-9)


def test_chest_walls_of_neighbouring_panes_touch_without_a_gap() -> None:
    right, left = placed(image("RCC"), scale=6.1), placed(image("LCC"), scale=6.1)
    # The left breast's pane begins where the right breast's ends.
    assert device_box(right)[3] == pytest.approx(PANE[1] + device_box(left)[1], abs=1e-9)


@pytest.mark.parametrize("label", ["RMLO", "LMLO"])
def test_an_oblique_touches_the_top(label: str) -> None:
    assert device_box(placed(image(label), scale=7.3))[0] == pytest.approx(0.0, abs=1e-9)


def test_the_breast_of_a_cranio_caudal_view_is_centred() -> None:
    breast = (20, 100, 200, 300)
    row0, _, row1, _ = placed(image("RCC"), breast=breast).apply_box(breast)
    assert (row0 + row1) / 2 == pytest.approx(PANE[0] / 2)


@pytest.mark.parametrize("label", ["RCC", "LMLO"])
@pytest.mark.parametrize("number", range(8))
def test_a_planted_point_lands_in_one_place_however_the_file_stores_it(label: str, number: int) -> None:
    """The same anatomy stored in the eight ways of turning and mirroring shows in the same place."""
    natural = image(label)
    point = np.array([[37.0, 81.0]])
    expected = placed(natural).apply(point)
    transpose, rows_back, columns_back = bool(number & 4), bool(number & 2), bool(number & 1)
    row_letters, column_letters = natural.orientation or ("", "")
    stored_point = point[0].copy()
    # Mirror the picture, and with it the letters, then transpose it.
    swap = str.maketrans("APLRHF", "PARLFH")
    if rows_back:
        stored_point[0] = ROWS - 1 - stored_point[0]
        column_letters = column_letters.translate(swap)
    if columns_back:
        stored_point[1] = COLUMNS - 1 - stored_point[1]
        row_letters = row_letters.translate(swap)
    orientation, rows, columns = (row_letters, column_letters), ROWS, COLUMNS
    if transpose:
        stored_point = stored_point[::-1]
        orientation, rows, columns = (column_letters, row_letters), COLUMNS, ROWS
    stored = replace(natural, orientation=orientation, rows=rows, columns=columns)
    assert placed(stored).apply(stored_point[None]) == pytest.approx(expected, abs=1e-9)


def test_a_millimetre_is_as_long_in_every_pane() -> None:
    fine, coarse = image("RCC", mm=0.07), image("LCC", mm=0.1)
    assert placed(fine, scale=9.0).scales == pytest.approx((0.63, 0.63))
    assert placed(coarse, scale=9.0).scales == pytest.approx((0.9, 0.9))


def test_unequal_spacing_is_respected() -> None:
    affine = placed(image("RCC", mm=(0.2, 0.1)), scale=10.0)
    assert affine.scales == pytest.approx((2.0, 1.0))


def test_unequal_spacing_turns_with_a_transposed_image() -> None:
    affine = placed(image("RCC", orientation=("L", "P"), mm=(0.2, 0.1)), scale=10.0)
    # Stored rows run across the screen now: one stored row is 0.2 mm of screen columns.
    assert affine.apply(np.array([[1.0, 0.0]]))[0] - affine.apply(np.array([[0.0, 0.0]]))[0] == pytest.approx(
        [0, 2]
    )


def test_the_largest_breast_decides_the_scale_and_just_fits() -> None:
    small, large = (150, 200, 250, 300), (50, 40, 390, 300)
    extents = [extent_mm(image("RCC"), ROWS, COLUMNS, box, "right", False) for box in (small, large)]
    assert extents[0] == pytest.approx((10.0, 10.0))
    assert extents[1] == pytest.approx((34.0, 26.0))
    scale = same_scale([PANE, PANE], extents)
    assert scale == pytest.approx(min(800 / 34, 600 / 26))
    row0, col0, row1, col1 = placed(image("RCC"), breast=large, scale=scale).apply_box(large)
    assert row0 >= -1e-9
    assert row1 <= PANE[0] + 1e-9
    assert col0 == pytest.approx(0.0, abs=1e-9)
    assert col1 == pytest.approx(PANE[1])


def test_the_extent_of_an_oblique_counts_from_the_top_of_the_image() -> None:
    assert extent_mm(image("LMLO"), ROWS, COLUMNS, (50, 0, 390, 260), "left", True) == pytest.approx((39, 26))


def test_the_extent_counts_from_the_chest_wall_edge_of_the_image_not_of_the_breast() -> None:
    # The breast of this RCC ends 20 columns before the chest-wall edge at the right.
    assert extent_mm(image("RCC"), ROWS, COLUMNS, (0, 100, 400, 280), "right", False) == pytest.approx(
        (40, 20)
    )


def test_an_image_without_spacing_is_fitted_and_says_so() -> None:
    bare = image("RCC", mm=None)
    assert placed(bare).scales == pytest.approx((2.0, 2.0))
    assert sizing_label(bare, ViewportState()) == "fit, size unknown"
    assert sizing_label(image("RCC"), ViewportState()) == "same size"
    assert sizing_label(image("RCC"), ViewportState(sizing="free", zoom=2.5)) == "same size ×2.5"


def test_fit_shows_the_whole_image() -> None:
    row0, col0, row1, col1 = device_box(placed(image("LMLO"), ViewportState(sizing="fit")))
    assert (row0, col0) == pytest.approx((0, 0), abs=1e-9)
    assert (row1, col1) == pytest.approx(PANE)


@pytest.mark.parametrize("label", ["RCC", "LCC", "RMLO", "LMLO"])
def test_actual_pixels_are_one_image_pixel_on_one_whole_device_pixel(label: str) -> None:
    breast = (20, 100, 201, 300)  # its centre is at half a pixel
    affine = placed(image(label), ViewportState(sizing="actual", base="actual"), breast, pane=(801.0, 601.0))
    assert affine.scales == pytest.approx((1.0, 1.0))
    offset = affine.apply(np.array([[0.0, 0.0]]))
    assert offset == pytest.approx(np.round(offset), abs=1e-9)


@pytest.mark.parametrize("breast", [(0, 100, 200, 300), (220, 100, 400, 300)])
@pytest.mark.parametrize("sizing", ["fit", "same"])
def test_no_image_that_fits_is_cut_to_centre_its_breast(breast: Any, sizing: Any) -> None:
    """400 rows of 0.1 mm at 20 pixels a mm are the pane's 800 rows; fitting gives the same scale."""
    state = ViewportState(sizing=sizing)
    top, _, bottom, _ = device_box(placed(image("RCC"), state, breast, scale=20.0, pane=(800.0, 900.0)))
    assert (top, bottom) == pytest.approx((0.0, 800.0))


def test_a_point_keeps_its_place_while_zooming_from_an_image_that_just_fits() -> None:
    """Zoom doubles distances from the pane's middle, whatever the breast's middle would be."""
    breast, pane = (0, 100, 200, 300), (800.0, 900.0)
    before = placed(image("RCC"), ViewportState(), breast, scale=20.0, pane=pane)
    zoomed = ViewportState(sizing="free", base="same", zoom=2.0)
    after = placed(image("RCC"), zoomed, breast, scale=20.0, pane=pane)
    middle = 399.5
    rows = [affine.apply([(50.0, 200.0)])[0][0] for affine in (before, after)]
    assert rows[1] - middle == pytest.approx(2 * (rows[0] - middle))


def test_an_image_of_unknown_chest_wall_is_centred_whole() -> None:
    unknown = replace(image("RCC"), orientation=None)
    row0, col0, row1, col1 = device_box(placed(unknown, scale=10.0))
    assert ((row0 + row1) / 2, (col0 + col1) / 2) == pytest.approx((400, 300))
    assert extent_mm(unknown, ROWS, COLUMNS, (50, 40, 90, 90), "right", False) == pytest.approx((40, 30))


def test_letters_that_name_no_chest_wall_justify_nothing() -> None:
    # Three genuine crops of CBIS-DDSM have the view in Patient Orientation.
    odd = image("RCC", orientation=("CC", "MLO"))
    _, col0, _, col1 = device_box(placed(odd, scale=10.0))
    assert (col0 + col1) / 2 == pytest.approx(300)


@pytest.mark.parametrize("label", ["RCC", "LMLO"])
def test_a_flip_mirrors_the_view_about_the_panes_centre(label: str) -> None:
    state = ViewportState(sizing="free", zoom=1.7, pan=(3.0, -4.0))
    points = np.array([[10.0, 20.0], [300.0, 111.0]])
    plain = placed(image(label), state).apply(points)
    across = placed(image(label), replace(state, flip_h=True)).apply(points)
    down = placed(image(label), replace(state, flip_v=True)).apply(points)
    assert across[:, 0] == pytest.approx(plain[:, 0])
    assert across[:, 1] == pytest.approx(PANE[1] - 1 - plain[:, 1])
    assert down[:, 0] == pytest.approx(PANE[0] - 1 - plain[:, 0])
    assert down[:, 1] == pytest.approx(plain[:, 1])


def test_a_flipped_right_breast_has_its_chest_wall_on_the_left_edge() -> None:
    assert device_box(placed(image("RCC"), ViewportState(flip_h=True), scale=7.3))[1] == pytest.approx(
        0, abs=1e-9
    )


def test_pan_moves_by_millimetres_down_and_right() -> None:
    base = placed(image("RCC"), scale=8.0)
    moved = placed(image("RCC"), ViewportState(pan=(2.0, -3.0)), scale=8.0)
    point = np.array([[5.0, 6.0]])
    assert moved.apply(point) - base.apply(point) == pytest.approx(np.array([[16.0, -24.0]]))


def test_a_focus_lies_at_the_centre_of_the_pane() -> None:
    state = ViewportState(sizing="free", zoom=3.0, focus=(123.0, 45.0))
    centre = placed(image("LMLO"), state).apply(np.array([[123.0, 45.0]]))
    assert centre == pytest.approx(np.array([[(PANE[0] - 1) / 2, (PANE[1] - 1) / 2]]))


@pytest.mark.parametrize(
    "state",
    [
        ViewportState(),
        ViewportState(sizing="free", zoom=2.0, pan=(5.0, 6.0)),
        ViewportState(sizing="free", base="fit", zoom=0.7, flip_h=True),
        ViewportState(focus=(10.0, 20.0), flip_v=True),
    ],
)
@pytest.mark.parametrize("label", ["RCC", "LMLO"])
def test_the_anchor_under_a_device_pixel_says_where_it_is(label: str, state: ViewportState) -> None:
    """device = held point + scale * (anchor + pan), so anchors a and b lie scale * (a - b) apart."""
    of = image(label)
    arguments = (of, ROWS, COLUMNS, None, state, justify_of(of), top_of(of), PANE, 9.0)
    first = np.array(anchor_of(*arguments, (100.0, 200.0)))
    second = np.array(anchor_of(*arguments, (140.0, 170.0)))
    scale = place(*arguments).scales[0] / 0.1
    signs = np.array([-1.0 if state.flip_v else 1.0, -1.0 if state.flip_h else 1.0])
    assert (second - first) * scale * signs == pytest.approx(np.array([40.0, -30.0]))


def test_the_anchor_at_the_justified_corner_is_the_origin() -> None:
    of = image("LMLO")
    anchor = anchor_of(of, ROWS, COLUMNS, None, ViewportState(), "left", True, PANE, 9.0, (-0.5, -0.5))
    assert anchor == pytest.approx((0.0, 0.0), abs=1e-9)


def test_nothing_to_fit_is_a_scale_of_one() -> None:
    assert same_scale([], []) == 1.0
