"""Which image fits a pane best, as sort keys over the facts of an image."""

from __future__ import annotations

from app.core.hanging.protocols import PaneRule
from app.core.imaging.image import Image

_INTENT = {"presentation": 0, None: 1, "processing": 2}
_SOURCE = {"synthetic2d": 1, "dbt": 2}
_VIEW_ORDER = ("RCC", "LCC", "RMLO", "LMLO", "RML", "LML", "RLM", "LLM", "RXCCL", "LXCCL")


def fits(image: Image, rule: PaneRule) -> bool:
    """Tell whether an image is of the laterality and view that a pane asks for.

    An image whose laterality or view is unknown fits only a pane that takes any; it waits in the tray.
    """
    return rule.laterality in (None, image.laterality) and rule.view in (None, image.view)


def candidates(images: tuple[Image, ...], rule: PaneRule) -> tuple[Image, ...]:
    """Return the images that fit a pane, best first.

    The order: whole views before cut-outs; For Presentation, intent unknown, For Processing; 2D,
    synthetic 2D, tomosynthesis; standard, implant displaced, other modifiers (magnification, spot,
    rolled ...); complete before partial; then the latest acquisition. A pane that takes any view orders
    those by the screening order first. A tomosynthesis object fits a pane for one view only where no 2D
    image does.
    """
    found = sorted((image for image in images if fits(image, rule)), key=rank)
    flat = [image for image in found if image.source != "dbt"]
    if flat and rule.view is not None:
        found = flat
    return tuple(found)


def rank(image: Image) -> tuple[int, int, int, int, int, int, float, str]:
    """Return the sort key of an image among candidates: smaller hangs first."""
    return (
        1 if any(note.code == "cut-out" for note in image.notes) else 0,
        _INTENT[image.intent],
        _SOURCE.get(image.source, 0),
        _modified(image),
        1 if image.partial else 0,
        _view_place(image),
        _age(image),
        image.sop_uid if image.kind == "dicom" else str(image.path),
    )


def _modified(image: Image) -> int:
    if not image.modifiers:
        return 0
    return 1 if image.modifiers == ("ID",) else 2


def _view_place(image: Image) -> int:
    name = f"{image.laterality or ''}{image.view or ''}"
    return _VIEW_ORDER.index(name) if name in _VIEW_ORDER else len(_VIEW_ORDER)


def _age(image: Image) -> float:
    """Return seconds before the far future, so that the latest acquisition sorts first; undated last."""
    if image.acquired is None:
        return float("inf")
    plain = image.acquired.replace(tzinfo=None)
    return -(
        plain.toordinal() * 86400.0
        + plain.hour * 3600
        + plain.minute * 60
        + plain.second
        + plain.microsecond / 1e6
    )
