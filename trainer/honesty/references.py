"""What a heat map is compared with: guesses that know nothing of lesions, on the map's own grid."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from trainer.honesty.similarity import Map

REFERENCES = ("centre", "breast", "edges")
"""A bell at the breast's middle, the breast itself, an edge filter within it."""


def to_grid(values: npt.NDArray[np.float32], shape: tuple[int, int]) -> Map:
    """Return the mean of the prepared pixels in each cell; cells tile the image edge on edge."""
    made: Map = cv2.resize(values, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    return made


def coverage(boxes: npt.NDArray[np.float64], size: tuple[int, int], shape: tuple[int, int]) -> Map:
    """Return the share of each cell that lies in any box.

    Parameters
    ----------
    boxes
        (N, 4) as (row0, col0, row1, col1) in prepared pixels, edges at corners; each fills a pixel at least.
    size
        (rows, columns) of the prepared image.
    shape
        (rows, columns) of the grid.
    """
    filled = np.zeros(size, np.float32)
    for row0, col0, row1, col1 in boxes:
        top, left = (
            int(np.clip(round(edge), 0, most - 1)) for edge, most in ((row0, size[0]), (col0, size[1]))
        )
        filled[top : max(top + 1, round(row1)), left : max(left + 1, round(col1))] = 1.0
    return to_grid(filled, shape)


def reference_maps(
    pixels: npt.NDArray[np.float32], breast: npt.NDArray[np.bool_], shape: tuple[int, int]
) -> dict[str, Map]:
    """Return the map of each reference.

    Parameters
    ----------
    pixels
        Prepared image, float32 (rows, columns).
    breast
        Its breast mask.
    """
    mask = to_grid(breast.astype(np.float32), shape)
    return {"centre": _bell(mask), "breast": mask, "edges": to_grid(_edges(pixels, breast), shape)}


def _bell(mask: Map) -> Map:
    """Return a Gaussian at the mask's centre of mass, half as wide as the mask's own spread, within it."""
    total = float(mask.sum())
    if total <= 0:
        return np.zeros_like(mask)
    made = np.zeros(mask.shape, np.float64)
    for places in np.indices(mask.shape, dtype=np.float64):
        centre = float((places * mask).sum()) / total
        spread = max(np.sqrt(float((mask * (places - centre) ** 2).sum()) / total) / 2.0, 0.5)
        made += ((places - centre) / spread) ** 2
    bell: Map = (np.exp(-made / 2.0) * mask).astype(np.float32)
    return bell


def _edges(pixels: npt.NDArray[np.float32], breast: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Return the Sobel gradient's length inside the breast, away from its own outline."""
    smooth = cv2.GaussianBlur(pixels, (0, 0), 1.0)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    rim = 2 * max(1, round(0.02 * max(breast.shape))) + 1
    inner = cv2.erode(breast.astype(np.uint8), np.ones((rim, rim), np.uint8))
    made: npt.NDArray[np.float32] = np.hypot(across, down) * inner
    return made
