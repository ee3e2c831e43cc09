"""The compare command: two bundles on the same patients, and whether a difference is shown.

Only units that both bundles scored take part, and patients that neither has seen. A difference is
shown where the interval of a paired patient bootstrap leaves out 0 and, for an AUC, DeLong's paired
test agrees at 5 %. Where it is not shown, that is said, and that it does not make the two equal.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from app.core.files import write_json, write_text
from app.core.manifest import Row, caveats_of
from app.core.metrics.bootstrap import DRAWS, intervals
from app.core.metrics.delong import p_words, paired_delong
from app.core.metrics.froc import froc, sensitivities
from app.core.metrics.probability import briers
from app.core.metrics.ranking import (
    Bools,
    Floats,
    Many,
    aucs,
    average_precisions,
    roc_points,
    sensitivities_at,
)
from app.core.plot import Line, Plot
from model_zoo.bundle import Bundle
from model_zoo.predictor import Device
from trainer.assess import Asked, ask
from trainer.box_metrics import FROC_DRAWS, RATES, RULES, placed_boxes
from trainer.compare_page import comparison_page
from trainer.curves import Curve, write_curves
from trainer.entries import finite
from trainer.errors import TrainerError
from trainer.evaluate import (
    Report,
    boxes_from,
    find_bundle,
    models_folder,
    report_into,
    score_part,
    target_of,
)
from trainer.recipe_blocks import Target
from trainer.runs import patient_mark
from trainer.splits import Part
from trainer.subgroups import groups
from trainer.units import ExamResult, Units, all_units, scored_images

LEVEL = 0.05
_METRICS: tuple[tuple[str, Many, str], ...] = (
    ("auc", aucs, "AUC (Mann-Whitney, ties half)"),
    ("auprc", average_precisions, "average precision"),
    ("sens_at_spec90", sensitivities_at(0.9), "highest sensitivity at a specificity of at least 0.90"),
    ("brier", briers, "Brier score, lower is better"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """The same units with the scores of both bundles."""

    name: str
    positive: Bools
    a: Floats
    b: Floats
    patients: tuple[str, ...]

    def chosen(self, wanted: Bools) -> Pair:
        """Return the wanted units."""
        patients = tuple(self.patients[index] for index in np.flatnonzero(wanted))
        return Pair(self.name, self.positive[wanted], self.a[wanted], self.b[wanted], patients)


def paired(a: Units, b: Units) -> Pair:
    """Return the units that both have, in the order of `a`."""
    place = {key: index for index, key in enumerate(b.keys)}
    common = [(one, place[key]) for one, key in enumerate(a.keys) if key in place]
    own, other = [one for one, _ in common], [one for _, one in common]
    return Pair(a.name, a.positive[own], a.scores[own], b.scores[other], tuple(a.patients[k] for k in own))


def difference(pair: Pair, many: Many, words: str, draws: int = DRAWS) -> dict[str, Any]:
    """Return a metric of both, b less a, its paired patient-bootstrap interval, and whether it is shown."""
    alone = np.ones((1, len(pair.a)))
    a, b = np.nan, np.nan
    low, high = float("nan"), float("nan")
    if len(pair.a):
        a = float(many(pair.positive, pair.a, alone)[0])
        b = float(many(pair.positive, pair.b, alone)[0])
    if not np.isnan(a):
        low, high = intervals(
            lambda weights: many(pair.positive, pair.b, weights) - many(pair.positive, pair.a, weights),
            pair.patients,
            draws=draws,
        )
    entry = _entry(a, b, (low, high), pair.name, len(pair.a), f"{words}; paired, {draws} patient draws")
    entry["patients"], entry["positives"] = len(set(pair.patients)), int(pair.positive.sum())
    if many is aucs:
        test = paired_delong(pair.positive, pair.a, pair.b) if len(pair.a) else None
        entry["delong"] = (
            None
            if test is None
            else {"low": finite(test.low), "high": finite(test.high), "p": finite(test.p)}
        )
        entry["shown"] = entry["shown"] and test is not None and test.p < LEVEL
    return entry


def _entry(
    a: float, b: float, interval: tuple[float, float], unit: str, n: int, method: str
) -> dict[str, Any]:
    low, high = interval
    return {
        "a": finite(a),
        "b": finite(b),
        "difference": finite(b - a),
        "low": finite(low),
        "high": finite(high),
        "unit": unit,
        "n": n,
        "method": method,
        # False for nan too: what cannot be measured is not shown.
        "shown": bool(low > 0 or high < 0),
    }


def sentence(name: str, entry: Mapping[str, Any]) -> str:
    """Return what one comparison says, in words."""
    if entry["difference"] is None:
        return f"{name}: undefined ({entry['n']} {entry['unit']}s of both bundles)."
    interval = "no interval" if entry["low"] is None else f"{entry['low']:+.3f} to {entry['high']:+.3f}"
    test = entry.get("delong")
    p = f", DeLong p {p_words(test['p'], '= ')}" if test else ""
    numbers = (
        f"{name} {entry['a']:.3f} (A) and {entry['b']:.3f} (B), B - A {entry['difference']:+.3f} "
        f"[{interval}]{p}, n = {entry['n']} {entry['unit']}s"
    )
    if entry["shown"]:
        return f"Difference shown: {numbers}."
    return f"No difference shown: {numbers}. That does not show that they are equal."


def _sought(target: Target) -> str:
    labels = " or ".join(sorted(target.positive))
    if not target.by_lesions:
        return labels
    return f"{labels} with {', '.join(sorted(target.findings))}"


def _check(bundles: Sequence[Bundle], targets: Sequence[Target]) -> None:
    for bundle in bundles:
        if not bundle.spec.reads_images:
            raise TrainerError(f"{bundle.folder}: looks at no images, and compare takes bundles that do")
    a, b = (_sought(target) for target in targets)
    if a != b:
        raise TrainerError(
            f"{bundles[1].folder}: looks for {b}, but {bundles[0].folder} for {a}; they cannot be compared"
        )


def _unseen(bundle: Bundle, asked: Asked, patients: Sequence[str]) -> str:
    """Refuse a bundle that has seen one of the patients; else say how it stands with them."""
    met = [patient for patient in patients if asked.seen(patient)]
    if met:
        raise TrainerError(
            f"{bundle.folder}: its weights have seen {len(met)} of the {len(patients)} patients "
            f"({min(met)}{', ...' if len(met) > 1 else ''}); none may be known to either bundle"
        )
    marks = bundle.metrics.get("trained_on_patients")
    if not isinstance(marks, list) or not marks:
        return f"{bundle.name} does not say whom its weights have seen: they may have known these patients."
    inside = sum(patient_mark(patient) in set(marks) for patient in patients)
    if inside:
        return f"{bundle.name}: {inside} patients out of fold, each by a member that never saw her."
    return f"{bundle.name}: none of these patients trained the weights."


def _boxes(exams: Sequence[Sequence[ExamResult]], targets: Sequence[Target]) -> dict[str, Any]:
    """Return the FROC differences on images that both scored; nothing where they look for other lesions."""
    names = [{image.row.image_id for image in scored_images(own)} for own in exams]
    both = names[0] & names[1]
    placed = []
    for own, target in zip(exams, targets, strict=True):
        kept = [
            ExamResult(tuple(one for one in exam.images if one.row.image_id in both), {}, None)
            for exam in own
        ]
        placed.append(placed_boxes(kept, target))
    a, b = placed
    if [image.lesions for image in a] != [image.lesions for image in b] or not any(x.lesions for x in a):
        return {}
    patients, alone = [image.patient for image in a], np.ones((1, len(a)))
    made: dict[str, Any] = {}
    for rule, words in RULES.items():
        curves = froc(a, rule), froc(b, rule)
        for rate in RATES:
            values = [float(sensitivities(curve, rate, alone)[0]) for curve in curves]

            def change(weights: Floats, rate: float = rate, curves: Any = curves) -> Floats:
                return sensitivities(curves[1], rate, weights) - sensitivities(curves[0], rate, weights)

            interval = intervals(change, patients, draws=FROC_DRAWS)
            method = f"lesions found ({words}) at {rate:g} false boxes per image; paired, {FROC_DRAWS} draws"
            n = len(curves[0].found)
            made[f"froc.{rule}@{rate:g}"] = _entry(values[0], values[1], interval, "lesion", n, method)
    return made


def _subgroups(rows: Sequence[Row], pair: Pair) -> dict[str, dict[str, Any]]:
    """Return the AUC's difference in every subgroup of images."""
    return {
        kind: {name: difference(pair.chosen(own), aucs, "AUC", FROC_DRAWS) for name, own in values.items()}
        for kind, values in groups(rows, pair.positive).items()
    }


def compare(
    names: tuple[str, str], part: Part, folder: Path, device: str, report: Report | None
) -> dict[str, Any]:
    """Score a part with two bundles, write the report folder, return its content.

    Parameters
    ----------
    names
        Two bundles by name or folder.
    folder
        Receives compare.json, pairs.csv, curves/ and index.html.

    Raises
    ------
    TrainerError, BundleError, ModelError
        A bundle that has seen a patient of the part, bundles that look for different things, a missing file.
    """
    bundles = [find_bundle(name, [models_folder()]) for name in names]
    targets = [target_of(bundle, part.rows) for bundle in bundles]
    _check(bundles, targets)
    patients = list(dict.fromkeys(row.patient_id for row in part.rows))
    exams = []
    with tempfile.TemporaryDirectory(prefix="mammoview-compare-") as work:
        asked = [ask(one, cast(Device, device), Path(work) / str(k)) for k, one in enumerate(bundles)]
        notes = [_unseen(one, own, patients) for one, own in zip(bundles, asked, strict=True)]
        with report_into(folder):
            folder.mkdir(parents=True, exist_ok=True)
        for own in asked:
            exams.append(score_part(own.choose, part, report))
    found = _compared(exams, targets, bundles)
    found |= {
        "split": part.split_hash or "all",
        "part": {"name": part.name, "fold": part.fold if part.fold >= 0 else None},
        "notes": [*notes, *caveats_of(part.rows)],
    }
    drawn = [found.pop("roc")] if "roc" in found else []
    pairs = found.pop("pairs")
    with report_into(folder):
        write_json(folder / "compare.json", found)
        write_text(folder / "pairs.csv", pairs)
        write_curves(drawn, folder)
        write_text(folder / "index.html", comparison_page(found, drawn))
    return found


def _compared(
    exams: Sequence[Sequence[ExamResult]], targets: Sequence[Target], bundles: Sequence[Bundle]
) -> dict[str, Any]:
    """Return every difference, the sentences, and the tables that go beside them."""

    def positive(row: Row) -> bool:
        return targets[0].is_positive(row)

    pairs = [paired(*both) for both in zip(*(all_units(own, positive) for own in exams), strict=True)]
    metrics: dict[str, Any] = {}
    for pair in pairs:
        for name, many, words in _METRICS:
            metrics[f"{name}.{pair.name}"] = difference(pair, many, words)
    if all(boxes_from(bundle.spec) is not None for bundle in bundles):
        metrics |= _boxes(exams, targets)
    scored = [{image.row.image_id: image for image in scored_images(own)} for own in exams]
    both = [name for name in scored[0] if name in scored[1]]
    rows = [scored[0][name].row for name in both]
    shown = [name for name in ("auc.image", "auc.breast", "auc.patient", "froc.centre@1") if name in metrics]
    found: dict[str, Any] = {
        "format": "mammoview-comparison",
        "version": 1,
        "a": f"{bundles[0].name} {bundles[0].version}",
        "b": f"{bundles[1].name} {bundles[1].version}",
        "n": {f"{pair.name}s": len(pair.a) for pair in pairs},
        "one_only": len(set(scored[0]) ^ set(scored[1])),
        "verdict": sentence("auc.image", metrics["auc.image"]),
        "sentences": [sentence(name, metrics[name]) for name in shown],
        "metrics": metrics,
        "subgroups": _subgroups(rows, pairs[0]) if rows else {},
        "pairs": _table(rows, pairs[0]),
    }
    if len(pairs[0].a) and 0 < pairs[0].positive.sum() < len(pairs[0].a):
        found["roc"] = _roc(pairs[0], found["a"], found["b"])
    return found


def _roc(pair: Pair, a: str, b: str) -> Curve:
    lines, rows = [], []
    for name, scores in ((f"A: {a}", pair.a), (f"B: {b}", pair.b)):
        false, true = (np.round(own, 6).tolist() for own in roc_points(pair.positive, scores))
        lines.append(Line(name, false, true))
        rows += [(name, x, y) for x, y in zip(false, true, strict=True)]
    lines.append(Line("chance", (0, 1), (0, 1), quiet=True))
    plot = Plot("ROC per image", "1 - specificity", "sensitivity", lines)
    return Curve("roc", plot, ("bundle", "false_positive_rate", "sensitivity"), tuple(rows))


def _table(rows: Sequence[Row], pair: Pair) -> str:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("image_id", "label", "score_a", "score_b"))
    for row, a, b in zip(rows, pair.a, pair.b, strict=True):
        writer.writerow((row.image_id, row.label, f"{a:.6f}", f"{b:.6f}"))
    return table.getvalue()
