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

from trainer.errors import TrainerError

FORMAT = "mammoview-run"
RUN_FILE = "run.json"


@dataclass(frozen=True, slots=True)
class Run:
    """The facts of a run.

    Attributes
    ----------
    fold
        0-based, or -1 for a refit on every patient (``--fold all``).
    trained_on, tuned_on
        Patient ids that the weights have seen; `images` of theirs, `positives` among them.
    licences
        Of every image that the weights have seen, pretraining included.
    ancestors
        One sentence per pretraining.
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
    versions: Mapping[str, str] | None = None


def write_run(run: Run, folder: Path) -> None:
    """Write run.json."""
    content = {"format": FORMAT, "version": 1, **asdict(run)}
    (folder / RUN_FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


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
        run = Run(**content)
    except TypeError as error:
        raise TrainerError(f"{path}: {error}") from error
    return Run(
        **{
            **asdict(run),
            "trained_on": tuple(run.trained_on),
            "tuned_on": tuple(run.tuned_on),
            "licences": tuple(run.licences),
            "ancestors": tuple(run.ancestors),
        }
    )


def checkpoint_path(folder: Path, which: Literal["best", "last"]) -> Path:
    """Return a checkpoint of a run; a refit has no best one, so its last one is taken."""
    path = folder / "checkpoints" / f"{which}.ckpt"
    if which == "best" and not path.is_file():
        path = folder / "checkpoints" / "last.ckpt"
    if not path.is_file():
        raise TrainerError(f"{folder}: the run has no checkpoint yet")
    return path


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Return a checkpoint's content; plain values and tensors only, never an unpickled object."""
    import torch

    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, KeyError, ValueError, pickle.UnpicklingError) as error:
        raise TrainerError(f"{path}: the checkpoint cannot be read") from error
    return content
