"""Windows, tables, padding and polarity as the file states them."""

import numpy as np
import pytest
from dicom_files import (
    BIG_ENDIAN,
    EXPLICIT,
    IMPLICIT,
    TOMOSYNTHESIS,
    lut_item,
    mg_dataset,
    phantom_pixels,
    write_dataset,
    write_mg,
)
from pydicom.dataset import Dataset

from app.core.dicom.reader import read_image
from app.core.imaging.image import LookupTable, Window


def read(path, *arguments, **elements):
    return read_image(write_mg(path / "a.dcm", *arguments, **elements))


def codes(image):
    return {note.code for note in image.notes}


def item(**values):
    found = Dataset()
    for key, value in values.items():
        setattr(found, key, value)
    return found


def test_no_window_in_the_file_is_no_alternative(tmp_path):
    assert read(tmp_path).grey[0].voi == ()


def test_windows_keep_their_order_names_and_function(tmp_path):
    image = read(tmp_path, window=[(2653, 900, "NORMAL"), (2713, 750, "HARDER")], function="SIGMOID")
    assert image.grey[0].voi == (
        Window(2653, 900, "SIGMOID", "NORMAL"),
        Window(2713, 750, "SIGMOID", "HARDER"),
    )


def test_without_a_function_a_window_is_linear(tmp_path):
    assert read(tmp_path, window=(2048, 4096)).grey[0].voi == (Window(2048, 4096, "LINEAR"),)


def test_an_unknown_function_is_linear_with_a_note(tmp_path):
    image = read(tmp_path, window=(2048, 4096), function="CUBIC")
    assert image.grey[0].voi[0].function == "LINEAR"
    assert "voi-function-unknown" in codes(image)


@pytest.mark.parametrize(("width", "function", "usable"), [
    (0.5, "LINEAR", False), (1, "LINEAR", True), (0.5, "LINEAR_EXACT", True), (0.5, "SIGMOID", True),
    (0, "SIGMOID", False), (-5, "LINEAR_EXACT", False),
])  # fmt: skip
def test_the_least_width_depends_on_the_function(tmp_path, width, function, usable):
    image = read(tmp_path, window=(100, width), function=function)
    assert bool(image.grey[0].voi) is usable
    assert ("window-invalid" in codes(image)) is not usable


@pytest.mark.parametrize(("function", "width"), [("LINEAR", 0), ("LINEAR", -3), ("SIGMOID", 0)])
def test_after_an_impossible_window_the_first_possible_one_is_the_default(tmp_path, function, width):
    image = read(tmp_path, window=[(100, width, "BAD"), (200, 50, "GOOD")], function=function)
    assert image.grey[0].voi == (Window(200, 50, function, "GOOD"),)
    assert image.grey[0].missing == (1,)
    (note,) = [note for note in image.notes if note.code == "window-invalid"]
    assert (note.level, note.text) == ("warning", "Window 1 of the file is impossible and was left out.")


def test_a_table_is_the_default_where_no_window_is_possible(tmp_path):
    table = lut_item(0, np.arange(300, dtype=np.uint16), 12, "NORMAL", "US")
    image = read(tmp_path, window=[(100, 0), (100, 0.5)], luts=[table])
    assert [voi.explanation for voi in image.grey[0].voi] == ["NORMAL"]
    assert image.grey[0].missing == (1, 2)


def test_a_center_without_a_width_is_left_out_with_a_note(tmp_path):
    image = read(tmp_path, WindowCenter=["100", "200"], WindowWidth="50")
    assert [voi.center for voi in image.grey[0].voi] == [100]
    assert "window-invalid" in codes(image)


def test_a_window_that_is_no_number_is_left_out_with_a_note(tmp_path):
    image = read(tmp_path, WindowCenter="abc", WindowWidth="50")
    assert image.grey[0].voi == ()
    assert "window-invalid" in codes(image)


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, BIG_ENDIAN])
@pytest.mark.parametrize("vr", ["US", "OW"])
def test_a_voi_lut_is_read_as_us_and_as_ow_in_either_byte_order(tmp_path, syntax, vr):
    data = (np.arange(300) * 13).astype(np.uint16)
    if syntax == BIG_ENDIAN and vr == "OW":
        written = lut_item(625, data.byteswap(), 12, "NORMAL", vr)
    else:
        written = lut_item(625, data, 12, "NORMAL", vr)
    table = read(tmp_path, luts=[written], transfer_syntax=syntax).grey[0].voi[0]
    assert isinstance(table, LookupTable)
    assert (table.first, table.bits, table.explanation) == (625, 12, "NORMAL")
    np.testing.assert_array_equal(table.data, data)
    assert not table.data.flags.writeable


@pytest.mark.parametrize("vr", ["US", "OW"])
def test_zero_entries_mean_65536(tmp_path, vr):
    data = (65535 - np.arange(65536)).astype(np.uint16)
    image = read(tmp_path, phantom_pixels(bits=16), bits_stored=16, luts=[lut_item(0, data, 16, vr=vr)])
    np.testing.assert_array_equal(image.grey[0].voi[0].data, data)


def test_packed_tables_of_8_bit_may_have_more_than_256_entries(tmp_path):
    data = (np.arange(2049) * 255 // 2048).astype(np.uint8)
    table = read(tmp_path, luts=[lut_item(0, data, 8, vr="OW")]).grey[0].voi[0]
    assert (len(table.data), table.bits) == (2049, 8)
    np.testing.assert_array_equal(table.data, data)


def test_tables_of_8_bit_in_words_are_not_taken_for_packed_ones(tmp_path):
    data = np.arange(256).astype(np.uint16)
    table = read(tmp_path, luts=[lut_item(0, data, 8, vr="OW")]).grey[0].voi[0]
    np.testing.assert_array_equal(table.data, data)


def test_a_table_for_signed_values_starts_below_zero(tmp_path):
    data = np.arange(100).astype(np.uint16)
    table = read(tmp_path, signed=True, luts=[lut_item(-50, data, 8)]).grey[0].voi[0]
    assert table.first == -50


def test_a_table_whose_entries_need_more_bits_than_stated_gets_them(tmp_path):
    data = np.array([0, 1000, 4095], np.uint16)
    assert read(tmp_path, luts=[lut_item(0, data, 10)]).grey[0].voi[0].bits == 12


def test_windows_come_before_tables(tmp_path):
    table = lut_item(0, np.arange(10).astype(np.uint16), 8, "CURVE")
    voi = read(tmp_path, window=(10, 20, "FLAT"), luts=[table]).grey[0].voi
    assert [one.explanation for one in voi] == ["FLAT", "CURVE"]


def test_a_broken_table_is_left_out_and_the_others_stay(tmp_path):
    short = lut_item(0, np.arange(10).astype(np.uint16), 8)
    short.LUTDescriptor = [500, 0, 8]
    good = lut_item(0, np.arange(10).astype(np.uint16), 8, "GOOD")
    image = read(tmp_path, luts=[short, good])
    assert [one.explanation for one in image.grey[0].voi] == ["GOOD"]
    assert "voi-lut-broken" in codes(image)


def test_a_modality_lut_is_read(tmp_path):
    data = (np.arange(4096) * 2).astype(np.uint16)
    table = read(tmp_path, ModalityLUTSequence=[lut_item(0, data, 16)]).grey[0].modality_lut
    np.testing.assert_array_equal(table.data, data)


def test_rescale_is_read_and_an_impossible_slope_ignored(tmp_path):
    grey = read(tmp_path, RescaleSlope=2.5, RescaleIntercept=-100).grey[0]
    assert (grey.slope, grey.intercept) == (2.5, -100)
    image = read(tmp_path, RescaleSlope=0, RescaleIntercept=7)
    assert (image.grey[0].slope, image.grey[0].intercept) == (1, 0)
    assert "rescale-invalid" in codes(image)


@pytest.mark.parametrize(("photometric", "shape", "inverse", "doubt"), [
    ("MONOCHROME2", "IDENTITY", False, False),
    ("MONOCHROME1", "INVERSE", True, False),
    ("MONOCHROME1", None, True, False),
    ("MONOCHROME2", None, False, False),
    ("MONOCHROME2", "INVERSE", True, True),
    ("MONOCHROME1", "IDENTITY", True, True),
])  # fmt: skip
def test_monochrome1_and_inverse_are_one_statement(tmp_path, photometric, shape, inverse, doubt):
    image = read(tmp_path, photometric=photometric, PresentationLUTShape=shape)
    assert image.grey[0].inverse is inverse
    assert ("photometric-conflict" in codes(image)) is doubt


def test_padding_is_a_value_or_a_range_in_either_photometric(tmp_path):
    assert read(tmp_path).grey[0].padding is None
    assert read(tmp_path, padding=0).grey[0].padding == (0, 0)
    assert read(tmp_path, padding=(0, 30)).grey[0].padding == (0, 30)
    assert read(tmp_path, padding=(4095, 4000), photometric="MONOCHROME1").grey[0].padding == (4000, 4095)


def test_padding_of_signed_pixels_is_signed_whatever_vr_it_was_written_with(tmp_path):
    assert read(tmp_path, signed=True, padding=(-2048, -2000)).grey[0].padding == (-2048, -2000)
    path = write_mg(tmp_path / "implicit.dcm", signed=True, padding=-2048, transfer_syntax=IMPLICIT)
    assert read_image(path).grey[0].padding == (-2048, -2048)
    header = mg_dataset(phantom_pixels(signed=True), signed=True)
    header.add_new(0x00280120, "US", 65536 - 2048)
    path = write_dataset(tmp_path / "us.dcm", header, phantom_pixels(signed=True))
    assert read_image(path).grey[0].padding == (-2048, -2048)


def test_a_padding_range_that_covers_everything_is_ignored(tmp_path):
    image = read(tmp_path, padding=(0, 4095))
    assert image.grey[0].padding is None
    assert "padding-invalid" in codes(image)


class TestFrames:
    frames = np.stack([phantom_pixels(64, 48, 10, seed=n) for n in range(3)])

    def write(self, path, shared=None, per_frame=None):
        groups = {}
        if shared is not None:
            groups["SharedFunctionalGroupsSequence"] = [shared]
        if per_frame is not None:
            groups["PerFrameFunctionalGroupsSequence"] = per_frame
        return read(path, self.frames, bits_stored=10, sop_class=TOMOSYNTHESIS, **groups)

    def voi(self, center, width, **more):
        return item(FrameVOILUTSequence=[item(WindowCenter=center, WindowWidth=width, **more)])

    def test_a_shared_window_holds_for_all(self, tmp_path):
        image = self.write(tmp_path, self.voi(512, 512))
        assert image.frames == 3
        assert image.grey == (image.grey_of(2),)
        assert image.grey_of(2).voi == (Window(512, 512),)

    def test_each_frame_may_have_its_own(self, tmp_path):
        per_frame = [self.voi(100 + n, 200, VOILUTFunction="SIGMOID") for n in range(3)]
        image = self.write(tmp_path, self.voi(512, 512), per_frame)
        assert [image.grey_of(n).voi[0].center for n in range(3)] == [100, 101, 102]
        assert image.grey_of(1).voi[0].function == "SIGMOID"

    def test_a_frame_without_its_own_takes_the_shared_one(self, tmp_path):
        image = self.write(tmp_path, self.voi(512, 512), [self.voi(1, 2), item(), item()])
        assert [image.grey_of(n).voi[0].center for n in range(3)] == [1, 512, 512]

    def test_groups_of_more_frames_than_there_are_are_passed_over(self, tmp_path):
        image = self.write(tmp_path, None, [self.voi(100 + n, 200) for n in range(45)])
        assert len(image.grey) == 3
        assert "frames-conflict" not in codes(image)

    def test_groups_of_fewer_frames_are_told(self, tmp_path):
        image = self.write(tmp_path, self.voi(512, 512), [self.voi(1, 2)])
        assert [image.grey_of(n).voi[0].center for n in range(3)] == [1, 512, 512]
        assert "frames-conflict" in codes(image)

    def test_the_transformation_of_values_is_in_the_groups_too(self, tmp_path):
        transformation = item(RescaleSlope=2, RescaleIntercept=-10, RescaleType="US")
        image = self.write(tmp_path, item(PixelValueTransformationSequence=[transformation]))
        assert (image.grey[0].slope, image.grey[0].intercept) == (2, -10)


@pytest.mark.parametrize(("shape", "inverse"), [("IDENTITY", False), ("INVERSE", True), (None, False)])
def test_a_missing_photometric_interpretation_is_told(tmp_path, shape, inverse):
    image = read(tmp_path, PhotometricInterpretation=None, PresentationLUTShape=shape)
    assert image.grey[0].inverse is inverse
    assert {note.code: note.level for note in image.notes}["photometric-missing"] == "inferred"
    assert "photometric-conflict" not in codes(image)
