"""Heads that are solved, beside scikit-learn; density measured from what a bundle said of its classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_exams import exam
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, cohen_kappa_score, roc_auc_score

from trainer.measure import measure
from trainer.recipe_blocks import Classes, Target
from trainer.solving import ridge_logistic
from trainer.units import ExamResult

DENSITY = Classes("density", False, {"fatty": ("F",), "glandular": ("G",), "dense": ("D",)})


@pytest.mark.parametrize("ridge", [0.5, 300.0])
def test_weights_are_those_of_scikit_learn(ridge: float) -> None:
    generator = np.random.default_rng(3)
    terms = generator.normal(size=(80, 12))
    positive = (terms[:, 0] + generator.normal(size=80) > 0.3).astype(float)
    judge = LogisticRegression(C=1 / ridge, tol=1e-10, max_iter=10_000).fit(terms, positive)
    found = ridge_logistic(terms, positive, ridge)
    assert found[:-1] == pytest.approx(judge.coef_[0], abs=1e-5)
    assert found[-1] == pytest.approx(judge.intercept_[0], abs=1e-5)


def said(number: int, truth: str, chances: np.ndarray) -> ExamResult:
    made = exam(number, float(chances[2]), sick=False, patient=f"p{number // 2}", density=truth)
    names = dict(zip(DENSITY.words, chances.tolist(), strict=True))
    return replace(made, images=tuple(replace(image, classes=names) for image in made.images))


def test_density_is_measured_as_scikit_learn_does() -> None:
    generator = np.random.default_rng(5)
    truth = np.repeat(generator.integers(3, size=30), 2)
    chances = generator.dirichlet(np.ones(3), size=60) + np.eye(3)[truth] * 0.4
    chances /= chances.sum(axis=1, keepdims=True)
    exams = [said(n, "FGD"[truth[n]], chances[n]) for n in range(60)]
    target = Target(("dense",), "density", {}, DENSITY)
    metrics = measure(exams, target, bundle="b 1", split="s", boxes_from=None)["metrics"]
    wanted = {
        "auc_macro": roc_auc_score(truth, chances, multi_class="ovr", average="macro"),
        "auc_d_vs_rest": roc_auc_score(truth == 2, chances[:, 2]),
        "quadratic_kappa": cohen_kappa_score(truth, chances.argmax(axis=1), weights="quadratic"),
        "accuracy": accuracy_score(truth, chances.argmax(axis=1)),
    }
    for name, value in wanted.items():
        entry = metrics[f"density.{name}"]
        assert entry["value"] == pytest.approx(value, abs=1e-6)
        assert entry["low"] < entry["value"] < entry["high"]
    assert metrics["density.accuracy"]["baseline"] == pytest.approx(np.bincount(truth).max() / 60, abs=1e-6)


def test_density_is_measured_only_where_a_bundle_told_classes() -> None:
    exams = [exam(n, 0.5, sick=n % 2 == 0, density="F") for n in range(4)]
    target = Target(("malignant",), "density", {}, DENSITY)
    metrics = measure(exams, target, bundle="b 1", split="s", boxes_from=None)["metrics"]
    assert not [name for name in metrics if name.startswith("density")]
