"""Fixtures: the main window off-screen, with and without an exam."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audit_desk import made_audit
from PySide6.QtCore import QCoreApplication, QEvent, QThreadPool
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from ui_desk import Desk, Oracle, Shelf, study_of

from app.core.settings import Settings
from app.services.library import Library
from app.services.session import Session
from app.ui import icons, theme
from app.ui.audit.window import AuditWindow, open_audit
from app.ui.main_window import MainWindow
from app.ui.places import Places


@pytest.fixture(autouse=True)
def _no_window_waits_to_be_destroyed() -> Iterator[None]:
    """Destroy a test's windows with it: hundreds of them would go in the next test that waits."""
    yield
    # A pool that is destroyed waits for its thread, and that for the interpreter, which would be held here.
    for window in QApplication.topLevelWidgets():
        for pool in window.findChildren(QThreadPool):
            pool.waitForDone()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    """An empty workstation of 1200 x 800, shown off-screen."""
    library, oracle = Shelf(), Oracle()
    session = Session(library, oracle, Settings())
    window = MainWindow(session, remember=False)
    qtbot.addWidget(window)
    window.resize(1200, 800)
    window.show()
    qtbot.waitExposed(window)
    return Desk(window, library, oracle)


@pytest.fixture
def four_views(desk: Desk) -> Desk:
    """The workstation with one decoded four-view exam."""
    desk.open(study_of())
    return desk


@pytest.fixture
def pixels_of() -> Callable[..., np.ndarray]:
    """A function: what a widget paints, as (rows, columns, 3) RGB."""

    def grab(widget: Any) -> np.ndarray:
        picture = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
        raw = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine())
        return raw[:, : picture.width() * 3].reshape(picture.height(), picture.width(), 3).copy()

    return grab


@pytest.fixture
def workstation(qtbot: QtBot) -> Iterator[MainWindow]:
    """A workstation that can open files; its windows of audits are closed with it."""
    library = Library()
    window = MainWindow(Session(library, Oracle(), Settings(reader="dr a")), remember=False)
    qtbot.addWidget(window)
    yield window
    for found in window.findChildren(AuditWindow):
        found.close()
    library.stop()


@pytest.fixture
def bench(qtbot: QtBot) -> Iterator[QWidget]:
    """What the window of audits needs of a workstation, without the workstation's own window."""
    icons.install_search_path()
    theme.apply(QApplication.instance())
    library, main = Library(), QWidget()
    qtbot.addWidget(main)
    main.places, main.models = Places(None), ()
    main.session = Session(library, Oracle(), Settings(reader="dr a"), parent=main)
    yield main
    for found in main.findChildren(AuditWindow):
        found.close()
    library.stop()


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, Path]:
    """Manifest and predictions of eight made images."""
    return made_audit(tmp_path)


@pytest.fixture
def room(bench: QWidget, made: tuple[Path, Path], qtbot: QtBot, tmp_path: Path) -> AuditWindow:
    """The window of audits on eight made images."""
    manifest, predictions = made
    window = open_audit(bench, tmp_path / "kept")
    window.resize(1600, 1000)
    qtbot.waitExposed(window)
    window.open([manifest], (), [predictions])
    qtbot.waitUntil(lambda: window.audit.plots is not None)
    return window
