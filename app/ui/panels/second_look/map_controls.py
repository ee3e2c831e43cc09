"""Sliders for what is drawn over the image: heat map opacity and threshold, score of marks."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QSlider, QWidget

from app.services.state import OverlayState
from app.ui.drop_down import DropDown

ROWS: Final = (
    ("score_threshold", "Marks from score", "Boxes and list entries below this score are not shown"),
    ("opacity", "Heat map opacity", "How strongly the heat map covers the image"),
    ("threshold", "Heat map from", "Evidence below this share of the map's own maximum is not drawn"),
)


class MapControls(QWidget):
    """Emits `changed` with the name of an `OverlayState` field and its new value, 0..1.

    Where several models have maps it offers them by name and emits `owner_chosen`.
    """

    changed = Signal(str, float)
    owner_chosen = Signal(str)

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
        self._owner_label, self.owner = QLabel("Heat map of"), DropDown()
        self._owner_label.setProperty("role", "quiet")
        self._owner_label.setContentsMargins(0, 4, 0, 4)
        self.owner.setAccessibleName("Heat map of")
        self.owner.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.owner.activated.connect(lambda _: self.owner_chosen.emit(self.owner.currentData()))
        grid.addWidget(self._owner_label, len(ROWS), 0, 1, 3)
        grid.addWidget(self.owner, len(ROWS) + 1, 0, 1, 3)
        self.present_owners((), "")

    def present_owners(
        self,
        owners: tuple[tuple[str, bool], ...],
        shown: str,
        *,
        mixed: bool = False,
        rejected: frozenset[str] = frozenset(),
    ) -> None:
        """Offer the models that have maps, as (name, within its domain); `shown` is drawn, empty: none.

        `mixed`: of a single one some maps are held back, and are offered. `rejected`: those that failed
        their tests.
        """
        alone = mixed and len(owners) == 1
        rest = ", views outside its domain too" if alone else ""
        texts = [f"{name}{rest}" if inside else f"{name} (outside its domain)" for name, inside in owners]
        marked = [name in rejected for name, _ in owners]
        texts = [
            f"{text}, failed its tests" if bad else text for text, bad in zip(texts, marked, strict=True)
        ]
        shown = "" if alone else shown
        if texts != [self.owner.itemText(row) for row in range(self.owner.count())]:
            self.owner.clear()
            for (name, _), text in zip(owners, texts, strict=True):
                self.owner.addItem(text, name)
        self.owner.setCurrentIndex(self.owner.findData(shown) if shown else -1)
        for part in (self._owner_label, self.owner):
            part.setVisible(len(owners) > 1 or alone)

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
