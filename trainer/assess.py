"""The evaluate command: find a bundle, score a part honestly, write the report."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from app.core.files import write_text
from app.core.manifest import caveats_of
from model_zoo.bundle import Bundle
from model_zoo.predictor import Device, Predictor, load_predictor
from trainer.card import report_card
from trainer.curves import Curve, curves, write_curves
from trainer.ensembles import member_bundle
from trainer.evaluate import (
    Choose,
    Report,
    boxes_from,
    find_bundle,
    models_folder,
    report_into,
    score_part,
    seen_patients,
    target_json,
    target_of,
    write_report,
)
from trainer.gallery import Picture, gallery, write_gallery
from trainer.measure import measure
from trainer.other_data import Wish, as_shown, check, measure_other, opened, outside_sentence
from trainer.other_section import store_other
from trainer.recipe_blocks import Target
from trainer.report_page import evaluation_page
from trainer.runs import patient_mark
from trainer.splits import Part
from trainer.subgroups import subgroups
from trainer.units import ExamResult


@dataclass(frozen=True, slots=True)
class Asked:
    """Which predictor to ask for a patient id, and whether its weights have seen her."""

    choose: Choose
    seen: Callable[[str], bool]


def ask(bundle: Bundle, device: Device, work: Path) -> Asked:
    """Return whom to ask: of a fold ensemble the member that never saw the patient, else the bundle.

    Parameters
    ----------
    work
        Receives the members' bundles, which must stay there while they are asked.
    """
    marks = [set(one["patients"]) for one in bundle.metrics.get("members", [])]
    known = set(bundle.metrics.get("trained_on_patients", []))
    whole = load_predictor(bundle, device)
    made: dict[int, Predictor] = {}

    def unseen(patient: str) -> int | None:
        mark = patient_mark(patient)
        if mark not in known:
            return None
        return next((number for number, own in enumerate(marks) if mark not in own), None)

    def predictor(patient: str) -> Predictor:
        number = unseen(patient)
        if number is None:
            return whole
        if number not in made:
            made[number] = load_predictor(member_bundle(bundle, number, work / f"member-{number}"), device)
        return made[number]

    def seen(patient: str) -> bool:
        return patient_mark(patient) in known and unseen(patient) is None

    return Asked(predictor, seen)


def _protocol(bundle: Bundle, part: Part, seen: Callable[[str], bool]) -> str:
    patients = {row.patient_id for row in part.rows}
    inside = sum(seen(patient) for patient in patients)
    met = seen_patients(bundle, part)
    where = "all rows of the manifest" if part.fold < 0 else f"the {part.name} part of fold {part.fold}"
    text = f"Measured on {where}: {len(part.rows)} images of {len(patients)} patients."
    text = " ".join((text, *caveats_of(part.rows)))
    if inside:
        return (
            f"{text} IN-SAMPLE: {inside} of these patients trained or tuned the weights, "
            "so the numbers say how well they are remembered, not how well the model works."
        )
    if met:
        boxes = boxes_from(bundle.spec) is not None
        return (
            f"{text} Out-of-fold: each of the {met} patients that trained the ensemble was scored by a "
            f"member that never saw her. The calibration {'and the box threshold ' if boxes else ''}that "
            f"{'ship were' if boxes else 'ships was'} fitted on their scores, so Brier score and calibration "
            "error are somewhat too good here."
        )
    return f"{text} None of these patients trained the weights, as far as the bundle says."


def assess(
    name: str,
    part: Part,
    folder: Path,
    device: str,
    report: Report | None,
    wish: Wish | None = None,
) -> dict[str, Any]:
    """Score a part with a bundle, write the report folder, return the metrics.

    Parameters
    ----------
    name
        Bundle name or folder.
    part
        Of a split, or all rows.
    folder
        Receives index.html (all in one page), metrics.json, MODEL_CARD.md, predictions.csv, curves/ and
        gallery/.
    wish
        Whether the bundle keeps a record of it, and images outside its training domain are measured too.

    Raises
    ------
    BundleError, TrainerError, ModelError
        No such bundle, a missing file, no such device; a record of patients that the bundle has seen.
    """
    wish = wish or Wish()
    bundle = find_bundle(name, [models_folder()])
    check(wish, bundle, part)
    target = target_of(bundle, part.rows)
    point = next(iter(bundle.spec.operating_points), None)
    with report_into(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mammoview-evaluate-") as work:
        asked = ask(opened(bundle, wish), cast(Device, device), Path(work))
        answered = score_part(asked.choose, part, report)
        exams = as_shown(answered, bundle.spec)
        pictures = gallery(exams, target, point, asked.choose)
    declined = outside_sentence(bundle.spec, part.rows) if wish.outside else ""
    protocol = " ".join(filter(None, (_protocol(bundle, part, asked.seen), declined)))
    metrics = _measured(bundle, part, exams, target, protocol)
    drawn = curves(exams, target, boxes=boxes_from(bundle.spec) is not None)
    _write(folder, bundle, metrics, exams, drawn, pictures)
    if wish.sentence:
        store_other(bundle, measure_other(bundle, part, answered, target, wish))
    return metrics


def _measured(
    bundle: Bundle, part: Part, exams: Sequence[ExamResult], target: Target, protocol: str
) -> dict[str, Any]:
    """Return the content of metrics.json."""
    point = next(iter(bundle.spec.operating_points), None)
    least = boxes_from(bundle.spec)
    metrics: dict[str, Any] = measure(
        exams,
        target,
        bundle=f"{bundle.name} {bundle.version}",
        split=part.split_hash or "all",
        boxes_from=least,
        point=point,
    )
    metrics["subgroups"] = subgroups(exams, target, point, boxes=least is not None)
    metrics["protocol"] = protocol
    metrics["part"] = {"name": part.name, "fold": part.fold if part.fold >= 0 else None}
    metrics["target"] = target_json(target)
    return metrics


def _write(
    folder: Path,
    bundle: Bundle,
    metrics: dict[str, Any],
    exams: Sequence[ExamResult],
    drawn: Sequence[Curve],
    pictures: Sequence[Picture],
) -> None:
    """Write the report folder."""
    card = report_card(bundle.spec, metrics, protocol=metrics["protocol"])
    title = f"{bundle.spec.title or bundle.name} {bundle.version}: evaluation"
    with report_into(folder):
        write_report(folder, metrics, card, exams)
        write_curves(drawn, folder)
        write_gallery(pictures, folder)
        write_text(folder / "index.html", evaluation_page(title, metrics, card, drawn, pictures))
