"""Study list, tray, files left out."""

from __future__ import annotations

from datetime import date

from PySide6.QtTest import QTest
from ui_desk import study_of
from ui_hand import LEFT

from app.core.imaging.image import LeftOut


def test_the_list_groups_studies_by_patient(desk):
    desk.open(study_of(), study_of(uid="study-0", day=date(2024, 11, 3)))
    rows = desk.window.panels["StudiesPanel"].rows.rows
    assert [row.study.uid if row.study else None for row in rows] == [None, "study-1", "study-0"]


def test_the_search_field_keeps_what_matches_all_words(desk):
    desk.open(study_of(), study_of(uid="study-0", day=date(2024, 11, 3)))
    panel = desk.window.panels["StudiesPanel"]
    panel.search.setText("jane 2024")
    assert [row.study.uid for row in panel.rows.rows if row.study] == ["study-0"]
    panel.search.setText("nobody")
    assert panel.rows.rows == ()


def test_a_click_opens_a_study(desk):
    desk.open(study_of(), study_of(uid="study-0", day=date(2024, 11, 3)))
    panel = desk.window.panels["StudiesPanel"]
    place = panel.list.visualRect(panel.rows.index(2)).center()
    QTest.mouseClick(panel.list.viewport(), LEFT, pos=place)
    assert desk.session.screen.study.uid == "study-0"


def test_thumbnails_are_asked_for_only_when_seen(desk, monkeypatch):
    asked = []
    monkeypatch.setattr(desk.library, "thumbnail", lambda image: asked.append(image.key))
    studies = [study_of(uid=f"study-{n}", day=date(2020, 1, 1 + n)) for n in range(25)]
    desk.library.put(*studies)
    desk.window.grab()
    assert 0 < len(set(asked)) < 25 * 4


def test_what_no_pane_asked_for_waits_in_the_tray_and_can_be_shown(desk):
    desk.open(study_of("RCC", "LCC", "RMLO", "LMLO", "X"))
    tray = desk.window.panels["TrayPanel"]
    assert tray.isVisible()
    assert tray.fold.head.text() == "Tray (1)"
    tray.list.itemActivated.emit(tray.list.item(0))
    assert desk.session.screen.panes[0].viewport.image.label == "X"


def test_files_left_out_are_listed_with_their_reasons(desk, tmp_path):
    desk.open(study_of(), left_out=(LeftOut(tmp_path / "a.txt", "is not a mammogram"),))
    panel = desk.window.panels["LeftOutPanel"]
    assert panel.fold.head.text() == "Left out (1)"
    assert panel.list.item(0).text() == "a.txt: is not a mammogram"
