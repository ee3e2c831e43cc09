"""Fixtures: the main window off-screen, with and without an exam."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QThreadPool
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from ui_desk import Desk, Oracle, Shelf, study_of

from app.core.settings import Settings
from app.services.session import Session
from app.ui.main_window import MainWindow


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
