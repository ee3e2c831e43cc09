"""Within an epoch: stopped or killed and gone on with, in pieces, out of memory, averaged."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
import torchvision
from tiny_training import TINY, Miniature, train, weights

from trainer.averaging import averaged
from trainer.checkpoints import WholeCheckpoints, start_of, stopped_path
from trainer.errors import TrainerError
from trainer.events import Events
from trainer.recipe import Recipe, read_recipe
from trainer.runs import checkpoint_path, load_checkpoint
from trainer.samples import EpochBatches
from trainer.sampling import Pieces
from trainer.stopping import StoppedError
from trainer.task import LesionTask, image_loss
from trainer.waiting import Waiting
from trainer.watch import EventCallback

SHORT = (*TINY, "epochs=3", "batch=4", "ema=0.9")
"""Augmented as the recipe says, with a moving average: everything that a resumption has to bring back."""


def recipe_of(*changes: str) -> Recipe:
    return read_recipe("mias-abnormality", [*SHORT, *changes])


def state(run: Path) -> dict[str, Any]:
    return load_checkpoint(checkpoint_path(run, "last"))


def same_end(one: Path, other: Path) -> bool:
    """Weights, averages, the optimiser's moments and the learning rate, to the bit."""
    first, second = state(one), state(other)
    for key in ("state_dict", "current_model_state"):
        assert first.get(key, {}).keys() == second.get(key, {}).keys()
        for name, value in first.get(key, {}).items():
            if not torch.equal(value, second[key][name]):
                return False
    moments = [one["optimizer_states"][0]["state"] for one in (first, second)]
    same = all(torch.equal(moments[0][n]["exp_avg_sq"], moments[1][n]["exp_avg_sq"]) for n in moments[0])
    rates = [one["lr_schedulers"][0]["_last_lr"] for one in (first, second)]
    return same and rates[0] == rates[1] and first["global_step"] == second["global_step"]


class SignalAt(lightning.Callback):  # type: ignore[misc]
    """Sends this very process a signal after a batch."""

    def __init__(self, number: int, epoch: int, step: int) -> None:
        self.number, self.epoch, self.step = number, epoch, step

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, step: int) -> None:
        if (trainer.current_epoch, step) == (self.epoch, self.step):
            os.kill(os.getpid(), self.number)


@pytest.fixture(scope="module")
def whole(miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(miniature, tmp_path_factory.mktemp("whole") / "run", recipe=recipe_of())


@pytest.mark.parametrize(("number", "epoch"), [(signal.SIGINT, 0), (signal.SIGTERM, 1)])
def test_a_training_stopped_within_an_epoch_goes_on_to_the_same_weights(
    miniature: Miniature, whole: Path, tmp_path: Path, number: int, epoch: int
) -> None:
    before = signal.getsignal(number)
    run = tmp_path / "run"
    with pytest.raises(
        StoppedError, match=rf"interrupted; --resume goes on after batch 2 of epoch {epoch + 1}$"
    ):
        train(miniature, run, recipe=recipe_of(), callbacks=[SignalAt(number, epoch, 1)])
    assert signal.getsignal(number) == before, "the handlers are put back"
    start = start_of(run)
    assert start is not None
    assert (start.path, start.epoch, start.batches) == (stopped_path(run), epoch, 2)
    train(miniature, run, recipe=recipe_of(), resume=True)
    assert same_end(whole, run)
    assert not stopped_path(run).exists()


def test_a_signal_in_the_last_batch_waits_for_the_epochs_checkpoint(
    miniature: Miniature, whole: Path, tmp_path: Path
) -> None:
    steps = state(whole)["global_step"] // 3
    run = tmp_path / "run"
    with pytest.raises(StoppedError, match=r"--resume goes on after epoch 1$"):
        train(miniature, run, recipe=recipe_of(), callbacks=[SignalAt(signal.SIGTERM, 0, steps - 1)])
    assert not stopped_path(run).exists()
    train(miniature, run, recipe=recipe_of(), resume=True)
    assert same_end(whole, run)


def _killed(miniature: Miniature, run: Path) -> None:
    torch.set_num_threads(1)
    train(miniature, run, recipe=recipe_of(), callbacks=[SignalAt(signal.SIGKILL, 1, 2)])


def test_a_training_killed_within_an_epoch_goes_on_to_the_same_weights(
    miniature: Miniature, whole: Path, tmp_path: Path
) -> None:
    child = multiprocessing.get_context("fork").Process(target=_killed, args=(miniature, tmp_path / "run"))
    child.start()
    child.join(timeout=120)
    try:
        assert child.exitcode == -signal.SIGKILL
    finally:
        child.kill()
    assert not list((tmp_path / "run").rglob("*.part"))
    train(miniature, tmp_path / "run", recipe=recipe_of(), resume=True)
    assert same_end(whole, tmp_path / "run")


def test_half_precision_on_the_cpu_goes_on_to_the_same_weights(miniature: Miniature, tmp_path: Path) -> None:
    recipe = recipe_of("precision=bf16-mixed", "epochs=2")
    train(miniature, tmp_path / "whole", recipe=recipe)
    with pytest.raises(StoppedError):
        train(miniature, tmp_path / "cut", recipe=recipe, callbacks=[SignalAt(signal.SIGTERM, 1, 0)])
    train(miniature, tmp_path / "cut", recipe=recipe, resume=True)
    assert same_end(tmp_path / "whole", tmp_path / "cut")


PLAIN = ("ema=0", "dense_weight=0", "augment.rotate=0", "augment.scale=0", "augment.shift=0")
STILL = (*PLAIN, "augment.contrast=0", "augment.brightness=0", "augment.noise=0", "augment.flip_rows=0")
"""No random change, and a loss that is the mean over images: pieces then add up to the batch exactly."""


def near(one: Path, other: Path) -> bool:
    first, second = weights(one), weights(other)
    return all(torch.allclose(first[name], second[name], rtol=1e-3, atol=1e-4) for name in first)


def test_pieces_of_a_batch_take_the_step_of_the_whole(miniature: Miniature, tmp_path: Path) -> None:
    runs = {
        pieces: train(miniature, tmp_path / str(pieces), recipe=recipe_of(*STILL, f"accumulate={pieces}"))
        for pieces in (1, 3)
    }
    assert len({state(run)["global_step"] for run in runs.values()}) == 1
    assert len({state(run)["lr_schedulers"][0]["_last_lr"][0] for run in runs.values()}) == 1
    # Three pieces of four images are of two, one and one: each counts by its images.
    assert near(runs[1], runs[3])
    # It is a matter of pieces: half of the images per step ends elsewhere.
    half = train(miniature, tmp_path / "half", recipe=recipe_of(*STILL, "batch=2"))
    assert not near(runs[1], half)


def test_pieces_hold_every_image_once_and_both_classes(tmp_path: Path) -> None:
    positives = torch.arange(40).numpy() % 4 == 0
    batches = EpochBatches(positives, 8, seed=0, balance=True)
    pieces = list(Pieces(batches, 4))
    for number, batch in enumerate(batches):
        own = pieces[4 * number : 4 * number + 4]
        assert sorted(index for piece in own for index in piece) == sorted(batch)
        assert all(positives[piece].sum() == 1 for piece in own)
    batches.set_epoch(2)
    rest = list(Pieces(batches, 4, done=(2, 6)))
    assert rest == list(Pieces(batches, 4))[6:]
    batches.set_epoch(3)
    assert len(list(Pieces(batches, 4, done=(2, 6)))) == 4 * len(batches)


def too_large(monkeypatch: pytest.MonkeyPatch, most: int, epoch: int, error: Exception) -> None:
    """From an epoch on memory holds `most` images."""
    right = LesionTask.losses

    def losses(task: LesionTask, batch: Any) -> Any:
        if len(batch.views) > most and task.current_epoch >= epoch:
            raise error
        return right(task, batch)

    monkeypatch.setattr(LesionTask, "losses", losses)


@pytest.mark.parametrize(
    ("epoch", "error"),
    [
        (0, torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")),
        (1, RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried")),
    ],
)
def test_out_of_memory_halves_the_batch_and_takes_the_same_steps(
    miniature: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epoch: int, error: Exception
) -> None:
    train(miniature, tmp_path / "roomy", recipe=recipe_of(*STILL))
    too_large(monkeypatch, 1, epoch, error)
    run = tmp_path / "tight"
    train(miniature, run, recipe=recipe_of(*STILL), events=Events(tmp_path / "events"))
    lines = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    told = [line["message"] for line in lines if "memory" in line.get("message", "")]
    assert [words.split(" are now computed in ")[1][:8] for words in told] == ["2 pieces", "4 pieces"]
    assert state(run)["pieces"] == 4
    assert near(tmp_path / "roomy", run)
    assert state(run)["lr_schedulers"] == state(tmp_path / "roomy")["lr_schedulers"]


@pytest.mark.parametrize(("epoch", "gone_on_from"), [(0, None), (1, "last.ckpt")])
def test_memory_that_runs_out_after_a_stop_takes_no_step_twice(
    miniature: Miniature,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    epoch: int,
    gone_on_from: str | None,
) -> None:
    roomy, run = tmp_path / "roomy", tmp_path / "tight"
    train(miniature, roomy, recipe=recipe_of(*STILL))
    with pytest.raises(StoppedError, match="after batch 2"):
        train(miniature, run, recipe=recipe_of(*STILL), callbacks=[SignalAt(signal.SIGTERM, epoch, 1)])
    start = start_of(run, 2)
    assert (start.path.name if start else None) == gone_on_from
    too_large(monkeypatch, 2, 0, torch.OutOfMemoryError("CUDA out of memory"))
    train(miniature, run, recipe=recipe_of(*STILL), resume=True)
    assert state(run)["pieces"] == 2
    assert state(run)["global_step"] == state(roomy)["global_step"]
    assert near(roomy, run)


def test_memory_for_not_even_one_image_is_one_sentence(
    miniature: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    too_large(monkeypatch, 0, 0, torch.OutOfMemoryError("CUDA out of memory"))
    with pytest.raises(TrainerError, match="ran out of memory; take fewer images"):
        train(miniature, tmp_path / "run", recipe=recipe_of())


def test_a_training_in_pieces_goes_on_in_pieces(miniature: Miniature, tmp_path: Path) -> None:
    recipe = recipe_of("accumulate=2")
    train(miniature, tmp_path / "whole", recipe=recipe)
    # The signal comes within a batch: the second of its two pieces is awaited.
    with pytest.raises(StoppedError, match="after batch 2 of epoch 2"):
        train(miniature, tmp_path / "cut", recipe=recipe, callbacks=[SignalAt(signal.SIGTERM, 1, 0)])
    train(miniature, tmp_path / "cut", recipe=recipe, resume=True)
    assert same_end(tmp_path / "whole", tmp_path / "cut")


class Steps(lightning.Callback):  # type: ignore[misc]
    """Keeps the weights after each step."""

    def __init__(self) -> None:
        self.seen: list[dict[str, torch.Tensor]] = []

    def on_train_batch_end(self, trainer: Any, module: Any, *rest: Any) -> None:
        self.seen.append({name: value.detach().clone() for name, value in module.named_parameters()})


def test_what_ships_is_the_moving_average(miniature: Miniature, tmp_path: Path) -> None:
    steps = Steps()
    run = train(miniature, tmp_path / "run", recipe=recipe_of("epochs=2"), callbacks=[steps])
    name = "networks.classifier.head.weight"
    mean = steps.seen[0][name].double()
    for number, weight in enumerate((one[name].double() for one in steps.seen[1:]), start=1):
        keep = min(0.9, (1 + number) / (10 + number))
        mean = keep * mean + (1 - keep) * weight
    end = state(run)
    assert torch.allclose(end["state_dict"][name].double(), mean, atol=1e-6)
    assert torch.equal(end["current_model_state"][name], steps.seen[-1][name])
    assert not torch.allclose(end["state_dict"][name], steps.seen[-1][name], atol=1e-4)


@pytest.mark.parametrize(("number", "keep"), [(1, 2 / 11), (8, 0.5), (10_000, 0.99)])
def test_an_average_of_few_steps_keeps_less(number: int, keep: float) -> None:
    mean = averaged(torch.tensor([1.0]), torch.tensor([0.0]), number, 0.99)
    assert mean.item() == pytest.approx(keep)


@pytest.mark.parametrize("full", [errno.ENOSPC, errno.EDQUOT])
def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: int
) -> None:
    path = tmp_path / "last.ckpt"
    WholeCheckpoints().save_checkpoint({"epoch": 1}, path)
    kept = path.read_bytes()

    def fails(handle: int) -> None:
        raise OSError(full, os.strerror(full))

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(TrainerError, match=r"last\.ckpt: the checkpoint cannot be written"):
        WholeCheckpoints().save_checkpoint({"epoch": 2}, path)
    assert path.read_bytes() == kept
    assert [entry.name for entry in tmp_path.iterdir()] == ["last.ckpt"]


def test_checkpoints_are_renamed_within_their_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[Sequence[Path]] = []
    rename = os.replace
    monkeypatch.setattr(
        os, "replace", lambda old, new: (moved.append((Path(old), Path(new))), rename(old, new))
    )
    WholeCheckpoints().save_checkpoint({"epoch": 1}, tmp_path / "last.ckpt")
    assert [(old.parent, new) for old, new in moved] == [(tmp_path, tmp_path / "last.ckpt")]


def test_focal_loss_and_weighting_are_those_of_torch() -> None:
    draw = torch.Generator().manual_seed(0)
    logits, positive = torch.randn(64, generator=draw) * 3, (torch.rand(64, generator=draw) < 0.2).float()
    peer = torchvision.ops.sigmoid_focal_loss(logits, positive, alpha=-1, gamma=2.0, reduction="mean")
    assert image_loss(logits, positive, focal=2.0).item() == pytest.approx(peer.item(), rel=1e-5)
    weighted = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, positive, pos_weight=torch.tensor(7.0)
    )
    assert image_loss(logits, positive, weight=7.0).item() == pytest.approx(weighted.item(), rel=1e-5)


def test_waiting_is_the_time_within_next(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 10.0, 11.0, 12.5, 13.0, 15.0, 20.0])
    monkeypatch.setattr("trainer.waiting.time.perf_counter", lambda: next(clock))
    waiting = Waiting()  # at 0
    waiting.begin()  # at 10
    for action in ("[_TrainingEpochLoop].train_dataloader_next", "run_training_batch"):
        waiting.start(action)  # at 11; another action is no matter
        waiting.stop(action)  # at 12.5
    waiting.start("[_TrainingEpochLoop].train_dataloader_next")  # at 13
    waiting.stop("[_TrainingEpochLoop].train_dataloader_next")  # at 15
    assert waiting.share() == pytest.approx((1.5 + 2.0) / 10)  # at 20


def test_what_is_left_is_told_at_the_pace_since_it_was_begun_or_went_on(tmp_path: Path) -> None:
    watch = EventCallback(Events(tmp_path / "events"), Waiting())
    watch._session = (time.monotonic() - 3000, 0.25)
    # Half of it in 3,000 s: the last quarter takes half as long.
    assert watch._left(0.75) == pytest.approx(1500, abs=10)
    assert watch._left(0.25) is None


def test_events_tell_how_long_it_takes(miniature: Miniature, tmp_path: Path) -> None:
    train(miniature, tmp_path / "run", recipe=recipe_of(), events=Events(tmp_path / "events"))
    lines = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    epochs = [line for line in lines if line["kind"] == "epoch"]
    assert [line["left_s"] for line in epochs][-1] == 0
    assert all(line["left_s"] >= 0 for line in epochs)
    assert all(0 <= line["metrics"]["data_wait"] < 1 for line in epochs)
    steps = [line for line in lines if line["kind"] == "step"]
    assert {line["epochs"] for line in steps} == {3}
    head = (tmp_path / "run" / "logs" / "metrics.csv").read_text().splitlines()[0]
    assert "data_wait" in head.split(",")


def test_events_on_a_full_disk_are_one_sentence_and_hide_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = Events(tmp_path / "events")
    events.path = Path("/dev/full")
    with pytest.raises(TrainerError, match="/dev/full: events cannot be written"):
        events.write("start")
    with pytest.raises(TrainerError, match="what really ended it"), events.failures():
        raise TrainerError("what really ended it")
