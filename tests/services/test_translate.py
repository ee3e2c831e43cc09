"""The one word the panel shows for a model's answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.core.imaging.image import Image
from app.core.reading.findings import ModelFacts
from app.services.inference.translate import second_look
from model_zoo.contract import BoxFinding, ExamPrediction, ViewPrediction

MODEL = ModelFacts("m", "1.0.0", "classification", "x", False, None, (0.5, "half"), (), "", "", "any")
LOW = ViewPrediction("a", "R", "CC", "scored", score=0.1)
BOX = BoxFinding("mass", 0.2, False, 0, (1.0, 1.0, 2.0, 2.0))
MARKED = replace(LOW, findings=(BOX,))
HIGH = replace(LOW, score=0.9)
DECLINED = ViewPrediction("a", "R", "CC", "declined", reason="a view it never saw")
STRANGE = replace(DECLINED, in_domain=False)
FAILED = ViewPrediction("a", "R", "CC", "failed", reason="cannot be read")


@pytest.mark.parametrize(
    ("status", "views", "state"),
    [
        ("complete", (LOW, LOW), "no findings"),
        ("complete", (LOW, HIGH), "findings"),
        ("complete", (LOW, MARKED), "findings"),
        ("partial", (MARKED, DECLINED), "findings"),
        ("partial", (LOW, DECLINED), "declined"),
        ("partial", (HIGH, DECLINED), "findings"),
        ("partial", (LOW, FAILED), "partly failed"),
        ("partial", (LOW, STRANGE), "outside its training domain"),
        ("declined", (STRANGE, STRANGE), "outside its training domain"),
        ("declined", (DECLINED, DECLINED), "declined"),
        ("failed", (FAILED, FAILED), "failed"),
    ],
)
def test_only_a_whole_exam_can_be_without_findings(status, views, state):
    images = [Image(path=Path(f"{index}.dcm"), sop_uid=str(index)) for index in range(len(views))]
    prediction = ExamPrediction("m", "1.0.0", status, views=views)
    assert second_look(prediction, images, "study", MODEL).state == state


@pytest.mark.parametrize(
    ("status", "views", "state"),
    [
        ("complete", (LOW, LOW), "answered"),
        ("complete", (LOW, HIGH), "answered"),
        ("complete", (LOW, MARKED), "findings"),
        ("partial", (LOW, DECLINED), "declined"),
        ("declined", (STRANGE, STRANGE), "outside its training domain"),
    ],
)
def test_a_model_of_classes_has_answered_and_never_says_no_findings(status, views, state):
    images = [Image(path=Path(f"{index}.dcm"), sop_uid=str(index)) for index in range(len(views))]
    said = {"L": {}, "R": {"fatty": 0.02, "glandular": 0.17, "dense": 0.81}}
    prediction = ExamPrediction("m", "1.0.0", status, views=views, breast_classes=said)
    look = second_look(prediction, images, "study", replace(MODEL, classes_of="density"))
    assert look.state == state
    assert look.breast_classes == (("R", (("dense", 0.81), ("glandular", 0.17), ("fatty", 0.02))),)


@pytest.mark.parametrize(
    ("unit", "facts", "state"),
    [
        ("breast", {"breasts": {"L": 0.6, "R": 0.1}}, "findings"),
        ("breast", {"breasts": {"L": 0.4, "R": 0.1}}, "no findings"),
        ("patient", {"exam_score": 0.6}, "findings"),
        ("patient", {"exam_score": 0.4}, "no findings"),
    ],
)
def test_the_operating_point_is_compared_with_scores_of_its_own_unit(unit, facts, state):
    image = Image(path=Path("a.dcm"), sop_uid="a")
    prediction = ExamPrediction("m", "1.0.0", "complete", views=(LOW,), **facts)
    assert second_look(prediction, [image], "study", replace(MODEL, unit=unit)).state == state
