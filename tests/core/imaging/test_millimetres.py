"""Lengths and their basis."""

from __future__ import annotations

import pytest

from app.core.imaging.image import Spacing
from app.core.imaging.millimetres import extent, length, nearest_pixel


def test_rows_and_columns_have_their_own_spacing():
    measured = length((10, 20), (13, 24), Spacing(0.1, 0.2, "at detector"))
    assert measured.value == pytest.approx((0.3**2 + 0.8**2) ** 0.5)
    assert measured.unit == "mm"


def test_the_label_says_where_the_millimetres_hold():
    assert length((0, 0), (0, 100), Spacing(0.1, 0.1, "at detector")).label == "10.0 mm at detector"
    magnified = Spacing(0.05, 0.05, "magnified", 1.8)
    assert length((0, 0), (40, 0), magnified).label == "2.0 mm ÷1.8 magnified"


def test_without_spacing_a_length_is_in_pixels():
    assert length((0, 0), (3, 4), None).label == "5 px: no spacing"


def test_extent_is_vertical_first():
    assert extent(100, 50, Spacing(0.1, 0.2, "at film")) == pytest.approx((10, 10))
    assert extent(100, 50, None) == (100, 50)


def test_a_pixel_reaches_half_a_unit_around_its_centre():
    assert nearest_pixel((-0.5, 3.49), 10, 10) == (0, 3)
    assert nearest_pixel((0.5, 9.49), 10, 10) == (1, 9)
    assert nearest_pixel((-0.51, 0), 10, 10) is None
    assert nearest_pixel((0, 9.5), 10, 10) is None
