"""Several values of a recipe's settings, one run each, compared on the part that tunes.

The test part is not looked at: what is chosen here is measured afterwards, once, by `export`.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.core.files import write_text
from trainer.errors import TrainerError

TABLE = "sweep.csv"
_MOST = 100
_SHOWN = ("val_loss", "val_auc")


@dataclass(frozen=True, slots=True)
class Trial:
    """One combination: its changes of the recipe, and the name of its folder."""

    changes: tuple[str, ...]
    name: str


def trials(sweeps: Sequence[str]) -> list[Trial]:
    """Return every combination of ``key=v1,v2``; commas within brackets part no values.

    Raises
    ------
    TrainerError
        A wrong form, a value or key twice, too many combinations.
    """
    axes: list[list[str]] = []
    for sweep in sweeps:
        key, equals, text = sweep.partition("=")
        values = [value.strip() for value in re.split(r",(?![^\[{]*[\]}])", text)]
        if not key or not equals or not all(values) or len(set(values)) < len(values):
            raise TrainerError(f"--sweep {sweep}: the form is key=v1,v2 with different values")
        axes.append([f"{key}={value}" for value in values])
    if len({axis[0].partition("=")[0] for axis in axes}) < len(axes):
        raise TrainerError("--sweep: names a key twice")
    count = math.prod(len(axis) for axis in axes)
    if count > _MOST:
        raise TrainerError(f"--sweep: {count} runs are more than {_MOST}")
    made = []
    for number, changes in enumerate(itertools.product(*axes), start=1):
        words = re.sub(r"[^A-Za-z0-9.=+-]+", "_", "+".join(changes))[:80]
        made.append(Trial(changes, f"{number:02d}-{words}"))
    return made


def sweep(
    sweeps: Sequence[str],
    folder: Path,
    train: Callable[[tuple[str, ...], Path], Path],
    tell: Callable[[str], None],
    *,
    resume: bool = False,
) -> Path:
    """Train every combination below a folder, tabulate them, and return the table.

    Parameters
    ----------
    train
        Trains with these changes into this folder; checks a recipe before it costs time.

    Raises
    ------
    TrainerError
        The folder holds something already and is not resumed; a training that fails ends the sweep, and
        the table holds what was done.
    """
    planned = trials(sweeps)
    if folder.exists() and any(folder.iterdir()) and not resume:
        raise TrainerError(f"{folder}: exists already; take another name, or --resume")
    lines: list[dict[str, str]] = []
    for number, trial in enumerate(planned, start=1):
        tell(f"run {number} of {len(planned)}: {' '.join(trial.changes)}")
        run = train(trial.changes, folder / trial.name)
        lines.append(
            dict(change.split("=", 1) for change in trial.changes) | _best(run) | {"run": trial.name}
        )
        _write(lines, folder / TABLE)
    for line in _told(lines):
        tell(line)
    return folder / TABLE


def _best(run: Path) -> dict[str, str]:
    """Return the epoch of the lowest loss on the tuning part, with its numbers, from the run's logs."""
    rows: list[dict[str, str]] = []
    for log in sorted((run / "logs").glob("metrics*.csv")):
        rows += csv.DictReader(log.read_text(encoding="utf-8").splitlines())
    judged = [row for row in rows if row.get("val_loss")]
    if not judged:
        return {"epoch": "", **dict.fromkeys(_SHOWN, "")}
    best = min(judged, key=lambda row: float(row["val_loss"]))
    numbers = {name: f"{float(best[name]):.4f}" if best.get(name) else "" for name in _SHOWN}
    return {"epoch": str(int(best["epoch"]) + 1), **numbers}


def _write(lines: Sequence[dict[str, str]], path: Path) -> None:
    table = io.StringIO()
    writer = csv.DictWriter(table, list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    write_text(path, table.getvalue())


def _told(lines: Sequence[dict[str, str]]) -> list[str]:
    names = list(lines[0])
    widths = {name: max(len(name), *(len(line[name]) for line in lines)) for name in names}
    made = ["  ".join(name.ljust(widths[name]) for name in names).rstrip()]
    made += ["  ".join(line[name].ljust(widths[name]) for name in names).rstrip() for line in lines]
    judged = sum(bool(line["val_loss"]) for line in lines)
    return [*made, f"Of the tuning part, {judged} runs: the best of them is a little too good to be true."]
