"""Images of cases: headers read in the background, pixels through the library, the next cases in advance."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal, Slot

from app.core.audit.cases import CaseTable
from app.core.dicom.reader import read_image
from app.core.errors import MammoviewError
from app.core.imaging.image import Image
from app.core.manifest import Row, check_file
from app.core.stated import stated
from app.services.audit.state import CaseImages
from app.services.jobs import Job, Jobs
from app.services.kept import Kept
from app.services.library import Library

HEADERS = 4000
"""Most headers held; the least recently wanted go first."""

Found = dict[int, Image | str]
"""By row, the image, or why it cannot be shown."""


def read_rows(rows: Sequence[tuple[int, Row]], *, report: Callable[[int, int], None]) -> Found:
    """Return the images of rows, facts of the manifest stated, or a sentence for each that is not there."""
    found: Found = {}
    for number, (place, row) in enumerate(rows):
        report(number, len(rows))
        try:
            check_file(row)
            found[place] = stated(read_image(row.path), row)
        except MammoviewError as error:
            found[place] = str(error)
        except OSError as error:
            found[place] = f"{row.path}: cannot be read ({error.strerror})"
    return found


class CasePictures(QObject):
    """Reads headers of cases and asks the library for their pixels.

    Signals
    -------
    case_ready(CaseImages)
        The case last shown, once.
    thumbnail_ready(row)
    """

    case_ready = Signal(object)
    thumbnail_ready = Signal(int)

    def __init__(self, library: Library, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._table: CaseTable | None = None
        self._jobs = Jobs(1, self)
        self._thumbs = Jobs(1, self)
        self._images: Kept[int, Image | str] = Kept(HEADERS)
        self._asked: set[int] = set()
        self._keys: dict[tuple[str, str], set[int]] = {}
        self._shown: int | None = None
        self._next: tuple[int, ...] = ()
        library.thumbnail_ready.connect(self._on_thumbnail)

    def begin(self, table: CaseTable) -> None:
        """Turn to another table."""
        self.forget()
        self._table = table

    def forget(self) -> None:
        """Drop everything; answers that are still on their way are not told."""
        self._jobs.cancel()
        self._thumbs.cancel()
        self._images = Kept(HEADERS)
        self._asked, self._keys = set(), {}
        self._table, self._shown, self._next = None, None, ()

    def show(self, row: int, upcoming: Sequence[int]) -> None:
        """Make ready the images of a case, then those of the cases that come next."""
        if self._table is None:
            return
        self._shown, self._next = row, tuple(upcoming)
        wanted = self._of_exam(row)
        if all(self._images.get(each) is not None for each in wanted):
            self._tell(row)
        ahead = [each for case in self._next for each in self._of_exam(case)]
        missing = [each for each in (*wanted, *ahead) if self._images.get(each) is None]
        self._read(self._jobs, missing, self._on_read)

    def thumbnail(self, row: int) -> npt.NDArray[np.uint8] | None:
        """Return the small picture of a row, or None; `thumbnail_ready` follows."""
        image = self._images.get(row)
        if isinstance(image, Image):
            self._keys.setdefault(image.key, set()).add(row)
            return self._library.thumbnail(image)
        if image is None and row not in self._asked and self._table is not None:
            self._asked.add(row)
            self._read(self._thumbs, [row], self._on_header)
        return None

    # Within

    def _of_exam(self, row: int) -> tuple[int, ...]:
        assert self._table is not None
        others = tuple(each for each in self._table.of_exam(row) if each != row)
        return (row, *others)

    def _read(self, jobs: Jobs, rows: Sequence[int], done: Callable[[Job, Found], None]) -> None:
        table = self._table
        if table is not None and rows:
            pairs = [(each, table.rows[each]) for each in dict.fromkeys(rows)]
            jobs.start(Job(read_rows, (pairs,), tag=table), done=done)

    @Slot(object, object)
    def _on_read(self, job: Job, found: Found) -> None:
        if job.tag is not self._table:
            return
        for row, image in found.items():
            self._images.put(row, image)
        shown = self._shown
        # Its own header may be known already, of the list's small picture: then the rest of its exam came.
        if shown is not None and not found.keys().isdisjoint(self._of_exam(shown)):
            self._tell(shown)
        ahead = [self._images.get(each) for case in self._next for each in self._of_exam(case)]
        self._library.prefetch([image for image in ahead if isinstance(image, Image)])

    @Slot(object, object)
    def _on_header(self, job: Job, found: Found) -> None:
        if job.tag is not self._table:
            return
        for row, image in found.items():
            self._asked.discard(row)
            self._images.put(row, image)
            if isinstance(image, Image) and self.thumbnail(row) is not None:
                self.thumbnail_ready.emit(row)

    @Slot(object)
    def _on_thumbnail(self, key: tuple[str, str]) -> None:
        for row in self._keys.get(key, ()):
            self.thumbnail_ready.emit(row)

    def _tell(self, row: int) -> None:
        assert self._table is not None
        rows = self._of_exam(row)
        known = [self._images.get(each) for each in rows]
        own = known[0]
        failure = own if isinstance(own, str) else ""
        images = tuple(each if isinstance(each, Image) else None for each in known)
        self.case_ready.emit(CaseImages(row, rows, images, self._table.rows[row].frame, failure))
