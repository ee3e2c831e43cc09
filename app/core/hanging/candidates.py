"""Which image fits a pane best, as sort keys over the facts of an image."""

from __future__ import annotations

from app.core.hanging.protocols import PaneRule
from app.core.imaging.image import Image

_INTENT = {"presentation": 0, None: 1, "processing": 2}
_SOURCE = {"synthetic2d": 1, "dbt": 2}
_VIEW_ORDER = ("RCC", "LCC", "RMLO", "LMLO", "RML", "LML", "RLM", "LLM", "RXCCL", "LXCCL")


def fits(image: Image, rule: PaneRule) -> bool:
    """Tell whether an image is of the laterality, view and modifiers that a pane asks for.

    An image whose laterality or view is unknown fits only a pane that takes any; it waits in the tray.
    """
    if rule.tile and not image.partial:
        return False
    side = rule.laterality in (None, image.laterality)
    return side and (not rule.views or image.view in rule.views) and _modified_as(image, rule)


def _modified_as(image: Image, rule: PaneRule) -> bool:
    if rule.modifiers == "any":
        return True
    if rule.modifiers == "standard":
        return not image.modifiers
    return any(code in rule.modifiers for code in image.modifiers)


def candidates(images: tuple[Image, ...], rule: PaneRule) -> tuple[Image, ...]:
    """Return the images that fit a pane, best first.

    The order: whole views before cut-outs; For Presentation, intent unknown, For Processing; 2D,
    synthetic 2D, tomosynthesis; standard, implant displaced, other modifiers (magnification, spot,
    rolled ...); complete before partial; then the latest acquisition, of the tiles of a mosaic the
    earliest. A pane that takes any view orders those by the screening order first. A tomosynthesis
    object fits a pane for one view only where no 2D image does.
    """
    found = sorted((image for image in images if fits(image, rule)), key=rank)
    flat = [image for image in found if image.source != "dbt"]
    if flat and rule.views:
        found = flat
    return tuple(found[rule.tile - 1 : rule.tile] if rule.tile else found)


def tiles_of(images: tuple[Image, ...], image: Image) -> tuple[Image, ...]:
    """Return the partial views among images that make one mosaic with a partial view, itself included.

    They are of its visit, laterality, view and modifiers, in the order given; none where it stands alone.
    """
    if not image.partial:
        return ()
    found = tuple(each for each in images if each.partial and _mosaic(each) == _mosaic(image))
    return found if len(found) > 1 else ()


def _mosaic(image: Image) -> tuple[object, ...]:
    return (image.study_uid, image.laterality, image.view, frozenset(image.modifiers))


def rank(image: Image) -> tuple[int, int, int, int, int, int, float, str]:
    """Return the sort key of an image among candidates: smaller hangs first."""
    return (
        1 if any(note.code == "cut-out" for note in image.notes) else 0,
        _INTENT[image.intent],
        _SOURCE.get(image.source, 0),
        _modified(image),
        1 if image.partial else 0,
        _view_place(image),
        abs(_age(image)) if image.partial else _age(image),
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
