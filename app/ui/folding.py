"""What of the main window is folded away, and where in it the keyboard goes."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame

from app.ui.reading_window import ReadingWindow
from app.ui.side_tabs import SideTabs
from app.ui.status_line import StatusLine
from app.ui.top_bar import TopBar


class FoldingWindow(ReadingWindow):
    """A window of images with panels at its sides and bars above and below; who makes one sets these.

    Attributes
    ----------
    left, right
        The sides.
    panels
        By name; those with a title take turns in `right_tabs`.
    """

    left: QFrame
    right: QFrame
    right_tabs: SideTabs
    top_bar: TopBar
    status: StatusLine
    panels: dict[str, Any]

    def refresh(self) -> None:
        """Show the session's state in bars and buttons."""
        raise NotImplementedError

    @property
    def has_panels(self) -> bool:
        """True while a side panel is open."""
        return not (self.left.isHidden() and self.right.isHidden())

    @property
    def has_bars(self) -> bool:
        """True while the bars are open."""
        return not self.top_bar.isHidden()

    def fold_panels(self) -> None:
        """Fold or open both side panels; their widths stay."""
        is_open = self.has_panels
        self.left.setVisible(not is_open)
        self.right.setVisible(not is_open)
        self.refresh()

    def fold_bars(self) -> None:
        """Fold or open the bars; that this is for research stays in the images' corner."""
        is_open = self.has_bars
        self.top_bar.setVisible(not is_open)
        self.status.setVisible(not is_open)
        self.grid.set_research_note(is_open)
        self.refresh()

    def focus_search(self) -> None:
        """Put the keyboard into the search field."""
        self.left.setVisible(True)
        self.panels["StudiesPanel"].search.setFocus()
        self.panels["StudiesPanel"].search.selectAll()
        self.refresh()

    def focus_next_panel(self) -> None:
        """Move the keyboard on: studies, images, second look, marks, report."""
        look, marks = self.panels["SecondLookPanel"], self.panels["MarksPanel"].list
        first = look.findings if look.findings.count() else look.run
        places = [(self.panels["StudiesPanel"].list, None), (self.grid, None), (first, look), (marks, None)]
        report = self.panels["ReportPanel"]
        places.append((report.density, report))
        open_right = self.right.isVisible()
        near = [
            (place, panel)
            for place, panel in places
            if place.isVisible() or (panel is not None and open_right and place.isVisibleTo(panel))
        ]
        here = next((i for i, (place, _) in enumerate(near) if place.hasFocus()), -1)
        if near:
            place, panel = near[(here + 1) % len(near)]
            self.right_tabs.bring(panel)
            place.setFocus(Qt.FocusReason.TabFocusReason)
