"""Cells that were seen: only those wholly on screen, and all of the breast must be."""

from __future__ import annotations

import numpy as np

from app.core.reading.coverage import CELL, shown, unseen


def test_only_cells_with_breast_in_them_are_needed() -> None:
    mask = np.ones((3 * CELL, 2 * CELL + 5), dtype=bool)
    mask[CELL, 2 * CELL + 4] = False  # one pixel of the breast, in the narrow last column
    coverage = unseen(mask)
    assert coverage.needed.shape == (3, 3)
    assert np.argwhere(coverage.needed).tolist() == [[1, 2]]
    assert coverage.share == 0.0
    assert not coverage.complete


def test_a_cell_that_is_cut_by_the_pane_is_not_seen() -> None:
    coverage = unseen(np.zeros((4 * CELL, 4 * CELL), dtype=bool))
    now = shown(coverage, (1, CELL, 3 * CELL - 1, 3 * CELL))
    assert np.argwhere(now.seen).tolist() == [[1, 1], [1, 2]]
    assert now.share == 2 / 16


def test_the_narrow_cells_at_the_end_are_seen_with_the_image_s_edge() -> None:
    coverage = unseen(np.zeros((CELL + 3, CELL + 3), dtype=bool))
    almost = shown(coverage, (0, 0, CELL + 2.5, CELL + 2.5))
    assert almost.share == 1 / 4
    assert shown(almost, (-50, -50, CELL + 3, CELL + 9)).complete


def test_what_is_no_news_gives_the_same_coverage() -> None:
    coverage = shown(unseen(np.zeros((64, 64), dtype=bool)), (0, 0, 64, 64))
    assert shown(coverage, (0, 0, 40, 40)) is coverage
    assert shown(coverage, (200, 200, 100, 100)) is coverage


def test_an_image_without_breast_is_complete() -> None:
    coverage = unseen(np.ones((100, 100), dtype=bool))
    assert coverage.complete
    assert coverage.share == 1.0
