"""PNG, JPEG, PGM and TIFF, 8 and 16 bit."""

import struct

import numpy as np
import pytest
from dicom_files import phantom_pixels, write_mg
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


def test_a_16_bit_tiff_whose_low_values_are_bright_is_inverse(tmp_path):
    pixels = phantom_pixels(bits=16)
    for stated, inverse in ((0, True), (1, False)):  # TIFF 6.0: 0 is WhiteIsZero, 1 BlackIsZero
        path = tmp_path / f"{stated}.tif"
        Pillow.fromarray(pixels).save(path, tiffinfo={262: stated})
        image = read_image(path)
        assert image.grey[0].inverse is inverse
        assert image.photometric == ("MONOCHROME1" if inverse else "MONOCHROME2")
        np.testing.assert_array_equal(read_frame(image).stored, pixels)


def test_an_8_bit_tiff_whose_low_values_are_bright_comes_out_inverted_once(tmp_path):
    # A TIFF 6.0 by hand: header, one strip of four pixels, nine entries of type SHORT or LONG.
    strip = bytes([0, 10, 100, 255])
    entries = [(256, 3, 2), (257, 3, 2), (258, 3, 8), (259, 3, 1), (262, 3, 0), (273, 4, 8), (277, 3, 1),
               (278, 3, 2), (279, 4, 4)]  # fmt: skip
    directory = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    path = tmp_path / "LCC.tif"
    path.write_bytes(b"II*\0" + struct.pack("<I", 12) + strip + struct.pack("<H", 9) + directory + bytes(4))
    image = read_image(path)
    assert (image.grey[0].inverse, image.photometric) == (False, "MONOCHROME2")
    assert read_frame(image).stored.ravel().tolist() == [255, 245, 155, 0]


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_a_dicom_file_under_the_name_of_a_picture_is_read_as_dicom(tmp_path, suffix):
    image = read_image(write_mg(tmp_path / f"a.{suffix}"))
    assert image.kind == "dicom"
    assert image.patient.id
