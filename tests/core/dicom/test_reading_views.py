"""Which breast and which projection: precedence, nesting, inference."""

import pytest
from dicom_files import TOMOSYNTHESIS, code_item, write_mg
from pydicom.dataset import Dataset

from app.core.dicom.naming import parse
from app.core.dicom.reader import read_image


def codes(image):
    return {note.code for note in image.notes}


def group(**values):
    item = Dataset()
    for key, found in values.items():
        setattr(item, key, found)
    return item


def test_a_mammogram_states_side_view_and_orientation(tmp_path):
    image = read_image(write_mg(tmp_path / "a.dcm", laterality="L", view="CC", orientation=("A", "R")))
    assert (image.laterality, image.view, image.label) == ("L", "CC", "LCC")
    assert image.orientation == ("A", "R")
    assert not {"view-inferred", "laterality-inferred", "orientation-unusable"} & codes(image)


def test_frame_laterality_is_trusted_before_image_laterality(tmp_path):
    anatomy = group(FrameAnatomySequence=[group(FrameLaterality="L")])
    image = read_image(write_mg(tmp_path / "a.dcm", laterality="R", SharedFunctionalGroupsSequence=[anatomy]))
    assert image.laterality == "L"
    assert "laterality-conflict" in codes(image)


def test_image_laterality_is_trusted_before_laterality(tmp_path):
    image = read_image(write_mg(tmp_path / "a.dcm", laterality="R", Laterality="L"))
    assert image.laterality == "R"
    assert "laterality-conflict" in codes(image)


def test_laterality_alone_serves(tmp_path):
    image = read_image(write_mg(tmp_path / "a.dcm", laterality=None, Laterality="L", SeriesDescription=None))
    assert image.laterality == "L"
    assert "laterality-conflict" not in codes(image)


def test_a_tomosynthesis_object_states_its_side_in_the_functional_groups(tmp_path):
    anatomy = group(FrameAnatomySequence=[group(FrameLaterality="R")])
    image = read_image(
        write_mg(
            tmp_path / "a.dcm",
            laterality=None,
            sop_class=TOMOSYNTHESIS,
            SharedFunctionalGroupsSequence=[anatomy],
        )
    )
    assert (image.laterality, image.source) == ("R", "dbt")


def test_a_side_from_the_anatomic_modifier_is_marked_inferred(tmp_path):
    region = code_item("T-04000", "SRT", "Breast")
    region.AnatomicRegionModifierSequence = [code_item("G-A101", "SRT", "Left")]
    image = read_image(write_mg(tmp_path / "a.dcm", laterality=None, AnatomicRegionSequence=[region]))
    assert image.laterality == "L"
    assert "laterality-inferred" in codes(image)


def test_a_side_from_the_description_is_marked_inferred(tmp_path):
    image = read_image(write_mg(tmp_path / "a.dcm", laterality=None, view=None, SeriesDescription="Left MLO"))
    assert (image.laterality, image.view) == ("L", "MLO")
    assert {"laterality-inferred", "view-inferred"} <= codes(image)


def test_a_description_that_names_the_other_side_is_a_warning_and_changes_nothing(tmp_path):
    image = read_image(write_mg(tmp_path / "a.dcm", laterality="R", SeriesDescription="L MLO"))
    assert image.laterality == "R"
    note = next(note for note in image.notes if note.code == "laterality-conflict")
    assert note.level == "warning"


def test_a_file_without_any_side_says_so(tmp_path):
    image = read_image(write_mg(tmp_path / "a.dcm", laterality=None))
    assert image.laterality is None
    assert "laterality-unknown" in codes(image)


@pytest.mark.parametrize(
    ("value", "scheme", "view"),
    [
        ("399162004", "SCT", "CC"),
        ("R-10242", "SRT", "CC"),
        ("R-10226", "SNM3", "MLO"),
        ("Y-X1770", "SNM3", "XCCL"),
        ("399188001", "SCT", "SIO"),
    ],
)
def test_the_view_code_is_read_in_every_scheme(tmp_path, value, scheme, view):
    image = read_image(write_mg(tmp_path / "a.dcm", view=None, ViewCodeSequence=[code_item(value, scheme)]))
    assert image.view == view


def test_a_code_of_a_foreign_scheme_is_not_taken_for_a_view(tmp_path):
    image = read_image(
        write_mg(tmp_path / "a.dcm", view=None, ViewCodeSequence=[code_item("R-10242", "99ACME")])
    )
    assert image.view is None


def test_modifiers_are_nested_in_the_view(tmp_path):
    magnified = code_item("R-102D6", "SRT", "Magnification")
    view = code_item("R-10226", "SRT", "medio-lateral oblique", [magnified])
    image = read_image(write_mg(tmp_path / "a.dcm", ViewCodeSequence=[view]))
    assert (image.modifiers, image.label) == (("M",), "RMMLO")


def test_an_unknown_modifier_is_told_and_left_out_of_the_label(tmp_path):
    view = code_item("R-10242", "SRT", "cc", [code_item("99-1", "SRT", "Sideways")])
    image = read_image(write_mg(tmp_path / "a.dcm", ViewCodeSequence=[view]))
    assert image.label == "RCC"
    assert "modifier-unknown" in codes(image)


def test_the_view_code_wins_over_view_position(tmp_path):
    view = code_item("R-10226", "SRT", "medio-lateral oblique")
    image = read_image(write_mg(tmp_path / "a.dcm", ViewCodeSequence=[view], ViewPosition="CC"))
    assert image.view == "MLO"
    assert "view-conflict" in codes(image)


def test_view_position_serves_where_there_is_no_code(tmp_path):
    image = read_image(write_mg(tmp_path / "a.dcm", view="XCCL"))
    assert image.view == "XCCL"
    assert "view-inferred" not in codes(image)


def test_a_view_in_patient_orientation_is_no_orientation(tmp_path):
    image = read_image(write_mg(tmp_path / "a.dcm", view=None, orientation=None, PatientOrientation="CC"))
    assert (image.view, image.orientation) == ("CC", None)
    assert {"view-inferred", "orientation-unusable"} <= codes(image)


@pytest.mark.parametrize(
    "letters", [["X", "Y"], ["P"], ["P", "A"], ["AP", "L"], ["P", "L", "F"], ["LEFT", "FEET"]]
)
def test_letters_that_say_no_direction_are_no_orientation(tmp_path, letters):
    image = read_image(write_mg(tmp_path / "a.dcm", orientation=letters))
    assert image.orientation is None
    assert "orientation-unusable" in codes(image)


@pytest.mark.parametrize(
    "letters", [("P", "L"), ("A", "R"), ("P", "FL"), ("A", "FR"), ("FL", "P"), ("HR", "A"), ("AL", "F")]
)
def test_usable_letters_are_kept_as_stated(tmp_path, letters):
    assert read_image(write_mg(tmp_path / "a.dcm", orientation=letters)).orientation == letters


def test_a_partial_view_names_its_sections(tmp_path):
    sections = [code_item("G-A104", "SRT", "lateral"), code_item("264217000", "SCT", "superior")]
    image = read_image(write_mg(tmp_path / "a.dcm", PartialView="YES", PartialViewCodeSequence=sections))
    assert image.partial == ("lateral", "superior")
    assert ("Partial view", "PARTIAL LATERAL SUPERIOR") in image.corner


def test_an_implant_is_told_even_when_displaced(tmp_path):
    view = code_item("R-10242", "SRT", "cc", [code_item("399209000", "SCT", "Implant displaced")])
    image = read_image(write_mg(tmp_path / "a.dcm", ViewCodeSequence=[view], BreastImplantPresent="YES"))
    assert image.implant
    assert image.label == "RCCID"
    assert ("Implant", "IMPLANT") in image.corner


@pytest.mark.parametrize(
    ("name", "laterality", "view"),
    [
        ("LCC", "L", "CC"),
        ("l_cc", "L", "CC"),
        ("RIGHT_MLO", "R", "MLO"),
        ("left-mlo", "L", "MLO"),
        ("Mass-Training_P_00001_LEFT_CC", "L", "CC"),
        ("Calc-Test_P_00127_RIGHT_MLO", "R", "MLO"),
        ("20586908_6c613a14b80a8591_MG_R_CC_ANON", "R", "CC"),
        ("P1_L_DM_MLO", "L", "MLO"),
        ("LeftCC", "L", "CC"),
        ("rmloid", "R", "MLO"),
        ("mdb001", None, None),
        ("Accession-1234", None, None),
        ("L_and_R_CC", None, "CC"),
        ("RCC_LMLO", None, None),
    ],
)
def test_side_and_view_are_read_from_names_as_people_write_them(name, laterality, view):
    named = parse(name)
    assert (named.laterality, named.view) == (laterality, view)


@pytest.mark.parametrize(("stem", "modifiers"), [
    ("LCC_spot", ("S",)), ("LCC_spot_mag_2", ("M", "S")), ("brown_spot_L_CC", ("S",)),
    ("LCC_mag_view", ("M",)),
    ("left mediolateral oblique spot", ("S",)), ("RMLO implant displaced", ("ID",)), ("LSCC", ("S",)),
    ("LCC with spot light", ()), ("LCC spot light", ()), ("LCC_no_spot", ()), ("spot_the_dog_LCC", ()),
])  # fmt: skip
def test_a_word_in_a_file_name_is_a_modifier_only_beside_the_view(stem, modifiers):
    assert parse(stem, file_name=True).modifiers == modifiers


def test_words_of_a_view_serve_too():
    assert parse("medio-lateral oblique, left").view == "MLO"
    assert parse("Cranio-caudal").view == "CC"
    assert parse("medio-lateral").view == "ML"


@pytest.mark.parametrize(("words", "modifiers"), [
    ("R MLO", ()), ("R MLO SPOT MAG", ("M", "S")), ("RMLO magnification", ("M",)), ("R MLO - Spot", ("S",)),
    ("R MLO Implant Displaced", ("ID",)), ("Eklund RMLO", ("ID",)), ("R MLO image spotless", ()),
    ("R MLO no spot", ()), ("RMLO without mag or spot", ()), ("R MLO no grid, spot", ("S",)),
    ("L MLO spot", ()), ("MLO spot", ("S",)), ("R CC MAG", None), ("MAG", None),
])  # fmt: skip
@pytest.mark.parametrize("stated", ["code", "position", "description"])
def test_modifiers_come_from_a_description_of_the_same_view(tmp_path, words, modifiers, stated):
    given = {"code": {}, "position": {"ViewCodeSequence": None}, "description": {"view": None}}[stated]
    if stated == "description" and modifiers is None:
        return  # it names another view, or none
    image = read_image(write_mg(tmp_path / "a.dcm", SeriesDescription=words, **given))
    assert (image.view, image.modifiers) == ("MLO", modifiers or ())
    told = {note.code for note in image.notes} & {"modifier-inferred", "view-inferred"}
    wanted = {"view-inferred"} if stated == "description" else {"modifier-inferred"} if modifiers else set()
    assert told == wanted
