"""Heat maps over the case on screen: asked of a worker process, kept by case, under the usual rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from app.core.audit.cases import AuditModel
from app.core.audit.verdicts import identity
from app.core.reading.findings import Evidence, SecondLook
from app.core.settings import Device
from app.services import maps
from app.services.audit.state import AuditState
from app.services.audit.table import sentence_of
from app.services.inference.case_map import look_at_case, no_look
from app.services.inference.process import InferenceProcess
from app.services.jobs import Job, Jobs
from app.services.kept import Kept

LOOKS = 200
"""Most looks kept; a map on its native grid takes tens of kilobytes (144 x 80 of float32: 46)."""

Key = tuple[str, str]
"""(model, image): what a map depends on."""


@dataclass(frozen=True, slots=True)
class CaseMap:
    """One model's heat map of the case on screen.

    Attributes
    ----------
    look
        A look of this one image, as the rules of `app.services.maps` want it; None: it is not there yet.
    asked
        Name of the model where the reader asked for a map that is not drawn unasked; else empty.
    """

    model: str
    look: SecondLook | None = None
    asked: str = ""

    @property
    def looks(self) -> tuple[SecondLook, ...]:
        """The look as the rules want it."""
        return () if self.look is None else (self.look,)

    @property
    def evidence(self) -> Evidence | None:
        """What is drawn, or None."""
        if self.look is None or not self.look.views:
            return None
        return maps.evidence_at(self.looks, self.look.views[0].key, self.asked)

    @property
    def failure(self) -> str:
        """Why there is no map, as a clause; empty: there is one, or it is being made."""
        if self.look is None or any(view.evidence is not None for view in self.look.views):
            return ""
        said = next((view.reason for view in self.look.views if view.reason), "")
        return said or next(iter(self.look.remarks), "the model makes no heat maps")


@dataclass(frozen=True, slots=True)
class MapsState:
    """Heat maps of the case on screen, by model; empty while none are wanted, or while they are hidden."""

    wanted: bool = False
    of: tuple[CaseMap, ...] = ()

    @property
    def waits(self) -> bool:
        """True where a map is not drawn before the reader asks for it, and asking is enough."""
        return any(
            maps.held_back(each.looks, each.asked) and bool(maps.on_request(each.looks, each.asked))
            for each in self.of
        )


class CaseMaps(QObject):
    """Makes the maps of the case on screen while they are wanted.

    A map that was begun is finished and kept when the reader goes on; then the case on screen is next.

    Signals
    -------
    changed(MapsState)

    Parameters
    ----------
    process
        That runs the models, for tests; None: one of its own, started with the first map.
    """

    changed = Signal(object)

    def __init__(self, parent: QObject | None = None, process: InferenceProcess | None = None) -> None:
        super().__init__(parent)
        self._state = MapsState()
        self._audit = AuditState()
        self._folders: Mapping[str, Path] = {}
        self._device: Device = "auto"
        self._process = process or InferenceProcess()
        self._jobs = Jobs(1, self)
        self._job: Job | None = None
        self._kept: Kept[Key, SecondLook] = Kept(LOOKS)
        self._failed: dict[Key, SecondLook] = {}
        self._asked: frozenset[tuple[str, int]] = frozenset()  # that failed their tests: (model, exam)
        self._requested: frozenset[int] = frozenset()  # exams on which the reader turned the maps on

    @property
    def state(self) -> MapsState:
        """What widgets show."""
        return self._state

    def present(self, state: AuditState, folders: Mapping[str, Path], device: Device) -> None:
        """Follow the audit: another case, another data set, a blinded reading that hides the model.

        Parameters
        ----------
        folders
            By model's name its bundle's folder, as far as it is known.
        """
        if _rows(state) is not _rows(self._audit):  # what a manifest states of an image is part of its map
            self._asked, self._requested = frozenset(), frozenset()
            self._kept = Kept(LOOKS)
            self._failed.clear()
        self._audit, self._folders, self._device = state, folders, device
        self._resolve()

    def show(self, wanted: bool) -> None:
        """Show or hide heat maps; to show them is the request that a model outside its domain waits for."""
        exam = self._exam()
        if wanted and exam is not None:
            self._requested |= {exam}
        self._failed.clear()  # what failed is tried again
        self._resolve(wanted)

    def show_anyway(self, model: str) -> None:
        """Draw a model's map that failed its tests, over the images of this exam."""
        exam = self._exam()
        if exam is not None:
            self._asked |= {(model, exam)}
        self._resolve()

    def stop(self) -> None:
        """End the job and the process."""
        if self._job is not None:
            self._job.cancel()
        self._job = None
        self._process.interrupt()  # else its job is waited for
        self._jobs.close()
        self._process.stop()

    # Within

    def _exam(self) -> int | None:
        table, row = self._audit.table, self._audit.current
        return None if table is None or row is None else int(table.exam[row])

    def _models(self, wanted: bool) -> tuple[AuditModel, ...]:
        table, row = self._audit.table, self._audit.current
        if table is None or row is None or not wanted or self._audit.model_hidden(row):
            return ()
        return tuple(answers.model for answers in table.answers)

    def _resolve(self, wanted: bool | None = None) -> None:
        """Work out what is shown, and ask for what is not there; None: maps are wanted as before."""
        if wanted is None:
            wanted = self._state.wanted
        exam = self._exam()
        made = []
        for model in self._models(wanted):
            key = self._key(model)
            look = self._kept.get(key) or self._failed.get(key)
            asked = model.name if (model.name, exam) in self._asked else ""
            if look is not None and not asked and exam in self._requested:
                asked = maps.on_request((look,), "")  # never one that failed its tests
            made.append(CaseMap(model.name, look, asked))
        state = replace(self._state, wanted=wanted, of=tuple(made))
        if state != self._state:
            self._state = state
            self.changed.emit(state)
        self._begin()

    def _key(self, model: AuditModel, row: int | None = None) -> Key:
        table, current = self._audit.table, self._audit.current
        assert table is not None
        assert current is not None
        facts = table.rows[current if row is None else row]
        return (model.digest or f"{model.name} {model.version}", identity(facts))

    def _begin(self) -> None:
        """Ask for the first map of the case on screen that is not there, unless one is being made."""
        table, row = self._audit.table, self._audit.current
        if self._job is not None or table is None or row is None:
            return
        for each, model in zip(self._state.of, self._models(self._state.wanted), strict=True):
            if each.look is None:
                places = (row, *(other for other in table.of_exam(row) if other != row))
                exam = tuple(table.rows[place] for place in places)
                keys = tuple(self._key(model, place) for place in places)
                work = (self._process, model, self._folders.get(model.name), exam, self._device)
                self._job = Job(look_at_case, work, tag=(_rows(self._audit), model, keys))
                self._jobs.start(
                    self._job, done=self._on_looked, failed=self._on_not_looked, ended=self._on_ended
                )
                return

    @Slot(object, object)
    def _on_looked(self, job: Job, looks: tuple[SecondLook, ...]) -> None:
        rows, _, keys = _tag(job)
        if rows is _rows(self._audit):
            for key, look in zip(keys, looks, strict=False):
                self._kept.put(key, look)

    @Slot(object, object)
    def _on_not_looked(self, job: Job, error: Exception) -> None:
        rows, model, keys = _tag(job)
        if rows is _rows(self._audit):
            self._failed[keys[0]] = no_look(model, sentence_of(error))

    @Slot(object)
    def _on_ended(self, job: Job) -> None:
        if job is self._job:
            self._job = None
            self._resolve()


def _tag(job: Job) -> tuple[object, AuditModel, tuple[Key, ...]]:
    tag: Any = job.tag
    return tag[0], tag[1], tag[2]


def _rows(state: AuditState) -> object:
    return None if state.table is None else state.table.rows
