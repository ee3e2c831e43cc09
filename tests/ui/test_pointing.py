"""The linked cursor: mirrored between the breasts, an arc between CC and MLO once the nipples are marked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from ui_desk import study_of
from ui_hand import press

from app.core.hanging.correspond import Arc, Cross
from app.core.imaging.millimetres import length
from app.core.reading.annotations import new_annotation

RCC, LCC, RMLO, LMLO = range(4)


def point_at(desk, index: int, stored: tuple[float, float]) -> None:
    """Move the mouse over a stored pixel."""
    view = desk.window.grid.viewports[index]
    at = view.scene.to_qt(*view.scene.affine.apply([stored])[0].tolist())
    view.pointed.emit(index, view.stored_at(at))


def pointers(desk):
    return [view.scene.pointer for view in desk.window.grid.viewports]


def nipple(desk, index: int, stored: tuple[float, float]) -> None:
    image = desk.session.screen.panes[index].viewport.image
    desk.session.work.add(new_annotation("nipple", image.sop_uid, 0, (stored,)))
    desk.session.work.select("")


def test_pointing_shows_the_mirrored_place_in_the_other_breast_and_nothing_else(four_views):
    press(four_views, Qt.Key.Key_C)
    point_at(four_views, RCC, (100.0, 120.0))
    found = pointers(four_views)
    # 160 columns: the chest walls are at column edges 160 (R) and 0 (L); the made breasts are alike.
    assert isinstance(found[LCC], Cross)
    assert found[LCC].point == pytest.approx((100.0, 39.0), abs=1e-6)
    assert [found[RCC], found[RMLO], found[LMLO]] == [None, None, None]


def test_on_screen_the_cross_is_the_mirror_image_of_the_mouse(four_views):
    press(four_views, Qt.Key.Key_C)
    grid = four_views.window.grid
    right, left = grid.viewports[RCC], grid.viewports[LCC]
    mouse = QPointF(right.width() - 60.0, right.height() / 2)
    QTest.mouseMove(right, QPoint(int(mouse.x()), int(mouse.y())))
    right.pointed.emit(RCC, right.stored_at(mouse))
    cross = left.scene.pointer
    at = left.scene.to_qt(*left.scene.affine.apply([cross.point])[0].tolist())
    assert at.x() == pytest.approx(60.0, abs=0.01)
    assert at.y() == pytest.approx(mouse.y(), abs=0.01)


def test_an_arc_between_cc_and_mlo_needs_both_nipples(four_views):
    said = []
    four_views.session.message.connect(said.append)
    press(four_views, Qt.Key.Key_C)
    assert said == ["Mark the nipple in both views to see the arc between CC and MLO."]
    nipple(four_views, RCC, (120.0, 40.0))
    point_at(four_views, RCC, (150.0, 80.0))
    assert pointers(four_views)[RMLO] is None
    nipple(four_views, RMLO, (130.0, 45.0))
    arc = pointers(four_views)[RMLO]
    assert isinstance(arc, Arc)
    assert arc.radius_mm == pytest.approx(5.0)  # 3 mm and 4 mm at 0.1 mm
    image = four_views.session.screen.panes[RMLO].viewport.image
    assert length((130.0, 45.0), arc.points[17], image.spacing).value == pytest.approx(5.0)


def test_leaving_the_pane_and_turning_it_off_take_it_away(four_views):
    press(four_views, Qt.Key.Key_C)
    point_at(four_views, RCC, (100.0, 120.0))
    four_views.window.grid.point(RCC, None)
    assert pointers(four_views) == [None] * 4
    point_at(four_views, RCC, (100.0, 120.0))
    press(four_views, Qt.Key.Key_C)
    assert pointers(four_views) == [None] * 4


def test_without_the_mouse_the_selected_mark_is_looked_for(four_views):
    press(four_views, Qt.Key.Key_C)
    image = four_views.session.screen.panes[LCC].viewport.image
    mark = new_annotation("rectangle", image.sop_uid, 0, ((90.0, 30.0), (110.0, 50.0)))
    four_views.session.work.add(mark)
    found = pointers(four_views)[RCC]
    assert isinstance(found, Cross)
    assert found.point == pytest.approx((100.0, 119.0), abs=1e-6)


def test_what_comes_under_a_mouse_that_rests_is_what_is_pointed_at(four_views):
    press(four_views, Qt.Key.Key_C)
    point_at(four_views, RCC, (100.0, 120.0))
    four_views.session.flip(RCC, "v")
    # The breast is even about row 120, which lies in the pane's middle: row 140 lies where row 100 was.
    assert pointers(four_views)[LCC].point == pytest.approx((140.0, 39.0), abs=1e-6)
    four_views.session.set_stage(1)
    assert pointers(four_views) == [None] * len(pointers(four_views))


def test_an_image_that_is_known_by_its_path_alone_has_its_nipple_too(desk):
    study = study_of("RCC", "RMLO")
    desk.open(replace(study, images=tuple(replace(image, sop_uid="") for image in study.images)))
    press(desk, Qt.Key.Key_C)
    images = [pane.viewport.image for pane in desk.session.screen.panes]
    shown = {image.label: index for index, image in enumerate(images) if image is not None}
    for label in ("RCC", "RMLO"):
        desk.session.marking.draw("nipple", images[shown[label]], 0, ((120.0, 40.0),))
    point_at(desk, shown["RCC"], (150.0, 80.0))
    assert pointers(desk)[shown["RMLO"]].radius_mm == pytest.approx(5.0)
