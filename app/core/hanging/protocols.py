"""Hanging protocols as data: the JSON files of ``resources/hanging_protocols``.

One file is one protocol::

    {
      "format": "mammoview-hanging-protocol",   always
      "version": 1,                             of this format
      "name": "cc-pair",                        lower case, digits and hyphens; the file's stem
      "title": "CC pair",                       what the reader sees
      "order": 30,                              place in menus; low first
      "needs": 2,                               views of its first stage a study must have to get it by itself
      "stages": [
        {"title": "CC pair", "rows": 1, "columns": 2, "panes": [
          {"row": 0, "column": 0, "laterality": "R", "view": "CC"},
          {"row": 0, "column": 1, "laterality": "L", "view": "CC", "prior": 0}
        ]}
      ]
    }

``laterality`` and ``view`` may be left out: the pane then takes any. ``prior`` is 0 for the study
itself, 1 for the latest earlier study, and so on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Literal

from app.core.errors import MammoviewError, ReadError

FORMAT = "mammoview-hanging-protocol"
VERSION = 1
VIEWS = frozenset(["CC", "MLO", "ML", "LM", "LMO", "SIO", "ISO", "XCC", "XCCL", "XCCM", "FB", "SPECIMEN"])
LARGEST_GRID = 8


@dataclass(frozen=True, slots=True)
class PaneRule:
    """What one pane of a stage asks for.

    Attributes
    ----------
    row, column
        Place in the grid, 0-based from the top left.
    laterality, view
        None takes any.
    prior
        0 the study itself, n the n-th earlier study counted back.
    """

    row: int
    column: int
    laterality: Literal["R", "L"] | None = None
    view: str | None = None
    prior: int = 0

    @property
    def wants(self) -> str:
        """The request in words: ``RCC``, ``prior LMLO``, ``any image``."""
        what = f"{self.laterality or ''}{self.view or ''}" or "any image"
        return f"{'prior ' * min(self.prior, 1)}{what}"


@dataclass(frozen=True, slots=True)
class Stage:
    """One screenful: a grid and its panes."""

    title: str
    rows: int
    columns: int
    panes: tuple[PaneRule, ...]


@dataclass(frozen=True, slots=True)
class Protocol:
    """A named list of stages; see the module for the meaning of each field."""

    name: str
    title: str
    order: int
    needs: int
    stages: tuple[Stage, ...]


class _WrongError(Exception):
    """A clause on what is wrong in the file being parsed."""


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
    """Read the hanging protocols of a folder, those that are right.

    Returns
    -------
    (protocols, sentences)
        In menu order; one sentence for each file that was refused, naming it and the reason.
    """
    if folder is None:
        with as_file(files("resources").joinpath("hanging_protocols")) as shipped:
            return read_protocols(shipped)
    protocols, refused = [], []
    for path in sorted(folder.glob("*.json")):
        try:
            protocols.append(read_protocol(path))
        except ReadError as error:
            refused.append(str(error))
    return _in_order(protocols), tuple(refused)


def read_protocol(path: Path) -> Protocol:
    """Read and check one hanging protocol.

    Raises
    ------
    ReadError
        When the file cannot be read, is no JSON or breaks the schema; names file and reason.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReadError(path, error.strerror or "cannot be read") from error
    except ValueError as error:
        raise ReadError(path, f"is not a JSON file ({error})") from error
    try:
        protocol = _protocol(data)
        if protocol.name != path.stem:
            raise _WrongError(f"its name {protocol.name!r} is not the file's own")
    except _WrongError as error:
        raise ReadError(path, f"is not a hanging protocol: {error}") from error
    return protocol


def _in_order(found: Iterable[Protocol]) -> tuple[Protocol, ...]:
    return tuple(sorted(found, key=lambda protocol: (protocol.order, protocol.name)))


def _protocol(data: Any) -> Protocol:
    _keys(data, "the file", {"format", "version", "name", "title", "order", "needs", "stages"}, set())
    if data["format"] != FORMAT:
        raise _WrongError(f"format is not {FORMAT!r}")
    if data["version"] != VERSION:
        raise _WrongError(f"version {data['version']!r} is not {VERSION}")
    name = _text(data, "name", "the file")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise _WrongError(f"name {name!r} is not made of lower-case letters, digits and hyphens")
    if not isinstance(data["stages"], list) or not data["stages"]:
        raise _WrongError("stages is not a list with at least one stage")
    stages = tuple(_stage(item, index) for index, item in enumerate(data["stages"], start=1))
    title = _text(data, "title", "the file")
    return Protocol(
        name, title, _number(data, "order", "the file"), _number(data, "needs", "the file"), stages
    )


def _stage(data: Any, number: int) -> Stage:
    where = f"stage {number}"
    _keys(data, where, {"title", "rows", "columns", "panes"}, set())
    rows, columns = _number(data, "rows", where), _number(data, "columns", where)
    if not (1 <= rows <= LARGEST_GRID and 1 <= columns <= LARGEST_GRID):
        raise _WrongError(f"{where} has a grid of {rows} x {columns}")
    if not isinstance(data["panes"], list) or not data["panes"]:
        raise _WrongError(f"{where} has no panes")
    panes = tuple(_pane(item, f"{where}, pane {index}") for index, item in enumerate(data["panes"], start=1))
    places = [(pane.row, pane.column) for pane in panes]
    if any(row >= rows or column >= columns for row, column in places):
        raise _WrongError(f"{where} has a pane outside its grid")
    if len(set(places)) < len(places):
        raise _WrongError(f"{where} has two panes in one place")
    return Stage(_text(data, "title", where), rows, columns, panes)


def _pane(data: Any, where: str) -> PaneRule:
    _keys(data, where, {"row", "column"}, {"laterality", "view", "prior"})
    laterality, view = data.get("laterality"), data.get("view")
    if laterality not in ("R", "L", None):
        raise _WrongError(f"{where}: laterality {laterality!r} is not R or L")
    if view is not None and view not in VIEWS:
        raise _WrongError(f"{where}: view {view!r} is unknown")
    prior = _number(data, "prior", where) if "prior" in data else 0
    return PaneRule(_number(data, "row", where), _number(data, "column", where), laterality, view, prior)


def _keys(data: Any, where: str, needed: set[str], allowed: set[str]) -> None:
    if not isinstance(data, dict):
        raise _WrongError(f"{where} is not an object")
    if missing := sorted(needed - set(data)):
        raise _WrongError(f"{where} lacks {missing[0]}")
    if unknown := sorted(set(data) - needed - allowed):
        raise _WrongError(f"{where} has an unknown field {unknown[0]}")


def _text(data: dict[str, Any], key: str, where: str) -> str:
    value = data[key]
    if not isinstance(value, str) or not value.strip():
        raise _WrongError(f"{where}: {key} is not a text")
    return value


def _number(data: dict[str, Any], key: str, where: str) -> int:
    value = data[key]
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _WrongError(f"{where}: {key} is not a whole number from 0")
    return value
