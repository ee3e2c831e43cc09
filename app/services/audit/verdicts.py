"""What readers say of cases, kept in the reader's store: verdicts, labels, notes, tags, blinded answers.

All of it goes through one ledger of the pseudo-study `AUDIT`: seen at once, written in order off the GUI
thread, undone case after case, never overwriting what another window did.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QObject, Slot

from app.core.audit.blinded import READING as ANSWERING
from app.core.audit.blinded import Answer, answer_item, answer_text, read_answers
from app.core.audit.columns import Sheet
from app.core.audit.verdicts import (
    AUDIT,
    VERDICTS,
    CaseVerdict,
    Said,
    identity,
    places,
    read_items,
    said_of,
    verdict_item,
    verdict_of,
    verdict_text,
)
from app.core.reading.store import Store
from app.services.audit.behind import AuditBehind
from app.services.jobs import Jobs
from app.services.ledger import Ledger
from app.services.library import Library


class AuditVerdicts(AuditBehind):
    """Judging cases; signals and parameters as of `AuditCases`, and

    Parameters
    ----------
    store
        Of this object alone (a `Store` on the same file as the session's); None: in memory.
    reader
        Who judges; see `set_reader`.
    """

    def __init__(
        self,
        library: Library,
        store: Store | None = None,
        reader: str = "",
        parent: QObject | None = None,
        folder: Path | None = None,
    ) -> None:
        super().__init__(library, parent, folder)
        self._where: dict[str, list[int]] = {}
        self._noted = False
        self._ledger = Ledger(store or Store(), self)
        self._ledger.reader = reader
        self._ledger.begin(AUDIT, (AUDIT,))
        self._ledger.changed.connect(self._follow)
        self._ledger.said.connect(self.message)
        self._follow()

    def set_reader(self, reader: str) -> None:
        """Name who judges from now on; nobody undoes another's."""
        self._ledger.set_reader(reader)
        self._follow()

    # Judging

    def set_verdict(self, verdict: str, rows: Sequence[int] = (), label: str = "") -> None:
        """Judge cases as one change; a verdict that all of them have already is taken back.

        Parameters
        ----------
        verdict
            One of `VERDICTS`.
        rows
            None given: the case on screen.
        label
            With ``label wrong``: what it should be, in the data set's words, or empty.

        Raises
        ------
        ValueError
            There is no such verdict.
        """
        if verdict not in VERDICTS:
            raise ValueError(f"there is no verdict {verdict}")
        wanted = self._wanted(rows)
        had = [self.verdict(row) for row in wanted]
        again = bool(had) and all(
            each is not None and each.verdict == verdict and each.label == label for each in had
        )
        given, right = ("", "") if again else (verdict, label)
        self._judge(wanted, f"verdict: {given or 'none'}", verdict=given, label=right)

    def set_note(self, note: str, rows: Sequence[int] = ()) -> None:
        """Write a note on cases (empty: none); none given: the case on screen."""
        self._judge(self._wanted(rows), "note", note=note.strip())

    def set_tags(self, tags: Iterable[str], rows: Sequence[int] = ()) -> None:
        """Give cases these tags in place of those they have from this reader."""
        plain = tuple(sorted({tag.strip() for tag in tags} - {""}))
        self._judge(self._wanted(rows), "tags", tags=plain)

    def verdict(self, row: int) -> CaseVerdict | None:
        """Return what this reader said of a case, or None."""
        sheet = self._state.sheet
        own = () if sheet is None else sheet.said.of.get(row, ())
        return next((each for each in own if each.reader == self._ledger.reader), None)

    @property
    def tags(self) -> tuple[str, ...]:
        """All tags in use among the cases, sorted."""
        sheet = self._state.sheet
        every = () if sheet is None else sheet.said.tags.values()
        return tuple(sorted({tag for own in every for tag in own}))

    def undo(self) -> None:
        """Take back the reader's last change in an audit."""
        self._ledger.undo()

    def redo(self) -> None:
        """Do again what was taken back."""
        self._ledger.redo()

    def stop(self, seconds: float = 3.0) -> bool:
        """Write what is still on its way and end background work; tell whether all was written."""
        self.close()
        done = self._ledger.stop(seconds)
        for jobs in self.findChildren(Jobs):
            jobs.close()  # what is being read must not answer to a window that is gone
        return done

    # Within

    def _wanted(self, rows: Sequence[int]) -> tuple[int, ...]:
        current = self._state.current
        return tuple(rows) or (() if current is None else (current,))

    def _judge(self, rows: Sequence[int], what: str, **changes: object) -> None:
        sheet = self._state.sheet
        if sheet is None or not rows:
            self.message.emit("There is no case to judge.")
            return

        def change() -> None:
            made = datetime.now(UTC).isoformat(timespec="microseconds")
            news: dict[str, str | None] = {}
            for row in rows:
                facts = _facts(sheet, row, self._ledger.reader, made)
                old = self.verdict(row)
                if old is not None:
                    kept = (old.verdict, old.label, old.note, old.tags)
                    facts = replace(facts, verdict=kept[0], label=kept[1], note=kept[2], tags=kept[3])
                new = replace(facts, **changes)  # type: ignore[arg-type]
                item = verdict_item(self._ledger.reader, new.image)
                news[item] = None if new.empty else verdict_text(new)
            of = "1 case" if len(rows) == 1 else f"{len(rows)} cases"
            self._ledger.change(AUDIT, f"{what} ({of})", news.items())

        self._ledger.when_loaded(change)

    def _keep_answer(self, answer: Answer) -> None:
        text = answer_text(answer)
        # In no history: an answer that was given before the truth was seen is not taken back after it.
        self._ledger.change(AUDIT, "blinded answer", [(answer_item(answer), text)], ANSWERING)

    def _answers(self) -> tuple[Answer, ...]:
        """Return all answers of blinded readings in the store."""
        return read_answers(self._ledger.view(AUDIT))[0]

    def _take_up(self) -> None:
        sheet = self._state.sheet
        assert sheet is not None
        self._where = places(sheet.table.rows)
        self._know()
        self._state = replace(self._state, sheet=replace(sheet, said=self._said(sheet)))

    def _said(self, sheet: Sheet) -> Said:
        verdicts, notes = read_items(self._ledger.view(AUDIT))
        if notes and not self._noted:
            self._noted = True
            self.message.emit(f"{len(notes)} verdicts cannot be read and stay as they are: {notes[0]}.")
        return said_of(verdicts, self._where, len(sheet.table))

    def _know(self) -> None:
        """Take over what the ledger says of itself: reader, history, what is not yet on disk."""
        ledger, history = self._ledger, self._ledger.history
        named = [verdict_of(item) for _, item in ledger.pending]
        pending = frozenset(row for each in named if each is not None for row in self._where.get(each[1], ()))
        self._state = replace(
            self._state,
            reader=ledger.reader,
            pending=pending,
            undo=history.done[-1].change.label if history.done else "",
            redo=history.undone[-1].change.label if history.undone else "",
            refused=ledger.refused,
        )

    @Slot()
    def _follow(self) -> None:
        """Show what the ledger holds now."""
        self._know()
        sheet = self._state.sheet
        if sheet is None:
            self.state_changed.emit(self._state)
        else:
            self._show(replace(sheet, said=self._said(sheet)))


def _facts(sheet: Sheet, row: int, reader: str, made: str) -> CaseVerdict:
    """Return a verdict that says nothing yet, with the case and the model's answer as they are now."""
    facts, answers = sheet.table.rows[row], sheet.answers
    score = float(answers.score[row])
    model = answers.model
    return CaseVerdict(
        image=identity(facts),
        image_id=facts.image_id,
        patient_id=facts.patient_id,
        study_id=facts.study_id,
        path=str(facts.path),
        sha256=facts.sha256,
        frame=facts.frame,
        given=facts.label,
        model=model.name,
        version=model.version,
        digest=model.digest,
        score=None if score != score else score,
        threshold=sheet.threshold,
        reader=reader,
        made=made,
    )
