"""The window of audits: table, threshold, matrix, curves, boxes, verdicts, blinded reading."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from audit_desk import FACTS, FINDS, PLACE, count, press, show, texts
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from test_accessible_names import unnamed

from app.core.audit.cases import DECLINED, SCORED, Answers, AuditModel, no_answers, table_of
from app.core.audit.columns import sheet_of
from app.core.audit.filters import EVERY_CASE, Among
from app.core.audit.matching import MatchedLesion, Matching
from app.core.audit.outcomes import FN, FP, TN, TP
from app.core.manifest import Row
from app.services.audit.state import AuditState
from app.ui import theme
from app.ui.actions import BY_ID
from app.ui.actions.audit import ACTIONS as AUDIT_ACTIONS
from app.ui.audit import papers
from app.ui.audit.agreement import AgreementDialog
from app.ui.audit.next_dialog import NextDialog
from app.ui.audit.opening import OpenDialog
from app.ui.audit.plots import CURVES
from app.ui.audit.table_model import CASE
from app.ui.audit.truth_boxes import DASHES, DOTS, SOLID, outlines
from app.ui.audit.window import AuditWindow, open_audit
from app.ui.bindings import resolve
from app.ui.dialogs.keys import KeysDialog
from app.ui.dialogs.settings import SettingsDialog

Key = Qt.Key


def test_the_menu_asks_what_to_audit_and_the_table_shows_it(workstation, made, qtbot):
    workstation.commands.audit()
    window = workstation.findChild(AuditWindow)
    dialog = window.findChild(OpenDialog)
    dialog.open_button.click()
    assert "Choose a manifest" in dialog.said.text(), "nothing was named"
    dialog.images.setText(str(made[0]))
    dialog.open_button.click()
    assert "Choose a model" in dialog.said.text()
    dialog.predictions.setText(str(made[1]))
    dialog.open_button.click()
    qtbot.waitUntil(lambda: window.table.cases.rowCount() == len(FACTS))
    assert open_audit(workstation) is window, "one of them at a time"
    assert texts(window, "score") == ["" if score is None else f"{score:.3f}" for _, score in FACTS]
    assert texts(window, "label") == [label for label, _ in FACTS]
    assert texts(window, "view")[:4] == ["L CC", "R CC", "L MLO", "R MLO"]


def test_the_table_has_the_keyboard_once_it_is_there(bench, made, qtbot, tmp_path):
    window = open_audit(bench, tmp_path / "kept")
    qtbot.waitExposed(window)
    dialog = window.ask_open()
    dialog.images.setText(str(made[0]))
    dialog.predictions.setText(str(made[1]))
    dialog.open_button.click()
    qtbot.waitUntil(lambda: window.audit.state.sheet is not None)
    assert window.focusWidget() is window.table, "else Space presses Open… again"
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    press(window, Key.Key_Space)
    assert window.audit.state.current == 1
    assert window.findChild(OpenDialog) is None


def test_a_pane_that_went_with_its_window_hears_of_no_frame(room, bench, qtbot):
    library = bench.session.library
    with qtbot.waitSignal(room.destroyed):
        room.close()
    with qtbot.captureExceptions() as raised:
        library.frame_ready.emit("0" * 64, 0)
        library.frame_failed.emit("0" * 64, 0, "gone")
    assert raised == []


def test_what_a_strategy_means_is_not_cut_and_nothing_lies_over_the_number(room, qtbot):
    dialog = NextDialog(room, 2)
    dialog.open()
    qtbot.waitExposed(dialog)
    meanings = [label for label in dialog.findChildren(QLabel) if not label.wordWrap()]
    assert all(label.width() >= label.sizeHint().width() for label in meanings)
    (note,) = [label for label in dialog.findChildren(QLabel) if label.wordWrap()]
    assert dialog.count.height() >= dialog.count.sizeHint().height()
    assert note.y() > dialog.count.geometry().bottom()


def test_what_cannot_be_opened_is_said_in_one_sentence(room, qtbot, tmp_path):
    missing = tmp_path / "gone.json"
    room.open([], (), [missing])
    qtbot.waitUntil(lambda: "gone.json" in room.said.text())
    assert room.table.cases.rowCount() == len(FACTS), "what was open stays"


def test_an_outcome_is_told_by_shape_word_and_colour(room):
    shown = texts(room, "outcome")
    assert shown == ["○ TN", "▲ FP", "● TP", "▼ FN", "○ TN", "● TP", "◇ declined", "▼ FN"]
    model = room.table.cases
    colours = {
        model.index(row, PLACE["outcome"]).data(Qt.ItemDataRole.ForegroundRole).name() for row in (1, 2, 3)
    }
    assert len(colours) == 3
    tip = model.index(6, PLACE["outcome"]).data(Qt.ItemDataRole.ToolTipRole)
    assert tip == "it is too small"


def test_the_threshold_moves_table_matrix_curve_and_field_together(room, qtbot):
    assert [count(room, cell) for cell in (TP, FP, FN, TN)] == [2, 1, 2, 2]
    assert room.matrix.without.text() == "1 image without score"
    room.plots.scores.line.setValue(0.4)  # as a drag does
    qtbot.waitUntil(lambda: room.audit.state.sheet.threshold == 0.4)
    assert [count(room, cell) for cell in (TP, FP, FN, TN)] == [3, 1, 1, 2]
    assert texts(room, "outcome")[7] == "● TP"
    assert room.head.threshold.value() == pytest.approx(0.4)
    x, y = room.plots.curves.point.getData()
    assert (x[0], y[0]) == pytest.approx((1 / 3, 3 / 4)), "1 of 3 negatives, 3 of 4 positives"
    room.head.usual.click()
    assert room.plots.scores.line.value() == pytest.approx(0.5)
    assert room.matrix.shares["sensitivity"].text().startswith("0.50 (")
    assert "images" in room.matrix.head.text()


def test_a_cell_of_the_matrix_leads_to_its_cases_and_keys_go_through_them(room, qtbot):
    room.matrix.cells[FN].click()
    assert texts(room, "image") == ["i3", "i7"]
    assert room.audit.state.current == 3
    room.table.setFocus()
    press(room, Key.Key_Space)
    assert room.audit.state.current == 7
    press(room, Key.Key_Space, Qt.KeyboardModifier.ShiftModifier)
    assert room.audit.state.current == 3
    qtbot.waitUntil(lambda: room.views[0].frame is not None)
    room.filters.clear.click()
    assert room.table.cases.rowCount() == len(FACTS)


def test_a_bar_and_a_point_of_a_curve_lead_to_their_cases(room):
    room.plots.scores.click(0.305, 1.0)  # in the bar of the positive of 0.31
    assert texts(room, "image") == ["i3"]
    assert "positive" in room.filters.said.whole
    room.plots.curves.click(0.0, 0.25)  # the highest score alone: 1 of 4 positives, no negative
    assert len(texts(room, "image")) == 7, "all that have a score are among the nearest twenty"
    assert "0.900" in room.filters.said.whole
    before = texts(room, "image")
    room.plots.curves.click(0.9, 0.1)  # far from the curve
    assert texts(room, "image") == before


def test_unit_and_subgroup_are_named_with_every_number(room, qtbot):
    room.head.unit.setCurrentIndex(2)
    room.head.unit.activated.emit(2)
    assert room.plots.curves.curve is None, "the curve of images is not one of patients"
    assert "patients" in room.matrix.head.text()
    # Exam scores are the bundle's, and this file has none: nothing is counted.
    assert room.matrix.without.text() == "4 patients without score"
    room.head.unit.activated.emit(room.head.unit.findData("image") or 0)
    room.head.unit.setCurrentIndex(0)
    room.head.unit.activated.emit(0)
    place = room.head.group.findText("density B")
    room.head.group.setCurrentIndex(place)
    room.head.group.activated.emit(place)
    assert [count(room, cell) for cell in (TP, FP, FN, TN)] == [1, 0, 1, 1], "images 4 to 7"
    assert room.table.cases.rowCount() == len(FACTS), "the list is the filter's"


def test_truth_and_boxes_are_told_apart_by_dash_and_word(room, qtbot):
    truth, hit, false = show(room, qtbot, 2)
    assert (truth.words, truth.pattern, truth.colour) == ("truth: malignant mass, found", DASHES, theme.TRUTH)
    assert (hit.words, hit.pattern) == ("mass  0.80, hit", SOLID)
    assert (false.words, false.pattern) == ("mass  0.55, nothing there", DOTS)
    missed, *others = show(room, qtbot, 3)
    assert missed.words.endswith("not found")
    assert missed.double
    assert not others
    show(room, qtbot, 2)
    room.audit.set_threshold(0.85)
    assert list(room.views[0].shown) == [truth, hit, false], "0.85 is of the image's score, not of boxes"
    press(room, Key.Key_T)
    assert list(room.views[0].shown) == [hit, false]
    press(room, Key.Key_B)
    assert room.views[0].shown == ()


def test_nothing_of_another_data_set_is_drawn_over_the_image_on_screen(room, qtbot):
    show(room, qtbot, 3)
    room._take_marks(((1.0, 1.0, 20.0, 20.0),))
    old = room.audit.state.sheet
    rows = [replace(row, image_id=f"other {row.image_id}") for row in old.table.rows]
    other = table_of(rows, [no_answers(old.answers.model, len(rows))])
    room.audit._state = replace(room.audit.state, sheet=sheet_of(other, 0, 0.5))
    room.present(room.audit.state)  # row 3 of another table, its image not read yet
    assert room.views[0].shown == ()
    assert room.views[0].pane is None


def test_boxes_are_drawn_from_the_score_on_from_which_the_model_shows_them(room, qtbot):
    sheet = room.audit.state.sheet
    model = replace(sheet.answers.model, boxes_from=0.6)
    table = sheet.table.with_answers([replace(sheet.answers, model=model)])
    room.audit._state = replace(room.audit.state, sheet=sheet_of(table, 0, 0.5))
    assert [each.words for each in show(room, qtbot, 2)] == [
        "truth: malignant mass, found",
        "mass  0.80, hit",
    ]


def test_the_froc_has_no_point_of_the_threshold_on_the_scores_of_images(room):
    curves = room.plots.curves
    curves.tabs.setCurrentIndex(CURVES.index("FROC"))
    assert curves.curve.lesions == 2
    room.audit.set_threshold(0.4)
    assert len(curves.point.getData()[0]) == 0
    curves.tabs.setCurrentIndex(CURVES.index("ROC"))
    x, y = curves.point.getData()
    assert (x[0], y[0]) == pytest.approx((1 / 3, 3 / 4))


def test_a_point_of_the_froc_leads_to_what_is_missed_or_false_there(room, qtbot):
    curves = room.plots.curves
    curves.tabs.setCurrentIndex(CURVES.index("FROC"))
    # Image 2 has a hit at 0.8 and a false box at 0.55, image 3 a lesion and no box; five images count.
    curves.click(0.2, 0.5)
    qtbot.waitUntil(lambda: texts(room, "image") == ["i3", "i2"])
    assert "1 image with a missed lesion, then 1 image with a false box, of 5" in room.said.text()
    assert [float(own[0]) for own in curves.point.getData()] == [0.2, 0.5]
    assert len(show(room, qtbot, 2)) == 3, "the lesion and both boxes"
    curves.click(0.0, 0.5)
    qtbot.waitUntil(lambda: texts(room, "image") == ["i3"])
    shown = show(room, qtbot, 2)
    assert [one.words for one in shown if "0." in one.words] == ["mass  0.80, hit"], (
        "0.55 does not count there"
    )
    room.filters.clear.click()
    assert len(show(room, qtbot, 2)) == 3
    assert len(curves.point.getData()[0]) == 0


def test_the_cases_to_read_next_are_asked_for_by_strategy(room, qtbot):
    room.filters.next.click()
    dialog = room.findChild(NextDialog)
    assert not dialog.strategies["disagreement"].isEnabled(), "there is one model"
    assert dialog.strategies["uncertainty"].isChecked()
    dialog.count.setValue(3)
    dialog.list_button.click()
    # Scores 0.1 0.2 0.31 0.45 | 0.6 0.7 0.9 at 0.5: the nearest are 0.6, then 0.45 and 0.7 alike.
    qtbot.waitUntil(lambda: texts(room, "image") == ["i5", "i1", "i7"])
    assert "next to read by uncertainty: 3 of 8 not yet read" in room.filters.said.whole
    show(room, qtbot, 1)
    assert "chosen by uncertainty, 2 of 8" in room.case.said.whole


def test_a_verdict_by_key_is_kept_and_undone(room, qtbot):
    show(room, qtbot, 3)
    room.table.setFocus()
    press(room, Key.Key_L)
    assert texts(room, "verdict")[3] == "label wrong"
    assert room.case.verdicts["label wrong"].isChecked()
    press(room, Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert texts(room, "verdict")[3] == ""
    room.case.redo.click()
    assert texts(room, "verdict")[3] == "label wrong"
    room.case.verdicts["model wrong"].click()
    assert texts(room, "verdict")[3] == "model wrong"
    assert room.audit.verdict(3).reader == "dr a"
    assert room.audit.verdict(3).given == "malignant", "the data set's label stands"


def test_keys_are_changed_in_the_settings_and_named_where_they_act(workstation, made, qtbot):
    window = open_audit(workstation)
    window.open([made[0]], (), [made[1]])
    qtbot.waitUntil(lambda: window.audit.plots is not None)
    window.table.setFocus()
    dialog = SettingsDialog(workstation)
    qtbot.addWidget(dialog)
    dialog.keys.editors["audit_agree"].setKeySequence(QKeySequence("M"))
    assert dialog.warning.text() == "M is the key of Verdict: agree and of Verdict: model wrong."
    assert not dialog.save_button.isEnabled()
    dialog.keys.editors["audit_agree"].setKeySequence(QKeySequence("Y"))
    dialog.keys.editors["audit_next"].setKeySequence(QKeySequence(""))
    assert dialog.save_button.isEnabled(), "Y does something else in the reading window: that is no clash"
    dialog.save_button.click()
    assert dict(workstation.session.settings.key_bindings) == {"audit_agree": "Y", "audit_next": ""}
    row = window.audit.state.current
    press(window, Key.Key_A)
    press(window, Key.Key_Space)
    assert (texts(window, "verdict")[row], window.audit.state.current) == ("", row)
    press(window, Key.Key_Y)
    assert texts(window, "verdict")[row] == "agree"
    assert window.case.verdicts["agree"].text() == "Agree   Y"
    assert window.case.forth.toolTip() == "Next case"
    press(window, Key.Key_M)
    assert texts(window, "verdict")[row] == "model wrong", "the others keep theirs"


def test_f1_lists_the_keys_of_the_window_as_the_reader_has_them(room, bench, qtbot):
    settings = replace(bench.session.settings, key_bindings={"audit_agree": "Y", "audit_next": ""})
    bench.session.set_settings(settings)
    press(room, Key.Key_F1)
    sheet = room.findChild(KeysDialog)
    assert sheet.tabs.tabText(sheet.tabs.currentIndex()) == "Audit"
    shown = [label.text() for label in sheet.tabs.currentWidget().findChildren(QLabel) if label.text()]
    assert shown[0] == "Audit"
    pairs = dict(zip(shown[2::2], shown[1::2], strict=True))  # what a key does, by name: its key
    assert pairs["Verdict: agree"] == "Y"
    assert pairs["Next case"] == "–"
    assert pairs["Keys"] == "F1"
    assert set(pairs) == {action.text for action in AUDIT_ACTIONS}


def test_every_key_of_the_window_has_something_to_do():
    assert all(callable(getattr(AuditWindow, action.method)) for action in AUDIT_ACTIONS)
    assert resolve(None, AUDIT_ACTIONS).conflicts == ()
    assert not {action.id for action in AUDIT_ACTIONS} & set(BY_ID)


def test_a_label_is_corrected_by_key_and_taken_back_by_the_verdict_s_key(room, qtbot):
    show(room, qtbot, 3)
    room.table.setFocus()
    press(room, Key.Key_L, Qt.KeyboardModifier.ShiftModifier)
    offered = room.case.label.view()
    assert offered.isVisible()
    while offered.currentIndex().data() != "normal":
        QTest.keyClick(offered, Key.Key_Down)
    QTest.keyClick(offered, Key.Key_Return)
    assert (room.audit.verdict(3).verdict, room.audit.verdict(3).label) == ("label wrong", "normal")
    assert QApplication.focusWidget() is room.table, "the next key goes on with the cases"
    press(room, Key.Key_L)
    assert room.audit.verdict(3) is None


def test_a_note_is_written_with_keys_that_are_verdicts_elsewhere(room, qtbot):
    show(room, qtbot, 1)
    press(room, Key.Key_N)
    assert room.case.note.hasFocus()
    QTest.keyClicks(room.case.note, "small mass")
    QTest.keyClick(room.case.note, Key.Key_Return)
    assert texts(room, "note")[1] == "small mass"
    assert texts(room, "verdict")[1] == ""
    assert not room.case.note.hasFocus()
    room.case.note.setFocus()
    QTest.keyClicks(room.case.note, " indeed")
    room.step(1)
    assert texts(room, "note")[1] == "small mass indeed", "going on keeps what was written"


@pytest.mark.parametrize(
    "go",
    [
        lambda room: room.matrix.cells[FN].click(),
        lambda room: room.plots.scores.click(0.305, 1.0),
        lambda room: room.plots.curves.click(0.0, 0.25),
        lambda room: room.plots.curves.bin_chosen.emit(0.3, 0.4),
    ],
    ids=["cell", "bar", "point", "bin"],
)
def test_a_note_being_written_is_kept_where_a_click_leads_to_other_cases(room, qtbot, go):
    room.go(4)
    room.case.note.setFocus()
    QTest.keyClicks(room.case.note, "half a word")
    go(room)
    assert room.audit.state.current != 4
    assert room.audit.verdict(4).note == "half a word"


def test_a_note_being_written_is_kept_where_a_blinded_reading_begins(room, monkeypatch):
    monkeypatch.setattr("app.ui.audit.papers.QInputDialog.getText", lambda *_: ("study", True))
    room.go(4)
    chose(room, "outcome", "FN")  # the case on screen is none of those that are read
    room.case.note.setFocus()
    QTest.keyClicks(room.case.note, "half a word")
    room.head.blinded_asked.emit(False)
    assert room.audit.state.current in (3, 7)
    assert room.audit.verdict(4).note == "half a word"


def test_a_note_being_written_is_kept_where_something_else_is_opened(room, qtbot):
    room.go(4)
    room.case.note.setFocus()
    QTest.keyClicks(room.case.note, "half a word")
    room.open([room.audit.state.path])
    assert room.audit.verdict(4).note == "half a word"


def chose(room: AuditWindow, column: str, *words: str) -> None:
    for action in room.filters.by[column].menu().actions():
        if action.data() in words:
            action.trigger()


def test_filters_combine_and_are_kept_by_name(room, tmp_path):
    chose(room, "outcome", "FN", "TP")
    assert texts(room, "image") == ["i2", "i3", "i5", "i7"]
    chose(room, "label", "malignant")
    assert texts(room, "image") == ["i2", "i3", "i7"]
    room.filters.low.setText("0.4")
    room.filters.low.editingFinished.emit()
    assert texts(room, "image") == ["i2", "i7"]
    assert room.filters.said.whole.startswith(
        "2 of 8 cases: outcome TP or FN; label malignant; score from 0.4"
    )
    room.filters.saved.emit("sure misses")
    room.filters.clear.click()
    assert room.audit.state.filter == EVERY_CASE
    assert not room.filters.by["outcome"].picked
    kept = [action for action in room.filters.kept.menu().actions() if action.text() == "sure misses"]
    kept[0].trigger()
    assert texts(room, "image") == ["i2", "i7"]
    assert room.filters.by["outcome"].picked == ("TP", "FN")
    assert (tmp_path / "kept" / "audit-filters.json").exists()


def test_a_click_on_a_head_sorts_then_turns_round_then_lets_go(room):
    head = room.table.horizontalHeader()
    scores = sorted((score for _, score in FACTS if score is not None), reverse=True)
    head.sectionClicked.emit(PLACE["score"])
    assert texts(room, "score") == [*(f"{score:.3f}" for score in scores), ""]
    head.sectionClicked.emit(PLACE["score"])
    assert texts(room, "score") == [*(f"{score:.3f}" for score in scores[::-1]), ""]
    head.sectionClicked.emit(PLACE["score"])
    assert texts(room, "image") == [f"i{number}" for number in range(8)]
    head.sectionClicked.emit(PLACE["loss"])
    losses = {n: -np.log(s if label != "normal" else 1 - s) for n, (label, s) in enumerate(FACTS) if s}
    assert texts(room, "image")[:7] == [f"i{n}" for n in sorted(losses, key=losses.get, reverse=True)]


def test_a_blinded_reader_sees_neither_truth_nor_model_before_the_answer(room, qtbot):
    room.audit.begin_blinded("first study")
    row = room.audit.state.current
    for key in ("score", "outcome", "truth", "label", "loss"):
        assert set(texts(room, key)) == {"hidden"}
    assert "hidden" in room.case.said.whole
    assert room.views[0].shown == ()
    assert room.matrix.shares["sensitivity"].text() == ""
    assert room.plots.curves.curve is None
    room.table.horizontalHeader().sectionClicked.emit(PLACE["score"])
    assert room.audit.state.queue.tolist() == list(room.audit.state.blinded.rows), "no order that would tell"
    press(room, Key.Key_A)
    assert room.audit.verdict(row) is None, "a verdict is about what is hidden"
    room.case.answers[4].click()
    shown = dict(zip(room.audit.state.queue.tolist(), texts(room, "label"), strict=True))
    assert shown[row] == FACTS[row][0]
    assert list(shown.values()).count("hidden") == len(FACTS) - 1
    assert room.audit.state.blinded.answers[row].assessment == 4
    room.head.end.click()
    assert texts(room, "label") == [label for label, _ in FACTS]
    assert room.plots.curves.curve is not None


def test_the_agreement_of_readers_is_on_screen_and_in_a_file(room, qtbot, tmp_path, monkeypatch):
    room.head.agreement.trigger()
    assert room.said.text() == "No blinded reading of these cases was answered yet."
    for reader, given in (("dr a", (1, 4, 5, 1)), ("dr b", (1, 5, 4, 2))):
        room.audit.set_reader(reader)
        room.audit.begin_blinded("pilot", range(4))
        for row, assessment in enumerate(given):
            room.go(row)
            room.assess(assessment)
        room.end_blinded()
    room.head.agreement.trigger()
    dialog = room.findChild(AgreementDialog)
    words = [label.text() for label in dialog.area.widget().findChildren(QLabel)]
    at = words.index("dr a, dr b")
    # Recalls of both are 0 1 1 0: alike on all four. The model recalls 0 1 1 0 too, from 0.5 on.
    assert words[at + 1 : at + 3] == ["4", "1.00, no interval: all agree"]
    at = words.index("dr a, made")
    assert words[at + 1 : at + 3] == ["4", "1.00, no interval: all agree"]
    assert words[words.index("All readers without the model") + 1] == "4"
    path = tmp_path / "agreement.csv"
    monkeypatch.setattr(papers.QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    dialog.save_button.click()
    assert "pilot,Cohen's kappa of recall,dr a,dr b,1,,,4,image" in path.read_text()
    dialog.close()


def test_a_blinded_reader_with_the_model_sees_its_boxes_and_no_word_of_the_truth(room, qtbot):
    room.audit.begin_blinded("with the model", with_model=True)
    drawn = show(room, qtbot, 2)
    assert [(each.words, each.pattern) for each in drawn] == [("mass  0.80", SOLID), ("mass  0.55", SOLID)]
    room.assess(5)
    assert room.views[0].shown[0].words == "truth: malignant mass, found"
    assert room.views[0].shown[2].words == "mass  0.55, nothing there"


def test_a_blinded_reader_marks_with_the_left_button_in_stored_pixels(room, qtbot):
    room.audit.begin_blinded("marks")
    row = room.audit.state.current
    show(room, qtbot, row)
    view = room.views[0]
    qtbot.waitUntil(lambda: view.frame is not None)
    told: list[int] = []
    room.audit.image_painted = told.append
    view.repaint()
    assert told == [row], "its seconds begin once its pixels are there to be seen"
    scene = view.scene()
    corners = [scene.to_qt(*scene.affine.apply([place])[0]) for place in ((24.5, 14.5), (44.5, 34.5))]
    view._start, view._held = corners[0], "mark"
    view._end_mark(corners[1])
    room.assess(5)
    (mark,) = room.audit.state.blinded.answers[row].marks
    assert mark == pytest.approx((25.0, 15.0, 45.0, 35.0), abs=0.01), "centre 24.5 is edge 25"


def test_news_of_models_touch_neither_the_labels_offered_nor_the_pictures(room, qtbot, monkeypatch):
    room.table.viewport().grab()
    qtbot.waitUntil(lambda: room.audit.thumbnail(0) is not None)
    room.table.viewport().grab()
    sheet = room.audit.state.sheet
    refilled, asked = QSignalSpy(room.case.label.model().rowsRemoved), []
    monkeypatch.setattr(room.audit, "thumbnail", asked.append)
    table = sheet.table.with_answers(sheet.table.answers)  # as `Audit` does with news
    room.audit._show(sheet_of(table, 0, sheet.threshold, sheet.said))
    room.table.viewport().grab()
    assert refilled.count() == 0
    assert 0 not in asked
    shown = room.audit.state.current
    rows = [
        replace(row, label="cyst" if number != shown else "lump") for number, row in enumerate(table.rows)
    ]
    room.audit._show(sheet_of(table_of(rows, table.answers), 0, sheet.threshold))
    room.table.viewport().grab()
    offered = [room.case.label.itemText(place) for place in range(room.case.label.count())]
    assert offered[1:] == ["cyst"], "what its label should be is not what it is"
    assert 0 in asked, "other rows have other pictures"


def test_two_panes_take_more_of_the_window_and_stay_where_they_were_moved_to(room):
    room.resize(1600, 1000)
    one = room.splitter.sizes()[1]
    sheet = room.audit.state.sheet
    both = [replace(sheet.answers), replace(sheet.answers, model=AuditModel("other"))]
    room.audit._show(sheet_of(sheet.table.with_answers(both), 0, sheet.threshold))
    assert [view.isHidden() for view in room.views] == [False, False]
    two = room.splitter.sizes()[1]
    assert two >= one + 160
    room.splitter.setSizes([820, 780])
    moved = room.splitter.sizes()
    again = sheet.table.with_answers([replace(each) for each in both])  # as news of the models
    room.audit._show(sheet_of(again, 0, sheet.threshold))
    assert room.splitter.sizes() == moved
    room.audit._show(sheet)
    assert room.splitter.sizes()[1] == pytest.approx(one, abs=1)


def test_every_control_has_a_name_to_be_heard(room):
    assert unnamed(room) == []


def test_report_and_table_are_written(room, qtbot, tmp_path, monkeypatch):
    asked = "app.ui.audit.papers.QFileDialog."
    monkeypatch.setattr(f"{asked}getSaveFileName", lambda *_: (str(tmp_path / "q"), ""))
    room.matrix.cells[FN].click()
    actions = {action.text(): action for action in room.head.more.menu().findChildren(QAction)}
    actions["Listed cases as CSV…"].trigger()
    lines = (tmp_path / "q.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["image_id", "i3", "i7"]
    folder = tmp_path / "report"
    monkeypatch.setattr(f"{asked}getExistingDirectory", lambda *_: str(folder))
    actions["Report…"].trigger()
    qtbot.waitUntil(lambda: (folder / "index.html").exists())


def test_fifty_thousand_cases_are_sorted_and_filtered_and_only_those_in_sight_are_drawn(room, tmp_path):
    n = 50_000
    score = ((np.arange(n) * 7919) % n) / n  # every score once
    rows = [
        Row(f"c{k}", f"p{k // 4}", f"s{k // 4}", "LR"[k % 2], "CC", tmp_path / "none.png", 0, f"{k}", 9, 9,
            None, "film", "AB"[k % 2], "", "", "malignant" if k % 10 == 0 else "normal", "made: made up")
        for k in range(n)
    ]  # fmt: skip
    nothing = np.full(n, np.nan)
    answers = Answers(AuditModel("many"), np.full(n, SCORED, np.int8), score, nothing, nothing)
    sheet = sheet_of(table_of(rows, [answers]), 0, 0.5)
    room.audit._pictures.begin(sheet.table)
    asked: list[int] = []
    room.table.itemDelegateForColumn(PLACE["picture"])._audit = _Asked(room.audit, asked)
    room.audit._state = replace(AuditState(), sheet=sheet)
    room.audit.set_filter(replace(EVERY_CASE, criteria=(Among("label", ("malignant",)),)))
    assert room.table.cases.rowCount() == n // 10
    room.audit.sort_by("score", True)
    first = room.table.cases.index(0, 0).data(CASE)
    wanted = np.arange(0, n, 10)
    assert first == wanted[score[wanted].argmax()]
    room.audit.set_filter(EVERY_CASE)
    assert room.table.cases.rowCount() == n
    order = [room.table.cases.index(place, 0).data(CASE) for place in (0, 1, n - 1)]
    assert [float(score[row]) for row in order] == [(n - 1) / n, (n - 2) / n, 0.0]
    room.table.grab()
    room.table.scrollToBottom()
    room.table.grab()
    assert 0 < len(set(asked)) < 100, "pictures of two screenfuls, not of fifty thousand"


class _Asked:
    """The audit as the picture cells know it, noting what they ask for."""

    def __init__(self, audit, asked: list[int]) -> None:
        self._audit, self._asked = audit, asked

    @property
    def state(self) -> AuditState:
        return self._audit.state

    def thumbnail(self, row: int) -> None:
        self._asked.append(row)


def test_of_a_model_without_boxes_no_lesion_is_said_to_be_missed():
    lesion = MatchedLesion(FINDS[3][0], "missed")
    (drawn,) = outlines(Matching("centre", (lesion,), ()), points=False)
    assert (drawn.words, drawn.double) == ("truth: malignant mass", False)


class Painted(QObject):
    """What was painted of a widget: the left and right edge of each rectangle."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.edges: list[tuple[int, int]] = []
        widget.installEventFilter(self)

    def eventFilter(self, widget, event) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.edges += [(rect.left(), rect.right()) for rect in event.region()]
        return False


def test_a_dragged_threshold_paints_only_what_follows_it_in_the_table(room, qtbot):
    table = room.table
    room.splitter.setSizes([1500, 100])  # all columns are in sight
    qtbot.wait(100)
    painted = Painted(table.viewport())
    room.audit.set_threshold(0.65)
    qtbot.waitUntil(lambda: any(left > 0 for left, _ in painted.edges))
    edges = {each for each in painted.edges if each[0] > 0}  # a small picture may come meanwhile
    own = [
        (table.columnViewportPosition(PLACE[key]), table.columnWidth(PLACE[key]))
        for key in ("outcome", "uncertainty")
    ]
    assert edges == {(left, left + width - 1) for left, width in own}
    assert texts(room, "outcome")[5] == "▼ FN"
    room.audit.set_verdict("agree", [5])
    qtbot.waitUntil(lambda: any(right - left > 500 for left, right in painted.edges))


def test_of_the_moves_of_a_drag_that_wait_only_the_newest_is_counted(room, qtbot):
    seen = QSignalSpy(room.audit.state_changed)
    for place in (0.2, 0.4, 0.6):
        room.plots.scores.line.setValue(place)
    assert room.audit.state.sheet.threshold == 0.5
    qtbot.waitUntil(lambda: room.audit.state.sheet.threshold == 0.6)
    assert seen.count() == 1
    room.plots.scores.line.setValue(0.3)
    room.audit.set_note("meanwhile", [0])
    assert room.plots.scores.line.value() == 0.3, "what else happens does not take the line out of the hand"
    qtbot.waitUntil(lambda: room.audit.state.sheet.threshold == 0.3)


def test_of_an_image_that_the_model_declined_no_lesion_is_said_to_be_missed(room, qtbot):
    sheet = room.audit.state.sheet
    status = sheet.answers.status.copy()
    status[3] = DECLINED
    table = sheet.table.with_answers([replace(sheet.answers, status=status)])
    room.audit._state = replace(room.audit.state, sheet=sheet_of(table, 0, 0.5))
    (drawn,) = show(room, qtbot, 3)
    assert drawn.words == "truth: malignant mass"
