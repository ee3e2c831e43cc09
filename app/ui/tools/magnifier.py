"""A lens with true pixels under the cursor while the button is down."""

from __future__ import annotations

from PySide6.QtCore import QPointF


class MagnifierTool:
    """Moves the lens; the picture in it is an overlay."""

    NAME = "magnifier"

    def press(self, view, at: QPointF) -> None:
        """Show the lens."""
        view.lens_moved.emit(view.index, view.to_device(at))

    def drag(self, view, by: QPointF, at: QPointF) -> None:
        """Carry the lens along."""
        view.lens_moved.emit(view.index, view.to_device(at))

    def release(self, view) -> None:
        """Take the lens away."""
        view.lens_moved.emit(view.index, None)
