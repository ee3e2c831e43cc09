"""The table of cases, its units, and what a threshold makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from made_cases import MODEL, lesion, row, table

from app.core.audit.cases import AuditModel, Words, table_of, truth_of
from app.core.audit.columns import sheet_of
from app.core.audit.outcomes import FN, FP, OUTCOMES, TN, TP, cells, matrix, outcomes, rows_in_cell
from app.core.audit.units import units_of

ROWS = [row(k, "malignant" if k in (0, 5) else "normal") for k in range(8)]
SCORES = (0.9, 0.2, 0.7, 0.2, 0.6, 0.4, 0.1, "declined")


def test_every_image_has_one_outcome_at_a_threshold() -> None:
    found = table(ROWS, SCORES)
    words = [OUTCOMES[code] for code in outcomes(found, found.answers[0], 0.5)]
    assert words == ["TP", "TN", "FP", "TN", "FP", "FN", "TN", "declined"]


def test_a_score_of_the_threshold_itself_is_a_recall() -> None:
    found = table(ROWS, SCORES)
    assert OUTCOMES[outcomes(found, found.answers[0], 0.4)[5]] == "TP"
    assert OUTCOMES[outcomes(found, found.answers[0], 0.4000001)[5]] == "FN"


def test_what_was_not_asked_failed_or_has_no_truth_is_no_outcome_of_the_model() -> None:
    rows = [row(0, ""), row(1, "normal"), row(2, "normal")]
    found = table(rows, (0.9, "failed", None))
    words = [OUTCOMES[code] for code in outcomes(found, found.answers[0], 0.5)]
    assert words == ["no truth", "failed", "not predicted"]


@pytest.mark.parametrize(
    ("label", "positive", "truth"),
    [
        ("malignant", (), 1), ("benign", (), 1), ("Normal", (), 0), ("", (), -1), ("unknown", (), -1),
        ("birads-1", (), 0), ("BIRADS-2", (), 1),
        ("benign", ("malignant",), 0), ("malignant", ("malignant",), 1), ("", ("malignant",), -1),
    ],
)  # fmt: skip
def test_truth_is_by_the_models_own_positive_labels(
    label: str, positive: tuple[str, ...], truth: int
) -> None:
    assert truth_of(Words.of([label, "malignant"]), positive)[0] == truth


@pytest.mark.parametrize(
    ("labels", "positive", "truth"),
    [
        (("normal", "benign", "malignant", ""), ("D",), [-1, -1, -1, -1]),  # lesions, asked for density
        (("F", "G", "D"), ("D",), [0, 0, 1]),
        (("normal", "normal", ""), ("malignant",), [0, 0, -1]),  # a set of normals is one of negatives
    ],
)
def test_labels_of_another_question_are_no_truth(
    labels: tuple[str, ...], positive: tuple[str, ...], truth: list[int]
) -> None:
    assert list(truth_of(Words.of(labels), positive)) == truth


def test_breasts_and_patients_have_the_bundles_own_scores() -> None:
    # Patient 0: breasts L (0.9 + 0.7) / 2, R 0.2; exam 0.8. Patient 1 was not complete: no score of either.
    found = table(ROWS, SCORES)
    breasts = units_of(found, found.answers[0], "breast")
    assert breasts.score[:2] == pytest.approx([0.8, 0.2])
    assert np.isnan(breasts.score[2:]).all()
    assert list(breasts.truth) == [1, 0, 0, 1]
    patients = units_of(found, found.answers[0], "patient")
    assert patients.score[0] == pytest.approx(0.8)
    assert np.isnan(patients.score[1])
    assert list(patients.truth) == [1, 1]


def test_a_patient_with_two_exams_has_the_highest_of_their_scores() -> None:
    rows = [row(0), row(4, patient_id="p0")]
    found = table_of(rows)
    from app.core.audit.cases import ExamSaid, ViewSaid, answers_of

    said = [
        ExamSaid({0: ViewSaid("scored", "", 0.3)}, {"L": 0.3}, 0.3),
        ExamSaid({1: ViewSaid("scored", "", 0.6)}, {"L": 0.6}, 0.6),
    ]
    found = table_of(rows, [answers_of(MODEL, rows, said)])
    assert list(units_of(found, found.answers[0], "patient").score) == [0.6]
    assert list(units_of(found, found.answers[0], "breast").score) == [0.3, 0.6]


def test_a_breast_is_without_truth_where_no_image_is_positive_and_one_is_unknown() -> None:
    rows = [row(0, ""), row(1, "malignant"), row(2, "normal"), row(3, "")]
    found = table(rows, (0.1, 0.2, 0.3, 0.4))
    breasts = units_of(found, found.answers[0], "breast")
    assert list(breasts.truth) == [-1, 1]


def test_an_image_of_no_breast_is_in_no_breast() -> None:
    rows = [row(0), row(1, laterality=""), row(2)]
    found = table(rows, (0.1, 0.2, 0.3))
    breasts = units_of(found, found.answers[0], "breast")
    assert len(breasts) == 1
    assert list(breasts.of_row) == [0, -1, 0]


def test_a_subgroup_keeps_the_truth_of_the_whole_breast() -> None:
    rows = [row(0, "malignant"), row(1), row(2), row(3)]
    found = table(rows, (0.1, 0.2, 0.3, 0.4))
    only_mlo = found.view.among(("MLO",))
    breasts = units_of(found, found.answers[0], "breast", only_mlo)
    assert list(breasts.truth) == [1, 0]
    assert list(breasts.rows_of(np.array([True, False]))) == [2]


@pytest.mark.parametrize("unit", ["image", "breast", "patient"])
def test_the_matrix_counts_every_unit_once(unit: str) -> None:
    found = table(ROWS, SCORES)
    units = units_of(found, found.answers[0], unit)  # type: ignore[arg-type]
    counts = matrix(units, 0.5)
    total = counts.tp + counts.fp + counts.fn + counts.tn + counts.without_score + counts.without_truth
    assert total == len(units)


def test_matrix_by_hand_with_wilsons_interval() -> None:
    # 1 of 2 positives is recalled. Wilson for 1 of 2: (0.5 + z2/4 -+ z sqrt(0.25/2 + z2/16)) / (1 + z2/2).
    found = table(ROWS, SCORES)
    counts = matrix(units_of(found, found.answers[0], "image"), 0.5)
    assert (counts.tp, counts.fp, counts.fn, counts.tn) == (1, 2, 1, 3)
    assert counts.sensitivity.value == 0.5
    z = 1.959963984540054
    middle, half = 0.5 + z * z / 4, z * np.sqrt(0.125 + z * z / 16)
    assert counts.sensitivity.low == pytest.approx((middle - half) / (1 + z * z / 2))
    assert counts.sensitivity.high == pytest.approx((middle + half) / (1 + z * z / 2))
    assert (counts.specificity.found, counts.specificity.n) == (3, 5)
    assert (counts.predictive.found, counts.predictive.n) == (1, 3)


def test_cells_lead_back_to_their_images() -> None:
    found = table(ROWS, SCORES)
    units = units_of(found, found.answers[0], "image")
    assert [list(rows_in_cell(units, 0.5, cell)) for cell in (TP, FP, FN, TN)] == [
        [0],
        [2, 4],
        [5],
        [1, 3, 6],
    ]
    breasts = units_of(found, found.answers[0], "breast")
    assert list(rows_in_cell(breasts, 0.5, TP)) == [0, 2]
    assert list(cells(breasts, 0.5)[:2]) == [TP, TN]


def test_no_share_of_nothing() -> None:
    rows = [row(0, "normal")]
    found = table(rows, (0.1,))
    counts = matrix(units_of(found, found.answers[0], "image"), 0.5)
    assert counts.sensitivity.value is None
    assert counts.sensitivity.n == 0


def test_an_age_is_read_in_years_and_as_dicom_writes_it() -> None:
    found = table_of(
        [row(0, age="063Y"), row(1, age="47"), row(2, age=""), row(3, age="old"), row(4, age="900")]
    )
    assert list(found.age[:2]) == [63.0, 47.0]
    assert np.isnan(found.age[2:]).all()


def test_a_model_looks_for_the_lesions_of_its_target() -> None:
    model = AuditModel("m", finds=("malignant mass", "calcification"))
    assert model.looks_for(lesion(None, "mass", "malignant"))
    assert not model.looks_for(lesion(None, "mass", "benign"))
    assert model.looks_for(lesion(None, "calcification", "benign"))
    assert AuditModel("m").looks_for(lesion(None, "anything"))


def test_with_another_first_model_the_truth_is_by_its_labels() -> None:
    rows = [row(0, "benign"), row(1, "malignant")]
    strict = AuditModel("strict", positive=("malignant",))
    found = table(rows, (0.1, 0.9), (0.1, 0.9), models=(MODEL, strict))
    assert list(found.truth) == [1, 1]
    assert list(found.with_answers(found.answers[::-1]).truth) == [0, 1]
    assert list(sheet_of(found, 1, 0.5).outcome) == [FN, TP]
    assert FP != TN
