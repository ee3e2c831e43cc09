"""The panes in which an audit shows a case: one for each model, all of the same image, moved together."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot

from app.core.hanging.layout import justify_of, top_of
from app.core.imaging.image import Image
from app.services import screen as move
from app.services.audit.state import CaseImages
from app.services.library import ImageKey, Library
from app.services.panes import Panes
from app.services.state import PaneState, ScreenState, ViewportState

OWNER = "audit"
"""Under this name the library keeps what is on screen here."""


class CasePanes(Panes):
    """Shows the image of a case fitted into one pane or several beside each other, linked.

    Signals and the reader's moves are those of `Panes`; the panes of the screen are in the order of the
    models.
    """

    def __init__(self, library: Library, parent: QObject | None = None) -> None:
        super().__init__(library, True, parent)
        self._owner = OWNER
        self._case: CaseImages | None = None
        library.frame_ready.connect(self._on_frame)
        library.collection_changed.connect(self._on_collection)

    @property
    def case(self) -> CaseImages | None:
        """The case on screen, or None."""
        return self._case

    @property
    def image(self) -> Image | None:
        """The image on screen, or None where there is none or it cannot be read."""
        return None if self._case is None or not self._case.images else self._case.images[0]

    def present(self, case: CaseImages, panes: int = 1) -> None:
        """Show a case in so many panes; the same image keeps its zoom and window."""
        same = self._case is not None and self._case.row == case.row and len(self._screen.panes) == panes
        self._case = case
        if same and self._screen.panes and self._screen.panes[0].viewport.image == self.image:
            return
        image = self.image
        shown = () if image is None else tuple(_pane(image, case.frame, place) for place in range(panes))
        self._views.clear()  # each case is looked at anew
        self._show(ScreenState(generation=self._screen.generation + 1, columns=max(panes, 1), panes=shown))
        self._complete()

    def close(self) -> None:
        """Show nothing, and hold no frame in memory."""
        self._case = None
        self._show(ScreenState(generation=self._screen.generation + 1))

    def _complete(self) -> None:
        """Take what the pixels told of the image, if they are here."""
        case, image = self._case, self.image
        if case is not None and image is not None:
            pixels = self._library.present(image.key, case.frame)
            if pixels is not None:
                self._show(move.completed(self._screen, pixels.image))

    @Slot(object, int)
    def _on_frame(self, key: ImageKey, frame: int) -> None:
        if self.image is not None and self.image.key == key:
            self._complete()

    @Slot()
    def _on_collection(self) -> None:
        """Ask again: opening other files empties the library."""
        image = self.image
        if image is not None and self._case is not None:
            self._library.set_screen([(image, self._case.frame)], self._owner)


def _pane(image: Image, frame: int, place: int) -> PaneState:
    view = ViewportState(image=image, frame=frame, sizing="fit", base="fit")
    return PaneState(0, place, image.label or "image", (image,), 0, view, justify_of(image), top_of(image))
