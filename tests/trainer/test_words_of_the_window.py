"""Every word that the workstation says to the trainer is one that the trainer knows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.services.training.events import after
from app.services.training.frozen import FrozenTest
from app.services.training.job import Job
from app.services.training.plan import FIT, GUARD, splits_of, steps, words
from app.services.training.recipes import shipped
from trainer.cli import parser
from trainer.recipe import read_recipe

TEST = FrozenTest("t", Path("m.csv"), Path("t.json"), 2, "", "", frozenset(), {}, "", "")


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.setenv("MAMMOVIEW_DATA", str(tmp_path))
    changes = ("lr=1e-3", "train.epochs=3", "train.hours=1.5")
    return Job(
        "id", "my-model", "1.0.3", "phantom-lesions", "n.csv", "", 0, 7, "cpu", changes, "t", "other", "now"
    )


def test_the_trainer_understands_every_step(job: Job) -> None:
    known = {step: parser().parse_args(words(job, step, TEST)) for step in steps(job) if step != GUARD}
    assert list(known) == ["split", "fit", "export", "evaluate", "compare"]
    assert (known["split"].like, known["split"].fold) == ("t.json", 2)
    assert known["split"].output == known["fit"].splits == str(splits_of(job))
    assert (known["evaluate"].splits, known["evaluate"].part, known["evaluate"].fold) == ("t.json", "test", 2)
    assert (known["compare"].bundle_a, known["compare"].bundle_b) == ("other", str(job.bundle))
    assert known["export"].runs == [known["fit"].output]
    assert not known["fit"].resume


def test_a_run_that_was_begun_is_resumed(job: Job) -> None:
    (job.folder / "run").mkdir(parents=True)
    assert not parser().parse_args(words(job, FIT, TEST)).resume, "nothing is in it yet"
    (job.folder / "run" / "run.json").touch()
    assert parser().parse_args(words(job, FIT, TEST)).resume


def test_what_is_changed_reaches_the_recipe(job: Job) -> None:
    told = parser().parse_args(words(job, FIT, TEST))
    recipe = read_recipe(told.recipe, told.set)
    assert (recipe.name, recipe.version) == ("my-model", "1.0.3")
    assert (recipe.train.epochs, recipe.train.hours, recipe.train.lr) == (3, 1.5, 1e-3)


def test_splits_that_are_named_are_taken(job: Job) -> None:
    named = replace(job, splits="own.json", fold=1, against="")
    assert steps(named) == ("guard", "fit", "export", "evaluate")
    told = parser().parse_args(words(named, FIT, TEST))
    assert (told.splits, told.fold) == ("own.json", 1)


def test_the_recipes_offered_are_those_of_the_trainer() -> None:
    found = shipped()
    assert len(found) > 10
    assert "cbis-descriptors" not in [one.key for one in found], "it trains no network"
    # Building the networks of all of them would take seconds.
    one = next(one for one in found if one.key == "phantom-lesions")
    recipe = read_recipe(one.key)
    assert (one.name, one.task, one.epochs) == (recipe.name, recipe.task, recipe.train.epochs)


def test_an_event_without_facts_changes_nothing() -> None:
    from app.services.training.events import Progress

    assert after(Progress(), {"kind": "step"}) == Progress()
