"""A pan by whole device pixels shows exactly what resampling anew would show."""

from __future__ import annotations

import numpy as np
import pytest
from ui_desk import breast, frame_of, image_of
from ui_hand import MIDDLE, drag

from app.core.imaging.geometry import Affine
from app.core.imaging.image import Grey, Window
from app.core.imaging.resample import paint
from app.ui.painting import resampled
from app.ui.shifting import shifted, whole_shift

SIZE = (150, 220)
TABLE = (np.arange(65536) // 16).clip(1, 255).astype(np.uint8)  # never black: what is black is not image


@pytest.fixture(params=["air", "padding"])
def frame(request):
    """A frame of noise, its surroundings air or named padding."""
    noise = np.random.default_rng(1).integers(1, 3000, (240, 160)).astype(np.uint16)
    stored = np.where(breast("RCC") > 0, noise, 0).astype(np.uint16)
    padding = (0, 0) if request.param == "padding" else None
    return frame_of(image_of("RCC", grey=(Grey(voi=(Window(2000, 3000),), padding=padding),)), stored)


def affine(kind: str) -> Affine:
    """A reduction or an enlargement, turned or not, placed between pixels."""
    matrices = {
        "smaller": [[0.7, 0.0, 10.3], [0.0, 0.7, 20.8]],
        "larger": [[2.6, 0.0, -80.4], [0.0, 2.6, -60.7]],
        "turned": [[0.0, -1.3, 180.2], [1.3, 0.0, -20.6]],
    }
    return Affine(np.array(matrices[kind]))


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("kind", ["smaller", "larger", "turned"])
@pytest.mark.parametrize("by", [(7, 0), (0, -9), (12, 15), (-20, 31), (-3, -40), (40, 60)])
def test_a_shift_equals_resampling_anew(frame, kind, by, invert):
    old = affine(kind)
    new = Affine.translation(*by).after(old)
    assert whole_shift(old, new) == by

    def strip(to_strip, size):
        return resampled(frame, to_strip, size, invert=invert)

    moved = shifted(resampled(frame, old, SIZE, invert=invert), by, new, strip)
    fresh = resampled(frame, new, SIZE, invert=invert)
    assert moved is not None
    assert (moved.top, moved.left, moved.values.shape) == (fresh.top, fresh.left, fresh.values.shape)
    difference = paint(moved, TABLE).astype(int) - paint(fresh, TABLE)
    assert np.abs(difference).max() <= 1  # the last bit of a mean
    assert np.count_nonzero(difference) <= 0.001 * difference.size


def test_a_shift_of_most_of_the_pane_is_made_anew(frame):
    old = affine("smaller")
    values = resampled(frame, old, SIZE, invert=False)
    assert shifted(values, (120, 0), old, lambda *_: pytest.fail("no strip is wanted")) is None


def test_a_part_of_a_pixel_is_no_shift():
    old = affine("smaller")
    assert whole_shift(old, Affine.translation(3.5, 0.0).after(old)) is None
    assert whole_shift(old, Affine.scale(1.01).after(old)) is None


def test_a_drag_of_the_hand_shifts_and_does_not_resample(four_views, pixels_of):
    pixels_of(four_views.window)
    views = four_views.window.grid.viewports
    before = [view.raster.resamplings for view in views]
    for _ in range(5):
        drag(four_views.pane, (100, 100), (9, 6), MIDDLE)
        pixels_of(four_views.window)
    assert [view.raster.resamplings for view in views] == before
    assert all(view.raster.shifts >= 5 for view in views)
    four_views.session.set_overlay(corner="off")
    moved = pixels_of(four_views.window.grid)
    for view in views:
        view.raster.forget()
        view.update()
    again = pixels_of(four_views.window.grid)
    assert np.abs(moved.astype(int) - again).max() <= 1
