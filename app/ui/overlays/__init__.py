"""What is drawn above the pixels, in this order: each is a function ``paint(painter, scene)``."""

from app.ui.overlays.boxes import paint_boxes
from app.ui.overlays.corner_text import paint_corner_text
from app.ui.overlays.heat_map import paint_heat_map
from app.ui.overlays.magnifier import paint_magnifier
from app.ui.overlays.marks import paint_marks
from app.ui.overlays.orientation import paint_orientation
from app.ui.overlays.overview import paint_overview
from app.ui.overlays.pointer import paint_pointer
from app.ui.overlays.scale_bar import paint_scale_bar
from app.ui.overlays.truth import paint_truth
from app.ui.overlays.warnings import paint_warnings

OVERLAYS = (
    paint_heat_map,
    paint_truth,
    paint_boxes,
    paint_marks,
    paint_pointer,
    paint_orientation,
    paint_scale_bar,
    paint_corner_text,
    paint_overview,
    paint_magnifier,
    paint_warnings,
)
"""Warnings come last: nothing may cover them."""
