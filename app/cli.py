"""The command line ``mammoview``: words in, one sentence and an exit code out.

Exit codes: 0 done, 1 the work could not be done, 2 usage. On 1 stderr carries exactly one line.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module

from app.core.errors import MammoviewError
from model_zoo.errors import ModelError

COMMANDS = ("demo", "info", "render", "snapshot", "predict", "models", "training", "self-test")
"""Each is a module of `app.commands` with ``add_arguments(parser)`` and ``run(arguments) -> int``."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    multiprocessing.freeze_support()
    words = list(sys.argv[1:] if argv is None else argv)
    # Warnings of other libraries are notes or log lines, never stderr.
    warnings.simplefilter("ignore")
    logging.getLogger().addHandler(logging.NullHandler())
    logging.lastResort = None
    try:
        return _command(words)
    except BrokenPipeError:
        return 1
    except KeyboardInterrupt:
        return _fail("stopped by the user")
    except MemoryError:
        return _fail(f"{' '.join(words[:2])}: not enough memory")
    except (MammoviewError, ModelError) as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"{error.filename or 'file'}: {(error.strerror or str(error)).lower()}")


def _command(words: list[str]) -> int:
    if words and words[0] in COMMANDS:
        return _run(words[0], words[1:])
    if words and words[0] in ("-h", "--help"):
        print(_overview())
        return 0
    if words and words[0] == "--version":
        from importlib.metadata import version

        print(f"mammoview {version('mammoview')}")
        return 0
    return _run("open", words)


def _run(name: str, words: list[str]) -> int:
    module = import_module(f"app.commands.{name.replace('-', '_')}")
    summary = (module.__doc__ or "").strip().splitlines()[0]
    prog = "mammoview" if name == "open" else f"mammoview {name}"
    parser = argparse.ArgumentParser(prog=prog, description=summary)
    module.add_arguments(parser)
    try:
        arguments = parser.parse_args(words)
    except SystemExit as stop:  # argparse ends the process; a function that returns a code is testable
        return int(stop.code or 0)
    run: Callable[[argparse.Namespace], int] = module.run
    return run(arguments)


def _overview() -> str:
    lines = [
        "usage: mammoview [PATH ...]     open the workstation on files, folders, a DICOMDIR",
        "       mammoview COMMAND ...    one of:",
    ]
    for name in COMMANDS:
        module = import_module(f"app.commands.{name.replace('-', '_')}")
        lines.append(f"  {name:10} {(module.__doc__ or '').strip().splitlines()[0]}")
    lines.append("mammoview COMMAND --help tells each command's options.")
    return "\n".join(lines)


def _fail(sentence: str) -> int:
    print(f"mammoview: {' '.join(sentence.split())}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
