"""An image on its way from a list to a pane, by drag and drop."""

from __future__ import annotations

import json
from typing import Final

from PySide6.QtCore import QMimeData

from app.core.imaging.image import Image

FORMAT: Final = "application/x-mammoview-image"


def carried(image: Image) -> QMimeData:
    """Return what a drag of an image carries: its key."""
    data = QMimeData()
    data.setData(FORMAT, json.dumps(image.key).encode())
    return data


def key_in(data: QMimeData) -> tuple[str, str] | None:
    """Return the key of the image that a drag carries, or None where it carries something else."""
    if not data.hasFormat(FORMAT):
        return None
    try:
        path, uid = json.loads(bytes(data.data(FORMAT).data()))
    except (TypeError, ValueError):  # another program's idea of this format
        return None
    return (str(path), str(uid))
