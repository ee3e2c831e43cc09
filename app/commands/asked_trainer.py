"""What the tour of the researcher's loop asks of the trainer's own commands, each a process."""

from __future__ import annotations

import subprocess
from pathlib import Path

from app.core.errors import MammoviewError
from app.services.training.program import trainer_command

EXAMS, SHAPE, SEED = 24, "640x512", "91"
"""Phantoms of the tour: a lesion in one breast of each exam, of a stream that no shipped bundle has seen."""


def ask(*words: str | Path) -> str:
    """Run a command of the trainer and return what it says; `MammoviewError` with its sentence."""
    command = (*trainer_command(), *map(str, words))
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()[-1:] or [f"{words[0]}: the trainer said nothing"]
        raise MammoviewError(said[0].removeprefix("mammoview-trainer: "))
    return done.stdout


def phantoms(folder: Path) -> Path:
    """Make exams with a lesion each and return their manifest."""
    size = ("--exams", str(EXAMS), "--shape", SHAPE, "--seed", SEED)
    ask("phantom", "-o", folder / "exams", "--lesions", "any", *size)
    ask("index", "phantom", folder / "exams", "-o", folder / "phantoms.csv")
    return folder / "phantoms.csv"


def curated(store: Path, manifest: Path, folder: Path) -> tuple[Path, str]:
    """Index what was said of a manifest, with the rest of it; return the manifest and the snapshot's line.

    Raises
    ------
    MammoviewError
        The snapshot gives other bytes than the manifest that was made with it.
    """
    made, again, snapshot = folder / "curated.csv", folder / "again.csv", folder / "snapshot"
    given = ("--images", manifest, "--rest", "--snapshot", snapshot)
    said = ask("index", "curated", store, "-o", made, *given)
    ask("index", "curated", snapshot, "-o", again)
    if again.read_bytes() != made.read_bytes():
        raise MammoviewError(f"{snapshot}: the snapshot gives other bytes than {made.name}")
    line = next(one for one in said.splitlines() if ": snapshot " in one)
    return made, line.partition(": ")[2]
