"""A training in several processes: which of them leads.

Lightning starts the same command again for every further device, and a cluster does so on every node.
Only the leader makes and checks the run folder, writes events and speaks to the person who waits.
"""

from __future__ import annotations

import os

_RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "SLURM_PROCID")
"""Set by Lightning, torchrun and SLURM; each counts from 0."""


def leads() -> bool:
    """Return whether this process is the only one, or the first of several."""
    return all(os.environ.get(name, "0") in ("", "0") for name in _RANKS)
