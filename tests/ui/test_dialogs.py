"""Dialogs: keys, menu, assignment by hand, settings."""

from __future__ import annotations

from dataclasses import fields

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from ui_desk import study_of

from app.core.imaging.image import Note, Spacing
from app.core.settings import Settings, load
from app.ui import menus
from app.ui.actions import ACTIONS
from app.ui.actions.audit import ACTIONS as AUDIT_ACTIONS
from app.ui.dialogs.assign import AssignDialog
from app.ui.dialogs.error import ErrorDialog
from app.ui.dialogs.keys import KeysDialog
from app.ui.dialogs.settings import SettingsDialog


def test_the_f1_sheet_lists_every_action_with_its_key(four_views, qtbot):
    sheet = KeysDialog(four_views.window)
    qtbot.addWidget(sheet)
    assert set(sheet.rows) == {action.id for action in (*ACTIONS, *AUDIT_ACTIONS)}
    assert sheet.tabs.tabText(sheet.tabs.currentIndex()) == "Reading"
    assert sheet.rows["invert"] == "I"
    assert sheet.rows["previous_stage"].split() == ["Shift+Space", ","]
    assert (sheet.rows["audit_next"], sheet.rows["audit_model_wrong"]) == ("Space", "M")


def test_the_menu_holds_every_action(four_views):
    menu = menus.main_menu(four_views.window, four_views.window.actions_by_id)
    found = {entry.objectName() for sub in menu.actions() for entry in sub.menu().actions()}
    assert found == {action.id for action in ACTIONS}


def test_laterality_and_view_are_said_by_hand(desk, qtbot):
    desk.open(study_of("RCC", "X"))
    unknown = desk.session.screen.study.images[1]
    dialog = AssignDialog(desk.window, unknown)
    qtbot.addWidget(dialog)
    dialog.laterality.setCurrentIndex(dialog.laterality.findData("L"))
    dialog.view.setCurrentIndex(dialog.view.findData("CC"))
    dialog.assign()
    assert {image.label for image in desk.session.screen.study.images} == {"RCC", "LCC"}


def test_origin_and_pixel_size_of_a_silent_file_are_said_by_hand_for_its_folder(desk, qtbot):
    facts = {"kind": "raster", "source": "unknown", "spacing": None, "notes": ()}
    desk.open(study_of("X", "Y", **facts))
    dialog = AssignDialog(desk.window, desk.session.screen.study.images[0])
    qtbot.addWidget(dialog)
    dialog.source.setCurrentIndex(dialog.source.findData("film"))
    dialog.spacing.setValue(0.2)
    dialog.folder.setChecked(True)
    dialog.assign()
    for image in desk.session.screen.study.images:
        assert image.source == "film"
        assert (image.spacing.row_mm, image.spacing.col_mm, image.spacing.label) == (0.2, 0.2, "by hand")
        assert [note.text.count("by hand") for note in image.notes] == [1, 1]


@pytest.fixture(params=["en_GB", "de_DE", "fr_FR"])
def country(request):
    """The reader's country, which decides how Qt writes and reads numbers."""
    before = QLocale()
    QLocale.setDefault(QLocale(request.param))
    yield
    QLocale.setDefault(before)


@pytest.mark.parametrize(
    ("typed", "millimetres"), [("", 0.2), ("0.1", 0.1), ("0,1", 0.1), ("0,05", 0.05), ("0.0941", 0.0941)]
)
@pytest.mark.parametrize("confirmed", [True, False])
def test_a_pixel_size_is_read_as_it_was_typed_in_any_country(
    country, desk, qtbot, typed, millimetres, confirmed
):
    desk.open(study_of("X", source="unknown", spacing=Spacing(0.2, 0.2, "by hand")))
    dialog = AssignDialog(desk.window, desk.session.screen.study.images[0])
    qtbot.addWidget(dialog)
    dialog.spacing.lineEdit().selectAll()
    QTest.keyClicks(dialog.spacing, typed)
    if confirmed:
        QTest.keyClick(dialog.spacing, Qt.Key.Key_Return)
    dialog.assign()
    assert desk.session.screen.study.images[0].spacing == Spacing(millimetres, millimetres, "by hand")


def test_what_was_inferred_is_confirmed_by_hand_as_it_is(desk, qtbot):
    notes = (Note("laterality-inferred", "?", "inferred"), Note("view-inferred", "?", "inferred"))
    desk.open(study_of("LCC", notes=notes))
    dialog = AssignDialog(desk.window, desk.session.screen.study.images[0])
    qtbot.addWidget(dialog)
    dialog.assign()
    (image,) = desk.session.screen.study.images
    assert [note.code for note in image.notes] == ["assigned-by-hand"]
    assert image.label == "LCC"


@pytest.mark.parametrize("spacing", [None, Spacing(0.2, 0.2, "by hand")])
def test_to_assign_what_is_known_already_changes_nothing(desk, qtbot, spacing):
    notes = (Note("spacing-missing", "?", "warning"),)
    study = desk.open(study_of("LCC", "RCC", kind="raster", source="unknown", spacing=spacing, notes=notes))
    desk.session.analyse()
    look = desk.oracle.say(study)
    dialog = AssignDialog(desk.window, study.images[0])
    qtbot.addWidget(dialog)
    dialog.folder.setChecked(True)
    amended = []
    desk.library.collection_changed.connect(amended.append)
    dialog.assign()
    assert (desk.session.screen.study, amended) == (study, [])
    assert desk.session.looks == (look,)


def test_what_the_file_says_of_origin_and_pixel_size_cannot_be_changed(desk, qtbot):
    desk.open(study_of("RCC", source="ffdm"))
    dialog = AssignDialog(desk.window, desk.session.screen.study.images[0])
    qtbot.addWidget(dialog)
    assert not dialog.source.isEnabled()
    assert not dialog.spacing.isEnabled()
    assert (dialog.source.currentData(), dialog.spacing.value()) == ("ffdm", 0.1)


def test_the_settings_dialog_has_every_setting_and_keeps_a_change(four_views, qtbot, monkeypatch, tmp_path):
    monkeypatch.setenv("MAMMOVIEW_CONFIG", str(tmp_path))
    dialog = SettingsDialog(four_views.window)
    qtbot.addWidget(dialog)
    wanted = {item.name for item in fields(Settings) if "label" in item.metadata}
    assert set(dialog.editors) == wanted - {"key_bindings"}
    dialog.editors["corner"].setCurrentText("full")
    dialog.store()
    assert four_views.session.overlay.corner == "full"
    assert load().corner == "full"


def test_all_tabs_of_the_settings_are_in_sight(four_views, qtbot):
    dialog = SettingsDialog(four_views.window)
    qtbot.addWidget(dialog)
    dialog.show()
    bar = dialog.tabs.tabBar()
    assert bar.tabRect(bar.count() - 1).right() < bar.width()


def test_a_key_claimed_twice_cannot_be_saved(four_views, qtbot):
    dialog = SettingsDialog(four_views.window)
    qtbot.addWidget(dialog)
    dialog.keys.editors["invert"].setKeySequence(QKeySequence("R"))
    assert not dialog.save_button.isEnabled()
    assert dialog.warning.text() == "R is the key of Invert and of Reset."
    dialog.keys.editors["invert"].setKeySequence(QKeySequence("Ctrl+I"))
    assert dialog.save_button.isEnabled()
    assert dialog.settings().key_bindings == {"invert": "Ctrl+I"}


def test_a_folder_that_cannot_be_opened_is_said_in_one_box(desk):
    desk.library.opening_failed.emit("/nowhere: there is no such file or folder")
    boxes = [w for w in QApplication.topLevelWidgets() if isinstance(w, ErrorDialog) and w.isVisible()]
    assert [box.sentence.text() for box in boxes] == ["/nowhere: there is no such file or folder"]
    boxes[0].close()
