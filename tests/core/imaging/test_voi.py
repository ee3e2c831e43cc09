"""VOI functions against the words of PS3.3 C.11.2, written out one value at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from app.core.imaging.image import Grey, LookupTable, Window
from app.core.imaging.voi import dragged, modality, reach, values_of_interest

X = np.arange(-50, 4200).astype(float)


def linear(x: float, c: float, w: float) -> float:  # C.11.2.1.2.1
    if x <= c - 0.5 - (w - 1) / 2:
        return 0.0
    if x > c - 0.5 + (w - 1) / 2:
        return 1.0
    return (x - (c - 0.5)) / (w - 1) + 0.5


def linear_exact(x: float, c: float, w: float) -> float:  # C.11.2.1.3.2
    if x <= c - w / 2:
        return 0.0
    if x > c + w / 2:
        return 1.0
    return (x - c) / w + 0.5


def sigmoid(x: float, c: float, w: float) -> float:  # C.11.2.1.3.1
    return 1 / (1 + math.exp(-4 * (x - c) / w))


FORMULAS = {"LINEAR": linear, "LINEAR_EXACT": linear_exact, "SIGMOID": sigmoid}


@pytest.mark.parametrize("function", FORMULAS)
@pytest.mark.parametrize(("c", "w"), [(2048, 4096), (2653, 900), (1000.5, 333.3), (0, 2), (2000, 1)])
def test_a_window_follows_its_formula(function, c, w):
    if function == "SIGMOID" and w < 50:
        w = 50  # math.exp of the formula as written overflows on narrower ones
    expected = [FORMULAS[function](x, c, w) for x in X]
    np.testing.assert_allclose(values_of_interest(X, Window(c, w, function)), expected, atol=1e-12)


def test_a_linear_window_of_width_one_is_a_step():
    assert values_of_interest(np.array([99.0, 100.0]), Window(100, 1)).tolist() == [0.0, 1.0]


def test_a_very_narrow_sigmoid_does_not_overflow():
    with np.errstate(all="raise", under="ignore"):
        ends = values_of_interest(np.array([-4e4, 6e4]), Window(0, 0.01, "SIGMOID"))
    assert ends == pytest.approx([0, 1], abs=1e-12)


def test_a_table_holds_its_ends_and_starts_at_its_first_value():
    table = LookupTable(-2, np.array([10, 20, 30], np.uint16), 8)
    got = values_of_interest(np.array([-9.0, -2, -1, 0, 1, 99]), table) * 255
    assert got.tolist() == pytest.approx([10, 10, 20, 30, 30, 30])


def test_an_8_bit_table_with_more_than_256_entries_does_not_wrap():
    table = LookupTable(0, (np.arange(4096) >> 4).astype(np.uint16), 8)
    got = values_of_interest(np.array([0.0, 255, 256, 2048, 4095]), table) * 255
    assert got.tolist() == pytest.approx([0, 15, 16, 128, 255])


def test_a_table_of_65536_entries_is_used_to_its_end():
    table = LookupTable(0, np.arange(65536).astype(np.uint16), 16)
    x = np.array([0.0, 1, 32768, 65535])
    assert (values_of_interest(x, table) * 65535).tolist() == pytest.approx(x.tolist())


def test_entries_beyond_the_stated_bits_are_white_not_more():
    table = LookupTable(0, np.array([0, 300], np.uint16), 8)
    assert values_of_interest(np.array([1.0]), table).tolist() == [1.0]


ALTERNATIVES = [
    Window(2048, 1000),
    Window(2000, 750.5, "LINEAR_EXACT"),
    Window(2653, 900, "SIGMOID"),
    LookupTable(100, (4095 / (1 + np.exp(-(np.arange(3000) - 1500) / 200))).astype(np.uint16), 12),
]


@pytest.mark.parametrize("voi", ALTERNATIVES)
def test_an_untouched_drag_is_the_alternative_itself_bit_for_bit(voi):
    plain = values_of_interest(X, voi)
    assert np.array_equal(values_of_interest(X, voi, shift=0.0, stretch=1.0), plain)


@pytest.mark.parametrize("voi", ALTERNATIVES)
def test_a_shift_moves_the_curve_without_changing_its_shape(voi):
    _, width = reach(voi)
    steps = 96  # whole values, so that the moved curve can be read off the plain one
    moved = values_of_interest(X, voi, shift=steps / width)
    np.testing.assert_allclose(moved[steps:], values_of_interest(X, voi)[:-steps], atol=1e-9)


@pytest.mark.parametrize("voi", ALTERNATIVES)
def test_a_small_drag_makes_no_jump(voi):
    plain = values_of_interest(X, voi)
    steepest = np.abs(np.diff(plain)).max()
    _, width = reach(voi)
    moved = values_of_interest(X, voi, shift=1 / width)
    assert np.abs(moved - plain).max() <= steepest + 1e-9


@pytest.mark.parametrize("voi", ALTERNATIVES)
def test_a_stretch_lowers_contrast_about_the_centre(voi):
    centre, _ = reach(voi)
    x = np.array([centre - 100, centre, centre + 100])
    plain, wide = values_of_interest(x, voi), values_of_interest(x, voi, stretch=2.0)
    assert wide[1] == pytest.approx(plain[1], abs=0.01)
    assert wide[2] - wide[0] == pytest.approx((plain[2] - plain[0]) / 2, rel=0.15)


def test_a_dragged_sigmoid_stays_one():
    moved = dragged(Window(2000, 900, "SIGMOID", "NORMAL"), 0.5, 2.0)
    assert moved == Window(2450, 1800, "SIGMOID", "NORMAL")


def test_a_dragged_linear_window_stays_legal():
    assert dragged(Window(100, 10), 0, 0.001).width == 1.0
    assert dragged(Window(100, 10, "SIGMOID"), 0, 1e-9).width > 0


def test_the_reach_of_a_table_is_where_it_does_something():
    data = np.concatenate([np.zeros(1000), np.linspace(0, 4095, 101), np.full(3000, 4095)]).astype(np.uint16)
    centre, width = reach(LookupTable(50, data, 12))
    assert centre == pytest.approx(50 + 1050, abs=1)
    assert width == pytest.approx(96, abs=3)  # 2 % to 98 % of a ramp of 100 values


@pytest.mark.parametrize("data", [np.full(10, 7), np.array([0] * 5 + [255] * 5)])
def test_tables_without_a_slope_have_a_reach_too(data):
    centre, width = reach(LookupTable(0, data.astype(np.uint16), 8))
    assert 0 <= centre <= 9
    assert width >= 1


def test_rescale_and_modality_lut():
    assert modality(Grey(slope=2, intercept=-10), [0, 5]).tolist() == [-10, 0]
    lut = LookupTable(10, np.array([3, 2, 1], np.uint16), 16)
    assert modality(Grey(slope=2, modality_lut=lut), [0, 10, 11, 99]).tolist() == [3, 3, 2, 1]
