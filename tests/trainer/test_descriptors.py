"""Descriptor tables: read as they are, fitted without reading blanks, divided by patient."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

from model_zoo.calibration import logit
from model_zoo.errors import BundleError
from tests.trainer.tiny_words import line, made_up, quick_recipe, recipe_content, write_table
from trainer.descriptors.cases import Design, design, manifest_of, read_cases, seen, words
from trainer.descriptors.choose import Tried, held_out, out_of_fold, strongest
from trainer.descriptors.recipe import read_descriptor_recipe
from trainer.descriptors.ridge import (
    Strengths,
    absence_as_term,
    bootstrap,
    fit_tables,
    flags_of,
    log_odds,
    sets_of,
)
from trainer.errors import TrainerError
from trainer.splits import make_splits

CALC = quick_recipe().bundles[0]


def table(tmp_path: Path, *lines: str) -> Path:
    return write_table(tmp_path / "calc.csv", list(lines))


def test_joined_words_are_taken_apart_and_each_counts_once(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        line("P_00001", "PLEOMORPHIC-PLEOMORPHIC", "REGIONAL-REGIONAL", "4", "MALIGNANT"),
        line("P_00002", "VASCULAR-COARSE-LUCENT_CENTERED", "NA", "2", "BENIGN_WITHOUT_CALLBACK"),
        line("P_00003", "LUCENT_CENTER-PUNCTATE", "", "2", "BENIGN"),
    )
    one, two, three = read_cases(path, CALC).rows
    assert words(one, CALC) == {
        "morphology": ["pleomorphic"],
        "distribution": ["regional"],
        "breast-density": ["2"],
        "assessment": ["4"],
    }
    assert words(two, CALC)["morphology"] == ["vascular", "coarse", "lucent-centred"]
    assert words(three, CALC)["morphology"] == ["punctate", "lucent-centred"]
    assert "distribution" not in words(two, CALC)
    assert "distribution" not in words(three, CALC)
    assert [case.malignant for case in (one, two, three)] == [True, False, False]
    assert seen([one, two, three], CALC)["morphology"]["lucent-centred"] == 2


def test_a_density_of_zero_and_an_assessment_of_one_say_nothing(tmp_path: Path) -> None:
    path = table(tmp_path, line("P_00001", "PUNCTATE", "LINEAR", "1", "BENIGN", density="0"))
    (case,) = read_cases(path, CALC).rows
    assert words(case, CALC) == {"morphology": ["punctate"], "distribution": ["linear"]}


def test_subtlety_is_no_column_of_the_recipe() -> None:
    assert all("subtlety" not in column.column for column in CALC.columns)


def test_a_word_that_is_not_known_names_its_line(tmp_path: Path) -> None:
    # A row is written over two lines of the file, since one of its cells ends in a line break.
    path = table(
        tmp_path,
        line("P_00001", "PUNCTATE", "NA", "4", "BENIGN"),
        line("P_00002", "SPARKLING", "NA", "4", "BENIGN"),
    )
    with pytest.raises(
        TrainerError, match="line 5: calc type 'SPARKLING' is a word that the recipe does not"
    ):
        read_cases(path, CALC)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (line("P_00001", "PUNCTATE", "NA", "4", "PERHAPS"), "'PERHAPS' is no pathology"),
        (line("", "PUNCTATE", "NA", "4", "BENIGN"), "there is no patient id"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(TrainerError, match=said):
        read_cases(table(tmp_path, row), CALC)


def test_no_patient_is_on_both_sides_of_a_fold_and_every_case_is_held_out_once(tmp_path: Path) -> None:
    cases = read_cases(write_table(tmp_path / "t.csv", made_up(60, 1, 3)), CALC)
    data = design(cases.rows, CALC)
    splits = make_splits(manifest_of(cases), folds=5, seed=7)
    times = np.zeros(len(cases.rows), dtype=int)
    for train, test in held_out(data, splits):
        assert not set(data.patients[train]) & set(data.patients[test])
        assert (train ^ test).all()
        times += test
    assert (times == 1).all()


def test_out_of_fold_scores_do_not_depend_on_the_cases_own_outcome(tmp_path: Path) -> None:
    cases = read_cases(write_table(tmp_path / "t.csv", made_up(40, 1, 3)), CALC)
    data = design(cases.rows, CALC)
    splits = make_splits(manifest_of(cases), folds=4, seed=0)
    before = out_of_fold(data, splits, Strengths(1, 1), 3)
    hidden = np.isin(data.patients, splits.folds[0].test)
    turned = replace(data, positive=np.where(hidden, ~data.positive, data.positive))
    after = out_of_fold(turned, splits, Strengths(1, 1), 3)
    assert after.every[hidden] == pytest.approx(before.every[hidden])
    assert after.every[~hidden] != pytest.approx(before.every[~hidden])


def small(terms: list[list[float]], positive: list[int], groups: list[tuple[int, int]]) -> Design:
    """Return cases of one patient each; a group is given where any of its terms is."""
    values = np.array(terms, dtype=np.float64)
    given = np.array([[bool(row[start:end].any()) for start, end in groups] for row in values])
    names = np.array([f"p{number}" for number in range(len(values))])
    return Design(values, given, np.array(positive, dtype=bool), names, tuple(groups))


def test_a_group_alone_is_the_penalised_logistic_regression_that_scipy_finds() -> None:
    generator = np.random.default_rng(5)
    rows = np.eye(3)[generator.integers(0, 3, 80)]
    positive = generator.random(80) < rows @ [0.2, 0.5, 0.9]
    data = small(rows.tolist(), positive.tolist(), [(0, 3)])
    offset = np.log(positive.mean() / (1 - positive.mean()))

    def loss(beta: np.ndarray) -> float:
        z = rows @ beta + offset
        return float(np.sum(np.logaddexp(0, z) - positive * z) + 2.5 / 2 * beta @ beta)

    judge = minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-9})
    ours = fit_tables(data, Strengths(2.5, 1.0))
    assert ours.prevalence == positive.mean()
    assert ours.weights[0] == pytest.approx(judge.x, abs=1e-5)


def test_two_groups_are_drawn_towards_what_each_says_alone() -> None:
    generator = np.random.default_rng(6)
    rows = np.hstack([np.eye(2)[generator.integers(0, 2, 60)], np.eye(2)[generator.integers(0, 2, 60)]])
    positive = generator.random(60) < 0.2 + 0.5 * rows[:, 1]
    data = small(rows.tolist(), positive.tolist(), [(0, 2), (2, 4)])
    first, second, both = fit_tables(data, Strengths(1.0, 1e6)).weights
    assert both == pytest.approx(first + second, abs=1e-3)
    loose = fit_tables(data, Strengths(1.0, 1.0)).weights[2]
    assert np.abs(loose - (first + second)).max() > 0.01


def test_a_weight_of_two_is_the_case_twice() -> None:
    rows, positive = [[1.0, 0], [0, 1], [1, 0], [0, 1], [1, 0]], [1, 0, 0, 1, 1]
    twice = small([*rows, rows[0], rows[3]], [*positive, 1, 1], [(0, 2)])
    weighted = fit_tables(small(rows, positive, [(0, 2)]), Strengths(1, 1), np.array([2.0, 1, 1, 2, 1]))
    assert weighted.weights == pytest.approx(fit_tables(twice, Strengths(1, 1)).weights, abs=1e-7)


def blanks() -> Design:
    """Return cases all of one shape; where the margin is left blank every single one is benign."""
    given = [[1.0, 1.0, 0.0]] * 20 + [[1.0, 0.0, 1.0]] * 20
    positive = [1] * 10 + [0] * 10 + [1] * 10 + [0] * 10
    return small([*given, *[[1.0, 0.0, 0.0]] * 40], [*positive, *[0] * 40], [(0, 1), (1, 3)])


def test_a_blank_is_no_statement_though_every_blank_is_benign() -> None:
    data = blanks()
    tables = fit_tables(data, Strengths(0.01, 0.01))
    # 20 of 80 are malignant, and all have the shape: it says nothing, so the answer is that share.
    assert log_odds(tables, data)[-1] == pytest.approx(logit(0.25), abs=0.01)
    # The same when the margin of one that has it is hidden.
    assert log_odds(tables, data, without=1)[0] == pytest.approx(logit(0.25), abs=0.01)
    # Who reads blanks does see it: nothing of that kind ships.
    read = absence_as_term(data)
    assert log_odds(fit_tables(read, Strengths(0.01, 0.01)), read)[-1] < logit(0.01)


def test_the_rare_in_company_keep_what_they_say_alone() -> None:
    # A harmless term that never has a margin, and a margin with which half are malignant.
    rows = [[1.0, 0, 0]] * 30 + [[0, 1.0, 1.0]] * 40
    data = small(rows, [0] * 30 + [1, 0] * 20, [(0, 2), (2, 3)])
    tables = fit_tables(data, Strengths(1.0, 10.0))
    vascular = small([[1.0, 0.0, 1.0]], [0], [(0, 2), (2, 3)])
    assert log_odds(tables, vascular)[0] < logit(0.15)


def test_every_set_of_groups_has_a_table() -> None:
    assert sets_of(3) == [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]
    assert flags_of(2).tolist() == [[True, False], [False, True], [True, True]]


def test_the_ensemble_draws_patients_and_is_the_same_for_a_seed() -> None:
    data = blanks()
    one, other = (bootstrap(data, Strengths(1, 1), 4, seed) for seed in (0, 1))
    assert one.shape == (4, 3, 3)
    assert np.array_equal(one, bootstrap(data, Strengths(1, 1), 4, 0))
    assert not np.array_equal(one, other)
    # Everything of one patient: there is one way to draw her, so that all members are the fit itself.
    alone = bootstrap(replace(data, patients=np.array(["p"] * 80)), Strengths(1, 1), 3, 0)
    assert alone == pytest.approx(np.array([fit_tables(data, Strengths(1, 1)).weights] * 3))


def test_an_unknown_key_of_the_recipe_is_named() -> None:
    with pytest.raises(BundleError, match="memberz is not a field"):
        read_descriptor_recipe(recipe_content(memberz=3), "recipe tiny")
    content = recipe_content()
    content["bundles"][0]["groups"][0]["terms"][0]["reads"] = ["PUNCTATE"]
    with pytest.raises(BundleError, match="read a word twice"):
        read_descriptor_recipe(content, "recipe tiny")
    changed = recipe_content(bundles=[{**recipe_content()["bundles"][0], "judgement": "mood"}])
    with pytest.raises(BundleError, match="judgement names mood"):
        read_descriptor_recipe(changed, "recipe tiny")


def test_of_equal_shrinkages_the_strongest_is_taken() -> None:
    pairs = [(0.1, 30.0, 0.400), (1.0, 30.0, 0.4015), (1.0, 100.0, 0.4019), (3.0, 1.0, 0.4021)]
    tried = [Tried(Strengths(alone, together), loss, 0.9, 0.8) for alone, together, loss in pairs]
    assert strongest(tried).strengths == Strengths(1.0, 100.0)  # 0.402 is half a per cent above the least
