"""Finding the breast."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from model_zoo import breast


@pytest.mark.parametrize("place", [(0, 0), (0, 40), (30, 20), (60, 45), (None, None)])
def test_the_opening_is_that_of_the_whole_image(place: tuple[int | None, int | None]) -> None:
    bright = np.zeros((90, 70), np.uint8)
    if place != (None, None):
        row, column = place
        bright[row:, column:][:30, :25] = np.random.default_rng(0).random((30, 25)) < 0.98
        bright[row:, column:][10:12, :40] = 1
    side = max(3, round(breast._OPENING * 90)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    whole = cv2.morphologyEx(bright, cv2.MORPH_OPEN, kernel)
    np.testing.assert_array_equal(breast._opened(bright), whole)
    assert whole.any() == (place != (None, None))
