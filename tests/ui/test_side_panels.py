"""Study list, tray, files left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from PySide6.QtTest import QTest
from ui_desk import study_of
from ui_hand import LEFT

from app.core.imaging.image import Collection, LeftOut, Patient, PatientFacts


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


def loose(folder, name):
    """A study that is one picture of nobody."""
    facts = {"patient": PatientFacts(), "kind": "raster", "path": folder / f"{name}.png"}
    return replace(study_of("X", uid=name, **facts), description=name)


def test_loose_pictures_stand_under_their_folder_one_short_row_each(desk, tmp_path):
    pictures = [loose(tmp_path / "films", f"mdb{number:03}") for number in range(1, 4)]
    people = tuple(Patient(study.patient, (study,)) for study in pictures)
    desk.library._set_collection(Collection(people))
    panel = desk.window.panels["StudiesPanel"]
    assert [row.study.description if row.study else row.heading for row in panel.rows.rows] == [
        ("films", "3 exams"),
        "mdb001",
        "mdb002",
        "mdb003",
    ]
    heights = [panel.list.visualRect(panel.rows.index(number)).height() for number in range(4)]
    assert heights[1] == heights[3] < 96
    panel.search.setText("mdb002")
    assert [row.study.description for row in panel.rows.rows if row.study] == ["mdb002"]
    assert panel.rows.rows[0].heading == ("films", "1 exam")


def test_loose_pictures_are_called_by_their_file_where_a_name_would_stand(desk, tmp_path):
    desk.library.put(loose(tmp_path / "films", "mdb001"))
    assert desk.window.top_bar._patient.accessibleName() == "mdb001"
    assert desk.window.top_bar._study.accessibleName() == "films"
