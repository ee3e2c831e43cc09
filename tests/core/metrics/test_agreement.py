"""Kappa against the tables of the papers and textbooks that it comes from."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.metrics.agreement import cohen, fleiss


def ratings(table: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """The two readers' ratings that a table of counts (rows: first, columns: second) stands for."""
    pairs = [(i, j) for i, line in enumerate(table) for j, count in enumerate(line) for _ in range(count)]
    return np.array([i for i, _ in pairs]), np.array([j for _, j in pairs])


def test_cohen_of_fleiss_textbook_table() -> None:
    # Fleiss, Levin, Paik, Statistical Methods for Rates and Proportions, 3rd ed., tables 18.1 and 18.3:
    # 100 subjects, psychotic, neurotic, organic; observed 0.89, expected 0.66, kappa 0.676.
    found = cohen(*ratings([[75, 1, 4], [5, 4, 1], [0, 0, 10]]), 3)
    assert found.observed == pytest.approx(0.89)
    assert found.expected == pytest.approx(0.66)
    assert found.value == pytest.approx(0.676, abs=0.0005)
    # Their standard error of kappa is 0.088.
    assert (found.high - found.low) / 2 / 1.96 == pytest.approx(0.088, abs=0.0005)


def test_cohen_by_hand() -> None:
    # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: (0.7 - 0.5) / (1 - 0.5).
    found = cohen(*ratings([[20, 5], [10, 15]]), 2)
    assert (found.observed, found.expected) == (pytest.approx(0.7), pytest.approx(0.5))
    assert found.value == pytest.approx(0.4)
    assert found.n == 50


def test_weighted_cohen_is_scikit_learns() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    generator = np.random.default_rng(4)
    one, other = generator.integers(0, 5, (2, 60))
    other = np.where(generator.random(60) < 0.5, one, other)
    for weights in ("none", "linear", "quadratic"):
        expected = metrics.cohen_kappa_score(one, other, weights=None if weights == "none" else weights)
        assert cohen(one, other, 5, weights).value == pytest.approx(expected)


def test_fleiss_of_the_usual_table() -> None:
    # Fourteen raters, ten subjects, five categories: kappa 0.210 (observed 0.378, expected 0.213).
    counts = np.array([
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ], dtype=float)  # fmt: skip
    found = fleiss(counts)
    assert found.value == pytest.approx(0.210, abs=0.0005)
    assert (found.observed, found.expected) == (
        pytest.approx(0.378, abs=0.0005),
        pytest.approx(0.213, abs=0.0005),
    )


def test_two_raters_of_fleiss_are_scotts_pi() -> None:
    # Scott (1955): chance from the pooled margins. 35 of 50 agree; pooled yes (25 + 30) / 100.
    one, other = ratings([[20, 5], [10, 15]])
    counts = np.stack([(one == 0) + 0.0 + (other == 0), (one == 1) + 0.0 + (other == 1)], axis=1)
    chance = 0.55**2 + 0.45**2
    assert fleiss(counts).value == pytest.approx((0.7 - chance) / (1 - chance))


def test_all_alike_is_one_and_one_category_is_undefined() -> None:
    assert cohen(np.array([0, 1, 2]), np.array([0, 1, 2]), 3).value == pytest.approx(1.0)
    assert cohen(np.array([1, 1]), np.array([1, 1]), 2).value is None
    assert fleiss(np.array([[3.0, 0.0], [3.0, 0.0]])).value is None
    assert cohen(np.array([], dtype=np.intp), np.array([], dtype=np.intp), 2).value is None


def test_cases_rated_by_different_numbers_of_readers_are_refused() -> None:
    with pytest.raises(ValueError, match="same number of readers"):
        fleiss(np.array([[2.0, 1.0], [2.0, 0.0]]))
