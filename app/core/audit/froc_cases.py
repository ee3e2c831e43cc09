"""Which images are behind a point of a FROC: those with a lesion missed there, and those with a false box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.core.audit.cases import Answers, Bools, CaseTable, Places
from app.core.audit.plots import images_of_froc
from app.core.metrics.froc import Rule, froc


@dataclass(frozen=True, slots=True, eq=False)
class FrocCases:
    """What goes wrong where boxes count from a score on.

    Attributes
    ----------
    above
        Boxes of a higher score count; -inf: all boxes.
    rule
        When a box hits a lesion.
    missed
        Images with at least one lesion that no such box hits, in the order of the table.
    false
        Images with at least one such box that hits no lesion, the one of the highest score first; some may be
        among `missed` too.
    counted
        Images that the FROC counts.
    """

    above: float
    rule: Rule
    missed: Places
    false: Places
    counted: int

    @property
    def rows(self) -> Places:
        """All of them, those with a missed lesion first."""
        others = self.false[~np.isin(self.false, self.missed)]
        return np.concatenate([self.missed, others])

    @property
    def words(self) -> str:
        """What is listed, as a clause."""
        boxes = "all boxes" if self.above == -np.inf else f"boxes scored above {self.above:.3f}"
        return (
            f"FROC with {boxes}: {_images(len(self.missed))} with a missed lesion, then "
            f"{_images(len(self.false))} with a false box, of {self.counted} that count (hit by {self.rule})"
        )


def froc_cases(
    table: CaseTable, answers: Answers, rule: Rule, above: float, chosen: Bools | None = None
) -> FrocCases:
    """Return the images behind the point of a FROC at which boxes of a score higher than `above` count.

    Parameters
    ----------
    chosen
        bool (rows,): the images that the FROC counts; None: all.
    """
    images = images_of_froc(table, answers, chosen)
    rows = np.array([row for row, _ in images], dtype=np.intp)
    curve = froc([image for _, image in images], rule)
    missed = np.unique(curve.found_image[curve.found <= above])
    shown = curve.false > above
    order = np.argsort(-curve.false[shown], kind="stable")
    false = curve.false_image[shown][order]
    _, first = np.unique(false, return_index=True)  # an image stands where its best false box does
    return FrocCases(above, rule, rows[missed], rows[false[np.sort(first)]], len(images))


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"
