"""Small tables of made-up cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from app.core.audit.cases import AuditModel, CaseTable, ExamSaid, SaidBox, ViewSaid, answers_of, table_of
from app.core.manifest import Lesion, Row

MODEL = AuditModel("one", "1", digest="d1", calibrated=True, threshold=0.5)
OTHER = AuditModel("two", "1", digest="d2")


def row(number: int, label: str = "normal", **facts: object) -> Row:
    """Image `number`: four to a patient, LCC, RCC, LMLO, RMLO."""
    patient = number // 4
    made = Row(
        f"i{number}", f"p{patient}", f"s{patient}", "LR"[number % 2], ("CC", "MLO")[number // 2 % 2],
        Path(f"/data/{number}.dcm"), 0, f"{number:064x}", 100, 80, (0.1, 0.1), "ffdm", "abcd"[patient % 4],
        str(40 + patient), ("ACME", "BEST")[patient % 2], label, "made: made up",
    )  # fmt: skip
    return replace(made, **facts)  # type: ignore[arg-type]


def lesion(
    box: tuple[float, float, float, float] | None, label: str = "mass", pathology: str | None = None
) -> Lesion:
    return Lesion(label, box, None, pathology)


def box(score: float, place: tuple[float, float, float, float], label: str = "lesion") -> SaidBox:
    return SaidBox(label, score, place)


def exams(
    rows: Sequence[Row], scores: Sequence[float | str | None], boxes: Mapping[int, tuple[SaidBox, ...]] = {}
):
    """What a model said: a score, ``declined``, ``failed`` or None (not asked) of each image.

    A breast has the mean of its scores, an exam the greater of its breasts', where all are scored.
    """
    found = []
    for patient in dict.fromkeys(one.patient_id for one in rows):
        places = [k for k, one in enumerate(rows) if one.patient_id == patient and scores[k] is not None]
        views = {}
        for place in places:
            score = scores[place]
            if isinstance(score, str):
                views[place] = ViewSaid(score, f"it was {score}")
            else:
                views[place] = ViewSaid("scored", "", score, boxes.get(place, ()))
        plain = [v.score for v in views.values()]
        if None in plain or not plain:
            found.append(ExamSaid(views))
            continue
        breasts = {}
        for side in "LR":
            own = [views[k].score for k in places if rows[k].laterality == side]
            breasts[side] = sum(own) / len(own) if own else None
        found.append(ExamSaid(views, breasts, max(v for v in breasts.values() if v is not None)))
    return found


def table(
    rows: Sequence[Row],
    *scores: Sequence[float | str | None],
    models: Sequence[AuditModel] = (MODEL, OTHER),
    boxes=None,
) -> CaseTable:
    answers = [
        answers_of(model, rows, exams(rows, own, boxes or {}))
        for model, own in zip(models, scores, strict=False)
    ]
    return table_of(rows, answers)
