"""Models over a manifest without processes of their own: no torch has to be imported again."""

from __future__ import annotations

import multiprocessing
import threading
from typing import Any

import pytest

from app.services.inference.batch import _Hand, _work


class Thread(threading.Thread):
    """Stands for a worker process; it ends when its pipe is closed."""

    def terminate(self) -> None:
        """Take no notice: what it waits for is gone with the pipe."""

    kill = terminate


def begin(hand: Any, pipe: Any = lambda ours: ours) -> None:
    """Start a worker's thread in place of its process; `pipe` makes what the worker's owner talks through."""
    ours, theirs = multiprocessing.Pipe()
    hand.pipe = pipe(ours)
    hand.process = Thread(target=_work, args=(theirs, hand.folders, hand.device), daemon=True)
    hand.process.start()


def work_in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all workers of a test be threads."""
    monkeypatch.setattr(_Hand, "_start", begin)
