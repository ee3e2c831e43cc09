"""The model zoo's answer in the workstation's words, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.core.imaging.image import Image
from app.core.reading.findings import (
    Evidence,
    Finding,
    LookState,
    ModelFacts,
    SecondLook,
    ViewLook,
)
from model_zoo.class_chances import likeliest_first
from model_zoo.contract import ExamPrediction, ViewPrediction


def second_look(
    prediction: ExamPrediction, images: Sequence[Image], study_key: str, model: ModelFacts
) -> SecondLook:
    """Return a finished look; `images` are the ones asked about, in the order of the prediction's views."""
    views = tuple(
        view_look(view, image.key, image.label) for view, image in zip(prediction.views, images, strict=True)
    )
    look = SecondLook(
        study_key=study_key,
        model=model,
        state="declined",
        views=views,
        breasts=tuple(sorted(prediction.breasts.items())),
        breast_classes=tuple(
            (side, likeliest_first(said)) for side, said in sorted(prediction.breast_classes.items()) if said
        ),
        exam_score=prediction.exam_score,
        remarks=prediction.suitability,
        device=prediction.device,
        progress=(len(views), len(views)),
    )
    return replace(look, state=_state(prediction, look))


def failed_look(sentence: str, study_key: str, model: ModelFacts) -> SecondLook:
    """Return a look that did not happen, with its reason."""
    return SecondLook(study_key=study_key, model=model, state="failed", remarks=(sentence,))


def view_look(view: ViewPrediction, key: tuple[str, str], label: str) -> ViewLook:
    """Return what a model said about one image, which is known by its key (path, SOP instance UID)."""
    heat = view.heatmap
    return ViewLook(
        key=key,
        label=label,
        status=view.status,
        reason=view.reason or "",
        score=view.score,
        findings=tuple(
            Finding(box.label, box.score, box.calibrated, box.frame, box.box) for box in view.findings
        ),
        evidence=Evidence(heat.values, heat.affine, heat.method) if heat else None,
        notes=view.notes,
        in_domain=view.in_domain,
    )


def _state(prediction: ExamPrediction, look: SecondLook) -> LookState:
    """Return the one word of the panel.

    An answer outside the training domain, or to a part of the exam, is never called "no findings"; nor
    is one that proposes a place, even where its score stays below the operating point (the panel says
    that beside it).
    """
    if prediction.status == "failed":
        return "failed"
    strange = any(not view.in_domain for view in look.views)
    if all(view.status != "scored" for view in look.views):
        return "outside its training domain" if strange else "declined"
    if any(view.status == "failed" for view in look.views):
        return "partly failed"
    if strange:
        return "outside its training domain"
    if look.model.classes_of and prediction.status == "complete" and not look.findings:
        # Dense is no finding, and fatty is not "no findings".
        return "answered"
    if look.findings or look.above:
        return "findings"
    # What was not looked at may hold anything: only a whole exam can be without findings.
    return "no findings" if prediction.status == "complete" else "declined"
