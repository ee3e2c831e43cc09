"""What is drawn above the pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from app.services.marking import nipple_of
from app.services.state import Corner
from app.ui.commands.group import Group

_CORNERS: Final[tuple[Corner, ...]] = ("short", "full", "off")


class OverlaysCommands(Group):
    """Slots of the menu Overlays."""

    def corner(self) -> None:
        here = _CORNERS.index(self._session.overlay.corner)
        self._session.set_overlay(corner=_CORNERS[(here + 1) % len(_CORNERS)])

    def overlays(self) -> None:
        """Hide corner text, marks and heat map; the second press brings back what was on."""
        if self._hidden is not None and self.is_bare:
            old, self._hidden = self._hidden, None
            self._session.set_overlay(
                corner=old.corner,
                boxes=old.boxes,
                heatmap=old.heatmap,
                truth=old.truth,
                marks=old.marks,
            )
        else:
            self._hidden = replace(self._session.overlay)
            self._session.set_overlay(corner="off", boxes=False, heatmap=False, truth=False, marks=False)

    @property
    def is_bare(self) -> bool:
        overlay = self._session.overlay
        shown = overlay.boxes or overlay.heatmap or overlay.truth or overlay.marks
        return overlay.corner == "off" and not shown

    def pointer(self) -> None:
        """Turn the linked cursor on or off; say once what the arc between CC and MLO needs."""
        self._session.set_overlay(pointer=not self._session.overlay.pointer)
        images = [pane.viewport.image for pane in self._session.screen.panes]
        state = self._session.work.state
        views = {image.view for image in images if image is not None}
        marked = [image is None or nipple_of(state, image) is not None for image in images]
        if self.is_pointing and len(views) > 1 and not all(marked):
            self._session.message.emit("Mark the nipple in both views to see the arc between CC and MLO.")

    @property
    def is_pointing(self) -> bool:
        return bool(self._session.overlay.pointer)

    def truth(self) -> None:
        self._session.set_overlay(truth=not self._session.overlay.truth)

    @property
    def is_truth(self) -> bool:
        return bool(self._session.overlay.truth)
