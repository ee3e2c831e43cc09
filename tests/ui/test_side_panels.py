"""Study list, tray, files left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from ui_desk import study_of
from ui_hand import LEFT, press

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
    assert panel.nothing.isHidden()
    panel.search.setText("nobody")
    assert panel.rows.rows == ()
    assert not panel.nothing.isHidden()


def test_escape_empties_the_search_and_gives_the_keyboard_back(desk):
    desk.open(study_of())
    panel = desk.window.panels["StudiesPanel"]
    press(desk, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert panel.search.hasFocus()
    QTest.keyClicks(panel.search, "nobody")
    press(desk, Qt.Key.Key_Escape)
    assert panel.search.text() == ""
    assert len(panel.rows.rows) == 2
    assert desk.window.grid.hasFocus()


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


def test_files_left_out_of_one_folder_are_not_listed_with_the_next(desk, tmp_path):
    for name in ("a.txt", "b.txt"):
        desk.open(study_of(uid=name), left_out=(LeftOut(tmp_path / name, "is not a mammogram"),))
    found = desk.window.panels["LeftOutPanel"].list
    assert [found.item(n).text() for n in range(found.count())] == ["b.txt: is not a mammogram"]


def loose(folder, *names):
    """A study of pictures of nobody."""
    facts = {"patient": PatientFacts(), "kind": "raster", "orientation": None, "spacing": None}
    study = study_of(*"X" * len(names), **facts)
    images = tuple(
        replace(image, path=folder / f"{name}.png", sop_uid=name, label="")
        for image, name in zip(study.images, names, strict=True)
    )
    return replace(study, uid=names[0], key=names[0], images=images, description=folder.name)


def texts_of(panel):
    return [row.texts[0] if row.study else row.heading for row in panel.rows.rows]


FILMS = [f"mdb{number:03}" for number in range(1, 7)]


@pytest.mark.parametrize("one_by_one", [False, True], ids=["one study", "a study each"])
def test_loose_pictures_stand_under_their_folder_one_short_row_each(desk, tmp_path, one_by_one):
    folder = tmp_path / "films"
    studies = [loose(folder, name) for name in FILMS] if one_by_one else [loose(folder, *FILMS)]
    desk.library._set_collection(Collection(tuple(Patient(each.patient, (each,)) for each in studies)))
    panel = desk.window.panels["StudiesPanel"]
    assert texts_of(panel) == [("films", "6 pictures"), *FILMS]
    heights = {panel.list.visualRect(panel.rows.index(number)).height() for number in range(1, 7)}
    assert max(heights) < 96
    panel.search.setText("mdb002")
    assert texts_of(panel) == [("films", "1 picture"), "mdb002"]


def test_a_click_on_a_loose_picture_shows_it_and_paging_follows_in_the_list(desk, tmp_path):
    desk.library.put(loose(tmp_path / "films", *FILMS))
    panel = desk.window.panels["StudiesPanel"]

    def shown():
        return desk.session.screen.panes[0].viewport.image.path.stem

    assert shown() == "mdb001"  # by file name, not by chance
    place = panel.list.visualRect(panel.rows.index(4)).center()
    QTest.mouseClick(panel.list.viewport(), LEFT, pos=place)
    assert shown() == "mdb004"
    desk.session.page(0, 1)
    assert shown() == "mdb005"
    assert panel.list.currentIndex().row() == 5


def test_a_click_on_a_loose_picture_of_its_own_study_opens_that_alone(desk, tmp_path):
    studies = [loose(tmp_path / "films", name) for name in FILMS]
    desk.library._set_collection(Collection(tuple(Patient(each.patient, (each,)) for each in studies)))
    panel = desk.window.panels["StudiesPanel"]
    place = panel.list.visualRect(panel.rows.index(4)).center()
    QTest.mouseClick(panel.list.viewport(), LEFT, pos=place)
    images = {pane.viewport.image for pane in desk.session.screen.panes if pane.viewport} - {None}
    assert {image.path.stem for image in images} == {"mdb004"}
    assert panel.list.currentIndex().row() == 4


def test_loose_pictures_are_called_by_their_folder_where_a_name_would_stand(desk, tmp_path):
    desk.library.put(loose(tmp_path / "films", *FILMS[:2]))
    assert desk.window.top_bar._patient.accessibleName() == "films"
