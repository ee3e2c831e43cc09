"""Who is the same patient, and in what order studies and images come."""

import re
import time
from dataclasses import replace
from datetime import date, datetime
from itertools import permutations
from pathlib import Path

import pytest

from app.core.dicom.grouping import group
from app.core.dicom.persons import joins, name_key
from app.core.imaging.image import Image, PatientFacts


def image(number, study="1", patient_id="P-1", **facts):
    day = facts.pop("day", 1)
    return Image(
        path=Path(f"/exam/{number}.dcm"),
        sop_uid=f"1.{number}",
        study_uid=f"9.{study}",
        patient=PatientFacts(id=patient_id, **facts),
        study_date=date(2024, 1, day),
        acquired=datetime(2024, 1, day, 10, number),
    )


def test_two_studies_of_one_id_are_one_patient_newest_first():
    (patient,) = group([image(1, "old", day=1), image(2, "new", day=9), image(3, "mid", day=5)])
    assert [study.date.day for study in patient.studies] == [9, 5, 1]


def test_images_of_a_study_come_as_acquired():
    (patient,) = group([image(3), image(1), image(2)])
    assert [one.sop_uid for one in patient.studies[0].images] == ["1.1", "1.2", "1.3"]


@pytest.mark.parametrize(("one", "other"), [
    ({"name": "Doe, Jane"}, {"name": "Roe, Ann"}),
    ({"birth_date": date(1960, 1, 1)}, {"birth_date": date(1970, 1, 1)}),
    ({"sex": "F"}, {"sex": "M"}),
])  # fmt: skip
def test_two_patients_who_share_an_id_stay_two(one, other):
    assert len(group([image(1, "a", **one), image(2, "b", **other)])) == 2


@pytest.mark.parametrize(("one", "other"), [
    ({"name": "Doe, Jane"}, {"name": "DOE^JANE"}),
    ({"name": "Müller, Ida"}, {"name": "MULLER  IDA"}),
    ({"name": "Doe, Jane"}, {"name": ""}),
    ({"birth_date": date(1960, 1, 1)}, {"birth_date": None}),
    ({"sex": "F"}, {"sex": ""}),
])  # fmt: skip
def test_spelling_and_silence_contradict_nothing(one, other):
    (patient,) = group([image(1, "a", **one), image(2, "b", **other)])
    assert len(patient.studies) == 2


def test_another_issuer_is_another_patient():
    assert len(group([image(1, "a", issuer="North"), image(2, "b", issuer="South")])) == 2


@pytest.mark.parametrize(
    "nobody",
    [
        "",
        "  ",
        "0",
        "0000000000",
        "000-00-0000",
        "UNKNOWN",
        "anonymous",
        "N/A",
        "na",
        "Anonymized",
        "xxx",
        "---",
    ],
)
def test_ids_that_name_nobody_never_join(nobody):
    assert not joins(nobody)
    same = {"name": "Doe, Jane", "birth_date": date(1960, 1, 1), "sex": "F"}
    assert len(group([image(1, "a", nobody, **same), image(2, "b", nobody, **same)])) == 2


@pytest.mark.parametrize("somebody", ["P-1", "100", "0001", "DBT-P00853", "山田1", "NAOMI"])
def test_ids_that_name_somebody_join(somebody):
    assert joins(somebody)


def test_images_of_one_study_with_no_id_stay_one_study():
    (patient,) = group([image(1, patient_id=""), image(2, patient_id="")])
    assert len(patient.studies[0].images) == 2


def test_a_study_that_fits_two_different_people_joins_neither():
    people = group([
        image(1, "a", name="Doe, Jane"),
        image(2, "b", name="Roe, Ann"),
        image(3, "c", name=""),
    ])  # fmt: skip
    assert len(people) == 3


def test_a_record_without_a_name_does_not_bridge_two_people():
    people = group([
        image(1, "a", name=""),
        image(2, "b", name="Doe, Jane"),
        image(3, "c", name="Roe, Ann"),
    ])  # fmt: skip
    names = [sorted({study.patient.name for study in person.studies}) for person in people]
    assert ["Doe, Jane", "Roe, Ann"] not in [[name for name in both if name] for both in names]


def test_images_of_different_people_under_one_study_uid_are_parted():
    people = group([image(1, name="Doe, Jane"), image(2, name="Roe, Ann"), image(3, name="Doe, Jane")])
    assert sorted(len(person.studies[0].images) for person in people) == [1, 2]


def test_a_study_tells_what_any_of_its_images_tells():
    first = image(1, name="Doe, Jane")
    second = replace(image(2, birth_date=date(1960, 1, 1)), study_description="Screening")
    (patient,) = group([first, second])
    assert patient.facts == PatientFacts("P-1", "", "Doe, Jane", date(1960, 1, 1), "")
    assert patient.studies[0].description == "Screening"


def test_the_order_of_name_parts_does_not_count():
    assert name_key("Doe, Jane Mary") == name_key("JANE MARY DOE")


def everything(people):
    """Return what was grouped: for each patient the keys and images of the studies."""
    return [
        [(study.key, [one.sop_uid for one in study.images]) for study in person.studies] for person in people
    ]


NAMELESS_ALPHA_BETA = ("", "Alpha, Ann", "Beta, Bea")


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_of_three_studies_the_nameless_stays_alone_in_whatever_order_they_come(order):
    studies = [image(n, str(n), name=name) for n, name in enumerate(NAMELESS_ALPHA_BETA)]
    people = group(studies[n] for n in order)
    assert [person.facts.name for person in people] == ["", "Alpha, Ann", "Beta, Bea"]
    assert [len(person.studies) for person in people] == [1, 1, 1]
    assert everything(people) == everything(group(studies))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_of_three_images_of_one_study_the_nameless_stays_alone_in_whatever_order(order):
    images = [image(n, name=name) for n, name in enumerate(NAMELESS_ALPHA_BETA)]
    people = group(images[n] for n in order)
    assert [person.facts.name for person in people] == ["", "Alpha, Ann", "Beta, Bea"]
    assert [len(person.studies[0].images) for person in people] == [1, 1, 1]
    assert everything(people) == everything(group(images))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_an_incomplete_record_joins_the_one_person_whom_it_fits_in_whatever_order(order):
    born = date(1960, 1, 1)
    studies = [
        image(1, "a", name="Alpha, Ann", birth_date=born),
        image(2, "b", name="Alpha, Ann"),
        image(3, "c", name="Beta, Bea"),
    ]
    people = group(studies[n] for n in order)
    assert [(person.facts.name, len(person.studies)) for person in people] == [
        ("Alpha, Ann", 2),
        ("Beta, Bea", 1),
    ]


def test_two_records_that_a_third_would_bridge_are_not_one_person():
    # Both fit "Alpha" without a birth date; they contradict each other.
    people = group([
        image(1, "a", name="Alpha, Ann", birth_date=date(1960, 1, 1)),
        image(2, "b", name="Alpha, Ann"),
        image(3, "c", name="Alpha, Ann", birth_date=date(1970, 1, 1)),
    ])  # fmt: skip
    assert [len(person.studies) for person in people] == [1, 1, 1]


def test_two_people_under_one_study_uid_have_two_keys():
    people = group([image(1, name="Doe, Jane"), image(2, name="Roe, Ann")])
    studies = [study for person in people for study in person.studies]
    assert {study.uid for study in studies} == {"9.1"}
    assert len({study.key for study in studies}) == 2
    assert all(re.fullmatch("[0-9a-f]{16}", study.key) for study in studies)


def test_a_key_does_not_depend_on_what_else_is_found_or_how_a_name_is_spelt():
    ((study,), (other,)) = (
        [one for person in group(images) for one in person.studies if one.uid == "9.1"]
        for images in ([image(1, name="Doe, Jane")], [image(7, "5"), image(1, name="DOE^JANE")])
    )
    assert study.key == other.key


def test_without_study_uid_id_and_name_only_the_series_holds_images_together():
    def bare(number, series):
        return replace(image(number, patient_id=""), study_uid="", series_uid=series)

    people = group([bare(1, ""), bare(2, ""), bare(3, "7.1"), bare(4, "7.1"), bare(5, "7.2")])
    sizes = sorted(len(study.images) for person in people for study in person.studies)
    assert sizes == [1, 1, 1, 2]
    assert len({study.key for person in people for study in person.studies}) == 4


def test_without_study_uid_the_images_of_an_id_and_a_day_are_one_study():
    (patient,) = group([replace(image(n), study_uid="") for n in (1, 2)])
    assert [len(study.images) for study in patient.studies] == [2]


def test_thousands_of_images_of_one_study_are_grouped_in_no_time():
    began = time.process_time()
    (patient,) = group([image(n % 60, name=f"Doe, {'JANE' if n % 2 else 'Jane'}") for n in range(3000)])
    assert len(patient.studies[0].images) == 3000
    assert time.process_time() - began < 3
