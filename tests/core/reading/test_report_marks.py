"""What a report takes from marks; all lengths are arithmetic on 0.1 mm pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.core.imaging.image import Image, Spacing
from app.core.reading.annotations import new_annotation
from app.core.reading.lexicon import load_lexicon
from app.core.reading.report import Report
from app.core.reading.report_marks import (
    drifted,
    extent_mm,
    finding_of,
    linked,
    measured,
    reread,
    with_nipples,
)

LEXICON = load_lexicon()
LETTERS = {"RCC": ("P", "L"), "RMLO": ("P", "FL"), "LCC": ("A", "R")}
IMAGES = {
    label: Image(
        path=Path(f"{label}.dcm"),
        sop_uid=label,
        rows=1000,
        columns=1000,
        laterality=label[0],  # type: ignore[arg-type]
        view=label[1:],
        label=label,
        orientation=letters,
        spacing=Spacing(0.1, 0.1, "at detector"),
    )
    for label, letters in LETTERS.items()
}
NIPPLES = tuple(new_annotation("nipple", label, 0, ((500.0, 99.5),)) for label in ("RCC", "RMLO"))


def _marks(*annotations):
    return with_nipples((*NIPPLES, *annotations), IMAGES)


def _box(image="RCC", row=300.0, col=400.0, half=(30.0, 20.0), kind="finding", text=""):
    corners = ((row - half[0], col - half[1]), (row + half[0], col + half[1]))
    return new_annotation(kind, image, 0, corners, text=text)


def test_a_mark_fills_breast_size_depth_and_distance_to_the_nipple():
    mark = _box(row=300.0, col=400.0)
    found = finding_of(_marks(mark)[mark.uid], LEXICON)
    assert found.laterality == "R"
    assert (found.size_mm, found.size_basis, found.size_of) == (6.0, "at detector", mark.uid)
    # (200, 300.5) pixels of 0.1 mm from the nipple.
    assert found.nipple_mm == pytest.approx(36.1)
    # The nipple is 90 mm from the wall, the mark 59.95 mm: just under two thirds.
    assert found.depth == "middle"
    assert found.marks == (mark.uid,)


def test_one_view_gives_a_half_and_never_a_quadrant_or_an_hour():
    mark = _box()
    found = finding_of(_marks(mark)[mark.uid], LEXICON)
    assert (found.region, found.clock, found.estimated) == ("outer", None, True)


def test_a_pair_gives_quadrant_and_hour_marked_as_estimated():
    # 20 mm outward; the oblique shows it 20 mm above the nipple: up = (20 - 20 cos 45) / sin 45 = 8.28 mm.
    cc, mlo = _box("RCC", row=300.0), _box("RMLO", row=300.0)
    marks = _marks(cc, mlo)
    found = linked(finding_of(marks[cc.uid], LEXICON), marks[mlo.uid], marks)
    # atan2(-20, 8.28) is 67.5 degrees to the viewer's left: between 9 and 10.
    assert (found.region, found.estimated) == ("upper-outer", True)
    assert found.clock in (9, 10)
    assert found.marks == (cc.uid, mlo.uid)


def test_what_the_reader_set_is_not_overwritten_by_a_second_mark():
    cc, mlo = _box("RCC"), _box("RMLO", half=(90.0, 20.0))
    marks = _marks(cc, mlo)
    own = replace(finding_of(marks[cc.uid], LEXICON), region="central", clock=None, estimated=False)
    found = linked(own, marks[mlo.uid], marks)
    assert (found.region, found.size_mm, found.size_of) == ("central", 6.0, cc.uid)


def test_marks_of_two_breasts_are_no_pair():
    cc, other = _box("LCC"), _box("RMLO")
    marks = _marks(cc, other)
    found = linked(finding_of(marks[cc.uid], LEXICON), marks[other.uid], marks)
    assert found.clock is None


def test_without_a_nipple_no_distance_and_no_half_are_given():
    mark = _box("LCC")
    found = finding_of(_marks(mark)[mark.uid], LEXICON)
    assert (found.nipple_mm, found.depth, found.region, found.laterality) == (None, "", "", "L")


def test_linking_a_mark_twice_changes_nothing():
    mark = _box()
    marks = _marks(mark)
    found = finding_of(marks[mark.uid], LEXICON)
    assert linked(found, marks[mark.uid], marks) == found


@pytest.mark.parametrize(
    ("kind", "points", "longest"),
    [
        ("length", ((0.0, 0.0), (30.0, 40.0)), 5.0),
        ("ellipse", ((0.0, 0.0), (30.0, 40.0)), 4.0),
        ("polygon", ((0.0, 0.0), (30.0, 40.0), (0.0, 10.0)), 5.0),
        ("arrow", ((0.0, 0.0), (30.0, 40.0)), None),
    ],
)
def test_the_size_of_a_mark_is_its_largest_extent(kind, points, longest):
    mark = new_annotation(kind, "RCC", 0, points)
    extent = extent_mm(_marks(mark)[mark.uid])
    assert extent == (None if longest is None else (pytest.approx(longest), "at detector"))


def test_without_spacing_there_is_no_size():
    mark = _box()
    images = {"RCC": replace(IMAGES["RCC"], spacing=None)}
    made = with_nipples((mark,), images)[mark.uid]
    assert extent_mm(made) is None
    assert finding_of(made, LEXICON).size_mm is None


def test_a_mark_that_is_gone_measures_nothing():
    mark = _box()
    marks = _marks(mark)
    report = Report().with_finding(finding_of(marks[mark.uid], LEXICON))
    assert measured(report, marks) == {mark.uid: pytest.approx(6.0)}
    assert measured(report, {}) == {mark.uid: None}


@pytest.mark.parametrize(
    ("text", "kind"),
    [("cluster of calcifications", "calcifications"), ("spiculated mass", "mass"), ("", "mass")],
)
def test_the_words_of_a_mark_choose_the_kind(text, kind):
    mark = _box(text=text)
    assert finding_of(_marks(mark)[mark.uid], LEXICON).kind == kind


def _codes(report, marks):
    return [each.code for each in drifted(report, LEXICON, marks)]


def test_a_mark_that_moved_is_said_and_read_anew():
    cc, mlo = _box("RCC", row=300.0), _box("RMLO", row=300.0)
    marks = _marks(cc, mlo)
    found = linked(finding_of(marks[cc.uid], LEXICON), marks[mlo.uid], marks)
    assert _codes(Report().with_finding(found), marks) == []
    # 20 mm inward now: the other half of the breast, and as far from the nipple as before.
    moved = _marks(replace(cc, points=((670.0, 380.0), (730.0, 420.0))), mlo)
    assert _codes(Report().with_finding(found), moved) == ["place-differs"]
    now = reread(found, moved)
    assert now.region == "upper-inner"
    assert _codes(Report().with_finding(now), moved) == []


def test_a_distance_that_changed_is_said_with_both_numbers():
    mark = _box(row=300.0)
    found = finding_of(_marks(mark)[mark.uid], LEXICON)
    moved = _marks(replace(mark, points=((270.0, 480.0), (330.0, 520.0))))
    said = drifted(Report().with_finding(found), LEXICON, moved)
    # hypot(200, 300.5) and hypot(200, 400.5) pixels of 0.1 mm.
    assert [each.sentence for each in said] == [
        "Finding 1 says 36 mm from the nipple; its mark is now 45 mm from it."
    ]


def test_what_the_reader_wrote_by_hand_is_not_compared():
    mark = _box(row=300.0)
    found = finding_of(_marks(mark)[mark.uid], LEXICON)
    own = replace(found, nipple_mm=99.0, nipple_basis="", region="central", estimated=False)
    assert _codes(Report().with_finding(own), _marks(mark)) == []


def test_a_mark_in_the_other_breast_is_said():
    mark = _box("LCC")
    found = replace(finding_of(_marks(mark)[mark.uid], LEXICON), laterality="R")
    assert _codes(Report().with_finding(found), _marks(mark)) == ["other-breast"]
