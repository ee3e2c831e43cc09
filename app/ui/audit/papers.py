"""What an audit writes or begins after a question: report, CSV, a blinded reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import QFileDialog, QInputDialog

from app.ui.audit.agreement import AgreementDialog

if TYPE_CHECKING:
    from app.ui.audit.window import AuditWindow

MOST_PICTURES: Final = 60
"""Most cases whose pictures go into a report: a page that opens at once."""


def ask_report(window: AuditWindow) -> None:
    """Ask for a folder and write the report, with the first cases of the list as its gallery."""
    folder = QFileDialog.getExistingDirectory(window, "Folder of the report")
    if folder:
        rows = [int(row) for row in window.audit.state.queue[:MOST_PICTURES]]
        window.say("Writing the report…")
        window.audit.write_report(folder, rows)


def ask_csv(window: AuditWindow, answers: bool) -> None:
    """Ask for a file and write the listed cases, or all answers of blinded readings."""
    title = "Answers of blinded readings" if answers else "Listed cases"
    name, _ = QFileDialog.getSaveFileName(window, title, "", "Table (*.csv)")
    if name:
        window.audit.export_csv(name if name.lower().endswith(".csv") else f"{name}.csv", answers)


def show_agreement(window: AuditWindow) -> None:
    """Show what the blinded readings of these cases came to."""
    readings, answers = window.audit.studies_of_readers(), window.audit.state.answers
    if not readings or answers is None:
        window.say("No blinded reading of these cases was answered yet.")
        return
    dialog = AgreementDialog(window, readings, answers.model.name)
    dialog.saved.connect(lambda: _save_agreement(window))
    dialog.open()


def _save_agreement(window: AuditWindow) -> None:
    name, _ = QFileDialog.getSaveFileName(window, "Agreement of readers", "", "Table (*.csv)")
    if name:
        window.audit.export_agreement(name if name.lower().endswith(".csv") else f"{name}.csv")


def ask_blinded(window: AuditWindow, with_model: bool) -> None:
    """Ask for the name of the reader study and begin it with the listed cases."""
    name, sure = QInputDialog.getText(window, "Blinded reading", "Name of the reader study")
    if sure and name.strip():
        window.case.finish_writing()
        window.audit.begin_blinded(name.strip(), with_model=with_model)
