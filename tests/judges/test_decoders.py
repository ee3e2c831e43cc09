"""Our decoders against GDCM and DCMTK, as programs of their own: every value must be the same."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicom_files import (
    HTJ2K,
    HTJ2K_LOSSY,
    J2K,
    J2K_LOSSY,
    JPEG_BASELINE,
    JPEG_EXTENDED,
    JPEG_LOSSLESS,
    JPEG_LOSSLESS_SV1,
    JPEG_LS,
    JPEG_LS_NEAR,
    RLE,
    TOMOSYNTHESIS,
    phantom_pixels,
    write_mg,
)

from app.core.dicom.codecs import decoders, stream_facts
from app.core.dicom.pixels import _job, _locate, read_frame
from app.core.dicom.reader import read_image
from app.core.dicom.worker import read_spans

Need = Callable[[str], str]
DEPTHS = [8, 10, 12, 16]


def raw_pixels(path: Path) -> np.ndarray:
    """Values of an uncompressed file that a judge wrote, by numpy alone."""
    ds = pydicom.dcmread(path)
    kind = f"<{'i' if ds.PixelRepresentation else 'u'}{ds.BitsAllocated // 8}"
    count = int(ds.get("NumberOfFrames", 1)) * ds.Rows * ds.Columns
    return np.frombuffer(ds.PixelData, kind, count).reshape(-1, ds.Rows, ds.Columns)


def by_gdcm(need: Need, path: Path, folder: Path) -> np.ndarray:
    out = folder / "raw.dcm"
    subprocess.run([need("gdcmconv"), "--raw", str(path), str(out)], check=True, capture_output=True)
    return raw_pixels(out)


def by_dcmtk(need: Need, tool: str, path: Path, folder: Path) -> np.ndarray:
    out = folder / "raw.dcm"
    subprocess.run([need(tool), str(path), str(out)], check=True, capture_output=True)
    return raw_pixels(out)


def ours(path: Path) -> np.ndarray:
    image = read_image(path)
    return np.stack([read_frame(image, number).stored for number in range(image.frames)])


@pytest.mark.parametrize("bits", DEPTHS)
@pytest.mark.parametrize(
    "syntax", [RLE, JPEG_LOSSLESS, JPEG_LOSSLESS_SV1, JPEG_LS, JPEG_LS_NEAR, J2K, J2K_LOSSY]
)
def test_we_agree_with_gdcm(tmp_path: Path, need: Need, syntax: str, bits: int) -> None:
    path = write_mg(
        tmp_path / "a.dcm", phantom_pixels(120, 77, bits), bits_stored=bits, transfer_syntax=syntax
    )
    np.testing.assert_array_equal(ours(path), by_gdcm(need, path, tmp_path))


@pytest.mark.parametrize("syntax", [JPEG_LOSSLESS_SV1, J2K])
def test_we_agree_with_gdcm_on_signed_pixels(tmp_path: Path, need: Need, syntax: str) -> None:
    pixels = phantom_pixels(120, 77, 16, signed=True)
    path = write_mg(tmp_path / "a.dcm", pixels, bits_stored=16, signed=True, transfer_syntax=syntax)
    np.testing.assert_array_equal(ours(path), by_gdcm(need, path, tmp_path))


@pytest.mark.parametrize("syntax", [RLE, JPEG_LOSSLESS_SV1, JPEG_LS, J2K])
def test_we_agree_with_gdcm_on_every_frame(tmp_path: Path, need: Need, syntax: str) -> None:
    frames = np.stack([phantom_pixels(60, 51, seed=number) for number in range(4)])
    # GDCM aborts on a Mammography object of several frames, which the standard does not know.
    path = write_mg(tmp_path / "a.dcm", frames, transfer_syntax=syntax, sop_class=TOMOSYNTHESIS)
    np.testing.assert_array_equal(ours(path), by_gdcm(need, path, tmp_path))


def test_we_agree_with_gdcm_and_dcmtk_on_jpeg_baseline(tmp_path: Path, need: Need) -> None:
    path = write_mg(
        tmp_path / "a.dcm", phantom_pixels(120, 77, 8), bits_stored=8, transfer_syntax=JPEG_BASELINE
    )
    np.testing.assert_array_equal(ours(path), by_gdcm(need, path, tmp_path))
    np.testing.assert_array_equal(ours(path), by_dcmtk(need, "dcmdjpeg", path, tmp_path))


def test_we_agree_with_dcmtk_on_jpeg_extended_of_12_bits(tmp_path: Path, need: Need) -> None:
    path = write_mg(tmp_path / "a.dcm", phantom_pixels(120, 77, 12), transfer_syntax=JPEG_EXTENDED)
    np.testing.assert_array_equal(ours(path), by_dcmtk(need, "dcmdjpeg", path, tmp_path))


@pytest.mark.parametrize(("encoder", "option", "decoder", "bits"), [
    ("dcmcjpeg", "+el", "dcmdjpeg", 12),
    ("dcmcjpeg", "+e1", "dcmdjpeg", 12),
    ("dcmcjpeg", "+e1", "dcmdjpeg", 16),
    ("dcmcjpeg", "+ee", "dcmdjpeg", 12),
    ("dcmcjpls", "+el", "dcmdjpls", 12),
    ("dcmcrle", None, "dcmdrle", 12),
])  # fmt: skip
def test_we_read_what_dcmtk_encodes(
    tmp_path: Path, need: Need, encoder: str, option: str | None, decoder: str, bits: int
) -> None:
    native = write_mg(tmp_path / "native.dcm", phantom_pixels(120, 77, bits), bits_stored=bits)
    path = tmp_path / "a.dcm"
    command = [need(encoder), *([option] if option else []), str(native), str(path)]
    subprocess.run(command, check=True, capture_output=True)
    np.testing.assert_array_equal(ours(path), by_dcmtk(need, decoder, path, tmp_path))
    if option != "+ee":
        np.testing.assert_array_equal(ours(path)[0], phantom_pixels(120, 77, bits))


@pytest.mark.parametrize(
    "option", ["--j2k", "--jpeg", "--jpegls", "--rle", "--implicit", "--explicit", "--deflated"]
)
def test_we_read_what_gdcm_encodes(tmp_path: Path, need: Need, option: str) -> None:
    native = write_mg(tmp_path / "native.dcm", phantom_pixels(120, 77))
    path = tmp_path / "a.dcm"
    subprocess.run([need("gdcmconv"), option, str(native), str(path)], check=True, capture_output=True)
    np.testing.assert_array_equal(ours(path)[0], phantom_pixels(120, 77))


@pytest.mark.parametrize("syntax", [HTJ2K, HTJ2K_LOSSY])
def test_the_htj2k_decoders_agree(tmp_path: Path, syntax: str) -> None:
    # No installed judge decodes HTJ2K: OpenJPH and OpenJPEG judge each other.
    path = write_mg(tmp_path / "a.dcm", phantom_pixels(120, 77), transfer_syntax=syntax)
    found = all_decoders(path)
    limit = 0 if syntax == HTJ2K else 1  # rounding of the irreversible wavelet
    assert all(np.abs(found[0].astype(int) - other).max() <= limit for other in found)


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize(
    "syntax", [RLE, JPEG_LOSSLESS, JPEG_LOSSLESS_SV1, JPEG_LS, JPEG_LS_NEAR, J2K, J2K_LOSSY, HTJ2K]
)
def test_every_decoder_of_a_syntax_gives_the_same_values(tmp_path: Path, syntax: str, bits: int) -> None:
    path = write_mg(
        tmp_path / "a.dcm", phantom_pixels(120, 77, bits), bits_stored=bits, transfer_syntax=syntax
    )
    first, *others = all_decoders(path)
    assert others
    for other in others:
        np.testing.assert_array_equal(other, first)


def all_decoders(path: Path) -> list[np.ndarray]:
    """Decode with each of the decoders alone."""
    image = read_image(path)
    job = _job(image, 0, _locate(image))
    raw = read_spans(job)
    facts = stream_facts(raw, job)
    return [decoder(raw, job, facts, None) for decoder in decoders(job)]


@pytest.mark.shared_data
def test_we_agree_with_gdcm_on_every_real_file(tmp_path: Path, need: Need, shared_data: Path) -> None:
    files = sorted(shared_data.rglob("*.dcm"))
    assert files
    for path in files:
        np.testing.assert_array_equal(ours(path), by_gdcm(need, path, tmp_path), err_msg=path.name)
