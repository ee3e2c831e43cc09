"""The same breast positioned again: what changes between two exams although nothing has grown."""

from __future__ import annotations

import cv2
import numpy as np

from app.core.phantom.texture import Field, cloud, stream
from app.core.phantom.tissue import Tissue


def reposition(
    tissue: Tissue, nipple: tuple[float, float], key: tuple[int | str, ...]
) -> tuple[Tissue, tuple[float, float]]:
    """Return tissue and nipple as another compression shows them: moved, turned, bent by a few millimetres.

    Parameters
    ----------
    tissue
        On its working grid.
    nipple
        (x, y) in the view frame, mm.
    key
        Seed of the movement.
    """
    rng = stream("again", *key)
    rows, columns = tissue.amount.shape
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) * np.float32(tissue.spacing)
    turn, scale = rng.normal(0, 0.012), rng.uniform(0.985, 1.03)
    # Long waves only: short ones would ripple the skin.
    reach, field = np.float32(1.6), Field(x, y)
    bend = [field.look(cloud(rng, 3.5, 256, 120)) for _ in "xy"]
    middle = np.float32(rows * tissue.spacing / 2)
    from_x = scale * (x + turn * (y - middle)) + rng.uniform(0.5, 2.5) + reach * bend[0]
    from_y = scale * (y - turn * x - middle) + middle + rng.uniform(-3, 3) + reach * bend[1]
    # Nothing comes from beyond the edges of the field, where there is no tissue to show.
    from_x += max(0.0, -float(from_x[:, 0].min()))
    from_y += max(0.0, -float(from_y[0].min()))
    row, column = np.unravel_index(
        int(np.hypot(from_x - nipple[0], from_y - nipple[1]).argmin()), tissue.amount.shape
    )
    moved = (float(column) * tissue.spacing, float(row) * tissue.spacing)
    per_mm = np.float32(1 / tissue.spacing)
    places = (np.asarray(from_x * per_mm, np.float32), np.asarray(from_y * per_mm, np.float32))
    amount, skin, gland, muscle = (
        np.asarray(cv2.remap(plane, *places, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32)
        for plane in (tissue.amount, tissue.skin, tissue.gland, tissue.muscle)
    )
    return Tissue(tissue.spacing, amount, skin, gland, muscle), moved
