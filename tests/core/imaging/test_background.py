"""Padding, air and the extent of the breast on made pictures with known truth."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from app.core.imaging.autowindow import automatic_window
from app.core.imaging.background import (
    background_mask,
    breast_box,
    breast_region,
    padding_mask,
    surroundings,
)
from app.core.imaging.greyscale import p_value_table
from app.core.imaging.image import Grey

ROWS, COLUMNS = 1200, 900


def breast_truth() -> np.ndarray:
    """Return a half ellipse at the right edge."""
    row, col = np.mgrid[0:ROWS, 0:COLUMNS]
    return ((row - 560) / 480) ** 2 + ((COLUMNS - 1 - col) / 600) ** 2 < 1


def film(*, air: float = 300, texture: float = 15, rim: float = 700, label: bool = False) -> np.ndarray:
    """Return 12-bit values: textured air, a breast that is darkest at its rim, perhaps a label."""
    rng = np.random.default_rng(7)
    inside = breast_truth()
    depth = cv2.distanceTransform(
        np.pad(inside, ((0, 0), (0, 1)), mode="edge").astype(np.uint8), cv2.DIST_L2, 5
    )
    tissue = rim + 2200 * np.minimum(depth[:, :COLUMNS] / 250, 1)
    values = np.where(
        inside, tissue + rng.normal(0, 40, inside.shape), air + rng.normal(0, texture, inside.shape)
    )
    if label:
        values[40:90, 60:200] = 3900
        values[55:75, 80:180:9] = air
    return values.clip(0, 4095).astype(np.uint16)


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.uint8])
def test_padding_is_an_inclusive_range_of_stored_values(dtype):
    stored = np.array([[0, 9, 10, 11, 30, 31]], dtype)
    mask = padding_mask(stored, Grey(padding=(10, 30)))
    assert mask is not None
    assert mask.dtype == np.bool_
    assert mask.tolist() == [[False, False, True, True, True, False]]


def test_high_and_negative_padding_are_found_too():
    assert padding_mask(np.array([[65535, 65534]], np.uint16), Grey(padding=(65535, 65535))).tolist() == [
        [True, False]
    ]
    signed = np.array([[-2000, 5]], np.int16)
    assert padding_mask(signed, Grey(padding=(-2000, -2000), signed=True)).tolist() == [[True, False]]


def test_padding_outside_what_can_be_stored_is_nowhere():
    assert not padding_mask(np.zeros((2, 2), np.uint16), Grey(padding=(-5, -1))).any()


def test_a_file_that_names_no_padding_has_no_padding_mask():
    assert padding_mask(np.zeros((2, 2), np.uint16), Grey()) is None


PICTURES = {
    "clean air": film(air=0, texture=0),
    "textured film": film(),
    "noisy film": film(texture=60),
    "film with a label": film(label=True),
    "dark rim": film(rim=520),
}


def test_the_dark_inside_of_a_letter_is_air_and_the_letter_is_not():
    stored = film()
    stored[40:90, 60:100] = 3900
    stored[55:75, 70:90] = 300  # an O
    air = background_mask(stored, Grey(bits_stored=12))
    assert air[57:73, 72:88].mean() > 0.99
    assert not air[42:53, 62:98].any()


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("name", PICTURES)
def test_air_is_found_and_the_breast_is_left_alone(name, inverse):
    stored = 4095 - PICTURES[name] if inverse else PICTURES[name]
    air, breast = background_mask(stored, Grey(bits_stored=12, inverse=inverse)), breast_truth()
    assert air[breast].mean() < 0.002
    assert air[~breast].mean() > 0.97


def test_a_negative_rescale_slope_turns_the_scale_round():
    stored = 4095 - film()
    air = background_mask(stored, Grey(bits_stored=12, slope=-1, intercept=4095))
    assert air[breast_truth()].mean() < 0.002
    assert air[~breast_truth()].mean() > 0.97


def test_raw_images_with_bright_air_are_recognised_by_shape():
    breast = breast_truth()
    rng = np.random.default_rng(3)
    raw = np.where(breast, 5000 - 2.0 * (film(texture=0).astype(float) - 700), 14000) + rng.normal(
        0, 60, breast.shape
    )
    air = background_mask(raw.clip(0, 16383).astype(np.uint16), Grey(bits_stored=14))
    assert air[breast].mean() < 0.002
    assert air[~breast].mean() > 0.97


def test_a_white_film_edge_does_not_turn_the_polarity_round():
    stored = film()
    stored[:8], stored[-8:], stored[:, :6] = 4000, 4000, 4000
    air = background_mask(stored, Grey(bits_stored=12))
    assert air[breast_truth()].mean() < 0.002
    assert air[20:-20, 20:][~breast_truth()[20:-20, 20:]].mean() > 0.95


def test_a_film_on_a_flat_mat_has_its_own_air():
    stored = film(air=200)
    stored[:, :250] = 0  # the mat
    air = background_mask(stored, Grey(bits_stored=12))
    assert air[breast_truth()].mean() < 0.002
    assert air[~breast_truth()].mean() > 0.97


@pytest.mark.parametrize("stored", [np.full((300, 200), 7, np.uint16), np.zeros((1, 1), np.uint16)])
def test_a_picture_of_one_value_has_no_air(stored):
    assert not background_mask(stored, Grey(bits_stored=12)).any()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("skew", [1.0, 2.5])
def test_a_breast_that_fills_the_field_loses_nothing(seed, skew):
    field = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 1, (800, 700)), (0, 0), 25)
    field = (field - field.min()) / np.ptp(field)
    stored = (600 + 3000 * field**skew).astype(np.uint16)
    assert background_mask(stored, Grey(bits_stored=12)).mean() < 0.02


def test_the_box_is_the_exact_extent_of_the_breast():
    breast = breast_truth()
    down, across = np.flatnonzero(breast.any(axis=1)), np.flatnonzero(breast.any(axis=0))
    assert breast_box(~breast) == (down[0], across[0], down[-1] + 1, COLUMNS)


def test_labels_and_film_edges_do_not_widen_the_box():
    breast = breast_truth()
    seen = breast.copy()
    seen[40:90, 60:200] = True
    seen[:4] = True
    seen[:, :3] = True
    row0, col0, row1, col1 = breast_box(~seen)
    truth = breast_box(~breast)
    assert np.abs(np.array([row0, col0, row1, col1]) - truth).max() <= 12


@pytest.mark.parametrize("shape", [(7, 5), (513, 300), (1025, 1999)])
def test_a_box_without_background_is_the_whole_image(shape):
    assert breast_box(np.zeros(shape, np.bool_)) == (0, 0, *shape)
    assert breast_box(np.ones(shape, np.bool_)) == (0, 0, *shape)


def test_the_region_is_the_largest_part():
    seen = np.zeros((100, 100), np.bool_)
    seen[10:60, 50:] = True
    seen[80:90, 5:20] = True
    region = breast_region(~seen)
    assert region[10:60, 50:].all()
    assert not region[80:90].any()


@pytest.mark.parametrize("inverse", [False, True])
def test_the_automatic_window_shows_the_breast_and_says_what_it_is(inverse):
    stored = film(label=True)
    stored = 4095 - stored if inverse else stored
    grey = Grey(bits_stored=12, inverse=inverse, slope=2, intercept=-100)
    window = automatic_window(stored, background_mask(stored, grey), grey)
    assert window.automatic
    assert window.explanation == "automatic"
    assert window.function == "LINEAR"
    shown = p_value_table(grey, window)[stored[breast_truth()]] / 65535
    dark, bright = np.percentile(shown, [2, 98])
    assert 0.02 < dark < 0.25
    assert 0.9 < bright <= 1.0


def test_the_automatic_window_of_a_raw_image_ignores_its_air():
    breast = breast_truth()
    raw = np.where(breast, 3000 + film(texture=0) / 10, 16000).astype(np.uint16)
    window = automatic_window(raw, ~breast, Grey(bits_stored=14))
    assert 3000 < window.center < 3300
    assert window.width < 400


def test_the_automatic_window_leaves_named_padding_out_by_itself():
    stored = film(air=0, texture=0)
    named = automatic_window(stored, None, Grey(bits_stored=12, padding=(0, 5)))
    masked = automatic_window(stored, stored <= 5, Grey(bits_stored=12))
    assert named == masked


def test_a_flat_picture_has_a_legal_automatic_window():
    assert automatic_window(np.full((9, 9), 5, np.uint16), None, Grey()).width >= 1


def marked(share: float, inverse: bool) -> tuple[np.ndarray, np.ndarray, Grey]:
    """Return flat air and a flat half ellipse, with padding in the top rows, and where the padding is."""
    stored = np.where(breast_truth(), 2500, 200).astype(np.uint16)
    padding = np.zeros(stored.shape, np.bool_)
    padding.flat[: round(share * stored.size)] = True
    stored[padding] = 0
    if inverse:
        stored = 4095 - stored
    value = 4095 if inverse else 0
    return stored, padding, Grey(bits_stored=12, inverse=inverse, padding=(value, value))


@pytest.mark.parametrize("inverse", [False, True])
def test_padding_that_lies_around_the_breast_is_masked_alone(inverse):
    stored, padding, grey = marked(0.0, inverse)
    padding[:70] = padding[-70:] = padding[:, :70] = True
    stored[padding] = grey.padding[0]
    around = surroundings(stored, grey)
    assert np.array_equal(around.dark, padding)
    assert around.padding is around.dark


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.0004, 0.01, 0.05, 0.1])
def test_air_is_masked_with_padding_that_is_a_strip(share, inverse):
    stored, padding, grey = marked(share, inverse)
    dark = surroundings(stored, grey).dark
    assert dark[padding].all()
    assert np.array_equal(dark, padding | ~breast_truth())


def test_air_is_masked_with_padding_that_is_a_thin_frame():
    stored, padding, grey = marked(0.0, False)
    padding[:12] = padding[-12:] = padding[:, :12] = padding[:, -12:] = True  # 4.6 % of the pixels
    stored[padding] = 0
    assert np.array_equal(surroundings(stored, grey).dark, padding | ~breast_truth())


@pytest.mark.parametrize("inverse", [False, True])
def test_rare_padding_within_the_breast_is_masked_and_nothing_else_of_the_breast(inverse):
    stored, _, grey = marked(0.0, inverse)
    stored[560:580, 800:820] = grey.padding[0]
    spot = np.zeros(stored.shape, np.bool_)
    spot[560:580, 800:820] = True
    assert np.array_equal(surroundings(stored, grey).dark, spot | ~breast_truth())


@pytest.mark.parametrize("inverse", [False, True])
def test_without_padding_the_air_is_dark(inverse):
    stored, _, grey = marked(0.0, inverse)
    assert np.array_equal(surroundings(stored, replace(grey, padding=None)).dark, ~breast_truth())


@pytest.mark.parametrize("inverse", [False, True])
def test_beside_rare_padding_only_the_padding_is_black_before_inversion(inverse):
    stored, padding, grey = marked(0.0004, inverse)
    around = surroundings(stored, grey)
    assert np.array_equal(around.black(invert=False), padding)
    assert np.array_equal(around.black(invert=True), padding | ~breast_truth())


def test_air_alone_is_black_only_when_inverted():
    stored, _, grey = marked(0.0, False)
    around = surroundings(stored, grey)  # names a padding that never occurs
    assert around.black(invert=False) is None
    assert np.array_equal(around.black(invert=True), ~breast_truth())
