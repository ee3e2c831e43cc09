"""The curves of an audit, and the way back from a point to the cases."""

from __future__ import annotations

import numpy as np
import pytest
from made_cases import MODEL, box, lesion, row, table

from app.core.audit.cases import AuditModel
from app.core.audit.plots import MOST_POINTS, froc_of, histogram, nearest, plots_of, rows_at, rows_between
from app.core.audit.units import units_of
from app.core.metrics.froc import froc_points
from app.core.metrics.ranking import auc, average_precision, roc_points

TRUTH = (1, 0, 1, 0, 0, 1, 0, 0)
SCORES = (0.9, 0.8, 0.7, 0.7, 0.3, 0.2, 0.1, 0.05)
ROWS = [row(k, "malignant" if ill else "normal") for k, ill in enumerate(TRUTH)]


def made(unit="image", rows=ROWS, scores=SCORES, draws=50, **more):
    found = table(rows, scores, models=(MODEL,), **more)
    units = units_of(found, found.answers[0], unit)
    return found, units, plots_of(found, found.answers[0], units, draws=draws)


def test_the_roc_is_that_of_the_metrics_with_its_thresholds() -> None:
    _, _, plots = made()
    positive, score = np.array(TRUTH, bool), np.array(SCORES)
    false, true = roc_points(positive, score)
    assert plots.roc.x == pytest.approx(false)
    assert plots.roc.y == pytest.approx(true)
    assert plots.roc.area.value == pytest.approx(auc(positive, score))
    assert (plots.roc.area.unit, plots.roc.area.n) == ("image", 8)
    for x, y, threshold in zip(plots.roc.x, plots.roc.y, plots.roc.threshold, strict=True):
        recalled = score >= threshold
        assert (x, y) == (recalled[~positive].mean(), recalled[positive].mean())


def test_precision_recall_at_each_threshold_by_counting() -> None:
    _, _, plots = made()
    positive, score = np.array(TRUTH, bool), np.array(SCORES)
    for recall, precision, threshold in zip(
        plots.precision.x, plots.precision.y, plots.precision.threshold, strict=True
    ):
        recalled = score >= threshold
        assert recall == pytest.approx(recalled[positive].mean())
        assert precision == pytest.approx(positive[recalled].mean())
    assert plots.precision.area.value == pytest.approx(average_precision(positive, score))


def test_units_are_named_and_counted() -> None:
    _, _, plots = made("breast")
    assert (plots.unit, plots.counted, plots.positives) == ("breast", 4, 2)
    assert plots.roc.area.unit == "breast"


def test_without_truth_there_is_no_curve_and_that_is_said() -> None:
    _, _, plots = made(rows=[row(k, "") for k in range(8)])
    assert (plots.roc, plots.precision, plots.calibration) == (None, None, None)
    assert plots.without[0].startswith("The truth of all units (image) is not known")
    assert plots.histogram.unknown.sum() == 8


def test_one_class_has_no_roc_and_that_is_said() -> None:
    _, _, plots = made(rows=[row(k, "normal") for k in range(8)])
    assert plots.roc is None
    assert "All units with score and truth are negative: there is no ROC." in plots.without
    assert plots.calibration is not None


def test_every_score_is_in_one_bar_and_each_bar_leads_to_its_cases() -> None:
    _, units, plots = made()
    bars = plots.histogram
    assert bars.positive.sum() == 3
    assert bars.negative.sum() == 5
    for k in range(len(bars.negative)):
        rows = rows_between(units, bars.edges[k], bars.edges[k + 1])
        assert len(rows) == bars.negative[k] + bars.positive[k]
    assert list(rows_between(units, 0.7, 0.75)) == [2, 3]
    assert list(rows_between(units, 0.7, 0.75, truth=1)) == [2]


def test_a_score_of_one_is_in_the_last_bar() -> None:
    found = table([row(0)], (1.0,), models=(MODEL,))
    units = units_of(found, found.answers[0], "image")
    bars = histogram(units, 4)
    assert list(bars.negative) == [0, 0, 0, 1]
    assert list(rows_between(units, bars.edges[3], bars.edges[4])) == [0]


def test_calibration_bins_by_counting() -> None:
    _, _, plots = made()
    bins = {one.low_edge: one for one in plots.calibration.bins}
    assert bins[0.7].n == 2
    assert bins[0.7].share == 0.5
    assert bins[0.7].score == pytest.approx(0.7)
    expected = np.mean((np.array(SCORES) - np.array(TRUTH)) ** 2)
    assert plots.calibration.brier == pytest.approx(expected)


def test_a_click_finds_the_point_and_the_cases_behind_it() -> None:
    _, units, plots = made()
    place = nearest(plots.roc, 0.41, 0.66)
    assert (plots.roc.x[place], plots.roc.y[place]) == (0.4, pytest.approx(2 / 3))
    assert list(rows_at(units, plots.roc.threshold[place], 2)) == [2, 3]
    assert list(rows_at(units, plots.roc.threshold[0], 2)) == []


def test_the_froc_is_that_of_the_metrics() -> None:
    lesions = (lesion((10.0, 10.0, 30.0, 30.0)),)
    rows = [row(0, "malignant", findings=lesions), row(1), row(2, "malignant", findings=lesions), row(3)]
    hit, miss = (12.0, 12.0, 28.0, 28.0), (60.0, 0.0, 70.0, 9.0)
    boxes = {0: (box(0.9, hit), box(0.4, miss)), 1: (box(0.6, miss),), 2: (box(0.3, hit),)}
    model = AuditModel("d", boxes_from=0.05)
    found = table(rows, (0.9, 0.6, 0.3, 0.0), models=(model,), boxes=boxes)
    curve = froc_of(found, found.answers[0], "centre", draws=100)
    assert (curve.images, curve.lesions) == (4, 2)
    # False boxes at 0.6 and 0.4 on four images; one lesion is found above both, the other below.
    assert curve.x == pytest.approx([0.0, 0.25, 0.5])
    assert curve.y == pytest.approx([0.5, 0.5, 1.0])
    assert dict(curve.numbers)["froc.centre@0.5"].value == 1.0
    from app.core.audit.plots import _placed
    from app.core.metrics.froc import froc

    images = [_placed(found, found.answers[0], k) for k in range(4)]
    for ours, theirs in zip((curve.x, curve.y), froc_points(froc(images, "centre"))[:2], strict=True):
        assert ours == pytest.approx(theirs)


def test_an_image_with_a_lesion_without_a_place_is_not_in_the_froc() -> None:
    lesions = (lesion((10.0, 10.0, 30.0, 30.0)),)
    rows = [row(0, "malignant", findings=(lesion(None),)), row(1, "malignant", findings=lesions)]
    found = table(rows, (0.9, 0.6), models=(AuditModel("d", boxes_from=0.05),))
    assert froc_of(found, found.answers[0], "centre", draws=100).images == 1
    unplaced = table(rows[:1], (0.9,), models=(AuditModel("d", boxes_from=0.05),))
    assert froc_of(unplaced, unplaced.answers[0], "centre", draws=100) is None


def test_images_of_which_no_lesion_is_known_are_not_in_the_froc_and_counted_in_a_note() -> None:
    hit, model = (10.0, 10.0, 30.0, 30.0), AuditModel("d", boxes_from=0.05)
    labels = ("malignant", "normal", "", "unknown", "malignant")  # the last one lists no lesion
    rows = [row(k, label, findings=(lesion(hit),) * (k == 0)) for k, label in enumerate(labels)]
    boxes = {k: (box(0.9, hit),) for k in range(5)}
    found = table(rows, (0.9,) * 5, models=(model,), boxes=boxes)
    plots = plots_of(found, found.answers[0], units_of(found, found.answers[0], "image"), draws=10)
    assert (plots.froc.images, plots.froc.lesions) == (2, 1)
    assert plots.froc.x[-1] == 0.5  # one false box (of the normal image) on two images
    note = "The FROC leaves out images without truth (2) and positive ones of which no lesion is listed (1)."
    assert plots.without[0] == note
    chosen = np.array([True, True, False, False, False])
    units = units_of(found, found.answers[0], "image", chosen)
    assert plots_of(found, found.answers[0], units, chosen=chosen, draws=10).without == ()


def test_a_long_curve_is_thinned_but_keeps_its_ends() -> None:
    generator = np.random.default_rng(0)
    count = 3 * MOST_POINTS
    rows = [row(k, ("normal", "malignant")[k % 2]) for k in range(count)]
    _, _, plots = made(rows=rows, scores=tuple(generator.random(count)), draws=2)
    assert len(plots.roc.x) <= MOST_POINTS
    assert (plots.roc.x[0], plots.roc.y[0], plots.roc.x[-1], plots.roc.y[-1]) == (0, 0, 1, 1)
