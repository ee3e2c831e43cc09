"""Pictures that leave the program: exact pixels, and nobody named unless asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QCheckBox, QFileDialog
from ui_desk import breast, frame_of, study_of
from ui_hand import press

from app.core.imaging.image import Note, PatientFacts
from app.ui import export
from app.ui.export import png
from app.ui.pictures import image_picture, key_picture, screen_picture

JANE = {"patient": PatientFacts(id="P-1", name="Doe^Jane", sex="F")}
ANN = {
    "patient": PatientFacts(id="P-777", name="Poe^Annabel", birth_date=date(1950, 1, 1), sex="F"),
    "age": "076Y",
    "acquired": datetime(2021, 1, 2, 3, 4),
    "accession": "A-9",
    "corner": (("Patient name", "Poe, Annabel"), ("Institution", "Elsewhere")),
    "notes": (Note("said-by-hand", "Mrs Poe said so.", "inferred"),),
    "path": Path("/data/Poe_Annabel.dcm"),
}
NOTES = {"notes": (Note("said-by-hand", "Something else.", "inferred"),)}


def _pixels(picture: QImage) -> np.ndarray:
    rgb = picture.convertToFormat(QImage.Format.Format_RGB888)
    raw = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
    return raw[:, : rgb.width() * 3].reshape(rgb.height(), rgb.width(), 3).copy()


@pytest.mark.parametrize("corner", ["short", "full", "off"])
@pytest.mark.parametrize("more", [{}, {"label": "", "view": None}], ids=["views", "no view"])
def test_the_same_picture_of_two_people_is_the_same_file(desk, corner, more):
    desk.session.set_overlay(corner=corner)
    files = []
    for facts in (JANE | NOTES, ANN):
        images = tuple(replace(each, **(facts | more)) for each in study_of("RCC").images)
        study = replace(study_of("RCC"), images=images, patient=facts["patient"])
        desk.library.cache.clear()
        desk.open(study)
        screen, image = screen_picture(desk.window.grid), image_picture(desk.window.grid.active_scene)
        files.append((png(screen), png(image)))
    assert files[0] == files[1]


@pytest.mark.parametrize("corner", ["short", "off"])
def test_whoever_asks_for_the_patient_gets_her(desk, corner):
    desk.session.set_overlay(corner=corner)
    files = []
    for facts in (JANE, ANN):
        images = tuple(replace(each, **facts) for each in study_of().images)
        desk.library.cache.clear()
        desk.open(replace(study_of(), images=images, patient=facts["patient"]))
        files.append(png(image_picture(desk.window.grid.active_scene, identified=True)))
    assert files[0] != files[1]


def test_an_image_that_cannot_be_read_does_not_name_its_file(desk):
    files = []
    for name in ("Doe.dcm", "Poe.dcm"):
        study = desk.open(study_of("RCC", path=Path(name)), decoded=False)
        desk.library.fail(study.images[0], f"{name}: is damaged")
        files.append(png(screen_picture(desk.window.grid)))
    assert files[0] == files[1]


def test_a_picture_is_what_the_pane_paints(four_views, pixels_of):
    four_views.session.toggle_single(0)
    scene = four_views.window.grid.active_scene
    assert np.array_equal(_pixels(image_picture(scene, identified=True)), pixels_of(four_views.pane))


def test_all_panes_stand_where_they_stand_on_screen(four_views, pixels_of):
    made = _pixels(screen_picture(four_views.window.grid))
    shown = pixels_of(four_views.window.grid)
    assert made.shape == shown.shape
    # The corner text differs; the middle, where the breasts are, does not.
    rows, columns = made.shape[0] // 4, made.shape[1]
    middle = np.s_[rows - 40 : rows + 40, columns // 2 - 100 : columns // 2 + 100]
    assert made[middle].any()
    assert np.array_equal(made[middle], shown[middle])


def test_a_picture_never_holds_a_sketch(four_views):
    pane = four_views.pane
    before = png(image_picture(pane.scene))
    pane._hasty = True
    pane.raster.forget()
    pane.repaint()
    assert pane.raster.is_sketch
    assert png(image_picture(pane.scene)) == before


def test_nothing_is_taken_while_an_image_is_still_refining(desk, monkeypatch):
    study = desk.open(study_of("RCC"), decoded=False)
    desk.library.give(frame_of(study.images[0], breast("RCC"), refining=True))
    asked, said = [], []
    monkeypatch.setattr(export, "ask_picture", lambda *a: asked.append(a))
    desk.window.export.message.connect(said.append)
    for do in (desk.window.commands.save_screen, desk.window.commands.copy_image):
        do()
    assert asked == []
    assert said == [export.NOT_READY] * 2


def test_an_image_that_comes_while_the_file_is_chosen_is_waited_for(desk, monkeypatch, tmp_path):
    study, other = study_of("RCC"), study_of("LCC", uid="study-2")
    desk.open(study, other)

    def chosen_late(*_):
        desk.library.cache.clear()
        desk.session.open_study(other.key)
        desk.library.give(frame_of(other.images[0], breast("LCC"), refining=True))
        return tmp_path / "screen.png", False

    said = []
    desk.window.export.message.connect(said.append)
    monkeypatch.setattr(export, "ask_picture", chosen_late)
    desk.window.commands.save_screen()
    assert said == [export.NOT_READY]


def test_without_an_image_there_is_a_sentence(desk):
    said = []
    desk.window.export.message.connect(said.append)
    desk.window.commands.copy_screen()
    desk.window.commands.save_image()
    assert said == ["There is no image to take."] * 2


def test_ctrl_c_copies_all_panes(four_views):
    from PySide6.QtCore import Qt

    press(four_views, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    grid, copied = four_views.window.grid, QGuiApplication.clipboard().image()
    assert (copied.width(), copied.height()) == (grid.width(), grid.height())


def test_the_patient_is_named_only_where_the_box_is_ticked(desk, monkeypatch, tmp_path):
    wished = []

    def answer(dialog) -> int:
        box = dialog.findChild(QCheckBox)
        assert not box.isChecked()
        box.setChecked(wished[-1])
        return 1

    monkeypatch.setattr(QFileDialog, "exec", answer)
    monkeypatch.setattr(QFileDialog, "selectedFiles", lambda dialog: [str(tmp_path / "a.png")])
    for wish in (False, True):
        wished.append(wish)
        assert export.ask_picture(desk.window, "Save", "a.png") == (tmp_path / "a.png", wish)


@pytest.mark.parametrize("ticked", [False, True])
def test_a_picture_is_written_as_asked(four_views, monkeypatch, qtbot, tmp_path, ticked):
    path = tmp_path / "image.png"
    monkeypatch.setattr(export, "ask_picture", lambda *a: (path, ticked))
    with qtbot.waitSignal(four_views.window.export.finished):
        four_views.window.commands.save_image()
    scene = four_views.window.grid.active_scene
    expected = _pixels(image_picture(scene, identified=ticked))
    assert np.array_equal(_pixels(QImage(str(path))), expected)
    assert [each.name for each in tmp_path.iterdir()] == ["image.png"]


def test_a_file_that_cannot_be_written_is_one_sentence(four_views, monkeypatch, qtbot, tmp_path):
    path = tmp_path / "no such folder" / "screen.png"
    monkeypatch.setattr(export, "ask_picture", lambda *a: (path, False))
    said = []
    monkeypatch.setattr(four_views.window, "show_error", said.append)
    four_views.window.commands.save_screen()
    qtbot.waitUntil(lambda: bool(said))
    assert said == [f"{path}: cannot be written (No such file or directory)"]


def test_a_key_image_shows_the_window_it_has_on_screen_and_its_view(four_views):
    session = four_views.session
    image = session.screen.study.images[0]
    frame = session.library.present(image.key)
    before = _pixels(key_picture(session, frame))
    session.set_voi(0, 1)
    session.zoom_at(0, 3.0, (0.0, 0.0))
    after = _pixels(key_picture(session, frame))
    # W 3000 C 2000 shows 1500 at a third of the range, W 800 C 1500 in its middle; the zoom is not kept.
    middle = np.s_[before.shape[0] // 2, -200]
    assert before[middle].tolist() == pytest.approx([255 / 3] * 3, abs=1)
    assert after[middle].tolist() == pytest.approx([255 / 2] * 3, abs=1)
    assert (before[20:80, 20:200] > 150).any()  # the label, away from the chest wall
