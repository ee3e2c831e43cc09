"""Tables of data sets, read row by row: cells trimmed, numbers strict, paths kept inside their folder.

Nothing here knows a data set. A value that cannot be understood raises ValueError with a few words; the
adapter says which file and line it stands in.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PureWindowsPath

from trainer.errors import TrainerError

_DEPTH, _MOST_FOLDERS = 4, 100_000
"""How far down a table is looked for."""
Line = tuple[int, dict[str, str]]
"""Line number in the file (the last one, of a row over several) and the cells by column name."""

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}(?:\.0*)?")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?")
_MISSING = frozenset({"", "na", "n/a", "nan", "none", "null", "_", "-"})
_SIDES = {"L": "L", "R": "R", "LEFT": "L", "RIGHT": "R"}


def column_name(text: str) -> str:
    """Return a column's name as adapters know it: lower case, words parted by one blank each."""
    return " ".join(text.replace("_", " ").split()).lower()


def _header(path: Path, cells: Sequence[str], aliases: Mapping[str, str]) -> list[str]:
    names = [column_name(cell) for cell in cells]
    names = [aliases.get(name, name) for name in names]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise TrainerError(f"{path}: the column {twice[0]!r} stands there twice")
    return names


def rows_of(
    path: Path, needed: Sequence[str], *, aliases: Mapping[str, str] | None = None, delimiter: str = ","
) -> Iterator[Line]:
    """Give the rows of a CSV file one by one; columns as by `column_name`, cells without outer blanks.

    Parameters
    ----------
    needed
        Columns without which the table is refused.
    aliases
        Other names of a column, as by `column_name`, and the name to use.
    delimiter
        Between cells.

    Raises
    ------
    TrainerError
        The file is missing, no UTF-8, no CSV, lacks a column, or has a row longer than its header.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, delimiter=delimiter)
            names = _header(path, next(reader, []), aliases or {})
            for name in needed:
                if name not in names:
                    raise TrainerError(f"{path}: the table lacks the column {name!r}")
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                if any(cell.strip() for cell in cells[len(names) :]):
                    raise TrainerError(f"{path}: line {reader.line_num} has more cells than the header")
                filled = [cell.strip() for cell in cells] + [""] * (len(names) - len(cells))
                yield reader.line_num, {n: c for n, c in zip(names, filled, strict=False) if n}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TrainerError(f"{path}: the table cannot be read ({error.__class__.__name__})") from error


def is_missing(text: str) -> bool:
    """Tell whether a cell says that there is no value: empty, NA, NaN, None, null, ``_`` or ``-``."""
    return text.strip().lower() in _MISSING


def whole(text: str, what: str, low: int, high: int) -> int:
    """Return a whole number in [low, high]; ``3.0`` is one, ``3.5``, ``1e3``, ``nan`` and ``1_0`` are not."""
    if not _WHOLE.fullmatch(text.strip()):
        raise ValueError(f"{what} {text[:40]!r} is not a whole number")
    found = int(text.strip().partition(".")[0])
    if not low <= found <= high:
        raise ValueError(f"{what} {found} is not within {low} to {high}")
    return found


def decimal(text: str, what: str, low: float, high: float) -> float:
    """Return a decimal number in [low, high]; no ``nan``, ``inf``, comma or underscore."""
    if not _DECIMAL.fullmatch(text.strip()):
        raise ValueError(f"{what} {text[:40]!r} is not a number")
    found = float(text)
    if not low <= found <= high:
        raise ValueError(f"{what} {text} is not within {low:g} to {high:g}")
    return found


def laterality(text: str) -> str:
    """Return L or R of ``L``, ``R``, ``LEFT`` or ``RIGHT`` in any case."""
    found = _SIDES.get(text.strip().upper())
    if found is None:
        raise ValueError(f"{text[:40]!r} is no laterality")
    return found


def age(text: str) -> str:
    """Return an age in whole years as text, "" where none is given."""
    return "" if is_missing(text) else str(whole(text, "age", 0, 120))


def below(root: Path, text: str) -> Path:
    """Return the path that a table names, which must lie below `root`.

    Backslashes part folders too. Nothing is asked of the disk.

    Raises
    ------
    ValueError
        Empty, absolute, with a drive, with ``..`` or with a control character.
    """
    parts = [part for part in text.strip().replace("\\", "/").split("/") if part not in ("", ".")]
    plain = text.strip().replace("\\", "/")
    outside = plain.startswith("/") or ".." in parts or bool(PureWindowsPath(plain).drive)
    if not parts or outside or not plain.isprintable():
        raise ValueError(f"the path {text[:80]!r} does not lead to a place below the data set's folder")
    return root.joinpath(*parts)


def find_table(root: Path, names: Sequence[str]) -> Path | None:
    """Return the first file below `root` with one of these names (any case), nearest folder first."""
    wanted = {name.lower() for name in names}
    level = [root]
    for _ in range(_DEPTH):
        deeper: list[Path] = []
        for folder in level:
            try:
                with os.scandir(folder) as listed:
                    entries = sorted(listed, key=lambda entry: entry.name)
            except OSError:
                continue
            for entry in entries:
                if entry.name.lower() in wanted and entry.is_file():
                    return Path(entry.path)
            deeper += [Path(entry.path) for entry in entries if entry.is_dir()]
        level = deeper[:_MOST_FOLDERS]
    return None
