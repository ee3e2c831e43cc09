"""What an audit is opened on, and the case of its table that is on screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal, Slot

from app.core.audit.columns import sheet_of
from app.core.audit.filters import read_filters
from app.core.audit.kept import FILE_NAME as KEPT
from app.core.audit.kept import KeptAnswers
from app.core.audit.matching import Matching, match
from app.core.errors import MammoviewError
from app.core.imaging.image import Study
from app.core.settings import data_folder
from app.services.audit.loading import Loaded, Wanted, load
from app.services.audit.pictures import CasePictures
from app.services.audit.state import AuditState
from app.services.audit.table import AuditTable, sentence_of, threshold_of
from app.services.jobs import Job, Report
from app.services.library import Library


class AuditCases(AuditTable):
    """What is opened and looked at, without verdicts and without running models.

    Signals
    -------
    Those of `AuditTable`, and
    case_changed(CaseImages)
        The images of the case on screen, once their headers are read.
    thumbnail_ready(row)
        `thumbnail` now gives the small picture of a row.

    Parameters
    ----------
    library
        Decodes: the images of the case on screen are asked from it as in any other pane
        (``library.frame(image, frame)``); those of the next cases are prefetched here.
    folder
        Of saved filters and kept answers, for tests; None: the reader's own folders.
    """

    case_changed = Signal(object)
    thumbnail_ready = Signal(int)

    def __init__(self, library: Library, parent: QObject | None = None, folder: Path | None = None) -> None:
        super().__init__(parent, folder)
        self._folders: dict[str, Path] = {}
        self._kept_file = (folder or data_folder()) / KEPT
        self._loading: Job | None = None
        self._pictures = CasePictures(library, self)
        self._pictures.case_ready.connect(self.case_changed)
        self._pictures.thumbnail_ready.connect(self.thumbnail_ready)

    # Opening

    def open(
        self,
        paths: Sequence[Path | str],
        models: Sequence[str] = (),
        predictions: Sequence[Path | str] = (),
        studies: Sequence[Study] = (),
    ) -> None:
        """Open a manifest (``.csv``), files and folders, or studies that are open in the reading window.

        With bundles (one or two) or prediction files. In the background; `state_changed` follows, or a
        `message` that says why not. What was predicted with these bundles before is there at once; the
        rest waits for `predict`.
        """
        wanted = Wanted(
            tuple(Path(path) for path in paths),
            tuple(models),
            tuple(Path(path) for path in predictions),
            tuple(studies),
        )
        if self._loading is not None:
            self._loading.cancel()
        self._loading = Job(_load, (wanted, self._kept_file))
        self._set(loading=True)
        self._jobs.start(self._loading, done=self._on_loaded, failed=self._on_not_loaded)

    def close(self) -> None:
        """Put the audit away; what is being read or predicted is stopped."""
        self._jobs.cancel()
        self._loading = self._plotting = None
        self._pictures.forget()
        self._state, self._plots = AuditState(saved=self._state.saved, reader=self._state.reader), None
        self.state_changed.emit(self._state)

    @Slot(object, object)
    def _on_loaded(self, job: Job, loaded: Loaded) -> None:
        if job is not self._loading:
            return
        self._loading = None
        self._folders = loaded.folders
        self._pictures.begin(loaded.table)
        notes = list(loaded.notes)
        try:
            saved = read_filters(self._filters)
        except MammoviewError as error:
            saved, notes = (), [*notes, str(error)]
        threshold = threshold_of(loaded.table.answers[0].model)
        self._state = AuditState(
            title=loaded.title,
            path=loaded.path,
            sheet=sheet_of(loaded.table, 0, threshold),
            unit=self._state.unit,
            rule=self._state.rule,
            saved=saved,
            notes=tuple(notes),
            reader=self._state.reader,
        )
        self._take_up()
        self._look_at_again()
        if len(self._state.queue):
            self.pick(int(self._state.queue[0]))

    @Slot(object, object)
    def _on_not_loaded(self, job: Job, error: Exception) -> None:
        if job is self._loading:
            self._loading = None
            self._set(loading=False)
            self.message.emit(sentence_of(error))

    def _take_up(self) -> None:
        """Bring what readers said into a table that was just opened; see `AuditVerdicts`."""

    # The case on screen

    def pick(self, row: int) -> None:
        """Put a case on screen; `case_changed` follows, at once where it was prefetched."""
        table = self._state.table
        if table is None or not 0 <= row < len(table):
            return
        self._set(current=row)
        self._pictures.show(row, self._upcoming())

    def next_case(self) -> None:
        """Go to the next case of the queue."""
        self._step(1)

    def previous_case(self) -> None:
        """Go to the case before this one in the queue."""
        self._step(-1)

    def _step(self, step: int) -> None:
        queue, place = self._state.queue, self._state.place
        if not len(queue):
            self.message.emit("The queue is empty.")
            return
        following = (0 if step > 0 else len(queue) - 1) if place is None else place + step
        if 0 <= following < len(queue):
            self.pick(int(queue[following]))
        else:
            self.message.emit(
                "This is the last case of the queue." if step > 0 else "This is the first case."
            )

    def _upcoming(self) -> tuple[int, ...]:
        place = self._state.place
        start = 0 if place is None else place + 1
        return tuple(int(row) for row in self._state.queue[start : start + 3])

    def thumbnail(self, row: int) -> npt.NDArray[np.uint8] | None:
        """Return the small picture of a case, or None: it is made, and `thumbnail_ready` follows.

        Ask for the rows in sight only.
        """
        return self._pictures.thumbnail(row)

    def matching(self, row: int, model: int | None = None, least: float | None = None) -> Matching | None:
        """Return truth against a model's boxes on a case, for the overlay; None while the model is hidden.

        In a blinded reading with the model shown no lesion is told: no box hits, and none is false.

        Parameters
        ----------
        model
            0-based; None: the leading one.
        least
            Score from which boxes count; None: all that the model shows.
        """
        sheet = self._state.sheet
        if sheet is None or self._state.model_hidden(row):
            return None
        answers = sheet.table.answers[sheet.lead if model is None else model]
        lesions = () if self._state.hidden(row) else sheet.table.rows[row].findings
        return match(lesions, answers.boxes(row), rule=self._state.rule, least=least or 0.0)


def _load(wanted: Wanted, kept: Path, *, report: Report) -> Loaded:
    file = KeptAnswers(kept)
    try:
        return load(wanted, file, report)
    finally:
        file.close()
