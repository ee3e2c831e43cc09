"""One model's look at one study, without Qt: used by the command line and the window's job."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.core.errors import ReadError
from app.core.imaging.image import Image
from app.services.inference.views import read_model_view
from model_zoo.contract import MammogramView, UnreadableView
from model_zoo.spec import BundleSpec
from model_zoo.suitability import judge

Read = Callable[[Image], MammogramView]


def gather(
    images: Sequence[Image], read: Read = read_model_view, *, specs: Sequence[BundleSpec] = ()
) -> tuple[MammogramView, ...]:
    """Return the images as views for models, in order; one that cannot be read fails alone.

    Parameters
    ----------
    read
        Decodes one image; may raise `ReadError`.
    specs
        The models asked: what all of them refuse by its facts is not decoded. None named: all is.
    """
    return tuple(_view(image, read, specs) for image in images)


def _view(image: Image, read: Read, specs: Sequence[BundleSpec]) -> MammogramView:
    facts = _without_pixels(image, "was not decoded")
    if specs and all(judge(facts, spec.views, spec.domain).level == "refuse" for spec in specs):
        return facts  # declined with the model's own reason, which needs no pixel
    try:
        return read(image)
    except ReadError as error:
        return _without_pixels(image, error.reason)


def _without_pixels(image: Image, reason: str) -> UnreadableView:
    return UnreadableView(
        uid=image.sop_uid,
        reason=reason,
        laterality=image.laterality,
        view=image.view,
        source=image.source,
        intent=image.intent,
        implant=image.implant,
    )
