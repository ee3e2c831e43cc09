"""What an audit may be opened on: the dialog follows the reading window's list and the models found."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from audit_desk import texts
from dicom_files import write_mg
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest

from app.ui.audit.opening import OpenDialog
from app.ui.audit.window import AuditWindow
from app.ui.main_window import MainWindow

CTRL, LEFT = Qt.KeyboardModifier.ControlModifier, Qt.MouseButton.LeftButton
PLAIN = Qt.KeyboardModifier.NoModifier
PEOPLE = ("ann", "eve", "kim")
WITHOUT_TRUTH = "Nothing is known of what is true: outcomes, curves and the matrix stay empty."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three exams of two views, and a prediction file beside them."""
    made, views = tmp_path / "images", []
    made.mkdir()
    for number, name in enumerate(PEOPLE):
        for side in "LR":
            path = write_mg(
                made / f"{name}-{side}.dcm", np.full((64, 64), 900, np.uint16), laterality=side, view="CC",
                orientation=("A", "R") if side == "L" else ("P", "L"), PatientID=name, PatientName=name,
                StudyInstanceUID=f"1.2.{number + 1}",
            )  # fmt: skip
            views.append(
                {"sop_uid": "", "path": str(path), "model": "m", "laterality": side, "view": "CC",
                 "heatmap": None, "status": "scored", "score": 0.5, "reason": None, "notes": [],
                 "findings": []}
            )  # fmt: skip
    study = {"study_uid": "", "status": "partial", "breasts": {}, "exam_score": None, "views": views}
    model = {"name": "m", "version": "1", "outputs": {"score": {"of": "x"}}}
    content = {"format": "mammoview-prediction", "version": 1, "models": [model], "studies": [study]}
    (tmp_path / "said.json").write_text(json.dumps(content))
    return made


@pytest.fixture
def reading(workstation: MainWindow, folder: Path, qtbot) -> MainWindow:
    """The reading window with the three exams listed."""
    workstation.show()
    workstation.session.open_paths([folder])
    qtbot.waitUntil(lambda: len(workstation.session.studies) == 3)
    return workstation


def asked(window: MainWindow) -> OpenDialog:
    window.commands.audit()
    return window.findChild(AuditWindow).findChild(OpenDialog)


def click(window: MainWindow, row: int, keys=PLAIN) -> None:
    """Click a row of the study list: 0, 2 and 4 are headings."""
    panel = window.panels["StudiesPanel"]
    place = panel.list.visualRect(panel.rows.index(row)).center()
    QTest.mouseClick(panel.list.viewport(), LEFT, keys, place)


def opened(window: MainWindow, dialog: OpenDialog, folder: Path, qtbot) -> AuditWindow:
    dialog.predictions.setText(str(folder.parent / "said.json"))
    dialog.open_button.click()
    room = window.findChild(AuditWindow)
    qtbot.waitUntil(lambda: room.audit.state.sheet is not None)
    return room


def facts(room: AuditWindow) -> list:
    return list(room.audit.state.table.rows)


def test_the_listed_studies_are_opened_as_their_folder_would_be(reading, folder, qtbot):
    dialog = asked(reading)
    assert dialog.studies.text() == "3 studies"
    QTest.mouseClick(dialog.studies, LEFT)
    assert dialog.images.text() == "3 studies listed, 6 images"
    assert dialog.images.isReadOnly()
    room = opened(reading, dialog, folder, qtbot)
    of_list = facts(room)
    assert texts(room, "view") == ["L CC", "R CC"] * 3
    assert room.head.title.whole == "3 studies"
    assert WITHOUT_TRUTH in room.head.notes.text()
    room.ask_open()
    again = next(each for each in room.findChildren(OpenDialog) if each.isVisible())
    again.images.setText(str(folder))
    opened(reading, again, folder, qtbot)
    qtbot.waitUntil(lambda: room.audit.state.title == "images")
    assert facts(room) == of_list


def test_studies_that_are_selected_in_the_list_are_opened_alone(reading, folder, qtbot):
    first = reading.session.screen.study.key
    click(reading, 5, CTRL)
    assert reading.session.screen.study.key == first, "to select is not to open"
    dialog = asked(reading)
    assert dialog.studies.text() == "2 studies"
    dialog.studies.click()
    assert dialog.images.text() == "2 studies selected, 4 images"
    room = opened(reading, dialog, folder, qtbot)
    assert [row.path.name for row in facts(room)] == ["ann-L.dcm", "ann-R.dcm", "kim-L.dcm", "kim-R.dcm"]
    click(reading, 3)
    assert reading.session.screen.study.patient.id == "eve", "a plain click opens"
    assert len(reading.panels["StudiesPanel"].choice[0]) == 3, "and selects nothing else"


def test_the_dialog_follows_the_list_while_it_is_open(reading, folder, qtbot):
    dialog = asked(reading)
    dialog.images.setText("typed")
    dialog.studies.click()
    reading.panels["StudiesPanel"].search.setText("eve")
    assert dialog.images.text() == "1 study listed, 2 images"
    reading.panels["StudiesPanel"].search.setText("nobody")
    assert not dialog.studies.isEnabled()
    assert dialog.images.text() == "typed", "what was written comes back"
    assert not dialog.images.isReadOnly()
    reading.panels["StudiesPanel"].search.setText("")
    assert dialog.studies.text() == "3 studies"
    dialog.studies.click()
    dialog.name_images("a.csv")
    assert not dialog.studies.isChecked(), "a manifest takes the place of the studies"
    assert dialog.images.text() == "a.csv"
    dialog.close()


def test_without_a_study_the_button_says_why_it_does_nothing(workstation, folder, qtbot):
    dialog = asked(workstation)
    assert not dialog.studies.isEnabled()
    assert dialog.studies.toolTip() == "No study is open in the reading window."
    workstation.session.open_paths([folder])
    qtbot.waitUntil(dialog.studies.isEnabled)
    dialog.studies.click()
    dialog.open_button.click()
    assert dialog.said.text() == "Choose a model, or a prediction file."
    assert dialog.isVisible()


def test_models_that_are_listed_later_are_offered_and_what_was_chosen_stays(workstation, qtbot):
    dialog = asked(workstation)
    assert [dialog.first.itemText(n) for n in range(dialog.first.count())] == ["none"]
    models = tuple(SimpleNamespace(name=name) for name in ("one", "two"))
    workstation.second_look.present_models = lambda models: None
    workstation.show_models(models)
    assert [dialog.second.itemText(n) for n in range(dialog.second.count())] == ["none", "one", "two"]
    dialog.first.setCurrentIndex(2)
    workstation.show_models((SimpleNamespace(name="new"), *models))
    assert (dialog.first.currentData(), dialog.second.currentData()) == ("two", "")
    workstation.show_models(models[:1])
    assert dialog.first.currentData() == "", "one that was removed is not asked"
    dialog.close()
    qtbot.waitUntil(lambda: not workstation.findChildren(OpenDialog))
    workstation.show_models(models)  # nobody listens any more


def test_reading_an_exam_of_the_list_keeps_the_others_open(reading, folder, qtbot):
    dialog = asked(reading)
    dialog.studies.click()
    room = opened(reading, dialog, folder, qtbot)
    room.go(5)
    qtbot.waitUntil(lambda: room.panes.case is not None and room.panes.case.row == 5)
    room.read_exam()
    assert reading.session.screen.study.patient.id == "kim"
    assert len(reading.session.studies) == 3
    assert not reading.session.library.opening


def test_a_folder_that_is_dropped_waits_in_the_dialog_for_its_model(reading, folder):
    asked(reading).close()
    room = reading.findChild(AuditWindow)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(folder))])
    action, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    room.dropEvent(QDropEvent(QPointF(9, 9), action, data, button, PLAIN))
    dialog = next(each for each in room.findChildren(OpenDialog) if each.isVisible())
    assert dialog.images.text() == str(folder)
    dialog.open_button.click()
    assert dialog.said.text() == "Choose a model, or a prediction file."


def test_files_that_went_away_are_said_and_what_was_open_stays(reading, folder, qtbot):
    dialog = asked(reading)
    dialog.studies.click()
    room = opened(reading, dialog, folder, qtbot)
    for path in folder.iterdir():
        path.unlink()
    room.ask_open()
    again = next(each for each in room.findChildren(OpenDialog) if each.isVisible())
    again.studies.click()
    again.predictions.setText(str(folder.parent / "said.json"))
    again.open_button.click()
    qtbot.waitUntil(lambda: "cannot be read" in room.said.text())
    assert "ann-L.dcm" in room.said.text()
    assert len(room.audit.state.table.rows) == 6
