"""The plots of an audit: scores by truth with the threshold to drag, and one curve at a time beside them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyqtgraph
from PySide6.QtCore import QPointF, Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QTabBar, QVBoxLayout, QWidget

from app.core.audit.cases import NO_TRUTH, POSITIVE
from app.core.audit.plots import Curve, FrocCurve, Histogram, Plots, nearest
from app.core.audit.units import PLURAL
from app.ui import theme
from app.ui.audit import wording

CURVES: Final = ("ROC", "PR", "FROC", "Calibration")
NAMES: Final = {"PR": "Precision against recall", "ROC": "Receiver operating characteristic"}
_TEXT: Final = {"color": theme.QUIET, "font-size": f"{theme.SMALL}px"}
_LEFT: Final = Qt.MouseButton.LeftButton
LEAST_SCORES: Final = 156
LEAST_CURVE: Final = 224
"""Logical pixels that each plot has at least, so that no word is cut."""
MOST_FALSE: Final = 8.0
"""False boxes per image to which the FROC is drawn."""
LINE: Final = 16
"""Logical pixels of a line of words."""
NEAR: Final = 0.1
"""Share of both axes within which a click means a point of a curve."""


def _widget(name: str) -> Any:
    """Return a plot in the colours of the room, that nothing moves by accident."""
    plot = pyqtgraph.PlotWidget(background=theme.WINDOW)
    plot.setAccessibleName(name)
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    plot.setMenuEnabled(False)
    plot.hideButtons()
    plot.setMouseEnabled(False, False)
    plot.setAntialiasing(True)
    plot.showGrid(x=False, y=True, alpha=0.15)
    item = plot.getPlotItem()
    for side in ("left", "bottom"):
        axis = item.getAxis(side)
        axis.setPen(theme.LINE)
        axis.setTextPen(theme.QUIET)
        axis.setTickFont(theme.font(theme.SMALL))
    item.getAxis("left").setWidth(48)
    return plot


def _head() -> QLabel:
    made = QLabel()
    made.setProperty("role", "section")
    return made


class ScorePlot(QWidget):
    """Scores by truth: positives above the line, negatives below it; the threshold is dragged here.

    Signals: `dragged` (threshold), `bar_chosen` (low, high, truth code or None).
    """

    dragged = Signal(float)
    bar_chosen = Signal(float, float, object)

    def __init__(self) -> None:
        super().__init__()
        self._bars: Histogram | None = None
        self._presenting = False
        self.head = _head()
        self.plot = _widget("Scores by truth")
        self.line = pyqtgraph.InfiniteLine(
            0.5, 90, movable=True, pen=pyqtgraph.mkPen(theme.TEXT, width=2),
            hoverPen=pyqtgraph.mkPen(theme.ACCENT, width=2),
        )  # fmt: skip
        self.line.setZValue(10)
        # Moves of the mouse that wait are all taken before this fires: only the newest is counted and drawn.
        self._pace = QTimer(self, singleShot=True, interval=0)
        self._pace.timeout.connect(lambda: self.dragged.emit(float(self.line.value())))
        self.line.sigPositionChanged.connect(self._on_drag)
        self._items: list[Any] = []
        item = self.plot.getPlotItem()
        item.getAxis("left").tickStrings = lambda values, scale, spacing: [f"{abs(v):g}" for v in values]
        self.plot.setLabel("bottom", "score", **_TEXT)
        self.plot.scene().sigMouseClicked.connect(self._on_click)
        self.legend = QLabel()
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.head)
        column.addWidget(self.legend)
        column.addWidget(self.plot, 1)

    def present(self, plots: Plots | None) -> None:
        """Draw the counts of scores by truth."""
        self.plot.clear()
        self._bars = None if plots is None else plots.histogram
        self.legend.setText("")
        if plots is None or self._bars is None:
            self.head.setText("Scores by truth")
            return
        bars = self._bars
        self.plot.addItem(self.line)
        self.head.setText(f"Scores by truth, {PLURAL[plots.unit]}")
        middles, width = (bars.edges[:-1] + bars.edges[1:]) / 2, float(bars.edges[1] - bars.edges[0]) * 0.9
        unknown = bars.unknown.sum() > 0
        parts = (
            (bars.positive, np.zeros_like(bars.positive), theme.WARNING, "↑ positive"),
            (-bars.negative, np.zeros_like(bars.negative), theme.QUIET, "↓ negative"),
            (-bars.unknown, -bars.negative, theme.DISABLED, "↓ no truth"),
        )
        words = []
        for heights, base, colour, word in parts:
            if heights.any():
                made = pyqtgraph.BarGraphItem(
                    x=middles, y0=base, height=heights, width=width, brush=colour, pen=None
                )
                self.plot.addItem(made)
            if word != "↓ no truth" or unknown:
                words.append(f'<span style="color:{colour}">{word[0]}</span>{word[1:]}')
        self.legend.setText("&nbsp;&nbsp; ".join(words))
        self.plot.addItem(pyqtgraph.InfiniteLine(0, 0, pen=theme.LINE))
        self.plot.setXRange(float(bars.edges[0]), float(bars.edges[-1]), padding=0.01)
        self.line.setBounds((float(bars.edges[0]), float(bars.edges[-1])))
        self.plot.enableAutoRange(axis="y")

    def show_threshold(self, threshold: float) -> None:
        """Put the line where the threshold is, unless the hand has moved it on meanwhile."""
        if self._pace.isActive():
            return
        self._presenting = True
        self.line.setValue(threshold)
        self._presenting = False

    def _on_drag(self) -> None:
        if not self._presenting and not self._pace.isActive():
            self._pace.start()

    def _on_click(self, event: Any) -> None:
        view = self.plot.getPlotItem().getViewBox()
        if (
            self._bars is None
            or event.button() != _LEFT
            or not view.sceneBoundingRect().contains(event.scenePos())
        ):
            return
        at = view.mapSceneToView(event.scenePos())
        self.click(at.x(), at.y())

    def click(self, score: float, count: float) -> None:
        """Choose the bar at a score, of the positives (a count above 0) or of the others."""
        bars = self._bars
        if bars is None:
            return
        place = int(np.searchsorted(bars.edges, score, "right")) - 1
        if not 0 <= place < len(bars.positive):
            return
        truth: int | None = POSITIVE if count > 0 else 0
        if count <= 0 and not bars.negative.any():
            truth = NO_TRUTH
        self.bar_chosen.emit(float(bars.edges[place]), float(bars.edges[place + 1]), truth)


class CurvePlot(QWidget):
    """ROC, precision-recall, FROC or calibration, with the point of the threshold in force.

    Signals: `point_chosen` (threshold) when a point was clicked, `froc_chosen` of the FROC (boxes count above
    this score), `bin_chosen` (low, high) of the calibration. The FROC has no point of the threshold in force:
    it is of the scores of boxes, and the others of those of units; its point is the one last clicked.
    """

    point_chosen = Signal(float)
    froc_chosen = Signal(float)
    bin_chosen = Signal(float, float)

    def __init__(self) -> None:
        super().__init__()
        self._plots: Plots | None = None
        self._threshold = 0.5
        self._boxes: float | None = None
        self.tabs = QTabBar()
        self.tabs.setAccessibleName("Curve")
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.tabs.setUsesScrollButtons(False)
        self.tabs.setStyleSheet("QTabBar::tab { padding: 4px 8px; }")
        for name in CURVES:
            self.tabs.setTabToolTip(self.tabs.addTab(name), NAMES.get(name, name))
        self.said = QLabel()
        self.said.setProperty("role", "quiet")
        self.said.setWordWrap(True)
        self.said.setMinimumHeight(2 * LINE)  # the plot does not jump where the words need one line
        self.said.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.plot = _widget("Curve")
        self.line = self.plot.plot(pen=pyqtgraph.mkPen(theme.ACCENT, width=2))
        self.chance = self.plot.plot(pen=pyqtgraph.mkPen(theme.LINE, width=1, style=Qt.PenStyle.DashLine))
        self.dots = pyqtgraph.ScatterPlotItem(size=7, brush=theme.ACCENT, pen=None)
        self.bars = pyqtgraph.ErrorBarItem(pen=pyqtgraph.mkPen(theme.QUIET))
        self.point = pyqtgraph.ScatterPlotItem(size=11, brush=theme.TEXT, pen=pyqtgraph.mkPen(theme.WINDOW))
        for item in (self.bars, self.dots, self.point):
            self.plot.addItem(item)
        self.plot.scene().sigMouseClicked.connect(self._on_click)
        self.tabs.currentChanged.connect(lambda _: self._draw())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.tabs)
        column.addWidget(self.said)
        column.addWidget(self.plot, 1)

    @property
    def curve(self) -> Curve | FrocCurve | None:
        """The curve on screen, or None: the calibration, or none can be drawn."""
        plots, name = self._plots, CURVES[self.tabs.currentIndex()]
        if plots is None:
            return None
        return {"ROC": plots.roc, "PR": plots.precision, "FROC": plots.froc}.get(name)

    def present(self, plots: Plots | None) -> None:
        """Draw the chosen curve of these plots; None: they are being made, or hidden."""
        self._plots = plots
        self._draw()

    def show_threshold(self, threshold: float) -> None:
        """Put the point where the threshold is, of a curve that has the same scale."""
        self._threshold = threshold
        curve = self.curve
        if isinstance(curve, FrocCurve):
            self._show_boxes(curve)
            return
        if not isinstance(curve, Curve) or not len(curve.x):
            self.point.setData([], [])
            return
        # Points go from the highest threshold to the lowest: the last that is not below it.
        place = int(np.searchsorted(-curve.threshold, -threshold, "right")) - 1
        if place < 0:
            self.point.setData([], [])
        else:
            self.point.setData([float(curve.x[place])], [float(curve.y[place])])

    def show_boxes(self, above: float | None) -> None:
        """Put the point of the FROC where boxes count above a score; None: nothing is listed by it."""
        self._boxes = above
        if isinstance(self.curve, FrocCurve):
            self._show_boxes(self.curve)

    def _show_boxes(self, curve: FrocCurve) -> None:
        at = np.flatnonzero(curve.threshold == self._boxes) if self._boxes is not None else ()
        place = int(at[0]) if len(at) else None
        self.point.setData(*([], []) if place is None else ([curve.x[place]], [curve.y[place]]))

    def _draw(self) -> None:
        plots, name = self._plots, CURVES[self.tabs.currentIndex()]
        for line in (self.line, self.chance):
            line.setData([], [])
        self.dots.setData([], [])
        self.bars.setData(x=np.zeros(0), y=np.zeros(0), top=np.zeros(0), bottom=np.zeros(0))
        self.said.setText("" if plots is None else self._words(plots, name))
        if plots is not None:
            if name == "Calibration":
                self._draw_calibration(plots)
            else:
                self._draw_curve(plots, name)
        self.show_threshold(self._threshold)

    def _draw_curve(self, plots: Plots, name: str) -> None:
        axes = {
            "ROC": ("false-positive rate", "true-positive rate"),
            "PR": ("recall", "precision"),
            "FROC": ("false boxes per image", "lesions found"),
        }[name]
        self.plot.setLabel("bottom", axes[0], **_TEXT)
        self.plot.setLabel("left", axes[1], **_TEXT)
        curve = self.curve
        wide = 1.0
        if curve is not None and len(curve.x):
            self.line.setData(curve.x, curve.y, stepMode=None)
            wide = _wide(curve)
        if name == "ROC":
            self.chance.setData([0, 1], [0, 1])
        elif name == "PR" and plots.counted:
            share = plots.positives / plots.counted
            self.chance.setData([0, 1], [share, share])
        self.plot.setXRange(0, wide, padding=0.02)
        self.plot.setYRange(0, 1, padding=0.02)

    def _draw_calibration(self, plots: Plots) -> None:
        self.plot.setLabel("bottom", "mean score", **_TEXT)
        self.plot.setLabel("left", "share positive", **_TEXT)
        self.plot.setXRange(0, 1, padding=0.02)
        self.plot.setYRange(0, 1, padding=0.02)
        self.chance.setData([0, 1], [0, 1])
        if plots.calibration is None:
            return
        bins = plots.calibration.bins
        x, y = np.array([one.score for one in bins]), np.array([one.share for one in bins])
        top, bottom = np.array([one.high for one in bins]) - y, y - np.array([one.low for one in bins])
        self.dots.setData(x, y)
        self.bars.setData(x=x, y=y, top=top, bottom=bottom, beam=0.015)

    @staticmethod
    def _words(plots: Plots, name: str) -> str:
        unit = PLURAL[plots.unit]
        of = f"{plots.counted} {unit}, {plots.positives} positive"
        if name == "ROC" and plots.roc is not None:
            return f"AUC {wording.number(plots.roc.area)}, {of}"
        if name == "PR" and plots.precision is not None:
            return f"Average precision {wording.number(plots.precision.area)}, {of}"
        if name == "FROC" and plots.froc is not None:
            froc = plots.froc
            at = next((one for key, one in froc.numbers if key.endswith("@1")), None)
            found = "–" if at is None else wording.number(at)
            of = f"of {froc.lesions} lesions at 1 false box per image"
            return f"{found} {of}; {froc.images} images, a hit by {froc.rule}"
        if name == "Calibration" and plots.calibration is not None:
            known = plots.calibration
            return f"Brier {known.brier or 0:.3f}, calibration error {known.ece or 0:.3f}, {of}"
        if name == "FROC":
            return "No FROC: the model draws no boxes, or no lesion has a known place."
        return wording.sentence(plots.without[-1]) if plots.without else f"It cannot be drawn of {of}."

    def _on_click(self, event: Any) -> None:
        view = self.plot.getPlotItem().getViewBox()
        if event.button() == _LEFT and view.sceneBoundingRect().contains(event.scenePos()):
            at: QPointF = view.mapSceneToView(event.scenePos())
            self.click(at.x(), at.y())

    def click(self, x: float, y: float) -> None:
        """Choose the point of the curve that is near a place of the plot, if one is."""
        curve, plots = self.curve, self._plots
        if curve is not None and len(curve.x):
            wide = _wide(curve)
            place = nearest(curve, x, y, wide)
            apart = abs(curve.x[place] - x) / wide, abs(curve.y[place] - y)
            if max(apart) <= NEAR:
                chosen = self.point_chosen if isinstance(curve, Curve) else self.froc_chosen
                chosen.emit(float(curve.threshold[place]))
        elif plots is not None and plots.calibration is not None and self.tabs.currentIndex() == 3:
            bins = plots.calibration.bins
            near = min(bins, key=lambda one: (one.score - x) ** 2 + (one.share - y) ** 2)
            if max(abs(near.score - x), abs(near.share - y)) <= NEAR:
                self.bin_chosen.emit(near.low_edge, near.high_edge)


def _wide(curve: Curve | FrocCurve) -> float:
    """Return how much of the x axis is shown: of the FROC at most eight false boxes per image."""
    return max(1.0, min(float(curve.x[-1]), MOST_FALSE)) if isinstance(curve, FrocCurve) else 1.0


class PlotRow(QWidget):
    """Scores, curve and whatever stands beside them, in one row."""

    def __init__(self, *more: QWidget) -> None:
        super().__init__()
        self.scores, self.curves = ScorePlot(), CurvePlot()
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 8)
        row.setSpacing(16)
        row.addWidget(self.scores, 4)
        row.addWidget(self.curves, 4)
        for part in more:
            row.addWidget(part, 3)
        self.scores.setMinimumWidth(LEAST_SCORES)
        self.curves.setMinimumWidth(LEAST_CURVE)

    def present(self, plots: Plots | None, why: str = "") -> None:
        """Draw all of it anew; `why` says why there is nothing."""
        self.scores.present(plots)
        self.curves.present(plots)
        if plots is None and why:
            self.curves.said.setText(why)

    def show_threshold(self, threshold: float) -> None:
        """Show where the threshold is, in both."""
        self.scores.show_threshold(threshold)
        self.curves.show_threshold(threshold)
