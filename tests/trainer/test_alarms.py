"""Signs of a training that only seems to learn: each is said, once, and only when it is there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_training import TINY, Miniature, train

from app.core.manifest import Row
from model_zoo.preprocess import Normalise, Preprocess
from trainer.alarms import Scored, Watch, coin, constant, input_range, leak, majority
from trainer.events import Events
from trainer.recipe import read_recipe


def scored(ill: int, well: int, apart: float, seed: int = 0, shift: float = 0.0) -> Scored:
    """Logits of so many positives and negatives, their means so far apart."""
    positive = np.arange(ill + well) < ill
    logits = np.random.default_rng(seed).standard_normal(ill + well) + apart * positive + shift
    return Scored(positive, logits)


HEALTHY_TRAIN, HEALTHY_VAL = scored(60, 60, 3.0, shift=-1.5), scored(30, 30, 2.0, 1, shift=-1.0)


def said(train: Scored | None, val: Scored | None, epochs: int = 6, **options: bool) -> list[str]:
    watch = Watch(**options)
    return [one for epoch in range(epochs) for one in watch.after_epoch(epoch, train, val)]


def test_a_healthy_training_says_nothing() -> None:
    assert said(HEALTHY_TRAIN, HEALTHY_VAL) == []


def test_one_score_for_all_is_said_once() -> None:
    same = Scored(HEALTHY_VAL.positive, np.full(60, -0.7))
    assert said(HEALTHY_TRAIN, same) == ["the classifier gives every image of the val part the same score"]
    assert constant(Scored(np.ones(1, bool), np.zeros(1))) is None, "one image proves nothing"


def test_a_loss_at_ln_2_is_said_after_three_epochs() -> None:
    # Logits of nearly 0 on half positives: log(1 + 1) each.
    idle = Scored(HEALTHY_TRAIN.positive, 0.001 * HEALTHY_TRAIN.logits)
    watch = Watch()
    told = [watch.after_epoch(epoch, idle, HEALTHY_VAL) for epoch in range(6)]
    assert [len(one) for one in told] == [0, 0, 0, 1, 0, 0]
    assert "rests at 0.69" in told[3][0]
    assert "ln 2" in told[3][0]
    assert coin(HEALTHY_TRAIN) is None
    # Where the image's label is not what the logits are trained on, 0 means nothing.
    assert said(idle, HEALTHY_VAL, scores=False) == []


def test_a_sign_that_ends_may_be_said_again() -> None:
    idle = Scored(HEALTHY_TRAIN.positive, 0.001 * HEALTHY_TRAIN.logits)
    watch = Watch()
    order = [idle] * 4 + [HEALTHY_TRAIN] + [idle] * 3
    assert sum(len(watch.after_epoch(epoch, one, None)) for epoch, one in enumerate(order)) == 2


def test_calling_everyone_the_majority_is_said_with_the_accuracy_it_feigns() -> None:
    val = scored(13, 87, 1.0, shift=-9.0)
    told = said(HEALTHY_TRAIN, val)
    assert len(told) == 1
    assert "is called negative" in told[0]
    assert "accuracy of 0.87" in told[0]
    assert "look at the AUC" in told[0]
    assert majority(Scored(np.zeros(5, bool), np.full(5, -3.0))) is None, "there is but one class"
    every = majority(scored(13, 87, 1.0, shift=9.0))
    assert every is not None
    assert "accuracy of 0.13" in every


def test_a_val_part_ranked_better_than_the_training_part_is_suspicious() -> None:
    told = said(scored(100, 100, 0.5), scored(60, 60, 4.0, 1, shift=-2.0))
    assert len(told) == 1
    assert "look for patients or pictures that are in both" in told[0]
    # The same gap by chance: three images of each class prove nothing.
    few = scored(3, 3, 4.0, 1, shift=-2.0)
    assert leak(scored(3, 3, 0.5), few) is None
    # Better in training is as it should be.
    assert leak(HEALTHY_TRAIN, HEALTHY_VAL) is None


def test_an_epoch_without_validation_neither_ends_nor_adds_to_a_sign() -> None:
    bad, watch = scored(13, 87, 1.0, shift=-9.0), Watch()
    parts = [bad, None, bad, None, bad, None, bad]
    told = [len(watch.after_epoch(epoch, HEALTHY_TRAIN, val)) for epoch, val in enumerate(parts)]
    assert told == [0, 0, 0, 0, 0, 0, 1], "the first epoch does not count"


PERCENTILE, FIXED = Normalise("percentile", mean=0.5, std=0.25), Normalise("fixed")
MEANT = np.random.default_rng(0).uniform(0, 1, (2, 1, 32, 32))
BREAST = np.ones(MEANT.shape, np.bool_)


@pytest.mark.parametrize(
    ("pixels", "how", "sentence"),
    [
        ((MEANT - 0.5) / 0.25, PERCENTILE, None),
        (MEANT, FIXED, None),
        (np.random.default_rng(0).standard_normal(MEANT.shape), Normalise("mean-std"), None),
        (MEANT * 255, FIXED, "outside the 0 to 1"),
        (MEANT * 255 / 65535, FIXED, "8-bit values"),
        (np.full(MEANT.shape, 0.4), FIXED, "one and the same value"),
        (np.minimum(MEANT * 4, 1.0), FIXED, "saturated"),
        (np.where(MEANT > 0.5, np.nan, MEANT), FIXED, "not numbers"),
        (MEANT * 255, Normalise("mean-std"), "not the mean of 0"),
    ],
)
def test_values_that_nobody_meant(pixels: np.ndarray, how: Normalise, sentence: str | None) -> None:
    found = input_range(pixels, BREAST, how)
    if sentence is None:
        assert found is None
    else:
        assert found is not None
        assert sentence in found


def test_values_beside_the_breast_do_not_count() -> None:
    pixels, breast = MEANT.copy(), BREAST.copy()
    pixels[..., :16], breast[..., :16] = 1e6, False
    assert input_range(pixels, breast, FIXED) is None


def warnings_of(miniature: Miniature, folder: Path, *changes: str) -> list[str]:
    recipe = read_recipe("mias-abnormality", [*TINY, *changes])
    train(miniature, folder / "run", recipe=recipe, events=Events(folder / "events.jsonl"))
    lines = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    return [line["message"] for line in lines if line["kind"] == "warning"]


def test_a_training_that_does_not_move_says_so(
    miniature: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = warnings_of(miniature, tmp_path, "lr=1e-8", "epochs=5")
    assert any("same score" in one or "ln 2" in one for one in told)
    shown = capsys.readouterr().out
    assert all(f"Warning: {one}." in shown for one in told)
    log = (tmp_path / "run" / "trainer.log").read_text()
    assert all(one in log for one in told)


def test_a_training_that_learns_is_left_alone(miniature: Miniature, tmp_path: Path) -> None:
    assert warnings_of(miniature, tmp_path) == []


def test_a_network_that_is_shown_another_range_is_told_of(
    miniature: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer import samples

    right = samples.load

    def wrong(row: Row, block: Preprocess, *place: object) -> object:
        entry = right(row, block, *place)
        return replace(entry, pixels=np.asarray(entry.pixels) * 255)

    monkeypatch.setattr(samples, "load", wrong)
    told = warnings_of(miniature, tmp_path, "epochs=1")
    assert len(told) == 1
    assert "not the mean of 0 and deviation of 1 that were meant" in told[0]
