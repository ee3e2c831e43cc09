"""JSON-lines events, so that another program (the workstation) can follow a training."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from trainer.errors import TrainerError
from trainer.processes import leads


class Events:
    """A file of events, one JSON object a line: ``t`` (seconds since 1970), ``kind``, and facts.

    Parameters
    ----------
    path
        Appended to, by the leading process alone; None writes nothing.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path if leads() else None
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.open("a", encoding="utf-8").close()
            except OSError as error:
                raise TrainerError(f"{path}: events cannot be written ({error.strerror})") from error

    def write(self, kind: str, **facts: Any) -> None:
        """Append one event: start, epoch, step, metric, warning, checkpoint, done or failed."""
        if self.path is None:
            return
        line = json.dumps({"t": round(time.time(), 3), "kind": kind, **facts}, allow_nan=False)
        try:
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(line + "\n")
        except OSError as error:
            raise TrainerError(f"{self.path}: events cannot be written ({error.strerror})") from error

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Write ``failed`` with the reason for whatever ends the block before its time."""
        try:
            yield
        except BaseException as error:
            reason = "interrupted" if isinstance(error, KeyboardInterrupt) else " ".join(str(error).split())
            with suppress(TrainerError):  # what ended the block is what has to be said
                self.write("failed", message=reason or type(error).__name__)
            raise
