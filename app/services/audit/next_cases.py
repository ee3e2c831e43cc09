"""Which cases are read next: chosen by a strategy, put on record, never of a frozen test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from PySide6.QtCore import Slot

from app.core.audit.cases import Bools, Places
from app.core.audit.choice import Chosen, chosen_item, chosen_text, is_chosen, read_chosen
from app.core.audit.columns import Sheet
from app.core.audit.filters import CaseFilter
from app.core.audit.next_case import Strategy
from app.core.audit.offering import Sought, offered
from app.core.audit.sorting import AS_IT_IS
from app.core.audit.verdicts import AUDIT
from app.core.errors import MammoviewError
from app.core.manifest import Row
from app.core.settings import Device
from app.services.audit.behind import Asked
from app.services.audit.blinded import AuditBlinded
from app.services.audit.table import sentence_of
from app.services.inference.case_vectors import CaseVectors, Vectors
from app.services.jobs import Job, Jobs, Report
from app.services.training import frozen as frozen_tests

CHOOSING = f"{AUDIT}/chosen"
"""What the log names as the reading of a choice: one of its own, so that no history takes it back."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What came of a request: the choices, the rows they are of, and how many images were kept out."""

    chosen: tuple[Chosen, ...]
    rows: tuple[int, ...]
    kept_out: int

    @property
    def words(self) -> str:
        """What is listed, as a clause."""
        one = self.chosen[0]
        frozen = f"; {self.kept_out} images of the frozen test are never offered" if self.kept_out else ""
        return f"next to read by {one.strategy}: {len(self.chosen)} of {one.of} not yet read{frozen}"


class AuditNext(AuditBlinded):
    """Offering cases; signals and parameters as of `AuditBlinded`."""

    _offering: Job | None = None
    _offer_asked: Asked | None = None
    _vectors: CaseVectors | None = None
    _looking: Jobs | None = None

    def offer_next(self, strategy: Strategy, count: int, device: Device = "auto") -> None:
        """Make the cases that are worth reading next the queue, in the background, and put that on record.

        Read is what anybody gave a verdict or a blinded answer. Patients of the frozen tests, known by id
        and by the hash of their files, are never offered. A `message` says what was chosen, or why not.

        Parameters
        ----------
        strategy
            See `app.core.audit.next_case`; ``uncertainty`` is at the threshold in force, ``diversity`` by the
            leading model's vectors. Images that its index does not hold are shown to its network first, which
            may take long: a `message` tells how far it is, and choosing other cases stops it.
        device
            On which that network runs.

        Notes
        -----
        What the reader chooses meanwhile goes before it: with other cases, a filter or another model it is
        let go, and nothing goes on record; a case that is put on screen and an order stay.
        """
        sheet = self._state.sheet
        if sheet is None or self._state.blinded is not None:
            self.message.emit("There is nothing to choose from; a blinded reading has to be ended first.")
            return
        self._forget_offered()
        self._forget_found()
        vectors = self._vectors_of(sheet, device) if strategy == "diversity" else None
        work = (sheet, strategy, count, self._read(sheet), vectors, self._ledger.reader)
        self._offering, self._offer_asked = Job(choose, work), self._asked_now(sheet)
        jobs, told = self._jobs, None
        if vectors is not None:  # a network at work keeps nothing else waiting
            jobs = self._looking = self._looking or Jobs(1, self)
            told = self._on_looked_at
        jobs.start(self._offering, done=self._on_offered, failed=self._on_not_offered, progress=told)

    def stop(self, seconds: float = 3.0) -> bool:
        """Write what is still on its way and end background work; tell whether all was written."""
        self._forget_offered()
        if self._vectors is not None:
            self._vectors.interrupt()  # else its job is waited for
        done = super().stop(seconds)
        if self._vectors is not None:
            self._vectors.stop()
        return done

    def _vectors_of(self, sheet: Sheet, device: Device) -> VectorsOf:
        """Return where the vectors of the leading model come from."""
        model = sheet.answers.model
        folder = self._folders.get(model.name)
        if folder is None:
            return partial(_no_vectors, model.name)
        if self._vectors is None:
            self._vectors = CaseVectors()
        return partial(self._vectors.of, model, folder, device)

    @Slot(object, int, int)
    def _on_looked_at(self, job: Job, done: int, total: int) -> None:
        if job is self._offering:
            far = f"{done} of {total} images"
            self.message.emit(f"Looking at the cases for diversity: {far}. Choosing other cases stops it.")

    def _forget_requests(self) -> None:
        super()._forget_requests()
        self._forget_offered()

    def _forget_offered(self) -> None:
        if self._offering is not None:
            self._offering.cancel()
        self._offering = None

    def set_filter(self, wanted: CaseFilter) -> None:
        """Look at the cases that a filter lets through; what is still being chosen is let go."""
        self._let_go()
        super().set_filter(wanted)

    def set_lead(self, model: int) -> None:
        """Let another model be the one that score, outcome and threshold are of (0-based)."""
        self._let_go()
        super().set_lead(model)

    def show_froc(self, above: float) -> None:
        """Make the images behind a point of the FROC the queue; see `AuditBehind`."""
        self._let_go()
        super().show_froc(above)

    def show_cases(self, rows: Places | Sequence[int], words: str) -> None:
        """Make the cases behind a point, a bar or a cell the queue; `words` says what they are."""
        self._let_go()
        super().show_cases(rows, words)

    def _let_go(self) -> None:
        """Let go of the choice on its way, which the reader's newer one takes the place of, and say so."""
        if self._offering is not None:
            self._forget_offered()
            self.message.emit("What to read next was not listed: you chose other cases meanwhile.")

    def _read(self, sheet: Sheet) -> Bools:
        read = np.zeros(len(sheet.table), np.bool_)
        judged = [row for row, own in sheet.said.of.items() if any(each.verdict for each in own)]
        answered = [row for each in self._answers() for row in self._where.get(each.image, ())]
        read[judged + answered] = True
        return read

    @Slot(object, object)
    def _on_offered(self, job: Job, found: Offered) -> None:
        sheet = self._state.sheet
        asked = self._offer_asked
        if job is not self._offering or sheet is None or asked is None:
            return
        if asked.table.rows is not sheet.table.rows:
            return
        self._offering = None
        if self._state.blinded is not None:
            return  # none is offered while a reading is blinded
        texts = [(chosen_item(each.image), chosen_text(each)) for each in found.chosen]
        label = f"{found.chosen[0].strategy}: {len(texts)} cases offered"
        self._ledger.when_loaded(lambda: self._ledger.change(AUDIT, label, texts, CHOOSING))
        if self._state.sorting == asked.sorting:
            self._state = replace(self._state, sorting=AS_IT_IS)  # the most useful first
        self._list(found.rows, found.words, asked_at=asked.current)
        self.message.emit(found.words)

    @Slot(object, object)
    def _on_not_offered(self, job: Job, error: Exception) -> None:
        if job is self._offering:
            self._offering = None
            self.message.emit(sentence_of(error))

    def _take_up(self) -> None:
        self._forget_offered()  # its cases were those of the table before
        super()._take_up()
        self._state = replace(self._state, chosen=self._choices())

    def _choices(self) -> Mapping[int, Chosen]:
        """Return how the cases of the table came to be read, by row, as far as a strategy chose them."""
        found: dict[int, Chosen] = {}
        for item, text in self._ledger.view(AUDIT).items():
            if text is None or not is_chosen(item):
                continue
            try:
                chosen = read_chosen(text)
            except (ValueError, TypeError, RecursionError):
                continue  # the curated set tells of it; here it says nothing
            found.update(dict.fromkeys(self._where.get(chosen.image, ()), chosen))
        return found

    @Slot()
    def _follow(self) -> None:
        self._state = replace(self._state, chosen=self._choices())
        super()._follow()


VectorsOf = Callable[..., Vectors]
"""``(rows, wanted, report=report)``: vectors of images; see `CaseVectors.of`."""


def _no_vectors(name: str, rows: Sequence[Row], wanted: Bools, *, report: Report) -> Vectors:
    raise MammoviewError(
        f"{name} is known from a prediction file only; diversity needs the model itself and its vectors"
    )


def choose(
    sheet: Sheet,
    strategy: Strategy,
    count: int,
    read: Bools,
    vectors_of: VectorsOf | None,
    reader: str,
    *,
    report: Report,
) -> Offered:
    """Return the cases to read next; for a job.

    Parameters
    ----------
    vectors_of
        For ``diversity``, else None.

    Raises
    ------
    MammoviewError
        The strategy lacks what it needs, nothing is left, or a frozen test cannot be read: then nobody is
        known to be kept out, and nothing is offered.
    """
    rows = sheet.table.rows
    answers = sheet.table.answers
    ordered = (sheet.answers, *(each for each in answers if each is not sheet.answers))
    patients, frozen_by = frozen_of(rows)
    models = [each.model for each in ordered]
    if strategy in ("diversity", "uncertainty"):
        models = models[:1]
    vectors = None
    if vectors_of is not None:
        wanted = np.array([row.patient_id not in patients for row in rows], np.bool_)
        vectors = vectors_of(rows, wanted, report=report)
    sought = Sought(
        strategy,
        count,
        patients,
        frozen_by,
        sheet.threshold if strategy == "uncertainty" else None,
        reader=reader,
    )
    named = [f"{model.name} {model.version}".strip() for model in models]
    scores = np.stack([each.score for each in ordered])
    chosen = offered(rows, sought, scores, vectors, read, named)
    places: dict[str, int] = {}
    for number, row in enumerate(rows):
        places.setdefault(row.image_id, number)
    kept_out = sum(row.patient_id in patients for row in rows)
    return Offered(chosen, tuple(places[each.image_id] for each in chosen), kept_out)


def frozen_of(rows: Sequence[Row]) -> tuple[frozenset[str], str]:
    """Return the patients of these images whom a frozen test holds, and the hashes of those tests' splits.

    A patient is known by her id, or by the file of one of her images. Raises ReadError.
    """
    patients: set[str] = set()
    hashes: list[str] = []
    for test in frozen_tests.find():
        known = (row for row in rows if row.patient_id in test.patients or row.sha256 in test.files)
        own = {row.patient_id for row in known}
        if own:
            patients |= own
            hashes.append(test.splits_hash)
    return frozenset(patients), " ".join(hashes)
