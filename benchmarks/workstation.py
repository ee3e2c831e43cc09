"""The real workstation off-screen, driven from outside as the benchmarks need it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer

from app.commands.window import Workstation, open_window
from benchmarks.result import BenchmarkError

SIZE = (2560, 2048)
"""Columns and rows of the window: one 5 megapixel display."""
LOOK_MS = 5


@contextmanager
def opened() -> Iterator[Workstation]:
    """A workstation with an empty main window, painted once."""
    workstation = open_window(off_screen=True)
    workstation.window.resize(*SIZE)
    workstation.window.show()
    run_until(lambda: workstation.window.isVisible(), 30, "the window")
    try:
        yield workstation
    finally:
        workstation.window.close()
        workstation.close()


def show(workstation: Workstation, folder: Path, panes: int = 4) -> float:
    """Open a folder; return the seconds until all panes are painted from the full decode."""
    start = time.perf_counter()
    workstation.session.open_paths([folder])
    grid = workstation.window.grid
    run_until(
        lambda: grid.loading == (panes, panes) and not workstation.window.is_opening, 120, f"{panes} panes"
    )
    workstation.window.repaint()
    seconds = time.perf_counter() - start
    failed = [view.scene.failed for view in grid.viewports if view.scene is not None and view.scene.failed]
    if failed:
        raise BenchmarkError(f"an image was not shown: {failed[0]}")
    return seconds


def hang_with_priors(workstation: Workstation) -> None:
    """Let studies open as eight panes, the four views under their priors."""
    session = workstation.session
    session.set_settings(replace(session.settings, protocol="screening-priors"))


def settle(workstation: Workstation) -> None:
    """Wait until nothing is decoded any more, thumbnails included."""
    run_until(lambda: workstation.window.thumbnails.is_settled, 120, "thumbnails")
    run_until(lambda: not workstation.session.library.busy, 120, "the decoders")


def run_until(done: Callable[[], bool], seconds: float, what: str) -> None:
    """Run the event loop until `done()`; `BenchmarkError` naming `what` after `seconds`.

    The loop sleeps between two looks at it: one that polls would take a core from the work that is measured.
    """
    loop = QEventLoop()
    end = time.monotonic() + seconds

    def look() -> None:
        if done() or time.monotonic() > end:
            loop.quit()

    timer = QTimer(interval=LOOK_MS)
    timer.timeout.connect(look)
    timer.start()
    loop.exec()
    timer.stop()
    if not done():
        raise BenchmarkError(f"{what}: not there after {seconds:.0f} s")
