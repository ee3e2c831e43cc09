"""The installed PySide6 gives back what it takes: 6.12 on Python 3.11 lost a None with every call."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication, QLabel

application = QApplication([])
label = QLabel("x")
spare = ([None] * 100_000, [True] * 100_000, [False] * 100_000)
for constant in (None, True, False):
    before = sys.getrefcount(constant)
    for _ in range(1000):
        label.update()
        label.isVisible()
        label.isEnabled()
        label.parent()
        QCoreApplication.processEvents()
    print(sys.getrefcount(constant) - before)
"""


def test_calls_into_qt_do_not_use_up_pythons_constants() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lost = [int(line) for line in done.stdout.split()]
    # Immortal constants (Python 3.12) never change; mortal ones may by a few, not by one a call.
    assert len(lost) == 3
    assert all(abs(change) < 100 for change in lost), lost
