"""What a training says of itself, folded into curves and time left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.services.training.events import MOST_POINTS, EventReader, Progress, after


def epoch(number: int, seconds: float = 10.0, of: int = 10, **metrics: object) -> dict[str, object]:
    return {
        "t": number,
        "kind": "epoch",
        "epoch": number,
        "epochs": of,
        "seconds": seconds,
        "metrics": metrics,
    }


def step(number: int, at: int, of: int = 4, **facts: object) -> dict[str, object]:
    return {"kind": "step", "epoch": number, "step": at, "steps": of, "loss": 1.0, **facts}


def told(*events: dict[str, object]) -> Progress:
    progress = Progress()
    for event in events:
        progress = after(progress, event)
    return progress


def test_time_left_is_the_median_epoch_times_what_is_left() -> None:
    # 3 of 10 done in 10 s each, one of them paused for an hour; a quarter of the fourth is done.
    progress = told(epoch(0), epoch(1, 3610.0), epoch(2), step(3, 1))
    assert progress.time_left() == pytest.approx(10.0 * (10 - 3.25))
    assert progress.fraction == pytest.approx(0.325)


def test_in_the_first_epochs_the_trainers_word_counts() -> None:
    assert told(step(0, 1, left_s=77.0, epochs=10)).time_left() == 77.0
    assert told(epoch(0), epoch(1), step(2, 1, left_s=77.0)).time_left() == 77.0
    assert told(epoch(0), epoch(1), epoch(2), step(3, 1, left_s=77.0)).time_left() != 77.0
    assert told({"kind": "start"}).time_left() is None
    assert told(epoch(0), {"kind": "done", "epochs": 1}).time_left() == 0.0


def test_what_is_trained_again_after_a_kill_is_drawn_once() -> None:
    first = told(epoch(0, val_loss=3.0), epoch(1, val_loss=2.0), step(2, 1), step(2, 3))
    again = after(after(first, {"kind": "start"}), step(2, 1, of=4) | {"loss": 0.5})
    assert again.loss == ((2.25, 0.5),)
    twice = after(again, epoch(1, val_loss=1.5))
    assert twice.metrics["val_loss"] == ((1.0, 3.0), (2.0, 1.5))


def test_numbers_that_are_none_are_left_out() -> None:
    progress = told(epoch(0, val_loss=None, val_auc=0.5, odd="text", flag=True))
    assert dict(progress.metrics) == {"val_auc": ((1.0, 0.5),)}
    assert told(step(0, 1) | {"loss": None}).loss == ()


def test_a_long_training_keeps_a_bounded_curve_from_its_beginning() -> None:
    progress = Progress()
    for number in range(MOST_POINTS + 10):
        progress = after(progress, step(0, number + 1, of=MOST_POINTS * 2))
    assert len(progress.loss) <= MOST_POINTS
    assert progress.loss[0][0] == pytest.approx(1 / (2 * MOST_POINTS))


def test_a_file_is_followed_by_whole_lines_only(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    reader = EventReader(path)
    assert reader.read() == Progress()
    line = json.dumps(epoch(0)) + "\n"
    path.write_text(line + line[:7])
    assert reader.read().epoch == 1
    path.write_text(line + json.dumps(epoch(1)) + "\n" + "no json\n[1]\n\n")
    assert reader.read().epoch == 2
    assert reader.read().damaged == 2
    path.write_text("")
    assert reader.read() == Progress(), "another file under the name"


def test_failures_and_warnings_are_kept() -> None:
    progress = told(
        {"kind": "warning", "message": "it stands still"}, {"kind": "failed", "message": "no memory"}
    )
    assert (progress.warnings, progress.failed) == (("it stands still",), "no memory")
    assert told({"kind": "failed"}, {"kind": "start"}).failed == ""
    assert told({"kind": "of a later version", "x": 1}, {}) == Progress()
