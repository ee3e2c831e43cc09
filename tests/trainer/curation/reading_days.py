"""Small stores for the tests of curation: exams of `dicom_files` and what named readers did with them."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

from dicom_files import write_four_views

from app.core.audit.verdicts import AUDIT, CaseVerdict, verdict_item, verdict_text
from app.core.dicom.finder import find
from app.core.imaging.image import Study
from app.core.manifest import file_sha256
from app.core.reading.annotations import Annotation, Decision, Proposal, corners, new_annotation
from app.core.reading.history import Change, Edit
from app.core.reading.items import REPORT, annotation_item, annotation_text, mark_text
from app.core.reading.report import Report
from app.core.reading.report_json import to_json
from app.core.reading.store import Store

BOX = (20.0, 10.0, 40.0, 30.0)
PROPOSAL = Proposal("finder", "1.0", "mass", 0.875, True, BOX)


class Day:
    """Writes changes into a store, one second apart."""

    def __init__(self, folder: Path, exams: int = 1) -> None:
        self.folder, self.images = folder, folder / "images"
        for number in range(exams):
            patient = {"PatientID": f"P-{number + 1}", "PatientName": f"Doe^Jane{number + 1}"}
            uids = {"StudyInstanceUID": f"1.2.3.{number + 1}"}
            write_four_views(self.images / f"exam{number + 1}", **patient, **uids)
        self.store = Store(folder / "work.sqlite")
        self._clock = itertools.count()
        self.state: dict[tuple[str, str], str | None] = {}

    @property
    def path(self) -> Path:
        return self.folder / "work.sqlite"

    def study(self, number: int = 1) -> Study:
        found = find([self.images / f"exam{number}"])
        return found.patients[0].studies[0]

    def uid(self, label: str, number: int = 1) -> str:
        return next(each.sop_uid for each in self.study(number).images if each.label == label)

    def put(
        self, item: str, text: str | None, reader: str, study: str, what: str = "change", undoes=None
    ) -> int:
        second = next(self._clock)
        edit = Edit(item, self.state.get((study, item)), text)
        made = f"2026-11-21T10:00:{second:02d}+00:00"
        seq = self.store.commit(Change(study, what, (edit,), study, reader, made, undoes))
        self.state[study, item] = text
        return seq

    def answer(
        self,
        label: str,
        decision: Decision,
        reader: str,
        *,
        number: int = 1,
        proposal: Proposal = PROPOSAL,
        box=None,
        text: str = "",
    ) -> Annotation:
        made = new_annotation(
            "finding",
            self.uid(label, number),
            0,
            corners(box or proposal.box),
            text=text or proposal.label,
            reader=reader,
            proposal=proposal,
            decision=decision,
        )
        self.write(made, reader, number=number)
        return made

    def draw(self, label: str, box, text: str, reader: str, *, number: int = 1) -> Annotation:
        made = new_annotation("rectangle", self.uid(label, number), 0, corners(box), text=text, reader=reader)
        self.write(made, reader, number=number)
        return made

    def write(self, annotation: Annotation, reader: str, *, number: int = 1) -> int:
        key = self.study(number).key
        return self.put(annotation_item(annotation.uid), annotation_text(annotation), reader, key)

    def again(self, annotation: Annotation, reader: str, *, number: int = 1, **changes: object) -> int:
        return self.write(replace(annotation, **changes), reader, number=number)

    def delete(self, annotation: Annotation, reader: str, *, number: int = 1) -> int:
        return self.put(annotation_item(annotation.uid), None, reader, self.study(number).key)

    def report(self, reader: str, *, number: int = 1, **values: object) -> int:
        text = to_json(Report(reader=reader, **values))
        return self.put(REPORT, text, reader, self.study(number).key)

    def verdict(
        self, label: str, reader: str, verdict: str, right: str = "", *, note: str = "", given="normal"
    ) -> int:
        path = next(p for p in (self.images / "exam1").iterdir() if p.stem == label)
        image = f"{file_sha256(path)}/0"
        made = CaseVerdict(
            image, verdict, right, note, ("tag",), f"exam1/{label}", given=given, reader=reader
        )
        return self.put(verdict_item(reader, image), verdict_text(made), reader, AUDIT)

    def read(self, reader: str, *, number: int = 1) -> int:
        return self.put(
            "read", mark_text(reader, "2026-11-21T11:00:00+00:00"), reader, self.study(number).key
        )
