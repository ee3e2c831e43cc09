"""The images behind a point of a FROC."""

from __future__ import annotations

import math

import numpy as np
import pytest
from made_cases import box, lesion, row, table

from app.core.audit.cases import AuditModel
from app.core.audit.froc_cases import froc_cases
from app.core.audit.plots import froc_of

HIT, MISS = (12.0, 12.0, 28.0, 28.0), (60.0, 0.0, 70.0, 9.0)
LESION = (10.0, 10.0, 30.0, 30.0)


def found_and_missed():
    """Five images: a hit at 0.9 with a false box at 0.4; false 0.6 and 0.2; a hit at 0.3; none; false 0.7."""
    ill = {"label": "malignant", "findings": (lesion(LESION),)}
    rows = [row(0, **ill), row(1), row(2, **ill), row(3), row(4)]
    boxes = {
        0: (box(0.9, HIT), box(0.4, MISS)),
        1: (box(0.2, MISS), box(0.6, MISS)),
        2: (box(0.3, HIT),),
        4: (box(0.7, MISS),),
    }
    return table(rows, (0.9, 0.6, 0.3, 0.0, 0.7), models=(AuditModel("d", boxes_from=0.05),), boxes=boxes)


@pytest.mark.parametrize(
    ("above", "missed", "false", "rows"),
    [
        (0.7, [2], [], [2]),
        (0.6, [2], [4], [2, 4]),
        (0.3, [2], [4, 1, 0], [2, 4, 1, 0]),
        (0.2, [], [4, 1, 0], [4, 1, 0]),
        (-math.inf, [], [4, 1, 0], [4, 1, 0]),
        (0.95, [0, 2], [], [0, 2]),
    ],
)
def test_first_come_the_missed_then_the_false_by_score(above, missed, false, rows) -> None:
    table_ = found_and_missed()
    found = froc_cases(table_, table_.answers[0], "centre", above)
    assert (list(found.missed), list(found.false), list(found.rows)) == (missed, false, rows)
    assert found.counted == 5


def test_an_image_with_both_stands_once_and_the_words_count_both() -> None:
    one = table(
        [row(0, "malignant", findings=(lesion(LESION),)), row(1)],
        (0.5, 0.1),
        models=(AuditModel("d", boxes_from=0.05),),
        boxes={0: (box(0.5, MISS),)},
    )
    found = froc_cases(one, one.answers[0], "centre", 0.25)
    assert list(found.rows) == [0]
    assert found.words == (
        "FROC with boxes scored above 0.250: 1 image with a missed lesion, then 1 image with a false box, "
        "of 2 that count (hit by centre)"
    )


def test_the_counts_are_those_of_the_curve_at_each_of_its_points() -> None:
    table_ = found_and_missed()
    curve = froc_of(table_, table_.answers[0], "centre", draws=100)
    for y, above in zip(curve.y, curve.threshold, strict=True):
        found = froc_cases(table_, table_.answers[0], "centre", float(above))
        assert len(found.missed) == round((1 - y) * curve.lesions), "one lesion in each image"


def test_a_subgroup_lists_its_own_images_only() -> None:
    table_ = found_and_missed()
    chosen = np.array([True, False, False, True, True])
    found = froc_cases(table_, table_.answers[0], "centre", 0.3, chosen)
    assert (list(found.rows), found.counted) == ([4, 0], 3)
