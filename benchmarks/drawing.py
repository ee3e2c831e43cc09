"""``window-drag-4up``, ``window-drag-8up``, ``pan-4up``, ``zoom-4up``: frames per second, beside pyqtgraph.

Ours is the real main window: a motion goes through the session, all panes move together and are painted,
status line and corner texts included. The peer is as many `ImageItem` of the same stored pixels in panes of
the same size, nothing else; a frame counts when all are painted. Zooming ours is timed with exact pixels
only: the sketches that a reader sees first do not count.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QSize

from app.commands.window import Workstation
from app.ui import grid as grid_module
from benchmarks.exam import eight_views, four_views
from benchmarks.result import BenchmarkError, Result, alternate, best_setting, judge
from benchmarks.workstation import hang_with_priors, opened, settle, show

ROUNDS = 7
FRAMES = 40
"""Frames of ours in a round; the peer, being slower, gets a quarter."""
SLOW_S = grid_module.SLOW_S
PAN_PX = 12
ZOOM = 1.03


@dataclass(frozen=True)
class Motion:
    """What moves: one step of ours, one of the peer's, each told 1 or -1."""

    ours: Callable[[Workstation, int], None]
    theirs: Callable[[Peer, int], None]
    told: str


def run(name: str, folder: Path) -> Result:
    """Measure both in turn, in one process, on the same exam."""
    motion = MOTIONS[name.rpartition("-")[0]]
    panes = 8 if name.endswith("8up") else 4
    files = eight_views(folder) if panes == 8 else four_views(folder)
    grid_module.SLOW_S = math.inf  # exact pixels only
    with opened() as workstation:
        if panes == 8:
            hang_with_priors(workstation)
        show(workstation, files[0].parent.parent if panes == 8 else files[0].parent, panes)
        settle(workstation)
        stored = [view.scene.frame.stored for view in workstation.window.grid.viewports]
        size = workstation.window.grid.size()
        settings: dict[str, Callable[[], float]] = {}
        for dtype in (np.uint16, np.float32):
            for downsample in (True, False):
                label = f"{np.dtype(dtype).name}, autoDownsample={downsample}"
                peer = Peer([pixels.astype(dtype) for pixels in stored], downsample, size, motion)
                settings[label] = peer.measure
        best = best_setting(settings, better="higher", rounds=2)
        measure = settings[best]
        settings.clear()
        runs = alternate(_moved(workstation, motion), measure, ROUNDS)
        seen = _as_seen(workstation, motion) if motion is MOTIONS["zoom"] else ""
    return judge(
        name,
        "frames/s",
        runs,
        better="higher",
        peer=f"pyqtgraph {pg.__version__}, {panes} ImageItem",
        peer_config=f"{best}; row-major, {motion.told}; panes of the same size (of uint16 or float32, "
        f"autoDownsample on or off){seen}",
    )


def _as_seen(workstation: Workstation, motion: Motion) -> str:
    """Tell how many frames a reader sees while zooming, sketches among them; not what is compared."""
    grid_module.SLOW_S = SLOW_S
    measure = _moved(workstation, motion, sketches=True)
    rate = statistics.median(measure() for _ in range(ROUNDS))
    return f"; ours as seen, first as sketches: {rate:.0f} frames/s"


def _moved(workstation: Workstation, motion: Motion, *, sketches: bool = False) -> Callable[[], float]:
    """Return a measurement of frames per second of the real window."""
    views = workstation.window.grid.viewports
    turns = _there_and_back()

    def painted() -> int:
        return min(view.raster.paintings for view in views)

    def measure() -> float:
        resamplings = sum(view.raster.resamplings for view in views)
        sketched = sum(view.raster.sketches for view in views)
        start = time.perf_counter()
        for _ in range(FRAMES):
            wanted = painted() + 1
            motion.ours(workstation, next(turns))
            _until_painted(painted, wanted)
        seconds = time.perf_counter() - start
        if not sketches and sum(view.raster.sketches for view in views) != sketched:
            raise BenchmarkError("a sketch was timed")
        if motion is MOTIONS["window-drag"] and sum(view.raster.resamplings for view in views) != resamplings:
            raise BenchmarkError("a window drag resampled an image")
        return FRAMES / seconds

    return measure


def _pan(workstation: Workstation, step: int) -> None:
    scene = workstation.window.grid.active_scene
    by = step * PAN_PX / scene.px_per_mm
    workstation.session.pan_by(0, by, by)


MOTIONS = {
    "window-drag": Motion(
        lambda workstation, step: workstation.session.drag_window(0, 0.01 * step, 1.0),
        lambda peer, step: peer.set_levels(40 * step),
        "setLevels",
    ),
    "pan": Motion(_pan, lambda peer, step: peer.translate(PAN_PX * step), "ViewBox.translateBy"),
    "zoom": Motion(
        lambda workstation, step: workstation.session.zoom_at(0, ZOOM**step),
        lambda peer, step: peer.scale(ZOOM**-step),
        "ViewBox.scaleBy",
    ),
}


def _there_and_back() -> Iterator[int]:
    """Ten steps up, twenty down, ten up, and so on: no frame is like the one before."""
    for step in count():
        yield 1 if (step // 10) % 4 in (0, 3) else -1


class Peer:
    """ImageItems in a window, two rows of panes, fitted to panes of a common size.

    Parameters
    ----------
    pixels
        Stored values as pyqtgraph is given them.
    size
        Of the whole, as that of our grid.
    """

    def __init__(self, pixels: list[npt.NDArray[Any]], downsample: bool, size: QSize, motion: Motion) -> None:
        self._widget = pg.GraphicsLayoutWidget()
        self._widget.ci.layout.setSpacing(0)
        self._widget.ci.layout.setContentsMargins(0, 0, 0, 0)
        self._widget.resize(size)
        self._motion = motion
        self._items = [CountingItem(array, axisOrder="row-major", levels=(0, 4095)) for array in pixels]
        self._boxes = []
        for place, item in enumerate(self._items):
            item.setAutoDownsample(downsample)
            row, column = divmod(place, len(pixels) // 2)
            box = self._widget.addViewBox(
                row=row, col=column, lockAspect=True, invertY=True, enableMenu=False, border=None
            )
            box.addItem(item)
            box.autoRange(padding=0)
            self._boxes.append(box)
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

    def set_levels(self, by: int) -> None:
        """Move the window of all."""
        self._level += by
        for item in self._items:
            item.setLevels((self._level, 4095 + self._level))

    def translate(self, by: int) -> None:
        """Pan all by pixels of the screen."""
        for box in self._boxes:
            across, down = box.viewPixelSize()
            box.translateBy(x=by * across, y=by * down)

    def scale(self, by: float) -> None:
        """Zoom all about their centres."""
        for box in self._boxes:
            box.scaleBy((by, by))

    def _frame(self) -> None:
        wanted = self._painted() + 1
        self._motion.theirs(self, next(self._turns))
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
