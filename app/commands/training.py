"""List the trainings of this data folder; keep one going (what the window starts by itself)."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.core.errors import MammoviewError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    parser.set_defaults(action="list")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("list", help="all trainings and how they stand (default)")
    keep = actions.add_parser("keep", help="run the steps of a training that are not done, to its end")
    keep.add_argument("folder", metavar="FOLDER", help="of the training, in the data folder")


def run(arguments: argparse.Namespace) -> int:
    """Do it; `MammoviewError` where it cannot be done."""
    if arguments.action == "keep":
        from app.services.training.keeper import keep

        state = keep(Path(arguments.folder).absolute())
        if state.ended != "finished":
            raise MammoviewError(f"{arguments.folder}: {state.sentence}")
        return 0
    from app.services.training.look import Broken, Looker

    for view in Looker().look_all():
        if isinstance(view, Broken):
            print(f"{view.id}  broken: {view.sentence}")
        else:
            print(f"{view.job.id}  {view.status}: {view.sentence or 'all done'}")
    return 0
