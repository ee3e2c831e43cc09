"""Further classes of a bundle, beside its score: expected values by arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_bundles import TRUNK, flat_view, mean_weights, rewrite, tiny_spec

from model_zoo.bundle import load_bundle, write_bundle
from model_zoo.class_chances import fit_class_temperature
from model_zoo.contract import ExamPrediction, UnreadableView
from model_zoo.errors import BundleError
from model_zoo.exam import predict_exam, raw_answers
from model_zoo.predictor import Predictor, load_predictor
from model_zoo.spec import Aggregation, ClassOutputs, Network, Outputs, Score
from model_zoo.suitability import Views

SLOPES = (-4.0, 1.0, 6.0)
OFFSETS = (1.0, 0.5, -1.0)
NAMES = ("fatty", "glandular", "dense")


def classes_of(**changes: Any) -> ClassOutputs:
    return ClassOutputs(**{"of": "density", "names": NAMES, **changes})


def write_classes(folder: Path, classes: ClassOutputs, pooling: str = "own", **changes: Any) -> Path:
    """A network whose output 0 is the mean grey, and class k SLOPES[k] * mean + OFFSETS[k]."""
    weights = mean_weights()
    head = np.zeros((4, 8), np.float32)
    head[0, 0], head[1:, 0] = 1.0, SLOPES
    weights["classifier.head.weight"] = head
    weights["classifier.head.bias"] = np.array([0.0, *OFFSETS], np.float32)
    spec = tiny_spec(
        networks={"classifier": Network("residual-classifier", {**TRUNK, "outputs": 4})},
        outputs=Outputs(Score("brightness", None, False), classes=classes),
        aggregation=Aggregation("classifier", "logit", classes=pooling),  # type: ignore[arg-type]
        **changes,
    )
    write_bundle(folder, spec, weights, "# Tiny\n", {"n": {}})
    return folder


def predictor_of(folder: Path, *args: Any, **changes: Any) -> Predictor:
    return load_predictor(load_bundle(write_classes(folder / "b", *args, **changes)), "cpu")


def softmax(level: float, temperature: float = 1.0) -> list[float]:
    grown = [
        exp((slope * level + offset) / temperature) for slope, offset in zip(SLOPES, OFFSETS, strict=True)
    ]
    return [value / sum(grown) for value in grown]


def mean(*chances: list[float]) -> list[float]:
    return [sum(each) / len(each) for each in zip(*chances, strict=True)]


def check(said: Mapping[str, float], wanted: list[float]) -> None:
    assert list(said) == list(NAMES)
    assert list(said.values()) == pytest.approx(wanted, abs=1e-5)


def exam_of(predictor: Predictor, *levels: tuple[str, str, float]) -> ExamPrediction:
    return predict_exam(predictor, [flat_view(*one) for one in levels])


def test_a_views_classes_are_the_softmax_of_its_logits_over_the_temperature(tmp_path: Path) -> None:
    predictor = predictor_of(tmp_path, classes_of(temperature=2.5))
    exam = exam_of(predictor, ("L", "CC", 0.25), ("R", "CC", 0.75))
    check(exam.views[0].classes, softmax(0.25, 2.5)) and check(exam.views[1].classes, softmax(0.75, 2.5))
    (raw,) = raw_answers(predictor, [flat_view("L", "CC", 0.5)])
    assert raw.class_logits == pytest.approx([-1.0, 1.0, 2.0], abs=1e-4)


def test_breast_and_exam_are_means_of_views_and_breasts(tmp_path: Path) -> None:
    exam = exam_of(
        predictor_of(tmp_path, classes_of()), ("L", "CC", 0.2), ("L", "MLO", 0.4), ("R", "MLO", 0.9)
    )
    left, right = mean(softmax(0.2), softmax(0.4)), softmax(0.9)
    check(exam.breast_classes["L"], left)
    check(exam.breast_classes["R"], right)
    check(exam.exam_classes, mean(left, right))


def test_with_both_breasts_each_view_is_averaged_with_the_same_view_of_the_other(tmp_path: Path) -> None:
    predictor = predictor_of(tmp_path, classes_of(), "both-breasts")
    exam = exam_of(predictor, ("L", "MLO", 0.2), ("R", "MLO", 0.9), ("R", "MLO", 0.6), ("L", "CC", 0.4))
    other = mean(softmax(0.9), softmax(0.6))
    check(exam.views[0].classes, mean(softmax(0.2), other))
    check(exam.views[1].classes, mean(softmax(0.9), softmax(0.2)))
    check(exam.views[3].classes, softmax(0.4))  # no CC of the right breast


def test_one_breast_alone_is_answered_by_itself(tmp_path: Path) -> None:
    predictor = predictor_of(tmp_path, classes_of(), "both-breasts")
    for other in ([], [UnreadableView("x", "cut off", "R", "MLO", "phantom", "presentation")]):
        exam = predict_exam(predictor, [flat_view("L", "MLO", 0.2), *other])
        check(exam.views[0].classes, softmax(0.2))
    (view,) = exam_of(predictor, ("L", "MLO", 0.2)).views
    assert view.status == "scored"
    exam = exam_of(predictor, ("L", "MLO", 0.2))
    check(exam.breast_classes["L"], softmax(0.2))
    assert exam.breast_classes["R"] == {}
    check(exam.exam_classes, softmax(0.2))


def test_several_classes_at_once_are_chances_of_their_own(tmp_path: Path) -> None:
    (view,) = exam_of(predictor_of(tmp_path, classes_of(exclusive=False)), ("L", "CC", 0.5)).views
    check(view.classes, [1 / (1 + exp(1.0)), 1 / (1 + exp(-1.0)), 1 / (1 + exp(-2.0))])


def test_without_a_score_there_are_no_classes(tmp_path: Path) -> None:
    predictor = predictor_of(tmp_path, classes_of(), views=Views(("LCC", "RCC"), ("CC",)))
    exam = exam_of(predictor, ("L", "CC", 0.2))
    assert (exam.views[0].classes, exam.breast_classes, exam.exam_classes) == ({}, {"L": {}, "R": {}}, {})


def test_the_score_is_the_same_with_and_without_classes(tmp_path: Path) -> None:
    (view,) = exam_of(predictor_of(tmp_path, classes_of()), ("L", "CC", 0.5)).views
    assert view.score == pytest.approx(1 / (1 + exp(-0.5)), abs=1e-5)


@pytest.mark.parametrize(
    ("block", "value", "reason"),
    [
        ("outputs", {"names": ["fatty"]}, "at least two classes"),
        ("outputs", {"names": ["fatty", "fatty"]}, "twice"),
        ("outputs", {"names": ["fatty", "dense"]}, "outputs = 3"),
        ("outputs", {"temperature": 0.0}, "temperature must lie in"),
        ("outputs", {"colour": "red"}, "colour is not a field"),
        ("aggregation", {"classes": "all"}, "one of own, both-breasts"),
    ],
)
def test_wrong_classes_are_refused_with_a_sentence(
    tmp_path: Path, block: str, value: Any, reason: str
) -> None:
    folder = write_classes(tmp_path / "b", classes_of())

    def change(content: dict[str, Any]) -> None:
        place = content[block] if block == "aggregation" else content[block]["classes"]
        place.update(value)

    rewrite(folder, change)
    with pytest.raises(BundleError, match=reason):
        load_bundle(folder)


def test_pooling_of_classes_needs_classes(tmp_path: Path) -> None:
    folder = write_classes(tmp_path / "b", classes_of(), "both-breasts")
    rewrite(folder, lambda content: content["outputs"].pop("classes"))
    with pytest.raises(BundleError, match="pools classes, but outputs names none"):
        load_bundle(folder)


def test_a_bundle_without_classes_is_written_as_before(tmp_path: Path) -> None:
    content = tiny_spec().to_json()
    assert "classes" not in content["outputs"]
    assert "classes" not in content["aggregation"]


def test_the_temperature_of_least_loss_is_found() -> None:
    # Three of four are right at logits (2, 0): the chance that loses least is 3/4, so exp(2 / T) = 3.
    def loss(temperature: float) -> float:
        right = 1 / (1 + exp(-2 / temperature))
        return -(3 * np.log(right) + np.log(1 - right)) / 4

    assert fit_class_temperature(loss) == pytest.approx(2 / np.log(3), rel=1e-4)
