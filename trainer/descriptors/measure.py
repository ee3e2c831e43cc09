"""From a calculator and a table to metrics: per lesion and per patient, with and without the judgement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from app.core.metrics.bootstrap import patient_interval
from app.core.metrics.probability import brier, expected_calibration_error
from app.core.metrics.ranking import Bools, Floats, auc, average_precision, delong_interval, sensitivity_at
from model_zoo.calibration import logit
from model_zoo.tabular import Calculator
from trainer.descriptors.cases import Case, words
from trainer.descriptors.recipe import BundleRecipe

EVEN = 0.5
"""The operating point at which accuracy is given: malignant is as likely as not, at the training "
"prevalence."""
SENSITIVE = 0.95
LEAST = 10
"""A subgroup with fewer benign or fewer malignant cases is not given a number."""
Statistic = Callable[[Bools, Floats, Floats | None], float]


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What a calculator said of each case, (cases,).

    Attributes
    ----------
    scores
        Probabilities at the training data's prevalence.
    entered
        Probabilities had the share of positives of these cases been entered as the prevalence.
    """

    unit: str
    positive: Bools
    scores: Floats
    entered: Floats
    patients: tuple[str, ...]

    def part(self, chosen: Bools) -> Scored:
        """Return the chosen cases."""
        patients = tuple(np.asarray(self.patients)[chosen].tolist())
        return Scored(self.unit, self.positive[chosen], self.scores[chosen], self.entered[chosen], patients)


def score_cases(
    calculator: Calculator, cases: Sequence[Case], recipe: BundleRecipe, without: str = ""
) -> Scored:
    """Ask the calculator of each case, with one group of descriptors hidden if asked."""
    positive = np.array([case.malignant for case in cases])
    share = min(max(float(positive.mean()), 1e-3), 1 - 1e-3)
    told = [calculator.explain(words(case, recipe, without)) for case in cases]
    log_odds = np.array([one.log_odds for one in told])
    moved = log_odds - logit(calculator.prevalence) + logit(share)
    return Scored(
        "lesion",
        positive,
        np.array([one.probability for one in told]),
        1 / (1 + np.exp(-moved)),
        tuple(case.patient for case in cases),
    )


def by_patient(scored: Scored) -> Scored:
    """Return one entry per patient: her highest score, positive if any of her lesions is."""
    ids, index = np.unique(np.asarray(scored.patients), return_inverse=True)
    positive = np.zeros(len(ids), dtype=np.bool_)
    scores, entered = np.zeros(len(ids)), np.zeros(len(ids))
    np.logical_or.at(positive, index, scored.positive)
    np.maximum.at(scores, index, scored.scores)
    np.maximum.at(entered, index, scored.entered)
    return Scored("patient", positive, scores, entered, tuple(ids.tolist()))


def accuracy(positive: Bools, scores: Floats, weights: Floats | None, threshold: float = EVEN) -> float:
    """Return the weighted share of cases on the right side of the threshold."""
    weight = np.ones(len(scores)) if weights is None else weights
    if weight.sum() == 0:
        return float("nan")
    return float(np.average((scores >= threshold) == positive, weights=weight))


def sensitivity_from(positive: Bools, scores: Floats, weights: Floats | None, threshold: float) -> float:
    """Return the weighted share of positives whose score reaches the threshold; nan without one."""
    weight = positive.astype(np.float64) if weights is None else weights * positive
    return float(np.average(scores >= threshold, weights=weight)) if weight.sum() else float("nan")


def specificity_from(positive: Bools, scores: Floats, weights: Floats | None, threshold: float) -> float:
    """Return the weighted share of negatives whose score stays below the threshold; nan without one."""
    return 1 - sensitivity_from(~positive, scores, weights, threshold)


def sensitive_threshold(positive: Bools, scores: Floats, sensitivity: float = SENSITIVE) -> float:
    """Return the highest score at which at least that share of the positives is reached."""
    found = np.sort(scores[positive])[::-1]
    return float(found[int(np.ceil(sensitivity * len(found) - 1e-9)) - 1])


def entry(
    scored: Scored, statistic: Statistic, method: str, baseline: float | None, draws: int
) -> dict[str, Any]:
    """Return one metric with its patient-bootstrap interval."""
    value = statistic(scored.positive, scored.scores, None)
    low, high = patient_interval(
        lambda weights: statistic(scored.positive, scored.scores, weights), scored.patients, draws=draws
    )
    return {
        "value": _finite(value),
        "low": _finite(low),
        "high": _finite(high),
        "unit": scored.unit,
        "n": len(scored.scores),
        "method": f"{method}; 95 % interval of {draws} patient-bootstrap draws",
        "baseline": _finite(float("nan") if baseline is None else baseline),
    }


def _finite(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)


def auc_entry(scored: Scored, of: str, draws: int) -> dict[str, Any]:
    """Return the AUC with its interval, and DeLong's beside it in words."""
    low, high = delong_interval(scored.positive, scored.scores)
    beside = "" if np.isnan(low) else f" (DeLong, as if cases were independent, {low:.3f} to {high:.3f})"
    return entry(scored, auc, f"Mann-Whitney, {of}, ties half{beside}", 0.5, draws)


@dataclass(frozen=True, slots=True)
class Variant:
    """What a table is measured with.

    Attributes
    ----------
    kind
        Put into the metrics' names: ``auc.KIND.lesion``; "" for the model with every group.
    how
        The same in words.
    trained
        Prevalence of the training data.
    threshold
        Of the sensitive operating point, chosen out of fold.
    draws
        Of the patient bootstrap.
    """

    kind: str
    how: str
    trained: float
    threshold: float
    draws: int

    def name(self, metric: str, unit: str = "lesion") -> str:
        """Return a metric's name for this variant."""
        return ".".join(part for part in (metric, self.kind, unit) if part)


def variant_metrics(scored: Scored, variant: Variant) -> dict[str, Any]:
    """Return the metrics of one variant, by name."""
    return {**_ranking(scored, variant), **_decisions(scored, variant), **_chances(scored, variant)}


def _ranking(scored: Scored, variant: Variant) -> dict[str, Any]:
    how, draws = variant.how, variant.draws
    most = f"{how}, the highest of a patient's lesions; malignant if any is"
    share = float(scored.positive.mean())
    return {
        variant.name("auc"): auc_entry(scored, f"{how}, malignant against the rest", draws),
        variant.name("auc", "patient"): auc_entry(by_patient(scored), most, draws),
        variant.name("auprc"): entry(
            scored, average_precision, f"{how}, average precision; baseline: share of positives", share, draws
        ),
        variant.name("sens_at_spec90"): entry(
            scored,
            lambda positive, scores, weights: sensitivity_at(positive, scores, 0.9, weights),
            f"{how}, highest sensitivity at a specificity of at least 0.90, read off these scores; "
            "baseline: chance",
            0.1,
            draws,
        ),
    }


def _decisions(scored: Scored, variant: Variant) -> dict[str, Any]:
    even = (
        f"{variant.how}; malignant is what scores at least {EVEN:g} at the training prevalence of "
        f"{variant.trained:.3f}"
    )
    wide = (
        f"{variant.how}; malignant is what scores at least {variant.threshold:.4f}, which found "
        f"{100 * SENSITIVE:g} % of the cancers out of fold"
    )
    made = {}
    for of in (scored, by_patient(scored)):
        share = float(of.positive.mean())
        said = f"{even}; baseline: the more frequent class"
        made[variant.name("accuracy", of.unit)] = entry(
            of, accuracy, said, max(share, 1 - share), variant.draws
        )
    for word, at, said in (("even", EVEN, even), ("sensitive", variant.threshold, wide)):
        told = f"{said}; baseline: all called malignant"
        made[variant.name(f"sens_{word}")] = entry(
            scored, partial(sensitivity_from, threshold=at), f"sensitivity: {told}", 1.0, variant.draws
        )
        made[variant.name(f"spec_{word}")] = entry(
            scored, partial(specificity_from, threshold=at), f"specificity: {told}", 0.0, variant.draws
        )
    return made


def _chances(scored: Scored, variant: Variant) -> dict[str, Any]:
    """Return Brier score and calibration error, at the training prevalence and at these cases' own."""
    share, draws = float(scored.positive.mean()), variant.draws
    apart = Scored("lesion", scored.positive, scored.entered, scored.entered, scored.patients)
    kept = f"{variant.how}, at the training prevalence"
    moved = (
        f"{variant.how}, had the share of cancers among these cases ({share:.3f}) been entered as the "
        "prevalence"
    )
    ece = expected_calibration_error
    worse = "lower is better; baseline: always the training prevalence"
    right = "lower is better; baseline: always that share"
    flat = share * (1 - share)
    away = share - variant.trained
    return {
        variant.name("brier"): entry(scored, brier, f"{kept}; {worse}", flat + away**2, draws),
        variant.name("ece"): entry(scored, ece, f"{kept}, 10 bins; {worse}", abs(away), draws),
        variant.name("brier_entered"): entry(apart, brier, f"{moved}; {right}", flat, draws),
        variant.name("ece_entered"): entry(apart, ece, f"{moved}, 10 bins; {right}", 0.0, draws),
    }


def subgroups(
    scored: Scored, cases: Sequence[Case], recipe: BundleRecipe, draws: int
) -> list[dict[str, Any]]:
    """Return the AUC by view, by each single-choice group and by whether a group was given."""
    flags: list[tuple[str, Bools]] = [
        (f"view {view}", np.array([case.view == view for case in cases]))
        for view in sorted({case.view for case in cases})
    ]
    for number, group in enumerate(recipe.groups):
        given = np.array([bool(case.given[number]) for case in cases])
        if not given.all():
            flags += [(f"{group.title} given", given), (f"{group.title} not given", ~given)]
        if not group.many:
            flags += [
                (f"{group.title} {term.title}", np.array([place in case.given[number] for case in cases]))
                for place, term in enumerate(group.terms)
            ]
        else:
            several = np.array([len(case.given[number]) > 1 for case in cases])
            flags.append((f"{group.title}: several terms", several))
    made = []
    for name, chosen in flags:
        part = scored.part(chosen)
        positives = int(part.positive.sum())
        if min(positives, len(part.positive) - positives) < LEAST:
            made.append({"group": name, "n": len(part.positive), "malignant": positives, "auc": None})
            continue
        found = entry(part, auc, "", 0.5, draws)
        made.append(
            {"group": name, "n": found["n"], "malignant": positives}
            | {"auc": found["value"], "low": found["low"], "high": found["high"]}
        )
    return made
