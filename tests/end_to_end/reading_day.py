"""A reader at the real window, as a program of its own that can be killed; each step is told as a JSON line.

``python reading_day.py read FOLDER``   opens, steps every stage, measures, reports, undoes, waits
``python reading_day.py draw FOLDER``   draws marks until it is killed; tells each that the window shows solid
``python reading_day.py look FOLDER``   opens and tells what is there
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QTextEdit, QWidget

from app.commands.window import Workstation, open_window
from app.ui import snapshot
from app.ui.panels.report.panel import ReportPanel

NONE = Qt.KeyboardModifier.NoModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


class Reader:
    """Opens a folder in the real window; draws with the mouse and types as a person does."""

    def __init__(self, folder: str) -> None:
        self.station: Workstation = open_window(off_screen=True, keep=True)
        self.window, self.session = self.station.window, self.station.session
        self.window.resize(1400, 900)
        self.window.show()
        self.session.open_paths([Path(folder)])
        self.until(lambda: bool(self.session.screen.panes))
        self.settle()

    def until(self, done: Callable[[], bool]) -> None:
        self.station.settle(done, 60.0, "the reader")

    def settle(self) -> None:
        snapshot.settle(self.window)
        self.until(lambda: not self.session.work.loading)

    def press(self, key: Qt.Key, keys: Qt.KeyboardModifier = NONE) -> None:
        QTest.keyClick(self.window.windowHandle(), key, keys)
        QApplication.processEvents()

    def drag(self, pane: int, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag the left button between two stored places of a pane's image."""
        view = self.window.grid.viewports[pane]
        scene = view.scene
        places = [scene.to_qt(*scene.affine.apply([at])[0].tolist()) for at in (start, end)]
        left, no = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        for kind, at, button, held in (
            (QEvent.Type.MouseButtonPress, places[0], left, left),
            (QEvent.Type.MouseMove, (places[0] + places[1]) / 2, no, left),
            (QEvent.Type.MouseMove, places[1], no, left),
            (QEvent.Type.MouseButtonRelease, places[1], left, no),
        ):
            where = QPointF(at)
            QApplication.sendEvent(
                view, QMouseEvent(kind, where, view.mapToGlobal(where), button, held, NONE)
            )
        QApplication.processEvents()

    def marks(self) -> list[dict[str, object]]:
        state = self.session.work.state
        return [
            {"uid": each.uid, "kind": each.kind, "image": each.image, "points": each.points}
            for each in state.work.annotations
        ]

    def solid(self) -> bool:
        return not self.session.work.state.pending

    def pane_of(self, label: str) -> int:
        return [pane.wants for pane in self.session.screen.panes].index(label)

    def field(self, name: str) -> QWidget:
        """The text field of the report whose accessible name begins so."""
        panel = self.window.findChild(ReportPanel)
        fields = [*panel.findChildren(QPlainTextEdit), *panel.findChildren(QTextEdit)]
        return next(each for each in fields if each.accessibleName().lower().startswith(name))


def read(folder: str) -> None:
    reader = Reader(folder)
    first = reader.session.screen.stage_title
    titles = [first]
    for _ in range(60):
        before = (reader.session.screen.stage, reader.session.screen.panes)
        reader.press(Qt.Key.Key_Space)
        reader.settle()
        if (reader.session.screen.stage, reader.session.screen.panes) == before:
            break
        if reader.session.screen.stage_title != titles[-1]:
            titles.append(reader.session.screen.stage_title)
    say(stages=titles, count=reader.session.screen.stages, last=reader.session.screen.stage)
    reader.session.set_stage(0)
    reader.settle()
    reader.press(Qt.Key.Key_L)
    beads = json.loads((Path(folder).parent / "beads.json").read_text())
    reader.drag(reader.pane_of("LCC"), *beads)
    reader.until(lambda: len(reader.marks()) == 1 and reader.solid())
    view = reader.window.grid.viewports[reader.pane_of("LCC")]
    say(measured=[mark.lines for mark in view.scene.marks])
    reader.drag(reader.pane_of("RCC"), (30.0, 30.0), (60.0, 50.0))
    reader.until(lambda: len(reader.marks()) == 2 and reader.solid())
    reader.press(Qt.Key.Key_Z, CONTROL)
    reader.until(lambda: len(reader.marks()) == 1 and reader.solid())
    say(marks=reader.marks())
    field = reader.field("indication")
    field.setFocus()
    QTest.keyClicks(field, "Screening after 24 months")
    reader.window.grid.setFocus()
    reader.until(lambda: "Screening after 24 months" in reader.session.work.state.work.report)
    reader.press(Qt.Key.Key_K, Qt.KeyboardModifier.ShiftModifier)
    reader.until(lambda: len(reader.session.work.state.work.key_images) == 1 and reader.solid())
    reader.session.mark_read()
    reader.until(lambda: len(reader.session.reads) == 1)
    saved(reader)
    tell(reader)
    while True:
        QApplication.processEvents()
        time.sleep(0.01)


def saved(reader: Reader) -> None:
    """Wait until nothing is on its way to the disk: what the window shows as kept."""
    reader.until(reader.solid)
    assert reader.session.work.stop(10.0)


def tell(reader: Reader) -> None:
    work = reader.session.work.state.work
    say(
        marks=reader.marks(),
        report=json.loads(work.report or "{}"),
        key_images=work.key_images,
        read=len(reader.session.reads),
        shown=[mark.lines for view in reader.window.grid.viewports for mark in view.scene.marks],
    )


def look(folder: str) -> None:
    reader = Reader(folder)
    reader.settle()
    tell(reader)
    reader.window.close()
    reader.station.close()


def draw(folder: str) -> None:
    reader = Reader(folder)
    told = {mark["uid"] for mark in reader.marks()}
    say(found=len(told))
    reader.press(Qt.Key.Key_L)
    number = len(told)
    while True:
        number += 1
        row = 20.0 + number % 60
        reader.drag(reader.pane_of("LCC"), (row, 5.0), (row + 10.0, 30.0))
        end = time.monotonic() + 0.05
        while time.monotonic() < end:
            QApplication.processEvents()
            pending = reader.session.work.state.pending
            for mark in reader.marks():
                if mark["uid"] not in told and mark["uid"] not in pending:
                    told.add(mark["uid"])
                    say(saved=mark["uid"])


if __name__ == "__main__":
    {"read": read, "draw": draw, "look": look}[sys.argv[1]](sys.argv[2])
