"""A run folder: what was trained, from what, and where its checkpoints lie.

``run.json`` (readable facts), ``checkpoints/best.ckpt`` and ``last.ckpt``, ``logs/`` (CSV and
TensorBoard), ``trainer.log``.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from app.core.files import write_json
from app.core.manifest import patient_mark as mark_of
from trainer.errors import TrainerError

FORMAT = "mammoview-run"
RUN_FILE = "run.json"
MARKED = "mark:"
"""Begins the name of a patient of whom only the mark is known, because the weights came from a bundle."""


def patient_mark(patient: str) -> str:
    """Return a patient's mark in a bundle, as `app.core.manifest.patient_mark` makes it; a mark stays one."""
    if patient.startswith(MARKED):
        return patient.removeprefix(MARKED)
    return mark_of(patient)


@dataclass(frozen=True, slots=True)
class Seen:
    """Patient ids of one manifest that weights were trained and tuned on."""

    manifest_sha256: str
    trained_on: tuple[str, ...]
    tuned_on: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """The facts of a run.

    Attributes
    ----------
    fold
        0-based, or -1 for a refit on every patient (``--fold all``).
    trained_on, tuned_on
        Patient ids that this run has shown to the weights; `images` of theirs, `positives` among them.
    licences
        Of every image that the weights have seen, pretraining included.
    ancestors
        One sentence per pretraining.
    facts
        Further sentences for the card, each with its full stop.
    seen_before
        Whom the pretrainings have shown to the weights, the first one first.
    """

    recipe: Mapping[str, Any]
    manifest: str
    manifest_sha256: str
    splits: str
    split_hash: str
    fold: int
    seed: int
    trained_on: tuple[str, ...]
    tuned_on: tuple[str, ...]
    licences: tuple[str, ...]
    images: int = 0
    positives: int = 0
    ancestors: tuple[str, ...] = ()
    seen_before: tuple[Seen, ...] = ()
    versions: Mapping[str, str] | None = None
    facts: tuple[str, ...] = ()

    @property
    def patients(self) -> frozenset[str]:
        """Everyone whom the weights have seen, trained or tuned, in this run or before it."""
        seen = (*self.seen_before, Seen("", self.trained_on, self.tuned_on))
        return frozenset(patient for one in seen for patient in (*one.trained_on, *one.tuned_on))


def write_run(run: Run, folder: Path) -> None:
    """Write run.json, whole or not at all."""
    write_json(folder / RUN_FILE, {"format": FORMAT, "version": 1, **asdict(run)})


def read_run(folder: Path) -> Run:
    """Return the facts of a run folder; raises TrainerError where it is none."""
    path = folder / RUN_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise TrainerError(f"{folder}: not a run folder, it has no {RUN_FILE}") from error
    except (OSError, ValueError) as error:
        raise TrainerError(f"{path}: cannot be read ({error.__class__.__name__})") from error
    if (
        not isinstance(content, dict)
        or content.pop("format", None) != FORMAT
        or content.pop("version", 0) != 1
    ):
        raise TrainerError(f"{path}: not a {FORMAT} file that this program knows")
    try:
        return _run(content)
    except (TypeError, KeyError) as error:
        raise TrainerError(f"{path}: {error} is missing or wrong") from error


def _run(content: dict[str, Any]) -> Run:
    lists = ("trained_on", "tuned_on", "licences", "ancestors", "facts")
    before = [
        Seen(one["manifest_sha256"], tuple(one["trained_on"]), tuple(one["tuned_on"]))
        for one in content.pop("seen_before", ())
    ]
    kept: dict[str, Any] = {name: tuple(value) if name in lists else value for name, value in content.items()}
    return Run(**kept, seen_before=tuple(before))


def checkpoint_path(folder: Path, which: Literal["best", "last"]) -> Path:
    """Return a checkpoint of a run; raises TrainerError where there is none."""
    path = folder / "checkpoints" / f"{which}.ckpt"
    if not path.is_file():
        raise TrainerError(f"{folder}: the run has no checkpoint {path.name}")
    return path


def kept_checkpoint(run: Run, folder: Path, keep: str) -> Path:
    """Return the checkpoint that counts; a refit tunes on nobody, so its last one is its best."""
    return checkpoint_path(folder, "best" if keep == "best" and run.fold >= 0 else "last")


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Return a checkpoint's content; plain values and tensors only, never an unpickled object."""
    import torch

    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, KeyError, ValueError, pickle.UnpicklingError) as error:
        raise TrainerError(f"{path}: the checkpoint cannot be read") from error
    return content


def has_ended(checkpoint: Mapping[str, Any], epochs: int) -> bool:
    """Return whether a training's last checkpoint is its end: all epochs done, stopped early, time up.

    Read from the checkpoint and written down nowhere else, so that it cannot be said too soon.
    """
    if int(checkpoint.get("epoch", -1)) + 1 >= epochs:
        return True
    states = checkpoint.get("callbacks", {})
    time = states.get("Budget")  # of trainer.budget
    if time and time["time_elapsed"]["train"] >= time["seconds"]:
        return True
    return any(
        state["wait_count"] >= state["patience"]
        for name, state in states.items()
        if name.startswith("EarlyStopping")
    )


def need_ended(folder: Path, epochs: int) -> None:
    """Refuse a run that was stopped on its way; raises TrainerError that says how it goes on."""
    checkpoint = load_checkpoint(checkpoint_path(folder, "last"))
    if not has_ended(checkpoint, epochs):
        done = int(checkpoint.get("epoch", -1)) + 1
        raise TrainerError(
            f"{folder}: the training stopped after {done} of {epochs} epochs and is no model yet; "
            "the same fit command with --resume takes it to its end"
        )
