"""The tables of view codes, against pydicom's copy of the standard's context groups."""

import pytest
from pydicom.sr._cid_dict import cid_concepts
from pydicom.sr._concepts_dict import concepts
from pydicom.sr._snomed_dict import mapping

from app.core.dicom.codes import MODIFIERS, SECTIONS, VIEWS, label_of

# CID 4014 and 4015 by their names in the standard, and what the IHE profile writes on the image.
VIEW_NAMES = {
    "CranioCaudal": "CC",
    "MedioLateralObliqueProjection": "MLO",
    "MedioLateralProjection": "ML",
    "LateroMedial": "LM",
    "LateroMedialOblique": "LMO",
    "CaudoCranial": "FB",
    "SuperolateralToInferomedialOblique": "SIO",
    "InferomedialToSuperolateralOblique": "ISO",
    "CranioCaudalExaggeratedLaterally": "XCCL",
    "CranioCaudalExaggeratedMedially": "XCCM",
    "TissueSpecimenFromBreast": "SPECIMEN",
}
MODIFIER_NAMES = {
    "Cleavage": "CV",
    "AxillaryTail": "AT",
    "RolledLateral": "RL",
    "RolledMedial": "RM",
    "RolledInferior": "RI",
    "RolledSuperior": "RS",
    "ImplantDisplaced": "ID",
    "Magnification": "M",
    "SpotCompression": "S",
    "Tangential": "TAN",
    "NippleInProfile": "NP",
    "AnteriorCompression": "AC",
    "InfraMammaryFold": "IMF",
    "AxillaryTissue": "AX",
}


def snomed(name: str) -> str:
    return next(iter(concepts["SCT"][name]))


@pytest.mark.parametrize(("name", "view"), VIEW_NAMES.items())
def test_every_view_of_the_standard_is_known_in_sct_and_in_srt(name, view):
    code = snomed(name)
    assert VIEWS[code] == view
    assert VIEWS[mapping["SCT"][code]] == view


@pytest.mark.parametrize(("name", "modifier"), MODIFIER_NAMES.items())
def test_every_modifier_of_the_standard_is_known_in_sct_and_in_srt(name, modifier):
    code = snomed(name)
    assert MODIFIERS[code] == modifier
    assert MODIFIERS[mapping["SCT"][code]] == modifier


def test_no_view_of_the_standard_is_missing():
    assert set(cid_concepts[4014]["SCT"]) <= set(VIEW_NAMES)
    assert set(cid_concepts[4015]["SCT"]) <= set(MODIFIER_NAMES)


@pytest.mark.parametrize(
    "section", ["Superior", "Inferior", "Medial", "Lateral", "Central", "Anterior", "Posterior"]
)
def test_every_section_of_a_partial_view_is_known(section):
    code = snomed(section)
    assert SECTIONS[code] == section.lower()
    assert SECTIONS[mapping["SCT"][code]] == section.lower()


def test_snm3_codes_of_exaggerated_views_are_known():
    assert (VIEWS["Y-X1770"], VIEWS["Y-X1771"], VIEWS["R-102CF"]) == ("XCCL", "XCCM", "XCC")


@pytest.mark.parametrize(
    ("laterality", "view", "modifiers", "label"),
    [
        ("R", "MLO", (), "RMLO"),
        ("R", "MLO", ("M",), "RMMLO"),
        ("L", "CC", ("ID",), "LCCID"),
        ("L", "CC", ("RL",), "LCCRL"),
        ("L", "CC", ("CV",), "LCV"),
        ("R", "MLO", ("AT",), "RAT"),
        ("R", "CC", ("S", "ID"), "RSCCID"),
        (None, "CC", (), "CC"),
        ("L", None, (), "L"),
    ],
)
def test_the_label_is_side_modifier_view_modifier(laterality, view, modifiers, label):
    assert label_of(laterality, view, modifiers) == label
