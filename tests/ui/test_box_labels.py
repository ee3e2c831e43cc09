"""Labels of finding boxes keep apart and stay within the pane."""

from __future__ import annotations

from itertools import combinations

from PySide6.QtCore import QRectF

from app.ui.labels import LINE, label_places

PANE = QRectF(0, 0, 400, 300)


def test_a_label_stands_above_its_box():
    (place,) = label_places(PANE, [(QRectF(100, 100, 40, 40), 60)])
    assert (place.x(), place.y()) == (100, 95)


def test_at_the_upper_edge_it_stands_below():
    (place,) = label_places(PANE, [(QRectF(100, 2, 40, 40), 60)])
    assert place.y() > 42


def test_at_the_right_edge_it_moves_in():
    (place,) = label_places(PANE, [(QRectF(380, 100, 15, 15), 60)])
    assert place.x() + 60 <= 400


def test_labels_of_boxes_at_one_place_stand_one_above_the_other():
    box = QRectF(100, 150, 40, 40)
    places = label_places(PANE, [(box, 60), (box, 80), (box.translated(10, 3), 70)])
    for one, other in combinations(places, 2):
        assert abs(one.y() - other.y()) >= LINE - 1e-6
