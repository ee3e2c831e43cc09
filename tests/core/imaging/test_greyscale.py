"""The pipeline as one table: P-values, polarity, padding, names."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from app.core.imaging.greyscale import (
    index_of,
    p_value_table,
    render,
    stored_range,
    table8,
    voi_name,
    voi_names,
)
from app.core.imaging.image import Grey, LookupTable, Window
from app.core.imaging.lookup import look_up, whole_table

FULL = Window(2048, 4096)
RAMP = LookupTable(0, np.arange(4096).astype(np.uint16), 12, "RAMP")


@pytest.mark.parametrize(
    ("bits", "signed", "expected"),
    [
        (12, False, (0, 4095)),
        (16, False, (0, 65535)),
        (8, False, (0, 255)),
        (12, True, (-2048, 2047)),
        (16, True, (-32768, 32767)),
    ],
)
def test_the_stored_range_follows_bits_and_sign(bits, signed, expected):
    grey = Grey(bits_stored=bits, signed=signed)
    assert stored_range(grey) == expected
    assert len(p_value_table(grey, FULL)) == expected[1] - expected[0] + 1


def test_a_full_linear_window_runs_from_black_to_white():
    table = p_value_table(Grey(bits_stored=12), FULL)
    # c - 0.5 - (w-1)/2 = 0 is black, c - 0.5 + (w-1)/2 = 4095 is white, equal steps between
    np.testing.assert_array_equal(table, np.floor(np.arange(4096) / 4095 * 65535 + 0.5))


@pytest.mark.parametrize("voi", [FULL, Window(2653, 900, "SIGMOID"), Window(99, 3, "LINEAR_EXACT"), RAMP])
def test_monochrome1_is_the_other_way_round_once(voi):
    plain = p_value_table(Grey(bits_stored=12), voi).astype(int)
    inverse = p_value_table(Grey(bits_stored=12, inverse=True), voi).astype(int)
    assert np.abs(plain + inverse - 65535).max() <= 1


def test_the_readers_inversion_is_exact():
    grey = Grey(bits_stored=12)
    plain = p_value_table(grey, FULL).astype(int)
    assert np.array_equal(plain + p_value_table(grey, FULL, invert=True), np.full(4096, 65535))


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("voi", [FULL, Window(2653, 900, "SIGMOID"), RAMP])
def test_an_untouched_drag_gives_the_same_table(voi, inverse):
    grey = Grey(bits_stored=12, slope=1.5, intercept=-20, inverse=inverse)
    assert np.array_equal(p_value_table(grey, voi), p_value_table(grey, voi, shift=0, stretch=1))


def test_signed_values_and_rescale_reach_the_window():
    grey = Grey(bits_stored=12, signed=True, slope=2, intercept=4096)
    # stored -2048 is 0 and stored 2047 is 8190: the window 0..8190 uses it all
    table = p_value_table(grey, Window(4095.5, 8191))
    assert (table[0], table[-1]) == (0, 65535)
    assert render(np.array([[-2048, 2047]], np.int16), grey, Window(4095.5, 8191)).tolist() == [[0, 65535]]


@pytest.mark.parametrize(
    ("dtype", "bits", "signed"), [("u1", 8, 0), ("u2", 12, 0), ("i2", 12, 1), ("i1", 8, 1)]
)
def test_render_looks_every_stored_value_up(dtype, bits, signed):
    grey = Grey(bits_stored=bits, signed=bool(signed))
    low, high = stored_range(grey)
    stored = np.arange(low, high + 1).astype(dtype).reshape(2, -1)
    window = Window((low + high) / 2, (high - low) / 3, "SIGMOID")
    assert np.array_equal(render(stored, grey, window).ravel(), p_value_table(grey, window))


def test_values_beyond_the_stated_bits_take_the_last_entry():
    grey = Grey(bits_stored=12)
    assert render(np.array([[4095, 5000, 65535]], np.uint16), grey, FULL).tolist() == [[65535] * 3]


@pytest.mark.parametrize(("inverse", "invert"), list(itertools.product([False, True], repeat=2)))
def test_padding_is_black_whatever_is_inverted(inverse, invert):
    padding = (4000, 4095) if inverse else (0, 30)
    grey = Grey(bits_stored=12, inverse=inverse, padding=padding)
    stored = np.array([[0, 30, 31, 3999, 4000, 4095]], np.uint16)
    mask = (stored >= padding[0]) & (stored <= padding[1])
    got = render(stored, grey, FULL, mask=mask, invert=invert)
    table = p_value_table(grey, FULL, invert=invert)
    assert np.array_equal(got, np.where(mask, 0, table[stored]))


def test_the_screens_table_is_the_p_values_at_8_bits():
    grey = Grey(bits_stored=12)
    screen, table = table8(grey, FULL), p_value_table(grey, FULL)
    assert screen.shape == (65536,)
    assert np.abs(screen[:4096] * 257.0 - table).max() <= 129  # half a step of 257
    assert (screen[0], screen[4095], screen[65535]) == (0, 255, 255)


def test_indices_count_from_the_least_stored_value():
    grey = Grey(bits_stored=12, signed=True)
    assert index_of(np.array([-2048, 0, 2047], np.int16), grey).tolist() == [0, 2048, 4095]
    unsigned = np.array([1, 2], np.uint16)
    assert index_of(unsigned, Grey()) is unsigned


def test_names_come_from_the_file_else_from_kind_and_number():
    assert voi_name(Window(1, 2, explanation=" HARDER ")) == "HARDER"
    assert voi_name(Window(1, 2), 1) == "window 2"
    assert voi_name(LookupTable(0, np.zeros(2, np.uint16), 8)) == "LUT 1"
    assert voi_name(Window(1, 2, automatic=True, explanation="automatic")) == "automatic"


def test_names_of_one_image_differ():
    lut = LookupTable(0, np.zeros(2, np.uint16), 8, "NORMAL")
    nameless = LookupTable(0, np.zeros(2, np.uint16), 8)
    vois = (
        Window(1, 2, explanation="NORMAL"),
        Window(3, 4),
        Window(5, 6, explanation="NORMAL"),
        lut,
        nameless,
    )
    assert voi_names(vois) == ("NORMAL", "window 2", "NORMAL (3)", "NORMAL (LUT)", "LUT 2")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("opencv", [True, False])
def test_lookup_writes_into_part_of_a_picture_and_nowhere_else(dtype, opencv, monkeypatch):
    from app.core.imaging import lookup

    monkeypatch.setattr(lookup, "_OPENCV", opencv and lookup._OPENCV)
    rng = np.random.default_rng(1)
    index = rng.integers(0, 65536, (20, 30), dtype=np.uint16)
    table = rng.integers(1, 250, 65536).astype(dtype)
    picture = np.zeros((50, 60), dtype)
    look_up(index, table, picture[10:30, 5:35])
    expected = np.zeros((50, 60), dtype)
    expected[10:30, 5:35] = table[index]
    assert np.array_equal(picture, expected)
    assert np.array_equal(look_up(index[::2, ::-1], table), table[index[::2, ::-1]])


def test_a_short_table_goes_on_with_its_last_entry():
    assert whole_table(np.array([5, 9], np.uint8))[[0, 1, 2, 65535]].tolist() == [5, 9, 9, 9]
