"""One model's heat map of one image of a data set, as the second look at a study would have it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from app.core.audit.cases import AuditModel
from app.core.errors import MammoviewError
from app.core.manifest import Row
from app.core.reading.findings import ModelFacts, SecondLook
from app.core.settings import Device
from app.services.inference import catalogue
from app.services.inference.audited import need_unchanged
from app.services.inference.batch import views_of
from app.services.inference.facts import facts_of
from app.services.inference.process import InferenceProcess, LookRequest
from app.services.inference.translate import failed_look, second_look, view_look
from model_zoo.bundle import Bundle
from model_zoo.contract import MammogramView, UnreadableView
from model_zoo.errors import ModelError


def look_at_case(
    process: InferenceProcess,
    model: AuditModel,
    folder: Path | None,
    exam: Sequence[Row],
    device: Device = "auto",
    *,
    report: Callable[[int, int], None],
) -> tuple[SecondLook, ...]:
    """Return a model's looks at the first images of an exam, heat maps included; for a job.

    Only the first image is looked at, the others stand in for the views that the model requires; of a model
    that compares both breasts all of them are. Scores are not what this is for: the audit has them.

    Parameters
    ----------
    folder
        The bundle's; None: the installed one of the model's name.
    exam
        The case's own image first.

    Returns
    -------
    A look of one view for each image that was looked at, in the order of `exam`.

    Raises
    ------
    MammoviewError
        The bundle is gone or another one by now, or its process ended; one sentence.
    Cancelled
        When `report` raises it.
    """
    try:
        bundle = _bundle(model, folder)
        count = len(exam) if bundle.spec.aggregation.bilateral else 1
        views: list[MammogramView] = list(views_of(exam[:count], (bundle.spec,)))
        report(0, count)
        request = LookRequest(bundle.folder, device, (*views, *map(_unasked, exam[count:])))
        said = process.look(request, report)
    except ModelError as error:
        raise MammoviewError(str(error)) from error
    empty = second_look(replace(said, views=()), (), exam[0].study_id, facts_of(bundle))
    return tuple(
        replace(empty, views=(view_look(view, (str(row.path), view.uid), row.image_id),))
        for row, view in zip(exam[:count], said.views, strict=False)
    )


def no_look(model: AuditModel, sentence: str) -> SecondLook:
    """Return a look that did not happen, with its reason."""
    facts = ModelFacts(model.name, model.version, "", "", False, None, None, (), "", "", "research")
    return failed_look(sentence, "", facts)


def _bundle(model: AuditModel, folder: Path | None) -> Bundle:
    if folder is None and not model.digest:
        raise MammoviewError(
            f"{model.name} is known from a prediction file only; its heat map needs the model itself"
        )
    bundle = catalogue.get(str(folder) if folder is not None else model.name)
    need_unchanged(model, bundle.folder)
    return bundle


def _unasked(row: Row) -> UnreadableView:
    return UnreadableView(
        uid="",
        reason="was not asked about",
        laterality=row.laterality or None,
        view=row.view or None,
        source=row.source or "unknown",
        frame=row.frame,
    )
