"""Truth against predicted boxes on one image."""

from __future__ import annotations

from made_cases import box, lesion

from app.core.audit.matching import RULES, match

A, B = (10.0, 10.0, 30.0, 30.0), (60.0, 60.0, 80.0, 80.0)
ON_A, EDGE_OF_A, NOWHERE = (12.0, 12.0, 28.0, 28.0), (24.0, 24.0, 34.0, 34.0), (40.0, 0.0, 50.0, 9.0)


def test_each_lesion_is_found_or_missed_and_each_box_hits_repeats_or_is_false() -> None:
    found = match(
        [lesion(A), lesion(B), lesion(None)],
        [box(0.3, EDGE_OF_A), box(0.9, ON_A), box(0.5, NOWHERE)],
        rule="centre",
    )
    assert [one.state for one in found.lesions] == ["found", "missed", "no place"]
    assert [(one.said.score, one.state) for one in found.boxes] == [
        (0.9, "hit"),
        (0.5, "false"),
        (0.3, "repeat"),
    ]
    assert found.lesions[0].by == (0, 2)
    assert found.boxes[2].of == (0,)


def test_the_rule_decides_and_is_named() -> None:
    # Of EDGE_OF_A 6 x 6 lie on A: IoU 36 / (400 + 100 - 36) = 0.08; ON_A: 256 / 400 = 0.64.
    for rule, states in (("centre", ["hit"]), ("iou20", ["false"]), ("iou50", ["false"])):
        found = match([lesion(A)], [box(0.5, EDGE_OF_A)], rule=rule)
        assert [one.state for one in found.boxes] == states
        assert found.rule == rule
        assert rule in RULES
    assert match([lesion(A)], [box(0.5, ON_A)], rule="iou50").lesions[0].state == "found"


def test_boxes_below_the_least_score_are_not_there() -> None:
    found = match([lesion(A)], [box(0.3, ON_A)], least=0.31)
    assert not found.boxes
    assert found.lesions[0].state == "missed"


def test_one_box_may_find_two_lesions() -> None:
    inner = (14.0, 14.0, 26.0, 26.0)
    found = match([lesion(A), lesion(inner)], [box(0.7, ON_A)])
    assert [one.state for one in found.lesions] == ["found", "found"]
    assert found.boxes[0].of == (0, 1)


def test_nothing_is_matched_with_nothing() -> None:
    found = match([], [])
    assert (found.lesions, found.boxes) == ((), ())
