"""What was in use when: an append-only file of who promoted, demoted or declined what, when and why."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from app.core.errors import ReadError
from app.services.training.job import now, root

Action = Literal["froze", "promoted", "demoted", "declined"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the history.

    Attributes
    ----------
    name, version
        Of the model (of the frozen test for ``froze``).
    digest
        sha256 of its bundle.json, in which the hashes of its files stand; of a frozen test, its hash.
    before
        Digest of the bundle of this name that was in use before, or "": there was none.
    reading_set, reading_set_before
        The reading set of the settings after and before; empty: all that are installed.
    """

    action: Action
    name: str
    version: str = ""
    digest: str = ""
    who: str = ""
    why: str = ""
    before: str = ""
    reading_set: tuple[str, ...] = ()
    reading_set_before: tuple[str, ...] = ()
    job: str = ""
    t: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """All lines that can be read, oldest first, and how many could not."""

    entries: tuple[Entry, ...] = ()
    damaged: int = 0


def path() -> Path:
    """Return the file."""
    return root() / "history.jsonl"


def append(entry: Entry) -> Entry:
    """Add a line, wait until it is on the disk, and return it with its time; `ReadError` where it fails."""
    kept = Entry(**{**_facts(entry), "t": entry.t or now()})
    target = path()
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(target, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "rb+") as stream:
            # A line that a power cut left without its end must not swallow this one.
            cut = (
                stream.seek(0, os.SEEK_END) > 0
                and stream.seek(-1, os.SEEK_END) >= 0
                and stream.read(1) != b"\n"
            )
            stream.seek(0, os.SEEK_END)
            line = json.dumps(asdict(kept)) + "\n"
            stream.write((("\n" if cut else "") + line).encode())
            stream.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise ReadError(target, f"the history cannot be written ({error.strerror or error})") from error
    return kept


def read() -> History:
    """Return the history; a line that is damaged is counted and left where it is.

    Raises
    ------
    ReadError
        The file is there and cannot be read at all.
    """
    try:
        lines = path().read_bytes().splitlines()
    except FileNotFoundError:
        return History()
    except OSError as error:
        raise ReadError(path(), f"the history cannot be read ({error.strerror})") from error
    found, damaged = [], 0
    for line in lines:
        entry = _entry(line)
        if entry is not None:
            found.append(entry)
        elif line.strip():
            damaged += 1
    return History(tuple(found), damaged)


def _facts(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in Entry.__dataclass_fields__}


def _entry(line: bytes) -> Entry | None:
    try:
        content = json.loads(line)
        lists = {
            name: tuple(str(one) for one in content[name]) for name in ("reading_set", "reading_set_before")
        }
        texts = {name: content[name] for name in Entry.__dataclass_fields__ if name not in lists}
    except (ValueError, TypeError, KeyError):
        return None
    if not all(isinstance(one, str) for one in texts.values()) or texts["action"] not in get_args(Action):
        return None
    facts: dict[str, Any] = texts | lists
    return Entry(**facts)


_LISTS = ("reading_set", "reading_set_before")


def frozen_hash(name: str) -> str | None:
    """Return the hash of a frozen test as it was when it was chosen; None where the history has none."""
    chosen = [one.digest for one in read().entries if one.action == "froze" and one.name == name]
    return chosen[0] if chosen else None


def promotions(entries: Sequence[Entry], name: str) -> tuple[Entry, ...]:
    """Return the promotions of a name that hold, oldest first: each demotion takes the last one back."""
    held: list[Entry] = []
    for entry in entries:
        if entry.name == name and entry.action == "promoted":
            held.append(entry)
        elif entry.name == name and entry.action == "demoted" and held:
            held.pop()
    return tuple(held)
