"""A training as the workstation keeps it: one folder with what was asked, how it stands, and all it made.

``job.json`` (what was asked; written once), ``state.json`` (how it stands; written by the keeper process
alone), ``wanted`` (run, pause or stop; written by the window), ``events.jsonl``, ``log.txt``, ``run/``,
``bundles/``, ``report/``, ``comparison/``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast

from app.core.errors import ReadError
from app.core.files import write_json, write_text
from app.core.settings import data_folder
from app.services.training import alive
from app.services.training.alive import Process

JOB_FORMAT = "mammoview-training-job"
STATE_FORMAT = "mammoview-training-state"
VERSION = 1

Wanted = Literal["run", "pause", "stop"]
Ending = Literal["finished", "stopped", "failed"]


def root() -> Path:
    """Return the folder of all that this room keeps, in the reader's data folder."""
    return data_folder() / "training"


def jobs_folder() -> Path:
    """Return the folder of all trainings."""
    return root() / "jobs"


@dataclass(frozen=True, slots=True)
class Job:
    """What was asked of a training.

    Attributes
    ----------
    id
        Name of its folder in `jobs_folder`.
    name, version
        Of the model that it makes.
    recipe
        Name or file of the recipe; `changes` are ``key=value`` as of ``fit --set``.
    manifest, splits
        Files; without `splits` the patients are divided by the frozen test.
    fold
        0-based.
    frozen
        Name of the frozen test that it is measured on.
    against
        Name of the model it is compared with, or "".
    made
        When it was asked for, ISO 8601, UTC.
    """

    id: str
    name: str
    version: str
    recipe: str
    manifest: str
    splits: str
    fold: int
    seed: int
    device: str
    changes: tuple[str, ...]
    frozen: str
    against: str
    made: str

    @property
    def folder(self) -> Path:
        """Where everything of it lies."""
        return jobs_folder() / self.id

    @property
    def bundle(self) -> Path:
        """The bundle that it makes."""
        return self.folder / "bundles" / self.name


@dataclass(frozen=True, slots=True)
class State:
    """How a training stands, as its keeper wrote it last.

    Attributes
    ----------
    keeper, process
        The process that runs the steps one after another, and that of the present step.
    step
        The present step, or the last one.
    done
        Steps that ended well.
    ended, sentence
        How it ended and why; None while it runs.
    failures
        What went wrong in steps that the others do not need, by step.
    """

    keeper: Process | None = None
    process: Process | None = None
    step: str = ""
    done: tuple[str, ...] = ()
    paused: bool = False
    ended: Ending | None = None
    sentence: str = ""
    failures: Mapping[str, str] = field(default_factory=dict)


def now() -> str:
    """Return the present moment as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def new_id(name: str) -> str:
    """Return an id for a training of a model that is not taken."""
    stem = f"{datetime.now():%Y%m%d-%H%M%S}-{name}"
    number, made = 1, stem
    while (jobs_folder() / made).exists():
        number += 1
        made = f"{stem}-{number}"
    return made


def write_job(job: Job) -> None:
    """Make the folder of a training, for its owner's eyes alone; `ReadError` where it cannot be made."""
    try:
        job.folder.mkdir(parents=True, mode=0o700)
        write_json(
            job.folder / "job.json", {"format": JOB_FORMAT, "version_of_format": VERSION, **asdict(job)}
        )
    except OSError as error:
        raise ReadError(job.folder, f"cannot be written ({error.strerror or error})") from error


def read_job(folder: Path) -> Job:
    """Return what was asked of a training; `ReadError` where its record is missing, damaged or newer."""
    path = folder / "job.json"
    content = _read(path, JOB_FORMAT, "version_of_format")
    try:
        facts = {name: content[name] for name in Job.__dataclass_fields__}
        whole = all(isinstance(value, str) for key, value in facts.items() if key not in _NOT_TEXT)
        whole = whole and type(facts["fold"]) is int and type(facts["seed"]) is int
        if not whole or facts["id"] != folder.name:
            raise ValueError
        changes = tuple(str(one) for one in facts["changes"])
    except (KeyError, TypeError, ValueError) as error:
        raise ReadError(path, "the record of this training is damaged") from error
    return Job(**{**facts, "changes": changes})


_NOT_TEXT = ("fold", "seed", "changes")


def write_state(folder: Path, state: State) -> None:
    """Write how a training stands, whole or not at all."""
    content = {
        **asdict(state),
        "keeper": state.keeper.to_json() if state.keeper else None,
        "process": state.process.to_json() if state.process else None,
    }
    write_json(folder / "state.json", {"format": STATE_FORMAT, "version": VERSION, **content})


def read_state(folder: Path) -> State | None:
    """Return how a training stands; None before its keeper has begun; `ReadError` for a damaged record."""
    path = folder / "state.json"
    if not path.exists():
        return None
    content = _read(path, STATE_FORMAT, "version")
    try:
        ended = content["ended"]
        if ended not in (None, "finished", "stopped", "failed"):
            raise ValueError
        return State(
            keeper=alive.of_json(content["keeper"]),
            process=alive.of_json(content["process"]),
            step=str(content["step"]),
            done=tuple(str(one) for one in content["done"]),
            paused=bool(content["paused"]),
            ended=cast("Ending | None", ended),
            sentence=str(content["sentence"]),
            failures={str(key): str(value) for key, value in content["failures"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReadError(path, "the record of this training is damaged") from error


def _read(path: Path, form: str, version: str) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReadError(path, f"the record of a training cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ReadError(path, "the record of this training is damaged") from error
    if not isinstance(content, dict) or content.get("format") != form:
        raise ReadError(path, "is no record of a training")
    if content.get(version) != VERSION:
        raise ReadError(path, f"version {content.get(version)} is not known to this program")
    return content


def want(folder: Path, wanted: Wanted) -> None:
    """Tell the keeper of a training what is wanted of it; `ReadError` where that cannot be written."""
    try:
        write_text(folder / "wanted", wanted)
    except OSError as error:
        raise ReadError(folder / "wanted", f"cannot be written ({error.strerror or error})") from error


def wanted_of(folder: Path) -> Wanted:
    """Return what is wanted of a training; run where nothing was said."""
    try:
        text = (folder / "wanted").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return "run"
    return cast(Wanted, text) if text in ("run", "pause", "stop") else "run"
