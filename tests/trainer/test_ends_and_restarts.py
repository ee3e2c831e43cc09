"""A training that is stopped, and goes on; several processes; what other programs are told of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from tiny_training import BATCH, EPOCHS, TINY, Miniature, Stop, train, weights

from trainer.ancestry import ancestry, check_unseen
from trainer.cli import main
from trainer.errors import TrainerError
from trainer.export import export
from trainer.recipe import Recipe, read_recipe
from trainer.runs import checkpoint_path, load_checkpoint, read_run, write_run
from trainer.splits import make_splits

# Early stopping after the second look that is no better, from weights that another run made.
EARLY = ("epochs=20", "patience=2", "keep=best", "lr=2e-2")


def words(miniature: Miniature, run: Path, *more: str) -> list[str]:
    manifest, splits = str(miniature.manifest.path), str(miniature.splits_path)
    return ["fit", "mias-abnormality", "--manifest", manifest, "--splits", splits, "-o", str(run), *more]


def kinds(events: Path) -> list[str]:
    return [json.loads(line)["kind"] for line in events.read_text().splitlines()]


def same(one: Path, other: Path) -> bool:
    first, second = weights(one), weights(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture(scope="module")
def first(miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(miniature, tmp_path_factory.mktemp("first") / "run")


@pytest.fixture(scope="module")
def pretrained(first: Path) -> Recipe:
    return read_recipe("mias-abnormality", [*TINY, *EARLY, f"pretrained={first}"])


def test_a_pretrained_training_that_stops_early_resumes_to_the_same_weights(
    miniature: Miniature, pretrained: Recipe, tmp_path: Path
) -> None:
    whole = train(miniature, tmp_path / "whole", recipe=pretrained)
    done = load_checkpoint(checkpoint_path(whole, "last"))["epoch"] + 1
    assert 1 < done < 20, "the case is of no use if it does not stop early, after a resumable epoch"
    with pytest.raises(TrainerError, match="power cut"):
        train(miniature, tmp_path / "cut", recipe=pretrained, callbacks=[Stop()])
    train(miniature, tmp_path / "cut", recipe=pretrained, resume=True)
    assert same(whole, tmp_path / "cut")
    best = [load_checkpoint(checkpoint_path(one, "best")) for one in (whole, tmp_path / "cut")]
    assert best[0]["epoch"] == best[1]["epoch"]
    # Once it has ended, going on changes nothing, although epochs would be left.
    before = weights(whole)
    train(miniature, whole, recipe=pretrained, resume=True)
    assert all(torch.equal(value, before[name]) for name, value in weights(whole).items())


def test_an_unfinished_run_is_not_exported(miniature: Miniature, tmp_path: Path) -> None:
    with pytest.raises(TrainerError):
        train(miniature, tmp_path / "run", callbacks=[Stop()])
    with pytest.raises(TrainerError, match=rf"after 1 of {EPOCHS} epochs.*--resume"):
        export([tmp_path / "run"], tmp_path / "bundles", print)
    assert not (tmp_path / "bundles").exists()


def test_a_run_that_lost_its_best_weights_is_not_exported_with_others(
    miniature: Miniature, pretrained: Recipe, tmp_path: Path
) -> None:
    run = train(miniature, tmp_path / "run", recipe=pretrained)
    (run / "checkpoints" / "best.ckpt").unlink()
    with pytest.raises(TrainerError, match=r"no checkpoint best\.ckpt"):
        export([run], tmp_path / "bundles", print)


def test_a_run_stopped_before_its_first_checkpoint_starts_again(
    miniature: Miniature, first: Path, tmp_path: Path
) -> None:
    with pytest.raises(TrainerError):
        train(miniature, tmp_path / "run", callbacks=[Stop(0)])
    assert not (tmp_path / "run" / "checkpoints" / "last.ckpt").exists()
    train(miniature, tmp_path / "run", resume=True)
    assert same(first, tmp_path / "run")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interruption_is_one_sentence(
    miniature: Miniature, tmp_path: Path, error: type[BaseException]
) -> None:
    with pytest.raises(TrainerError, match="interrupted; --resume"):
        train(miniature, tmp_path / "run", callbacks=[Stop(1, error)])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_control_c_is_exit_one_one_line_and_a_failed_event(miniature: Miniature, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    line = words(miniature, tmp_path / "run", "--device", "cpu", "--events", str(events))
    line += ["--set", *TINY, "epochs=5000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "trainer.cli", *line],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 120
        while not (events.is_file() and "epoch" in kinds(events)):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 1
    assert error.count("\n") == 1
    assert "interrupted" in error
    assert all(said.startswith("Warning: ") for said in out.splitlines())  # alarms may have spoken
    assert kinds(events)[-1] == "failed"


def test_two_processes_train_one_run(miniature: Miniature, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    line = words(miniature, tmp_path / "run", "--device", "cpu", "--devices", "2", "--events", str(events))
    done = subprocess.run(
        [sys.executable, "-m", "trainer.cli", *line, "--set", *TINY, "epochs=2"],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("trained") == 1
    assert kinds(events).count("start") == kinds(events).count("done") == 1
    checkpoint = load_checkpoint(checkpoint_path(tmp_path / "run", "last"))
    # 8 images a batch of two processes: half as many steps as one process takes.
    images = len(
        [row for row in miniature.manifest.rows if row.patient_id in miniature.splits.folds[0].train]
    )
    assert checkpoint["global_step"] == 2 * (images // BATCH // 2)


def test_a_process_that_does_not_lead_fails_in_silence(
    miniature: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    events = tmp_path / "events.jsonl"
    assert main(words(miniature, tmp_path / "run", "--fold", "7", "--events", str(events))) == 1
    assert capsys.readouterr().err == ""
    assert events.read_text() == ""


def test_a_process_that_does_not_lead_makes_no_folder_before_the_leader_has_looked(
    miniature: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meets(*job: object) -> None:
        raise TrainerError("here the processes meet")

    # Under SLURM and torchrun all processes begin at once.
    monkeypatch.setenv("SLURM_PROCID", "1")
    monkeypatch.setattr("trainer.fit._train", meets)
    with pytest.raises(TrainerError, match="here the processes meet"):
        train(miniature, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--devices", "0"], "--devices 0"),
        (["--nodes", "0"], "--nodes 0"),
        (["--seed", "-1"], "--seed -1"),
        (["--seed", str(2**80)], "--seed 12089"),
        (["--set", "train.epochs=2020-01-01"], "date"),
        (["--set", "title=2020-01-01"], "date"),
        (["--set", "train.lr=nan"], "JSON"),
        (["--set", "aggregation.breast=median"], "breast must be one of"),
        (["--set", "aggregation.breats=max"], "breats"),
        (["--set", "detection.score_threshold=2"], "score_threshold must lie in"),
        (["--set", "networks.classifier.config.stern=8"], "stern"),
        (["--set", "networks.classifier.config.stem=9"], "stem"),
        (["--set", "networks.classifier.foo=1"], "foo"),
        (["--set", "networks.classifier.architecture=perceptron"], "perceptron"),
        (["--set", "card.foo=1"], "foo"),
        (["--set", "version=one"], "model_version"),
        (["--set", "name=No Name"], "bundle name"),
        (["--set", "pretrained=/nowhere"], "/nowhere: not a run folder"),
        (["--fold", "7"], "--fold 7"),
    ],
)
def test_what_is_wrong_is_one_sentence_before_any_training(
    miniature: Miniature, tmp_path: Path, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    events = tmp_path / "events.jsonl"
    assert main(words(miniature, tmp_path / "run", "--events", str(events), *more)) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error
    assert kinds(events)[-1] == "failed"
    assert not (tmp_path / "run").exists()


def test_whom_a_grandparent_has_seen_may_not_test(miniature: Miniature, first: Path, tmp_path: Path) -> None:
    child = read_recipe("mias-abnormality", [*TINY, f"pretrained={first}"])
    second = train(miniature, tmp_path / "second", recipe=child)
    run = read_run(second)
    assert [one.trained_on for one in run.seen_before] == [read_run(first).trained_on]
    # The middle run of this chain is made to have seen nobody: only the first one is in the way.
    other = make_splits(miniature.manifest, folds=3, seed=9)
    quiet = {"trained_on": (), "tuned_on": ()}
    write_run(type(run)(**{name: getattr(run, name) for name in run.__slots__} | quiet), second)
    grandchild = read_recipe("mias-abnormality", [*TINY, f"pretrained={second}"])
    with pytest.raises(TrainerError, match="weights have seen"):
        check_unseen(ancestry(grandchild), grandchild, miniature.manifest, other, 0)
    # A run of the first version names nobody before it: its own start is asked.
    forgetful = {**quiet, "seen_before": ()}
    write_run(type(run)(**{name: getattr(run, name) for name in run.__slots__} | forgetful), second)
    with pytest.raises(TrainerError, match="weights have seen"):
        check_unseen(ancestry(grandchild), grandchild, miniature.manifest, other, 0)


def test_the_same_fold_goes_on_from_its_own_weights(miniature: Miniature, first: Path) -> None:
    child = read_recipe("mias-abnormality", [*TINY, f"pretrained={first}"])
    check_unseen(ancestry(child), child, miniature.manifest, miniature.splits, 0)
    with pytest.raises(TrainerError, match="weights have seen"):
        check_unseen(ancestry(child), child, miniature.manifest, miniature.splits, 1)
