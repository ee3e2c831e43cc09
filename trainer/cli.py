"""The command line ``mammoview-trainer``: from a folder of images to a bundle with honest numbers.

Exit codes: 0 done, 1 the work could not be done (exactly one line on stderr), 2 usage.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import sys
import warnings
from collections.abc import Sequence

from app.core.errors import Cancelled, MammoviewError
from app.core.memory import keep_memory
from model_zoo.errors import ModelError
from trainer.commands import curation, data, explaining, measuring, training
from trainer.processes import leads


def _need_no_splits(arguments: argparse.Namespace) -> None:
    """End as argparse does where --splits is missing, unless the recipe is of descriptors."""
    from trainer.descriptors import commands
    from trainer.leakage_demo import is_demo

    if not commands.takes_tables(arguments.recipe, ()) and not is_demo(arguments.recipe):
        parser().error("fit: the following arguments are required: --splits")


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    made = argparse.ArgumentParser(prog="mammoview-trainer", description=__doc__)
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for group in (data, training, measuring, explaining, curation):
        group.add_arguments(commands)
    return made


def _fail(sentence: str) -> int:
    line = f"mammoview-trainer: {' '.join(sentence.split())}"
    if leads():
        print(line, file=sys.stderr)
    else:
        # Several processes mostly fail for one reason: the leader says it, trainer.log holds the rest.
        logging.getLogger("trainer").error(line)
    return 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    multiprocessing.freeze_support()
    if argv is None:
        # The process is this program's own: nobody else lives in it who would want the memory back.
        keep_memory()
    warnings.simplefilter("ignore")
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    # Warns as soon as it is imported where triton is missing, as in a frozen build.
    logging.getLogger("torch.utils.flop_counter").setLevel(logging.ERROR)
    try:
        arguments = parser().parse_args(argv)
        if arguments.command == "fit" and not arguments.splits:
            _need_no_splits(arguments)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    try:
        arguments.run(arguments)
    except (MammoviewError, ModelError) as error:
        return _fail(str(error))
    except Cancelled:
        return _fail(f"{arguments.command}: cancelled")
    except KeyboardInterrupt:
        return _fail(f"{arguments.command}: interrupted")
    except OSError as error:
        place = error.filename or getattr(arguments, "output", None) or arguments.command
        return _fail(f"{place}: {error.strerror or error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
