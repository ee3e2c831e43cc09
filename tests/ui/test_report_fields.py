"""Fields of the report: all that is written can be read."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from app.ui import theme
from app.ui.panels.report.fields import TextField


def test_a_field_that_becomes_narrower_makes_room_for_its_lines(qtbot):
    whole = QWidget()
    qtbot.addWidget(whole)
    theme.apply(QApplication.instance())
    field, column = TextField("Technique", lines=1), QVBoxLayout(whole)
    column.addWidget(field)
    column.addStretch(1)
    whole.resize(420, 200)
    whole.show()
    field.setPlainText("Digital mammography: RCC, RMLO, LCC, LMLO.")
    one = field.height()
    whole.resize(240, 200)
    qtbot.waitUntil(lambda: field.height() == one + field.fontMetrics().lineSpacing())
    qtbot.waitUntil(lambda: field.verticalScrollBar().maximum() == 0)
    whole.resize(420, 200)
    qtbot.waitUntil(lambda: field.height() == one)
