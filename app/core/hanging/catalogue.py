"""All hanging protocols: those shipped with Mammoview, and the reader's own."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import as_file, files
from pathlib import Path

from app.core.errors import MammoviewError, ReadError
from app.core.hanging.parsing import read_protocol
from app.core.hanging.protocols import Protocol
from app.core.settings import config_folder

FOLDER = "hanging_protocols"
"""Of JSON files: among the resources, and in the folder of the settings."""


def load_protocols(folder: Path | None = None) -> tuple[Protocol, ...]:
    """Read all hanging protocols of a folder, in menu order.

    Parameters
    ----------
    folder
        Where the JSON files lie; None: those shipped with Mammoview.

    Raises
    ------
    MammoviewError
        Naming the first file that is wrong, and why.
    """
    protocols, refused = read_protocols(folder)
    if refused:
        raise MammoviewError(refused[0])
    return protocols


def read_protocols(folder: Path | None = None) -> tuple[tuple[Protocol, ...], tuple[str, ...]]:
    """Read the hanging protocols of a folder (None: those shipped), those that are right.

    Returns
    -------
    (protocols, sentences)
        In menu order; one sentence for each file that was refused, naming it and the reason.
    """
    if folder is None:
        with as_file(files("resources").joinpath(FOLDER)) as shipped:
            return read_protocols(shipped)
    protocols, refused = [], []
    for path in sorted(folder.glob("*.json")):
        try:
            protocols.append(read_protocol(path))
        except ReadError as error:
            refused.append(str(error))
    return _in_order(protocols), tuple(refused)


def all_protocols(folder: Path | None = None) -> tuple[tuple[Protocol, ...], tuple[str, ...]]:
    """Read the shipped protocols and the reader's own; one of the reader's takes the place of its namesake.

    Parameters
    ----------
    folder
        The reader's; None: ``hanging_protocols`` in the folder of the settings. It need not exist.

    Returns
    -------
    (protocols, sentences)
        As `read_protocols` gives them.
    """
    shipped, wrong = read_protocols()
    own, refused = read_protocols(config_folder() / FOLDER if folder is None else folder)
    merged = {protocol.name: protocol for protocol in (*shipped, *own)}
    return _in_order(merged.values()), (*wrong, *refused)


def _in_order(found: Iterable[Protocol]) -> tuple[Protocol, ...]:
    return tuple(sorted(found, key=lambda protocol: (protocol.order, protocol.name)))
