"""PNG, JPEG, PGM and TIFF, 8 and 16 bit."""

import numpy as np
import pytest
from dicom_files import phantom_pixels
from PIL import Image as Pillow

from app.core.dicom.pixels import first_look, read_frame
from app.core.dicom.reader import read_image
from app.core.errors import ReadError


def write(path, array):
    Pillow.fromarray(array).save(path)
    return path


def write_pgm(path, array, largest):
    rows, columns = array.shape
    head = f"P5\n{columns} {rows}\n{largest}\n".encode()
    path.write_bytes(head + array.astype(">u2" if largest > 255 else "u1").tobytes())
    return path


@pytest.fixture(autouse=True)
def _nothing_else_is_printed(capfd):
    yield
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")


@pytest.mark.parametrize("suffix", ["png", "tif", "tiff", "pgm", "PNG"])
def test_8_bit_grey_comes_out_as_it_is(tmp_path, suffix):
    pixels = phantom_pixels(bits=8)
    image = read_image(write(tmp_path / f"LCC.{suffix}", pixels))
    assert (image.rows, image.columns, image.grey[0].bits_stored) == (*pixels.shape, 8)
    stored = read_frame(image).stored
    assert stored.dtype == np.uint16
    assert not stored.flags.writeable
    np.testing.assert_array_equal(stored, pixels)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_grey_comes_out_as_it_is(tmp_path, suffix):
    pixels = phantom_pixels(bits=16)
    image = read_image(write(tmp_path / f"LCC.{suffix}", pixels))
    assert image.grey[0].bits_stored == 16
    np.testing.assert_array_equal(read_frame(image).stored, pixels)


def test_16_bit_pgm_comes_out_as_it_is(tmp_path):
    pixels = phantom_pixels(bits=16)
    image = read_image(write_pgm(tmp_path / "a.pgm", pixels, 65535))
    assert image.grey[0].bits_stored == 16
    np.testing.assert_array_equal(read_frame(image).stored, pixels)


def test_jpeg_is_near(tmp_path):
    pixels = phantom_pixels(bits=8)
    path = tmp_path / "right_mlo.jpg"
    Pillow.fromarray(pixels).save(path, quality=95)
    image = read_image(path)
    assert image.label == "RMLO"
    assert np.abs(read_frame(image).stored.astype(int) - pixels).max() < 16


def test_colour_becomes_grey_with_a_note(tmp_path):
    grey = phantom_pixels(bits=8)
    image = read_image(write(tmp_path / "a.png", np.dstack([grey] * 3)))
    assert "colour-to-grey" in {note.code for note in image.notes}
    np.testing.assert_array_equal(read_frame(image).stored, grey)


def test_a_picture_has_no_patient_no_millimetres_and_says_so(tmp_path):
    image = read_image(write(tmp_path / "a.png", phantom_pixels(bits=8)))
    assert image.patient.id == ""
    assert image.spacing is None
    assert {"spacing-missing", "view-unknown", "laterality-unknown"} <= {note.code for note in image.notes}
    assert first_look(image) is None


@pytest.mark.parametrize(("name", "content", "reason"), [
    ("a.png", b"", "is empty (0 bytes)"),
    ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(100), "is not a picture that can be read"),
    ("a.jpg", b"not a picture", "is not a picture that can be read"),
    ("a.pgm", b"P5\n100000 100000\n65535\n", "has an impossible size of 100000 rows x 100000 columns"),
    ("a.tif", b"II*\0\x08\0\0\0\0\0", "is not a picture that can be read"),
])  # fmt: skip
def test_broken_pictures_are_refused_in_one_clause(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ReadError) as caught:
        read_image(tmp_path / name)
    assert caught.value.reason == reason


def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path):
    path = write(tmp_path / "a.png", phantom_pixels(bits=8))
    raw = bytearray(path.read_bytes())
    raw[16:24] = (60000).to_bytes(4, "big") * 2
    import zlib

    raw[29:33] = zlib.crc32(bytes(raw[12:29])).to_bytes(4, "big")
    path.write_bytes(bytes(raw))
    with pytest.raises(ReadError, match="impossible size"):
        read_image(path)


def test_a_picture_that_ends_early_is_refused(tmp_path):
    path = write(tmp_path / "a.png", np.random.default_rng(0).integers(0, 255, (300, 300)).astype(np.uint8))
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])
    image = read_image(path)
    with pytest.raises(ReadError, match="ends before its last pixel"):
        read_frame(image)


def test_several_pictures_in_one_file_are_refused(tmp_path):
    pages = [Pillow.fromarray(phantom_pixels(bits=8, seed=n)) for n in range(2)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(ReadError, match="2 pictures"):
        read_image(tmp_path / "a.tif")


def test_a_floating_point_picture_is_refused(tmp_path):
    path = write(tmp_path / "a.tif", phantom_pixels(bits=8).astype(np.float32))
    with pytest.raises(ReadError, match="8 or 16 bit"):
        read_image(path)
