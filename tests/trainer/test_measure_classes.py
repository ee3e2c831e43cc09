"""The numbers of further classes, by arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trainer.measure_classes import _class_metrics
from trainer.recipe_blocks import Classes

WORDS = {"a": ("a",), "b": ("b",), "c": ("c",)}
WHO = tuple("pqrstu")


def test_one_of_three_right_shares_areas_and_their_mean() -> None:
    said = np.eye(3)[[0, 0, 1, 1, 2, 2]]
    logits = np.array([[3, 1, 0], [0, 2, 1], [0, 4, 0], [1, 3, 2], [5, 0, 6], [0, 0, 1]], float)
    made = _class_metrics(Classes("density", False, WORDS), said, logits, WHO)
    # Likeliest: a b b b c c. Of a: 3 and 0 against 0 1 5 0: 3 beats three; 0 ties two, so (3 + 1) / 8.
    assert made["accuracy"]["value"] == pytest.approx(5 / 6, abs=1e-6)
    assert made["accuracy"]["baseline"] == pytest.approx(2 / 6, abs=1e-6)
    assert made["auc.a"]["value"] == pytest.approx(0.5)
    # Of b: 4 and 3 against 1 2 0 0: all. Of c: 6 and 1 against 0 1 0 2: 6 beats all, 1 two and ties one.
    assert made["auc.b"]["value"] == 1.0
    assert made["auc.c"]["value"] == pytest.approx((4 + 2.5) / 8)
    assert made["auc.macro"]["value"] == pytest.approx((0.5 + 1 + 6.5 / 8) / 3, abs=1e-6)
    assert "quadratic_kappa" in made


def test_of_several_all_must_be_right_and_unknown_images_are_left_out() -> None:
    said = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 0], [math.nan] * 3, [0, 1, 0], [1, 1, 0]])
    logits = np.array([[1, -1, -1], [1, 1, -1], [1, 1, -1], [9, 9, 9], [-1, 1, -1], [1, -1, -1]], float)
    made = _class_metrics(Classes("calc type", True, WORDS), said, logits, WHO)
    assert made["accuracy.all"]["n"] == 5
    assert made["accuracy.all"]["value"] == pytest.approx(3 / 5)
    assert made["accuracy.all"]["baseline"] == pytest.approx(2 / 5)
    # Nobody has c: no area, and the mean is of the other two.
    assert made["auc.c"]["value"] is None
    assert made["auc.macro"]["value"] == pytest.approx((1.0 + made["auc.b"]["value"]) / 2, abs=1e-6)
