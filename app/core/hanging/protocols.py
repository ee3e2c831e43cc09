"""Hanging protocols: what a stage and its panes ask for.

The format of their files is told in docs/hanging.md; `app.core.hanging.parsing` reads one,
`app.core.hanging.catalogue` all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FORMAT = "mammoview-hanging-protocol"
VERSION = 2
"""The newest version that is read; files of version 1 still are."""
VIEWS = frozenset(["CC", "MLO", "ML", "LM", "LMO", "SIO", "ISO", "XCC", "XCCL", "XCCM", "FB", "SPECIMEN"])
LARGEST_GRID = 8

Modifiers = Literal["any", "standard"] | tuple[str, ...]
"""Which view modifiers a pane takes: any, none of them, or at least one of those named."""
StageSizing = Literal["same", "fit", "actual"]

MODIFIER_WORDS = {
    "M": "magnification",
    "S": "spot",
    "ID": "implant displaced",
    "TAN": "tangential",
    "RL": "rolled lateral",
    "RM": "rolled medial",
    "RI": "rolled inferior",
    "RS": "rolled superior",
    "CV": "cleavage",
    "AT": "axillary tail",
    "NP": "nipple in profile",
    "AC": "anterior compression",
    "IMF": "infra-mammary fold",
    "AX": "axillary tissue",
}
"""The view modifiers of DICOM CID 4015 that a protocol may name, as the reader says them."""
SPOKEN = 2
"""Most modifiers of a pane that are said one by one."""


@dataclass(frozen=True, slots=True)
class PaneRule:
    """What one pane of a stage asks for.

    Attributes
    ----------
    row, column
        Place in the grid, 0-based from the top left.
    laterality
        None takes any.
    view
        One, or several that are as good; None takes any.
    prior
        0 the study itself, n the n-th earlier study, counted back, that has such an image.
    modifiers
        See `Modifiers`.
    tile
        0 takes all that fit; n only the n-th partial view (mosaic tile) of them.
    needed
        The stage is left out where none of its needed panes finds an image.
    """

    row: int
    column: int
    laterality: Literal["R", "L"] | None = None
    view: str | tuple[str, ...] | None = None
    prior: int = 0
    modifiers: Modifiers = "any"
    tile: int = 0
    needed: bool = False

    @property
    def views(self) -> tuple[str, ...]:
        """The views that it takes; none named: any."""
        if self.view is None:
            return ()
        return (self.view,) if isinstance(self.view, str) else self.view

    @property
    def wants(self) -> str:
        """The request in words: ``RCC``, ``prior LMLO``, ``RML or RLM``, ``RCC magnification or spot``."""
        side = self.laterality or ""
        named = " or ".join(f"{side}{view}" for view in self.views) or side
        tile = f"tile {self.tile}" if self.tile else ""
        words = " ".join(part for part in (named, self._modified, tile) if part) or "any image"
        return f"{'prior ' * min(self.prior, 1)}{words}"

    @property
    def _modified(self) -> str:
        if isinstance(self.modifiers, str):
            return ""
        if len(self.modifiers) > SPOKEN:
            return "special view"
        return " or ".join(MODIFIER_WORDS[code] for code in self.modifiers)


@dataclass(frozen=True, slots=True)
class Stage:
    """One screenful: a grid and its panes.

    Attributes
    ----------
    sizing
        How large its images are when it is hung.
    walk
        It is made for stepping through all pixels of its image.
    """

    title: str
    rows: int
    columns: int
    panes: tuple[PaneRule, ...]
    sizing: StageSizing = "same"
    walk: bool = False


@dataclass(frozen=True, slots=True)
class Protocol:
    """A named list of stages; docs/hanging.md tells the meaning of each field."""

    name: str
    title: str
    order: int
    needs: int
    stages: tuple[Stage, ...]
