"""Between the context menu and the window of what a model sees: asks, and shows what was asked for."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Slot

from app.core.imaging.image import Image
from app.core.reading.inside import InsidePlace
from app.services.jobs import Job, Jobs
from app.ui.panels.inside.window import InsideWindow


class LookingInside(QObject):
    """Holds the place asked about.

    Parameters
    ----------
    service
        With ``look_inside`` and its signals: `app.services.inference.service.Inference`.
    pictures
        A job's work (manifest, cases, report) that returns pictures by case.
    window
        The main window.
    """

    def __init__(self, service, pictures, window) -> None:
        super().__init__(window)
        self._service, self._pictures, self._window = service, pictures, window
        self._jobs = Jobs(1, self)
        self._asked: tuple[Image, tuple[float, float], str, int] | None = None
        self._manifest: Path | None = None
        self.shown: InsideWindow | None = None
        service.inside_found.connect(self._found)
        service.inside_failed.connect(self._failed)

    def ask(self, image: Image, place: tuple[float, float], frame: int, models: tuple[str, ...]) -> None:
        """Look at a place of a frame (0-based) with the model looked with last, else the first."""
        if self.shown is None:
            self.shown = InsideWindow(models, self._window)
            self.shown.wanted.connect(self._again)
            self.shown.manifest_chosen.connect(self._find)
        model = self._asked[2] if self._asked is not None else models[0]
        self._ask(image, place, model, None, frame)
        self.shown.show()
        self.shown.raise_()

    def _ask(
        self, image: Image, place: tuple[float, float], model: str, layer: int | None, frame: int
    ) -> None:
        self._asked = (image, place, model, frame)
        if self.shown is not None:
            self.shown.wait()
        self._service.look_inside(image, place, model, layer, frame)

    @Slot(str, object)
    def _again(self, model: str, layer: int | None) -> None:
        if self._asked is not None:
            image, place, _, frame = self._asked
            self._ask(image, place, model, layer, frame)

    @Slot(object)
    def _found(self, answer: InsidePlace) -> None:
        asked = self._asked
        if self.shown is None or asked is None or (answer.key, answer.place) != (asked[0].key, asked[1]):
            return
        self.shown.present(answer)
        if self._manifest is not None and answer.alike:
            self._jobs.start(Job(self._pictures, (self._manifest, answer.alike)), done=self._pictured)

    @Slot(str)
    def _failed(self, sentence: str) -> None:
        if self.shown is not None:
            self.shown.fail(sentence)

    @Slot(str)
    def _find(self, path: str) -> None:
        self._manifest = Path(path)
        if self.shown is not None and self.shown.alike:
            work = Job(self._pictures, (self._manifest, self.shown.alike))
            self._jobs.start(work, done=self._pictured, failed=self._not_pictured)

    @Slot(object, object)
    def _pictured(self, _job: Job, pictures: dict) -> None:
        if self.shown is not None:
            self.shown.present_pictures(pictures)

    @Slot(object, object)
    def _not_pictured(self, _job: Job, error: Exception) -> None:
        self._manifest = None
        if self.shown is not None:
            self.shown.note.setText(str(error))
