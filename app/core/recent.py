"""What was opened lately: a short list of paths in the config folder, newest first."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from app.core.errors import ReadError
from app.core.settings import config_folder

FILE_NAME = "recent.json"
MOST = 12
MOST_PATHS = 64
"""Of one opening; of more, the folder they lie in is kept."""

Opened = tuple[Path, ...]
"""The files and folders that were opened together."""


def load(path: Path | None = None) -> tuple[Opened, ...]:
    """Return what was opened lately; a missing or damaged file is an empty list.

    Parameters
    ----------
    path
        The list; None: ``recent.json`` in `app.core.settings.config_folder`.
    """
    path = path or config_folder() / FILE_NAME
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    if not isinstance(data, list):
        return ()
    good = [
        each for each in data if isinstance(each, list) and each and all(isinstance(p, str) for p in each)
    ]
    return tuple(tuple(Path(name) for name in each) for each in good[:MOST])


def added(recent: tuple[Opened, ...], paths: Iterable[Path]) -> tuple[Opened, ...]:
    """Return the list with an opening put first; one that is in it already moves up."""
    opened = tuple(dict.fromkeys(path.absolute() for path in paths))
    if len(opened) > MOST_PATHS:
        opened = tuple(dict.fromkeys(path.parent for path in opened))[:MOST_PATHS]
    if not opened:
        return recent
    return (opened, *(each for each in recent if each != opened))[:MOST]


def save(recent: tuple[Opened, ...], path: Path | None = None) -> None:
    """Write the list in one step, for the user's eyes only: a folder's name may be a person's.

    Raises
    ------
    ReadError
        When it cannot be written; names file and reason.
    """
    path = path or config_folder() / FILE_NAME
    temporary = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps([[str(each) for each in opened] for opened in recent]), "utf-8")
        temporary.replace(path)
    except (OSError, UnicodeEncodeError) as error:
        raise ReadError(path, f"cannot be written ({error})") from error


def title(opened: Opened) -> str:
    """Return how an opening is called in a menu: the last parts of its path, and how many more."""
    first = opened[0]
    name = "/".join(first.parts[-2:]) if first.parent != first else str(first)
    return name if len(opened) == 1 else f"{name} and {len(opened) - 1} more"
