"""Keys do what the table says, whatever has the keyboard."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from ui_desk import study_of
from ui_hand import press


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (Qt.Key.Key_I, lambda view: view.invert),
        (Qt.Key.Key_H, lambda view: view.flip_h),
        (Qt.Key.Key_V, lambda view: view.flip_v),
        (Qt.Key.Key_F, lambda view: view.sizing == "fit"),
        (Qt.Key.Key_2, lambda view: view.window.voi == 1),
    ],
)
def test_a_key_does_what_the_table_says(four_views, key, said):
    press(four_views, key)
    assert said(four_views.session.screen.panes[0].viewport)


def test_a_preset_that_the_file_has_not_changes_nothing(four_views):
    before, said = four_views.session.screen, []
    four_views.session.message.connect(said.append)
    press(four_views, Qt.Key.Key_7)
    assert four_views.session.screen == before
    assert said == ["This image has no window 7."]


def test_space_and_comma_go_through_the_stages(four_views):
    press(four_views, Qt.Key.Key_Space)
    assert four_views.session.screen.stage == 1
    press(four_views, Qt.Key.Key_Comma)
    assert four_views.session.screen.stage == 0


def test_actual_pixels_are_one_image_pixel_on_one_device_pixel(four_views):
    press(four_views, Qt.Key.Key_3, Qt.KeyboardModifier.ShiftModifier)
    assert four_views.pane.scene.affine.scales == pytest.approx((1.0, 1.0))


def test_tab_folds_both_side_panels_and_opens_them_again(four_views):
    window = four_views.window
    width = window.left.width()
    press(four_views, Qt.Key.Key_Tab)
    assert window.left.isHidden()
    assert window.right.isHidden()
    press(four_views, Qt.Key.Key_Tab)
    assert window.left.width() == width


def test_f11_folds_the_bars_and_research_use_only_stays_in_the_image(four_views, pixels_of):
    press(four_views, Qt.Key.Key_F11)
    assert four_views.window.top_bar.isHidden()
    assert four_views.window.status.isHidden()
    assert [view.scene.research for view in four_views.window.grid.viewports] == [True] + [False] * 3


def test_the_magnifier_is_there_while_its_key_is_held(four_views):
    handle = four_views.window.windowHandle()
    QTest.keyPress(handle, Qt.Key.Key_M)
    assert any(view.scene.lens for view in four_views.window.grid.viewports)
    QTest.keyRelease(handle, Qt.Key.Key_M)
    assert not any(view.scene.lens for view in four_views.window.grid.viewports)


def test_letters_typed_into_the_search_field_are_no_commands(four_views):
    press(four_views, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    before = four_views.session.screen
    for key in (Qt.Key.Key_I, Qt.Key.Key_M, Qt.Key.Key_H):
        press(four_views, key)
    assert four_views.window.panels["StudiesPanel"].search.text() == "imh"
    assert four_views.session.screen == before


def test_a_key_that_the_reader_set_works_at_once(four_views):
    settings = replace(four_views.session.settings, key_bindings={"invert": "Ctrl+I"})
    four_views.session.set_settings(settings)
    press(four_views, Qt.Key.Key_I)
    assert not four_views.session.screen.panes[0].viewport.invert
    press(four_views, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    assert four_views.session.screen.panes[0].viewport.invert


def test_the_first_press_of_a_runs_the_second_look_and_the_next_ones_hide_its_marks(four_views):
    press(four_views, Qt.Key.Key_A)
    assert len(four_views.oracle.asked) == 1
    four_views.oracle.say(four_views.session.screen.study)
    assert four_views.session.overlay.boxes
    press(four_views, Qt.Key.Key_A)
    assert not four_views.session.overlay.boxes
    assert len(four_views.oracle.asked) == 1


def test_o_hides_everything_over_the_image_and_brings_it_back(four_views):
    before = four_views.session.overlay
    press(four_views, Qt.Key.Key_O)
    assert four_views.session.overlay.corner == "off"
    assert not four_views.session.overlay.boxes
    press(four_views, Qt.Key.Key_O)
    assert four_views.session.overlay == before


def test_t_goes_from_short_to_full_to_off(four_views):
    seen = []
    for _ in range(3):
        press(four_views, Qt.Key.Key_T)
        seen.append(four_views.session.overlay.corner)
    assert seen == ["full", "off", "short"]


def test_brackets_move_the_score_threshold_within_its_range(four_views):
    press(four_views, Qt.Key.Key_BracketLeft)
    assert four_views.session.overlay.score_threshold == 0
    press(four_views, Qt.Key.Key_BracketRight)
    assert four_views.session.overlay.score_threshold == pytest.approx(0.05)


def test_studies_are_turned_marked_and_found_unread_by_key(desk):
    first, second = study_of(), study_of(uid="study-0", day=date(2024, 11, 3))
    desk.open(first, second)
    press(desk, Qt.Key.Key_PageDown)
    assert desk.session.screen.study.uid == "study-0"
    press(desk, Qt.Key.Key_K)
    assert desk.session.reads == {"study-0"}
    press(desk, Qt.Key.Key_U)
    assert desk.session.screen.study.uid == "study-1"


def test_lists_answer_arrows_and_enter_themselves(desk):
    desk.open(study_of(), study_of(uid="study-0", day=date(2024, 11, 3)))
    panel = desk.window.panels["StudiesPanel"]
    panel.list.setFocus()
    press(desk, Qt.Key.Key_Down)
    assert panel.list.currentIndex().row() == 2
    press(desk, Qt.Key.Key_Return)
    assert desk.session.screen.study.uid == "study-0"
    assert desk.session.screen.single is None


def test_a_slider_answers_arrows_itself(four_views):
    slider = four_views.window.second_look.controls.sliders["opacity"]
    slider.setFocus()
    press(four_views, Qt.Key.Key_Right)
    assert four_views.session.overlay.opacity == pytest.approx(0.51)


def test_f6_moves_the_keyboard_from_panel_to_panel(four_views):
    window = four_views.window
    window.grid.setFocus()
    seen = []
    for _ in range(4):
        press(four_views, Qt.Key.Key_F6)
        seen.append(window.focusWidget())
    assert window.panels["StudiesPanel"].list in seen
    assert window.grid in seen
    assert window.report.density in seen
    assert len(set(seen)) == 4
