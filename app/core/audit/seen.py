"""Whom a model has seen in training: its answers about her say nothing of what it can do."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.audit.cases import AuditModel
from app.core.manifest import Row, patient_mark


def seen_sentence(model: AuditModel, rows: Sequence[Row]) -> str:
    """Return a warning that a model was trained on patients who are audited; empty where it was not.

    Patients are known by the marks in the bundle, so only where the manifest names them as the
    training did. An ensemble answers here with all its members, those that trained on her too.

    Parameters
    ----------
    rows
        The images that are audited.
    """
    patients = {row.patient_id for row in rows}
    seen = sum(patient_mark(patient) in model.has_seen for patient in patients)
    if not seen:
        return ""
    whom = "all" if seen == len(patients) else str(seen)
    return (
        f"{model.name} was trained on {whom} of these {len(patients)} patients: on them it looks better "
        "than it is. Its card has the numbers on patients it never saw."
    )
