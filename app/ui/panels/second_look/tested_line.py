"""One quiet line beside the heat map: what was measured of it, or that it is hidden because it failed."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from app.core.reading.findings import SecondLook
from app.services import maps


class TestedLine(QWidget):
    """Emits `wanted` with the name of a model whose failed maps the reader wants to see."""

    __test__ = False  # no test of pytest's
    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 0, 16, 0)
        column.setSpacing(4)
        self.text = QLabel()
        self.text.setProperty("role", "quiet")
        self.text.setWordWrap(True)
        self.show_anyway = QPushButton("Show anyway")
        self.show_anyway.setToolTip("Draw the heat map that failed its tests, in this study only")
        self.show_anyway.clicked.connect(lambda: self.wanted.emit(self._model))
        column.addWidget(self.text)
        column.addWidget(self.show_anyway, 0, Qt.AlignmentFlag.AlignLeft)
        self._model = ""
        self.present((), "")

    def present(self, looks: tuple[SecondLook, ...], asked: str) -> None:
        """Show what is to be said; nothing where there are no maps, or they wait for another reason."""
        self._model = maps.hidden(looks, asked)
        words = tested_words(looks, asked)
        self.text.setText(words)
        self.show_anyway.setVisible(bool(self._model))
        self.setVisible(bool(words))


def tested_words(looks: tuple[SecondLook, ...], asked: str) -> str:
    """Return what was measured of the map that is drawn, or of the one that is hidden; empty without maps."""
    hidden = maps.hidden(looks, asked)
    model = hidden or maps.owner(looks, asked)
    for look in looks:
        for view in look.views:
            if look.model.name == model and view.evidence is not None:
                facts = maps.tested(look, view.evidence)
                if facts is None:
                    return "Not tested: whether this heat map points at lesions was not measured."
                if hidden:
                    return f"The heat map of {model} failed its tests and is hidden: it {facts.line}."
                return f"Tested: {facts.line}"
    return ""
