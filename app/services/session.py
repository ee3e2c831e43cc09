"""The session: the one mutable object of the workstation.

It holds the reader's intent as frozen states. Each method computes the next state with a pure function,
stores it and emits it; widgets only draw what they are given.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.core.hanging.hang import choose_protocol, reading_order
from app.core.hanging.protocols import Protocol
from app.core.imaging.image import Collection, Image, Source, Study
from app.core.reading.store import Store
from app.core.settings import Settings
from app.services import screen as move
from app.services.assign import alike, assigned, confirms, described
from app.services.library import ImageKey, Library
from app.services.looks import Inference
from app.services.state import ScreenState
from app.services.worklist import following, studies_of
from app.services.workplace import Workplace


class Session(Workplace):
    """What the reader is doing: open study, hanging, panes, overlays, tool, reads.

    Signals
    -------
    collection_changed(Collection), screen_changed(ScreenState), overlay_changed(OverlayState),
    tool_changed(str), linked_changed(bool), looks_changed(tuple of SecondLook),
    reads_changed(frozenset of study keys), settings_changed(Settings)
    leaving
        The work on the open study is about to be put away: what is being typed is to be kept now.
    message(sentence)
        For the status line: why something was not done.

    Parameters
    ----------
    library
        Where images and frames come from.
    looks
        Runs second looks; None: there are none.
    settings
        Preferences at start; see `set_settings`.
    protocols
        Hanging protocols; None: those shipped.
    store
        Where the reader's work is kept; None: in memory, gone with the session.
    """

    collection_changed = Signal(object)
    leaving = Signal()

    def __init__(
        self,
        library: Library,
        looks: Inference | None = None,
        settings: Settings | None = None,
        protocols: tuple[Protocol, ...] | None = None,
        parent: QObject | None = None,
        store: Store | None = None,
    ) -> None:
        super().__init__(library, looks, settings or Settings(), protocols, parent, store)
        library.collection_changed.connect(self._on_collection)
        library.nothing_found.connect(self._on_nothing)
        library.opening_failed.connect(self.message)
        library.frame_ready.connect(self._on_frame)
        # Told once the window listens.
        QTimer.singleShot(0, self, self._tell_what_was_refused)

    # Studies

    def open_paths(self, paths: Iterable[Path | str]) -> None:
        """Open files and folders; the first study found comes on screen."""
        self._library.open(paths)

    def open_study(self, key: str) -> None:
        """Hang a study by its key with the protocol that fits; flips, inversions and looks start anew."""
        study = next((each for each in self.studies if each.key == key), None)
        if study is None:
            self.message.emit("That study is not open.")
            return
        self._views.clear()
        self._looks.begin(study)
        self.leaving.emit()
        self._work.begin(study.key, [prior.key for prior in self._priors(study)])
        self.set_overlay(map_of="")
        protocol = choose_protocol(study, self._protocols, self._settings.protocol)
        self._unseen = {image.key for image in reading_order(study, protocol)[0]}
        self._hang(study, protocol, 0)
        self._decode_ahead(study, protocol)
        upcoming = following(self.studies, key, 1, self._is_unread) or following(self.studies, key, 1)
        if upcoming is not None:
            next_protocol = choose_protocol(upcoming, self._protocols, self._settings.protocol)
            self._library.prefetch(reading_order(upcoming, next_protocol)[0])
        if self._settings.second_look == "when a study opens":
            self.analyse()

    def assign(self, image: Image, laterality: str | None, view: str | None) -> None:
        """Give an image its laterality and view by hand; the study is hung again."""
        self._amend([assigned(image, laterality, view)])

    def describe(
        self,
        image: Image,
        laterality: str | None,
        view: str | None,
        source: Source,
        spacing_mm: float | None,
        *,
        folder: bool = False,
    ) -> None:
        """Say all of an image that its file does not: see `app.services.assign.described`.

        What is said as it was known changes nothing: no image is decoded again, no look dropped.

        Parameters
        ----------
        folder
            Say source and spacing of the other pictures of its folder too.
        """
        said = assigned(image, laterality, view) if confirms(image, laterality, view) else image
        news = [(image, described(said, source, spacing_mm))]
        if folder:
            news += [(each, described(each, source, spacing_mm)) for each in alike(self._collection, image)]
        self._amend(new for old, new in news if new != old)

    def next_study(self) -> None:
        """Open the study after this one in the list."""
        self._go(following(self.studies, self._key, 1), "This is the last study.")

    def previous_study(self) -> None:
        """Open the study before this one in the list."""
        self._go(following(self.studies, self._key, -1), "This is the first study.")

    def mark_read(self, read: bool = True) -> None:
        """Mark the open study as read (or as not read)."""
        if self._key is None:
            return
        self._work.set_read(self._key, read)
        if read and self._settings.read_moves_on:
            self.next_unread()

    def next_unread(self) -> None:
        """Open the next other study that is not marked as read, from the top again after the last."""
        others = following(
            self.studies,
            self._key,
            1,
            lambda study: study.key != self._key and self._is_unread(study),
            around=True,
        )
        self._go(others, "No other study is unread.")

    # Within

    def _amend(self, images: Iterable[Image]) -> None:
        news = tuple(images)
        for image in news:
            self._views.pop(image.key, None)
        if news:
            self._library.amend(news)

    def _is_unread(self, study: Study) -> bool:
        return study.key not in self._work.reads

    def _go(self, study: Study | None, otherwise: str) -> None:
        if study is None:
            self.message.emit(otherwise)
        else:
            self.open_study(study.key)

    @Slot(object)
    def _on_collection(self, collection: Collection) -> None:
        current = self._screen.study
        found = (study for study in studies_of(collection) if current and study.key == current.key)
        again = next((study for study in found if current and _keys(study) == _keys(current)), None)
        if current is not None and again is None:
            self.leaving.emit()  # while all that shows the study still knows it
        self._collection = collection
        self._study_of = {image.key: study for study in self.studies for image in study.images}
        self.collection_changed.emit(collection)
        if again is not None:
            self._hang_again(again)
        elif self.studies:
            self.open_study(self.studies[0].key)
        else:
            self._looks.begin(None)
            self._work.begin("")
            self._show(ScreenState(generation=self._screen.generation + 1))
            self._on_nothing(collection)

    @Slot(object)
    def _on_nothing(self, collection: Collection) -> None:
        """Say why nothing new was opened; what is open stays."""
        self.message.emit(_why_nothing(collection, masked=self._settings.mask_names))

    def _hang_again(self, study: Study) -> None:
        """Hang the open study with new facts, in its protocol or, where that shows one image, in a better."""
        protocol = choose_protocol(study, self._protocols, self._settings.protocol)
        current = self._protocol(self._screen.protocol)
        if current is not None and len(current.stages[0].panes) > 1:
            protocol = current
        self._looks.amend(study)
        self._work.begin(study.key, [prior.key for prior in self._priors(study)])
        number = self._screen.number if protocol is current else 0
        self._hang(study, protocol, self._stage_near(study, protocol, number))
        self._decode_ahead(study, protocol)

    def _decode_ahead(self, study: Study, protocol: Protocol) -> None:
        """Ask for the images of a study in the order they will be wanted, then for its priors'."""
        first, others, earlier = reading_order(study, protocol, self._priors(study))
        self._library.set_study(study, (*first, *others))
        self._library.prefetch(earlier)

    @Slot(object, int)
    def _on_frame(self, key: ImageKey, frame: int) -> None:
        image = self._library.image(key)
        pixels = self._library.present(key, frame)
        if image is None or pixels is None:
            return
        self._show(move.completed(self._screen, pixels.image))
        self._look_closer()

    @Slot()
    def _tell_what_was_refused(self) -> None:
        if self._refused:  # together: the status line holds one message
            self.message.emit("; ".join(self._refused))


def _why_nothing(collection: Collection, *, masked: bool) -> str:
    """Return why nothing is open, as a sentence: the first file left out, or that there was none."""
    if not collection.left_out or masked:
        return "No mammogram was found there."
    first = collection.left_out[0]
    return f"{first.path.name}: {first.reason}"


def _keys(study: Study) -> list[ImageKey]:
    return [image.key for image in study.images]
