"""Checkpoints of a training: written whole or not at all, and which one it goes on from.

``last.ckpt`` is the end of an epoch, ``best.ckpt`` the epoch of the lowest loss on the tuning part, and
``stopped.ckpt`` the middle of an epoch that a signal ended.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from app.core.files import whole
from trainer.errors import TrainerError
from trainer.runs import load_checkpoint

PIECES = "pieces"
"""Key of a checkpoint: in how many pieces each batch is computed."""


class WholeCheckpoints(TorchCheckpointIO):  # type: ignore[misc]
    """Writes checkpoints beside their place, on the same disk, and renames them.

    Lightning's own writer makes its part in the system's temporary folder. From there to another disk a
    file is copied, and a training that is killed meanwhile leaves half of its only checkpoint.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write a checkpoint; raises TrainerError where it cannot be written, the one before it stays."""
        content = io.BytesIO()
        torch.save(checkpoint, content)
        try:
            with whole(Path(path)) as part, part.open("wb") as stream:
                stream.write(content.getbuffer())
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise TrainerError(f"{path}: the checkpoint cannot be written ({error.strerror})") from error


@dataclass(frozen=True, slots=True)
class Start:
    """Where a training goes on.

    Attributes
    ----------
    path
        Of the checkpoint.
    epoch, batches
        The epoch that comes next or is unfinished (0-based), and the batches of it that are done, each
        piece counted.
    pieces
        In which its batches were computed.
    """

    path: Path
    epoch: int
    batches: int
    pieces: int
    content: Mapping[str, Any]


def stopped_path(folder: Path) -> Path:
    """Return where a training that was stopped within an epoch keeps it."""
    return folder / "checkpoints" / "stopped.ckpt"


def start_of(folder: Path, pieces: int | None = None) -> Start | None:
    """Return the checkpoint of a run folder that has come farthest, or None.

    Parameters
    ----------
    pieces
        In which batches will be computed; None: as before. The middle of an epoch counts its batches in its
        own pieces, so with others it is passed over and the last whole epoch counts.

    Raises
    ------
    TrainerError
        A checkpoint that cannot be read.
    """
    found = []
    for path in (folder / "checkpoints" / "last.ckpt", stopped_path(folder)):
        if path.is_file():
            content = load_checkpoint(path)
            if pieces in (None, int(content.get(PIECES, 1))) or path != stopped_path(folder):
                found.append((path, content))
    if not found:
        return None
    path, content = max(found, key=lambda one: int(one[1]["global_step"]))
    epoch, batches = int(content["epoch"]) + 1, 0
    if path == stopped_path(folder):
        progress = content["loops"]["fit_loop"]["epoch_loop.batch_progress"]["current"]
        epoch, batches = epoch - 1, int(progress["ready"])
    return Start(path, epoch, batches, int(content.get(PIECES, 1)), content)
