"""A hanging protocol from its JSON file, versions 1 and 2; docs/hanging.md tells the format.

A file is read whole or refused with one sentence that names it and what is wrong in it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

from app.core.errors import ReadError
from app.core.hanging.protocols import (
    FORMAT,
    LARGEST_GRID,
    MODIFIER_WORDS,
    VERSION,
    VIEWS,
    Modifiers,
    PaneRule,
    Protocol,
    Stage,
    StageSizing,
)

LARGEST_FILE = 1 << 20
"""Bytes beyond which a file is no hanging protocol."""
_STAGE = {"title", "rows", "columns", "panes"}
_STAGE_2 = {"sizing", "walk"}
_PANE_1 = {"laterality", "view", "prior"}
_PANE_2 = {"modifiers", "tile", "needed"}


class _WrongError(Exception):
    """A clause on what is wrong in the file being parsed."""


def read_protocol(path: Path) -> Protocol:
    """Read and check one hanging protocol.

    Raises
    ------
    ReadError
        When the file cannot be read, is no JSON or breaks the format; names file and reason.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ReadError(path, "is too large to be a hanging protocol")
        # Some editors put a byte order mark before the text.
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ReadError(path, error.strerror or "cannot be read") from error
    except (ValueError, RecursionError) as error:
        raise ReadError(path, f"is not a JSON file ({error})") from error
    try:
        protocol = _protocol(data)
        if protocol.name != path.stem:
            raise _WrongError(f"its name {protocol.name!r} is not the file's own")
    except _WrongError as error:
        raise ReadError(path, f"is not a hanging protocol: {error}") from error
    return protocol


def _protocol(data: Any) -> Protocol:
    _keys(data, "the file", {"format", "version", "name", "title", "order", "needs", "stages"}, set())
    if data["format"] != FORMAT:
        raise _WrongError(f"format is not {FORMAT!r}")
    version = data["version"]
    if isinstance(version, bool) or version not in range(1, VERSION + 1):
        raise _WrongError(f"version {version!r} is not 1 or {VERSION}")
    name = _text(data, "name", "the file")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise _WrongError(f"name {name!r} is not made of lower-case letters, digits and hyphens")
    if not isinstance(data["stages"], list) or not data["stages"]:
        raise _WrongError("stages is not a list with at least one stage")
    stages = tuple(_stage(item, f"stage {n}", version) for n, item in enumerate(data["stages"], start=1))
    title = _text(data, "title", "the file")
    order, needs = _number(data, "order", "the file"), _number(data, "needs", "the file")
    return Protocol(name, title, order, needs, stages)


def _stage(data: Any, where: str, version: int) -> Stage:
    _keys(data, where, _STAGE, _STAGE_2 if version > 1 else set())
    rows, columns = _number(data, "rows", where), _number(data, "columns", where)
    if not (1 <= rows <= LARGEST_GRID and 1 <= columns <= LARGEST_GRID):
        raise _WrongError(f"{where} has a grid of {rows} x {columns}")
    if not isinstance(data["panes"], list) or not data["panes"]:
        raise _WrongError(f"{where} has no panes")
    panes = tuple(_pane(item, f"{where}, pane {n}", version) for n, item in enumerate(data["panes"], start=1))
    places = [(pane.row, pane.column) for pane in panes]
    if any(row >= rows or column >= columns for row, column in places):
        raise _WrongError(f"{where} has a pane outside its grid")
    if len(set(places)) < len(places):
        raise _WrongError(f"{where} has two panes in one place")
    sizing, walk = data.get("sizing", "same"), _truth(data, "walk", where)
    if not isinstance(sizing, str) or sizing not in get_args(StageSizing):
        raise _WrongError(f"{where}: sizing {sizing!r} is not same, fit or actual")
    if walk and len(panes) != 1:
        raise _WrongError(f"{where} has a walk but not one pane alone")
    return Stage(_text(data, "title", where), rows, columns, panes, sizing, walk)  # type: ignore[arg-type]


def _pane(data: Any, where: str, version: int) -> PaneRule:
    _keys(data, where, {"row", "column"}, _PANE_1 | (_PANE_2 if version > 1 else set()))
    laterality = data.get("laterality")
    if laterality not in ("R", "L", None):
        raise _WrongError(f"{where}: laterality {laterality!r} is not R or L")
    return PaneRule(
        _number(data, "row", where),
        _number(data, "column", where),
        laterality,
        _view(data.get("view"), where, version),
        _number(data, "prior", where) if "prior" in data else 0,
        _modifiers(data.get("modifiers", "any"), where),
        _number(data, "tile", where) if "tile" in data else 0,
        _truth(data, "needed", where),
    )


def _view(value: Any, where: str, version: int) -> str | tuple[str, ...] | None:
    if value is None:
        return None
    several = isinstance(value, list) and version > 1 and bool(value)
    named = value if several else [value]
    for view in named:
        if not isinstance(view, str) or view not in VIEWS:
            raise _WrongError(f"{where}: view {view!r} is unknown")
    return tuple(named) if several else str(value)


def _modifiers(value: Any, where: str) -> Modifiers:
    if value == "any" or value == "standard":
        return value  # type: ignore[no-any-return]
    if not isinstance(value, list) or not value:
        raise _WrongError(f"{where}: modifiers {value!r} is not any, standard or a list of modifiers")
    for code in value:
        if not isinstance(code, str) or code not in MODIFIER_WORDS:
            raise _WrongError(f"{where}: modifier {code!r} is none of {', '.join(MODIFIER_WORDS)}")
    return tuple(value)


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


def _truth(data: dict[str, Any], key: str, where: str) -> bool:
    value = data.get(key, False)
    if not isinstance(value, bool):
        raise _WrongError(f"{where}: {key} is not true or false")
    return value
