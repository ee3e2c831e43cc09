"""How large a screen's pixels are: by its own data, by the ruler, or not known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from app.core.hanging.true_size import Monitor, Pitch, pitch_measured, pitch_of, pitch_told
from app.core.settings import Settings, load, save

# A 5-megapixel mammography monitor of 21.3 inch in portrait: 337.9 x 422.4 mm for 2048 x 2560.
FIVE = Monitor("DP-1", "Made Up 5MP", "123", (2048, 2560), (337.9, 422.4))


def test_the_monitors_own_data_give_the_pitch() -> None:
    assert pitch_told(FIVE) == pytest.approx(0.165, abs=1e-3)
    assert pitch_of(FIVE, {}) == Pitch(pitch_told(FIVE), "by the monitor's own data")  # type: ignore[arg-type]


def test_the_ruler_wins_over_the_monitors_own_data() -> None:
    assert pitch_of(FIVE, {FIVE.key: "0.17"}) == Pitch(0.17, "calibrated")


@pytest.mark.parametrize(
    "other",
    [
        replace(FIVE, pixels=(1024, 1280)),
        replace(FIVE, serial="124"),
        replace(FIVE, name="DP-2"),
        replace(FIVE, model="Other"),
    ],
)
def test_a_calibration_holds_for_its_screen_and_resolution_only(other: Monitor) -> None:
    found = pitch_of(other, {FIVE.key: "0.17"})
    assert found is not None
    assert found.basis == "by the monitor's own data"


@pytest.mark.parametrize(
    "size",
    [
        (0.0, 0.0),
        (-1.0, 400.0),
        (160.0, 90.0),  # projectors and televisions tell their aspect ratio
        (16.0, 9.0),
        (337.9, 211.0),  # pixels twice as wide as high: the data are of another mode
        (40.0, 50.0),  # 0.02 mm
        (3379.0, 4224.0),  # 1.65 mm
    ],
)
def test_what_cannot_be_right_is_not_believed(size: tuple[float, float]) -> None:
    assert pitch_of(replace(FIVE, size_mm=size), {}) is None


@pytest.mark.parametrize("text", ["", "wide", "nan", "0", "-0.2", "12", "inf"])
def test_a_damaged_calibration_counts_as_none(text: str) -> None:
    found = pitch_of(FIVE, {FIVE.key: text})
    assert found is not None
    assert found.basis == "by the monitor's own data"
    assert pitch_of(replace(FIVE, size_mm=(0.0, 0.0)), {FIVE.key: text}) is None


def test_a_line_of_600_pixels_that_is_150_mm_long_has_pixels_of_a_quarter_millimetre() -> None:
    assert pitch_measured(600, 150.0) == 0.25


@pytest.mark.parametrize(("line", "length"), [(600, 0.0), (600, 15.0), (600, 1500.0), (0, 100.0)])
def test_a_ruler_read_wrongly_is_refused(line: float, length: float) -> None:
    with pytest.raises(ValueError, match="pitch"):
        pitch_measured(line, length)


def test_calibrations_come_back_with_the_settings(tmp_path: Path) -> None:
    settings = replace(Settings(), monitors=MappingProxyType({FIVE.key: "0.170000"}))
    save(settings, tmp_path / "settings.json")
    again = load(tmp_path / "settings.json")
    assert again.notes == ()
    assert pitch_of(FIVE, again.monitors) == Pitch(0.17, "calibrated")
