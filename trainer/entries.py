"""One metric as metrics.json has it: value, patient-bootstrap interval, unit, count, method, baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from app.core.metrics import decision
from app.core.metrics.bootstrap import DRAWS, intervals
from app.core.metrics.ordinal import (
    DENSITIES,
    Classes,
    ManyOrdinal,
    accuracies,
    macro_aucs,
    one_against_rest,
    quadratic_kappas,
)
from app.core.metrics.probability import briers, calibration_errors
from app.core.metrics.ranking import (
    Floats,
    Many,
    aucs,
    average_precisions,
    delong_interval,
    one,
    sensitivities_at,
    specificities_at,
)
from model_zoo.spec import OperatingPoint
from trainer.units import Units

Entry = dict[str, Any]
_UNDEFINED = "; undefined here: it needs both positives and negatives"


def finite(value: float | None) -> float | None:
    """Return a number as JSON has it: six places, None where it is undefined."""
    return None if value is None or np.isnan(value) else round(float(value), 6)


def make_entry(
    value: float, interval: tuple[float, float], unit: str, n: int, method: str, baseline: float | None
) -> Entry:
    """Return the record of the contract."""
    return {
        "value": finite(value),
        "low": finite(interval[0]),
        "high": finite(interval[1]),
        "unit": unit,
        "n": n,
        "method": method,
        "baseline": finite(baseline),
    }


def metric_entry(units: Units, many: Many, method: str, baseline: float | None, draws: int = DRAWS) -> Entry:
    """Return one metric of units with its patient-bootstrap interval."""
    value = one(many, units.positive, units.scores) if len(units.scores) else float("nan")
    interval = (float("nan"), float("nan"))
    if np.isnan(value):
        method += _UNDEFINED
    else:
        interval = intervals(
            lambda weights: many(units.positive, units.scores, weights), units.patients, draws=draws
        )
    method = f"{method}; 95 % interval of {draws} patient-bootstrap draws"
    return make_entry(value, interval, units.name, len(units.scores), method, baseline)


def auc_entry(units: Units, of: str, draws: int = DRAWS) -> Entry:
    """Return the AUC; its method holds DeLong's interval too."""
    entry = metric_entry(units, aucs, f"Mann-Whitney, {of}, ties half", 0.5, draws)
    if entry["value"] is not None:
        low, high = delong_interval(units.positive, units.scores)
        if not np.isnan(low):
            entry["method"] += f" (DeLong {low:.3f} to {high:.3f})"
    return entry


def share_of_positives(units: Units) -> float | None:
    """Return the share of positives, None without units."""
    return float(units.positive.mean()) if len(units.positive) else None


def unit_metrics(units: Units, probable: Units, of: str, fitted: str) -> dict[str, Entry]:
    """Return ranking and probability metrics of one unit, by ``name.unit``.

    Parameters
    ----------
    probable
        The same units with the scores by which probabilities are judged.
    fitted
        How those were calibrated, in words that follow a comma, or "".
    """
    known = share_of_positives(units)
    spread = None if known is None else known * (1 - known)
    recalled = None if known is None else 2 * known / (1 + known)
    best = "highest {} at a {} of at least 0.90, read off these scores; baseline: chance"
    names = ("sensitivity", "specificity")
    made = {
        "auc": auc_entry(units, of),
        "auprc": metric_entry(
            units, average_precisions, "average precision; baseline: share of positives", known
        ),
        "sens_at_spec90": metric_entry(units, sensitivities_at(0.9), best.format(*names), 0.1),
        "spec_at_sens90": metric_entry(units, specificities_at(0.9), best.format(*reversed(names)), 0.1),
        "pf1": metric_entry(
            probable,
            decision.probabilistic_f1s,
            f"F1 of sums of scores (RSNA 2022){fitted}; baseline: a score of 1 for everyone",
            recalled,
        ),
        "brier": metric_entry(
            probable,
            briers,
            f"mean squared error{fitted}; lower is better; baseline: always the share of positives",
            spread,
        ),
        "ece": metric_entry(
            probable,
            calibration_errors,
            f"10 bins of equal width{fitted}; lower is better; baseline: always the share of positives",
            0.0,
        ),
    }
    return {f"{name}.{units.name}": entry for name, entry in made.items()}


def point_metrics(units: Units, point: OperatingPoint) -> dict[str, Entry]:
    """Return what an operating point that was chosen elsewhere does with these units.

    The baselines are those of recalling as many by lot.
    """
    at = point.threshold
    where = f"at the bundle's operating point “{point.name}” (score >= {at:.4f})"
    known = share_of_positives(units)
    rate = float((units.scores >= at).mean()) if len(units.scores) else None
    spared = None if rate is None else 1 - rate
    by_lot = "baseline: as many recalled by lot"
    made = {
        "sensitivity": metric_entry(
            units, decision.sensitivities(at), f"positives recalled {where}; {by_lot}", rate
        ),
        "specificity": metric_entry(
            units, decision.specificities(at), f"negatives not recalled {where}; {by_lot}", spared
        ),
        "recall_rate": metric_entry(
            units, decision.recall_rates(at), f"share of all recalled {where}; it has no baseline", None
        ),
        "ppv": metric_entry(
            units, decision.predictive_values(at), f"positives among the recalled {where}; {by_lot}", known
        ),
    }
    return {f"{name}.{units.name}": entry for name, entry in made.items()}


def density_metrics(truth: Classes, chances: Floats, patients: Sequence[str]) -> dict[str, Entry]:
    """Return the metrics of breast density, by the names of the contract.

    Parameters
    ----------
    truth
        (images,) class numbers from 0, the densest last.
    chances
        (images, classes), 4 for BI-RADS a to d, 3 for mini-MIAS F, G, D.
    """
    kinds = chances.shape[1]
    counts = np.bincount(truth, minlength=kinds)
    densest = DENSITIES[-1] if kinds == len(DENSITIES) else "the densest class"
    asked: tuple[tuple[str, ManyOrdinal, str, float], ...] = (
        ("auc_macro", macro_aucs, f"mean of {kinds} AUCs, each class against the rest", 0.5),
        ("auc_d_vs_rest", one_against_rest(kinds - 1), f"AUC of {densest} against the rest", 0.5),
        (
            "quadratic_kappa",
            quadratic_kappas,
            "Cohen's kappa, quadratic weights; baseline: always one class",
            0.0,
        ),
        (
            "accuracy",
            accuracies,
            "share of right classes; baseline: always the commonest",
            counts.max() / counts.sum(),
        ),
    )
    weight = np.ones((1, len(truth)))
    made = {}
    for name, many, method, baseline in asked:

        def drawn(weights: Floats, many: ManyOrdinal = many) -> Floats:
            return many(truth, chances, weights)

        method = f"{method}; 95 % interval of {DRAWS} patient-bootstrap draws"
        value, interval = float(drawn(weight)[0]), intervals(drawn, patients)
        made[f"density.{name}"] = make_entry(value, interval, "image", len(truth), method, baseline)
    return made
