"""Which program and version this is, and what it is not for."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from PySide6.QtWidgets import QLabel

from app.ui import wording
from app.ui.dialog import Dialog


def program_version() -> str:
    """Return the installed version, or ``unknown``."""
    try:
        return version("mammoview")
    except PackageNotFoundError:
        return "unknown"


class AboutDialog(Dialog):
    """Version, purpose, licence."""

    NAME = "about"

    def __init__(self, window) -> None:
        super().__init__("Mammoview", window)
        for text, role in (
            (f"Version {program_version()}", ""),
            ("A mammography workstation: hang, read, and ask a local model for a second look.", ""),
            (f"{wording.RESEARCH}. Not a medical device, not for diagnosis.", "warning"),
            ("Apache License 2.0. Models carry their own licences; the second look names them.", "quiet"),
            ("Qt and PySide6 under LGPL 3; icons Phosphor, MIT.", "quiet"),
        ):
            label = QLabel(text)
            label.setProperty("role", role)
            label.setWordWrap(True)
            self.body.addWidget(label)
        self.setFixedWidth(420)
        self.add_button("Close", self.close, default=True)
