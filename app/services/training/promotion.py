"""Promoting a model into use, demoting it again, and the archive from which the old one comes back.

The archive holds a copy of every bundle that was in use, by the hash of its bundle.json, so that what the
history names can always be brought back. What comes with Mammoview is never touched.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from app.core import settings
from app.core.errors import MammoviewError, ReadError
from app.services.inference import shelf
from app.services.inference.shelf import Stated
from app.services.training import history
from app.services.training.history import Entry
from app.services.training.job import Job, root


def archive_folder() -> Path:
    """Return the folder of the bundles that are or were in use."""
    return root() / "archive"


def _archive(one: Stated) -> Path:
    """Keep a copy of a bundle; returns its folder."""
    target = archive_folder() / one.digest[:16] / one.name
    if target.is_dir() and shelf.stated(target).digest == one.digest:
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".keeping-", dir=target.parent) as name:
            fresh = Path(name) / one.name
            shutil.copytree(one.folder, fresh)
            shutil.rmtree(target, ignore_errors=True)
            fresh.rename(target)
    except OSError as error:
        raise ReadError(target, f"the model cannot be kept ({error.strerror or error})") from error
    return target


def _need_reason(why: str) -> str:
    line = " ".join(why.split())
    if not line:
        raise MammoviewError("say in one line why: it is kept in the history")
    return line


def reading_set(before: Sequence[str], installed: Sequence[str], old: str, new: str) -> tuple[str, ...]:
    """Return the reading set in which `new` takes the place of `old`.

    Parameters
    ----------
    before
        The set as it is; empty: all that are installed.
    installed
        Names of all models of images.
    old
        The model that is replaced; "" or the same name: none, and a set of all stays one of all.
    """
    if not before and old in ("", new):
        return ()
    named = [new if one == old else one for one in before or installed]
    return tuple(dict.fromkeys(named if new in named else [*named, new]))


def promote(job: Job, why: str, who: str, *, compared: bool) -> Entry:
    """Put a training's model into use and return the line of the history.

    Parameters
    ----------
    why
        One line; needed.
    compared
        Whether it was compared with ``job.against``, whose place in the reading set it then takes.

    Raises
    ------
    MammoviewError
        No reason, a bundle that is refused or bears the name of a shipped one, a disk that cannot be written.
    """
    line = _need_reason(why)
    new = shelf.stated(job.bundle)
    shelf.need_free(new.name)
    before = shelf.installed()
    old = before.get(new.name)
    if old is not None and old.digest == new.digest:
        raise MammoviewError(f"{new.name} {new.version} is in use already")
    _archive(new)
    if old is not None:
        _archive(old)
    chosen = settings.load().models
    taken = reading_set(chosen, [*before, new.name], job.against if compared else "", new.name)
    entry = Entry(
        "promoted",
        new.name,
        new.version,
        new.digest,
        who,
        line,
        old.digest if old else "",
        taken,
        chosen,
        job.id,
    )
    return _exchange(entry, job.bundle, old)


def demote(name: str, why: str, who: str) -> Entry:
    """Bring back what was in use before a model was promoted; returns the line of the history.

    Raises
    ------
    MammoviewError
        No reason, nothing promoted under that name, or the old bundle is not in the archive any more.
    """
    line = _need_reason(why)
    held = history.promotions(history.read().entries, name)
    if not held:
        raise MammoviewError(f"{name}: nothing was promoted under this name that could be taken back")
    last = held[-1]
    now = shelf.installed().get(name)
    if now is not None:
        _archive(now)
    back = _archived(last.before, name) if last.before else None
    chosen = settings.load().models
    # A set that the reader has changed since is left alone, but for the model that goes.
    taken = (
        last.reading_set_before if chosen == last.reading_set else _without(chosen, name, back is not None)
    )
    entry = Entry(
        "demoted",
        name,
        back.version if back else "",
        back.digest if back else "",
        who,
        line,
        now.digest if now else "",
        taken,
        chosen,
        last.job,
    )
    return _exchange(entry, back.folder if back else None, now)


def _without(chosen: tuple[str, ...], name: str, stays: bool) -> tuple[str, ...]:
    return chosen if stays else tuple(one for one in chosen if one != name)


def _archived(digest: str, name: str) -> Stated:
    folder = archive_folder() / digest[:16] / name
    if not folder.is_dir():
        raise ReadError(folder, "the model that was in use before is not in the archive any more")
    found = shelf.stated(folder)
    if found.digest != digest:
        raise ReadError(folder, "the model in the archive is not the one that was in use before")
    return found


def _exchange(entry: Entry, new: Path | None, old: Stated | None) -> Entry:
    """Put `new` (None: nothing) in place of `old`, with settings and history, or leave all as it was."""
    back = archive_folder() / old.digest[:16] / old.name if old else None
    if new is not None:
        shelf.put(new)
    elif old is not None:
        shelf.take_away(old.name)
    try:
        _read_with(entry.reading_set, entry.reading_set_before)
        try:
            return history.append(entry)
        except MammoviewError:
            _read_with(entry.reading_set_before, entry.reading_set)
            raise
    except MammoviewError:
        if back is not None:
            shelf.put(back)
        else:
            shelf.take_away(entry.name)
        raise


def _read_with(models: tuple[str, ...], before: tuple[str, ...]) -> None:
    if models != before:
        settings.save(replace(settings.load(), models=models))


def decline(job: Job, why: str, who: str) -> Entry:
    """Write down that a training's model was not promoted, and why."""
    return history.append(
        Entry("declined", job.name, job.version, who=who, why=" ".join(why.split()), job=job.id)
    )
