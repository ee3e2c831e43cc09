"""Where the trainer is, as a program to be started: beside this one, or in the same Python."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from app.core.errors import MammoviewError

TRAINER_VARIABLE = "MAMMOVIEW_TRAINER"
MISSING = "this edition of Mammoview comes without the trainer; install the full one to train models"


def _frozen() -> bool:
    return bool(getattr(sys, "frozen", False))


def trainer_command() -> tuple[str, ...]:
    """Return the words that start ``mammoview-trainer``.

    ``MAMMOVIEW_TRAINER`` names another program in its place, for example that of an installation with a GPU.

    Raises
    ------
    MammoviewError
        An edition without the trainer, or no program where the variable says.
    """
    named = os.environ.get(TRAINER_VARIABLE)
    if named:
        if not Path(named).is_file():
            raise MammoviewError(f"{named}: there is no trainer ({TRAINER_VARIABLE} says so)")
        return (named,)
    if _frozen():
        ending = ".exe" if sys.platform == "win32" else ""
        beside = Path(sys.executable).with_name(f"mammoview-trainer{ending}")
        if not beside.is_file():
            raise MammoviewError(MISSING)
        return (str(beside),)
    spec = find_spec("trainer")
    if spec is None or spec.origin is None:
        raise MammoviewError(MISSING)
    return (sys.executable, "-m", "trainer.cli")


def keeper_command(folder: Path) -> tuple[str, ...]:
    """Return the words that start the keeper of a training (`app.services.training.keeper`)."""
    own = (sys.executable,) if _frozen() else (sys.executable, "-m", "app.cli")
    return (*own, "training", "keep", str(folder))


def recipes_folder() -> Path | None:
    """Return the folder of the recipes that come with the trainer; None in an edition without it."""
    spec = find_spec("trainer")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place) / "recipes"
        if folder.is_dir():
            return folder
    return None
