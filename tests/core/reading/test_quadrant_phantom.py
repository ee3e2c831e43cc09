"""Quadrant and hour of lesions planted in phantoms, found again from the boxes in their views.

The phantom projects by its own geometry, at an angle of its own between 42 and 52 degrees.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from app.core.imaging.image import Image, Spacing
from app.core.phantom.anatomy import Position
from app.core.phantom.exam import make_exam
from app.core.phantom.lesions import Lesion
from app.core.reading.annotations import corners, new_annotation
from app.core.reading.lexicon import load_lexicon
from app.core.reading.report_marks import finding_of, linked, with_nipples


def _hour(lateral: float, superior: float, side: str) -> float:
    """Hours on the face, 0..12, facing the patient; outward is 9 in the right breast."""
    to_the_right = -lateral if side == "R" else lateral
    return math.degrees(math.atan2(to_the_right, superior)) / 30 % 12


@pytest.mark.parametrize("side", ["R", "L"])
@pytest.mark.parametrize(
    ("lateral", "superior", "region"),
    [
        (30.0, 15.0, "upper-outer"),
        (-20.0, 20.0, "upper-inner"),
        (28.0, -20.0, "lower-outer"),
        (-20.0, -15.0, "lower-inner"),
    ],
)
def test_a_planted_lesion_is_found_in_its_quadrant_and_within_an_hour(lateral, superior, region, side):
    lesion = Lesion(
        kind="mass",
        label="mass",
        side=side,
        position=Position(55, lateral, superior),
        diameter_mm=10,
        contrast=0.5,
        form="round",
        margin="circumscribed",
        seed=1,
    )
    exam = make_exam(4, shape=(320, 256), lesions=(lesion,), views=((side, "CC"), (side, "MLO")))
    images, annotations = {}, []
    for view in exam.views:
        rows, columns = view.pixels.shape
        images[view.view] = Image(
            path=Path(view.view),
            sop_uid=view.view,
            rows=rows,
            columns=columns,
            laterality=view.side,
            view=view.view,
            label=f"{view.side}{view.view}",
            orientation=view.orientation,
            spacing=Spacing(view.spacing_mm, view.spacing_mm, "at detector"),
        )
        annotations.append(new_annotation("nipple", view.view, 0, (view.nipple,)))
        box = view.truth[0].box
        annotations.append(new_annotation("finding", view.view, 0, corners(box)))
    marks = with_nipples(annotations, images)
    first, second = marks.values()
    found = linked(finding_of(first, load_lexicon()), second, marks)
    assert (found.region, found.estimated) == (region, True)
    off = abs(found.clock - _hour(lateral, superior, side)) % 12
    assert min(off, 12 - off) <= 1.0
