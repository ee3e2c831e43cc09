"""Loss and metrics of a training as curves that grow while it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pyqtgraph
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.services.training.events import Point, Progress
from app.ui import theme

Style = tuple[str, Qt.PenStyle]
_SOLID, _DASH, _DOT = Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine
STYLES: Final[tuple[Style, ...]] = (
    (theme.ACCENT, _SOLID),
    (theme.TEXT, _DASH),
    (theme.QUIET, _DOT),
    (theme.QUIET, _DASH),
    (theme.ACCENT, _DOT),
    (theme.WARNING, _DOT),
)
"""Colour and dash of the curves in turn: told apart by both."""
NOT_DRAWN: Final = ("val_spread", "data_wait")
"""Metrics that are no measure of how well it learns."""
WORDS: Final = {
    "train_loss": "training",
    "val_loss": "tuning",
    "val_auc": "AUC, tuning",
    "batch": "each batch",
}
"""Names of curves for people; a part of the loss is called by its own name."""


def curves_of(progress: Progress) -> tuple[dict[str, Sequence[Point]], dict[str, Sequence[Point]]]:
    """Return the curves of the loss plot, its parts after it, and those of the other plot, by name."""
    kept = {name: points for name, points in progress.metrics.items() if name not in NOT_DRAWN}
    losses: dict[str, Sequence[Point]] = {}
    for name in ("val_loss", "train_loss"):
        if name in kept:
            losses[name] = kept.pop(name)
    parts = sorted(name for name in kept if name.startswith("train_"))
    losses |= {name: kept.pop(name) for name in parts[: len(STYLES) - 2]}
    if progress.loss:
        losses["batch"] = progress.loss
    measures = sorted(name for name in kept if not name.startswith("train_"))
    return losses, {name: kept[name] for name in measures[: len(STYLES)]}


def _words(name: str) -> str:
    return WORDS.get(name, name.removeprefix("train_"))


class Plot(QWidget):
    """One plot with its title and a line that names the curves by colour and dash.

    Parameters
    ----------
    share
        Show all of 0 to 1 where no value lies outside.
    """

    def __init__(self, title: str, *, share: bool = False) -> None:
        super().__init__()
        self._share = share
        head = QLabel(title)
        head.setProperty("role", "section")
        self.legend = QLabel()
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.plot = pyqtgraph.PlotWidget(background=theme.WINDOW)
        self.plot.setAccessibleName(title)
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        self.plot.setMouseEnabled(False, False)
        self.plot.setAntialiasing(True)
        self.plot.showGrid(x=False, y=True, alpha=0.15)
        item = self.plot.getPlotItem()
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.setPen(theme.LINE)
            axis.setTextPen(theme.QUIET)
            axis.setTickFont(theme.font(theme.SMALL))
        item.getAxis("left").setWidth(44)
        self._lines: dict[str, pyqtgraph.PlotDataItem] = {}
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(head)
        row.addStretch(1)
        row.addWidget(self.legend)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.plot, 1)

    def present(self, curves: Mapping[str, Sequence[Point]], last: int) -> None:
        """Draw curves over epochs 0 to `last`; those that are gone go."""
        for name in [name for name in self._lines if name not in curves]:
            self.plot.removeItem(self._lines.pop(name))
        words = []
        for number, (name, points) in enumerate(curves.items()):
            quiet = name == "batch"
            colour, dash = (theme.DISABLED, _SOLID) if quiet else STYLES[number % len(STYLES)]
            line = self._lines.get(name)
            if line is None:
                line = self._lines[name] = self.plot.plot()
                line.setZValue(-1 if quiet else 1)
            width = 2 if name in WORDS and not quiet else 1
            line.setPen(pyqtgraph.mkPen(colour, width=width, style=dash))
            # One epoch alone is a point.
            dots = {"symbol": "o", "symbolSize": 5, "symbolBrush": colour, "symbolPen": None}
            xs, ys = [x for x, _ in points], [y for _, y in points]
            line.setData(xs, ys, **(dots if len(points) == 1 else {"symbol": None}))
            mark = {_SOLID: "━━", _DASH: "╍╍", _DOT: "┅┅"}[dash]
            words.append(f'<span style="color:{colour}">{mark}</span> {_words(name)}')
        self.legend.setText("&nbsp;&nbsp; ".join(words))
        if last > 0:
            self.plot.setXRange(0, last, padding=0.02)
        values = [y for points in curves.values() for _, y in points]
        if self._share and values and min(values) >= 0 and max(values) <= 1:
            self.plot.setYRange(0, 1, padding=0.02)  # a measure is not made to look large by its axis


class Curves(QWidget):
    """Both plots, one below the other; the loss has the most room."""

    def __init__(self) -> None:
        super().__init__()
        self.loss = Plot("Loss by epoch")
        self.metrics = Plot("Measures by epoch", share=True)
        self._shown: Progress | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 16, 12)
        column.setSpacing(12)
        column.addWidget(self.loss, 3)
        column.addWidget(self.metrics, 2)

    def present(self, progress: Progress) -> None:
        """Draw how far a training is; nothing is touched where it is as before."""
        if progress == self._shown:
            return
        self._shown = progress
        losses, others = curves_of(progress)
        last = max(progress.epochs, progress.epoch, 1)
        self.loss.present(losses, last)
        self.metrics.present(others, last)
