"""Where models run for an audit: processes of this machine, or a dask cluster."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QSpinBox, QWidget

from app.core.errors import MammoviewError
from app.core.settings import Settings, save
from app.services.audit.audit import Audit
from app.ui.audit.wording import counted, sentence
from app.ui.dialog import Dialog

WIDTH: Final = 560


class RunOnDialog(Dialog):
    """Asks how many processes, or which cluster: two of the workstation's settings, which it keeps."""

    def __init__(self, parent: QWidget | None, session) -> None:
        super().__init__("Where models run", parent)
        self.setMinimumWidth(WIDTH)
        self._session, settings = session, session.settings
        self.workers, self.scheduler = QSpinBox(), QLineEdit(settings.audit_scheduler)
        self.scheduler.setPlaceholderText("this machine")
        form = QGridLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(4)
        form.setColumnStretch(1, 1)
        about = {item.name: item.metadata for item in fields(Settings)}
        self.workers.setRange(*(int(bound) for bound in about["audit_workers"]["bounds"]))
        self.workers.setValue(settings.audit_workers)
        self.workers.setFixedWidth(96)
        self.workers.lineEdit().setTextMargins(6, 0, 6, 0)
        editors: dict[str, QWidget] = {"audit_workers": self.workers, "audit_scheduler": self.scheduler}
        for row, (name, editor) in enumerate(editors.items()):
            label, more = QLabel(about[name]["label"]), QLabel(about[name]["help"])
            label.setBuddy(editor)
            editor.setAccessibleName(about[name]["label"])
            more.setProperty("role", "quiet")
            more.setWordWrap(True)
            form.addWidget(label, 2 * row, 0)
            form.addWidget(editor, 2 * row, 1)
            form.addWidget(more, 2 * row + 1, 1, Qt.AlignmentFlag.AlignTop)
            form.setRowMinimumHeight(2 * row + 1, 32)
        self.body.addLayout(form)
        self.warning = QLabel()
        self.warning.setProperty("role", "warning")
        self.warning.setWordWrap(True)
        self.warning.setVisible(False)
        self.body.addWidget(self.warning)
        self.add_button("Cancel", self.close)
        self.keep_button = self.add_button("Save", self._keep, default=True)

    def _keep(self) -> None:
        wanted = replace(
            self._session.settings,
            audit_workers=self.workers.value(),
            audit_scheduler=self.scheduler.text().strip(),
        )
        try:
            save(wanted)
        except MammoviewError as error:
            self.warning.setText(sentence(str(error)))
            self.warning.setVisible(True)
            return
        self._session.set_settings(wanted)
        self.close()


def words(settings: Settings) -> str:
    """Return where models run, as a clause."""
    if settings.audit_scheduler.strip():
        return f"on the cluster {settings.audit_scheduler.strip()}"
    if settings.audit_workers:
        return f"here, by {counted(settings.audit_workers, 'process', 'processes')}"
    return "here"


def predict(audit: Audit, settings: Settings) -> None:
    """Ask the models what they have not answered, where the settings say."""
    far = settings.audit_scheduler.strip() or None
    audit.predict(settings.audit_workers, settings.device, scheduler=far)
