"""Drawing marks with the mouse, on the real window."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from ui_desk import breast, frame_of, image_of, study_of
from ui_hand import LEFT, RIGHT, drag, hold, hover, press, turn

from app.core.imaging.image import Spacing
from app.ui.inline_editor import InlineEditor

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
A, B, C, D = (100, 100), (160, 110), (150, 170), (90, 160)


def marks(desk):
    return desk.session.work.state.work.annotations


def only(desk):
    (mark,) = marks(desk)
    return mark


def stored(desk, *places):
    return [desk.pane.stored_at(QPointF(*place)) for place in places]


def click(desk, at):
    QTest.mouseClick(desk.pane, LEFT, pos=QPoint(*at))


def draw(desk, tool, start=A, end=C):
    desk.session.set_tool(tool)
    drag(desk.pane, start, (end[0] - start[0], end[1] - start[1]))


def editor():
    found = QApplication.focusWidget()
    assert isinstance(found, InlineEditor)
    return found


# Each tool


@pytest.mark.parametrize("tool", ["length", "rectangle", "ellipse", "arrow"])
def test_a_dragged_mark_lies_from_press_to_release(four_views, tool):
    ends = stored(four_views, A, C)
    draw(four_views, tool)
    mark = only(four_views)
    assert mark.kind == tool
    assert mark.image == four_views.pane.scene.image.sop_uid
    assert np.allclose(mark.points, ends)
    assert four_views.session.tool == tool  # it stays chosen
    assert four_views.session.work.state.selected == mark.uid


def test_the_key_of_a_tool_chooses_it_and_esc_goes_back_to_the_window(four_views):
    for key, keys, tool in (
        (Qt.Key.Key_L, None, "length"),
        (Qt.Key.Key_D, None, "angle"),
        (Qt.Key.Key_B, None, "rectangle"),
        (Qt.Key.Key_B, SHIFT, "ellipse"),
        (Qt.Key.Key_D, SHIFT, "polygon"),
        (Qt.Key.Key_L, SHIFT, "arrow"),
        (Qt.Key.Key_T, CONTROL, "text"),
        (Qt.Key.Key_N, None, "nipple"),
    ):
        press(four_views, key, keys or Qt.KeyboardModifier.NoModifier)
        assert four_views.session.tool == tool
        press(four_views, Qt.Key.Key_Escape)
        assert four_views.session.tool == "window"


def test_an_angle_is_three_clicks(four_views):
    four_views.session.set_tool("angle")
    places = stored(four_views, A, B, C)
    for at in (A, B):
        click(four_views, at)
    assert not marks(four_views)
    click(four_views, C)
    assert only(four_views).kind == "angle"
    assert np.allclose(only(four_views).points, places)


@pytest.mark.parametrize("how", ["Enter", "double click", "first point"])
def test_a_polygon_is_closed_by(four_views, how):
    four_views.session.set_tool("polygon")
    corners = stored(four_views, A, B, C)
    for at in (A, B, C):
        click(four_views, at)
    if how == "Enter":
        press(four_views, Qt.Key.Key_Return)
    elif how == "double click":
        QTest.mouseDClick(four_views.pane, LEFT, pos=QPoint(*C))
    else:
        click(four_views, (A[0] + 3, A[1] - 2))
    assert only(four_views).kind == "polygon"
    assert np.allclose(only(four_views).points, corners)
    assert four_views.session.screen.single is None


def test_backspace_takes_the_last_corner_back_and_esc_drops_them_all(four_views):
    four_views.session.set_tool("polygon")
    for at in (A, B, (300, 300)):
        click(four_views, at)
    press(four_views, Qt.Key.Key_Backspace)
    for at in (C, D):
        click(four_views, at)
    press(four_views, Qt.Key.Key_Return)
    assert np.allclose(only(four_views).points, stored(four_views, A, B, C, D))
    click(four_views, (200, 200))
    press(four_views, Qt.Key.Key_Escape)
    assert four_views.pane.scene.draft is None
    assert four_views.session.tool == "polygon"
    press(four_views, Qt.Key.Key_Return)  # nothing is open: this is the key of the single image again
    assert four_views.session.screen.single == 0
    assert len(marks(four_views)) == 1


def test_a_polygon_of_two_points_is_none(four_views):
    four_views.session.set_tool("polygon")
    click(four_views, A)
    click(four_views, B)
    press(four_views, Qt.Key.Key_Return)
    assert not marks(four_views)


def test_a_text_is_written_where_it_was_clicked(four_views):
    four_views.session.set_tool("text")
    (place,) = stored(four_views, A)
    click(four_views, A)
    QTest.keyClicks(editor(), "two lobes w")  # no key of it reaches an action
    QTest.keyClick(editor(), Qt.Key.Key_Return)
    assert only(four_views).text == "two lobes w"
    assert np.allclose(only(four_views).points, [place])
    assert four_views.session.tool == "text"
    assert four_views.session.screen.single is None


def test_esc_while_writing_writes_nothing(four_views):
    four_views.session.set_tool("text")
    click(four_views, A)
    QTest.keyClicks(editor(), "no")
    QTest.keyClick(editor(), Qt.Key.Key_Escape)
    assert not marks(four_views)
    assert four_views.session.tool == "text"


def test_a_second_nipple_takes_the_place_of_the_first_in_one_step(four_views):
    four_views.session.set_tool("nipple")
    click(four_views, A)
    first = only(four_views)
    (place,) = stored(four_views, (220, 190))
    click(four_views, (220, 190))
    assert np.allclose(only(four_views).points, [place])
    four_views.session.work.undo()
    assert only(four_views) == first


# What makes nothing, and what is cut


def test_a_click_or_a_stroke_of_a_pixel_makes_nothing(four_views):
    four_views.session.set_tool("length")
    click(four_views, A)
    drag(four_views.pane, A, (1, 1))
    four_views.session.set_tool("rectangle")
    drag(four_views.pane, A, (60, 1))
    assert not marks(four_views)


def test_points_outside_the_image_are_put_on_its_edge(four_views):
    view = four_views.pane
    outside = (view.width() // 2, view.height() - 1)
    row = view.stored_at(QPointF(*outside))[0]
    image = view.scene.image
    if row < image.rows:  # make room below the image
        four_views.session.pan_by(0, -10, 0)
    assert view.stored_at(QPointF(*outside))[0] > image.rows
    draw(four_views, "length", A, outside)
    assert only(four_views).points[1][0] == image.rows - 0.5


def test_nothing_is_drawn_before_there_are_pixels(desk):
    desk.open(study_of(), decoded=False)
    draw(desk, "length")
    desk.session.set_tool("polygon")
    click(desk, A)
    assert not marks(desk)


# Wherever it lies


@pytest.mark.parametrize("flips", [(), ("h",), ("v",), ("h", "v")])
@pytest.mark.parametrize("letters", ["PL", "PR", "AL", "AR", "LP", "RP", "LA", "RA"])
def test_the_distance_of_two_beads_is_the_same_however_the_image_lies(desk, pixels_of, letters, flips):
    """The beads are looked for on the screen; their distance is known from where they were planted."""
    beads = ((70, 60), (150, 110))
    image = image_of("RCC", orientation=(letters[0], letters[1]), spacing=Spacing(0.2, 0.1, "at detector"))
    pixels = breast("RCC")
    pixels[pixels > 0] = 900
    for row, col in beads:
        pixels[row - 2 : row + 3, col - 2 : col + 3] = 4000
    desk.open(replace(study_of(), images=(image,)), decoded=False)
    desk.library.give(frame_of(image, pixels))
    desk.session.set_overlay(corner="off")
    for axis in flips:
        desk.session.flip(0, axis)
    seen = (pixels_of(desk.pane).min(axis=2) > 235).astype(np.uint8)
    count, _, sizes, centres = cv2.connectedComponentsWithStats(seen)
    found = [centres[i] for i in range(1, count) if sizes[i, cv2.CC_STAT_AREA] >= 9]
    assert len(found) == 2
    start, end = ((round(x), round(y)) for x, y in found)
    draw(desk, "length", start, end)
    ends = sorted(only(desk).points)
    # A screen pixel is at most one image pixel wide here: the hand misses by one at most.
    assert np.allclose(ends, sorted(beads), atol=1.0)
    words = desk.pane.scene.marks[0].lines[0]
    expected = np.hypot(80 * 0.2, 50 * 0.1)
    assert float(words.split()[0]) == pytest.approx(expected, abs=0.3)
    assert words.endswith("mm at detector")


def test_a_mark_stays_on_its_place_when_the_image_is_zoomed_and_panned(four_views):
    draw(four_views, "length")
    before = only(four_views)
    turn(four_views.pane, (120, 120), 3, CONTROL)
    four_views.session.pan_by(0, 2.0, 1.0)
    assert only(four_views) == before
    start, _ = stored(four_views, A, C)
    draw(four_views, "arrow", (200, 60), (240, 90))
    assert not np.allclose(before.points[0], start)


def test_a_mark_belongs_to_its_frame(desk):
    image = image_of("RCC", frames=3)
    desk.open(replace(study_of(), images=(image,)))
    desk.library.give(frame_of(image, breast("RCC"), frame=1))
    desk.session.frame_step(0, 1)
    draw(desk, "length")
    assert only(desk).frame == 1
    assert len(desk.pane.scene.marks) == 1
    desk.session.frame_step(0, -1)
    assert not desk.pane.scene.marks


# The stroke in hand


def test_the_stroke_in_hand_is_shown_with_its_number_in_its_pane_alone(four_views):
    four_views.session.set_tool("length")
    others = [view.scene for view in four_views.window.grid.viewports[1:]]
    hold(four_views.pane, A, C)
    draft = four_views.pane.scene.draft
    first, last = stored(four_views, A, C)
    mm = 0.1 * np.hypot(first[0] - last[0], first[1] - last[1])
    assert draft.lines[0] == f"{mm:.1f} mm at detector"
    assert draft.pending
    assert not marks(four_views)
    # Choosing the pane made new scenes; dragging makes none.
    now = [view.scene for view in four_views.window.grid.viewports[1:]]
    hover(four_views.pane, (180, 180), LEFT)
    assert all(
        a is b for a, b in zip(now, (v.scene for v in four_views.window.grid.viewports[1:]), strict=True)
    )
    assert len(others) == 3
    press(four_views, Qt.Key.Key_Escape)
    assert four_views.pane.scene.draft is None
    QTest.mouseRelease(four_views.pane, LEFT, pos=QPoint(180, 180))
    assert not marks(four_views)


def test_a_stroke_is_dropped_when_its_image_goes(four_views):
    four_views.session.set_tool("polygon")
    click(four_views, A)
    click(four_views, B)
    assert four_views.pane.scene.draft is not None
    four_views.session.show_in(0, four_views.session.screen.study.images[1])
    assert four_views.pane.scene.draft is None
    for at in (C, D):
        click(four_views, at)
    press(four_views, Qt.Key.Key_Return)
    assert not marks(four_views)


@pytest.fixture
def stack(desk):
    """One image of two frames, the first on screen."""
    study = study_of("RCC", frames=2)
    desk.open(study, decoded=False)
    for number in (0, 1):
        desk.library.give(frame_of(study.images[0], breast("RCC"), frame=number))
    return desk


def test_a_corner_set_on_one_frame_is_no_corner_on_the_next(stack):
    stack.session.set_tool("polygon")
    click(stack, A)
    assert stack.pane.marks.is_open
    turn(stack.pane, A, -1)
    assert stack.session.screen.panes[0].viewport.frame == 1
    assert not stack.pane.marks.is_open


def test_a_mark_taken_hold_of_stays_where_it_was_when_its_frame_goes(stack):
    draw(stack, "length", A, C)
    before = only(stack)
    stack.session.set_tool("window")
    QTest.mousePress(stack.pane, LEFT, pos=QPoint(*C))
    stack.session.frame_step(0, 1)
    hover(stack.pane, D, LEFT)
    QTest.mouseRelease(stack.pane, LEFT, pos=QPoint(*D))
    assert only(stack) == before


def test_words_stay_on_the_frame_that_they_were_begun_on(stack):
    stack.session.set_tool("text")
    click(stack, A)
    (place,) = stored(stack, A)
    QTest.keyClicks(editor(), "Skin fold")
    stack.session.frame_step(0, 1)
    assert (only(stack).frame, only(stack).text) == (0, "Skin fold")
    assert np.allclose(only(stack).points, [place])


def test_words_are_kept_with_the_study_that_they_were_begun_in(desk):
    nobody = replace(image_of("RCC").patient, id="Q-9", name="Poe^Annabel")
    desk.open(study_of("RCC", uid="hers"), study_of("RCC", uid="another", patient=nobody))
    desk.session.set_tool("text")
    click(desk, A)
    QTest.keyClicks(editor(), "Skin fold")
    desk.session.next_study()
    assert desk.session.screen.study.uid == "another"
    assert not marks(desk)
    desk.session.previous_study()
    assert (only(desk).image, only(desk).text) == ("hers-RCC", "Skin fold")


def test_a_stroke_begun_in_one_pane_is_dropped_by_a_press_in_another(four_views):
    four_views.session.set_tool("polygon")
    for at in (A, B):
        click(four_views, at)
    first, second = four_views.window.grid.viewports[:2]
    for at in (A, B, C):
        QTest.mouseClick(second, LEFT, pos=QPoint(*at))
    assert first.scene.draft is None
    press(four_views, Qt.Key.Key_Return)
    assert only(four_views).image == second.scene.image.sop_uid


# Taking hold


def test_an_end_of_the_selected_mark_can_be_dragged(four_views):
    draw(four_views, "length")
    first = only(four_views)
    four_views.session.set_tool("window")
    drag(four_views.pane, C, (40, -20))
    (end,) = stored(four_views, (C[0] + 40, C[1] - 20))
    news = only(four_views)
    assert news.uid == first.uid
    assert news.points[0] == first.points[0]
    assert np.allclose(news.points[1], end)
    assert four_views.session.screen.panes[0].viewport.window.stretch == 1.0  # the window tool did nothing
    four_views.session.work.undo()
    assert only(four_views) == first


def test_a_corner_of_a_rectangle_can_be_dragged_in_a_flipped_image(four_views):
    four_views.session.flip(0, "h")
    draw(four_views, "rectangle")
    drag(four_views.pane, (C[0], A[1]), (30, -20))
    low, high = np.sort(only(four_views).points, axis=0)
    corners = np.array(stored(four_views, (A[0], C[1]), (C[0] + 30, A[1] - 20)))
    assert np.allclose(low, corners.min(axis=0))
    assert np.allclose(high, corners.max(axis=0))


def test_a_press_near_a_line_selects_it_and_drags_it_as_a_whole(four_views):
    draw(four_views, "length", A, (A[0] + 80, A[1]))
    before = np.array(only(four_views).points)
    four_views.session.set_tool("window")
    four_views.session.work.select("")
    at = (A[0] + 40, A[1] + 4)
    one, other = stored(four_views, at, (at[0] + 10, at[1] + 20))
    drag(four_views.pane, at, (10, 20))
    assert four_views.session.work.state.selected == only(four_views).uid
    assert np.allclose(np.array(only(four_views).points) - before, np.subtract(other, one))


def test_a_press_beside_a_mark_leaves_it_and_lets_go_of_it(four_views):
    draw(four_views, "rectangle")
    before = only(four_views)
    four_views.session.set_tool("window")
    middle = ((A[0] + C[0]) // 2, (A[1] + C[1]) // 2)  # the inside of a region is no part of its line
    drag(four_views.pane, middle, (30, 0))
    assert only(four_views) == before
    assert four_views.session.work.state.selected == ""
    assert four_views.session.screen.panes[0].viewport.window.stretch > 1


def test_esc_while_dragging_leaves_the_mark_where_it_was(four_views):
    draw(four_views, "length")
    before = only(four_views)
    hold(four_views.pane, C, (C[0] + 50, C[1]))
    press(four_views, Qt.Key.Key_Escape)
    QTest.mouseRelease(four_views.pane, LEFT, pos=QPoint(C[0] + 50, C[1]))
    assert only(four_views) == before


def test_a_double_click_on_a_text_changes_its_words(four_views):
    four_views.session.marking.draw(
        "text", four_views.pane.scene.image, 0, tuple(stored(four_views, A)), "old"
    )
    QTest.mouseDClick(four_views.pane, LEFT, pos=QPoint(A[0] + 12, A[1]))
    assert editor().text() == "old"
    editor().selectAll()
    QTest.keyClicks(editor(), "new")
    QTest.keyClick(editor(), Qt.Key.Key_Return)
    assert only(four_views).text == "new"
    assert four_views.session.screen.single is None


# Deleting, undoing, hiding


@pytest.mark.parametrize("key", [Qt.Key.Key_Delete, Qt.Key.Key_Backspace])
def test_a_deleted_mark_comes_back_with_undo(four_views, key):
    draw(four_views, "ellipse")
    before = only(four_views)
    press(four_views, key)
    assert not marks(four_views)
    press(four_views, Qt.Key.Key_Z, CONTROL)
    assert only(four_views) == before
    press(four_views, Qt.Key.Key_Y, CONTROL)
    assert not marks(four_views)


def test_a_mark_that_is_out_of_sight_is_not_deleted(four_views):
    draw(four_views, "length")
    said = []
    four_views.session.message.connect(said.append)
    four_views.session.set_active(1)
    four_views.session.toggle_single(1)
    press(four_views, Qt.Key.Key_Delete)
    assert len(marks(four_views)) == 1
    assert said == ["The selected mark is not on screen: choose it in the list of marks."]
    four_views.session.toggle_single(1)
    press(four_views, Qt.Key.Key_Delete)
    assert not marks(four_views)


def test_undo_says_what_it_would_take_back(four_views):
    action = four_views.window.actions_by_id["undo"]
    assert not action.isEnabled()
    draw(four_views, "length")
    assert action.isEnabled()
    assert action.text() == f"Undo: {four_views.session.work.state.undo}"
    assert four_views.session.work.state.undo in action.toolTip()
    four_views.session.set_settings(replace(four_views.session.settings, key_bindings={"undo": "Ctrl+U"}))
    assert four_views.session.work.state.undo in action.toolTip()
    four_views.session.set_settings(replace(four_views.session.settings, key_bindings={}))
    press(four_views, Qt.Key.Key_Z, CONTROL)
    assert not action.isEnabled()
    assert four_views.window.actions_by_id["redo"].isEnabled()


def test_everything_over_the_image_hidden_hides_marks_too(four_views, pixels_of):
    four_views.session.set_overlay(corner="off")
    bare = pixels_of(four_views.pane)
    draw(four_views, "rectangle")
    assert not np.array_equal(pixels_of(four_views.pane), bare)
    press(four_views, Qt.Key.Key_O)
    assert not four_views.pane.scene.marks
    press(four_views, Qt.Key.Key_O)
    assert len(four_views.pane.scene.marks) == 1


def test_who_takes_up_a_drawing_tool_sees_what_it_draws(four_views):
    four_views.session.set_overlay(marks=False)
    press(four_views, Qt.Key.Key_L)
    assert four_views.session.overlay.marks


def test_a_right_click_on_a_mark_offers_to_name_and_delete_it(four_views, monkeypatch):
    draw(four_views, "length")
    four_views.session.work.select("")
    four_views.session.set_tool("window")
    offered = []
    monkeypatch.setattr(
        QMenu, "popup", lambda menu, *_: offered.append([a.objectName() for a in menu.actions()])
    )
    QTest.mouseClick(four_views.pane, RIGHT, pos=QPoint((A[0] + C[0]) // 2, (A[1] + C[1]) // 2))
    assert four_views.session.work.state.selected == only(four_views).uid
    assert offered[0][:2] == ["rename_mark", "delete_mark"]
    QTest.mouseClick(four_views.pane, RIGHT, pos=QPoint(A[0] + 40, A[1] - 40))
    assert "delete_mark" not in offered[1]
