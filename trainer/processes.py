"""A training in several processes: which of them leads.

Lightning starts the same command again for every further device, and a cluster does so on every node.
Only the leader makes and checks the run folder, writes events and speaks to the person who waits.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

_RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "SLURM_PROCID")
"""Set by Lightning, torchrun and SLURM; each counts from 0."""


def leads() -> bool:
    """Return whether this process is the only one, or the first of several."""
    return all(os.environ.get(name, "0") in ("", "0") for name in _RANKS)


def stop_now(number: int, frame: Any) -> None:
    """End what is being done, as Ctrl-C does; a handler of signals."""
    raise KeyboardInterrupt


def end_like_control_c() -> None:
    """Let SIGTERM end what comes as Ctrl-C would: with one line and everything whole."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, stop_now)
