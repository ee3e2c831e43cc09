"""The second look as a service of the session: ask, watch, cancel; answers carry their study."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from app.core.errors import ReadError
from app.core.imaging.image import Image, Study
from app.core.reading.findings import ModelFacts, SecondLook
from app.core.reading.inside import InsidePlace
from app.core.settings import Device, Settings
from app.services.frames import FramePixels
from app.services.inference import catalogue
from app.services.inference.exam import gather
from app.services.inference.facts import facts_of
from app.services.inference.inside import PlaceRequest
from app.services.inference.process import InferenceProcess, LookRequest, bundle_digest
from app.services.inference.translate import failed_look, second_look
from app.services.inference.views import model_view, read_model_view
from app.services.jobs import Job, Jobs
from app.services.kept import Kept
from app.services.library import Library
from model_zoo.bundle import Bundle
from model_zoo.contract import ArrayView, ExamPrediction
from model_zoo.errors import ModelError

ANSWERS = 64
"""Most answers kept; the least recently asked for goes first."""

CacheKey = tuple[str, tuple[tuple[object, ...], ...], str, str]
"""(study key, images, bundle name, hash of the bundle): what an answer depends on.

Of each image its key and what the reader may say by hand.
"""


class Inference(QObject):
    """Runs models over studies in the inference process, one after the other.

    Signals
    -------
    look_changed(SecondLook)
        A model's look at a study: running (with progress), then how it ended. The session drops
        what belongs to another study than the open one.
    models_found(tuple of ModelFacts)
        What there is to ask; the answer to `list_models`.

    Parameters
    ----------
    library
        Already decoded frames are taken from its cache.
    settings
        Device and reading set; see `configure`.
    """

    look_changed = Signal(object)
    models_found = Signal(object)
    inside_found = Signal(object)
    """`InsidePlace`: the answer to `look_inside`."""
    inside_failed = Signal(str)
    """A sentence in place of it."""

    def __init__(self, library: Library, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._settings = settings
        self._process = InferenceProcess()
        self._jobs = Jobs(1, self)
        self._running: dict[Job, SecondLook] = {}
        self._cache: Kept[CacheKey, SecondLook] = Kept(ANSWERS)

    @Slot(object)
    def configure(self, settings: Settings) -> None:
        """Take new preferences; they hold from the next look on."""
        self._settings = settings

    def list_models(self) -> None:
        """Look for models in the background: every file of theirs is read once to check its hash."""
        self._jobs.start(Job(_installed), done=self._listed)

    @Slot(object, object)
    def _listed(self, job: Job, models: tuple[ModelFacts, ...]) -> None:
        self.models_found.emit(models)

    def run(self, study: Study, models: tuple[str, ...] | None = None) -> None:
        """Start a look at a study by each model named, or of the reading set."""
        self.cancel()
        try:
            bundles = catalogue.chosen(models, self._settings.models)
        except ModelError as error:
            self.look_changed.emit(failed_look(str(error), study.key, _no_model(models)))
            return
        images = study.images
        for bundle in bundles:
            facts = facts_of(bundle)
            key = _cache_key(study, images, bundle)
            known = self._cache.get(key)
            if known is not None:
                self.look_changed.emit(known)
                continue
            look = SecondLook(study.key, facts, "running", progress=(0, len(images)))
            decoded = {image.key: self._library.cache.peek((image.key, 0)) for image in images}
            job = Job(self._look, (bundle, images, self._settings.device, decoded), tag=(key, images))
            self._running[job] = look
            self.look_changed.emit(look)
            self._jobs.start(
                job, done=self._done, failed=self._failed, progress=self._progress, ended=self._ended
            )

    def look_inside(
        self,
        image: Image,
        place: tuple[float, float],
        model: str,
        layer: int | None = None,
        frame: int = 0,
    ) -> None:
        """Ask what a model sees at a place of an image, (row, col) in stored pixels.

        Parameters
        ----------
        layer
            0-based among the network's convolutions; None: the last of its trunk.
        frame
            0-based, of the image: the one that the place was chosen on.
        """
        try:
            bundle = catalogue.get(model)
        except ModelError as error:
            self.inside_failed.emit(str(error))
            return
        decoded = self._library.cache.peek((image.key, frame))
        asked = (bundle, image, self._settings.device, decoded, place, layer, frame)
        self._jobs.start(Job(self._see, asked), done=self._seen, failed=self._unseen)

    def _see(
        self,
        bundle: Bundle,
        image: Image,
        device: Device,
        decoded: FramePixels | None,
        place: tuple[float, float],
        layer: int | None,
        frame: int,
        *,
        report: Callable[[int, int], None],
    ) -> InsidePlace:
        """Decode, then ask the inference process; runs on the job's thread and knows no Qt."""
        if decoded is None or decoded.refining or decoded.incomplete:
            view = read_model_view(image, frame)
        else:
            view = model_view(decoded.image, decoded.stored, frame)
        request = PlaceRequest(bundle.folder, device, image.key, view, place, layer)
        return self._process.inside(request, report)

    @Slot(object, object)
    def _seen(self, job: Job, answer: InsidePlace) -> None:
        self.inside_found.emit(answer)

    @Slot(object, object)
    def _unseen(self, job: Job, error: Exception) -> None:
        self.inside_failed.emit(error.reason if isinstance(error, ReadError) else _sentence(error))

    def cancel(self) -> None:
        """Stop what runs; its study reads "not run" again."""
        for job, look in list(self._running.items()):
            job.cancel()
            self.look_changed.emit(replace(look, state="not run", progress=(0, 0)))
        self._running.clear()

    def stop(self) -> None:
        """End jobs and process before the program ends."""
        for job in self._running:
            job.cancel()
        self._running.clear()
        self._jobs.close(5000)
        self._process.stop()

    def _look(
        self,
        bundle: Bundle,
        images: Sequence[Image],
        device: Device,
        decoded: Mapping[tuple[str, str], FramePixels | None],
        *,
        report: Callable[[int, int], None],
    ) -> ExamPrediction:
        """Decode, then ask the inference process; runs on the job's thread and knows no Qt."""

        def read(image: Image) -> ArrayView:
            report(0, len(images))
            frame = decoded[image.key]
            if frame is None or frame.refining or frame.incomplete:
                return read_model_view(image)
            return model_view(frame.image, frame.stored)

        views = gather(images, read, specs=(bundle.spec,))
        return self._process.look(LookRequest(bundle.folder, device, views), report)

    @Slot(object, int, int)
    def _progress(self, job: Job, done: int, total: int) -> None:
        look = self._running.get(job)
        if look is not None and look.progress != (done, total):
            self._running[job] = replace(look, progress=(done, total))
            self.look_changed.emit(self._running[job])

    @Slot(object, object)
    def _done(self, job: Job, prediction: ExamPrediction) -> None:
        look = self._running.pop(job, None)
        if look is None:  # cancelled meanwhile
            return
        key, images = _tag(job)
        answer = second_look(prediction, images, look.study_key, look.model)
        self._cache.put(key, answer)
        self.look_changed.emit(answer)

    @Slot(object, object)
    def _failed(self, job: Job, error: Exception) -> None:
        look = self._running.pop(job, None)
        if look is not None:
            self.look_changed.emit(failed_look(_sentence(error), look.study_key, look.model))

    @Slot(object)
    def _ended(self, job: Job) -> None:
        self._running.pop(job, None)


def _installed(*, report: Callable[[int, int], None]) -> tuple[ModelFacts, ...]:
    return tuple(facts_of(bundle) for bundle in catalogue.find().bundles if bundle.spec.reads_images)


def _tag(job: Job) -> tuple[CacheKey, tuple[Image, ...]]:
    tag: Any = job.tag
    return tag[0], tag[1]


def _cache_key(study: Study, images: Sequence[Image], bundle: Bundle) -> CacheKey:
    asked = tuple(
        (image.key, image.laterality, image.view, image.orientation, image.source, image.spacing)
        for image in images
    )
    return (study.key, asked, bundle.name, bundle_digest(bundle.folder))


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, ModelError) and text else f"the model failed ({type(error).__name__})"


def _no_model(models: tuple[str, ...] | None) -> ModelFacts:
    name = ", ".join(models) if models else "no model"
    return ModelFacts(name, "", "", "", False, None, None, (), "", "", "research")
