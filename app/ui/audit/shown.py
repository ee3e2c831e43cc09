"""What the window of audits is made of, and how a state is shown in it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.core.audit.cases import SCORED, Answers
from app.core.audit.plots import Plots
from app.core.manifest import Box, Row
from app.core.reading.store import Store
from app.services.audit.audit import Audit
from app.services.audit.maps import CaseMaps, MapsState
from app.services.audit.panes import CasePanes
from app.services.audit.state import AuditState, CaseImages
from app.ui.audit.case_panel import CasePanel
from app.ui.audit.case_view import CaseView
from app.ui.audit.filter_bar import FilterBar
from app.ui.audit.head import Head
from app.ui.audit.matrix import MatrixView
from app.ui.audit.plots import PlotRow
from app.ui.audit.table import CaseList
from app.ui.audit.truth_boxes import outlines
from app.ui.audit.wording import sentence
from app.ui.places import first_size

START: Final = (1600, 1000)
SHARES: Final = {1: (920, 680), 2: (720, 880)}
"""Widths of list and pictures by the number of panes: two breasts beside each other need more."""
LEAST: Final = (1360, 720)
"""Logical pixels below which words would be cut."""
EMPTY: Final = (
    "Choose what to audit (Ctrl+O): a manifest, a folder or the open studies with one or two models,\n"
    "or drop a prediction file here."
)
BLINDED: Final = "Hidden until every case is answered, or the reading is ended."


class AuditShown(QWidget):
    """The parts of the window, laid out; what they ask for is connected by `AuditWindow`.

    Parameters
    ----------
    session
        Of the workstation: its library decodes, its settings name the reader, its store keeps verdicts.
    main
        The workstation's window, which remembers where this one stood.
    folder
        Of kept answers and filters, for tests; None: the reader's own.
    """

    def __init__(self, session, main: QWidget, folder: Path | None = None) -> None:
        super().__init__(main, Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Mammoview: audit")
        self.setWindowIcon(QIcon("icons:mammoview.svg"))
        self.setObjectName("audit")
        self.setMinimumSize(*LEAST)
        self.setAcceptDrops(True)
        self.resize(first_size(self, START))
        self._session = session
        path = session.work.path
        store = Store(path) if path is not None else None
        self.audit = Audit(session.library, store, session.settings.reader, self, folder)
        self.panes = CasePanes(session.library, self)
        self.maps = CaseMaps(self)
        self._marks: tuple[Box, ...] = ()
        self._old = AuditState()
        self._truth = self._boxes = True
        self._count = 1
        self._drawing: dict[str, tuple[Answers, bool]] = {}
        self.head, self.filters, self.table = Head(), FilterBar(), CaseList(self.audit)
        self.matrix = MatrixView()
        self.plots = PlotRow(self.matrix)
        self.views = [CaseView(self.panes, index) for index in (0, 1)]
        self.case = CasePanel()
        self.said = QLabel()
        self.said.setProperty("role", "quiet")
        self._build()

    def _build(self) -> None:
        left = _column(self.filters, _rule(), self.table)
        upper = QSplitter(Qt.Orientation.Vertical)
        upper.addWidget(left)
        upper.addWidget(self.plots)
        upper.setStretchFactor(0, 3)
        upper.setStretchFactor(1, 2)
        upper.setSizes([540, 340])
        pictures = QWidget()
        row = QHBoxLayout(pictures)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(1)
        for view in self.views:
            row.addWidget(view, 1)
        right = _column()
        right.layout().addWidget(pictures, 1)
        right.layout().addWidget(self.case)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.addWidget(upper)
        self.splitter.addWidget(right)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        self.splitter.setSizes(SHARES[1])
        for splitter in (upper, self.splitter):
            splitter.setHandleWidth(1)
            splitter.setChildrenCollapsible(False)
        foot = QFrame()
        foot.setObjectName("status")
        foot.setFixedHeight(24)
        line = QHBoxLayout(foot)
        line.setContentsMargins(12, 0, 12, 0)
        line.addWidget(self.said, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        self.stack = QStackedWidget()
        self.empty = QLabel(EMPTY)
        self.empty.setProperty("role", "quiet")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.splitter)
        whole.addWidget(self.head)
        whole.addWidget(self.stack, 1)
        whole.addWidget(foot)

    # Showing

    @Slot(object)
    def present(self, state: AuditState) -> None:
        """Show a state."""
        old, self._old = self._old, state
        others = _rows(state) is not _rows(old)
        if others:  # another data set: what is on screen is none of its cases
            self.panes.close()
        if others or state.current != old.current:
            self._marks = ()
        self.stack.setCurrentWidget(self.empty if state.sheet is None else self.splitter)
        if old.sheet is None and state.sheet is not None:
            self.table.setFocus()  # hidden until now, it could not keep the keyboard: Space would press Open…
        self.head.present(state, self.audit.missing if state.sheet is not None else 0)
        self.filters.present(state)
        self.table.present(state)
        row = state.current
        self.case.present(state, None if row is None else self.audit.verdict(row))
        hides = state.blinded is not None and bool(state.blinded.left)
        self.matrix.present(None if hides else state.matrix, BLINDED if hides else "")
        if hides != (old.blinded is not None and bool(old.blinded.left)) or (state.sheet is None):
            self.plots.present(None if hides else self.audit.plots, BLINDED if hides else "")
        if state.sheet is not None:
            self.plots.show_threshold(state.sheet.threshold)
            self.plots.curves.show_boxes(state.boxes_above if state.picked else None)
        if old.loading and not state.loading:
            self.say("")
        if old.predicting is None and state.predicting is not None:
            self.say("")  # why it could not be asked the last time, perhaps
        if state.refused and state.refused != old.refused:
            self.say(state.refused)
        if state.answers is not old.answers or (old.table is None) != (state.table is None):
            self._arrange()
        self._outline()
        self.maps.present(state, self.audit.folders, self._session.settings.device)

    @Slot(object)
    def _show_maps(self, state: MapsState) -> None:
        """Say what the heat maps of the case are, and draw them."""
        self.case.present_maps(state)
        self._heat()

    def _heat(self) -> None:
        """Draw the heat maps over the images they are of: not while another case is still on screen."""
        of, row = self.maps.state.of, self.audit.state.current
        here = self.panes.case is not None and self.panes.case.row == row
        overlay, colours = self._session.overlay, self._session.settings.colour_map
        for index, view in enumerate(self.views):
            evidence = of[index].evidence if here and index < len(of) else None
            view.present_map(evidence, overlay, colours)

    def _arrange(self) -> None:
        """Show one pane for each model."""
        table = self.audit.state.table
        count = 1 if table is None else max(1, len(table.answers))
        if count != self._count:
            self._count = count
            self.splitter.setSizes(SHARES[count])  # only then: the reader may have moved it
        for index, view in enumerate(self.views):
            view.setVisible(index < count)
        if self.panes.case is not None:
            self.panes.present(self.panes.case, count)

    @Slot(object)
    def _show_plots(self, plots: Plots) -> None:
        state = self.audit.state
        if state.blinded is None or not state.blinded.left:
            self.plots.present(plots)
            if state.sheet is not None:
                self.plots.show_threshold(state.sheet.threshold)

    @Slot(object)
    def _show_case(self, case: CaseImages) -> None:
        table = self.audit.state.table
        self.panes.present(case, 1 if table is None else max(1, len(table.answers)))
        for view in self.views:
            view.masked = self._session.settings.mask_names
            view.update()
        self._outline()
        self._heat()

    def _outline(self) -> None:
        """Draw truth, boxes and marks over the image, as far as they may be seen.

        The threshold in force is of the image's score; boxes have a scale and a threshold of their own.
        """
        state = self.audit.state
        row, sheet = state.current, state.sheet
        waits = row is not None and state.hidden(row)
        for index, view in enumerate(self.views):
            view.marking = waits
            model, shown = "", outlines(None, marks=self._marks)
            if row is not None and sheet is not None and index < len(sheet.table.answers):
                answers = sheet.table.answers[index]
                model = answers.model.name if len(sheet.table.answers) > 1 else ""
                matching = self.audit.matching(row, index, state.boxes_from(index))
                if self.panes.case is not None and self.panes.case.row == row:
                    shown = outlines(
                        matching,
                        truth=self._truth,
                        boxes=self._boxes,
                        marks=self._marks,
                        points=answers.status[row] == SCORED and self._draws_boxes(answers),
                        told=not waits,
                    )
                else:
                    shown = ()
            view.present(shown, model)

    def _draws_boxes(self, answers: Answers) -> bool:
        """Tell whether a model draws boxes at all; asked once for each set of answers."""
        known = self._drawing.get(answers.model.name)
        if known is None or known[0] is not answers:
            draws = answers.model.boxes_from is not None or any(one.boxes for one in answers.said.values())
            known = self._drawing[answers.model.name] = (answers, draws)
        return known[1]

    def say(self, text: str) -> None:
        """Write a sentence into the foot."""
        self.said.setText(sentence(text))
        self.said.setToolTip(text)


def _rows(state: AuditState) -> tuple[Row, ...] | None:
    return None if state.table is None else state.table.rows


def _column(*parts: QWidget) -> QWidget:
    made = QWidget()
    column = QVBoxLayout(made)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    for part in parts:
        column.addWidget(part, 1 if isinstance(part, CaseList) else 0)
    return made


def _rule() -> QFrame:
    made = QFrame()
    made.setObjectName("rule")
    return made
