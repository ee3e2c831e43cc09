"""Making the workstation: application, session and main window, on a display or off-screen."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.core.errors import MammoviewError

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from app.services.inference.service import Inference
    from app.services.library import Library
    from app.services.session import Session
    from app.ui.main_window import MainWindow


TURN_S = 0.0005
"""Seconds that a thread keeps the interpreter which the window's thread waits for.

At Python's own 5 ms a table that is painted in 4 ms took up to 34 while headers were read beside it; so 15.
"""


@dataclass(slots=True, eq=False)
class Workstation:
    """The parts of a running workstation, kept alive together."""

    application: QApplication
    library: Library
    looks: Inference
    session: Session
    window: MainWindow

    def run(self) -> int:
        """Run the event loop until the window is closed."""
        code = self.application.exec()
        self.close()
        return int(code)

    def close(self) -> None:
        """End background work in order; what the reader did last is written first."""
        from app.services.jobs import Jobs

        self.session.work.stop()
        self.looks.stop()
        self.library.stop()
        for jobs in (*self.session.findChildren(Jobs), *self.window.findChildren(Jobs)):
            jobs.close()  # what is being measured or written: its answer must not meet a window that is gone

    def settle(self, done: Callable[[], bool], seconds: float, what: str) -> None:
        """Run the event loop until `done()`; `MammoviewError` naming `what` after `seconds`."""
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                raise MammoviewError(f"{what}: not finished after {seconds:.0f} s")
            self.application.processEvents()
            time.sleep(0.01)
        self.application.processEvents()


def has_display() -> bool:
    """Tell whether a window can be shown (an explicit QT_QPA_PLATFORM is taken at its word)."""
    if os.environ.get("QT_QPA_PLATFORM") or not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def require_display() -> None:
    """Raise `MammoviewError` where Qt would end the process for lack of a display."""
    if not has_display():
        raise MammoviewError("no display was found (DISPLAY is not set); snapshot and demo work without one")


def speak_utf8() -> None:
    """Give this process a UTF-8 locale where it has none, before Qt starts: Qt complains on stderr else."""
    if not sys.platform.startswith("linux"):
        return
    set_by = next((name for name in ("LC_ALL", "LC_CTYPE", "LANG") if os.environ.get(name)), "LC_CTYPE")
    if not os.environ.get(set_by, "").replace("-", "").lower().endswith("utf8"):
        os.environ["LC_ALL" if set_by == "LC_ALL" else "LC_CTYPE"] = "C.UTF-8"


def open_window(*, off_screen: bool = False, keep: bool | None = None) -> Workstation:
    """Build the workstation; nothing is shown yet.

    Parameters
    ----------
    off_screen
        Draw into memory: for pictures and checks.
    keep
        Whether the reader's own work is shown and what is done is kept with it; None: unless off-screen.
    """
    if off_screen:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    speak_utf8()
    sys.setswitchinterval(TURN_S)
    from PySide6.QtWidgets import QApplication

    from app.core.reading.store import FILE_NAME, Store
    from app.core.settings import data_folder, load
    from app.services.inference.calculator import Calculators
    from app.services.inference.like_pictures import like_pictures
    from app.services.inference.service import Inference
    from app.services.library import Library
    from app.services.session import Session
    from app.ui.looking_inside import LookingInside
    from app.ui.main_window import MainWindow

    application = QApplication.instance() or QApplication(["mammoview"])
    assert isinstance(application, QApplication)
    settings = load()
    library = Library(settings)
    looks = Inference(library, settings)
    keep = not off_screen if keep is None else keep
    store = Store(data_folder() / FILE_NAME) if keep else None
    session = Session(library, looks, settings, store=store)
    session.settings_changed.connect(looks.configure)
    window = MainWindow(session)
    looks.models_found.connect(window.show_models)
    window.models_wanted.connect(looks.list_models)
    looks.list_models()
    window.report.advise(Calculators(window))
    window.inside = LookingInside(looks, like_pictures, window)
    return Workstation(application, library, looks, session, window)
