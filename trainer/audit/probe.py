"""The confounder probe: does a picture's border, format or grey-value histogram tell its label?

A ridge-penalised logistic regression, its scores out of fold with patients kept together, the area under
its ROC curve with a patient bootstrap. What such numbers tell, a network learns first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.core.manifest import Row
from app.core.metrics.bootstrap import intervals
from app.core.metrics.ranking import aucs
from trainer.audit.facts import Facts

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_FOLDS = 5
_SEEDS = 3
_PENALTY = 1.0
_STEPS = 12
_LEAST = 10
"""Patients with and without a label below which nothing is asked of it."""
_MANY = 10_000
_MOST_LABELS = 6


@dataclass(frozen=True, slots=True)
class Probe:
    """How well statistics without anatomy tell one label from all others.

    Attributes
    ----------
    of
        ``border and format``, or ``grey-value histogram``.
    auc, low, high
        Out-of-fold, with the patient-bootstrap interval (95 % for all probes together).
    beyond_chance
        Whether the interval lies above 0.5.
    """

    label: str
    of: str
    auc: float
    low: float
    high: float
    images: int
    patients: int
    beyond_chance: bool

    @property
    def sentence(self) -> str:
        """The warning, or that there is none."""
        numbers = f"AUC {self.auc:.2f} [{self.low:.2f} to {self.high:.2f}], {self.patients} patients"
        if not self.beyond_chance:
            return f"{self.of} alone do not tell {self.label} from the rest ({numbers})"
        return (
            f"{self.of} alone tell {self.label} from the rest ({numbers}): "
            "a model may learn the film or the machine, and one no better than this has learned nothing else"
        )


def border_and_format(facts: Facts) -> Floats:
    """Return (N, 13): the border's grey values and their spread, size, bits, clipped shares."""
    return np.column_stack([
        facts["edge_mean"], facts["edge_std"], np.log(np.maximum(facts["rows"], 1)),
        np.log(np.maximum(facts["columns"], 1)), facts["bits_used"], facts["at_low"], facts["at_high"],
    ]).astype(np.float64)  # fmt: skip


def histogram(facts: Facts) -> Floats:
    """Return (N, 32): square roots of the shares of pixels in 32 steps of grey."""
    return np.sqrt(facts["grey"].astype(np.float64))


def fit_logistic(columns: Floats, positive: Bools, penalty: float = _PENALTY) -> Floats:
    """Return weights of a ridge-penalised logistic regression, its intercept last and free (Newton's method).

    Parameters
    ----------
    columns
        Standardised, shape (N, K).
    """
    design = np.column_stack([columns, np.ones(len(columns))])
    ridge = np.diag([penalty] * columns.shape[1] + [1e-6])
    beta = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        slope = design.T @ (positive - chance) - ridge @ beta
        curve = (design * (chance * (1 - chance))[:, None]).T @ design + ridge
        beta = beta + np.linalg.solve(curve, slope)
    return beta


def _standard(columns: Floats, train: Bools) -> Floats:
    spread = columns[train].std(axis=0)
    centred = columns - columns[train].mean(axis=0)
    return np.asarray(np.clip(centred / np.where(spread > 0, spread, 1), -5, 5), np.float64)


def _folds(patients: npt.NDArray[np.intp], positive: Bools, seed: int) -> npt.NDArray[np.intp]:
    """Return each image's fold; patients with a positive image are dealt out first."""
    generator = np.random.default_rng(seed)
    has = np.bincount(patients, positive) > 0
    order = generator.permutation(len(has))
    order = order[np.argsort(~has[order], kind="stable")]
    fold = np.empty(len(has), np.intp)
    fold[order] = np.arange(len(has)) % _FOLDS
    return fold[patients]


def out_of_fold(columns: Floats, positive: Bools, patients: npt.NDArray[np.intp]) -> Floats:
    """Return scores of each image by models that saw no image of its patient, mean of three divisions."""
    total = np.zeros(len(positive))
    for seed in range(_SEEDS):
        fold = _folds(patients, positive, seed)
        for number in range(_FOLDS):
            train = fold != number
            if positive[train].all() or not positive[train].any():
                continue
            values = _standard(columns, train)
            beta = fit_logistic(values[train], positive[train])
            total[~train] += values[~train] @ beta[:-1] + beta[-1]
    return total / _SEEDS


def _labels(rows: Sequence[Row]) -> list[str]:
    """Return the labels worth asking: of two the rarer one; each that enough patients have and lack."""
    have: dict[str, set[str]] = {}
    for row in rows:
        have.setdefault(row.label, set()).add(row.patient_id)
    everyone = len({row.patient_id for row in rows})
    lack = {
        label: everyone - sum(1 for _ in patients) + len(
            patients & set().union(*(others for name, others in have.items() if name != label))
        )
        for label, patients in have.items()
    }  # fmt: skip
    asked = sorted(
        (label for label in have if len(have[label]) >= _LEAST and lack[label] >= _LEAST),
        key=lambda label: (len(have[label]), label),
    )
    return asked[:1] if len(have) == 2 else asked[:_MOST_LABELS]


def probe(rows: Sequence[Row], facts: Facts, reasons: Sequence[str]) -> list[Probe]:
    """Return the probes of every label that enough patients have and lack; unreadable images are left out."""
    readable = [number for number, reason in enumerate(reasons) if not reason]
    some, known = [rows[number] for number in readable], facts[readable]
    labels = _labels(some)
    ids = [row.patient_id for row in some]
    patients = np.unique(np.asarray(ids), return_inverse=True)[1] if ids else np.zeros(0, np.intp)
    level = 1 - 0.05 / max(1, 2 * len(labels))
    found = []
    for label in labels:
        positive = np.array([row.label == label for row in some])
        for of, columns in (("border and format", border_and_format(known)),
                            ("grey-value histogram", histogram(known))):  # fmt: skip
            scores = out_of_fold(columns, positive, patients)
            auc = float(aucs(positive, scores, np.ones((1, len(scores))))[0])
            low, high = _interval(positive, scores, ids, level)
            numbers = (round(auc, 4), round(low, 4), round(high, 4))
            found.append(Probe(label, of, *numbers, len(some), int(patients.max()) + 1, low > 0.5))
    return found


def _interval(positive: Bools, scores: Floats, ids: Sequence[str], level: float) -> tuple[float, float]:
    draws = 1000 if len(ids) <= _MANY else 200
    return intervals(lambda weights: aucs(positive, scores, weights), ids, draws=draws, level=level)
