"""One model's look at one study from files, without Qt: used by the command line and the window's job."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.core.errors import ReadError
from app.core.imaging.image import Image
from app.core.settings import Device
from app.services.inference.process import LookRequest, run_look
from app.services.inference.views import read_model_view
from model_zoo.bundle import Bundle
from model_zoo.contract import ArrayView, ExamPrediction, ViewPrediction

Read = Callable[[Image], ArrayView]
Look = Callable[[LookRequest, Callable[[int, int], None]], ExamPrediction]


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """The views of a study that could be read, and the sentences of those that could not (by index)."""

    views: tuple[ArrayView, ...]
    failed: dict[int, str]


def gather(images: Sequence[Image], read: Read = read_model_view) -> Gathered:
    """Decode the images for a model; a file that fails costs its own view only."""
    views, failed = [], {}
    for index, image in enumerate(images):
        try:
            views.append(read(image))
        except ReadError as error:
            failed[index] = error.reason
    return Gathered(tuple(views), failed)


def complete_prediction(
    prediction: ExamPrediction, images: Sequence[Image], failed: dict[int, str]
) -> ExamPrediction:
    """Put the unreadable images back in their places, as failed views."""
    if not failed:
        return prediction
    answered = iter(prediction.views)
    views = tuple(
        ViewPrediction(image.sop_uid, image.laterality, image.view, "failed", failed[index])
        if index in failed
        else next(answered)
        for index, image in enumerate(images)
    )
    partial = prediction.status == "complete"
    return replace(prediction, views=views, status="partial" if partial else prediction.status)


def nothing_readable(
    model: str, version: str, images: Sequence[Image], failed: dict[int, str]
) -> ExamPrediction:
    """Return the answer for a study of which no image could be read."""
    empty = ExamPrediction(model=model, version=version, status="failed")
    return complete_prediction(empty, images, failed)


def predict_study(
    bundle: Bundle,
    images: Sequence[Image],
    device: Device,
    predictors: dict[tuple[Path, str], Any],
    *,
    heatmaps: bool,
    gathered: Gathered | None = None,
    report: Callable[[int, int], None] | None = None,
    look: Look | None = None,
) -> ExamPrediction:
    """Return one bundle's prediction on the images of one study, views in the order of `images`.

    Parameters
    ----------
    device
        ``auto``, ``cpu`` or ``cuda``; raises `ModelError` for cuda without a GPU.
    predictors
        Keeps loaded networks between calls (unused where `look` is given).
    gathered
        The decoded views if the caller has them already.
    look
        Runs the request elsewhere, for example in the inference process.
    """
    ready = gathered or gather(images)
    if not ready.views:
        return nothing_readable(bundle.name, bundle.version, images, ready.failed)
    request = LookRequest(bundle.folder, device, ready.views, heatmaps)
    tell = report or (lambda done, total: None)
    prediction = look(request, tell) if look else run_look(request, tell, predictors)
    return complete_prediction(prediction, images, ready.failed)
