"""What is asked of trainings, each done off the GUI thread: plain functions that know no Qt."""

from __future__ import annotations

import re
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from app.core.errors import MammoviewError, ReadError
from app.core.manifest import file_sha256
from app.services.inference import shelf
from app.services.training import alive, frozen, history, promotion
from app.services.training.frozen import FrozenTest
from app.services.training.history import Entry, History
from app.services.training.job import (
    Job,
    State,
    Wanted,
    jobs_folder,
    new_id,
    now,
    read_job,
    read_state,
    want,
    write_job,
    write_state,
)
from app.services.training.look import Broken, JobView, Looker, standing
from app.services.training.program import keeper_command, trainer_command
from app.services.training.recipes import RecipeFacts, read_recipe, shipped

FIRST_VERSION: Final = "1.0.0"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the researcher asks for; see `app.services.training.job.Job`.

    Attributes
    ----------
    splits
        "": the patients are divided as the frozen test is.
    epochs, hours
        Budget; 0: what the recipe says, and no limit.
    """

    recipe: str
    manifest: str
    frozen: str
    name: str
    splits: str = ""
    fold: int = 0
    seed: int = 0
    device: str = "auto"
    epochs: int = 0
    hours: float = 0.0
    against: str = ""
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is to choose from, or the sentence why nothing can be trained."""

    recipes: tuple[RecipeFacts, ...] = ()
    frozen: tuple[FrozenTest, ...] = ()
    models: tuple[str, ...] = ()
    history: History = field(default_factory=History)
    problem: str = ""


Report = Callable[[int, int], None]


def look(looker: Looker, *, report: Report) -> tuple[JobView | Broken, ...]:
    """Look at all trainings."""
    return looker.look_all()


def choices(*, report: Report) -> Choices:
    """Return what there is to choose from; what is wrong with it is its `problem`."""
    try:
        trainer_command()
        recipes, tests, kept = shipped(), frozen.find(), history.read()
        return Choices(recipes, tests, tuple(shelf.installed()), kept)
    except MammoviewError as error:
        return Choices(problem=str(error))


def begin(wish: Wish, *, report: Report) -> Job:
    """Check a wish, write its record and start its keeper; `MammoviewError` where it must not be."""
    trainer_command()
    recipe = _recipe(wish.recipe)
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", wish.name) or len(wish.name) > 64:
        raise MammoviewError(
            f"{wish.name or 'no name'}: a model is named by small letters, digits and hyphens"
        )
    known = shelf.installed()
    shelf.need_free(wish.name)
    if wish.against and wish.against not in known:
        raise MammoviewError(f"there is no model named {wish.against} to compare with")
    test = frozen.load(wish.frozen)
    frozen.check_files(test)
    manifest, splits, fold = _divided(wish, test)
    if splits:
        frozen.guard(frozen.find(), Path(manifest), Path(splits), fold)
    job = Job(
        id=new_id(wish.name),
        name=wish.name,
        version=_next_version(wish.name, known),
        recipe=recipe.key,
        manifest=manifest,
        splits=splits,
        fold=fold,
        seed=wish.seed,
        device=wish.device,
        changes=_budget(wish),
        frozen=test.name,
        against=wish.against,
        made=now(),
    )
    write_job(job)
    _start_keeper(job.folder)
    return job


def _recipe(key: str) -> RecipeFacts:
    for one in shipped():
        if one.key == key:
            return one
    found = read_recipe(Path(key).resolve())
    if not found.is_network:
        raise ReadError(found.path, "this recipe trains no network; train it at the command line")
    return found


def _budget(wish: Wish) -> tuple[str, ...]:
    made = list(wish.changes)
    if wish.epochs:
        made.append(f"train.epochs={wish.epochs}")
    if wish.hours:
        made.append(f"train.hours={wish.hours:g}")
    return tuple(made)


def _divided(wish: Wish, test: FrozenTest) -> tuple[str, str, int]:
    """Return manifest, splits and fold; the frozen test's own where it is of the same manifest."""
    path = Path(wish.manifest).resolve()
    if wish.splits:
        return str(path), str(Path(wish.splits).resolve()), wish.fold
    try:
        is_same = file_sha256(path) == test.manifest_sha256
    except OSError as error:
        raise ReadError(path, f"the manifest cannot be read ({error.strerror})") from error
    if is_same:
        return str(test.manifest), str(test.splits), test.fold
    return str(path), "", 0


def _next_version(name: str, known: Mapping[str, shelf.Stated]) -> str:
    """Return a version above all that were made, promoted or installed under a name."""
    taken = [one.version for one in history.read().entries if one.name == name]
    taken += [known[name].version] if name in known else []
    for folder in jobs_folder().iterdir() if jobs_folder().is_dir() else ():
        try:
            job = read_job(folder)
        except MammoviewError:
            continue
        if job.name == name:
            taken.append(job.version)
    numbers = [tuple(map(int, one.split("."))) for one in taken if re.fullmatch(r"\d+\.\d+\.\d+", one)]
    if not numbers:
        return FIRST_VERSION
    major, minor, patch = max(numbers)
    return f"{major}.{minor}.{patch + 1}"


def _start_keeper(folder: Path) -> None:
    """Start the keeper of a training, so that it outlives this window."""
    want(folder, "run")
    command = keeper_command(folder)
    try:
        with (folder / "log.txt").open("ab") as log:
            _reaped.append(
                subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    **alive.detached(),  # type: ignore[call-overload]
                )
            )
    except OSError as error:
        raise ReadError(folder, f"the training cannot be started ({error.strerror or error})") from error
    _reaped[:] = [one for one in _reaped if one.poll() is None]


_reaped: list[subprocess.Popen[bytes]] = []
"""Keepers started here: asked now and then whether they have ended, so that none stays behind as a zombie."""


def tell(name: str, wanted: Wanted, *, report: Report) -> None:
    """Tell the keeper of a training to run, pause or stop."""
    folder = jobs_folder() / name
    if wanted == "pause" and not alive.CAN_PAUSE:
        raise MammoviewError("Windows cannot pause a program; stop the training, and let it go on later")
    want(folder, wanted)
    state = read_state(folder)
    if wanted == "stop" and state and not alive.is_alive(state.keeper) and alive.is_alive(state.process):
        assert state.process is not None
        # Nobody is left to pass it on.
        alive.tell(state.process, signal.SIGTERM)
        _wake(folder, state)  # one that is paused hears of it when it goes on


def go_on(name: str, *, report: Report) -> None:
    """Let a training go on: wake it, or start its keeper again.

    A step that was paused and whose keeper has gone is woken by the window; its end is waited for.
    """
    folder = jobs_folder() / name
    state = read_state(folder)
    if state is not None and state.ended is None and alive.is_alive(state.keeper):
        want(folder, "run")
        return
    if standing(folder, state)[0] == "starting":
        return  # asked twice: its keeper is on the way
    if state is not None and alive.is_alive(state.process):
        _wake(folder, state)
        if state.paused:
            return
        raise MammoviewError("what was begun still runs; wait for its end, or stop it first")
    trainer_command()
    _start_keeper(folder)


def _wake(folder: Path, state: State) -> None:
    """Let a step go on that may be paused, and all that it started, where no keeper is left to do so."""
    if alive.CAN_PAUSE and state.process is not None:
        alive.tell_group(state.process.pid, signal.SIGCONT)
    if state.paused:
        try:
            write_state(folder, replace(state, paused=False))
        except OSError as error:
            raise ReadError(
                folder / "state.json", f"cannot be written ({error.strerror or error})"
            ) from error


def freeze(
    name: str, manifest: Path, splits: Path | None, fold: int, who: str, *, report: Report
) -> FrozenTest:
    """Choose a frozen test, divided by the trainer where no splits are given."""
    if splits is not None:
        return frozen.freeze(name, manifest, splits, fold, who)
    with tempfile.TemporaryDirectory(prefix="mammoview-split-") as scratch:
        made = Path(scratch) / "splits.json"
        command = (*trainer_command(), "split", str(manifest.resolve()), "-o", str(made))
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            said = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
            raise MammoviewError(said[0].removeprefix("mammoview-trainer: "))
        return frozen.freeze(name, manifest, made, 0, who)


def promote(name: str, why: str, who: str, compared: bool, *, report: Report) -> Entry:
    """Put the model of a training into use."""
    return promotion.promote(read_job(jobs_folder() / name), why, who, compared=compared)


def demote(model: str, why: str, who: str, *, report: Report) -> Entry:
    """Bring back what was in use before."""
    return promotion.demote(model, why, who)


def decline(name: str, why: str, who: str, *, report: Report) -> Entry:
    """Write down that a model was not promoted."""
    return promotion.decline(read_job(jobs_folder() / name), why, who)
