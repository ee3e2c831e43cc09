"""What the reader says of an image by hand: noted, taken back, and never against the file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.core.imaging.image import Collection, Image, Note, Patient, PatientFacts, Spacing, Study
from app.services.assign import MISSING, alike, described

SILENT = Image(Path("films/mdb001.png"), "1", kind="raster", notes=(MISSING, Note("view-unknown", "?")))


def codes(image: Image) -> list[str]:
    return [note.code for note in image.notes]


def test_a_silent_file_takes_source_and_spacing_with_notes() -> None:
    said = described(SILENT, "film", 0.2)
    assert said.source == "film"
    assert said.spacing == Spacing(0.2, 0.2, "by hand")
    assert codes(said) == ["view-unknown", "source-by-hand", "spacing-by-hand"]
    assert said.notes[-1].text == "The pixel spacing was given by hand: 0.2 mm."


@pytest.mark.parametrize("spacing", [None, 0.2])
def test_what_is_said_as_it_was_known_changes_nothing(spacing: float | None) -> None:
    known = described(SILENT, "unknown", spacing)
    assert described(known, "unknown", spacing) is known


def test_what_was_said_can_be_corrected_and_taken_back() -> None:
    said = described(described(SILENT, "film", 0.2), "ffdm", 0.1)
    assert (said.source, said.spacing) == ("ffdm", Spacing(0.1, 0.1, "by hand"))
    assert codes(said).count("source-by-hand") == codes(said).count("spacing-by-hand") == 1
    back = described(said, "unknown", None)
    assert (back.source, back.spacing) == ("unknown", None)
    assert sorted(codes(back)) == ["spacing-missing", "view-unknown"]


def test_what_the_file_says_stands() -> None:
    stated = replace(SILENT, source="ffdm", spacing=Spacing(0.1, 0.1, "at detector"), notes=())
    assert described(stated, "film", 0.2) == stated


@pytest.mark.parametrize("spacing", [-0.2, 0.0, 2.5])
def test_a_spacing_that_no_mammogram_has_is_refused(spacing: float) -> None:
    with pytest.raises(ValueError, match="spacing"):
        described(SILENT, "film", spacing)


def test_only_pictures_of_the_same_folder_are_alike() -> None:
    twin = replace(SILENT, path=Path("films/mdb002.png"), sop_uid="2")
    others = (
        replace(SILENT, path=Path("other/mdb003.png"), sop_uid="3"),
        replace(SILENT, path=Path("films/a.dcm"), sop_uid="4", kind="dicom"),
    )
    study = Study("s", PatientFacts(), None, (SILENT, twin, *others))
    assert alike(Collection((Patient(PatientFacts(), (study,)),)), SILENT) == (twin,)
