"""``window-drag-4up``: frames per second while four panes are windowed together, beside pyqtgraph.

Ours is the real main window: a drag goes through the session, all four panes are painted, status line
and corner texts included. The peer is four `ImageItem` of the same stored pixels in panes of the same
size, nothing else; a frame counts when all four are painted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QSize

from app.commands.window import Workstation
from benchmarks.exam import four_views
from benchmarks.result import BenchmarkError, Result, alternate, best_setting, judge
from benchmarks.workstation import opened, run_until, show

ROUNDS = 7
FRAMES = 40
"""Frames of ours in a round; the peer, being slower, gets a quarter."""


def run(name: str, folder: Path) -> Result:
    """Measure both in turn, in one process, on the same exam."""
    files = four_views(folder)
    with opened() as workstation:
        show(workstation, files[0].parent)
        thumbnails = workstation.window.thumbnails
        run_until(lambda: thumbnails.is_settled, 60, "thumbnails")
        stored = [view.scene.frame.stored for view in workstation.window.grid.viewports]
        size = workstation.window.grid.size()
        settings: dict[str, Callable[[], float]] = {}
        for dtype in (np.uint16, np.float32):
            for downsample in (True, False):
                label = f"{np.dtype(dtype).name}, autoDownsample={downsample}"
                settings[label] = Peer([pixels.astype(dtype) for pixels in stored], downsample, size).measure
        best = best_setting(settings, better="higher", rounds=2)
        peer = settings[best]
        settings.clear()
        ours = _drag(workstation)
        runs = alternate(ours, peer, ROUNDS)
    return judge(
        name,
        "frames/s",
        runs,
        better="higher",
        peer=f"pyqtgraph {pg.__version__}, four ImageItem",
        peer_config=f"{best}; row-major, setLevels; panes of the same size (of uint16 or float32, "
        "autoDownsample on or off)",
    )


def _drag(workstation: Workstation) -> Callable[[], float]:
    """Return a measurement of frames per second of the real window."""
    session, views = workstation.session, workstation.window.grid.viewports
    turns = _there_and_back()

    def painted() -> int:
        return min(view.raster.paintings for view in views)

    def measure() -> float:
        resamplings = sum(view.raster.resamplings for view in views)
        start = time.perf_counter()
        for _ in range(FRAMES):
            wanted = painted() + 1
            session.drag_window(0, 0.01 * next(turns), 1.0)
            _until_painted(painted, wanted)
        seconds = time.perf_counter() - start
        if sum(view.raster.resamplings for view in views) != resamplings:
            raise BenchmarkError("a window drag resampled an image")
        return FRAMES / seconds

    return measure


def _there_and_back() -> Iterator[int]:
    """Ten steps up, twenty down, ten up, and so on: no frame is like the one before."""
    for step in count():
        yield 1 if (step // 10) % 4 in (0, 3) else -1


class Peer:
    """Four ImageItems in a window, fitted to panes of a common size.

    Parameters
    ----------
    pixels
        Stored values as pyqtgraph is given them.
    size
        Of the whole, as that of our grid.
    """

    def __init__(self, pixels: list[npt.NDArray[Any]], downsample: bool, size: QSize) -> None:
        self._widget = pg.GraphicsLayoutWidget()
        self._widget.ci.layout.setSpacing(0)
        self._widget.ci.layout.setContentsMargins(0, 0, 0, 0)
        self._widget.resize(size)
        self._items = [CountingItem(array, axisOrder="row-major") for array in pixels]
        for place, item in enumerate(self._items):
            item.setAutoDownsample(downsample)
            box = self._widget.addViewBox(
                row=place // 2, col=place % 2, lockAspect=True, invertY=True, enableMenu=False, border=None
            )
            box.addItem(item)
            box.autoRange(padding=0)
        self._level = 0
        self._turns = _there_and_back()

    def measure(self) -> float:
        """Return frames per second; the window is shown only while it is measured."""
        self._widget.show()
        self._frame()
        start = time.perf_counter()
        for _ in range(FRAMES // 4):
            self._frame()
        seconds = time.perf_counter() - start
        self._widget.hide()
        return FRAMES // 4 / seconds

    def _frame(self) -> None:
        wanted = self._painted() + 1
        self._level += 40 * next(self._turns)
        for item in self._items:
            item.setLevels((self._level, 4095 + self._level))
        _until_painted(self._painted, wanted)

    def _painted(self) -> int:
        return min(item.paintings for item in self._items)


class CountingItem(pg.ImageItem):
    """An ImageItem that counts how often it was painted."""

    paintings = 0

    def paint(self, *arguments: Any) -> None:
        super().paint(*arguments)
        self.paintings += 1


def _until_painted(painted: Callable[[], int], wanted: int) -> None:
    application = pg.QtWidgets.QApplication.instance()
    for _ in range(200):
        if painted() >= wanted:
            return
        application.processEvents()
    raise BenchmarkError("a frame was not painted")
