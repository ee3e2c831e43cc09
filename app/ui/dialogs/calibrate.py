"""How large the pixels of this screen are: the reader holds a ruler to a line."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Final

from PySide6.QtCore import QLineF, QLocale, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QSizePolicy, QWidget

from app.core.errors import MammoviewError
from app.core.hanging.true_size import CALIBRATED, Monitor, pitch_measured, pitch_of
from app.core.settings import load, save
from app.ui import theme
from app.ui.dialog import Dialog
from app.ui.monitors import monitor_of

LENGTH: Final = 560
"""Logical pixels of the line."""
TICK: Final = 12
"""Logical pixels of the strokes at its ends."""
WRONG: Final = "No screen has pixels of that size: please measure from stroke to stroke, in millimetres."


class Line(QWidget):
    """A horizontal line between two strokes; `device_px` is its length from stroke to stroke."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(4 * TICK)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Line to measure")

    def sizeHint(self) -> QSize:
        return QSize(LENGTH + 2 * TICK, 4 * TICK)

    @property
    def device_px(self) -> int:
        """Whole device pixels between the strokes' left edges."""
        return round(LENGTH * self.devicePixelRatioF())

    def paintEvent(self, event) -> None:
        """Draw in device pixels, so that no scaling rounds the length."""
        ratio = self.devicePixelRatioF()
        painter = QPainter(self)
        painter.scale(1 / ratio, 1 / ratio)
        painter.setPen(QPen(QColor(theme.TEXT), 1, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        left = round((self.width() - LENGTH) / 2 * ratio) + 0.5
        middle, tick = round(self.height() / 2 * ratio) + 0.5, round(TICK * ratio)
        right = left + self.device_px
        painter.drawLine(QLineF(left, middle, right, middle))
        for column in (left, right):
            painter.drawLine(QLineF(column, middle - tick, column, middle + tick))
        painter.end()


class CalibrateDialog(Dialog):
    """Takes the length of a drawn line and keeps the pixel size of the screen that it stands on."""

    NAME = "calibrate"

    def __init__(self, window) -> None:
        super().__init__("Calibrate monitor", window)
        self._session = window.session
        told = QLabel(
            "Hold a ruler to the line and type its length from stroke to stroke. "
            "It is kept for the screen on which this stands, at its present resolution."
        )
        told.setWordWrap(True)
        self.line = Line()
        self.length = QDoubleSpinBox()
        self.length.setRange(0.0, 2000.0)
        self.length.setDecimals(1)
        self.length.setSingleStep(0.5)
        self.length.setSuffix(" mm")
        self.length.setLocale(QLocale())
        self.length.lineEdit().setTextMargins(6, 0, 6, 0)
        self.length.setFixedWidth(120)
        self.length.setAccessibleName("Length of the line in millimetres")
        self.known = QLabel()
        self.known.setProperty("role", "quiet")
        self.warning = QLabel()
        self.warning.setProperty("role", "warning")
        self.warning.setWordWrap(True)
        self.warning.setVisible(False)
        row = QHBoxLayout()
        row.setSpacing(12)
        for part in (QLabel("Length"), self.length, self.known):
            row.addWidget(part)
        row.addStretch(1)
        self.body.addWidget(told)
        self.body.addWidget(self.line)
        self.body.addLayout(row)
        self.body.addWidget(self.warning)
        self.setFixedWidth(LENGTH + 80)
        self.forget_button = self.add_button("Forget", self.forget)
        self.add_button("Cancel", self.close)
        self.add_button("Calibrate", self.store, default=True)
        self.present()
        self.length.setFocus()
        self.length.selectAll()

    @property
    def monitor(self) -> Monitor:
        """The screen on which the dialog stands."""
        return monitor_of(self.screen())

    def present(self) -> None:
        """Show what is known of this screen."""
        pitch = pitch_of(self.monitor, self._session.settings.monitors)
        self.known.setText(f"now {pitch.mm:.4f} mm a pixel, {pitch.basis}" if pitch else "now not known")
        self.length.setValue(self.line.device_px * pitch.mm if pitch else 0.0)
        self.forget_button.setVisible(pitch is not None and pitch.basis == CALIBRATED)

    def moveEvent(self, event) -> None:
        super().moveEvent(event)
        if not self.length.hasFocus():  # on another screen another size is known
            self.present()

    def store(self) -> None:
        """Keep the pixel size, or say why it cannot be right."""
        self.length.interpretText()
        try:
            pitch = pitch_measured(self.line.device_px, self.length.value())
        except ValueError:
            self._warn(WRONG)
            return
        self._keep({**self._session.settings.monitors, self.monitor.key: f"{pitch:.6f}"})

    def forget(self) -> None:
        """Go back to what the monitor says itself."""
        measured = dict(self._session.settings.monitors)
        measured.pop(self.monitor.key, None)
        self._keep(measured)

    def _keep(self, monitors: dict[str, str]) -> None:
        measured = MappingProxyType(monitors)
        try:
            save(replace(load(), monitors=measured))  # not what was chosen for the time being
        except MammoviewError as error:
            self._warn(str(error))
            return
        self._session.set_settings(replace(self._session.settings, monitors=measured))
        self.close()

    def _warn(self, sentence: str) -> None:
        self.warning.setText(sentence)
        self.warning.setVisible(True)
