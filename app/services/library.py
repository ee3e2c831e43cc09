"""The library: what was opened, and the decoded frames of it.

All bookkeeping is on the GUI thread; finding and decoding are jobs. The current screen is decoded
first, then the rest of the study, then the next study, thumbnails last.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal, Slot

from app.core.dicom.finder import find
from app.core.errors import MammoviewError
from app.core.imaging.image import Collection, Image, Study
from app.core.settings import Settings
from app.services.assign import replaced
from app.services.decoding import Decoding
from app.services.develop import thumbnail
from app.services.frames import FrameCache, FrameKey, FramePixels, default_budget
from app.services.jobs import Job, Jobs, Report
from app.services.requests import Request, Urgency

AHEAD = 32
"""Most images of a study that are decoded before they are wanted."""
BYTES_PER_PIXEL = 5
"""Of a developed frame, at most: what a prefetch is expected to need."""

THUMBNAILS = 2000
"""Most thumbnails held (50 MB at most); the least recently used go first."""

ImageKey = tuple[str, str]
Thumbnail = npt.NDArray[np.uint8]


def find_images(paths: Sequence[Path], report: Report) -> Collection:
    """Find all images below paths: the finder as a job."""
    found: Collection = find(paths, report)
    return found


class Library(QObject):
    """The collection and its frames.

    Signals
    -------
    collection_changed(Collection)
        After opening, and when the reader said facts of an image by hand.
    opened(paths)
        The paths whose images took the place of what was open.
    progress(done, total)
        Files looked at while opening.
    opening_failed(sentence)
        Nothing could be opened, and why.
    nothing_found(Collection)
        What was to be opened holds no mammogram; the present collection stays.
    frame_ready(image key, frame)
        `frame` now gives pixels; first perhaps refining ones, then all of them.
    frame_failed(image key, frame, sentence)
        The frame cannot be shown; `failure` keeps the sentence.
    thumbnail_ready(image key)
        `thumbnail` now gives the small picture, or None for good.

    Parameters
    ----------
    settings
        For the memory that decoded frames may take.
    """

    collection_changed = Signal(object)
    opened = Signal(object)
    progress = Signal(int, int)
    opening_failed = Signal(str)
    nothing_found = Signal(object)
    frame_ready = Signal(object, int)
    frame_failed = Signal(object, int, str)
    thumbnail_ready = Signal(object)

    def __init__(self, settings: Settings | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.cache = FrameCache(default_budget((settings or Settings()).cache_mib))
        self._collection = Collection()
        self._images: dict[ImageKey, Image] = {}
        self._finding = Jobs(1, self)
        self._opening: Job | None = None
        self._decoding = Decoding(self._useful, self)
        self._decoding.decoded.connect(self._decoded)
        self._decoding.failed.connect(self._not_decoded)
        self._looks: dict[FrameKey, FramePixels] = {}
        self._failures: dict[FrameKey, str] = {}
        self._thumbnails: OrderedDict[ImageKey, Thumbnail | None] = OrderedDict()
        self._screens: dict[str, list[tuple[Image, int]]] = {}
        self._screen: frozenset[FrameKey] = frozenset()

    # What was opened

    @property
    def collection(self) -> Collection:
        """What the finder found, with what the reader said by hand."""
        return self._collection

    @property
    def opening(self) -> bool:
        """True while the finder is at work."""
        return self._opening is not None

    @property
    def busy(self) -> bool:
        """True while anything is being found or decoded, or waits for it."""
        return self.opening or self._decoding.busy

    def image(self, key: ImageKey) -> Image | None:
        """Return the image of a key, or None when it is not in the collection."""
        return self._images.get(key)

    def open(self, paths: Iterable[Path | str]) -> None:
        """Find what lies below paths, in the background; if any, it takes the place of the present."""
        self.cancel()
        wanted = [Path(path) for path in paths]
        job = Job(find_images, (wanted,), tag=tuple(wanted))
        self._opening = job
        self._decoding.warm_up()
        self._finding.start(
            job, done=self._found, failed=self._not_found, progress=self._looked_at, ended=self._opened
        )

    def cancel(self) -> None:
        """Stop opening; the present collection stays."""
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None

    def stop(self) -> None:
        """Stop all work and wait for the threads; the library is of no use after."""
        self.cancel()
        self._finding.close()
        self._decoding.stop()

    def amend(self, images: Iterable[Image]) -> None:
        """Take other facts of images, as the reader said them; their pixels are decoded again.

        An orientation that is None by then is inferred again.
        """
        news = {image.key: image for image in images}
        for key in news:
            self.cache.forget(key)
            self._thumbnails.pop(key, None)
        for held in (self._looks, self._failures):
            for place in [place for place in held if place[0] in news]:
                del held[place]  # type: ignore[attr-defined]
        self._decoding.forget(lambda request: request.image.key in news)
        self._set_collection(replaced(self._collection, news))

    # Frames

    def frame(self, image: Image, frame: int = 0) -> FramePixels | None:
        """Return a frame's pixels if they are here; else None, and they are decoded at once.

        `frame_ready` or `frame_failed` follows. A frame that failed is not tried again.
        """
        key = (image.key, frame)
        found = self.cache.get(key)
        if found is not None:
            return found
        self._ask(image, frame, Urgency.SCREEN)
        self._pump()
        return self._looks.get(key)

    def present(self, key: ImageKey, frame: int = 0) -> FramePixels | None:
        """Return what there is of a frame now, refining or whole, and ask for nothing."""
        return self.cache.peek((key, frame)) or self._looks.get((key, frame))

    def settled(self, key: ImageKey, frame: int = 0) -> bool:
        """Tell whether nothing more will come of a frame: it is decoded whole, or it failed."""
        return (key, frame) in self.cache or (key, frame) in self._failures

    def set_cache_mib(self, cache_mib: int) -> None:
        """Change the memory that decoded frames may take; 0 is the default."""
        self.cache.budget = default_budget(cache_mib)

    def failure(self, image: Image, frame: int = 0) -> str:
        """Return why a frame cannot be shown, as a sentence; empty when nothing went wrong."""
        return self._failures.get((image.key, frame), "")

    def thumbnail(self, image: Image, *, ask: bool = True) -> Thumbnail | None:
        """Return the small hung picture (uint8, at most 160 a side) or None; `thumbnail_ready` follows.

        Parameters
        ----------
        ask
            False: only what is here already, and nothing follows.
        """
        if image.key in self._thumbnails:
            self._thumbnails.move_to_end(image.key)
            return self._thumbnails[image.key]
        if not ask:
            return None
        middle = image.frames // 2
        present = self.cache.peek((image.key, middle))
        if present is not None:
            return self._keep_thumbnail(image.key, thumbnail(present))
        self._decoding.add(Request("thumbnail", image, middle, Urgency.THUMBNAIL))
        self._pump()
        return None

    def thumbnail_settled(self, key: ImageKey) -> bool:
        """Tell whether nothing more will come of a small picture: it is here, or there is none."""
        return key in self._thumbnails

    def set_screen(self, shown: Iterable[tuple[Image, int]], owner: str = "") -> None:
        """Say which frames are on screen: they are decoded first and never thrown out of memory.

        Parameters
        ----------
        owner
            Of several windows the one that shows these; what the others show stays on screen.
        """
        self._screens[owner] = list(shown)
        others = [window for name, window in self._screens.items() if name != owner]
        wanted = [place for window in (self._screens[owner], *others) for place in window]
        self._screen = frozenset((image.key, frame) for image, frame in wanted)
        self.cache.pin(self._screen)
        for key in [key for key in self._looks if key not in self._screen]:
            del self._looks[key]
        self._decoding.queue.relax(lambda request: request.place in self._screen, Urgency.STUDY)
        near = {(image.key, frame + step) for image, frame in wanted for step in (-1, 0, 1)}
        self._decoding.queue.drop(
            lambda request: request.kind != "thumbnail" and request.frame > 0 and request.place not in near
        )
        for image, frame in wanted:
            self._ask(image, frame, Urgency.SCREEN)
        for image, frame in wanted:
            for neighbour in (frame + 1, frame - 1):
                if 0 <= neighbour < image.frames:
                    self._ask(image, neighbour, Urgency.STUDY)
        self._pump()

    def set_study(self, study: Study | None, order: Sequence[Image] = ()) -> None:
        """Say which study is being read: its other views are decoded next, what others wait for is dropped.

        Parameters
        ----------
        order
            The images in the order in which they will be wanted; those of the study if none are given.
        """
        images = study.images if study is not None else ()
        keys = {image.key for image in images}
        self._decoding.queue.drop(
            lambda request: (
                request.kind != "thumbnail"
                and request.image.key not in keys
                and request.place not in self._screen
            )
        )
        self.cache.keep((image.key, 0) for image in images)
        for image in (order or images)[:AHEAD]:
            self._ask(image, 0, Urgency.STUDY)
        self._pump()

    def prefetch(self, images: Sequence[Image], *, instead_of: Sequence[Image] = ()) -> None:
        """Decode the first frames of images that may be read next, as far as there is memory.

        Parameters
        ----------
        instead_of
            Images that were asked for like this before: those whose turn has not come are let go.
        """
        before = {image.key for image in instead_of}
        self._decoding.queue.drop(lambda each: each.urgency is Urgency.NEXT and each.image.key in before)
        for image in images[:AHEAD]:
            self._ask(image, 0, Urgency.NEXT)
        self._pump()

    # Requests

    def _ask(self, image: Image, frame: int, urgency: Urgency) -> None:
        key = (image.key, frame)
        if key in self.cache or key in self._failures:
            return
        if urgency is Urgency.SCREEN and key not in self._looks:
            self._decoding.add(Request("look", image, frame, Urgency.LOOK))
        self._decoding.add(Request("frame", image, frame, urgency))

    def _pump(self) -> None:
        self._decoding.pump()

    def _useful(self, request: Request) -> bool:
        place = request.place
        if request.kind == "thumbnail":
            return True
        if place in self.cache:
            return False
        if request.kind == "look":
            return place in self._screen
        need = request.image.rows * request.image.columns * BYTES_PER_PIXEL
        return request.urgency is Urgency.SCREEN or self.cache.room() >= need

    def _keep_thumbnail(self, key: ImageKey, picture: Thumbnail | None) -> Thumbnail | None:
        self._thumbnails[key] = picture
        self._thumbnails.move_to_end(key)
        while len(self._thumbnails) > THUMBNAILS:
            self._thumbnails.popitem(last=False)
        return picture

    # Answers, on the GUI thread

    @Slot(object, object)
    def _decoded(self, request: Request, result: Any) -> None:
        key = request.place
        if request.kind == "thumbnail":
            self._keep_thumbnail(request.image.key, result)
            self.thumbnail_ready.emit(request.image.key)
        elif request.kind == "frame":
            self._looks.pop(key, None)
            self.cache.put(result)
            self.frame_ready.emit(*key)
        elif result is not None and key in self._screen and key not in self.cache:
            self._looks[key] = result
            self.frame_ready.emit(*key)

    @Slot(object, object)
    def _not_decoded(self, request: Request, error: Exception) -> None:
        if request.kind == "look":
            return
        if request.kind == "thumbnail":
            self._keep_thumbnail(request.image.key, None)
            self.thumbnail_ready.emit(request.image.key)
            return
        key = request.place
        self._looks.pop(key, None)
        self._failures[key] = sentence_of(error, request.image.path)
        self.frame_failed.emit(*key, self._failures[key])

    @Slot(object, int, int)
    def _looked_at(self, job: Job, done: int, total: int) -> None:
        if job is self._opening:
            self.progress.emit(done, total)

    @Slot(object, object)
    def _found(self, job: Job, collection: Collection) -> None:
        if job is not self._opening:
            return
        if not collection.patients and self._collection.patients:
            self._opening = None
            self.nothing_found.emit(collection)
            return
        self._decoding.forget()
        self.cache.clear()
        for held in (self._looks, self._failures, self._thumbnails):
            held.clear()  # type: ignore[attr-defined]
        self._screens.clear()
        self._screen = frozenset()
        self._opening = None
        self._set_collection(collection)
        if collection.patients:
            self.opened.emit(job.tag)

    @Slot(object, object)
    def _not_found(self, job: Job, error: Exception) -> None:
        if job is self._opening:
            self.opening_failed.emit(sentence_of(error, None))

    @Slot(object)
    def _opened(self, job: Job) -> None:
        if job is self._opening:
            self._opening = None

    def _set_collection(self, collection: Collection) -> None:
        self._collection = collection
        self._images = {
            image.key: image
            for patient in collection.patients
            for study in patient.studies
            for image in study.images
        }
        self.collection_changed.emit(collection)


def sentence_of(error: Exception, path: Path | None) -> str:
    """Return an error as one sentence; one that is not ours names its kind only."""
    if isinstance(error, MammoviewError):
        return str(error)
    where = f"{path}: " if path is not None else ""
    return f"{where}something unexpected went wrong ({type(error).__name__})"
