"""P-values of the pure functions and of ``mammoview render`` beside dcmtk's dcm2pnm.

Where dcm2pnm is no judge (it treats LINEAR_EXACT as LINEAR, paints padding through the window, and
scales LUT output by shifting bits) the expected value is arithmetic from the standard.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import warnings
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from dicom_files import lut_item, phantom_pixels, write_mg

from app.cli import main
from app.core.imaging.greyscale import render
from app.core.imaging.image import Grey, LookupTable, Window

ROOT = Path(__file__).resolve().parents[2]
BOTH = ("MONOCHROME1", "MONOCHROME2")


def judged(need, dicom: Path, out: Path, *options: str) -> np.ndarray:
    """Return dcm2pnm's 16-bit picture."""
    command = [need("dcm2pnm"), "-q", *options, "+on2", str(dicom), str(out)]
    subprocess.run(command, check=True, capture_output=True)
    return png16(out)


def commanded(dicom: Path, out: Path, *options: str) -> np.ndarray:
    """Return what ``mammoview render`` writes (in this process: starting one takes seconds)."""
    last_resort = logging.lastResort
    with warnings.catch_warnings():
        assert main(["render", str(dicom), "-o", str(out), *options]) == 0
    logging.lastResort = last_resort
    return png16(out)


def png16(path: Path) -> np.ndarray:
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert pixels.dtype == np.uint16
    return pixels.astype(int)


def grey_of(dataset: pydicom.Dataset, **changes) -> Grey:
    """Return the facts of a made file, read straight from its header."""
    facts = {
        "inverse": dataset.PhotometricInterpretation == "MONOCHROME1",
        "slope": float(dataset.RescaleSlope),
        "intercept": float(dataset.RescaleIntercept),
        "bits_stored": dataset.BitsStored,
        "signed": bool(dataset.PixelRepresentation),
    }
    return Grey(**(facts | changes))


def all_values(bits: int = 12, signed: bool = False) -> np.ndarray:
    """Return a picture that holds every stored value once."""
    low = -(1 << (bits - 1)) if signed else 0
    values = np.arange(low, low + (1 << bits)).reshape(1 << (bits // 2), -1)
    return values.astype(np.int16 if signed else np.uint16)


WINDOWS = [(2048, 4096), (2653, 900), (1000.5, 333), (100, 2000), (3000, 2)]


@pytest.mark.parametrize("photometric", BOTH)
@pytest.mark.parametrize("function", ["LINEAR", "SIGMOID"])
@pytest.mark.parametrize("window", WINDOWS)
def test_windows_agree_to_one_step_of_65535(need, tmp_path, window, function, photometric):
    dicom = write_mg(
        tmp_path / "w.dcm", all_values(), window=window, function=function, photometric=photometric
    )
    theirs = judged(need, dicom, tmp_path / "theirs.png", "+Wi", "1")
    dataset = pydicom.dcmread(dicom)
    ours = render(dataset.pixel_array, grey_of(dataset), Window(*window, function))
    assert np.abs(ours.astype(int) - theirs).max() <= 1


@pytest.mark.parametrize("photometric", BOTH)
@pytest.mark.parametrize("function", ["LINEAR", "SIGMOID"])
def test_the_command_agrees_to_one_step_of_65535(need, tmp_path, function, photometric):
    dicom = write_mg(
        tmp_path / "c.dcm",
        all_values(),
        window=[(2048, 4096), (2653, 900)],
        function=function,
        photometric=photometric,
    )
    for number in ("1", "2"):
        theirs = judged(need, dicom, tmp_path / "theirs.png", "+Wi", number)
        ours = commanded(dicom, tmp_path / "ours.png", "--voi", number)
        assert np.abs(ours - theirs).max() <= 1


def test_the_program_itself_agrees(need, tmp_path):
    dicom = write_mg(tmp_path / "p.dcm", all_values(), window=(2000, 900), function="SIGMOID")
    program = [sys.executable, "-c", "import sys; from app.cli import main; sys.exit(main())"]
    command = [*program, "render", str(dicom), "-o", str(tmp_path / "ours.png")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    theirs = judged(need, dicom, tmp_path / "theirs.png", "+Wi", "1")
    assert np.abs(png16(tmp_path / "ours.png") - theirs).max() <= 1


@pytest.mark.parametrize(("function", "option"), [("LINEAR", "+Wfl"), ("SIGMOID", "+Wfs")])
def test_a_window_given_by_hand_agrees(need, tmp_path, function, option):
    dicom = write_mg(tmp_path / "h.dcm", all_values(), window=(2048, 4096))
    theirs = judged(need, dicom, tmp_path / "theirs.png", "+Ww", "1800", "700", option)
    ours = commanded(dicom, tmp_path / "ours.png", "--window", "1800", "700", "--function", function)
    assert np.abs(ours - theirs).max() <= 1


@pytest.mark.parametrize("photometric", BOTH)
def test_signed_values_and_rescale_agree(need, tmp_path, photometric):
    dicom = write_mg(
        tmp_path / "s.dcm",
        all_values(signed=True),
        signed=True,
        window=(1000, 3000),
        photometric=photometric,
        RescaleSlope="2",  # dcm2pnm rounds what a fractional slope gives
        RescaleIntercept="900",
    )
    theirs = judged(need, dicom, tmp_path / "theirs.png", "+Wi", "1")
    ours = commanded(dicom, tmp_path / "ours.png")
    assert np.abs(ours - theirs).max() <= 1


def curve(entries: int, bits: int) -> np.ndarray:
    """Return a sigmoid table with all its values used."""
    steep = 1 / (1 + np.exp(-(np.arange(entries) - entries / 2) / (entries / 9)))
    steep = (steep - steep[0]) / (steep[-1] - steep[0])
    return np.rint(steep * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)


LUTS = {
    "12 bits of 4096": (0, 4096, 12, "US"),
    "first value inside": (500, 2000, 12, "US"),
    "OW data": (0, 4096, 12, "OW"),
    "16 bits": (0, 4096, 16, "OW"),
    "10 bits": (0, 4096, 10, "US"),
}


@pytest.mark.parametrize("photometric", BOTH)
@pytest.mark.parametrize("name", LUTS)
def test_tables_agree_at_their_bit_depth(need, tmp_path, name, photometric):
    first, entries, bits, vr = LUTS[name]
    data = curve(entries, bits)
    dicom = write_mg(
        tmp_path / "l.dcm",
        all_values(),
        luts=[lut_item(first, data, bits, "CURVE", vr)],
        photometric=photometric,
    )
    theirs = judged(need, dicom, tmp_path / "theirs.png", "+Wl", "1")
    dataset = pydicom.dcmread(dicom)
    ours = render(dataset.pixel_array, grey_of(dataset), LookupTable(first, data.astype(np.uint16), bits))
    # dcm2pnm shifts its entries up to 16 bits: compare which entry was taken
    top = 2**bits - 1
    assert np.abs(np.rint(ours / 65535 * top) - (theirs >> (16 - bits))).max() <= 1
    assert np.array_equal(commanded(dicom, tmp_path / "ours.png"), ours)


LONG = [(65536, 16, 16, "OW"), (4096, 8, 12, "US"), (4096, 8, 12, "OW"), (256, 8, 8, "US"), (256, 8, 8, "OW")]


@pytest.mark.parametrize(("entries", "bits", "stored_bits", "vr"), LONG)
def test_long_and_packed_tables_follow_the_standard(tmp_path, entries, bits, stored_bits, vr):
    pixels = all_values(stored_bits) if stored_bits > 8 else all_values(8).astype(np.uint8)
    data = curve(entries, bits)
    dicom = write_mg(
        tmp_path / "p.dcm", pixels, bits_stored=stored_bits, luts=[lut_item(0, data, bits, "CURVE", vr)]
    )
    expected = np.floor(data[pixels] / (2**bits - 1) * 65535 + 0.5)  # C.11.2.1.1, normalised by 2**bits - 1
    assert np.array_equal(commanded(dicom, tmp_path / "ours.png"), expected)


@pytest.mark.parametrize("photometric", BOTH)
@pytest.mark.parametrize(("c", "w"), [(2048, 4096), (1500.5, 999), (2000, 0.5)])
def test_linear_exact_follows_the_standard(tmp_path, c, w, photometric):
    stored = all_values().astype(float)
    dicom = write_mg(
        tmp_path / "e.dcm", all_values(), window=(c, w), function="LINEAR_EXACT", photometric=photometric
    )
    y = np.where(
        stored <= c - w / 2, 0, np.where(stored > c + w / 2, 1, (stored - c) / w + 0.5)
    )  # C.11.2.1.3.2
    expected = (1 - y if photometric == "MONOCHROME1" else y) * 65535
    assert np.abs(commanded(dicom, tmp_path / "ours.png") - expected).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("options", [(), ("--invert",)])
@pytest.mark.parametrize(
    ("photometric", "padding"), [("MONOCHROME2", (0, 30)), ("MONOCHROME1", (4095, 4000))]
)
def test_padding_is_black_and_everything_else_untouched(tmp_path, photometric, padding, options):
    stored = all_values()
    dicom = write_mg(
        tmp_path / "pad.dcm", stored, window=(2048, 4096), photometric=photometric, padding=padding
    )
    p = stored / 4095 * 65535
    p = 65535 - p if (photometric == "MONOCHROME1") != bool(options) else p
    expected = np.where((stored >= min(padding)) & (stored <= max(padding)), 0, p)
    assert np.abs(commanded(dicom, tmp_path / "ours.png", *options) - expected).max() <= 1


@pytest.mark.parametrize("photometric", BOTH)
def test_air_stays_black_when_a_file_without_padding_is_inverted(tmp_path, photometric):
    pixels = phantom_pixels(384, 256)
    air = pixels == 0
    pixels = 4095 - pixels if photometric == "MONOCHROME1" else pixels
    dicom = write_mg(tmp_path / "air.dcm", pixels, window=(2048, 4096), photometric=photometric)
    plain, inverted = (commanded(dicom, tmp_path / "o.png", *o) for o in ((), ("--invert",)))
    assert not plain[air].any()
    assert (inverted[air] == 0).mean() > 0.99
    tissue = cv2.erode((~air).astype(np.uint8), np.ones((9, 9))) > 0
    assert np.abs(inverted + plain - 65535)[tissue].max() <= 1


def test_a_file_without_a_window_is_readable(tmp_path):
    pixels = phantom_pixels(384, 256)
    shown = commanded(write_mg(tmp_path / "none.dcm", pixels, window=None), tmp_path / "o.png")
    breast = shown[pixels > 400] / 65535
    assert np.percentile(breast, 5) < 0.3
    assert np.percentile(breast, 95) > 0.6


@pytest.mark.shared_data
class TestRealFile:
    """GE Essential, RMLO: three sigmoid windows, three tables, padding 0 to 30."""

    @pytest.fixture
    def file(self, shared_data):
        return shared_data / "ffdm-ge" / "ge-essential-rmlo.dcm"

    @pytest.fixture
    def raw(self, need, tmp_path, file):
        out = tmp_path / "raw.dcm"  # dcm2pnm reads no compressed files
        subprocess.run([need("dcmdjpeg"), str(file), str(out)], check=True, capture_output=True)
        return out

    @pytest.fixture
    def seen(self, file):
        stored = pydicom.dcmread(file).pixel_array
        return stored > 30

    @pytest.mark.parametrize("number", [1, 2, 3])
    def test_its_windows_agree(self, need, tmp_path, file, raw, seen, number):
        theirs = judged(need, raw, tmp_path / "theirs.png", "+Wi", str(number))
        ours = commanded(file, tmp_path / "ours.png", "--voi", str(number))
        assert np.abs(ours - theirs)[seen].max() <= 1
        assert not ours[~seen].any()

    @pytest.mark.parametrize("number", [1, 2, 3])
    def test_its_tables_agree(self, need, tmp_path, file, raw, seen, number):
        item = pydicom.dcmread(file, stop_before_pixels=True).VOILUTSequence[number - 1]
        bits = item.LUTDescriptor[2]
        theirs = judged(need, raw, tmp_path / "theirs.png", "+Wl", str(number))
        ours = commanded(file, tmp_path / "ours.png", "--voi", str(3 + number))
        taken = np.rint(ours / 65535 * (2**bits - 1))
        assert np.abs(taken - (theirs >> (16 - bits)))[seen].max() <= 1

    def test_it_hangs_as_stored(self, tmp_path, file):
        plain = commanded(file, tmp_path / "plain.png")
        assert np.array_equal(
            commanded(file, tmp_path / "hung.png", "--oriented"), plain
        )  # P\\FL is canonical


@pytest.mark.shared_data
@pytest.mark.parametrize("label", ["RCC", "LCC", "RMLO", "LMLO"])
def test_the_screening_exam_agrees(need, tmp_path, shared_data, label):
    file = shared_data / "screening-exam" / f"{label}.dcm"
    raw = tmp_path / "raw.dcm"  # dcm2pnm reads no compressed files
    subprocess.run([need("gdcmconv"), "--raw", str(file), str(raw)], check=True, capture_output=True)
    theirs = judged(need, raw, tmp_path / "theirs.png", "+Wi", "1")
    assert np.abs(commanded(file, tmp_path / "ours.png") - theirs).max() <= 1
