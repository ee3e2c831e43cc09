"""The recipes there are: TOML files that come with the trainer, or the user's own."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.errors import ReadError
from app.services.training.program import recipes_folder


@dataclass(frozen=True, slots=True)
class RecipeFacts:
    """What is said of a recipe before it is chosen.

    Attributes
    ----------
    path
        Its file; `key` is what the trainer is told: the name of a recipe that comes with it, else the file.
    epochs
        How many it trains unless told otherwise; 0: it does not say.
    """

    key: str
    path: Path
    name: str
    title: str
    task: str
    epochs: int

    @property
    def is_network(self) -> bool:
        """True for a recipe that trains on images, epoch by epoch, and ends as a bundle."""
        return bool(self.task) and self.task != "descriptors"


def read_recipe(path: Path, key: str | None = None) -> RecipeFacts:
    """Return what a recipe says of itself; `ReadError` where it is none."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReadError(path, f"the recipe cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ReadError(path, "is no recipe (not a TOML file)") from error
    name = content.get("name")
    if not isinstance(name, str) or not name:
        raise ReadError(path, "is no recipe (it has no name)")
    train: Any = content.get("train", {})
    epochs = train.get("epochs", 0) if isinstance(train, dict) else 0
    title, task = content.get("title", name), content.get("task", "")
    is_network = isinstance(content.get("networks"), dict)
    return RecipeFacts(
        key or str(path.resolve()),
        path,
        name,
        str(title),
        str(task) if is_network else "",
        epochs if isinstance(epochs, int) and not isinstance(epochs, bool) else 0,
    )


def shipped() -> tuple[RecipeFacts, ...]:
    """Return the recipes of networks that come with the trainer, by name; none in an edition without it."""
    folder = recipes_folder()
    if folder is None:
        return ()
    found = [read_recipe(path, path.stem) for path in sorted(folder.glob("*.toml"))]
    return tuple(one for one in found if one.is_network)
