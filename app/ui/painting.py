"""Stored values of a frame to an 8-bit picture on the device: the two steps, apart."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage, QPainter

from app.core.imaging.geometry import Affine
from app.core.imaging.greyscale import table8
from app.core.imaging.resample import Sampled, paint, resample
from app.services.frames import FramePixels
from app.services.state import ViewportState

COARSE: Final = 2
"""Device pixels along each axis that one value of a sketch stands for."""

Picture = tuple[QImage, int, int]
"""A picture and the device pixel of the pane where it begins: (picture, top, left)."""


def resampled(frame: FramePixels, affine: Affine, size: tuple[int, int], *, invert: bool) -> Sampled:
    """Return the visible stored values at device resolution.

    Parameters
    ----------
    affine
        Stored pixel centres of the full resolution -> device pixel centres.
    size
        (rows, columns) in device pixels.
    invert
        The reader's inversion: air is then covered up.
    """
    return resample(frame.pyramid, affine.after(frame.to_stored), size, invert=invert)


def sketched(frame: FramePixels, affine: Affine, size: tuple[int, int], *, invert: bool) -> Sampled:
    """Return what `resampled` does at a `COARSE`-th of the device's resolution, for a picture in motion.

    Every value is still the exact mean over its own, larger area; nothing is left out.
    """
    shrink = Affine(np.array([[1 / COARSE, 0.0, 0.5 / COARSE - 0.5], [0.0, 1 / COARSE, 0.5 / COARSE - 0.5]]))
    small = (-(-size[0] // COARSE), -(-size[1] // COARSE))
    return resampled(frame, shrink.after(affine), small, invert=invert)


def enlarged(made: Picture) -> Picture:
    """Return a sketch's picture at the device's resolution, and its place."""
    picture, top, left = made
    if picture.isNull():
        return made
    pixels = picture.pixels  # type: ignore[attr-defined]
    return _borrowed(cv2.resize(pixels, None, fx=COARSE, fy=COARSE)), top * COARSE, left * COARSE


def painted(sampled: Sampled, frame: FramePixels, view: ViewportState) -> Picture:
    """Return the part of the pane that the image covers, under the reader's window, and its place.

    Returns
    -------
    picture
        One byte per device pixel; a null image where nothing of the frame is in view.
    top, left
        Device pixel of the pane where the picture begins; all around it is black.
    """
    index = min(view.window.voi, len(frame.alternatives) - 1)
    table = table8(
        frame.image.grey_of(frame.frame),
        frame.alternatives[index],
        shift=view.window.shift,
        stretch=view.window.stretch,
        invert=view.invert,
    )
    rows, columns = sampled.values.shape
    if rows == 0 or columns == 0:
        return QImage(), 0, 0
    part = Sampled(sampled.values, sampled.coverage, 0, 0, (rows, columns))
    return _borrowed(paint(part, table)), sampled.top, sampled.left


def _borrowed(pixels: npt.NDArray[np.uint8]) -> QImage:
    rows, columns = pixels.shape
    picture = QImage(pixels.data, columns, rows, columns, QImage.Format.Format_Grayscale8)
    picture.pixels = pixels  # type: ignore[attr-defined]  # QImage borrows the memory: keep it alive
    return picture


def draw_picture(painter: QPainter, made: Picture, at: QPointF, ratio: float) -> None:
    """Draw what `painted` returned; `at` is where the pane's first device pixel lies, in logical pixels."""
    picture, top, left = made
    if not picture.isNull():
        picture.setDevicePixelRatio(ratio)
        painter.drawImage(QPointF(at.x() + left / ratio, at.y() + top / ratio), picture)
