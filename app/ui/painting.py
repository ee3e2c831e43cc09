"""Stored values of a frame to an 8-bit picture on the device: the two steps, apart."""

from __future__ import annotations

from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage, QPainter

from app.core.imaging.geometry import Affine
from app.core.imaging.greyscale import table8
from app.core.imaging.resample import Sampled, paint, resample
from app.services.frames import FramePixels
from app.services.state import ViewportState


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


def painted(sampled: Sampled, frame: FramePixels, view: ViewportState) -> tuple[QImage, int, int]:
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
    pixels = paint(part, table)
    picture = QImage(pixels.data, columns, rows, columns, QImage.Format.Format_Grayscale8)
    picture.pixels = pixels  # type: ignore[attr-defined]  # QImage borrows the memory: keep it alive
    return picture, sampled.top, sampled.left


def draw_picture(painter: QPainter, made: tuple[QImage, int, int], at: QPointF, ratio: float) -> None:
    """Draw what `painted` returned; `at` is where the pane's first device pixel lies, in logical pixels."""
    picture, top, left = made
    if not picture.isNull():
        picture.setDevicePixelRatio(ratio)
        painter.drawImage(QPointF(at.x() + left / ratio, at.y() + top / ratio), picture)
