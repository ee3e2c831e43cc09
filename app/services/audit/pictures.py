"""Images of cases: headers read in the background, pixels through the library, the next cases in advance."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.core.audit.cases import CaseTable
from app.core.dicom.reader import read_image
from app.core.errors import MammoviewError
from app.core.imaging.image import Image
from app.core.manifest import Row, check_file
from app.core.stated import stated
from app.services.audit.state import CaseImages
from app.services.jobs import Job, Jobs
from app.services.kept import Kept
from app.services.library import ImageKey, Library

HEADERS = 4000
"""Most headers held; the least recently wanted go first."""
WANTED = 64
"""Most small pictures that wait: of rows that were scrolled past none is made."""
REST_MS = 80
"""No small picture is begun before the table has asked for no other row so long: it is being scrolled."""
TOGETHER = 8
"""Headers read in one go for small pictures."""

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
        self._wanted: OrderedDict[int, None] = OrderedDict()
        self._reading: Job | None = None
        self._lack: list[int] = []
        self._drawing: ImageKey | None = None
        self._without: set[int] = set()
        self._keys: dict[ImageKey, set[int]] = {}
        self._shown: int | None = None
        self._next: tuple[int, ...] = ()
        self._ahead: tuple[Image, ...] = ()
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._draw)
        library.thumbnail_ready.connect(self._on_thumbnail)
        library.collection_changed.connect(self._on_collection)

    def begin(self, table: CaseTable) -> None:
        """Turn to another table."""
        self.forget()
        self._table = table

    def forget(self) -> None:
        """Drop everything; answers that are still on their way are not told."""
        self._jobs.cancel()
        self._thumbs.cancel()
        self._rest.stop()
        self._images = Kept(HEADERS)
        self._wanted.clear()
        self._reading = self._drawing = None
        self._without, self._keys = set(), {}
        self._table, self._shown, self._next, self._ahead = None, None, (), ()

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
        if missing:
            self._jobs.start(Job(read_rows, (self._pairs(missing),), tag=self._table), done=self._on_read)
        else:
            self._look_ahead()

    def thumbnail(self, row: int) -> npt.NDArray[np.uint8] | None:
        """Return the small picture of a row, or None; `thumbnail_ready` follows.

        What was asked for last is made first, and what `WANTED` others were asked for since is not made
        at all: ask again when it is in sight again.
        """
        image = self._images.get(row)
        if isinstance(image, Image):
            picture = self._library.thumbnail(image, ask=False)
            if picture is not None:
                return picture
            if image.key == self._drawing:
                self._keys[image.key].add(row)
                return None
        if not isinstance(image, str) and row not in self._without and self._table is not None:
            if row not in self._wanted:
                self._rest.start()
            self._wanted[row] = None
            self._wanted.move_to_end(row)
            if len(self._wanted) > WANTED:
                self._wanted.popitem(last=False)
        return None

    # Within

    def _of_exam(self, row: int) -> tuple[int, ...]:
        assert self._table is not None
        others = tuple(each for each in self._table.of_exam(row) if each != row)
        return (row, *others)

    def _pairs(self, rows: Sequence[int]) -> list[tuple[int, Row]]:
        assert self._table is not None
        return [(each, self._table.rows[each]) for each in dict.fromkeys(rows)]

    @Slot()
    def _draw(self) -> None:
        """Begin the small picture wanted last, and reading the headers of those that lack theirs."""
        if self._rest.isActive():
            return
        if self._reading is None:
            self._lack = [row for row in reversed(self._wanted) if self._images.get(row) is None][:TOGETHER]
            if self._lack:
                self._reading = Job(read_rows, (self._pairs(self._lack),))
                self._thumbs.start(
                    self._reading,
                    done=self._on_headers,
                    failed=self._on_no_headers,
                    ended=self._on_headers_ended,
                )
        while self._drawing is None:
            row = next((row for row in reversed(self._wanted) if self._images.get(row) is not None), None)
            if row is None:
                return
            del self._wanted[row]
            image = self._images.get(row)
            if isinstance(image, Image):
                self._keys.setdefault(image.key, set()).add(row)
                self._library.thumbnail(image)
                if self._library.thumbnail_settled(image.key):  # of the frame in memory, or there is none
                    self._tell_drawn(image.key)
                else:
                    self._drawing = image.key

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
        self._look_ahead()

    def _look_ahead(self) -> None:
        """Have the pixels of the next cases decoded, and no more those of cases that are not next now."""
        ahead = [self._images.get(row) for row in self._next]
        before, self._ahead = self._ahead, tuple(image for image in ahead if isinstance(image, Image))
        self._library.prefetch(self._ahead, instead_of=before)

    @Slot(object, object)
    def _on_headers(self, job: Job, found: Found) -> None:
        if job is self._reading:
            for row, image in found.items():
                self._images.put(row, image)

    @Slot(object, object)
    def _on_no_headers(self, job: Job, error: Exception) -> None:
        if job is self._reading:
            self._without.update(self._lack)
            for row in self._lack:
                self._wanted.pop(row, None)

    @Slot(object)
    def _on_headers_ended(self, job: Job) -> None:
        if job is self._reading:
            self._reading = None
            self._draw()

    @Slot(object)
    def _on_thumbnail(self, key: ImageKey) -> None:
        if key == self._drawing:
            self._drawing = None
        self._tell_drawn(key)
        self._draw()

    @Slot()
    def _on_collection(self) -> None:
        """Ask for what is in sight again: opening other files empties the library."""
        if self._drawing is not None:
            self._wanted.update(dict.fromkeys(self._keys.pop(self._drawing, ())))
        self._drawing = None
        self._draw()

    def _tell_drawn(self, key: ImageKey) -> None:
        for row in self._keys.pop(key, ()):
            self._wanted.pop(row, None)
            image = self._images.get(row)
            if isinstance(image, Image) and self._library.thumbnail(image, ask=False) is None:
                self._without.add(row)  # it cannot be decoded
            self.thumbnail_ready.emit(row)

    def _tell(self, row: int) -> None:
        assert self._table is not None
        rows = self._of_exam(row)
        known = [self._images.get(each) for each in rows]
        own = known[0]
        failure = own if isinstance(own, str) else ""
        images = tuple(each if isinstance(each, Image) else None for each in known)
        self.case_ready.emit(CaseImages(row, rows, images, self._table.rows[row].frame, failure))
