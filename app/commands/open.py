"""Open the mammography workstation on files, folders or a DICOMDIR.

Other commands: mammoview --help.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from app.commands.window import open_window, require_display
from app.core.errors import ReadError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare PATH ..."""
    parser.add_argument("paths", metavar="PATH", nargs="*")


def run(arguments: argparse.Namespace) -> int:
    """Show the main window until it is closed."""
    paths = [Path(path) for path in arguments.paths]
    for path in paths:
        if not path.exists():
            raise ReadError(path, "there is no such file or folder")
    require_display()
    workstation = open_window()
    workstation.window.show()
    if paths:
        workstation.session.open_paths(paths)
    return workstation.run()
