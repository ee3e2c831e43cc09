"""From the views of an exam to scores of view, breast and exam: the only aggregation there is.

The workstation, the command line and the trainer's evaluation all call `predict_exam`, so what is
evaluated is what is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from model_zoo.calibration import logit, sigmoid
from model_zoo.class_chances import Chances, Place, chances_of, named, pooled, with_other_breast
from model_zoo.contract import (
    BoxFinding,
    ExamPrediction,
    ExamStatus,
    HeatMap,
    MammogramView,
    Report,
    ViewPrediction,
)
from model_zoo.errors import ModelError
from model_zoo.explain import Method, map_affine
from model_zoo.predictor import Answer, Predictor
from model_zoo.preprocess import Prepared, prepare
from model_zoo.spec import Aggregation, BundleSpec, Pooling
from model_zoo.suitability import Suitability, judge, missing_views, required_slots, too_few_pixels

_FAILURES = (
    ModelError,
    ValueError,
    ArithmeticError,
    LookupError,
    OSError,
    RuntimeError,
    MemoryError,
    cv2.error,
)
"""What a single view's pixels or forward pass may raise; the other views go on."""

_EDGE = 1e-3
"""A detector's score is kept this far from 0 and 1 before it becomes a logit."""


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """One view on its way: refused, failed, or with the networks' raw answer."""

    view: MammogramView
    suits: Suitability
    failure: str | None = None
    raw: float | None = None
    findings: tuple[BoxFinding, ...] = ()
    heatmap: HeatMap | None = None
    notes: tuple[str, ...] = ()
    class_logits: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """A view's values as the calibrations take them.

    Attributes
    ----------
    score
        In the space of the bundle's aggregation, with the other breast's share subtracted; or None.
    class_logits
        One per further class; empty without classes, or where the view was not scored.
    """

    score: float | None
    class_logits: tuple[float, ...] = ()


def predict_exam(
    predictor: Predictor,
    views: Sequence[MammogramView],
    *,
    heatmaps: bool | Method = False,
    report: Report | None = None,
) -> ExamPrediction:
    """Return what a bundle says about the views of one exam.

    Parameters
    ----------
    predictor
        The bundle on its device.
    views
        Any number of views; two of one laterality and view are both scored.
    heatmaps
        True (the signed map; a bundle without a classifier: the detector's) or a method: also make the map
        of each view.
    report
        Called with (done, total) before each view and at the end; what it raises stops the work.

    Notes
    -----
    A view that cannot be read or prepared is ``failed`` with a sentence and the rest goes on. The
    breasts' and the exam's scores are None unless every required view is scored and none of them
    failed. Outside its training domain a view is declined, with a map where one was asked for.
    """
    spec = predictor.bundle.spec
    method: Method | None = ("signed" if heatmaps is True else heatmaps) or None
    looks = _look_at_all(predictor, views, method, report)
    chances = _chances(looks, spec)
    answers = tuple(_answer(look, looks, spec, own) for look, own in zip(looks, chances, strict=True))
    slots = _slots(looks, spec)
    breasts, exam_score = _aggregate(answers, slots, spec.aggregation)
    breast_classes, exam_classes = _pooled_classes(answers, chances, breasts, spec)
    return ExamPrediction(
        model=spec.name,
        version=spec.model_version,
        status=_status(answers, exam_score),
        breasts=breasts,
        exam_score=exam_score,
        suitability=(*predictor.notes, *_sentences(answers)),
        views=answers,
        device=predictor.device,
        breast_classes=breast_classes,
        exam_classes=exam_classes,
    )


def raw_scores(
    predictor: Predictor, views: Sequence[MammogramView], *, report: Report | None = None
) -> tuple[float | None, ...]:
    """Return each view's raw value as calibration takes it, None where there is none.

    It is what a calibration is fitted on: in the space of the bundle's aggregation, with the other
    breast's share subtracted.
    """
    return tuple(one.score for one in raw_answers(predictor, views, report=report))


def raw_answers(
    predictor: Predictor, views: Sequence[MammogramView], *, report: Report | None = None
) -> tuple[RawAnswer, ...]:
    """Return each view's raw value and class logits, which the two calibrations are fitted on."""
    spec = predictor.bundle.spec
    looks = _look_at_all(predictor, views, None, report)
    return tuple(RawAnswer(_compared(look, looks, spec.aggregation), look.class_logits) for look in looks)


def class_chances(
    logits: Sequence[tuple[float, ...]],
    places: Sequence[Place],
    spec: BundleSpec,
    temperature: float | None = None,
) -> tuple[Chances | None, ...]:
    """Return each view's chances as the bundle's aggregation makes them of the logits of an exam's views.

    Parameters
    ----------
    logits
        Of each view; empty where there are none.
    places
        Laterality and view of each.
    temperature
        In place of the bundle's own, for who fits one.
    """
    classes = spec.outputs.classes
    if classes is None:
        return (None,) * len(places)
    own = [chances_of(values, classes, temperature) if values else None for values in logits]
    if spec.aggregation.classes == "own":
        return tuple(own)
    return with_other_breast(own, places)


def _chances(looks: Sequence[_Look], spec: BundleSpec) -> tuple[Chances | None, ...]:
    places = [(look.view.laterality, look.view.view) for look in looks]
    return class_chances([look.class_logits for look in looks], places, spec)


def _look_at_all(
    predictor: Predictor, views: Sequence[MammogramView], method: Method | None, report: Report | None
) -> tuple[_Look, ...]:
    spec, total = predictor.bundle.spec, len(views)
    verdicts = [judge(view, spec.views, spec.domain) for view in views]
    usable = [view for view, suits in zip(views, verdicts, strict=True) if suits.level != "refuse"]
    lack = missing_views(usable, spec.views) if usable else None
    looks = []
    for done, (view, suits) in enumerate(zip(views, verdicts, strict=True)):
        if report is not None:
            report(done, total)
        if lack is not None and suits.level != "refuse":
            suits = Suitability("refuse", lack)
        looks.append(_Look(view, suits) if suits.level == "refuse" else _look(predictor, view, suits, method))
    if report is not None:
        report(total, total)
    return tuple(looks)


def _look(predictor: Predictor, view: MammogramView, suits: Suitability, method: Method | None) -> _Look:
    """Return the networks' raw answer about one view, its refusal by size, or its failure."""
    spec = predictor.bundle.spec
    try:
        small = too_few_pixels(view.pixels.shape, spec.domain)
        if small is not None:
            return _Look(view, Suitability("refuse", small))
        if suits.level == "outside" and method is None:
            return _Look(view, suits)
        prepared = prepare(view, spec.preprocess)
        answer = predictor.answer(prepared.pixels, method)
    except _FAILURES as error:
        sentence = " ".join(str(error).split()) or type(error).__name__
        return _Look(view, suits, failure=sentence)
    heatmap = None
    if answer.evidence is not None and answer.method is not None:
        heatmap = HeatMap(answer.evidence, map_affine(prepared.to_stored, answer.stride), answer.method)
    if suits.level == "outside":
        return _Look(view, suits, heatmap=heatmap, notes=prepared.notes)
    findings = _findings(answer, prepared, view, spec)
    raw = _raw(answer, spec.aggregation)
    return _Look(view, suits, None, raw, findings, heatmap, prepared.notes, answer.class_logits)


def _findings(
    answer: Answer, prepared: Prepared, view: MammogramView, spec: BundleSpec
) -> tuple[BoxFinding, ...]:
    """Return the boxes worth showing, in stored pixels, the best first; empty ones are dropped."""
    boxes = prepared.boxes_to_stored(answer.boxes)
    findings = []
    for box, score, label in zip(boxes, answer.box_scores, answer.box_labels, strict=True):
        row0, col0, row1, col1 = (float(edge) for edge in box)
        if score < spec.detection.score_threshold or row1 <= row0 or col1 <= col0:
            continue
        name, calibrated = spec.outputs.findings[int(label)], spec.outputs.findings_calibrated
        findings.append(BoxFinding(name, float(score), calibrated, view.frame, (row0, col0, row1, col1)))
    findings.sort(key=lambda finding: -finding.score)
    return tuple(findings[: spec.detection.max_per_view])


def _raw(answer: Answer, how: Aggregation) -> float:
    """Return the view's own raw value in the aggregation's space."""
    if how.view == "classifier":
        if answer.logit is None:
            raise ModelError("the bundle has no classifier to score by")
        return answer.logit if how.space == "logit" else sigmoid(answer.logit)
    pooling: Pooling = "max" if how.view == "detector-max" else "noisy-or"
    chance = _pool(answer.box_scores, pooling) if answer.box_scores.size else 0.0
    return chance if how.space == "probability" else logit(chance, _EDGE)


def _compared(look: _Look, looks: Sequence[_Look], how: Aggregation) -> float | None:
    """Return the raw value less the other breast's share; None without a value or another breast."""
    if look.raw is None or not how.bilateral:
        return look.raw
    sides = (look.view.laterality, "R" if look.view.laterality == "L" else "L")
    others = [
        one.raw
        for one in looks
        if one.raw is not None and one.view.view == look.view.view and one.view.laterality == sides[1]
    ]
    if sides[0] is None or not others:
        return None
    return look.raw - how.bilateral * float(np.mean(others))


def _answer(look: _Look, looks: Sequence[_Look], spec: BundleSpec, chances: Chances | None) -> ViewPrediction:
    """Return one view's answer."""
    view, reason = look.view, look.suits.reason
    facts = (view.uid, view.laterality, view.view)
    if look.failure is not None:
        return ViewPrediction(*facts, "failed", look.failure)
    if look.raw is None:
        outside = look.suits.level == "outside"
        return ViewPrediction(
            *facts, "declined", reason, heatmap=look.heatmap, notes=look.notes, in_domain=not outside
        )
    value = _compared(look, looks, spec.aggregation)
    if value is None:
        lack = f"The model compares both breasts, and the other breast's {view.view} was not scored."
        return ViewPrediction(*facts, "declined", lack, notes=look.notes)
    score = spec.calibration.apply(value, spec.aggregation.space)
    classes = spec.outputs.classes
    said = named(chances, classes.names) if classes is not None else {}
    return ViewPrediction(
        *facts, "scored", None, score, look.findings, look.heatmap, look.notes, classes=said
    )


def _slots(looks: Sequence[_Look], spec: BundleSpec) -> tuple[tuple[str, str], ...]:
    """Return the (laterality, view) pairs that must be scored for a breast and exam score."""
    return required_slots([look.view for look in looks if look.suits.level != "refuse"], spec.views)


def _aggregate(
    answers: Sequence[ViewPrediction], slots: Sequence[tuple[str, str]], how: Aggregation
) -> tuple[dict[str, float | None], float | None]:
    """Return the breasts' scores and the exam's; all None unless every slot is scored and none failed."""
    breasts: dict[str, float | None] = {"L": None, "R": None}
    status = {slot: {a.status for a in answers if (a.laterality, a.view) == slot} for slot in slots}
    if not slots or any("scored" not in found or "failed" in found for found in status.values()):
        return breasts, None
    for side in breasts:
        scores = [a.score for a in answers if a.laterality == side and a.score is not None]
        if scores:
            breasts[side] = _pool(np.array(scores), how.breast)
    both = [score for score in breasts.values() if score is not None]
    return breasts, _pool(np.array(both), how.exam)


def _pooled_classes(
    answers: Sequence[ViewPrediction],
    chances: Sequence[Chances | None],
    breasts: Mapping[str, float | None],
    spec: BundleSpec,
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Return the breasts' chances of classes and the exam's, of those breasts that have a score."""
    names = spec.outputs.classes.names if spec.outputs.classes is not None else ()
    own: dict[str, Chances | None] = {}
    for side, score in breasts.items():
        seen = [
            chance
            for answer, chance in zip(answers, chances, strict=True)
            if chance is not None and answer.laterality == side and answer.status == "scored"
        ]
        own[side] = pooled(seen) if score is not None else None
    whole = pooled([chance for chance in own.values() if chance is not None])
    return {side: named(chance, names) for side, chance in own.items()}, named(whole, names)


def _pool(scores: npt.NDArray[np.float64], how: Pooling) -> float:
    """Return the mean, the maximum, or 1 - product(1 - score) of at least one score."""
    if how == "noisy-or":
        return float(1.0 - np.prod(1.0 - scores))
    return float(scores.max() if how == "max" else scores.mean())


def _status(answers: Sequence[ViewPrediction], exam_score: float | None) -> ExamStatus:
    kinds = {answer.status for answer in answers}
    if "scored" in kinds:
        return "complete" if exam_score is not None and "failed" not in kinds else "partial"
    return "failed" if "failed" in kinds else "declined"


def _sentences(answers: Sequence[ViewPrediction]) -> tuple[str, ...]:
    """Return each reason to decline once, with the views that it concerns."""
    views: dict[str, list[str]] = {}
    for answer in answers:
        if answer.status == "declined" and answer.reason is not None:
            label = f"{answer.laterality or ''}{answer.view or ''}" or "an unnamed view"
            views.setdefault(answer.reason, []).append(label)
    return tuple(f"{', '.join(dict.fromkeys(labels))}: {reason}" for reason, labels in views.items())
