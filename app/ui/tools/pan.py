"""Move the image with the hand."""

from __future__ import annotations

from PySide6.QtCore import QPointF


class PanTool:
    """The point under the cursor stays under the cursor."""

    NAME = "pan"

    def press(self, view, at: QPointF) -> None:
        """Nothing: a click leaves the image where it is."""

    def drag(self, view, by: QPointF, at: QPointF) -> None:
        """Move by the cursor's way in millimetres (image pixels where there is no spacing)."""
        scale = view.scale
        if scale:
            ratio = view.devicePixelRatioF()
            view.session.pan_by(view.index, by.y() * ratio / scale, by.x() * ratio / scale)

    def release(self, view) -> None:
        """Nothing to do."""
