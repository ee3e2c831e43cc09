"""Pictures of two people are never one exam, whatever their names leave open."""

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from app.core.dicom.grouping import group
from app.core.dicom.naming import exam_name, parse
from app.core.imaging.image import Image


def picture(name, folder="/exam"):
    named = parse(Path(name).stem)
    return Image(
        path=Path(folder) / name,
        sop_uid=f"1.{folder}.{name}",
        laterality=named.laterality,
        view=named.view,
        modifiers=named.modifiers,
        kind="raster",
    )


def exams(*names):
    """Return the file names of each exam found, sorted."""
    images = [one if isinstance(one, Image) else picture(one) for one in names]
    studies = [study for person in group(images) for study in person.studies]
    assert len({study.key for study in studies}) == len(studies)
    assert len({study.uid for study in studies}) == len(studies)
    return sorted(sorted(one.path.name for one in study.images) for study in studies)


@pytest.mark.parametrize(("stem", "rest"), [
    ("brown_RCC", "brown"),
    ("brownLMLO", "brown"),
    ("00001_LEFT_MLO", "00001"),
    ("Calc-Test_P_00041_RIGHT_CC", "Calc Test P 00041"),
    ("Mass-Test_P_00016_LEFT_CC-full", "Mass Test P 00016"),
    ("P305_R_DM_MLO", "P305 DM"),
    ("L_MLO", ""),
    ("RMLOID", ""),
    ("left mediolateral oblique", ""),
    ("R_Brown_LCC", "R Brown"),
    ("R_Brown_L_CC", "R Brown"),
    ("Tan_LCC", "Tan"),
    ("CC_Smith_LMLO", "CC Smith"),
    ("Föl_CC", "Föl"),
    ("mdb001", "mdb001"),
])  # fmt: skip
def test_what_a_file_name_says_besides_side_and_view(stem, rest):
    assert exam_name(stem) == rest


def test_four_views_of_each_of_two_people_in_one_folder_are_two_exams():
    views = ("RCC", "LCC", "RMLO", "LMLO")
    names = [f"{who}_{view}.png" for who in ("brown", "green") for view in views]
    assert exams(*names) == [sorted(names[:4]), sorted(names[4:])]


def test_names_of_nothing_but_side_and_view_are_one_exam_for_each_folder():
    names = ["LCC.png", "LMLO.png", "RCC.png", "RMLO.png"]
    other = [picture(name, "/other") for name in names]
    assert exams(*names, *other) == [names, names]


def test_the_same_stem_in_two_folders_is_two_exams():
    assert exams("brown_RCC.png", picture("brown_LCC.png", "/other")) == [
        ["brown_LCC.png"],
        ["brown_RCC.png"],
    ]


@pytest.mark.parametrize("names", [
    ["LCC.png", "L_CC.png", "RCC.png"],
    ["brown_LCC.png", "Brown-LCC.png", "brown_RCC.png"],
    ["LCC.png", "LCC.jpg"],
])  # fmt: skip
def test_a_view_that_comes_twice_leaves_every_file_an_exam_of_its_own(names):
    assert exams(*names) == sorted([name] for name in names)


def test_an_implant_displaced_view_beside_the_standard_one_is_no_repetition():
    assert exams("RMLO.png", "RMLOID.png") == [["RMLO.png", "RMLOID.png"]]


def test_two_people_who_share_a_surname_but_not_the_initial_are_two():
    assert exams("R_Brown_RCC.png", "L_Brown_LCC.png") == [["L_Brown_LCC.png"], ["R_Brown_RCC.png"]]


@pytest.mark.parametrize("count", [2, 8])
def test_a_few_loose_pictures_of_a_folder_are_one_study(count):
    names = [f"mdb{n:03}.png" for n in range(1, count + 1)]
    assert exams(*names, picture("mdb001.png", "/other")) == [["mdb001.png"], names]


@pytest.mark.parametrize("count", [9, 254])
def test_of_many_loose_pictures_each_is_a_patient_of_its_own(count):
    names = [f"mdb{n:03}.png" for n in range(1, count + 1)]
    patients = group([picture(name) for name in names])
    assert [[one.path.name for one in study.images] for patient in patients for study in patient.studies] == [
        [name] for name in names
    ]
    assert len(patients) == count


def test_pictures_that_name_no_view_do_not_join_those_that_do():
    assert exams("LCC.png", "scan.png") == [["LCC.png"], ["scan.png"]]


def test_exams_do_not_depend_on_the_order_of_the_files():
    names = ["a_RCC.png", "a_LCC.png", "b_LCC.png", "LCC.png", "L-CC.png", "x.png", "y.png"]

    def keys(order):
        return [study.key for person in group([picture(one) for one in order]) for study in person.studies]

    first = keys(names)
    for seed in range(10):
        assert keys(Random(seed).sample(names, len(names))) == first


def test_an_exam_is_described_by_what_names_it():
    (patient,) = group([picture("Brown_RCC.png"), picture("Brown_LCC.png")])
    assert patient.studies[0].description == "Brown"
    (patient,) = group([picture("RCC.png"), picture("LCC.png")])
    assert patient.studies[0].description == "exam"


def test_dicom_images_are_left_as_they_are():
    dicom = replace(picture("LCC.png"), kind="dicom", study_uid="9.1")
    (patient,) = group([dicom])
    assert patient.studies[0].images == (dicom,)
