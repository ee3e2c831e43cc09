"""The panels beside the images, in the order in which they stand on their side."""

from app.ui.panels.left_out import LeftOutPanel
from app.ui.panels.marks import MarksPanel
from app.ui.panels.report import ReportPanel
from app.ui.panels.second_look import SecondLookPanel
from app.ui.panels.studies import StudiesPanel
from app.ui.panels.tray import TrayPanel

PANELS = (StudiesPanel, TrayPanel, LeftOutPanel, SecondLookPanel, MarksPanel, ReportPanel)
"""Each has ``SIDE`` (left or right) and ``STRETCH``, and takes (session, thumbnails).

Those with a ``TITLE`` take turns (`app.ui.side_tabs`).
"""
