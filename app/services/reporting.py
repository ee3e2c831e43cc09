"""The report on the open study: read from the reader's work, changed in steps that can be undone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.core.errors import MammoviewError
from app.core.hanging.priors import priors_of
from app.core.imaging.image import Image, Study
from app.core.reading.annotations import Annotation
from app.core.reading.assessment import Contradiction, assessed, compared, contradictions
from app.core.reading.handles import identity
from app.core.reading.lexicon import Lexicon, load_lexicon
from app.core.reading.report import Breast, Report, ReportFinding, begun, imaged, new_uid, normal
from app.core.reading.report_json import from_json, to_json
from app.core.reading.report_marks import Mark, drifted, finding_of, linked, measured, reread, with_nipples
from app.core.reading.work import WorkState

if TYPE_CHECKING:
    from app.services.session import Session


@dataclass(frozen=True, slots=True)
class ReportState:
    """What widgets show of the report.

    Attributes
    ----------
    study
        The study it is on; None: none is open.
    report
        As kept, or as it would begin.
    is_begun
        Whether anything of it is kept.
    contradictions
        What does not fit; empty while nothing is begun.
    refused
        Why it can only be looked at, as a sentence; empty: it can be written.
    """

    study: Study | None = None
    report: Report = field(default_factory=Report)
    lexicon: Lexicon = field(default_factory=load_lexicon)
    is_begun: bool = False
    contradictions: tuple[Contradiction, ...] = ()
    refused: str = ""

    @property
    def is_written(self) -> bool:
        """Whether there is a report that can leave the program: begun, and understood."""
        return self.is_begun and bool(self.report.changed)


class Reporting(QObject):
    """Holds `state`, follows the reader's work, and turns intentions into changes of the report.

    Signals
    -------
    changed(ReportState)
    message(sentence)
        Why something was not done.
    """

    changed = Signal(object)
    message = Signal(str)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._state = ReportState()
        session.work.changed.connect(self._follow)
        session.collection_changed.connect(lambda _: self._follow(session.work.state))
        self._follow(session.work.state)

    @property
    def state(self) -> ReportState:
        """What widgets show."""
        return self._state

    @property
    def marks(self) -> dict[str, Mark]:
        """The reader's marks on the open study by uid, each with its image and the nipple on it."""
        work, study = self._session.work.state.work, self._state.study
        images = {} if study is None else {identity(each): self._completed(each) for each in study.images}
        return with_nipples(work.annotations, images)

    @property
    def selected(self) -> Annotation | None:
        """The selected mark, if it is one of the open study that a finding can be made of."""
        found = self.marks.get(self._session.work.state.selected)
        return found.annotation if found else None

    # Changing

    def change(self, what: str, **fields: object) -> None:
        """Change fields of the report; `what` names the change for undo."""
        report: Report = replace(self._state.report, **fields)  # type: ignore[arg-type]
        self._keep(report, what)

    def assess(self, where: str, code: str) -> None:
        """Say the assessment of ``right``, ``left`` or ``overall``; an open recommendation follows."""
        report = assessed(self._state.report, self._state.lexicon, where, code)
        self._keep(report, f"report: {where} {code or 'not stated'}")

    def normal(self) -> None:
        """Write a normal exam: category 1 for the breasts imaged."""
        state = self._state
        if state.study is None:
            self.message.emit("There is nothing to report.")
        elif state.report.findings:
            self.message.emit("The report has findings: it cannot be made a normal one.")
        else:
            report = normal(state.report, state.lexicon, imaged(state.study.images))
            self._keep(report, "report: normal")

    def add_finding(self, breast: Breast = "") -> str:
        """Add an empty finding and return its uid."""
        kind = self._state.lexicon.kinds[0].code
        return self._add(ReportFinding(new_uid(), laterality=breast, kind=kind))

    def add_from_mark(self) -> str:
        """Add a finding with all that the selected mark tells and return its uid; empty: none was added."""
        annotation = self.selected
        if annotation is None:
            self.message.emit("Select a mark of this study first.")
            return ""
        known = next((f for f in self._state.report.findings if annotation.uid in f.marks), None)
        if known is not None:
            self.message.emit("That mark belongs to a finding of the report already.")
            return known.uid
        return self._add(finding_of(self.marks[annotation.uid], self._state.lexicon))

    def link_mark(self, uid: str) -> None:
        """Give the selected mark to a finding: the other view of a pair makes quadrant and clock face.

        A mark that it has already is read anew.
        """
        finding, annotation = self._state.report.find(uid), self.selected
        if finding is None or annotation is None:
            self.message.emit("Select a mark, and the finding it belongs to.")
            return
        marks = self.marks
        mark = marks[annotation.uid]
        if finding.laterality and mark.image.laterality not in (None, "B", finding.laterality):
            self.message.emit("That mark is in the other breast.")
            return
        if annotation.uid in finding.marks:
            self.put(reread(finding, marks), "report: mark read anew")
        else:
            self.put(linked(finding, mark, marks), "report: mark linked")

    def put(self, finding: ReportFinding, what: str = "report: finding") -> None:
        """Put another version of a finding in its place."""
        self._keep(self._state.report.with_finding(finding), what)

    def remove(self, uid: str) -> None:
        """Take a finding out of the report; its marks stay."""
        self._keep(self._state.report.without(uid), "report: finding removed")

    # Within

    def _add(self, finding: ReportFinding) -> str:
        return finding.uid if self._keep(self._state.report.with_finding(finding), "report: finding") else ""

    def _keep(self, report: Report, what: str) -> bool:
        """Keep a report with who and when; tell whether it could be."""
        state = self._state
        if state.study is None or state.refused:
            self.message.emit(state.refused or "There is nothing to report.")
            self.changed.emit(state)  # what shows the refused change shows what is kept again
            return False
        if report == state.report:
            self.changed.emit(state)
            return True
        now = datetime.now(UTC).isoformat(timespec="seconds")
        signed = replace(report, reader=self._session.settings.reader, changed=now)
        self._session.work.set_report(to_json(signed), what)
        return True

    def _follow(self, work: WorkState) -> None:
        state = self._made(work)
        if state != self._state:
            self._state = state
            self.changed.emit(state)

    def _made(self, work: WorkState) -> ReportState:
        study = next((each for each in self._session.studies if each.key == work.work.study), None)
        if study is None:
            return ReportState()
        text = work.work.report
        if not text:
            report = begun(study, priors_of(self._session.collection, study))
            return ReportState(study, report, load_lexicon(report.lexicon), refused=work.refused)
        try:
            report = from_json(text)
            lexicon = load_lexicon(report.lexicon)
        except MammoviewError as error:
            sentence = str(error)
            return ReportState(study, is_begun=True, refused=sentence[:1].upper() + sentence[1:])
        images = {identity(each): self._completed(each) for each in study.images}
        marks = with_nipples(work.work.annotations, images)
        found = contradictions(report, lexicon, imaged(study.images), measured(report, marks))
        found += drifted(report, lexicon, marks)
        found += compared(report, priors_of(self._session.collection, study))
        return ReportState(study, report, lexicon, True, found, work.refused)

    def _completed(self, image: Image) -> Image:
        """Return an image with what its pixels told (its orientation), where they are at hand."""
        frame = self._session.library.present(image.key, 0)
        return frame.image if frame is not None else image
