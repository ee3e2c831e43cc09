"""Stored values come out as they went in, whatever the transfer syntax."""

import io

import dicom_files
import imagecodecs
import numpy as np
import pytest
from dicom_files import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    HTJ2K,
    HTJ2K_LOSSY,
    IMPLICIT,
    J2K,
    JPEG_BASELINE,
    JPEG_EXTENDED,
    JPEG_LOSSLESS,
    JPEG_LS,
    JPEG_LS_NEAR,
    LOSSLESS,
    NATIVE,
    RLE,
    encode_frame,
    mg_dataset,
    phantom_pixels,
    write_dataset,
    write_mg,
)
from PIL import Image as Picture
from pydicom.encaps import encapsulate, encapsulate_extended

from app.core.dicom.pixels import first_look, read_frame
from app.core.dicom.reader import read_image

ALL_BITS = [8, 10, 12, 14, 16]


def full_range(rows, columns, bits, signed):
    """Pixels that use every value of their depth's ends, so that a lost or extended bit shows."""
    low = -(1 << (bits - 1)) if signed else 0
    values = (np.arange(rows * columns).reshape(rows, columns) * 257) % (1 << bits) + low
    values[0, :4] = [low, low + (1 << bits) - 1, 0 if signed else low + 1, low + 1]
    kind = "i" if signed else "u"
    return values.astype(f"{kind}{1 if bits <= 8 else 2}")


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", ALL_BITS)
@pytest.mark.parametrize("syntax", LOSSLESS)
def test_lossless_syntaxes_give_back_every_value(tmp_path, syntax, bits, signed):
    pixels = full_range(50, 37, bits, signed)
    path = write_mg(tmp_path / "a.dcm", pixels, bits_stored=bits, signed=signed, transfer_syntax=syntax)
    image = read_image(path)
    frame = read_frame(image)
    assert image.transfer_syntax == syntax
    assert frame.stored.dtype == (np.int16 if signed else np.uint16)
    assert not frame.stored.flags.writeable
    assert not frame.incomplete
    np.testing.assert_array_equal(frame.stored, pixels)


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_each_frame_of_many_is_reachable_and_right(tmp_path, syntax):
    frames = np.stack([phantom_pixels(40, 31, seed=n) for n in range(5)])
    image = read_image(write_mg(tmp_path / "a.dcm", frames, transfer_syntax=syntax))
    assert image.frames == 5
    for number in (4, 0, 2):
        np.testing.assert_array_equal(read_frame(image, number).stored, frames[number])


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, BIG_ENDIAN])
def test_files_without_preamble_are_read(tmp_path, syntax):
    pixels = phantom_pixels()
    image = read_image(write_mg(tmp_path / "a.dcm", pixels, transfer_syntax=syntax, preamble=False))
    assert image.transfer_syntax == syntax
    np.testing.assert_array_equal(read_frame(image).stored, pixels)


@pytest.mark.parametrize(
    ("syntax", "bits", "error"), [(JPEG_BASELINE, 8, 12), (JPEG_EXTENDED, 12, 12), (JPEG_LS_NEAR, 12, 2)]
)
def test_lossy_syntaxes_are_near(tmp_path, syntax, bits, error):
    pixels = phantom_pixels(bits=bits)
    image = read_image(write_mg(tmp_path / "a.dcm", pixels, bits_stored=bits, transfer_syntax=syntax))
    assert np.abs(read_frame(image).stored.astype(int) - pixels).max() <= error


@pytest.mark.parametrize("syntax", [s for s in LOSSLESS if s not in NATIVE and s != RLE])
def test_a_frame_may_lie_in_several_fragments(tmp_path, syntax):
    frames = [phantom_pixels(seed=n) for n in range(3)]
    ds = mg_dataset(np.stack(frames))
    streams = [encode_frame(frame, syntax, 12) for frame in frames]
    for has_table in (True, False):
        ds.PixelData = encapsulate(streams, fragments_per_frame=3, has_bot=has_table)
        ds["PixelData"].is_undefined_length = True
        image = read_image(write_dataset(tmp_path / "a.dcm", ds, None, syntax))
        for number, frame in enumerate(frames):
            np.testing.assert_array_equal(read_frame(image, number).stored, frame)


def test_an_extended_offset_table_is_used(tmp_path):
    frames = [phantom_pixels(seed=n) for n in range(3)]
    ds = mg_dataset(np.stack(frames))
    data, offsets, lengths = encapsulate_extended([encode_frame(frame, JPEG_LS, 12) for frame in frames])
    ds.PixelData, ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = data, offsets, lengths
    ds["PixelData"].is_undefined_length = True
    image = read_image(write_dataset(tmp_path / "a.dcm", ds, None, JPEG_LS))
    np.testing.assert_array_equal(read_frame(image, 2).stored, frames[2])


def test_bits_outside_of_bits_stored_are_not_part_of_the_pixel(tmp_path):
    pixels = phantom_pixels()
    overlay = pixels | (np.uint16(1) << 15)
    image = read_image(write_mg(tmp_path / "a.dcm", overlay))
    np.testing.assert_array_equal(read_frame(image).stored, pixels)


def test_a_high_bit_above_the_stored_bits_is_shifted_down(tmp_path):
    pixels = phantom_pixels()
    image = read_image(write_mg(tmp_path / "a.dcm", pixels << 4, HighBit=15))
    np.testing.assert_array_equal(read_frame(image).stored, pixels)


def test_pixels_of_32_bit_that_need_16_are_read(tmp_path):
    pixels = phantom_pixels(bits=16)
    path = write_mg(tmp_path / "a.dcm", pixels.astype(np.uint32), bits_stored=16, BitsAllocated=32)
    np.testing.assert_array_equal(read_frame(read_image(path)).stored, pixels)


def test_eight_bit_pixels_in_words_of_a_big_endian_file_are_swapped_back(tmp_path):
    pixels = phantom_pixels(bits=8)
    ds = mg_dataset(pixels, bits_stored=8)
    ds.add_new(0x7FE00010, "OW", pixels.tobytes())
    words = np.frombuffer(pixels.tobytes(), "<u2").astype(">u2").tobytes()
    path = write_dataset(tmp_path / "a.dcm", ds, None, BIG_ENDIAN)
    raw = path.read_bytes()
    path.write_bytes(raw[: -len(words)] + words)
    np.testing.assert_array_equal(read_frame(read_image(path)).stored, pixels)


def test_odd_numbers_of_8_bit_pixels_are_read_to_the_last(tmp_path):
    pixels = np.stack([phantom_pixels(33, 31, 8, seed=n) for n in range(3)])
    image = read_image(write_mg(tmp_path / "a.dcm", pixels, bits_stored=8))
    np.testing.assert_array_equal(read_frame(image, 2).stored, pixels[2])


def test_a_deflated_file_gives_all_frames(tmp_path):
    frames = np.stack([phantom_pixels(seed=n) for n in range(3)])
    image = read_image(write_mg(tmp_path / "a.dcm", frames, transfer_syntax=DEFLATED))
    np.testing.assert_array_equal(read_frame(image, 1).stored, frames[1])


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("syntax", [J2K, HTJ2K])
def test_a_first_look_shows_the_same_grey_at_a_quarter_of_the_size(tmp_path, syntax, bits):
    pixels = phantom_pixels(515, 402, bits)
    image = read_image(write_mg(tmp_path / "a.dcm", pixels, bits_stored=bits, transfer_syntax=syntax))
    look = first_look(image)
    assert look.factor == 4
    assert look.stored.shape == (129, 101)  # ceil(515 / 4), ceil(402 / 4)
    mean = pixels[:512, :400].reshape(128, 4, 100, 4).mean((1, 3))
    error = np.abs(look.stored[:128, :100] - mean)
    assert np.median(error) < 2**bits * 0.02
    assert look.stored.max() < 2**bits


@pytest.mark.parametrize("syntax", [J2K, HTJ2K])
@pytest.mark.parametrize("reduce", [1, 2, 3])
@pytest.mark.parametrize("rest", [1, 2, 3, 4, 5, 7])
def test_a_first_look_comes_whatever_the_size_leaves_over(tmp_path, syntax, reduce, rest):
    """A resolution has ceil(size / 2**n) rows and columns (T.800 B.5); 1914 columns leave 2 over at 1/8."""
    rows, columns = 1024 + rest, 768 + rest
    pixels = phantom_pixels(rows, columns)
    look = first_look(read_image(write_mg(tmp_path / "a.dcm", pixels, transfer_syntax=syntax)), reduce=reduce)
    step = 2**reduce
    assert look.stored.shape == (-(-rows // step), -(-columns // step))
    mean = pixels[:1024, :768].reshape(1024 // step, step, 768 // step, step).mean((1, 3))
    error = np.abs(look.stored[: 1024 // step, : 768 // step] - mean)
    assert np.median(error) < 4096 * 0.02


@pytest.mark.parametrize(("levels", "factor"), [(2, 4), (1, 2)])
def test_a_first_look_is_the_smallest_that_the_file_holds(tmp_path, monkeypatch, levels, factor):
    def encoded(frame, transfer_syntax, bits_stored):
        return bytes(
            imagecodecs.jpeg2k_encode(
                frame, codecformat="j2k", bitspersample=12, reversible=True, resolutions=levels + 1
            )
        )

    monkeypatch.setattr(dicom_files, "encode_frame", encoded)
    path = write_mg(tmp_path / "a.dcm", phantom_pixels(1024, 768), transfer_syntax=J2K)
    look = first_look(read_image(path), reduce=3)
    assert (look.factor, look.stored.shape) == (factor, (1024 // factor, 768 // factor))


def test_without_reduced_resolutions_there_is_no_first_look(tmp_path, monkeypatch):
    def encoded(frame, transfer_syntax, bits_stored):
        return bytes(
            imagecodecs.jpeg2k_encode(
                frame, codecformat="j2k", bitspersample=12, reversible=True, resolutions=1
            )
        )

    monkeypatch.setattr(dicom_files, "encode_frame", encoded)
    path = write_mg(tmp_path / "a.dcm", phantom_pixels(1024, 768), transfer_syntax=J2K)
    assert first_look(read_image(path), reduce=3) is None


def test_a_first_look_of_tiles_and_of_one_of_many_frames(tmp_path, monkeypatch):
    # As wide as the image: of narrower ones Pillow writes wrong pixels in 16 bits.
    def in_tiles(frame, transfer_syntax, bits_stored):
        out = io.BytesIO()
        Picture.fromarray(frame).save(out, "JPEG2000", no_jp2=True, irreversible=False, tile_size=(768, 128))
        return out.getvalue()

    monkeypatch.setattr(dicom_files, "encode_frame", in_tiles)
    frames = np.stack([phantom_pixels(1024, 768, 16, seed=number) for number in range(2)])
    frames[1] = frames[1, ::-1]
    image = read_image(write_mg(tmp_path / "a.dcm", frames, bits_stored=16, transfer_syntax=J2K))
    for number, frame in enumerate(frames):
        np.testing.assert_array_equal(read_frame(image, number).stored, frame)
        mean = frame.reshape(256, 4, 192, 4).mean((1, 3))
        assert np.median(np.abs(first_look(image, number).stored - mean)) < 65536 * 0.02


def test_syntaxes_without_resolutions_have_no_first_look(tmp_path):
    for syntax in (EXPLICIT, RLE, JPEG_LOSSLESS, JPEG_LS):
        image = read_image(write_mg(tmp_path / "a.dcm", phantom_pixels(512, 400), transfer_syntax=syntax))
        assert first_look(image) is None


@pytest.mark.parametrize("syntax", [JPEG_LS_NEAR, HTJ2K_LOSSY])
def test_a_lossy_value_past_the_end_of_the_range_is_the_end(tmp_path, syntax):
    """Codestreams of 16 bits for 12 bits stored, as encoders write them, may overshoot 4095 a little."""
    pixels = np.random.default_rng(5).integers(4085, 4096, (64, 48)).astype(np.uint16)
    path = write_mg(tmp_path / "a.dcm", pixels, bits_stored=12, transfer_syntax=syntax)
    values = read_frame(read_image(path), 0).stored.astype(int)
    assert values.max() == 4095
    assert np.abs(values - pixels).max() <= 12


@pytest.mark.parametrize(("stated", "ratios", "words"), [
    ("01", ["4", "2.5"], "with loss (10 : 1):"), ("01", None, "with loss:"),
    ("00", None, ""), (None, None, ""),
])  # fmt: skip
def test_pixels_that_were_compressed_with_loss_are_told(tmp_path, stated, ratios, words):
    given = {"LossyImageCompression": stated, "LossyImageCompressionRatio": ratios}
    given = {key: value for key, value in given.items() if value}
    image = read_image(write_mg(tmp_path / "a.dcm", phantom_pixels(), **given))
    told = [note.text for note in image.notes if note.code == "lossy"]
    assert len(told) == bool(words)
    assert all(words in one for one in told)


@pytest.mark.parametrize("syntax", [JPEG_LS_NEAR, HTJ2K_LOSSY])
@pytest.mark.parametrize(("stated", "words"), [
    (None, "may have been compressed"), ("01", "were compressed"), ("00", ""),
])  # fmt: skip
def test_of_a_syntax_that_may_be_lossy_the_file_decides(tmp_path, syntax, stated, words):
    given = {"LossyImageCompression": stated} if stated else {}
    pixels = phantom_pixels(bits=12)
    image = read_image(write_mg(tmp_path / "a.dcm", pixels, bits_stored=12, transfer_syntax=syntax, **given))
    told = [note.text for note in image.notes if note.code == "lossy"]
    assert len(told) == bool(words)
    assert all(words in one for one in told)


def test_a_jpeg_that_does_not_say_it_is_lossy_is_told_too(tmp_path):
    path = write_mg(tmp_path / "a.dcm", phantom_pixels(bits=8), bits_stored=8, transfer_syntax=JPEG_BASELINE)
    assert "lossy" in {note.code for note in read_image(path).notes}
