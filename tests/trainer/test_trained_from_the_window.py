"""The whole of a training as the window asks for it, with the real trainer: four processes, a few seconds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_training import TINY, Miniature
from training_desk import until

from app.services.inference import shelf
from app.services.training import asked, frozen, promotion
from app.services.training.asked import Wish


@pytest.mark.real_training
def test_a_wish_becomes_a_model_in_use_measured_on_the_frozen_test(
    miniature: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATA", "MODELS", "CONFIG"):
        monkeypatch.setenv(f"MAMMOVIEW_{name}", str(tmp_path / name.lower()))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    frozen.freeze("films", miniature.manifest.path, miniature.splits_path, 1)
    manifest = str(miniature.manifest.path)
    wish = Wish("mias-abnormality", manifest, "films", "films-own", device="cpu", epochs=2, changes=TINY)
    job = asked.begin(wish, report=lambda done, total: None)
    view = until(job, lambda view: not view.is_busy, seconds=900)
    assert view.status == "finished", (view.sentence, view.log)
    assert (view.progress.epoch, view.progress.epochs, view.progress.done) == (2, 2, True)
    assert len(view.progress.metrics["train_loss"]) == 2
    test = miniature.splits.folds[1].test
    metrics = json.loads((job.folder / "report" / "metrics.json").read_text())
    assert metrics["n"]["patients"] == len(test)
    run = json.loads((job.folder / "run" / "run.json").read_text())
    assert not {*run["trained_on"], *run["tuned_on"]} & set(test)
    assert view.results is not None
    assert any(one.name == "auc.image" and one.n for one in view.results.numbers)
    entry = promotion.promote(job, "it is a test", "nobody", compared=False)
    assert shelf.installed()["films-own"].digest == entry.digest
