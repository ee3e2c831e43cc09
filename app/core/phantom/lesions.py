"""Known lesions: masses, calcification clusters, asymmetries, and where they lie in a breast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from app.core.phantom.anatomy import FIELD_MM, Breast, Position, Side, ViewShape

Kind = Literal["mass", "calc", "asymmetry"]
KINDS: tuple[Kind, ...] = ("mass", "calc", "asymmetry")
_MARGINS = ("circumscribed", "ill-defined", "spiculated")


@dataclass(frozen=True, slots=True)
class Lesion:
    """A lesion of the breast, before any view of it is drawn.

    Attributes
    ----------
    kind
        mass, calc (a cluster) or asymmetry (focal).
    label
        In a reader's words, for example ``spiculated irregular mass``.
    side, position
        Where it is, nipple-centred mm; the same in both views.
    diameter_mm
        Of the mass's body, of the cluster, of the asymmetry.
    contrast
        Above its surroundings, in units of gland (1 = fat to gland).
    form, margin
        Mass: round, oval, lobulated, irregular; circumscribed, ill-defined, spiculated.
        Cluster: punctate, pleomorphic, linear.
    seed
        Of its own details.
    """

    kind: Kind
    label: str
    side: Side
    position: Position
    diameter_mm: float
    contrast: float
    form: str = ""
    margin: str = ""
    seed: int = 0


def draw_lesion(
    rng: np.random.Generator,
    breast: Breast,
    kind: Kind,
    *,
    form: str | None = None,
    margin: str | None = None,
    diameter_mm: float | None = None,
    contrast: float | None = None,
) -> Lesion:
    """Return a lesion of a kind at a place of the breast that both views show clear of skin and muscle."""
    seed = int(rng.integers(2**31))
    if kind == "mass":
        margin = margin or str(rng.choice(_MARGINS, p=(0.35, 0.3, 0.35)))
        forms = ("round", "oval", "lobulated") if margin != "spiculated" else ("irregular",)
        form = form or str(rng.choice(forms))
        size, strength = rng.uniform(9, 24), rng.uniform(0.32, 0.65)
        label = f"{margin} {form} mass"
    elif kind == "calc":
        form, margin = form or str(rng.choice(("punctate", "pleomorphic", "pleomorphic", "linear"))), ""
        size, strength = rng.uniform(8, 20), rng.uniform(0.9, 1.5)
        label = f"cluster of {form} calcifications"
    else:
        form, margin = "focal", ""
        size, strength = rng.uniform(18, 34), rng.uniform(0.42, 0.65)
        label = "focal asymmetry"
    size = float(diameter_mm or size)
    return Lesion(
        kind,
        label,
        breast.side,
        find_place(rng, breast, size / 2),
        size,
        float(contrast or strength),
        form,
        margin,
        seed,
    )


def find_place(rng: np.random.Generator, breast: Breast, radius: float) -> Position:
    """Return a position at which both views show `radius` mm of breast around it; mostly within the gland."""
    cc, mlo = breast.views
    for attempt in range(600):
        clear = radius * (1.0 if attempt < 300 else 0.6) + 4
        position = Position(
            rng.uniform(14 + radius, 0.82 * cc.nipple[0]), rng.normal(4, 22), rng.normal(4, 22)
        )
        if _is_clear(cc, position, clear, attempt) and _is_clear(mlo, position, clear, attempt):
            return position
    return Position(0.45 * cc.nipple[0], 0.0, 0.0)


def _is_clear(shape: ViewShape, position: Position, clear: float, attempt: int) -> bool:
    """Return whether a place is `clear` mm away from skin, muscle and the edges of the field."""
    x, y = shape.place(position)
    if min(x, y, FIELD_MM[0] - y) < clear:
        return False
    polygon = shape.outline.astype(np.float32).reshape(-1, 1, 2)
    if cv2.pointPolygonTest(polygon, (float(x), float(y)), True) < clear:
        return False
    if shape.pectoral is not None:
        top, low, _ = shape.pectoral
        normal = np.hypot(top, low)
        if (x * low + y * top - top * low) / normal < 0.7 * clear:
            return False
    gland = shape.gland
    central = ((x - gland.x) / gland.half_x) ** 2 + ((y - gland.y) / gland.half_y) ** 2
    return bool(central < (0.9 if attempt < 450 else 2.0))
