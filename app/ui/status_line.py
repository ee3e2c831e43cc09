"""The one quiet line below the images."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from app.ui import theme, wording
from app.ui.bar_parts import Elided


class StatusLine(QFrame):
    """Says how the active pane is shown, what is being worked on, and that this is for research."""

    LEFT = ("window", "zoom", "size", "spacing", "message")
    RIGHT = ("work", "unsaved", "models", "research")
    GIVING = ("message", "models")
    """Those that are shortened where there is not room for all; the whole text is their tool tip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status")
        self.setFixedHeight(theme.STATUS)
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 0, 12, 0)
        line.setSpacing(20)
        self._labels: dict[str, QLabel] = {}
        for name in (*self.LEFT, "", *self.RIGHT):
            if not name:
                line.addStretch(1)
                continue
            label = Elided(kept=48) if name in self.GIVING else QLabel()
            label.setAccessibleName(name)
            label.setVisible(False)
            self._labels[name] = label
            line.addWidget(label)
        self._labels["message"].setProperty("role", "warning")
        self._labels["unsaved"].setProperty("role", "standing")
        self.write(research=wording.RESEARCH)

    def write(self, **texts: str) -> None:
        """Set some of the texts; an empty one takes no room. Research use only always stays."""
        for name, text in texts.items():
            label = self._labels[name]
            if self.text(name) != text:
                if isinstance(label, Elided):
                    label.write(text)
                else:
                    label.setText(text)
                label.setVisible(bool(text))

    def warn_unsaved(self, why: str) -> None:
        """Say for as long as it is so that the reader's work is not saved; the sentence says why."""
        self.write(unsaved=wording.UNSAVED if why else "")
        self._labels["unsaved"].setToolTip(why)

    def text(self, name: str) -> str:
        """Return what stands under a name (for tests and assistive technology)."""
        label = self._labels[name]
        return label.whole if isinstance(label, Elided) else label.text()
