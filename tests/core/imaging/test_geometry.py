"""Affine maps and boxes: arithmetic on paper."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.imaging.geometry import Affine

TURN = Affine(np.array([[0.0, 2.0, 5.0], [-2.0, 0.0, 30.0]]))  # row' = 2 col + 5, col' = -2 row + 30


def test_a_point_is_mapped_row_first():
    assert TURN.apply((3, 4)).tolist() == [13.0, 24.0]
    assert TURN.apply([(0, 0), (1, 0)]).tolist() == [[5.0, 30.0], [5.0, 28.0]]


def test_the_inverse_brings_points_back():
    points = np.random.default_rng(0).uniform(-100, 100, (50, 2))
    np.testing.assert_allclose(TURN.inverse().apply(TURN.apply(points)), points, atol=1e-12)


def test_after_applies_the_other_map_first():
    moved = TURN.after(Affine.translation(10, 20))
    assert moved.apply((3, 4)).tolist() == TURN.apply((13, 24)).tolist()


def test_a_box_of_one_pixel_covers_the_pixel_around_its_centre():
    # doubling about the image corner: pixel (1, 2) becomes the block of rows 2..3 and columns 4..5
    assert Affine.scale_edges(2).apply_box((1, 2, 2, 3)) == (2, 4, 4, 6)


def test_scaling_edges_maps_the_centre_of_a_block_to_the_mean_of_its_pixels():
    assert Affine.scale_edges(4).apply((0, 0)).tolist() == [1.5, 1.5]  # the mean of 0, 1, 2, 3


def test_a_box_stays_half_open_under_a_turn():
    flip = Affine(np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 9.0]]))  # ten rows, read from the bottom, as columns
    assert flip.apply_box((0, 3, 2, 7)) == (3, 8, 7, 10)


def test_scales_are_lengths_along_the_old_axes():
    assert Affine(np.array([[0.0, -3.0, 1.0], [0.5, 0.0, 1.0]])).scales == (0.5, 3.0)


def test_equal_maps_compare_equal_and_hash_alike():
    again = Affine(TURN.matrix.copy())
    assert again == TURN
    assert hash(again) == hash(TURN)
    assert Affine(-0.0 * TURN.matrix + TURN.matrix) == TURN
    assert Affine.identity() != TURN


def test_minus_zero_hashes_as_zero():
    one = Affine(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
    other = Affine(np.array([[1.0, -0.0, -0.0], [-0.0, 1.0, 0.0]]))
    assert one == other
    assert hash(one) == hash(other)


def test_the_matrix_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        TURN.matrix[0, 0] = 1


@pytest.mark.parametrize("bad", [np.eye(3), np.full((2, 3), np.nan)])
def test_what_is_no_affine_is_refused(bad):
    with pytest.raises(ValueError, match="finite 2 x 3"):
        Affine(bad)


def test_a_map_onto_a_line_has_no_inverse():
    with pytest.raises(ValueError, match="no inverse"):
        Affine.scale(1, 0).inverse()
