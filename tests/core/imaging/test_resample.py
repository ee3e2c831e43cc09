"""Device pixels are area means, in the right place, at any turn, scale and sub-pixel position."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from app.core.imaging.background import Surroundings
from app.core.imaging.geometry import Affine
from app.core.imaging.greyscale import table8
from app.core.imaging.image import Grey, Window
from app.core.imaging.orientation import Hang, hang_affine, turn
from app.core.imaging.pyramid import build
from app.core.imaging.resample import effort, paint, resample

EIGHT = [Hang(*bits) for bits in product([False, True], repeat=3)]
GREY = Grey(bits_stored=16)
RNG = np.random.default_rng(4)
SCALES = [0.11, 0.26, 0.37, 0.5, 0.61, 0.75, 0.9, 1.0, 1.3, 2.0, 3.3]


def whole_pane(sampled) -> np.ndarray:
    """Return the values of a pane, 0 outside the image."""
    pane = np.zeros(sampled.shape)
    rows, columns = sampled.values.shape
    pane[sampled.top : sampled.top + rows, sampled.left : sampled.left + columns] = sampled.values
    return pane


def beads(shape, places) -> np.ndarray:
    stored = np.zeros(shape, np.uint16)
    for place in places:
        stored[place] = 60000
    return stored


@pytest.mark.parametrize("hang", EIGHT)
def test_actual_pixels_are_the_stored_values_themselves(hang):
    stored = RNG.integers(0, 65536, (120, 90)).astype(np.uint16)
    affine = Affine.translation(7, -5).after(hang_affine(hang, 120, 90))
    pane = whole_pane(resample(build(stored, None, GREY), affine, (140, 130)))
    expected = np.zeros((140, 130))
    hung = turn(stored, hang)[:, 5:]
    expected[7 : 7 + hung.shape[0], : hung.shape[1]] = hung[:133]
    assert np.array_equal(pane, expected)


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_reducing_by_whole_numbers_gives_block_means(factor):
    stored = RNG.integers(0, 65536, (60 * factor, 40 * factor)).astype(np.uint16)
    pane = whole_pane(resample(build(stored, None, GREY), Affine.scale_edges(1 / factor), (60, 40)))
    expected = stored.reshape(60, factor, 40, factor).mean(axis=(1, 3))
    np.testing.assert_allclose(pane, expected, atol=0.6)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("hang", EIGHT)
def test_a_bead_lands_where_the_affine_says(hang, scale):
    rows, columns, place = 1300, 1100, (417, 706)
    pyramid = build(beads((rows, columns), [place]), None, GREY)
    hung = Affine.scale_edges(scale).after(hang_affine(hang, rows, columns))
    target = hung.apply(place)
    affine = Affine.translation(20.3 - target[0], 30.8 - target[1]).after(hung)
    pane = whole_pane(resample(pyramid, affine, (41, 61)))
    row, col = np.mgrid[0:41, 0:61]
    centre = np.array([(row * pane).sum(), (col * pane).sum()]) / pane.sum()
    # A level below the first knows the bead's place only to its own block, a device pixel or less.
    blurred = 0.5 if scale <= 0.5 else 0.21
    assert np.abs(centre - (20.3, 30.8)).max() < blurred + (0.3 if scale > 1 else 0)


@pytest.mark.parametrize("scale", SCALES)
def test_a_calcification_of_one_pixel_neither_fades_nor_flares_when_moved(scale):
    pyramid = build(beads((1200, 1000), [(601, 503)]), None, GREY)
    energies = []
    for step in range(60):
        shift = np.array([step * 0.137, step * 0.0731])
        target = 30 + shift - scale * np.array([601, 503])
        affine = Affine(np.array([[scale, 0, target[0]], [0, scale, target[1]]]))
        energies.append(whole_pane(resample(pyramid, affine, (90, 90))).sum())
    expected = 60000 * scale**2  # the same area times density
    assert np.abs(np.array(energies) / expected - 1).max() < 0.02


@pytest.mark.parametrize("scale", [0.2501, 0.4999, 0.5, 0.74, 0.99])
def test_no_calcification_is_lost_or_invented_between_levels(scale):
    places = [(r, c) for r in range(40, 1000, 53) for c in range(40, 800, 61)]
    pyramid = build(beads((1024, 830), places), None, GREY)
    pane = whole_pane(resample(pyramid, Affine.scale_edges(scale), (int(1024 * scale), int(830 * scale))))
    assert pane.sum() == pytest.approx(len(places) * 60000 * scale**2, rel=0.02)
    for place in places:
        row, col = np.rint(Affine.scale_edges(scale).apply(place)).astype(int)
        around = pane[row - 1 : row + 2, col - 1 : col + 2]
        # spread over at most four device pixels, a bead keeps a quarter of its area mean
        assert around.max() > 0.24 * 60000 * scale**2
        assert around.max() <= 60000 * scale**2 * 1.01


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("hang", [Hang(), Hang(True, True, False)])
def test_a_ramp_stays_a_ramp(scale, hang):
    ramp = np.add.outer(20.0 * np.arange(1100), 30.0 * np.arange(900)).astype(np.uint16)
    affine = (
        Affine.translation(-20.4, -33.7).after(Affine.scale_edges(scale)).after(hang_affine(hang, 1100, 900))
    )
    sampled = resample(build(ramp, None, GREY), affine, (80, 60))
    place = affine.inverse().apply(np.argwhere(np.ones((80, 60)))).reshape(80, 60, 2)
    expected = place @ (20.0, 30.0)
    inner = np.all((place > 12) & (place < (1088, 888)), axis=2)
    assert inner.sum() > 1000
    # A mean over pixels, which are steps, differs from the ramp by at most an eighth of a step each way.
    step = 2.0 ** np.floor(np.log2(max(1 / scale, 1)))
    np.testing.assert_allclose(whole_pane(sampled)[inner], expected[inner], atol=1.5 + (20 + 30) * step / 8)


def test_rows_and_columns_may_have_different_scales():
    stored = RNG.integers(0, 65536, (80, 90)).astype(np.uint16)
    pane = whole_pane(resample(build(stored, None, GREY), Affine.scale_edges(1 / 2, 1 / 3), (40, 30)))
    np.testing.assert_allclose(pane, stored.reshape(40, 2, 30, 3).mean(axis=(1, 3)), atol=0.6)


@pytest.mark.parametrize("scale", [0.13, 0.3, 0.71, 1.0, 1.7])
def test_only_device_pixels_whose_centre_is_in_the_image_are_painted(scale):
    rows, columns = 1027, 611  # the last blocks of every level are partly outside
    affine = Affine.translation(10.25, 5.6).after(Affine.scale_edges(scale))
    shape = (int(rows * scale) + 30, int(columns * scale) + 30)
    sampled = resample(build(np.full((rows, columns), 9, np.uint16), None, GREY), affine, shape)
    centres = affine.inverse().apply(np.argwhere(np.ones(shape))).reshape(*shape, 2)
    inside = np.all((centres >= -0.5) & (centres < (rows - 0.5, columns - 0.5)), axis=2)
    assert np.array_equal(whole_pane(sampled) == 9, inside)


@pytest.mark.parametrize("scale", SCALES)
def test_padding_never_bleeds_into_the_skin_line(scale):
    row, col = np.mgrid[0:1100, 0:900]
    mask = ((row - 500) / 430) ** 2 + (col / 640) ** 2 > 1
    stored = np.where(mask, 65535, 2000).astype(np.uint16)
    pyramid = build(stored, Surroundings(mask, mask), Grey(inverse=True))
    affine = Affine.translation(70.3 - 500 * scale, 80.6 - 640 * scale).after(Affine.scale_edges(scale))
    sampled = resample(pyramid, affine, (150, 160))  # the skin line runs through the middle
    assert 0.1 < (sampled.coverage > 0).sum() / (150 * 160) < 0.9
    assert set(np.unique(sampled.values[sampled.coverage > 0])) == {2000}


def test_coverage_is_the_part_of_a_device_pixel_that_is_not_padding():
    mask = np.zeros((100, 100), np.bool_)
    mask[:, 50:] = True
    pyramid = build(np.where(mask, 0, 700).astype(np.uint16), Surroundings(mask, mask), Grey())
    affine = Affine(np.array([[1.0, 0, 0], [0, 1.0, 0.25]]))  # the skin line at 49.75 of the device
    sampled = resample(pyramid, affine, (100, 100))
    assert sampled.coverage[50, 48] == 255
    assert sampled.coverage[50, 50] == round(0.25 * 255)
    assert sampled.values[50, 50] == 700


def test_air_is_shown_as_it_is_and_covered_when_inverted():
    mask = np.zeros((100, 100), np.bool_)
    mask[:, 50:] = True
    pyramid = build(np.where(mask, 90, 700).astype(np.uint16), Surroundings(mask, None), GREY)
    assert resample(pyramid, Affine.identity(), (100, 100)).coverage is None
    inverted = resample(pyramid, Affine.identity(), (100, 100), invert=True)
    assert np.array_equal(inverted.coverage == 0, mask)


@pytest.mark.parametrize("offset", [(500, 0), (0, -500), (-500, 900)])
def test_an_image_that_was_panned_away_leaves_a_black_pane(offset):
    pyramid = build(np.full((50, 40), 9, np.uint16), None, GREY)
    sampled = resample(pyramid, Affine.translation(*offset), (64, 48))
    assert not paint(sampled, np.full(65536, 255, np.uint8)).any()


@pytest.mark.parametrize(
    "matrix", [[[0.8, 0.6, 0], [-0.6, 0.8, 0]], [[1, 1, 0], [0, 1, 0]], [[0, 0, 0], [0, 0, 0]]]
)
def test_other_turns_are_refused(matrix):
    with pytest.raises(ValueError, match="90 degrees"):
        resample(build(np.zeros((9, 9), np.uint16), None, GREY), Affine(np.array(matrix, float)), (9, 9))


MONOCHROME1 = Grey(bits_stored=12, inverse=True, padding=(4095, 4095))


@pytest.mark.parametrize("invert", [False, True])
def test_a_painted_pane_is_black_outside_the_image_and_on_padding(invert):
    stored = RNG.integers(0, 4000, (60, 50)).astype(np.uint16)
    mask = np.zeros((60, 50), np.bool_)
    mask[:, :20] = True
    stored[mask] = 4095
    window = Window(2048, 4096)
    pyramid = build(stored, Surroundings(mask, mask), MONOCHROME1)
    sampled = resample(pyramid, Affine.translation(10, 15), (90, 80), invert=invert)
    table = table8(MONOCHROME1, window, invert=invert)
    expected = np.zeros((90, 80), np.uint8)
    expected[10:70, 15:65] = np.where(mask, 0, table[stored])
    assert np.array_equal(paint(sampled, table), expected)


def test_painting_again_into_the_same_picture_leaves_nothing_of_the_last_one():
    pyramid = build(RNG.integers(0, 4096, (60, 50)).astype(np.uint16), None, GREY)
    picture = np.full((90, 80), 77, np.uint8)
    sampled = resample(pyramid, Affine.translation(10, 15), (90, 80))
    table = table8(GREY, Window(2048, 4096))
    assert paint(sampled, table, picture) is picture
    assert np.array_equal(picture, paint(sampled, table))


def test_the_skin_line_fades_by_its_coverage():
    mask = np.zeros((100, 100), np.bool_)
    mask[:, 50:] = True
    pyramid = build(np.where(mask, 0, 700).astype(np.uint16), Surroundings(mask, mask), Grey())
    sampled = resample(pyramid, Affine(np.array([[1.0, 0, 0], [0, 1.0, 0.5]])), (100, 100))
    painted = paint(sampled, np.full(65536, 200, np.uint8))
    assert painted[50, 48:53].tolist() == [200, 200, 100, 0, 0]


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_beside_rare_padding_air_is_shown_till_inverted_and_padding_never(scale):
    stored = np.full((600, 600), 90, np.uint16)  # air
    stored[:, 300:] = 700
    stored[::50, ::50] = 4095
    padding = stored == 4095
    pyramid = build(stored, Surroundings(padding | (stored == 90), padding), GREY)
    shape = (round(600 * scale), round(600 * scale))
    plain = resample(pyramid, Affine.scale_edges(scale), shape)
    assert set(np.unique(plain.values[plain.coverage > 0])) == {90, 700}
    half = shape[1] // 2
    assert np.array_equal(plain.coverage[:, :half], plain.coverage[:, half:])
    inverted = resample(pyramid, Affine.scale_edges(scale), shape, invert=True)
    assert not inverted.coverage[:, :half].any()
    assert np.array_equal(inverted.coverage[:, half:], plain.coverage[:, half:])


@pytest.mark.parametrize(
    ("scale", "shape", "units"),
    [
        (1.0, (200, 100), 200 * 100 * 2),  # a value read for each made
        (1.0, (50, 50), 50 * 50 * 2),  # of what is in view only
        (0.75, (200, 100), 150 * 75 * (1 + 16 / 9)),  # from the full resolution: 4/3 x 4/3 read
        (2.0, (400, 200), 400 * 200 * 1.25),
    ],
)
def test_the_effort_is_what_is_read_and_what_is_made(scale, shape, units):
    stored = np.full((200, 100), 7, np.uint16)
    grey = Grey(bits_stored=12)
    assert effort(build(stored, None, grey), Affine.scale_edges(scale), shape) == pytest.approx(units)
    nothing = Affine.translation(0, 1000).after(Affine.scale_edges(scale))
    assert effort(build(stored, None, grey), nothing, shape) == 0
