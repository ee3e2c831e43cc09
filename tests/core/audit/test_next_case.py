from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from app.core.audit.choice import Chosen, choosing, chosen_text, read_chosen
from app.core.audit.next_case import (
    STRATEGIES,
    ChoiceError,
    Pool,
    frozen_patients,
    next_cases,
)
from app.core.errors import ReadError
from app.core.reading.store import Store

NONE: frozenset[str] = frozenset()


def pool(scores, embeddings=None, patients=None, read=None) -> Pool:
    table = np.atleast_2d(np.array(scores, float))
    names = patients or [f"p{i}" for i in range(table.shape[1])]
    vectors = None if embeddings is None else np.array(embeddings, np.float32)
    return Pool(names, table, vectors, None if read is None else np.array(read, bool))


def cases(offers) -> list[int]:
    return [offer.case for offer in offers]


def test_uncertain_are_those_whose_scores_lie_next_to_the_threshold() -> None:
    offers = next_cases(pool([0.9, 0.1, 0.52, 0.3, 0.7]), "uncertainty", 2, frozen=NONE, threshold=0.5)
    # sorted: 0.1 0.3 | 0.52 0.7 0.9; none lies between 0.5 and 0.52, one (itself) between 0.3 and 0.5
    assert cases(offers) == [2, 3]
    assert [offer.value for offer in offers] == pytest.approx([1.0, 0.8])


def test_uncertainty_does_not_depend_on_the_scale_of_the_scores() -> None:
    scores = np.array([0.9, 0.1, 0.52, 0.3, 0.7])
    plain = next_cases(pool(scores), "uncertainty", 5, frozen=NONE, threshold=0.5)
    bent = next_cases(pool(scores**5), "uncertainty", 5, frozen=NONE, threshold=0.5**5)
    assert plain == bent


def test_models_disagree_where_their_ranks_are_far_apart() -> None:
    first, other = [0.1, 0.2, 0.3, 0.4], [40.0, 20.0, 30.0, 10.0]
    offers = next_cases(pool([first, other]), "disagreement", 4, frozen=NONE)
    assert cases(offers) == [0, 3, 1, 2]
    assert [offer.value for offer in offers] == pytest.approx([0.75, 0.75, 0.0, 0.0])


def test_diversity_takes_the_farthest_from_all_that_was_read_or_chosen() -> None:
    line = [[0.0], [1.0], [10.0], [4.0], [11.0]]
    read = [True, False, False, False, False]
    offers = next_cases(pool([[np.nan] * 5], line, read=read), "diversity", 3, frozen=NONE)
    # read: 0. farthest: 11; then 4 (4 from 0, 7 from 11); then 1 and 10 are 1 away from a centre: the earlier
    assert cases(offers) == [4, 3, 1]
    assert [offer.value for offer in offers] == pytest.approx([11.0, 4.0, 1.0])


def test_greedy_k_centre_is_within_twice_of_the_best_radius() -> None:
    from itertools import combinations

    points = np.random.default_rng(3).random((12, 2)).astype(np.float32)
    offers = next_cases(pool([[np.nan] * 12], points), "diversity", 3, frozen=NONE)

    def radius(centres) -> float:
        apart = np.linalg.norm(points[:, None] - points[list(centres)][None], axis=2)
        return float(apart.min(axis=1).max())

    best = min(radius(each) for each in combinations(range(12), 3))
    assert radius(cases(offers)) <= 2 * best


def test_the_random_control_is_repeatable_and_looks_at_no_score() -> None:
    one, other = pool([0.1] * 50), pool(np.linspace(0, 1, 50))
    drawn = cases(next_cases(one, "random", 10, frozen=NONE, seed=4))
    assert drawn == cases(next_cases(other, "random", 10, frozen=NONE, seed=4))
    assert drawn != cases(next_cases(one, "random", 10, frozen=NONE, seed=5))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_patients_of_the_frozen_test_part_are_never_offered(tmp_path: Path, strategy) -> None:
    generator = np.random.default_rng(0)
    patients = [f"p{i // 2}" for i in range(40)]
    splits = tmp_path / "splits.json"
    fold = {"train": [f"p{i}" for i in range(5, 20)], "val": ["p0"], "test": ["p1", "p2", "p3", "p4"]}
    splits.write_text(json.dumps({"format": "mammoview-splits", "version": 1, "folds": [fold]}))
    frozen = frozen_patients(splits)
    vectors = generator.random((40, 3))
    vectors[2:10] += 100  # the frozen ones would be the most diverse by far
    whole = pool(generator.random((2, 40)), vectors, patients)
    offers = next_cases(whole, strategy, 40, frozen=frozen, threshold=0.5)
    assert frozen == {"p1", "p2", "p3", "p4"}
    assert sorted(cases(offers)) == [i for i in range(40) if not 2 <= i < 10]


def test_the_frozen_patients_are_gone_through_once() -> None:
    gone_through = []

    class Patients(list):
        def __iter__(self):
            gone_through.append(1)
            return super().__iter__()

    assert sorted(cases(next_cases(pool([0.1, 0.2, 0.3]), "random", 3, frozen=Patients(["p0"])))) == [1, 2]
    assert len(gone_through) <= 1, "once per row would be seconds for a large set"


def test_folds_that_test_everyone_need_one_to_be_named(tmp_path: Path) -> None:
    splits = tmp_path / "splits.json"
    folds = [{"train": ["a"], "val": ["b"], "test": ["c"]}, {"train": ["c"], "val": [], "test": ["a", "b"]}]
    splits.write_text(json.dumps({"format": "mammoview-splits", "version": 1, "folds": folds}))
    with pytest.raises(ReadError, match="name the fold"):
        frozen_patients(splits)
    assert frozen_patients(splits, 1) == {"a", "b"}
    with pytest.raises(ReadError, match="has no fold 2"):
        frozen_patients(splits, 2)


def test_a_strategy_that_lacks_what_it_needs_says_so() -> None:
    for strategy, word in (
        ("uncertainty", "scores"),
        ("disagreement", "two models"),
        ("diversity", "embeddings"),
    ):
        with pytest.raises(ChoiceError, match=word):
            next_cases(pool([[np.nan, np.nan]]), strategy, 1, frozen=NONE)
    with pytest.raises(ChoiceError, match="no case is left"):
        next_cases(pool([0.1, 0.2], patients=["a", "a"]), "random", 1, frozen={"a"})


def test_a_choice_is_kept_in_the_store_and_in_no_undo_history(tmp_path: Path) -> None:
    chosen = Chosen(
        "abc/0", "i", "p", "uncertainty", 0.5, 1, 9, 0, 0.4, ("m 1.0",), "hash", "Ada", "2026-11-21"
    )
    assert read_chosen(chosen_text(chosen)) == chosen
    store = Store(tmp_path / "work.sqlite")
    for change in choosing([chosen], store.items("audit")):
        store.commit(change)
    for change in choosing([chosen], store.items("audit")):
        store.commit(change)
    assert list(store.items("audit").values()) == [chosen_text(chosen)]
    assert store.log("audit", "Ada") == ()
    with pytest.raises(ValueError, match="fields"):
        read_chosen('{"image": "a"}')
