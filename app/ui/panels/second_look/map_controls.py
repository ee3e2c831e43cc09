"""Sliders for what is drawn over the image: heat map opacity and threshold, score of marks."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QSlider, QWidget

from app.services.state import OverlayState

ROWS: Final = (
    ("score_threshold", "Marks from score", "Boxes and list entries below this score are not shown"),
    ("opacity", "Heat map opacity", "How strongly the heat map covers the image"),
    ("threshold", "Heat map from", "Evidence below this share of the map's own maximum is not drawn"),
)


class MapControls(QWidget):
    """Emits `changed` with the name of an `OverlayState` field and its new value, 0..1."""

    changed = Signal(str, float)

    def __init__(self) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(16, 0, 16, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(0)
        self.sliders: dict[str, QSlider] = {}
        self._values: dict[str, QLabel] = {}
        for row, (name, text, tip) in enumerate(ROWS):
            label, slider, value = QLabel(text), QSlider(Qt.Orientation.Horizontal), QLabel()
            label.setProperty("role", "quiet")
            slider.setRange(0, 100)
            slider.setAccessibleName(text)
            slider.setToolTip(tip)
            value.setMinimumWidth(28)
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            slider.valueChanged.connect(lambda v, name=name: self._moved(name, v))
            grid.addWidget(label, row, 0)
            grid.addWidget(slider, row, 1)
            grid.addWidget(value, row, 2)
            self.sliders[name], self._values[name] = slider, value

    def present(self, overlay: OverlayState) -> None:
        """Show the overlay's values without answering back."""
        for name, slider in self.sliders.items():
            value = round(100 * getattr(overlay, name))
            self._values[name].setText(f"{value / 100:.2f}")
            if slider.value() != value:
                slider.blockSignals(True)
                slider.setValue(value)
                slider.blockSignals(False)

    def _moved(self, name: str, value: int) -> None:
        self._values[name].setText(f"{value / 100:.2f}")
        self.changed.emit(name, value / 100)
