"""Area means, by brute force."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.imaging.background import Surroundings
from app.core.imaging.image import Grey
from app.core.imaging.pyramid import build


def padded(mask: np.ndarray) -> Surroundings:
    """Return surroundings that are padding alone."""
    return Surroundings(mask, mask)


RNG = np.random.default_rng(11)


def halved(array: np.ndarray) -> np.ndarray:
    """Return means of 2 x 2; an odd number of rows or columns goes on with the last one."""
    array = np.pad(array, ((0, array.shape[0] % 2), (0, array.shape[1] % 2)), mode="edge")
    return (array[::2, ::2] + array[1::2, ::2] + array[::2, 1::2] + array[1::2, 1::2]) / 4


def mean_of_blocks(values: np.ndarray, weights: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return weighted means and mean weights of blocks of `size`, a power of two."""
    total, sums = weights.astype(float), values * weights.astype(float)
    while size > 1:
        total, sums, size = halved(total), halved(sums), size // 2
    return np.divide(sums, total, out=np.zeros_like(sums), where=total > 0), total


@pytest.mark.parametrize("masked", [False, True])
def test_a_single_pixel_may_be_padding_beside_air(masked):
    one = np.ones((1, 1), np.bool_)
    pyramid = build(np.full((1, 1), 7, np.uint16), Surroundings(one, one & masked), Grey(bits_stored=12))
    assert pyramid.levels[0].values.tolist() == [[7]]
    assert (pyramid.padding is not None) == masked


def test_the_yardstick_is_the_mean_of_whole_blocks():
    values = RNG.uniform(0, 99, (16, 24))
    expected = values.reshape(4, 4, 6, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(mean_of_blocks(values, np.ones((16, 24)), 4)[0], expected)


@pytest.mark.parametrize("shape", [(1100, 700), (1027, 611), (2050, 513)])
def test_levels_are_area_means(shape):
    stored = RNG.integers(0, 4096, shape).astype(np.uint16)
    pyramid = build(stored, None, Grey(bits_stored=12))
    assert len(pyramid.levels) == 1 + int(np.ceil(np.log2(max(shape) / 512)))
    for k, level in enumerate(pyramid.levels):
        expected, _ = mean_of_blocks(stored, np.ones(shape), 2**k)
        assert level.coverage is None
        np.testing.assert_allclose(level.values, expected, atol=0.5 * k + 0.01)  # one rounding per level


@pytest.mark.parametrize("shape", [(1100, 700), (1027, 611)])
def test_padding_takes_no_part_in_a_mean(shape):
    stored = RNG.integers(1000, 4096, shape).astype(np.uint16)
    row, col = np.mgrid[0 : shape[0], 0 : shape[1]]
    mask = (row - 500) ** 2 + (col - 100) ** 2 > 480**2
    stored[mask] = 0
    pyramid = build(stored, padded(mask), Grey(bits_stored=12))
    for k, level in enumerate(pyramid.levels[1:], start=1):
        expected, weight = mean_of_blocks(stored, ~mask, 2**k)
        seen = weight > 0.005 * k
        # One rounding per level; beyond the first, weights are coverage of 8 bits.
        np.testing.assert_allclose(level.values[seen], expected[seen], atol=0.51 if k == 1 else 3)
        assert np.abs(level.values[seen] - expected[seen]).mean() < 0.4
        np.testing.assert_allclose(level.coverage / 255, weight, atol=0.003 * k)


def test_the_skin_line_keeps_its_value():
    stored = np.zeros((1024, 1024), np.uint16)
    mask = np.add.outer(np.arange(1024), np.arange(1024)) % 7 > 2  # every block is only partly covered
    stored[~mask] = 2000
    pyramid = build(stored, padded(mask), Grey(bits_stored=12))
    level = pyramid.levels[1]
    assert set(np.unique(level.values[level.coverage > 0])) == {2000}


def test_air_counts_in_the_means():
    stored = RNG.integers(0, 4096, (1024, 600)).astype(np.uint16)
    mask = stored < 2000
    pyramid = build(stored, Surroundings(mask, None), Grey(bits_stored=12))
    expected, weight = mean_of_blocks(stored, ~mask, 2)
    plain, _ = mean_of_blocks(stored, np.ones(stored.shape), 2)
    assert pyramid.padding is None
    np.testing.assert_allclose(pyramid.levels[1].values, plain, atol=0.51)
    np.testing.assert_allclose(pyramid.levels[1].coverage / 255, weight, atol=0.003)
    assert np.abs(expected - plain).max() > 100  # the two are told apart


@pytest.mark.parametrize("k", [1, 2, 3])
def test_a_level_says_where_its_pixels_lie(k):
    pyramid = build(np.zeros((4000, 100), np.uint16), None, Grey())
    first = pyramid.levels[k].to_stored.apply((0, 0))
    assert first.tolist() == [np.arange(2**k).mean()] * 2
    assert (pyramid.levels[k].to_stored.apply((1, 0)) - first).tolist() == [2**k, 0]


def test_signed_values_become_indices():
    stored = RNG.integers(-2048, 2048, (700, 600)).astype(np.int16)
    pyramid = build(stored, None, Grey(bits_stored=12, signed=True))
    assert pyramid.low == -2048
    assert np.array_equal(pyramid.levels[0].values.astype(int) + pyramid.low, stored)
    assert pyramid.nbytes == pyramid.levels[0].values.nbytes + pyramid.levels[1].values.nbytes


def test_unsigned_pixels_are_not_copied_and_nothing_can_be_written():
    stored = RNG.integers(0, 4096, (700, 600)).astype(np.uint16)
    mask = stored < 9
    pyramid = build(stored, padded(mask), Grey(bits_stored=12))
    assert np.shares_memory(pyramid.levels[0].values, stored)
    assert pyramid.nbytes == 350 * 300 * 3
    for level in pyramid.levels:
        assert not level.values.flags.writeable
        assert level.coverage is None or not level.coverage.flags.writeable
    assert stored.flags.writeable  # the caller's own array is left as it was


def test_8_bit_pictures_have_a_pyramid_too():
    stored = RNG.integers(0, 256, (600, 30)).astype(np.uint8)
    assert np.array_equal(build(stored, None, Grey(bits_stored=8)).levels[0].values, stored)


def test_what_is_seen_is_the_box_of_what_is_not_padding():
    mask = np.ones((600, 400), np.bool_)
    mask[100:300, 50:] = False
    stored = np.where(mask, 0, 5).astype(np.uint16)
    assert build(stored, padded(mask), Grey()).seen == (100, 50, 300, 400)
    assert build(stored, Surroundings(mask, None), Grey()).seen == (0, 0, 600, 400)
    assert build(stored, padded(np.ones_like(mask)), Grey()).seen == (0, 0, 600, 400)
    assert build(stored, padded(np.zeros_like(mask)), Grey()).mask is None


def test_rare_padding_takes_no_part_in_a_mean_and_air_beside_it_does():
    stored = np.full((1024, 600), 100, np.uint16)  # air
    stored[:, 300:] = 2000
    stored[::8, 0] = stored[::8, 400] = 4095
    padding = stored == 4095
    pyramid = build(stored, Surroundings(padding | (stored == 100), padding), Grey(bits_stored=12))
    level = pyramid.levels[1]
    # Each padded block of four has three pixels that count, all of one value.
    assert set(np.unique(level.values)) == {100, 2000}
    assert (level.unpadded[0, 0], level.unpadded[0, 200], level.unpadded[1, 0]) == (191, 191, 255)
    assert (level.coverage[0, 0], level.coverage[0, 200], level.coverage[1, 200]) == (0, 191, 255)
