"""A qtbot that waits for what a test waits for, however busy the machine: no test is a test of speed."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from pytestqt.qtbot import QtBot

PATIENCE_MS: Final = 180_000
"""What bounds a wait for something that never comes; a wait ends as soon as it is there."""


class PatientBot(QtBot):
    """As pytest-qt's, but for how long it waits where a test does not say."""

    def __init__(self, request: Any) -> None:
        for name in ("waitUntil", "waitSignal", "waitSignals", "waitExposed", "waitActive", "waitCallback"):
            setattr(self, name, partial(getattr(super(), name), timeout=PATIENCE_MS))
        super().__init__(request)
