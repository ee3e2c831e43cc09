"""One model's look at one study, without Qt: used by the command line and the window's job."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.core.errors import ReadError
from app.core.imaging.image import Image
from app.services.inference.views import read_model_view
from model_zoo.contract import MammogramView, UnreadableView

Read = Callable[[Image], MammogramView]


def gather(images: Sequence[Image], read: Read = read_model_view) -> tuple[MammogramView, ...]:
    """Return the images as views for a model, in order; one that cannot be read fails alone.

    Parameters
    ----------
    read
        Decodes one image; may raise `ReadError`.
    """
    return tuple(_view(image, read) for image in images)


def _view(image: Image, read: Read) -> MammogramView:
    try:
        return read(image)
    except ReadError as error:
        return UnreadableView(
            uid=image.sop_uid,
            reason=error.reason,
            laterality=image.laterality,
            view=image.view,
            source=image.source,
            intent=image.intent,
            implant=image.implant,
        )
