"""Marks over the images, their words, their list, and the reader's answers to findings."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, QSizeF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from test_second_look_panel import say
from ui_desk import frame_of, image_of, study_of
from ui_hand import LEFT, drag, press

from app.core.imaging.image import Grey, Window
from app.ui.inline_editor import InlineEditor
from app.ui.labels import block_places
from app.ui.overlays import marks
from app.ui.shapes import at_screen

SHIFT = Qt.KeyboardModifier.ShiftModifier
CYAN = (0x4F, 0xB3, 0xC8)


def draw(desk, kind, *points, pane=0, text=""):
    image = desk.window.grid.viewports[pane].scene.image
    desk.session.marking.draw(kind, image, 0, points, text)
    return desk.session.work.state.work.annotations[-1]


def settle(desk, qtbot):
    qtbot.waitUntil(lambda: not desk.session.measuring.busy)


def lines(desk, pane=0):
    return [mark.lines for mark in desk.window.grid.viewports[pane].scene.marks]


# Grey values


def test_grey_values_follow_the_geometry_and_are_modality_values(desk, qtbot):
    grey = Grey(voi=(Window(2000, 3000),), padding=(4000, 4095), slope=2.0, intercept=-100.0)
    image = image_of("RCC", grey=(grey,))
    pixels = np.full((240, 160), 500, np.uint16)
    pixels[100:110, 50:60] = 700
    pixels[100:102, 50:60] = 4095  # padding
    desk.open(replace(study_of(), images=(image,)), decoded=False)
    desk.library.give(frame_of(image, pixels))
    draw(desk, "rectangle", (99.5, 49.5), (109.5, 59.5))
    assert lines(desk)[0][:2] == ("1.0 × 1.0 mm", "1.0 mm² at detector")
    settle(desk, qtbot)
    # 80 pixels of 2 * 700 - 100.
    assert lines(desk)[0][2:4] == ("mean 1300  SD 0", "min 1300  max 1300  n 80")


def test_a_refining_frame_is_never_measured(desk, qtbot):
    image = image_of("RCC")
    desk.open(replace(study_of(), images=(image,)), decoded=False)
    rough = np.full((240, 160), 9, np.uint16)
    desk.library.give(frame_of(image, rough, refining=True))
    draw(desk, "ellipse", (50, 50), (90, 90))
    assert not desk.session.measuring.busy
    assert not any("mean" in line for line in lines(desk)[0])
    desk.library.give(frame_of(image, np.full((240, 160), 700, np.uint16)))
    settle(desk, qtbot)
    assert "mean 700  SD 0" in lines(desk)[0]


def test_a_frame_with_made_up_pixels_is_not_measured(desk):
    image = image_of("RCC")
    desk.open(replace(study_of(), images=(image,)), decoded=False)
    desk.library.give(frame_of(image, np.full((240, 160), 700, np.uint16), incomplete=True))
    draw(desk, "ellipse", (50, 50), (90, 90))
    assert not desk.session.measuring.busy
    assert not any("mean" in line for line in lines(desk)[0])


def test_padding_alone_has_no_values(desk, qtbot):
    image = image_of("RCC", grey=(Grey(voi=(Window(2000, 3000),), padding=(0, 0)),))
    pixels = np.zeros((240, 160), np.uint16)
    pixels[200:, :] = 700
    desk.open(replace(study_of(), images=(image,)), decoded=False)
    desk.library.give(frame_of(image, pixels))
    draw(desk, "ellipse", (50, 50), (90, 90))
    settle(desk, qtbot)
    assert "no values: padding alone" in lines(desk)[0]


# Words


def test_nipple_distance_and_depth_stand_beside_the_selected_mark(four_views):
    # RCC: the chest wall is at the right edge of 160 columns, 139.5 pixels behind the nipple.
    draw(four_views, "nipple", (120, 20))
    mark = draw(four_views, "length", (100, 90), (100, 110))
    assert "8.2 mm at detector, to nipple" in lines(four_views)[1]  # 20 rows and 80 columns of 0.1 mm
    assert "middle third, to the image edge" in lines(four_views)[1]
    four_views.session.work.select("")
    assert lines(four_views)[1] == ("2.0 mm at detector",)
    assert mark.uid == four_views.pane.scene.marks[1].annotation.uid


def test_words_keep_apart_from_each_other_and_stay_in_the_pane():
    bounds = QRectF(0, 0, 400, 300)
    items = [(QRectF(x, 140, 10, 10), QSizeF(120, 45)) for x in (2, 150, 160, 200, 388)]
    places = block_places(bounds, items)
    assert all(bounds.contains(place) for place in places)
    pairs = [(a, b) for i, a in enumerate(places) for b in places[i + 1 :]]
    assert not any(a.intersects(b) for a, b in pairs)


def test_words_stand_beside_the_breast_where_there_is_room():
    tissue = QRectF(200, 0, 200, 300)
    (place,) = block_places(
        QRectF(0, 0, 400, 300), [(QRectF(205, 100, 30, 30), QSizeF(100, 30))], None, tissue
    )
    assert not place.intersects(tissue)


# On the image


def test_a_mark_is_drawn_in_cyan_where_it_lies(four_views, pixels_of):
    four_views.session.set_overlay(corner="off")
    draw(four_views, "length", (60, 60), (60, 120))
    four_views.session.work.select("")
    view = four_views.pane
    (middle,) = at_screen(view.scene, [(60, 90)])
    around = pixels_of(view)[int(middle.y()) - 2 : int(middle.y()) + 3, int(middle.x())]
    assert np.abs(around.astype(int) - CYAN).sum(axis=1).min() < 60


@pytest.mark.parametrize("zoom", [1.0, 6.0])
def test_a_line_is_as_thin_at_any_zoom(four_views, pixels_of, zoom):
    four_views.session.set_overlay(corner="off")
    draw(four_views, "length", (100, 70), (100, 150))
    four_views.session.work.select("")
    view = four_views.pane
    four_views.session.zoom_at(0, zoom, view.anchor_at(at_screen(view.scene, [(100, 110)])[0]))
    (middle,) = at_screen(view.scene, [(100, 110)])
    column = pixels_of(view)[int(middle.y()) - 6 : int(middle.y()) + 6, int(middle.x())].astype(int)
    coloured = column[:, 2] - column[:, 0] > 40
    assert 1 <= coloured.sum() <= 3


def test_marks_not_yet_on_disk_are_dashed(four_views, pixels_of):
    mark = draw(four_views, "rectangle", (60, 60), (160, 140))
    work = four_views.session.work
    work.select("")
    four_views.session.set_overlay(corner="off")
    solid = pixels_of(four_views.pane).astype(int)
    work._show(replace(work.state, pending=frozenset({mark.uid})))
    dashed = pixels_of(four_views.pane).astype(int)
    cyan = lambda picture: (np.abs(picture - CYAN).sum(axis=2) < 60).sum()  # noqa: E731
    assert 0.3 * cyan(solid) < cyan(dashed) < 0.8 * cyan(solid)


def test_a_window_drag_works_out_no_place_of_words_anew(four_views, pixels_of, monkeypatch):
    draw(four_views, "length", (100, 70), (100, 130))
    pixels_of(four_views.pane)
    asked = []
    monkeypatch.setattr(marks, "block_places", lambda *given: asked.append(given) or block_places(*given))
    four_views.session.drag_window(0, 0.1, 1.1)
    pixels_of(four_views.pane)
    assert not asked
    four_views.session.pan_by(0, 1, 1)
    pixels_of(four_views.pane)
    assert asked


# The list


def test_the_list_is_not_there_before_there_is_a_mark(four_views):
    panel = four_views.window.panels["MarksPanel"]
    assert panel.isHidden()
    draw(four_views, "length", (60, 60), (60, 160))
    assert not panel.isHidden()
    press(four_views, Qt.Key.Key_Delete)
    assert panel.isHidden()


def test_marks_are_listed_by_view_with_their_numbers(four_views):
    draw(four_views, "length", (60, 60), (60, 160), pane=3)
    draw(four_views, "text", (60, 60), pane=1, text="skin fold")
    draw(four_views, "rectangle", (10, 10), (30, 30), pane=0)
    listed = four_views.window.panels["MarksPanel"].list
    texts = [listed.item(row).text() for row in range(listed.count())]
    assert texts == ["4.0 mm² at detector, RCC", "skin fold, LCC", "10.0 mm at detector, LMLO"]
    assert listed.currentRow() == 0  # drawn last, selected


def test_key_images_are_listed_too(four_views):
    image = four_views.session.screen.study.images[1]
    four_views.session.work.toggle_key_image(image.sop_uid)
    listed = four_views.window.panels["MarksPanel"].list
    assert [listed.item(row).text() for row in range(listed.count())] == [f"Key image, {image.label}"]


def test_a_click_in_the_list_jumps_to_the_mark(four_views):
    mark = draw(four_views, "length", (60, 60), (80, 100), pane=2)
    draw(four_views, "length", (60, 60), (80, 100), pane=0)
    listed = four_views.window.panels["MarksPanel"].list
    QTest.mouseClick(listed.viewport(), LEFT, pos=listed.visualItemRect(listed.item(1)).center())
    assert four_views.session.work.state.selected == mark.uid
    assert four_views.session.screen.active == 2
    view = four_views.window.grid.viewports[2]
    (middle,) = at_screen(view.scene, [(70, 80)])
    assert middle.x() == pytest.approx(view.width() / 2, abs=1)
    assert middle.y() == pytest.approx(view.height() / 2, abs=1)


def test_f2_writes_on_the_selected_mark(four_views):
    draw(four_views, "ellipse", (60, 60), (100, 100))
    press(four_views, Qt.Key.Key_F2)
    editor = QApplication.focusWidget()
    assert isinstance(editor, InlineEditor)
    QTest.keyClicks(editor, "reference")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    assert four_views.session.work.state.work.annotations[0].text == "reference"
    assert lines(four_views)[0][0] == "reference"


def test_f2_writes_in_the_list_where_the_mark_is_not_on_screen(four_views):
    draw(four_views, "length", (60, 60), (100, 100), pane=3)
    four_views.session.toggle_single(0)
    press(four_views, Qt.Key.Key_F2)
    editor = QApplication.focusWidget()
    assert isinstance(editor, InlineEditor)
    assert four_views.window.panels["MarksPanel"].isAncestorOf(editor)


def test_marks_of_a_prior_say_so(desk):
    prior = study_of(uid="study-0", day=date(2024, 11, 3))
    now = study_of()
    desk.open(now, prior)
    desk.session.open_study(now.key)
    desk.session.show_in(0, prior.images[0])
    given = []
    desk.session.work.add = lambda annotation, study="": given.append((annotation.image, study))
    draw_on = desk.window.grid.viewports[0].scene.image
    desk.session.marking.draw("arrow", draw_on, 0, ((1, 1), (9, 9)))
    assert given == [(prior.images[0].sop_uid, prior.key)]


def test_a_click_in_the_list_jumps_to_a_mark_of_a_prior(desk):
    prior = study_of(uid="study-0", day=date(2024, 11, 3))
    desk.open(study_of(), prior)
    desk.session.set_protocol("screening-cc-mlo")
    desk.session.marking.draw("length", prior.images[2], 0, ((60.0, 60.0), (80.0, 100.0)))
    listed = desk.window.panels["MarksPanel"].list
    QTest.mouseClick(listed.viewport(), LEFT, pos=listed.visualItemRect(listed.item(0)).center())
    scene = desk.window.grid.active_scene
    assert scene.image.key == prior.images[2].key
    assert scene.pane.prior == "PRIOR, -24 months"
    assert scene.pane.viewport.focus == (70.0, 80.0)


# Answers to findings


def chosen(desk):
    say(desk, "findings")
    press(desk, Qt.Key.Key_X)
    return desk.window.second_look.findings.current


def test_a_finding_is_accepted_by_key(four_views):
    entry = chosen(four_views)
    press(four_views, Qt.Key.Key_Y)
    (mark,) = four_views.session.work.state.work.annotations
    assert mark.decision == "accepted"
    assert mark.proposal.model == "test-model"
    assert mark.proposal.version == "1.2.0"
    assert mark.image == four_views.session.library.image(entry.key).sop_uid
    assert four_views.window.second_look.findings.current.decision == "accepted"
    # Its own box is drawn in its place, not twice.
    scene = four_views.window.grid.viewports[0].scene
    assert entry.finding in scene.answered


def test_a_finding_is_rejected_by_key_and_stays_listed(four_views):
    entry = chosen(four_views)
    press(four_views, Qt.Key.Key_Y, SHIFT)
    assert four_views.session.work.state.work.annotations[0].decision == "rejected"
    panel = four_views.window.second_look
    assert panel.findings.current.finding == entry.finding
    assert panel.findings.current.decision == "rejected"
    four_views.session.set_overlay(score_threshold=0.9)  # what was answered is not hidden by a threshold
    assert panel.findings.count() == 2
    assert "rejected" in four_views.window.panels["MarksPanel"].list.item(0).data(0x100).annotation.decision


def test_dragging_an_accepted_box_corrects_the_finding(four_views):
    entry = chosen(four_views)
    four_views.window.second_look.answers.buttons["corrected"].click()
    view = four_views.pane
    (mark,) = four_views.session.work.state.work.annotations
    assert mark.decision == "accepted"
    corner = at_screen(view.scene, [mark.points[0]])[0].toPoint()
    to = view.stored_at(QPointF(corner.x() - 20, corner.y() - 10))
    off = np.subtract(view.stored_at(QPointF(corner)), mark.points[0])
    drag(view, (corner.x(), corner.y()), (-20, -10))
    (mark,) = four_views.session.work.state.work.annotations
    assert mark.decision == "corrected"
    assert np.abs(off).max() < 1
    assert np.allclose(mark.points[0], to)
    assert mark.proposal.box == entry.finding.box


def test_answers_are_offered_for_the_chosen_finding_only(four_views):
    say(four_views, "findings")
    panel = four_views.window.second_look
    assert panel.answers.isHidden()
    press(four_views, Qt.Key.Key_Y)
    assert not four_views.session.work.state.work.annotations
    press(four_views, Qt.Key.Key_X)
    assert not panel.answers.isHidden()


def test_an_answer_is_taken_back_from_the_menu_of_the_list(four_views):
    chosen(four_views)
    press(four_views, Qt.Key.Key_Y)
    listed = four_views.window.second_look.findings
    back = [action for action in listed.menu().actions() if action.text() == "Take the answer back"]
    back[0].trigger()
    assert not four_views.session.work.state.work.annotations
    assert not four_views.pane.scene.answered


def test_a_rejected_finding_is_drawn_faintly_and_not_taken_hold_of(four_views, pixels_of):
    chosen(four_views)
    press(four_views, Qt.Key.Key_Y, SHIFT)
    four_views.session.work.select("")
    view = four_views.pane
    (mark,) = [each.annotation for each in view.scene.marks]
    corner = at_screen(view.scene, [mark.points[0]])[0].toPoint()
    QTest.mouseClick(view, LEFT, pos=QPoint(corner.x(), corner.y()))
    assert four_views.session.work.state.selected == ""
    four_views.session.set_overlay(boxes=False)
    assert not view.scene.marks


def test_a_press_on_a_findings_outline_chooses_it_for_an_answer(four_views):
    say(four_views, "findings")
    view = four_views.window.grid.viewports[2]
    before = view.scene.affine
    box = view.scene.looks[0].findings[0].box
    rect = view.scene.box_to_qt(box)
    QTest.mouseClick(view, LEFT, pos=QPoint(round(rect.left()), round(rect.center().y())))
    current = four_views.window.second_look.findings.current
    assert (current.key, current.finding.box) == (view.scene.image.key, box)
    assert view.scene.affine == before
    press(four_views, Qt.Key.Key_Y)
    assert four_views.session.work.state.work.annotations[0].image == view.scene.image.sop_uid


def test_words_stay_by_their_mark_in_the_midst_of_tissue():
    mark, tissue = QRectF(500, 400, 30, 30), QRectF(100, 50, 900, 800)
    (place,) = block_places(QRectF(0, 0, 1100, 900), [(mark, QSizeF(140, 45))], None, tissue)
    assert place.intersects(mark.adjusted(-30, -30, 30, 30))
