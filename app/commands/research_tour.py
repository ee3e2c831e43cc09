"""The tour of the researcher's loop: the windows of audits and of trainings, one picture a station.

Everything is done as a person does it, and nothing is kept: data, models and preferences lie in a folder
of the tour's own. What it takes is measured and told with each picture.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QComboBox, QWidget

from app.commands import asked_trainer, picture
from app.commands.output import write_bytes
from app.commands.window import Workstation, open_window
from app.core import settings
from app.core.audit.outcomes import FN
from app.core.errors import MammoviewError
from app.core.settings import Settings
from app.services.training.look import JobView
from app.ui.audit.window import AuditWindow, open_audit
from app.ui.panels.training.freezing import FreezeDialog
from app.ui.panels.training.window import TrainingWindow, open_training

READER = "the tour"
FROZEN = "tour"
"""Name of the frozen test."""
MOST = 10
"""False negatives that are looked at."""
CORRECTED = 2
AUDIT_SIZE, TRAINING_SIZE = (1600, 1000), (1120, 760)
MOMENT_S, PREDICT_S, TRAIN_S = 120.0, 4 * 3600.0, 4 * 3600.0
"""How long a window, all predictions and a training may take before the tour is given up."""


@dataclass(frozen=True, slots=True)
class Loop:
    """What is gone through.

    Attributes
    ----------
    models
        One or two bundles that are audited; the first is the one in use.
    recipe
        Of the training: a shipped one's name.
    changes
        To the recipe, as written into the form.
    kept
        Folder of the models' answers: a tour that was stopped goes on from there.
    """

    manifest: Path
    models: tuple[str, ...]
    recipe: str
    epochs: int
    changes: str
    kept: Path


def walk_loop(loop: Loop, folder: Path, scratch: Path) -> None:
    """Go from station to station; write a picture of each into `folder`, everything else into `scratch`."""
    for name in ("DATA", "CONFIG", "MODELS"):
        os.environ[f"MAMMOVIEW_{name}"] = str(scratch / name.lower())
    settings.save(Settings(reader=READER, models=loop.models[:1], device="cpu"))
    folder.mkdir(parents=True, exist_ok=True)
    workstation = open_window(off_screen=True, keep=True)
    tour = ResearchTour(workstation, loop, scratch)
    try:
        for name, window, sentence in tour.stations():
            out = folder / f"{name}.png"
            write_bytes(out, picture.png_of(window.grab()))
            print(f"{out}  {sentence}", flush=True)
    finally:
        tour.close()
        workstation.window.close()
        workstation.close()


def click(widget: QWidget) -> None:
    """Press and let go of the left button on a widget."""
    at = QPointF(widget.rect().center())
    left, no = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    for kind, held in ((QEvent.Type.MouseButtonPress, left), (QEvent.Type.MouseButtonRelease, ~left & left)):
        QApplication.sendEvent(widget, QMouseEvent(kind, at, widget.mapToGlobal(at), left, held, no))


def choose(box: QComboBox, value: str) -> None:
    """Choose an entry of a list by its value, as a click on it does."""
    place = box.findData(value)
    if place < 0:
        raise MammoviewError(f"{box.accessibleName()}: there is no {value}")
    box.setCurrentIndex(place)
    box.activated.emit(place)


def refusal(said: str) -> str:
    """Return what was said where it is the frozen test's own refusal; `MammoviewError` with anything else.

    A form that is not filled in right is refused too, and that shows nothing of the frozen test.
    """
    if not re.search(rf" would (train|tune) the model, but .* the frozen test {re.escape(FROZEN)};", said):
        raise MammoviewError(f"the frozen test did not refuse the training: {said or 'it was started'}")
    return said


class ResearchTour:
    """The stations, in order; each begins where the one before it ended."""

    def __init__(self, workstation: Workstation, loop: Loop, scratch: Path) -> None:
        self._workstation = workstation
        self._loop = loop
        self._scratch = scratch
        self._audit: AuditWindow | None = None
        self._room: TrainingWindow | None = None

    def stations(self) -> Iterator[tuple[str, QWidget, str]]:
        """Yield the name of each picture, the window that is on it, and what was done."""
        audit = self._opened()
        yield "14-audit", audit, self._predicted(audit)
        yield "15-false-negatives", audit, self._found(audit)
        yield "16-label-corrected", audit, self._corrected(audit)
        table, snapshot = asked_trainer.curated(settings.data_folder(), self._loop.manifest, self._scratch)
        room = self._frozen()
        yield "17-refused", room, f"{snapshot}; divided anew: {self._refused(room, table)}"
        yield "18-training", room, self._trained(room)
        room.page.tabs.setCurrentIndex(2)
        yield "19-compared", room, room.page.outcome.verdict.text() or room.page.outcome.problems.text()
        yield "20-declined", room, self._declined(room)

    def close(self) -> None:
        """End what still runs and close the windows."""
        if self._room is not None:
            for view in self._room.service.views:
                if isinstance(view, JobView) and view.is_busy:
                    self._room.service.stop(view.job.id)
            self._room.service.close()
            self._room.close()
        if self._audit is not None:
            self._audit.close()

    def _until(self, done: Callable[[], bool], what: str, seconds: float = MOMENT_S) -> None:
        self._workstation.settle(done, seconds, what)

    # The audit

    def _opened(self) -> AuditWindow:
        window = self._workstation.window
        self._audit = audit = open_audit(window, self._loop.kept)
        audit.resize(*AUDIT_SIZE)
        audit.open([self._loop.manifest], self._loop.models)
        self._until(lambda: not audit.audit.state.loading, "opening")
        if audit.audit.state.sheet is None:
            raise MammoviewError(audit.said.text())
        return audit

    def _predicted(self, audit: AuditWindow) -> str:
        images, asked, began = len(audit.audit.state.sheet.table), audit.audit.missing, time.monotonic()
        if asked:
            click(audit.head.predict)
            self._until(lambda: not audit.audit.missing, "predicting", PREDICT_S)
        took = time.monotonic() - began
        self._until(lambda: audit.audit.state.predicting is None and audit.audit.plots is not None, "plots")
        self._shown(audit)
        return f"{images} images, {asked} answers asked for and given in {took:.0f} s"

    def _shown(self, audit: AuditWindow) -> None:
        """Wait until the case on screen is painted from its pixels."""

        def painted() -> bool:
            case = audit.panes.case
            views = [view for view in audit.views if not view.isHidden()]
            here = case is not None and case.row == audit.audit.state.current
            return here and all(view.frame is not None and not view.frame.refining for view in views)

        self._until(painted, "the case's image")
        for view in audit.views:
            view.repaint()

    def _found(self, audit: AuditWindow) -> str:
        """Go to the false negatives by mouse, from the matrix on, until ten were on screen."""
        began = time.monotonic()
        missed = self._missed(audit)
        self._shown(audit)
        clicks = 1
        while clicks < min(MOST, missed):
            click(audit.case.forth)
            self._shown(audit)
            clicks += 1
        took = time.monotonic() - began
        # The small pictures of the list come when the eye rests there; the clock does not wait for them.
        self._until(lambda: not self._workstation.library.busy, "small pictures")
        by = f"{clicks} click{'s' if clicks > 1 else ''}"
        return f"{clicks} of {missed} false negatives on screen by {by} in {took:.1f} s"

    def _missed(self, audit: AuditWindow) -> int:
        """List the false negatives by the matrix and return how many; `MammoviewError` where none is."""
        click(audit.matrix.cells[FN])
        state = audit.audit.state
        # Where nothing is counted the cell takes no click, and the list is still that of all cases.
        missed = len(state.queue) if state.picked else 0
        if not missed:
            raise MammoviewError(
                f"{self._loop.manifest}: no false negative at the operating point; the tour ends here, "
                "as there is none to look at or to correct"
            )
        return missed

    def _corrected(self, audit: AuditWindow) -> str:
        """Say of the first cases of the list, each once, that they should be normal."""
        missed, names = self._missed(audit), []
        for number in range(min(CORRECTED, missed)):
            if number:
                click(audit.case.forth)
            self._shown(audit)
            choose(audit.case.label, "normal")
            row = audit.audit.state.table.rows[audit.audit.state.current]
            names.append(f"{row.image_id} ({row.label})")
        self._until(lambda: not audit.audit.state.pending, "the verdicts")
        return f"should be normal: {', '.join(names)}"

    # The training

    def _frozen(self) -> TrainingWindow:
        """Choose the frozen test of the manifest, divided by the trainer."""
        self._room = room = open_training(self._workstation.window)
        room.resize(*TRAINING_SIZE)
        self._until(lambda: room.form.recipe.count() > 1, "the form")
        room.form.manifest.setText(str(self._loop.manifest))
        click(room.form.choose)
        dialog = room.findChild(FreezeDialog)
        dialog.name.setText(FROZEN)
        click(dialog.freeze)
        self._until(
            lambda: room.form.frozen.currentData() == FROZEN or not dialog.warning.isHidden(), "freezing"
        )
        if room.form.frozen.currentData() != FROZEN:
            raise MammoviewError(dialog.warning.text())
        return room

    def _refused(self, room: TrainingWindow, table: Path) -> str:
        """Ask for a training on splits made anew: patients of the frozen test would train."""
        anew, form = self._scratch / "anew.json", room.form
        asked_trainer.ask("split", table, "--seed", "1", "-o", anew)
        form.manifest.setText(str(table))
        form.splits.setText(str(anew))
        form.recipe.setCurrentIndex(form.recipe.findData(self._loop.recipe))
        form.against.setCurrentIndex(form.against.findData(self._loop.models[0]))
        form.name.setText(f"{self._loop.recipe}-tour")
        form.device.setCurrentText("cpu")
        form.epochs.setValue(self._loop.epochs)
        form.changes.setText(self._loop.changes)
        return refusal(self._started(room, "the guard"))

    def _started(self, room: TrainingWindow, what: str) -> str:
        """Press Start; return what the form says against it, or "" where the training is on its page."""
        form = room.form
        if form.start.isEnabled():
            form.say("")  # what stands there from before must not be taken for the answer
        click(form.start)
        self._until(lambda: room.stack.currentWidget() is room.page or not form.problem.isHidden(), what)
        return "" if room.stack.currentWidget() is room.page else form.problem.text()

    def _trained(self, room: TrainingWindow) -> str:
        began = time.monotonic()
        room.form.splits.clear()
        if problem := self._started(room, "starting"):
            raise MammoviewError(problem)

        def ended() -> bool:
            views = [view for view in room.service.views if isinstance(view, JobView)]
            return bool(views) and not views[0].is_busy

        self._until(ended, "the training", TRAIN_S)
        view = room.service.views[0]
        if not isinstance(view, JobView) or view.status != "finished":
            raise MammoviewError(f"the training: {room.page.state.text()}")
        self._until(lambda: room.page.outcome.isVisibleTo(room.page), "the results")
        room.page.tabs.setCurrentIndex(0)
        return (
            f"{self._loop.epochs} epochs, model, measuring and comparison in {time.monotonic() - began:.0f} s"
        )

    def _declined(self, room: TrainingWindow) -> str:
        outcome = room.page.outcome
        outcome.why.setText(f"no better after {self._loop.epochs} epochs")
        click(outcome.decline)
        self._until(lambda: not outcome.decided.isHidden(), "the decision")
        said = outcome.decided.text()
        click(room.history)
        self._until(lambda: room.past.table.rowCount() == 2, "the history")
        return said
