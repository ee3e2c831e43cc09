"""Whether a bundle was made for a view: refuse it, answer outside the training domain, or score it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from model_zoo.contract import MammogramView
from model_zoo.fields import Fields

VIEWS = ("CC", "MLO", "ML", "LM", "LMO", "SIO", "ISO", "XCC", "XCCL", "XCCM", "FB", "SPECIMEN")
SOURCES = ("ffdm", "film", "synthetic2d", "dbt", "phantom", "unknown")
INTENTS = ("presentation", "processing")

_SOURCE_NAMES = {
    "ffdm": "a full-field digital mammogram",
    "film": "a digitised film",
    "synthetic2d": "a synthetic 2-D image of a tomosynthesis",
    "dbt": "a tomosynthesis frame",
    "phantom": "a synthetic phantom",
    "unknown": "of unknown origin",
}


@dataclass(frozen=True, slots=True)
class Views:
    """The ``views`` block of bundle.json.

    Attributes
    ----------
    required
        ``LCC`` names one view of one breast; ``CC`` that view of each breast in the exam. Where one
        is missing the exam is declined.
    allowed
        Views that it was trained on; another one is refused.
    """

    required: tuple[str, ...]
    allowed: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the block as `read_views` takes it."""
        return {"required": list(self.required), "allowed": list(self.allowed)}


@dataclass(frozen=True, slots=True)
class Domain:
    """The ``domain`` block of bundle.json: what the bundle was trained on.

    Attributes
    ----------
    sources
        Another source is outside the training domain; tomosynthesis is refused unless named here.
    intents
        For Processing is refused unless ``processing`` is named here.
    min_rows, min_columns
        Smaller images are refused.
    implants
        False: a breast with an implant is outside the training domain.
    trained_on
        One sentence for the reader.
    """

    sources: tuple[str, ...]
    intents: tuple[str, ...]
    min_rows: int
    min_columns: int
    implants: bool
    trained_on: str

    def to_json(self) -> dict[str, Any]:
        """Return the block as `read_domain` takes it."""
        return {
            "sources": list(self.sources),
            "intents": list(self.intents),
            "min_rows": self.min_rows,
            "min_columns": self.min_columns,
            "implants": self.implants,
            "trained_on": self.trained_on,
        }


@dataclass(frozen=True, slots=True)
class Suitability:
    """Whether one view suits a bundle.

    Attributes
    ----------
    level
        ``refuse``: no score, no map. ``outside``: no score, a map only on request. ``suits``.
    reason
        One sentence, None where it suits.
    """

    level: Literal["suits", "outside", "refuse"]
    reason: str | None = None


def read_views(fields: Fields) -> Views:
    """Return the block read from JSON; `BundleError` names a wrong field."""
    names = VIEWS + tuple(side + view for side in "LR" for view in VIEWS)
    allowed = fields.texts("allowed", among=VIEWS)
    if not allowed:
        raise fields.error("allowed", "must name at least one view")
    required = fields.texts("required", (), among=names)
    for name in required:
        if split_required(name)[1] not in allowed:
            raise fields.error("required", f"names {name}, which is not among the allowed views")
    fields.finish()
    return Views(required, allowed)


def read_domain(fields: Fields) -> Domain:
    """Return the block read from JSON; `BundleError` names a wrong field."""
    domain = Domain(
        fields.texts("sources", among=SOURCES),
        fields.texts("intents", ("presentation",), among=INTENTS),
        fields.whole("min_rows", 1, low=1, high=100_000),
        fields.whole("min_columns", 1, low=1, high=100_000),
        fields.flag("implants", True),
        fields.text("trained_on"),
    )
    if not domain.sources:
        raise fields.error("sources", "must name at least one source")
    fields.finish()
    return domain


def split_required(name: str) -> tuple[str | None, str]:
    """Return (laterality or None, view) of an entry of `Views.required`: LMO is a view, LMLO a breast's."""
    if name in VIEWS:
        return None, name
    return name[0], name[1:]


def judge(view: MammogramView, views: Views, domain: Domain) -> Suitability:
    """Return whether one view suits, by its facts alone: no pixel is read."""
    refusal = _refusal(view, views, domain)
    if refusal is not None:
        return Suitability("refuse", refusal)
    if view.source not in domain.sources:
        what = _SOURCE_NAMES.get(view.source, view.source)
        return Suitability(
            "outside", f"Outside its training domain: the image is {what}. {domain.trained_on}"
        )
    if view.implant and not domain.implants:
        return Suitability(
            "outside", f"Outside its training domain: the breast has an implant. {domain.trained_on}"
        )
    return Suitability("suits")


def _refusal(view: MammogramView, views: Views, domain: Domain) -> str | None:
    if view.intent == "processing" and "processing" not in domain.intents:
        return "The image is For Processing; the model reads images For Presentation."
    if view.intent == "presentation" and "presentation" not in domain.intents:
        return "The image is For Presentation; the model reads images For Processing."
    if view.view is None:
        return f"The view is not known; the model reads {_listed(views.allowed)}."
    if view.view not in views.allowed:
        return f"The model never saw the view {view.view}; it reads {_listed(views.allowed)}."
    if view.source == "dbt" and "dbt" not in domain.sources:
        return "The image is a tomosynthesis frame, which the model does not read."
    return None


def too_few_pixels(shape: tuple[int, ...], domain: Domain) -> str | None:
    """Return the sentence that refuses an image of (rows, columns) as too small, or None."""
    rows, columns = shape
    if rows >= domain.min_rows and columns >= domain.min_columns:
        return None
    least = f"{domain.min_rows} x {domain.min_columns}"
    return f"The image has too few pixels: {rows} x {columns}, the model needs {least}."


def missing_views(present: Sequence[MammogramView], views: Views) -> str | None:
    """Return the sentence on required views that an exam lacks, or None."""
    have = {(view.laterality, view.view) for view in present}
    lack = [f"{side}{view}" for side, view in required_slots(present, views) if (side, view) not in have]
    return f"The exam lacks {_listed(lack)}, which the model needs." if lack else None


def required_slots(present: Sequence[MammogramView], views: Views) -> tuple[tuple[str, str], ...]:
    """Return the (laterality, view) pairs that an exam must have scored for a breast and exam score.

    With no required views these are the allowed views that are there.
    """
    sides = [side for side in ("L", "R") if any(view.laterality == side for view in present)]
    slots: list[tuple[str, str]] = []
    for name in views.required:
        side, view = split_required(name)
        slots += [(side, view)] if side else [(here, view) for here in sides]
    if not views.required:
        for each in present:
            if each.laterality in ("L", "R") and each.view in views.allowed:
                slots.append((each.laterality, each.view))
    return tuple(dict.fromkeys(slots))


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
