"""A bundle on data that it never saw: what is said of that data, and the numbers that go on record.

The numbers are those of the whole bundle as it ships. Boxes that it would not show take part in the FROC
curve alone, as they do when a bundle is exported.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from app.core.manifest import Row, is_normal
from app.core.metrics.bootstrap import DRAWS, intervals
from app.core.metrics.froc import ImageBoxes, froc, random_places
from app.core.metrics.probability import wilson
from app.core.metrics.ranking import Bools, Floats
from model_zoo.bundle import Bundle
from model_zoo.spec import BundleSpec
from model_zoo.suitability import SOURCES
from trainer.box_metrics import RATES, froc_entry, placed_boxes
from trainer.entries import Entry, auc_entry, make_entry
from trainer.errors import TrainerError
from trainer.evaluate import boxes_from, seen_patients
from trainer.recipe_blocks import Target
from trainer.splits import Part
from trainer.units import ExamResult, ImageResult, by_breast, by_image, scored_images

KEY = "other_data"
LOWEST = 0.05
"""Boxes count in the FROC curve from this score up; recipes export with the same."""
_LONGEST = 400
_OPENED = tuple(source for source in SOURCES if source != "dbt")


@dataclass(frozen=True, slots=True)
class Wish:
    """What evaluate is to do beside its report.

    Attributes
    ----------
    sentence
        Says what the data is; its first words, up to a comma or a stop, are the data's name. Empty: the
        bundle keeps no record.
    manifest_sha256
        Of the manifest.
    outside
        Also measure images outside the bundle's training domain.
    """

    sentence: str = ""
    manifest_sha256: str = ""
    outside: bool = False

    @property
    def name(self) -> str:
        """The data's name: ``mini-MIAS, the open part`` is of mini-MIAS."""
        return re.split(r"[,;:(]|\.(?:\s|$)", self.sentence, maxsplit=1)[0].strip()


def check(wish: Wish, bundle: Bundle, part: Part) -> None:
    """Refuse to put on record what the bundle has seen, or what nobody could tell the data of.

    Raises
    ------
    TrainerError
        Patients who trained or tuned it; a folder that cannot be written; a sentence without a name, over 400
        characters or of several lines.
    """
    if not wish.sentence:
        return
    if not wish.name or len(wish.sentence) > _LONGEST or not wish.sentence.isprintable():
        raise TrainerError(
            f"--record: say in one line of at most {_LONGEST} characters what the data is, its name first"
        )
    seen = seen_patients(bundle, part)
    if seen:
        raise TrainerError(
            f"{bundle.folder}: {seen} of these patients trained or tuned the bundle; only data that it "
            "never saw goes on record"
        )
    if not os.access(bundle.folder.parent, os.W_OK):
        raise TrainerError(f"{bundle.folder}: cannot be written, so that nothing can go on record there")


def opened(bundle: Bundle, wish: Wish) -> Bundle:
    """Return a copy, in memory alone, that answers what the wish is about.

    With a record all boxes are let out from 0.05 up, and outside the training domain no image is declined
    for its source or an implant.
    """
    spec = bundle.spec
    if wish.sentence and boxes_from(spec) is not None:
        lowest = min(LOWEST, spec.detection.score_threshold)
        spec = replace(spec, detection=replace(spec.detection, score_threshold=lowest))
    if wish.outside:
        sources = tuple(dict.fromkeys((*spec.domain.sources, *_OPENED)))
        spec = replace(spec, domain=replace(spec.domain, sources=sources, implants=True))
    return replace(bundle, spec=spec)


def as_shown(exams: Sequence[ExamResult], spec: BundleSpec) -> list[ExamResult]:
    """Return the exams with those boxes alone that the bundle shows as it ships."""
    lowest = boxes_from(spec)
    if lowest is None:
        return list(exams)

    def seen(image: ImageResult) -> ImageResult:
        return replace(image, boxes=tuple(box for box in image.boxes if box[0] >= lowest))

    return [replace(exam, images=tuple(map(seen, exam.images))) for exam in exams]


def outside_images(spec: BundleSpec, rows: Sequence[Row]) -> int:
    """Return how many images are of a source that the bundle was not trained on."""
    return sum(row.source not in spec.domain.sources for row in rows)


def outside_sentence(spec: BundleSpec, rows: Sequence[Row]) -> str:
    """Return what must be said of images that the workstation would not have scored, "" without any."""
    count = outside_images(spec, rows)
    if not count:
        return ""
    which = "These images are" if count == len(rows) else f"{count} of these images are"
    return f"{which} outside its training domain; the workstation declines these."


def measure_other(
    bundle: Bundle, part: Part, exams: Sequence[ExamResult], target: Target, wish: Wish
) -> dict[str, Any]:
    """Return the entry of ``other_data``.

    Parameters
    ----------
    bundle
        As it ships.
    exams
        Answers of its `opened` copy.
    target
        What the bundle was trained to find.
    """
    scored = scored_images(exams)
    patients = {row.patient_id for row in part.rows}
    normal = [image for image in scored if _is_normal(image.row)]
    detects = boxes_from(bundle.spec) is not None
    metrics = _ranking(exams, target)
    if detects:
        metrics |= _normal(normal, bundle.spec.detection.score_threshold)
        metrics |= _boxes(exams, target, bundle.spec.detection.score_threshold)
    return {
        "name": wish.name,
        "data": wish.sentence,
        "bundle": f"{bundle.name} {bundle.version}",
        "manifest_sha256": wish.manifest_sha256,
        "split": part.split_hash or "all",
        "part": {"name": part.name, "fold": part.fold if part.fold >= 0 else None},
        "n": {
            "images": len(part.rows),
            "scored": len(scored),
            "patients": len(patients),
            "normal": len(normal),
            "positive": sum(target.is_positive(image.row) for image in scored),
        },
        "not_scored": _reasons(exams),
        "outside_domain": outside_images(bundle.spec, part.rows),
        "seen_patients": 0,
        "positive": list(target.positive),
        "threshold": bundle.spec.detection.score_threshold if detects else None,
        "metrics": {name: entry for name, entry in metrics.items() if entry["value"] is not None},
    }


def _is_normal(row: Row) -> bool:
    return is_normal(row.label) and not row.findings


def _reasons(exams: Sequence[ExamResult]) -> dict[str, int]:
    missed = [image.reason or "no reason given" for e in exams for image in e.images if image.score is None]
    return {reason: missed.count(reason) for reason in dict.fromkeys(missed)}


def _ranking(exams: Sequence[ExamResult], target: Target) -> dict[str, Entry]:
    """Return the AUC per image and breast; undefined where the manifest has not both kinds of label."""
    of = f"{' or '.join(target.positive)} against the rest"
    units = (by_image(exams, target.is_positive), by_breast(exams, target.is_positive))
    return {f"auc.{own.name}": auc_entry(own, of) for own in units}


def _normal(images: Sequence[ImageResult], threshold: float) -> dict[str, Entry]:
    """Return false boxes per normal image at the threshold that ships, and how many images have none."""
    counts = np.array([sum(s >= threshold for s, _ in image.boxes) for image in images], dtype=np.float64)
    patients = [image.row.patient_id for image in images]
    on = f"normal images, boxes from a score of {threshold:g} up; baseline: no box at all"
    return {
        "false_boxes_per_normal_image": _mean(counts, patients, f"false boxes per image over {on}", 0.0),
        "normal_images_without_box": _free(counts == 0, patients, f"share without a box of {on}"),
    }


def _free(free: Bools, patients: Sequence[str], method: str) -> Entry:
    """Return the share of images without a box, in a whole share with `whole_share`'s interval."""
    if len(free) and (free.all() or not free.any()):
        return whole_share(float(free[0]), "image", len(free), len(set(patients)), method, 1.0)
    return _mean(free.astype(np.float64), patients, method, 1.0)


def _mean(values: Floats, patients: Sequence[str], method: str, baseline: float | None) -> Entry:
    """Return the mean over images with its patient-bootstrap interval; none where all are alike."""
    value = float(values.mean()) if len(values) else float("nan")
    if not len(values) or (values == values[0]).all():
        alike = f"{method}; no interval: all images are alike"
        return make_entry(value, (float("nan"), float("nan")), "image", len(values), alike, baseline)

    def mean(weights: Floats) -> Floats:
        made: Floats = weights @ values / weights.sum(axis=1)
        return made

    method = f"{method}; 95 % interval of {DRAWS} patient-bootstrap draws"
    return make_entry(value, intervals(mean, patients), "image", len(values), method, baseline)


def whole_share(value: float, unit: str, n: int, patients: int, method: str, baseline: float | None) -> Entry:
    """Return the record of a share of 0 or 1, whose bootstrap draws are all the same and say nothing.

    Its interval is Wilson's with the number of patients as n, as units of one patient are not independent;
    ``wilson_patients`` holds that number.
    """
    how = f"{method}; 95 % interval: Wilson's, n = {patients} patients, as every draw gives the same share"
    return make_entry(value, wilson(value, patients), unit, n, how, baseline) | {"wilson_patients": patients}


def lesions_of(rows: Sequence[Row], target: Target) -> Target:
    """Return whose lesions are looked for: the bundle's own classes, or any where the data has none of these.

    Another data set's words for the same lesion are not guessed.
    """
    own = any(target.class_of(one.label, one.pathology) is not None for row in rows for one in row.findings)
    return target if own else replace(target, findings={"any": ("*",)})


def _boxes(exams: Sequence[ExamResult], target: Target, threshold: float) -> dict[str, Entry]:
    """Return lesions found by type and size at the threshold that ships, and FROC over all images."""
    rows = [image.row for exam in exams for image in exam.images]
    images = placed_boxes(exams, lesions_of(rows, target))
    made: dict[str, Entry] = {}
    if not any(image.lesions for image in images):
        return made
    for rule in ("centre", "iou20"):
        for rate in RATES:
            made[f"froc.{rule}@{rate:g}"] = froc_entry(images, rule, rate, False, min(LOWEST, threshold))
    for word, place in (("found", 0), ("found_size", 1)):
        found = _found(images, place, threshold)
        made |= {f"{word}.{kind}": entry for kind, entry in found.items()}
    return made


def _found(images: Sequence[ImageBoxes], place: int, threshold: float) -> Mapping[str, Entry]:
    """Return the share found of each type (`place` 0) or size (1) of lesion, the most frequent first."""
    curve = froc(images, "centre")
    kinds = np.array([kind[place] for image in images for kind in image.kinds], dtype=object)
    found = (curve.found >= threshold).astype(np.float64)
    patients = [image.patient for image in images]
    rate = sum(score >= threshold for image in images for score, _ in image.candidates) / len(images)
    names = sorted(set(kinds.tolist()), key=lambda name: (-int((kinds == name).sum()), name))
    made = {}
    for name in names:
        own = np.flatnonzero(kinds == name)

        def share(weights: Floats, own: Any = own) -> Floats:
            drawn = weights[:, curve.found_image[own]]
            with np.errstate(invalid="ignore"):
                value: Floats = (drawn * found[own]).sum(axis=1) / drawn.sum(axis=1)
            return value

        of_kind = [
            replace(
                image,
                lesions=tuple(b for b, k in zip(image.lesions, image.kinds, strict=True) if k[place] == name),
            )
            for image in images
        ]
        method = (
            f"share found: centre of a box of a score of {threshold:g} or more inside the lesion's box; "
            f"baseline: {rate:.2f} boxes per image at random in the breast"
        )
        value, chance = float(found[own].mean()), random_places(of_kind, "centre", rate)
        if value in (0.0, 1.0):
            owners = len({image.patient for image in of_kind if image.lesions})
            made[name] = whole_share(value, "lesion", len(own), owners, method, chance)
            continue
        method += f"; 95 % interval of {DRAWS} patient-bootstrap draws"
        made[name] = make_entry(value, intervals(share, patients), "lesion", len(own), method, chance)
    return made
