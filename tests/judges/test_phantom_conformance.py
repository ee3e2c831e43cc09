"""dicom3tools' opinion of the phantom's files under the IHE mammography profile, gdcm's of their pixels."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from judging import need
from pydicom.uid import HTJ2K, HTJ2KLossless

from app.core.phantom.encode import ENCAPSULATED, LOSSY
from app.core.phantom.exam import PhantomView, make_exam
from app.core.phantom.write import write_exam, write_view

pytestmark = pytest.mark.judge

EXAM = make_exam(1, shape=(208, 160), lesions="any")
# The judges of Debian 12 are older than HTJ2K.
KNOWN = [syntax for syntax in ENCAPSULATED if syntax != HTJ2KLossless]
KNOWN_LOSSY = [syntax for syntax in LOSSY if syntax != HTJ2K]
FORMS = [
    {},
    {"photometric": "MONOCHROME1", "voi": "sigmoid"},
    {"voi": "lut"},
    {"intent": "processing"},
    {"intent": "processing", "photometric": "MONOCHROME1"},
]


def _verify(path: Path) -> None:
    judged = subprocess.run(
        [need("dciodvfy"), "-profile", "IHEMammo", str(path)], capture_output=True, text=True, timeout=60
    )
    assert "Error" not in judged.stderr + judged.stdout, judged.stderr
    assert judged.returncode == 0, judged.stderr
    assert "IHEMammo" in judged.stderr + judged.stdout, "the profile was looked at"


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_dciodvfy_finds_no_error_under_the_ihe_profile(tmp_path: Path, form: dict[str, str]) -> None:
    for path in write_exam(EXAM, tmp_path, **form):
        _verify(path)


@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
@pytest.mark.parametrize("transfer_syntax", KNOWN + KNOWN_LOSSY)
def test_dciodvfy_finds_no_error_in_encapsulated_files(
    tmp_path: Path, transfer_syntax: str, photometric: Literal["MONOCHROME2", "MONOCHROME1"]
) -> None:
    write_view(EXAM.views[0], tmp_path / "x.dcm", transfer_syntax=transfer_syntax, photometric=photometric)
    _verify(tmp_path / "x.dcm")


def test_dcentvfy_finds_the_four_views_consistent(tmp_path: Path) -> None:
    paths = write_exam(EXAM, tmp_path)
    judged = subprocess.run([need("dcentvfy"), *map(str, paths)], capture_output=True, text=True, timeout=60)
    assert "Error" not in judged.stderr + judged.stdout, judged.stderr
    assert judged.returncode == 0


def _through_gdcm(view: PhantomView, folder: Path, transfer_syntax: str) -> npt.NDArray[Any]:
    """Return the pixels that gdcm finds in a view written with a transfer syntax."""
    write_view(view, folder / "x.dcm", transfer_syntax=transfer_syntax)
    command = [need("gdcmconv"), "--raw", str(folder / "x.dcm"), str(folder / "raw.dcm")]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return pydicom.dcmread(folder / "raw.dcm").pixel_array


@pytest.mark.parametrize("transfer_syntax", KNOWN)
def test_gdcm_decodes_the_same_pixels(tmp_path: Path, transfer_syntax: str) -> None:
    view = EXAM.views[2]
    assert np.array_equal(_through_gdcm(view, tmp_path, transfer_syntax), view.pixels)


@pytest.mark.parametrize("transfer_syntax", KNOWN_LOSSY)
def test_gdcm_decodes_nearly_the_same_pixels_of_a_lossy_file(tmp_path: Path, transfer_syntax: str) -> None:
    view = EXAM.views[2]
    seen = _through_gdcm(view, tmp_path, transfer_syntax).astype(int)
    shift = 4 if transfer_syntax.endswith(".50") else 0
    assert np.abs(seen - (view.pixels >> shift)).max() <= 16
