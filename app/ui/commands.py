"""What each action does: intentions sent to the session or to the main window.

Every public method here is the slot of one or more rows of `app.ui.actions.ACTIONS`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from app.services import maps
from app.services.state import Corner, OverlayState, PaneState, Sizing

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow

STEP: Final = 1.25
"""Factor of one zoom key press."""
_CORNERS: Final[tuple[Corner, ...]] = ("short", "full", "off")


class Commands:
    """The slots of the action table for one main window."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._hidden: OverlayState | None = None

    @property
    def _session(self):
        return self._window.session

    @property
    def _active(self) -> int:
        return self._session.screen.active

    @property
    def _pane(self) -> PaneState | None:
        panes = self._session.screen.panes
        return panes[self._active] if 0 <= self._active < len(panes) else None

    # File
    def open_folder(self) -> None:
        self._window.ask_folder()

    def open_files(self) -> None:
        self._window.ask_files()

    def cancel(self) -> None:
        """Stop what runs; else leave the single image."""
        if self._window.is_opening:
            self._session.library.cancel()
        elif any(look.state == "running" for look in self._session.looks):
            self._session.cancel_analysis()
        elif self.is_single:
            self.single()

    def settings(self) -> None:
        self._window.show_dialog("settings")

    def quit(self) -> None:
        self._window.close()

    # Study
    def next_study(self) -> None:
        self._session.next_study()

    def previous_study(self) -> None:
        self._session.previous_study()

    def mark_read(self) -> None:
        self._session.mark_read()

    def next_unread(self) -> None:
        self._session.next_unread()

    def search(self) -> None:
        self._window.focus_search()

    def assign(self) -> None:
        if self._pane and self._pane.viewport.image:
            self._window.ask_assignment(self._pane.viewport.image)

    # Hanging
    def next_stage(self) -> None:
        self._session.next_stage()

    def previous_stage(self) -> None:
        self._session.previous_stage()

    def protocol(self) -> None:
        self._window.top_bar.open_protocols()

    def next_candidate(self) -> None:
        self._session.page(self._active, 1)

    def previous_candidate(self) -> None:
        self._session.page(self._active, -1)

    def next_frame(self) -> None:
        self._session.frame_step(self._active, 1)

    def previous_frame(self) -> None:
        self._session.frame_step(self._active, -1)

    def next_pane(self) -> None:
        self._turn(1)

    def previous_pane(self) -> None:
        self._turn(-1)

    def _turn(self, step: int) -> None:
        count = len(self._session.screen.panes)
        if count:
            self._session.set_active((self._active + step) % count)

    def single(self) -> None:
        self._session.toggle_single(self._active)

    @property
    def is_single(self) -> bool:
        return getattr(self._session.screen, "single", None) is not None

    # Image
    def size(self, sizing: Sizing) -> None:
        self._session.set_sizing(sizing)

    def _sized(self, sizing: Sizing) -> bool:
        return self._pane is not None and self._pane.viewport.sizing == sizing

    @property
    def is_same(self) -> bool:
        return self._sized("same")

    @property
    def is_fit(self) -> bool:
        return self._sized("fit")

    @property
    def is_actual(self) -> bool:
        return self._sized("actual")

    def zoom_in(self) -> None:
        self._window.grid.zoom_active(STEP)

    def zoom_out(self) -> None:
        self._window.grid.zoom_active(1 / STEP)

    def invert(self) -> None:
        self._session.invert(self._active)

    @property
    def is_inverted(self) -> bool:
        return self._pane is not None and self._pane.viewport.invert

    def flip(self, way: str) -> None:
        self._session.flip(self._active, way)

    def reset(self) -> None:
        self._session.reset(self._active)

    def preset(self, index: int) -> None:
        self._window.grid.choose_voi(self._active, index)

    # Tools
    def tool(self, name: str) -> None:
        self._session.set_tool(name)

    @property
    def is_window(self) -> bool:
        return self._session.tool == "window"

    @property
    def is_pan(self) -> bool:
        return self._session.tool == "pan"

    @property
    def is_zoom(self) -> bool:
        return self._session.tool == "zoom"

    @property
    def is_magnifier(self) -> bool:
        return self._session.tool == "magnifier"

    def magnify(self) -> None:
        """Nothing on a plain trigger: the main window follows the key going down and up."""

    def linked(self) -> None:
        self._session.set_linked(not self._session.linked)

    @property
    def is_linked(self) -> bool:
        return bool(self._session.linked)

    # Overlays
    def corner(self) -> None:
        here = _CORNERS.index(self._session.overlay.corner)
        self._session.set_overlay(corner=_CORNERS[(here + 1) % len(_CORNERS)])

    def overlays(self) -> None:
        """Hide corner text, marks and heat map; the second press brings back what was on."""
        if self._hidden is not None and self.is_bare:
            old, self._hidden = self._hidden, None
            self._session.set_overlay(
                corner=old.corner, boxes=old.boxes, heatmap=old.heatmap, truth=old.truth
            )
        else:
            self._hidden = replace(self._session.overlay)
            self._session.set_overlay(corner="off", boxes=False, heatmap=False, truth=False)

    @property
    def is_bare(self) -> bool:
        overlay = self._session.overlay
        return overlay.corner == "off" and not (overlay.boxes or overlay.heatmap or overlay.truth)

    def truth(self) -> None:
        self._session.set_overlay(truth=not self._session.overlay.truth)

    @property
    def is_truth(self) -> bool:
        return bool(self._session.overlay.truth)

    # Second look
    def second_look(self) -> None:
        """Run the reading set the first time, or when nothing came of it; else show or hide its marks."""
        states = {look.state for look in self._session.looks}
        if states <= {"not run", "failed"}:
            self._session.set_overlay(boxes=True)
            self._session.analyse()
        else:
            self._session.set_overlay(boxes=not self._session.overlay.boxes)

    @property
    def is_marked(self) -> bool:
        return bool(self._session.overlay.boxes) and any(
            look.state not in ("not run", "running") for look in self._session.looks
        )

    def heat_map(self) -> None:
        """Show or hide; a map that is held back outside its model's training domain is asked for by this."""
        self._session.show_heat_map(not self.is_heated)

    @property
    def is_heated(self) -> bool:
        overlay = self._session.overlay
        return overlay.heatmap and not maps.held_back(self._session.looks, overlay.map_of)

    def threshold(self, step: float) -> None:
        """Move the score below which boxes are not drawn by `step`, within 0..1."""
        value = self._session.overlay.score_threshold + step
        self._session.set_overlay(score_threshold=round(min(1.0, max(0.0, value)), 2))

    def next_finding(self) -> None:
        self._window.second_look.step(1)

    def previous_finding(self) -> None:
        self._window.second_look.step(-1)

    # Window
    def panels(self) -> None:
        self._window.fold_panels()

    @property
    def has_panels(self) -> bool:
        return self._window.has_panels

    def bars(self) -> None:
        self._window.fold_bars()

    @property
    def has_bars(self) -> bool:
        return self._window.has_bars

    def focus_next(self) -> None:
        self._window.focus_next_panel()

    def menu(self) -> None:
        self._window.top_bar.open_menu()

    def keys(self) -> None:
        self._window.show_dialog("keys")

    def about(self) -> None:
        self._window.show_dialog("about")
