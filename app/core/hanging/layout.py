"""What a hanging gives: a screenful of panes with the images found for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.core.imaging.image import Image

Justify = Literal["left", "right", "none"]

TOP_VIEWS = frozenset({"MLO", "ML", "LM", "LMO", "SIO", "ISO"})
"""Views that are justified to the top (axilla) as well as to the chest wall."""


@dataclass(frozen=True, slots=True)
class LayoutPane:
    """One pane of a stage and the images that fit it.

    Attributes
    ----------
    row, column
        Place in the grid, 0-based from the top left.
    wants
        What the protocol asks for, as words: ``RCC``, ``prior LMLO``, ``any image``.
    candidates
        Images that fit, best first; empty when the view is missing.
    prior
        ``PRIOR, -24 months`` when the pane shows an earlier study; else empty.
    """

    row: int
    column: int
    wants: str
    candidates: tuple[Image, ...] = ()
    prior: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """One stage of a protocol, hung.

    Attributes
    ----------
    protocol, protocol_title
        Name and title of the hanging protocol.
    stage, stages, stage_title
        0-based index of the stage among those that find something, how many these are, its title.
    rows, columns
        Size of the grid.
    panes
        In the order of the protocol's file.
    tray
        Images of the study that no pane of any stage of this protocol takes, then those of the priors
        that its panes show.
    number
        0-based place of the stage among all of its protocol.
    stage_titles
        Of the stages that find something.
    sizing, walk
        See `app.core.hanging.protocols.Stage`.
    """

    protocol: str
    protocol_title: str
    stage: int
    stages: int
    stage_title: str
    rows: int
    columns: int
    panes: tuple[LayoutPane, ...]
    tray: tuple[Image, ...]
    number: int = 0
    stage_titles: tuple[str, ...] = ()
    sizing: Literal["same", "fit", "actual"] = "same"
    walk: bool = False


def justify_of(image: Image | None) -> Justify:
    """Return the pane edge that the chest wall of an image touches.

    The right breast hangs on screen-left with its chest wall at the pane's right edge, the left
    breast the other way round (PixelMed MammoImageViewer, after the IHE Mammography Image profile).
    """
    if image is None or image.view == "SPECIMEN":
        return "none"
    return {"R": "right", "L": "left"}.get(image.laterality or "", "none")  # type: ignore[return-value]


def top_of(image: Image | None) -> bool:
    """Tell whether an image is justified to the top edge (axilla) too."""
    return image is not None and image.view in TOP_VIEWS and justify_of(image) != "none"
