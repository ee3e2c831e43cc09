"""The window of audits: cases and plots at the left, the case on screen at the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QEvent, Qt, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QWidget

from app.core.audit.cases import Places
from app.core.audit.plots import rows_at, rows_between
from app.core.audit.units import PLURAL
from app.core.imaging.image import Study
from app.core.manifest import Box
from app.core.settings import Settings
from app.services.worklist import holding
from app.ui.actions.audit import ACTIONS, GROUP
from app.ui.audit import opening, papers, run_on
from app.ui.audit.next_dialog import NextDialog
from app.ui.audit.opening import OpenDialog
from app.ui.audit.shown import AuditShown
from app.ui.bindings import resolve
from app.ui.dialogs.keys import KeysDialog
from app.ui.focus import keeps

BEHIND: Final = 20
"""Units nearest to a point of a curve whose cases it leads to."""


class AuditWindow(AuditShown):
    """Shows an `Audit` and sends it what the reader wants; parameters are those of `AuditShown`."""

    def __init__(self, session, main: QWidget, folder: Path | None = None) -> None:
        super().__init__(session, main, folder)
        self._connect()
        self._shortcuts: list[QShortcut] = []
        self._give_keys(session.settings.key_bindings)
        self.table.setFocus()
        self.present(self.audit.state)

    def _connect(self) -> None:
        audit, head, case = self.audit, self.head, self.case
        audit.state_changed.connect(self.present)
        audit.plots_changed.connect(self._show_plots)
        audit.case_changed.connect(self._show_case)
        audit.message.connect(self.say)
        head.open_asked.connect(self.ask_open)
        head.predict_asked.connect(lambda: run_on.predict(audit, self._session.settings))
        head.place_asked.connect(lambda: run_on.RunOnDialog(self, self._session).open())
        head.cancel_asked.connect(audit.cancel)
        head.lead_chosen.connect(audit.set_lead)
        head.unit_chosen.connect(audit.set_unit)
        head.subgroup_chosen.connect(audit.set_subgroup)
        head.threshold_chosen.connect(audit.set_threshold)
        head.rule_chosen.connect(audit.set_rule)
        head.report_asked.connect(lambda: papers.ask_report(self))
        head.agreement_asked.connect(lambda: papers.show_agreement(self))
        head.csv_asked.connect(lambda answers: papers.ask_csv(self, answers))
        head.blinded_asked.connect(lambda with_model: papers.ask_blinded(self, with_model))
        head.end_asked.connect(self.end_blinded)
        self.filters.filtered.connect(audit.set_filter)
        self.filters.saved.connect(audit.save_filter)
        self.filters.deleted.connect(audit.delete_filter)
        self.filters.next_asked.connect(self.ask_next)
        self.table.chosen.connect(self.go)
        self.table.sorting_asked.connect(audit.sort_by)
        self.matrix.cell_chosen.connect(self._show_cell)
        self.plots.scores.dragged.connect(audit.set_threshold)
        self.plots.scores.bar_chosen.connect(self._show_bar)
        self.plots.curves.point_chosen.connect(self._show_point)
        self.plots.curves.froc_chosen.connect(self._show_froc)
        self.plots.curves.bin_chosen.connect(lambda low, high: self._show_bar(low, high, None))
        case.judged.connect(lambda verdict, label: audit.set_verdict(verdict, label=label))
        case.noted.connect(audit.set_note)
        case.tagged.connect(lambda text: audit.set_tags(text.split(",")))
        case.assessed.connect(self.assess)
        case.went.connect(self.step)
        case.undone.connect(audit.undo)
        case.redone.connect(audit.redo)
        case.reading_asked.connect(self.read_exam)
        case.map_asked.connect(self.heat_map)
        case.maps.wanted.connect(self.maps.show_anyway)
        self.maps.changed.connect(self._show_maps)
        self._session.overlay_changed.connect(self._take_overlay)  # bound: the session outlives the window
        case.marks_cleared.connect(lambda: self._take_marks(()))
        for view in self.views:
            view.marked.connect(lambda box: self._take_marks((*self._marks, box)))
            view.painted.connect(self._tell_painted)
        self._session.settings_changed.connect(self._take_settings)
        head.say_where(run_on.words(self._session.settings))

    def _take_settings(self, settings: Settings) -> None:
        self.audit.set_reader(settings.reader)
        if settings.key_bindings != self._given:
            self._give_keys(settings.key_bindings)
        self.head.say_where(run_on.words(settings))
        self._heat()  # in another colour map, perhaps

    @Slot(object)
    def _take_overlay(self, overlay: object) -> None:
        self._heat()

    def _give_keys(self, overrides: Mapping[str, str]) -> None:
        """Give the window its keys; a field that is written in keeps them for itself."""
        for old in self._shortcuts:
            old.setEnabled(False)
            old.deleteLater()
        self._given, bindings = overrides, resolve(overrides, ACTIONS)
        self._shortcuts = []
        for action in ACTIONS:
            do = getattr(self, action.method)
            if action.argument is not None:
                do = partial(do, action.argument)
            for key in bindings.keys[action.id]:
                self._shortcuts.append(QShortcut(QKeySequence(key), self, do))
        self.case.name_keys(bindings)

    # Opening

    def open(
        self,
        paths: Sequence[Path | str],
        models: Sequence[str] = (),
        predictions: Sequence[Path | str] = (),
        studies: Sequence[Study] = (),
    ) -> None:
        """Open images with models or prediction files; what went wrong is said in the foot."""
        self.case.finish_writing()
        self.say("Opening…")
        self.audit.open(paths, models, predictions, studies)

    def ask_open(self) -> OpenDialog:
        """Ask what to audit."""
        return opening.ask(self)

    def ask_next(self) -> None:
        """Ask which cases to read next, and list them."""
        table = self.audit.state.table
        if table is not None and self.audit.state.blinded is None:
            dialog = NextDialog(self, len(table.answers))
            dialog.chosen.connect(self._offer)
            dialog.open()

    def _offer(self, strategy: str, count: int) -> None:
        self.case.finish_writing()
        self.audit.offer_next(strategy, count, self._session.settings.device)

    # Doing

    def go(self, row: int) -> None:
        """Put a case on screen."""
        self.case.finish_writing()
        self.audit.pick(row)

    def step(self, way: int) -> None:
        """Go to the next (1) or the previous (-1) case of the list."""
        self.case.finish_writing()
        (self.audit.next_case if way > 0 else self.audit.previous_case)()

    def judge(self, verdict: str) -> None:
        """Give the case on screen a verdict by key; while it is read blinded there is none."""
        state = self.audit.state
        if state.current is not None and not state.hidden(state.current):
            self.audit.set_verdict(verdict, label=self.case.corrected(verdict))

    def relabel(self) -> None:
        """Offer the labels that the case could have."""
        self.case.offer_labels()

    def write_note(self) -> None:
        """Put the keyboard into the note."""
        self.case.note.setFocus()

    def undo(self) -> None:
        """Take back the reader's last change."""
        self.audit.undo()

    def redo(self) -> None:
        """Do again what was taken back."""
        self.audit.redo()

    def show_keys(self) -> None:
        """List the keys."""
        KeysDialog(self, self._session, GROUP).open()

    def assess(self, number: int) -> None:
        """Answer the case of a blinded reading; truth and model are then shown."""
        if self.audit.state.blinded is not None:
            self.audit.answer(number, self._marks)

    def heat_map(self) -> None:
        """Show the heat maps of the case, or hide them; one that waits to be asked for is then asked for."""
        shown = self.maps.state
        self.maps.show(not shown.wanted or shown.waits)
        state = self.audit.state
        if self.maps.state.wanted and state.current is not None and state.model_hidden(state.current):
            self.say("Heat maps are hidden until the case is answered.")

    def end_blinded(self) -> None:
        """Leave the blinded reading: everything is shown again."""
        self.audit.end_blinded()

    def read_exam(self) -> None:
        """Open the exam of the case in the reading window."""
        case = self.panes.case
        paths = [image.path for image in case.images if image is not None] if case is not None else []
        if paths:
            listed = holding(self._session.studies, paths)
            if listed is None:
                self._session.open_paths(list(dict.fromkeys(paths)))
            else:  # it came from the list: the other studies stay open
                self._session.open_study(listed.key)
            self.parent().raise_()
            self.parent().activateWindow()

    def _tell_painted(self) -> None:
        if self.panes.case is not None:
            self.audit.image_painted(self.panes.case.row)

    def show_truth(self) -> None:
        """Show the truth over the image, or hide it."""
        self._truth = not self._truth
        self._outline()

    def show_boxes(self) -> None:
        """Show the models' boxes over the image, or hide them."""
        self._boxes = not self._boxes
        self._outline()

    def _take_marks(self, marks: tuple[Box, ...]) -> None:
        self._marks = marks
        self._outline()

    def _show_bar(self, low: float, high: float, truth: int | None) -> None:
        units = self.audit.state.units
        if units is not None:
            which = {1: "positive, ", 0: "negative, ", -1: "without truth, "}.get(truth, "")
            words = f"{which}score {low:.3f} to {high:.3f} ({units.unit})"
            self._list(rows_between(units, low, high, truth), words)

    def _show_point(self, threshold: float) -> None:
        units = self.audit.state.units
        if units is not None:
            words = f"the {PLURAL[units.unit]} nearest to {threshold:.3f}"
            self._list(rows_at(units, threshold, BEHIND), words)

    def _show_froc(self, above: float) -> None:
        self.case.finish_writing()
        self.audit.show_froc(above)

    def _show_cell(self, cell: int) -> None:
        self.case.finish_writing()
        self.audit.show_cell(cell)

    def _list(self, rows: Places, words: str) -> None:
        """List cases, of which the first comes on screen: what is being written is of the one before."""
        self.case.finish_writing()
        self.audit.show_cases(rows, words)

    # Events

    def event(self, event: QEvent) -> bool:
        """Leave Enter, Space and arrows to the button, list or field that has the keyboard."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.modifiers() == Qt.KeyboardModifier.NoModifier
            and keeps(QApplication.focusWidget(), Qt.Key(event.key()))
        ):
            event.accept()
            return True
        return super().event(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Take a prediction file at once; for images a model has to be chosen."""
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        files = [path for path in paths if path.suffix.lower() == ".json"]
        images = [path for path in paths if path not in files]
        event.acceptProposedAction()
        if files:
            self.open(images, (), files)
        elif images:
            self.ask_open().name_images(str(images[0]))

    def closeEvent(self, event: QCloseEvent) -> None:
        self.case.finish_writing()
        self.panes.close()
        self.maps.stop()
        self.audit.stop()
        self.parent().places.keep(self.objectName(), self)
        super().closeEvent(event)


def open_audit(window, folder: Path | None = None) -> AuditWindow:
    """Show the window of audits of a main window; there is one of them at a time."""
    window = getattr(window, "main", window)  # a second window has none of its own
    found = window.findChild(AuditWindow, "audit")
    if found is None:
        found = AuditWindow(window.session, window, folder)
        window.places.restore(found.objectName(), found)
    found.show()
    found.raise_()
    found.activateWindow()
    return found
