"""One measurement beside its peer, and how two ways of doing the same thing are timed fairly."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Better = Literal["lower", "higher"]


class BenchmarkError(Exception):
    """A benchmark that could not be run, or whose result would not be true; one sentence."""


@dataclass(frozen=True, slots=True)
class Result:
    """A benchmark's outcome; `ratio` above 1 means that ours is better.

    Attributes
    ----------
    value, peer_value
        Medians of `runs`, in `unit`.
    peer_config
        The peer's own settings at which it was best.
    runs
        (ours, peer's) of every round, in the order in which they were taken.
    """

    name: str
    value: float
    unit: str
    peer: str
    peer_config: str
    peer_value: float
    ratio: float
    runs: tuple[tuple[float, float], ...]

    def as_json(self) -> dict[str, Any]:
        """Return the record of `benchmarks` in DESIGN.md."""
        return asdict(self)


def judge(
    name: str,
    unit: str,
    runs: list[tuple[float, float]],
    *,
    better: Better,
    peer: str,
    peer_config: str,
) -> Result:
    """Return the result of `runs` of (ours, peer's): medians, and their ratio."""
    value = statistics.median(ours for ours, _ in runs)
    peer_value = statistics.median(theirs for _, theirs in runs)
    ratio = peer_value / value if better == "lower" else value / peer_value
    return Result(name, value, unit, peer, peer_config, peer_value, ratio, tuple(runs))


def alternate(
    ours: Callable[[], float], theirs: Callable[[], float], rounds: int
) -> list[tuple[float, float]]:
    """Run both `rounds` times, taking turns in going first, after one round each that does not count.

    A machine that slows down during the measurement then slows both alike.
    """
    ours(), theirs()
    runs = []
    for turn in range(rounds):
        if turn % 2:
            peer = theirs()
            runs.append((ours(), peer))
        else:
            own = ours()
            runs.append((own, theirs()))
    return runs


def best_setting(settings: dict[str, Callable[[], float]], better: Better = "lower", rounds: int = 3) -> str:
    """Return the name of the peer's setting that measures best, by the median of `rounds`."""
    medians = {name: statistics.median(run() for _ in range(rounds)) for name, run in settings.items()}
    choose = min if better == "lower" else max
    return choose(medians, key=medians.__getitem__)
