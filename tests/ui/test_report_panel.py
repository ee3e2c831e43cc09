"""The report panel: quick for a normal exam, usable by keyboard alone, one step of undo for each change."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QScrollArea, QWidget
from ui_desk import study_of
from ui_hand import press

from app.core.reading.annotations import new_annotation
from app.core.reading.report import Report
from app.core.reading.report_json import from_json, to_json

SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def reading(four_views):
    """A workstation of 1000 px with a four-view exam, its window active."""
    four_views.window.resize(1600, 1000)
    four_views.window.activateWindow()
    QApplication.processEvents()
    return four_views


def _kept(desk) -> Report:
    return from_json(desk.session.work.state.work.report)


def _said(desk) -> str:
    return desk.window.report.warnings.text()


def _type(desk, text: str) -> None:
    for letter in text:
        QTest.keyClick(desk.window.windowHandle(), letter)


def test_a_normal_screening_exam_takes_one_key_and_one_step_of_undo(reading):
    press(reading, Qt.Key.Key_F5)
    report = _kept(reading)
    assert (report.right, report.left, report.recommendation) == ("1", "1", "Routine screening.")
    assert reading.window.report.overall.code == "1"
    reading.session.work.undo()
    assert reading.session.work.state.work.report == ""
    assert reading.window.report.right.code == ""


def test_a_normal_report_does_not_replace_one_with_findings(reading):
    reading.window.report.reporting.add_finding("R")
    press(reading, Qt.Key.Key_F5)
    assert _kept(reading).right == ""


def test_density_and_assessments_by_keyboard_alone(reading):
    press(reading, Qt.Key.Key_F4)
    panel = reading.window.report
    assert panel.density.hasFocus()
    _type(reading, "b")
    assert _kept(reading).density == "b"
    press(reading, Qt.Key.Key_Tab)
    assert panel.right.hasFocus()
    _type(reading, "444")
    assert _kept(reading).right == "4C"
    press(reading, Qt.Key.Key_Tab)
    _type(reading, "2")
    press(reading, Qt.Key.Key_Left)
    assert _kept(reading).left == "1"
    press(reading, Qt.Key.Key_Backspace)
    assert _kept(reading).left == ""
    # Nothing of this reached the images: B is a tool, 2 a window, Tab folds the panels.
    assert reading.session.tool == "window"
    assert reading.pane.scene.pane.viewport.window.voi == 0
    assert reading.window.has_panels
    press(reading, Qt.Key.Key_Escape)
    assert reading.window.grid.hasFocus()


def test_shift_tab_goes_back(reading):
    press(reading, Qt.Key.Key_F4)
    press(reading, Qt.Key.Key_Tab)
    press(reading, Qt.Key.Key_Tab, SHIFT)
    assert reading.window.report.density.hasFocus()
    assert reading.window.has_panels


def test_each_choice_is_one_step_of_undo(reading):
    panel = reading.window.report
    panel.density.buttons["c"].click()
    panel.right.buttons["2"].click()
    reading.session.work.undo()
    assert (panel.density.code, panel.right.code) == ("c", "")
    reading.session.work.undo()
    assert panel.density.code == ""


def test_a_second_click_takes_a_choice_back(reading):
    panel = reading.window.report
    panel.density.buttons["c"].click()
    panel.density.buttons["c"].click()
    assert _kept(reading).density == ""


def test_the_overall_category_follows_until_it_is_set(reading):
    panel = reading.window.report
    panel.right.buttons["0"].click()
    panel.left_breast.buttons["2"].click()
    assert panel.overall.code == "0"
    panel.overall.buttons["0"].click()  # the one that is shown already: nothing is set by hand
    assert panel.overall.code == "0"
    assert _kept(reading).overall == ""
    panel.overall.buttons["4A"].click()
    assert _kept(reading).overall == "4A"


def test_a_text_is_one_step_when_the_reader_leaves_it(reading):
    field = reading.window.report.fields["indication"]
    field.setFocus()
    _type(reading, "lump, my mother")
    assert reading.session.work.state.work.report == ""
    press(reading, Qt.Key.Key_Tab)
    assert _kept(reading).indication == "lump, my mother"  # M is the magnifier elsewhere
    reading.session.work.undo()
    assert reading.session.work.state.work.report == ""
    assert field.toPlainText() == ""


def test_a_text_is_kept_after_a_rest(reading, qtbot):
    field = reading.window.report.recommendation
    field._rest.setInterval(20)
    field.setFocus()
    _type(reading, "Ultrasound")
    qtbot.waitUntil(lambda: reading.session.work.state.work.report != "")
    assert _kept(reading).recommendation == "Ultrasound"
    assert field.hasFocus()


def test_typing_goes_on_while_something_else_is_kept(reading):
    field = reading.window.report.fields["remarks"]
    field.setFocus()
    _type(reading, "half a sent")
    reading.session.work.toggle_key_image("study-1-RCC")
    reading.window.report.reporting.change("report: density", density="a")
    assert field.toPlainText() == "half a sent"


def test_what_is_being_typed_goes_to_the_study_it_was_typed_for(reading, monkeypatch):
    other = study_of(uid="study-2", day=date(2024, 1, 1))
    reading.library.put(reading.session.screen.study, other)
    field = reading.window.report.fields["remarks"]
    field.setFocus()
    _type(reading, "for the first")
    work, kept = reading.session.work, []
    keep = work.set_report

    def watched(text, what="report changed"):
        kept.append((work.state.work.study, from_json(text).remarks))
        keep(text, what)

    monkeypatch.setattr(work, "set_report", watched)
    first = reading.session.screen.study.key
    reading.session.open_study(other.key)
    assert kept == [(first, "for the first")]
    assert field.toPlainText() == ""


def test_what_is_being_typed_is_kept_when_another_folder_takes_the_place_of_this(reading):
    first = reading.session.screen.study
    reading.window.report.fields["remarks"].setFocus()
    _type(reading, "for the first")
    reading.library.put(study_of(uid="study-2"))
    assert not reading.session.work.state.work.report
    reading.library.put(first)
    assert _kept(reading).remarks == "for the first"


def test_what_is_typed_while_the_store_fails_stays_to_be_seen(reading):
    panel = reading.window.report
    field = panel.fields["remarks"]
    field.setFocus()
    _type(reading, "a long text")
    panel.present(replace(panel.reporting.state, refused="The disk is full."))
    field.commit()
    assert field.toPlainText() == "a long text"
    assert not reading.session.work.state.work.report
    panel.present(replace(panel.reporting.state, refused=""))
    field.commit()
    assert _kept(reading).remarks == "a long text"


def test_what_another_window_wrote_in_a_field_is_not_written_over_unseen(reading):
    panel = reading.window.report
    panel.reporting.change("report: remarks", remarks="Seen.")
    field = panel.fields["remarks"]
    field.setFocus()
    field.selectAll()
    _type(reading, "Mine.")
    theirs = replace(panel.reporting.state.report, remarks="Theirs.")
    reading.session.work.set_report(to_json(theirs))
    assert field.toPlainText() == "Theirs.\nMine."
    field.commit()
    assert _kept(reading).remarks == "Theirs.\nMine."


def test_a_contradiction_stands_there_until_it_is_mended(reading):
    panel = reading.window.report
    panel.density.buttons["b"].click()
    panel.left_breast.buttons["1"].click()
    assert "Right breast: no assessment" in _said(reading)
    panel.right.buttons["0"].click()
    panel.reporting.change("report: recommendation", recommendation="")
    assert "no recommendation is written" in _said(reading)
    panel.reporting.change("report: recommendation", recommendation="Ultrasound.")
    assert _said(reading) == ""
    assert panel.warnings.isHidden()


def test_a_report_begun_without_the_earlier_exams_says_so_once_they_are_there(reading):
    reading.window.commands.normal_report()
    assert "earlier exams" not in _said(reading)
    now, before = reading.session.screen.study, study_of(uid="study-0", day=date(2024, 11, 3))
    reading.library.put(now, before)
    assert "The comparison says there are no earlier exams, and there are." in _said(reading)
    reading.window.report.reporting.change("report: comparison", comparison="Exam of 3 Nov 2024.")
    assert "earlier exams" not in _said(reading)


def test_a_key_image_of_an_earlier_exam_is_told_too(reading):
    now, before = reading.session.screen.study, study_of("LCC", uid="study-0", day=date(2024, 11, 3))
    reading.library.put(now, before)
    reading.session.show_in(0, before.images[0])
    reading.session.work.toggle_key_image(before.images[0].sop_uid)
    assert reading.window.report.key_images.text() == "Key images: LCC PRIOR, -24 months"


def test_nothing_is_said_against_a_report_that_was_not_begun(reading):
    assert _said(reading) == ""
    assert tab_of(reading) == "Report"


def tab_of(desk) -> str:
    """What stands on the report's tab."""
    bar = desk.window.right_tabs.bar
    return next(bar.tabText(n) for n in range(bar.count()) if bar.tabText(n).startswith("Report"))


def test_its_tab_says_the_category_and_how_much_is_to_be_settled(reading):
    reading.window.report.reporting.change("right", right="4A")
    assert tab_of(reading).split() == ["Report", "4A", f"({len(_said(reading).splitlines())})"]


def _mark(reading, label="RCC", row=60.0):
    image = next(i for i in reading.session.screen.study.images if i.label == label)
    nipple = new_annotation("nipple", image.sop_uid, 0, ((120.0, 19.5 if label[0] == "R" else 140.0),))
    mark = new_annotation("rectangle", image.sop_uid, 0, ((row - 10, 80.0), (row + 10, 110.0)))
    reading.session.work.add(nipple)
    reading.session.work.add(mark)
    reading.session.work.select(mark.uid)
    return mark


def test_a_finding_from_the_selected_mark_has_breast_size_depth_and_distance(reading):
    mark = _mark(reading)
    press(reading, Qt.Key.Key_F3)
    found = _kept(reading).findings[0]
    # 0.1 mm pixels: 30 columns are 3 mm; the mark's middle is (60, 75.5) pixels from the nipple: 9.64 mm.
    assert (found.laterality, found.size_mm, found.size_of) == ("R", pytest.approx(3.0), mark.uid)
    assert found.nipple_mm == pytest.approx(9.6)
    # 140 pixels from nipple to wall, the mark 64.5 from it: the middle third.
    assert found.depth == "middle"
    assert reading.window.report.findings.editor.isVisible()


def test_the_second_view_makes_the_quadrant(reading):
    _mark(reading)
    press(reading, Qt.Key.Key_F3)
    _mark(reading, "RMLO")
    press(reading, Qt.Key.Key_F3, SHIFT)
    found = _kept(reading).findings[0]
    assert len(found.marks) == 2
    assert found.estimated


def test_a_mark_of_the_other_breast_is_refused(reading):
    _mark(reading)
    press(reading, Qt.Key.Key_F3)
    _mark(reading, "LMLO")
    press(reading, Qt.Key.Key_F3, SHIFT)
    assert len(_kept(reading).findings[0].marks) == 1


def test_a_mark_that_grows_is_said_beside_the_old_size(reading):
    mark = _mark(reading)
    press(reading, Qt.Key.Key_F3)
    reading.session.work.change(replace(mark, points=((50.0, 40.0), (70.0, 110.0))))
    assert "says 3 mm; its mark now measures 7 mm" in _said(reading)


def test_the_editor_keeps_what_is_chosen_and_written(reading):
    panel = reading.window.report
    panel.findings.empty.click()
    editor = panel.findings.editor
    editor.breast.buttons["L"].click()
    shape = editor.groups["shape"]
    shape.setCurrentIndex(shape.findData("oval"))
    shape.activated.emit(shape.currentIndex())
    QApplication.processEvents()  # what was laid out is shown
    editor.size.setFocus()
    _type(reading, "12,5")
    press(reading, Qt.Key.Key_Return)
    found = _kept(reading).findings[0]
    assert (found.laterality, found.term("shape"), found.size_mm, found.size_of) == ("L", "oval", 12.5, "")


def test_what_is_no_length_goes_back_with_a_sentence(reading):
    panel, said = reading.window.report, []
    panel.findings.empty.click()
    reading.session.message.connect(said.append)
    QApplication.processEvents()
    panel.findings.editor.size.setFocus()
    _type(reading, "big")
    press(reading, Qt.Key.Key_Return)
    assert panel.findings.editor.size.text() == ""
    assert _kept(reading).findings[0].size_mm is None
    assert said == ["'big' is no length in millimetres."]


def test_another_kind_has_other_descriptors(reading):
    panel = reading.window.report
    panel.findings.empty.click()
    kind = panel.findings.editor.kind
    kind.setCurrentIndex(kind.findData("calcifications"))
    kind.activated.emit(kind.currentIndex())
    assert set(panel.findings.editor.groups) == {"morphology", "distribution"}


def test_the_wheel_over_a_list_says_nothing(reading):
    panel = reading.window.report
    panel.findings.empty.click()
    before = _kept(reading)
    for box in (panel.findings.editor.kind, panel.findings.editor.depth, panel.suggest):
        where = QPointF(box.rect().center())
        event = QWheelEvent(
            where,
            box.mapToGlobal(where),
            QPoint(),
            QPoint(0, -120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(box, event)
    assert _kept(reading) == before


def test_a_usual_sentence_is_added_to_what_is_written(reading):
    panel = reading.window.report
    panel.reporting.change("report: recommendation", recommendation="Call her.")
    panel.suggest.setCurrentIndex(panel.suggest.findData("Ultrasound."))
    panel.suggest.activated.emit(panel.suggest.currentIndex())
    assert _kept(reading).recommendation == "Call her. Ultrasound."


def test_who_and_when_are_kept(reading):
    reading.session.set_settings(replace(reading.session.settings, reader="Dr. Ito"))
    press(reading, Qt.Key.Key_F5)
    report = _kept(reading)
    assert report.reader == "Dr. Ito"
    assert report.changed.endswith("+00:00")


def test_where_nothing_can_be_kept_the_panel_only_shows(reading):
    work = reading.session.work
    press(reading, Qt.Key.Key_F5)
    text = work.state.work.report
    work.changed.emit(replace(work.state, refused="The store is of a newer version."))
    panel = reading.window.report
    assert panel.refused.text() == "The store is of a newer version."
    assert not panel.right.isEnabled()
    assert panel.recommendation.isReadOnly()
    press(reading, Qt.Key.Key_F5)
    panel.reporting.change("report: density", density="d")
    assert work.state.work.report == text


@pytest.mark.parametrize("text", ["{}", to_json(Report()).replace('"version":1', '"version":2')])
def test_a_report_that_is_not_understood_is_never_overwritten(reading, text):
    reading.session.work.set_report(text)
    press(reading, Qt.Key.Key_F5)
    reading.window.report.reporting.change("report: density", density="d")
    assert reading.session.work.state.work.report == text
    assert reading.window.report.refused.isVisibleTo(reading.window.report)


def test_a_report_keeps_the_lexicon_it_was_written_under(reading):
    old = replace(Report(), lexicon="birads-1999")
    reading.session.work.set_report(to_json(old))
    assert "birads-1999" in reading.window.report.refused.text()
    assert reading.session.work.state.work.report == to_json(old)


def test_every_control_has_a_name_to_be_heard(reading):
    panel = reading.window.report
    panel.findings.empty.click()
    for part in panel.findChildren(QWidget):
        is_stop = part.focusPolicy() & Qt.FocusPolicy.TabFocus and not isinstance(part, QScrollArea)
        if is_stop and part.isVisibleTo(panel) and not part.accessibleName():
            assert isinstance(part, QAbstractButton), part
            assert part.text(), part


def test_report_and_second_look_take_turns_and_come_when_they_are_asked_for(reading):
    tabs, window = reading.window.right_tabs, reading.window
    assert tabs.front is window.second_look
    press(reading, Qt.Key.Key_F4)
    assert tabs.front is window.report
    assert window.report.isVisible()
    assert not window.second_look.isVisible()
    window.grid.setFocus()
    press(reading, Qt.Key.Key_X)
    assert tabs.front is window.second_look


def test_a_key_image_is_told_in_pane_tray_and_report(reading):
    press(reading, Qt.Key.Key_K, SHIFT)
    assert reading.session.work.state.work.key_images == (("study-1-RCC", 0),)
    assert reading.pane.scene.key_image
    assert reading.window.report.key_images.text() == "Key images: RCC"
    press(reading, Qt.Key.Key_K, SHIFT)
    assert reading.session.work.state.work.key_images == ()
    assert reading.window.report.key_images.isHidden()


def test_the_keyboard_goes_from_top_to_bottom_through_the_open_finding(reading):
    panel = reading.window.report
    panel.add_finding(from_mark=False)
    kind = panel.findings.editor.kind
    kind.setCurrentIndex(kind.findData("calcifications"))
    kind.activated.emit(kind.currentIndex())
    QApplication.processEvents()
    panel.normal.setFocus()
    inside, seen = panel.area.widget(), []
    while QApplication.focusWidget() not in seen and panel.isAncestorOf(QApplication.focusWidget()):
        seen.append(QApplication.focusWidget())
        press(reading, Qt.Key.Key_Tab)
    places = [(part.mapTo(inside, QPoint(0, 0)).y(), part.mapTo(inside, QPoint(0, 0)).x()) for part in seen]
    assert places == sorted(places)
    assert panel.findings.editor.groups["distribution"] in seen
    assert panel.fields["remarks"] in seen
    assert len(seen) >= 25
