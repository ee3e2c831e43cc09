"""Patient, dates, corner texts, source: what is repaired and what is told."""

from datetime import date, datetime

import pytest
from dicom_files import (
    CR,
    DX_PRESENTATION,
    MG_PROCESSING,
    SECONDARY_CAPTURE,
    TOMOSYNTHESIS,
    code_item,
    write_mg,
)
from pydicom.dataset import Dataset

from app.core.dicom.patient import person_name
from app.core.dicom.reader import read_image
from app.core.errors import ReadError


def read(path, **elements):
    return read_image(write_mg(path / "a.dcm", **elements))


def codes(image):
    return {note.code for note in image.notes}


def test_the_patient_is_read(tmp_path):
    patient = read(tmp_path, IssuerOfPatientID="Ward 7").patient
    assert (patient.id, patient.issuer, patient.name) == ("P-1", "Ward 7", "Doe, Jane")
    assert (patient.birth_date, patient.sex) == (date(1960, 1, 1), "F")


@pytest.mark.parametrize(("raw", "name"), [
    ("Doe^Jane", "Doe, Jane"),
    ("Doe^Jane^Mary^Dr.^PhD", "Doe, Dr. Jane Mary, PhD"),
    ("Doe", "Doe"),
    ("", ""),
    ("^^", ""),
    ("Yamada^Tarou=山田^太郎", "Yamada, Tarou"),
    ("=山田^太郎", "山田, 太郎"),
])  # fmt: skip
def test_a_person_name_is_written_for_people(raw, name):
    assert person_name(raw) == name


@pytest.mark.parametrize("raw", ["00000000", "19601301", "1960", "yesterday"])
def test_an_invalid_birth_date_is_none_with_a_note(tmp_path, raw):
    image = read(tmp_path, PatientBirthDate=raw)
    assert image.patient.birth_date is None
    assert "birth-date-invalid" in codes(image)


def test_an_empty_birth_date_is_no_doubt(tmp_path):
    assert "birth-date-invalid" not in codes(read(tmp_path, PatientBirthDate=""))


def test_dates_with_points_are_dates(tmp_path):
    assert read(tmp_path, PatientBirthDate="1960.01.31").patient.birth_date == date(1960, 1, 31)


def test_an_invalid_study_date_falls_back_with_a_note(tmp_path):
    image = read(tmp_path, StudyDate="20249999")
    assert image.study_date == date(2024, 3, 5)
    assert "date-invalid" in codes(image)


def test_acquisition_comes_before_content_series_and_study(tmp_path):
    assert read(tmp_path, AcquisitionDate="20240306", AcquisitionTime="070809.5").acquired == datetime(
        2024, 3, 6, 7, 8, 9, 500000
    )
    assert read(tmp_path, AcquisitionDate=None, ContentDate="20240307").acquired.day == 7
    assert read(tmp_path, AcquisitionTime="99").acquired == datetime(2024, 3, 5)
    nothing = dict.fromkeys(("AcquisitionDate", "ContentDate", "SeriesDate", "StudyDate"))
    assert read(tmp_path, **nothing).acquired is None


@pytest.mark.parametrize(("age", "birth", "shown"), [
    ("064Y", "19600101", "64 y"), ("018M", "", "18 m"), ("000Y", "19600101", "64 y"), ("", "", ""),
    ("", "19600306", "63 y"), ("old", "19600305", "64 y"),
])  # fmt: skip
def test_the_age_is_the_stated_one_else_from_the_birth_date(tmp_path, age, birth, shown):
    assert read(tmp_path, PatientAge=age, PatientBirthDate=birth).age == shown


def test_values_longer_than_the_standard_allows_are_kept_and_told(tmp_path):
    long = "Screening " * 12
    image = read(tmp_path, StudyDescription=long, AccessionNumber="A" * 40)
    assert image.study_description == long.strip()
    assert "StudyDescription" in next(note.text for note in image.notes if note.code == "value-too-long")


def test_line_breaks_and_control_characters_do_not_reach_the_screen(tmp_path):
    image = read(tmp_path, PatientID="P\n1\x07", Manufacturer="A\tB\r\nC")
    assert image.patient.id == "P 1"
    assert image.manufacturer == "A B C"


def test_names_in_other_alphabets_are_decoded(tmp_path):
    assert read(tmp_path, PatientName="Müller^Jürgen").patient.name == "Müller, Jürgen"
    greek = read(tmp_path, SpecificCharacterSet="ISO_IR 126", PatientName="Διονυσιος")
    assert greek.patient.name == "Διονυσιος"


def test_corner_texts_carry_the_units_of_the_profile(tmp_path):
    image = read(
        tmp_path,
        KVP=29.5,
        Exposure=71,
        ExposureTime=1149,
        OrganDose=0.01521,
        EntranceDoseInmGy=8.515,
        CompressionForce=100,
        BodyPartThickness=73,
        PositionerPrimaryAngle=45,
        RelativeXRayExposure=8515,
        AnodeTargetMaterial="RHODIUM",
        FilterMaterial="SILVER",
        OperatorsName=["Roe^Ann", "Poe^Bo"],
        InstitutionName="Clinic",
        DetectorID="D-7",
    )
    corner = dict(image.corner)
    assert corner["Tube voltage"] == "29.5 kV"
    assert corner["Exposure"] == "71 mAs"
    assert corner["Exposure time"] == "1149 ms"
    assert corner["Organ dose"] == "1.521 mGy"  # 0.01521 dGy x 100
    assert corner["Entrance dose"] == "8.515 mGy"
    assert corner["Compression"] == "100 N"
    assert corner["Thickness"] == "73 mm"
    assert corner["Angle"] == "45°"
    assert corner["Relative exposure"] == "8515"
    assert corner["Target / filter"] == "RHODIUM / SILVER"
    assert corner["Operator"] == "Roe, Ann; Poe, Bo"
    assert corner["Acquired"] == "2024-03-05 10:15:00"
    names = [name for name, _ in image.corner]
    assert names.index("Patient name") < names.index("Acquired") < names.index("Manufacturer")
    assert names.index("Institution") < names.index("Compression") < names.index("Operator")


def test_a_reason_is_shown_by_its_meaning(tmp_path):
    request = Dataset()
    request.ReasonForRequestedProcedureCodeSequence = [code_item("R42453", "RADLEX", "Screening")]
    assert dict(read(tmp_path, RequestAttributesSequence=[request]).corner)["Reason"] == "Screening"


@pytest.mark.parametrize(("elements", "source"), [
    ({}, "ffdm"),
    ({"sop_class": MG_PROCESSING}, "ffdm"),
    ({"sop_class": TOMOSYNTHESIS}, "dbt"),
    ({"ImageType": ["DERIVED", "PRIMARY", "TOMOSYNTHESIS", "GENERATED_2D"]}, "synthetic2d"),
    ({"SeriesDescription": "R MLO C-View"}, "synthetic2d"),
    ({"SeriesDescription": "L CC S-View"}, "synthetic2d"),
    ({"SeriesDescription": "V-Preview RCC"}, "synthetic2d"),
    ({"sop_class": SECONDARY_CAPTURE}, "film"),
    ({"ConversionType": "DF"}, "film"),
    ({"Manufacturer": "Mammoview phantom"}, "phantom"),
    ({"sop_class": DX_PRESENTATION}, "unknown"),
])  # fmt: skip
def test_the_source_names_what_the_pixels_come_from(tmp_path, elements, source):
    assert read(tmp_path, **elements).source == source


def test_the_intent_is_stated_or_follows_from_the_class(tmp_path):
    assert read(tmp_path).intent == "presentation"
    assert read(tmp_path, sop_class=MG_PROCESSING).intent == "processing"
    assert read(tmp_path, sop_class=MG_PROCESSING, PresentationIntentType=None).intent == "processing"
    assert read(tmp_path, sop_class=SECONDARY_CAPTURE, PresentationIntentType=None).intent is None


@pytest.mark.parametrize("sop_class", [CR, DX_PRESENTATION, SECONDARY_CAPTURE])
def test_other_projections_are_read_where_they_show_a_breast(tmp_path, sop_class):
    blank = {"Modality": "CR", "BodyPartExamined": "CHEST", "PositionerType": None, "view": None}
    with pytest.raises(ReadError, match="not a mammogram"):
        read(tmp_path, sop_class=sop_class, orientation=None, **blank)
    assert read(tmp_path, sop_class=sop_class, **(blank | {"Modality": "MG"})).modality == "MG"
    assert read(tmp_path, sop_class=sop_class, **(blank | {"BodyPartExamined": "BREAST"})).modality == "CR"
    assert read(tmp_path, sop_class=sop_class, **(blank | {"view": "MLO"})).view == "MLO"


MUELLER = "Müller^Jörg"


@pytest.mark.parametrize(("stated", "raw", "inferred"), [
    ("ISO_IR 100", MUELLER.encode("latin-1"), False),
    ("ISO_IR100", MUELLER.encode("latin-1"), False),
    ("ISO_IR 192", MUELLER.encode("utf-8"), False),
    (None, MUELLER.encode("utf-8"), True),
    (None, MUELLER.encode("latin-1"), True),
    ("ISO_IR 192", MUELLER.encode("latin-1"), True),
    ("BOGUS", MUELLER.encode("latin-1"), True),
    ("BOGUS", MUELLER.encode("utf-8"), True),
])  # fmt: skip
def test_names_are_read_whatever_character_set_is_stated(tmp_path, stated, raw, inferred):
    path = write_mg(tmp_path / "a.dcm", SpecificCharacterSet=stated)
    raw += b" " * (len(raw) % 2)
    plain, named = b"PN\x08\x00Doe^Jane", b"PN" + len(raw).to_bytes(2, "little") + raw
    content = path.read_bytes()
    assert content.count(plain) == 1
    path.write_bytes(content.replace(plain, named))
    image = read_image(path)
    assert image.patient.name == "Müller, Jörg"
    assert ("character-set-inferred" in {note.code for note in image.notes}) is inferred


def test_several_character_sets_are_left_as_they_are(tmp_path):
    """The Korean example of PS3.5 J.3: the alphabetic group is what is shown."""
    korean = b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7"
    path = write_mg(tmp_path / "a.dcm", SpecificCharacterSet=["", "ISO 2022 IR 149"])
    content = path.read_bytes()
    korean += b" " * (len(korean) % 2)
    named = b"PN" + len(korean).to_bytes(2, "little") + korean
    path.write_bytes(content.replace(b"PN\x08\x00Doe^Jane", named))
    image = read_image(path)
    assert image.patient.name == "Hong, Gildong"
    assert "character-set-inferred" not in {note.code for note in image.notes}
