"""Whatever a file is, it gets one clear sentence, on which nobody prints anything else."""

import contextlib
import os
import random

import numpy as np
import pytest
from dicom_files import (
    BIG_ENDIAN,
    CT,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    J2K,
    JPEG_LOSSLESS,
    JPEG_LOSSLESS_SV1,
    JPEG_LS,
    LOSSLESS,
    NATIVE,
    RLE,
    encode_frame,
    mg_dataset,
    phantom_pixels,
    write_dataset,
    write_mg,
)
from pydicom.encaps import encapsulate

from app.core.dicom.pixels import read_frame
from app.core.dicom.reader import read_image
from app.core.errors import ReadError

COMPRESSED = [syntax for syntax in LOSSLESS if syntax not in NATIVE]


def _read(path, pixels):
    image = read_image(path)
    return read_frame(image) if pixels else image


def refusal(path, *, pixels=False):
    with pytest.raises(ReadError) as caught:
        _read(path, pixels)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path}: ")
    assert "\n" not in sentence
    assert "Traceback" not in sentence
    return caught.value.reason


@pytest.fixture(autouse=True)
def _nothing_else_is_printed(capfd):
    yield
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")


def test_a_file_that_is_not_there(tmp_path):
    assert refusal(tmp_path / "a.dcm") == "does not exist"


def test_a_folder(tmp_path):
    assert refusal(tmp_path) == "is a folder, not a file"


def test_an_empty_file(tmp_path):
    (tmp_path / "a.dcm").touch()
    assert refusal(tmp_path / "a.dcm") == "is empty (0 bytes)"


@pytest.mark.parametrize(
    "content", [b"This is no image.\n" * 30, b"\x00" * 500, bytes(range(7, 250, 4)), b"\x89PNG\r\n", b"\x08"]
)
def test_text_and_garbage_renamed_to_dcm(tmp_path, content):
    (tmp_path / "a.dcm").write_bytes(content)
    assert refusal(tmp_path / "a.dcm") == "is not a DICOM file"


def test_garbage_behind_a_preamble(tmp_path):
    (tmp_path / "a.dcm").write_bytes(b"\0" * 128 + b"DICM" + bytes(range(256)) * 8)
    assert refusal(tmp_path / "a.dcm")


@pytest.mark.parametrize("length", [133, 140, 200, 400, 700, 1000])
def test_a_header_that_is_cut_anywhere(tmp_path, length):
    whole = write_mg(tmp_path / "whole.dcm").read_bytes()
    (tmp_path / "a.dcm").write_bytes(whole[:length])
    assert refusal(tmp_path / "a.dcm")


def test_no_pixel_data(tmp_path):
    assert refusal(write_mg(tmp_path / "a.dcm", no_pixels=True)) == "holds no pixel data"


def test_empty_pixel_data(tmp_path):
    pixels = phantom_pixels()
    ds = mg_dataset(pixels)
    ds.PixelData = b""
    assert refusal(write_dataset(tmp_path / "a.dcm", ds, None)) == "holds no pixel data"


def test_what_is_no_mammogram_says_what_it_is(tmp_path):
    assert "CT Image Storage" in refusal(write_mg(tmp_path / "a.dcm", sop_class=CT, Modality="CT"))


@pytest.mark.parametrize(("rows", "columns"), [(0, 64), (64, 0), (65535, 65535), (None, 64)])
def test_sizes_that_cannot_be(tmp_path, rows, columns):
    reason = refusal(write_mg(tmp_path / "a.dcm", Rows=rows, Columns=columns))
    assert "size" in reason or "rows and columns" in reason


@pytest.mark.parametrize(
    "elements",
    [
        {"BitsStored": 20},
        {"BitsStored": 0},
        {"BitsAllocated": 12},
        {"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0},
        {"HighBit": 20},
        {"HighBit": 5},
        {"BitsAllocated": 64},
        {"BitsAllocated": 32, "BitsStored": 24, "HighBit": 23},
    ],
)
def test_bit_depths_that_cannot_be(tmp_path, elements):
    assert "bit" in refusal(write_mg(tmp_path / "a.dcm", **elements))


def test_colour(tmp_path):
    assert "3 samples per pixel" in refusal(write_mg(tmp_path / "a.dcm", SamplesPerPixel=3))
    assert "PALETTE COLOR" in refusal(write_mg(tmp_path / "a.dcm", PhotometricInterpretation="PALETTE COLOR"))


@pytest.mark.parametrize("frames", [0, -3, 100000, "many"])
def test_numbers_of_frames_that_cannot_be(tmp_path, frames):
    assert "number of frames" in refusal(write_mg(tmp_path / "a.dcm", NumberOfFrames=frames))


def test_a_transfer_syntax_that_nobody_decodes(tmp_path):
    pixels = phantom_pixels()
    ds = mg_dataset(pixels)
    ds.PixelData = encapsulate([b"\0" * 100])
    ds["PixelData"].is_undefined_length = True
    path = write_dataset(tmp_path / "a.dcm", ds, None, "1.2.840.10008.1.2.4.102")
    assert "unsupported transfer syntax MPEG-4" in refusal(path)


def test_compressed_pixels_under_an_uncompressed_syntax(tmp_path):
    pixels = phantom_pixels()
    ds = mg_dataset(pixels)
    ds.PixelData = encapsulate([encode_frame(pixels, J2K, 12)])
    ds["PixelData"].is_undefined_length = True
    path = write_dataset(tmp_path / "a.dcm", ds, None, EXPLICIT)
    assert "compressed pixels under an uncompressed transfer syntax" in refusal(path, pixels=True)


def test_uncompressed_pixels_under_a_compressed_syntax(tmp_path):
    pixels = phantom_pixels()
    ds = mg_dataset(pixels)
    ds.PixelData = pixels.tobytes()
    path = write_dataset(tmp_path / "a.dcm", ds, None, EXPLICIT)
    raw = path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")
    path.write_bytes(raw)
    assert "uncompressed pixels under the transfer syntax RLE" in refusal(path)


@pytest.mark.parametrize("syntax", [syntax for syntax in LOSSLESS if syntax != DEFLATED])
def test_pixels_that_end_early_are_refused_unless_asked_for(tmp_path, syntax):
    whole = write_mg(tmp_path / "whole.dcm", phantom_pixels(256, 200), transfer_syntax=syntax)
    raw = whole.read_bytes()
    path = tmp_path / "a.dcm"
    path.write_bytes(raw[: len(raw) - len(raw) // 4])
    assert refusal(path, pixels=True) == "ends before its last pixel"


@pytest.mark.parametrize("syntax", [*NATIVE[:2], NATIVE[3]])
def test_the_part_of_an_uncompressed_frame_that_is_there_can_be_had(tmp_path, syntax):
    pixels = phantom_pixels(64, 48)
    path = write_mg(tmp_path / "a.dcm", pixels, transfer_syntax=syntax, padding=7)
    path.write_bytes(path.read_bytes()[: -24 * 48 * 2])
    image = read_image(path)
    assert "pixels-truncated" in {note.code for note in image.notes}
    frame = read_frame(image, allow_incomplete=True)
    assert frame.incomplete
    np.testing.assert_array_equal(frame.stored[:40], pixels[:40])
    assert (frame.stored[40:] == 7).all()


@pytest.mark.parametrize("syntax", [JPEG_LOSSLESS, JPEG_LOSSLESS_SV1])
def test_the_part_of_a_compressed_frame_that_is_there_can_be_had(tmp_path, syntax):
    pixels = phantom_pixels(512, 400)
    path = write_mg(tmp_path / "a.dcm", pixels, transfer_syntax=syntax, padding=7)
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) * 3 // 4])
    frame = read_frame(read_image(path), allow_incomplete=True)
    assert frame.incomplete
    assert frame.stored.shape == (512, 400)
    np.testing.assert_array_equal(frame.stored[:300], pixels[:300])
    assert (frame.stored[480:] == 7).all()


def test_a_jpeg_2000_frame_that_ends_early_cannot_be_had(tmp_path):
    path = write_mg(tmp_path / "a.dcm", phantom_pixels(512, 400), transfer_syntax=J2K)
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) * 3 // 4])
    with pytest.raises(ReadError, match="ends before its last pixel"):
        read_frame(read_image(path), allow_incomplete=True)


@pytest.mark.parametrize("syntax", COMPRESSED)
def test_a_broken_codestream(tmp_path, syntax):
    pixels = phantom_pixels()
    ds = mg_dataset(pixels)
    stream = (
        bytes(1000)
        if syntax == RLE
        else encode_frame(pixels, syntax, 12)[:60] + os.urandom(200) + b"\xff\xd9"
    )
    ds.PixelData = encapsulate([stream])
    ds["PixelData"].is_undefined_length = True
    path = write_dataset(tmp_path / "a.dcm", ds, None, syntax)
    with contextlib.suppress(ReadError):  # random bytes may decode to something
        assert read_frame(read_image(path)).stored.shape == pixels.shape


@pytest.mark.parametrize("syntax", [J2K, JPEG_LS, JPEG_LOSSLESS_SV1, RLE])
def test_a_codestream_of_another_size_than_the_header_says(tmp_path, syntax):
    path = write_mg(tmp_path / "a.dcm", phantom_pixels(96, 64), transfer_syntax=syntax, Rows=97)
    assert refusal(path, pixels=True)


@pytest.mark.parametrize("syntax", [J2K, JPEG_LS])
def test_values_that_do_not_fit_the_stated_bits(tmp_path, syntax):
    path = write_mg(tmp_path / "a.dcm", transfer_syntax=syntax, BitsStored=8, HighBit=7)
    assert "8 bits" in refusal(path, pixels=True)


def test_no_fragments(tmp_path):
    ds = mg_dataset(phantom_pixels())
    ds.PixelData = encapsulate([b"\0\0"])[:8] + b"\xfe\xff\xdd\xe0\0\0\0\0"
    ds["PixelData"].is_undefined_length = True
    path = write_dataset(tmp_path / "a.dcm", ds, None, J2K)
    raw = path.read_bytes()
    start = raw.rindex(b"\xe0\x7f\x10\x00")
    path.write_bytes(raw[: start + 12] + b"\xfe\xff\x00\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0")
    assert refusal(path, pixels=True)


def test_more_frames_stated_than_there_are(tmp_path):
    frames = np.stack([phantom_pixels(seed=n) for n in range(2)])
    path = write_mg(tmp_path / "a.dcm", frames, transfer_syntax=J2K, NumberOfFrames=3)
    assert "3 frames" in refusal(path, pixels=True)
    native = write_mg(tmp_path / "b.dcm", frames, NumberOfFrames=3)
    image = read_image(native)
    np.testing.assert_array_equal(read_frame(image, 1).stored, frames[1])
    with pytest.raises(ReadError, match="ends before"):
        read_frame(image, 2)


def test_a_frame_that_the_image_does_not_have(tmp_path):
    with pytest.raises(ReadError, match="no frame 2"):
        read_frame(read_image(write_mg(tmp_path / "a.dcm")), 1)


def test_a_file_that_changed_or_went_after_it_was_opened(tmp_path):
    path = write_mg(tmp_path / "a.dcm", phantom_pixels(96, 64))
    image = read_image(path)
    write_mg(path, phantom_pixels(64, 96))
    with pytest.raises(ReadError, match="changed"):
        read_frame(image)
    path.unlink()
    with pytest.raises(ReadError, match="does not exist"):
        read_frame(image)


def test_a_file_that_may_not_be_read(tmp_path):
    path = write_mg(tmp_path / "a.dcm")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("root reads everything")
    assert "permission denied" in refusal(path)


def test_a_deflated_file_that_is_cut(tmp_path):
    path = write_mg(tmp_path / "a.dcm", phantom_pixels(256, 200), transfer_syntax=DEFLATED)
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) * 3 // 4])
    assert refusal(path, pixels=True)


def test_elements_of_impossible_length(tmp_path):
    raw = write_mg(tmp_path / "a.dcm", transfer_syntax=IMPLICIT).read_bytes()
    at = raw.index(b"\x10\x00\x10\x00", 132)
    (tmp_path / "b.dcm").write_bytes(raw[: at + 4] + b"\xf0\xff\xff\x7f" + raw[at + 8 :])
    assert refusal(tmp_path / "b.dcm")


def test_sequences_nested_without_end(tmp_path):
    deep = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 3000
    head = write_mg(tmp_path / "a.dcm").read_bytes()
    at = head.index(b"\x08\x00\x60\x00CS")
    (tmp_path / "b.dcm").write_bytes(head[:at] + deep)
    assert refusal(tmp_path / "b.dcm")


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, BIG_ENDIAN, RLE, J2K, JPEG_LS, JPEG_LOSSLESS_SV1])
def test_bytes_changed_at_random_give_an_image_or_a_sentence(tmp_path, syntax):
    whole = write_mg(
        tmp_path / "whole.dcm", window=(2048, 4096), padding=0, transfer_syntax=syntax
    ).read_bytes()
    chance = random.Random(syntax)
    for _ in range(12):
        raw = bytearray(whole)
        for _ in range(chance.choice([1, 3, 20])):
            raw[chance.randrange(128, 1300)] = chance.randrange(256)
        path = tmp_path / "a.dcm"
        path.write_bytes(raw)
        try:
            image = read_image(path)
            stored = read_frame(image).stored
        except ReadError as error:
            assert "\n" not in str(error)  # noqa: PT017
        else:
            assert stored.shape == (image.rows, image.columns)


@pytest.mark.parametrize("syntax", NATIVE)
def test_more_pixels_than_the_header_says_are_told(tmp_path, syntax):
    pixels = phantom_pixels(64, 49)
    image = read_image(write_mg(tmp_path / "a.dcm", pixels, Rows=60, transfer_syntax=syntax))
    assert "pixels-surplus" in {note.code for note in image.notes}
    exact = read_image(write_mg(tmp_path / "b.dcm", phantom_pixels(63, 49, bits=8), bits_stored=8))
    assert "pixels-surplus" not in {note.code for note in exact.notes}  # one byte makes the length even
