"""How a training stands, looked up from its folder: one frozen picture for whoever shows it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from app.core.errors import MammoviewError
from app.services.training import alive
from app.services.training.events import EventReader, Progress
from app.services.training.job import Job, State, jobs_folder, read_job, read_state, wanted_of
from app.services.training.keeper import tail, where
from app.services.training.plan import COMPARE, EVALUATE, EXPORT, FIT, WORDS, steps
from app.services.training.results import Results, read_results

Status = Literal["starting", "running", "paused", "stopping", "finished", "stopped", "failed"]
BUSY: Final = ("starting", "running", "paused", "stopping")

GRACE_S: Final = 60.0
"""How long a keeper may take to begin before its training counts as failed."""
LOG_BYTES: Final = 16_384


@dataclass(frozen=True, slots=True)
class JobView:
    """One training as it stands.

    Attributes
    ----------
    status
        What it does, or how it ended.
    sentence
        Why it ended, or what it is doing.
    resumable
        Whether it can go on from where it ended.
    log
        The end of its log.
    results
        What was measured; None before that.
    """

    job: Job
    status: Status
    sentence: str
    step: str
    done: tuple[str, ...]
    progress: Progress
    log: str = ""
    results: Results | None = None
    resumable: bool = False

    @property
    def is_busy(self) -> bool:
        """True while something runs, or is stopped for a while."""
        return self.status in BUSY

    @property
    def has_model(self) -> bool:
        """True once there is a bundle that could be put into use, measured on the frozen test."""
        return EXPORT in self.done and EVALUATE in self.done

    @property
    def was_compared(self) -> bool:
        """True once it was compared with the model in use."""
        return COMPARE in self.done


@dataclass(frozen=True, slots=True)
class Broken:
    """A folder of a training whose record cannot be read, and the sentence why."""

    id: str
    sentence: str


class Looker:
    """Looks at all trainings again and again and reads only what was added; for one thread at a time."""

    def __init__(self) -> None:
        self._readers: dict[str, EventReader] = {}
        self._rest: dict[str, tuple[float, JobView]] = {}

    def look_all(self) -> tuple[JobView | Broken, ...]:
        """Return every training in the data folder, the newest first."""
        place = jobs_folder()
        folders = (
            sorted((one for one in place.iterdir() if one.is_dir()), reverse=True) if place.is_dir() else []
        )
        return tuple(self.look(folder) for folder in folders if not folder.name.startswith("."))

    def look(self, folder: Path) -> JobView | Broken:
        """Return one training; a damaged record is a `Broken`."""
        try:
            stamp = _stamp(folder)
            known = self._rest.get(folder.name)
            if known is not None and known[0] == stamp:
                return known[1]
            view = self._look(folder)
        except (MammoviewError, OSError) as error:
            return Broken(folder.name, str(error))
        if not view.is_busy:
            self._rest[folder.name] = (stamp, view)
        else:
            self._rest.pop(folder.name, None)
        return view

    def _look(self, folder: Path) -> JobView:
        job, state = read_job(folder), read_state(folder)
        reader = self._readers.setdefault(folder.name, EventReader(folder / "events.jsonl"))
        progress = reader.read()
        status, sentence = standing(folder, state)
        # What was found dead may have told its end just before: what was written since is believed.
        while status == "failed" and (again := read_state(folder)) != state:
            state = again
            status, sentence = standing(folder, state)
        kept = state or State()
        results = read_results(folder) if EVALUATE in kept.done else None
        if results is not None and kept.failures:
            results = _with_problems(results, kept)
        return JobView(
            job=job,
            status=status,
            sentence=sentence,
            step=kept.step or steps(job)[0],
            done=kept.done,
            progress=progress,
            log=tail(folder / "log.txt", LOG_BYTES),
            results=results,
            resumable=status in ("stopped", "failed"),
        )


def _with_problems(results: Results, state: State) -> Results:
    return replace(results, problems=(*results.problems, *state.failures.values()))


def _stamp(folder: Path) -> float:
    """Return when the record of a training was last changed, by its keeper or by the window."""
    times = [0.0]
    for name in ("job.json", "state.json", "wanted"):
        path = folder / name
        if path.exists():
            times.append(path.stat().st_mtime)
    return max(times)


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return float("inf")


def standing(folder: Path, state: State | None) -> tuple[Status, str]:
    """Return what a training does and the sentence for it; asks the machine which processes are alive."""
    wanted, fresh = wanted_of(folder), _age(folder / "wanted") < GRACE_S
    if state is None:
        if fresh and wanted != "stop":
            return "starting", "Starting."
        return "failed", "It was never begun: its keeper could not be started, or was ended at once."
    # Just asked to go on again: the keeper has not written yet.
    asked = fresh and wanted == "run" and _age(folder / "wanted") < _age(folder / "state.json")
    what = WORDS.get(state.step, state.step)
    if state.ended is not None:
        return ("starting", "Starting.") if asked else (state.ended, state.sentence)
    if alive.is_alive(state.keeper):
        if wanted == "stop":
            return "stopping", "Stopping, once the present batch is done."
        return ("paused", "Paused.") if state.paused else ("running", _sentence(what))
    if alive.is_alive(state.process):
        if state.paused:
            return "paused", "Paused. Its keeper was ended; when it goes on, the next step waits for you."
        return (
            "running",
            "Its keeper was ended; what it had begun goes on. The next step waits for you.",
        )
    if asked:
        return "starting", "Starting."
    place = f" {where(folder, killed=True)}" if state.step == FIT else ""
    return "failed", f"Ended from outside while {what} (killed, or the machine went down){place}."


def _sentence(what: str) -> str:
    return f"{what[:1].upper()}{what[1:]}." if what else "Starting."
