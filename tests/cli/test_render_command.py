"""`mammoview render`: P-values by the formulas of PS3.3 C.11.2.1, computed here by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from dicom_files import lut_item, write_mg

from app.cli import main

RAMP = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)  # every 12-bit value once


def rendered(tmp_path, path, *options):
    out = tmp_path / "out.png"
    assert main(["render", str(path), "-o", str(out), *options]) == 0
    return cv2.imread(str(out), cv2.IMREAD_UNCHANGED)


def linear(x, c, w):
    return np.clip((x - (c - 0.5)) / (w - 1) + 0.5, 0, 1) * 65535


def exact(x, c, w):
    return np.clip((x - c) / w + 0.5, 0, 1) * 65535


def sigmoid(x, c, w):
    return 65535 / (1 + np.exp(-4 * (x - c) / w))


@pytest.mark.parametrize(
    ("function", "formula"), [(None, linear), ("LINEAR_EXACT", exact), ("SIGMOID", sigmoid)]
)
def test_the_files_window_is_applied_by_its_function(tmp_path, function, formula):
    path = write_mg(tmp_path / "a.dcm", RAMP, window=(2000, 1000), function=function)
    assert np.abs(rendered(tmp_path, path) - formula(RAMP.astype(float), 2000, 1000)).max() <= 1


def test_a_window_of_ones_own_takes_the_files_function(tmp_path):
    path = write_mg(tmp_path / "a.dcm", RAMP, window=(2000, 1000), function="SIGMOID")
    seen = rendered(tmp_path, path, "--window", "1500", "700")
    assert np.abs(seen - sigmoid(RAMP.astype(float), 1500, 700)).max() <= 1
    seen = rendered(tmp_path, path, "--window", "1500", "700", "--function", "LINEAR")
    assert np.abs(seen - linear(RAMP.astype(float), 1500, 700)).max() <= 1


def test_voi_counts_windows_first_then_tables(tmp_path):
    table = np.linspace(4095, 0, 4096).astype(np.uint16)  # runs backwards, to be told apart
    path = write_mg(
        tmp_path / "a.dcm", RAMP, window=[(2000, 1000), (1000, 500)], luts=[lut_item(0, table, 12, "reverse")]
    )
    assert np.abs(rendered(tmp_path, path, "--voi", "2") - linear(RAMP.astype(float), 1000, 500)).max() <= 1
    assert np.abs(rendered(tmp_path, path, "--voi", "3") - table[RAMP] / 4095 * 65535).max() <= 1


def test_the_default_is_the_first_possible_alternative_and_numbers_are_places_in_the_file(tmp_path, capsys):
    windows = [(100, 0), (2000, 1000), (300, 0.5), (1000, 500)]
    path = write_mg(tmp_path / "a.dcm", RAMP, window=windows)
    for options, window in (((), windows[1]), (("--voi", "2"), windows[1]), (("--voi", "4"), windows[3])):
        assert np.abs(rendered(tmp_path, path, *options) - linear(RAMP.astype(float), *window)).max() <= 1
    for number, reason in (
        ("3", "has an impossible grey-scale alternative 3"),
        ("5", "has 4 grey-scale alternatives"),
    ):
        assert main(["render", str(path), "-o", str(tmp_path / "b.png"), "--voi", number]) == 1
        assert reason in capsys.readouterr().err


def test_an_impossible_only_alternative_is_refused_when_asked_for(tmp_path, capsys):
    path = write_mg(tmp_path / "a.dcm", RAMP, window=[(100, 0)])
    assert main(["render", str(path), "-o", str(tmp_path / "b.png"), "--voi", "1"]) == 1
    assert "has an impossible grey-scale alternative 1" in capsys.readouterr().err
    assert main(["render", str(path), "-o", str(tmp_path / "b.png")]) == 0


def test_rare_padding_leaves_the_air_its_value_until_inverted(tmp_path):
    stored = np.full((300, 200), 60, np.uint16)  # air, which the window shows dark grey
    stored[50:250, :120] = 2500
    stored[0, :8] = 0  # padding: 0.01 % of the frame
    path = write_mg(tmp_path / "a.dcm", stored, window=(2048, 4096), padding=0)
    grey = np.round(linear(stored.astype(float), 2048, 4096))
    assert np.array_equal(rendered(tmp_path, path), np.where(stored == 0, 0, grey))
    assert np.array_equal(rendered(tmp_path, path, "--invert") == 0, stored <= 60)


def test_monochrome1_and_inverse_are_one_statement(tmp_path):
    path = write_mg(tmp_path / "a.dcm", RAMP, window=(2000, 1000), photometric="MONOCHROME1")
    assert np.abs(rendered(tmp_path, path) - (65535 - linear(RAMP.astype(float), 2000, 1000))).max() <= 1


@pytest.mark.parametrize(
    ("photometric", "padding"), [("MONOCHROME2", (0, 99)), ("MONOCHROME1", (4095, 3996))]
)
@pytest.mark.parametrize("options", [(), ("--invert",)])
def test_padding_stays_black_also_when_inverted(tmp_path, photometric, padding, options):
    path = write_mg(tmp_path / "a.dcm", RAMP, window=(2048, 4096), photometric=photometric, padding=padding)
    seen = rendered(tmp_path, path, *options).astype(float)
    is_padding = (min(padding) <= RAMP) & (max(padding) >= RAMP)
    expected = linear(RAMP.astype(float), 2048, 4096)
    if (photometric == "MONOCHROME1") != bool(options):
        expected = 65535 - expected
    assert not seen[is_padding].any()
    assert np.abs(seen - expected)[~is_padding].max() <= 1


@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
def test_the_air_is_black_when_inverted_also_where_padding_is_rare(tmp_path, photometric):
    row, column = np.mgrid[0:500, 0:400]
    inside = ((row - 250) / 200) ** 2 + ((399 - column) / 280) ** 2 < 1
    darkness = np.where(inside, 1500, 3895).astype(np.uint16)
    darkness[0, :80] = 4095  # 0.04 % of the frame
    stored, padding = (darkness, 4095) if photometric == "MONOCHROME1" else (4095 - darkness, 0)
    path = write_mg(tmp_path / "a.dcm", stored, window=(2048, 4096), photometric=photometric, padding=padding)
    seen = rendered(tmp_path, path)
    inverted = rendered(tmp_path, path, "--invert")
    assert not seen[0, :80].any()
    # Air: 200 of 4095 from the dark end; LINEAR, C.11.2.1.2.1.
    from_dark = linear(np.array([200.0]), 2048, 4096)[0]
    assert abs(float(seen[400, 20]) - from_dark) <= 20
    assert not inverted[~inside].any()
    assert np.abs(inverted[inside] - (65535 - linear(np.array([2595.0]), 2048, 4096))).max() <= 20


def test_frame_counts_from_one_and_ends_where_the_file_ends(tmp_path, capsys):
    path = write_mg(tmp_path / "a.dcm", np.stack([RAMP, RAMP[::-1]]), window=(2000, 1000))
    second = rendered(tmp_path, path, "--frame", "2")
    assert np.abs(second - linear(RAMP[::-1].astype(float), 2000, 1000)).max() <= 1
    assert main(["render", str(path), "-o", str(tmp_path / "x.png"), "--frame", "3"]) == 1
    assert "a.dcm" in capsys.readouterr().err
    assert not (tmp_path / "x.png").exists()
    assert main(["render", str(path), "-o", str(tmp_path / "x.png"), "--frame", "0"]) == 2


def test_oriented_puts_the_right_breasts_chest_wall_on_the_right(tmp_path):
    # Stored mirrored: rows run towards anterior, so the chest wall is at column 0.
    path = write_mg(tmp_path / "a.dcm", RAMP, orientation=("A", "FL"), window=(2000, 1000))
    plain, turned = rendered(tmp_path, path), rendered(tmp_path, path, "--oriented")
    assert (turned == plain[:, ::-1]).all()


def test_truncated_pixels_are_exit_1_in_one_line(tmp_path, capsys):
    path = write_mg(tmp_path / "a.dcm", RAMP, window=(2000, 1000))
    path.write_bytes(path.read_bytes()[:-3000])
    assert main(["render", str(path), "-o", str(tmp_path / "x.png")]) == 1
    err = capsys.readouterr().err
    assert "a.dcm" in err
    assert len(err.strip().splitlines()) == 1


def test_an_output_that_cannot_be_written_is_one_sentence(tmp_path, capsys):
    path = write_mg(tmp_path / "a.dcm", RAMP, window=(2000, 1000))
    assert main(["render", str(path), "-o", str(tmp_path / "absent" / "x.png")]) == 1
    assert "absent" in capsys.readouterr().err
