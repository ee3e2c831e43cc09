"""Lengths, angles, areas and grey values, by arithmetic done here."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from app.core.imaging.image import Grey, Image, LookupTable, Spacing
from app.core.reading.annotations import new_annotation
from app.core.reading.location import NOT_PECTORAL, TO_EDGE, location, wall_distance
from app.core.reading.measure import angle, area, centre, measured, size, statistics
from app.core.reading.regions import crosses_itself, region

DETECTOR = Spacing(0.1, 0.1, "at detector")
UNEVEN = Spacing(0.2, 0.1, "calibrated")
MAGNIFIED = Spacing(0.05, 0.05, "magnified", 1.8)


def mark(kind, *points):
    return new_annotation(kind, "image", 0, points)


def image(**facts) -> Image:
    given = {"rows": 100, "columns": 80, "view": "CC", "orientation": ("A", "R"), "spacing": DETECTOR}
    return Image(Path("made.dcm"), "image", **(given | facts))


# Lengths and angles


def test_a_length_is_in_millimetres_of_the_breast_plane_with_its_basis():
    # 30 rows and 40 columns of 0.05 mm: 1.5 mm and 2.0 mm.
    found = measured(mark("length", (10, 10), (40, 50)), image(spacing=MAGNIFIED))
    assert found.label == "2.5 mm ÷1.8 magnified"


def test_rows_and_columns_of_different_spacing_each_count_by_their_own():
    # 15 rows of 0.2 mm are 3 mm, 40 columns of 0.1 mm are 4 mm.
    assert measured(mark("length", (0, 0), (15, 40)), image(spacing=UNEVEN)).value == pytest.approx(5.0)


def test_without_a_spacing_nothing_is_said_in_millimetres():
    bare = image(spacing=None)
    assert measured(mark("length", (0, 0), (30, 40)), bare).label == "50 px: no spacing"
    assert measured(mark("rectangle", (0, 0), (30, 40)), bare).label == "1200 px²: no spacing"


def test_an_angle_is_true_in_millimetres_not_in_pixels():
    # One row down is 0.2 mm, one column right is 0.1 mm: (1, 0) and (1, 2) enclose 45 degrees.
    assert angle((1, 0), (0, 0), (1, 2), UNEVEN) == pytest.approx(45.0)
    assert angle((1, 0), (0, 0), (1, 2), None) == pytest.approx(math.degrees(math.atan(2)))


@pytest.mark.parametrize(("end", "degrees"), [((0, 5), 0), ((5, 0), 90), ((0, -5), 180), ((-5, -5), 135)])
def test_an_angle_is_between_0_and_180_whichever_way_it_opens(end, degrees):
    assert angle((0, 3), (0, 0), end, DETECTOR) == pytest.approx(degrees)
    assert angle(end, (0, 0), (0, 3), DETECTOR) == pytest.approx(degrees)


def test_an_angle_with_an_arm_of_no_length_has_no_value():
    assert angle((1, 1), (1, 1), (5, 5), DETECTOR) is None


# Areas


def test_the_area_of_a_rectangle_and_of_the_ellipse_in_it():
    corners = ((40, 10), (10, 50))
    assert area("rectangle", corners, UNEVEN).value == pytest.approx(30 * 0.2 * 40 * 0.1)
    assert area("ellipse", corners, UNEVEN).value == pytest.approx(math.pi * (15 * 0.2) * (20 * 0.1))


def test_the_area_of_a_polygon_either_way_round():
    # An L: a square of 20 pixels without one of 10 in its corner.
    corner = [(0, 0), (0, 20), (10, 20), (10, 10), (20, 10), (20, 0)]
    for points in (corner, corner[::-1]):
        assert area("polygon", points, DETECTOR).value == pytest.approx(300 * 0.01)
    assert area("polygon", corner, MAGNIFIED).label == "0.8 mm² ÷1.8 magnified"


def test_a_polygon_that_crosses_itself_has_no_area():
    bow = [(0, 0), (10, 10), (10, 0), (0, 10)]
    assert crosses_itself(bow)
    assert area("polygon", bow, DETECTOR) is None
    assert not crosses_itself([(0, 0), (0, 10), (10, 10), (10, 0)])
    assert not crosses_itself([(0, 0), (0, 10), (0, 10), (10, 10), (10, 0)])  # a point twice is no crossing


def test_areas_are_written_with_no_more_digits_than_they_deserve():
    assert area("rectangle", ((0, 0), (87, 100)), DETECTOR).label == "87.0 mm² at detector"
    assert area("rectangle", ((0, 0), (300, 411)), DETECTOR).label == "1233 mm² at detector"


def test_the_size_of_a_box_names_its_longer_side_first():
    longer, shorter = size(((0, 0), (10, 30)), UNEVEN)  # 2 mm high, 3 mm wide
    assert (longer.value, shorter.value) == pytest.approx((3.0, 2.0))


# Pixels of a region


def test_a_pixel_belongs_to_a_region_when_its_centre_is_inside():
    found = region("rectangle", ((9.5, 19.5), (12.5, 21.5)), (100, 80))
    assert (found.top, found.left, found.inside.shape, found.inside.sum()) == (10, 20, (3, 2), 6)


def test_two_regions_that_share_an_edge_share_no_pixel():
    upper = region("rectangle", ((0, 0), (5, 10)), (100, 80)).inside.sum()
    lower = region("rectangle", ((5, 0), (9, 10)), (100, 80)).inside.sum()
    assert (upper, lower) == (50, 40)


@pytest.mark.parametrize("kind", ["rectangle", "ellipse", "polygon"])
def test_regions_hold_the_pixels_that_a_test_of_each_centre_finds(kind):
    points = ((12.3, 5.1), (40.7, 33.9)) if kind != "polygon" else ((5.2, 8.1), (30.4, 60.3), (70.6, 20.2))
    row, col = np.mgrid[0:100, 0:80].astype(float)
    if kind == "rectangle":
        expected = (row >= 12.3) & (row < 40.7) & (col >= 5.1) & (col < 33.9)
    elif kind == "ellipse":
        expected = ((row - 26.5) / 14.2) ** 2 + ((col - 19.5) / 14.4) ** 2 < 1
    else:  # on the same side of all three sides
        sides = [
            (b[0] - a[0]) * (col - a[1]) - (b[1] - a[1]) * (row - a[0])
            for a, b in zip(points, [*points[1:], points[0]], strict=True)
        ]
        expected = np.all([s > 0 for s in sides], axis=0) | np.all([s < 0 for s in sides], axis=0)
    found = region(kind, points, (100, 80))
    whole = np.zeros((100, 80), bool)
    rows, columns = found.inside.shape
    whole[found.top : found.top + rows, found.left : found.left + columns] = found.inside
    assert expected.sum() > 300
    assert np.array_equal(whole, expected)


def test_a_hollow_polygon_leaves_its_notch_out():
    # A U: 30 x 30 without the notch of 10 columns and 20 rows.
    u = [
        (-0.5, -0.5),
        (-0.5, 9.5),
        (19.5, 9.5),
        (19.5, 19.5),
        (-0.5, 19.5),
        (-0.5, 29.5),
        (29.5, 29.5),
        (29.5, -0.5),
    ]
    found = region("polygon", u, (100, 80)).inside
    assert found.sum() == 900 - 200
    assert not found[:20, 10:20].any()


def test_a_region_is_cut_at_the_edge_of_the_image():
    assert region("rectangle", ((-0.5, -0.5), (9.5, 9.5)), (6, 100)).inside.sum() == 60


# Grey values


def test_statistics_are_of_modality_values_without_the_padding():
    stored = np.full((20, 20), 4000, np.uint16)  # 4000 is padding
    stored[5:7, 5:7] = [[10, 20], [30, 40]]
    grey = Grey(padding=(3900, 4095), slope=2.0, intercept=-5.0)
    found = statistics("rectangle", ((3.5, 3.5), (9.5, 9.5)), stored, grey)
    # Values 15, 35, 55, 75: mean 45, squared distances 900, 100, 100, 900.
    assert found.count == 4
    assert found.mean == pytest.approx(45)
    assert found.sd == pytest.approx(math.sqrt(500))
    assert (found.least, found.most) == (15, 75)


def test_statistics_go_through_a_modality_table_where_there_is_one():
    table = LookupTable(first=10, data=np.array([100, 300], np.uint16), bits=16)
    stored = np.array([[10, 11], [11, 12]], np.uint16)
    found = statistics("rectangle", ((-0.5, -0.5), (1.5, 1.5)), stored, Grey(modality_lut=table))
    assert (found.mean, found.least, found.most) == (250, 100, 300)


def test_signed_values_keep_their_sign():
    stored = np.array([[-3, 5]], np.int16)
    found = statistics("rectangle", ((-0.5, -0.5), (0.5, 1.5)), stored, Grey(signed=True))
    assert (found.mean, found.least, found.most) == (1, -3, 5)


def test_a_region_of_padding_alone_has_no_values():
    found = statistics("ellipse", ((0, 0), (9, 9)), np.zeros((20, 20), np.uint16), Grey(padding=(0, 0)))
    assert found.count == 0
    assert math.isnan(found.mean)


# Where a mark lies


def test_the_centre_of_a_polygon_is_its_centre_of_gravity():
    # An L of a 20 x 10 block (centre 5, 10) and a 10 x 10 block (centre 15, 5), in far-off coordinates.
    corner = [(0, 0), (0, 20), (10, 20), (10, 10), (20, 10), (20, 0)]
    far = [(row + 4000, col + 3000) for row, col in corner]
    assert centre(mark("polygon", *far)) == pytest.approx((4000 + 25 / 3, 3000 + 25 / 3))


def test_an_arrow_speaks_of_its_tip_and_a_length_of_its_middle():
    assert centre(mark("arrow", (0, 0), (10, 20))) == (10, 20)
    assert centre(mark("length", (0, 0), (10, 20))) == (5, 10)


@pytest.mark.parametrize(
    ("orientation", "pixels"),
    [
        # A mark at row 30, column 20 of 100 x 80; edges lie half a pixel beyond the outer centres.
        (("A", "R"), 20.5),  # columns run to the front: the chest wall is at column -0.5
        (("P", "L"), 79.5 - 20),
        (("R", "A"), 30.5),
        (("L", "P"), 99.5 - 30),
        (("P", "FL"), 79.5 - 20),
    ],
)
def test_the_chest_wall_is_where_the_orientation_says(orientation, pixels):
    found = wall_distance((30, 20), image(orientation=orientation))
    assert found.value == pytest.approx(pixels * 0.1)


@pytest.mark.parametrize(("column", "third"), [(10, "posterior"), (30, "middle"), (50, "anterior")])
def test_depth_is_the_third_of_the_line_from_nipple_to_chest_wall(column, third):
    # The nipple lies 60.5 pixels from the wall: thirds end at 20.2 and 40.3.
    found = location(mark("text", (70, column)), image(), nipple=(40, 60))
    assert found.third == third
    assert found.nipple.value == pytest.approx(math.hypot(30, 60 - column) * 0.1)
    assert found.basis == TO_EDGE


def test_an_oblique_says_that_its_depth_is_not_taken_to_the_muscle():
    assert location(mark("text", (70, 10)), image(view="MLO"), (40, 60)).basis == NOT_PECTORAL


def test_nothing_is_made_up_without_a_nipple_or_an_orientation():
    found = location(mark("text", (70, 10)), image(), None)
    assert (found.nipple, found.third) == (None, None)
    unknown = location(mark("text", (70, 10)), image(orientation=None), (40, 60))
    assert unknown.nipple is not None
    assert (unknown.chest_wall, unknown.third, unknown.basis) == (None, None, "")
