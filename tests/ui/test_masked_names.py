"""Names masked for teaching: nothing on the screen leads to the person, and a person keeps her code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QListWidget, QWidget
from ui_desk import image_of, study_of
from ui_hand import press

from app.core import recent
from app.core.imaging.image import LeftOut, Note, PatientFacts
from app.ui import identity
from app.ui.overlays.corner_text import head
from app.ui.recent_menu import RecentMenu

CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
JANE = PatientFacts(id="P-1", name="Doe^Jane", sex="F")
ANN = PatientFacts(id="Q-9", name="Poe^Annabel", sex="F")
CORNER = (("Patient name", "Doe, Jane"), ("Institution", "St Elsewhere"), ("kVp", "29"), ("Operator", "Ray"))


def texts(window: QWidget) -> str:
    labels = [label.text() for label in window.findChildren(QLabel)]
    rows = window.panels["StudiesPanel"].rows
    listed = [str(rows.data(rows.index(n))) for n in range(rows.rowCount())]
    heads = [line.text for view in window.grid.viewports for line in head(view.scene, view.scene.image)]
    return "\n".join((*labels, *listed, *heads, window.windowTitle()))


def test_masked_no_widget_names_the_person_and_the_key_brings_her_back(four_views):
    assert "Doe" in texts(four_views.window)
    press(four_views, Qt.Key.Key_M, CTRL_SHIFT)
    said = texts(four_views.window)
    assert "Doe" not in said
    assert "Jane" not in said
    assert "P-1" not in said
    assert identity.person(JANE, masked=True) in said
    press(four_views, Qt.Key.Key_M, CTRL_SHIFT)
    assert "Doe" in texts(four_views.window)


@pytest.mark.parametrize("corner", ["short", "full"])
def test_masked_pictures_of_two_people_differ_only_in_the_code(desk, pixels_of, monkeypatch, corner):
    monkeypatch.setattr(identity, "person", lambda facts, masked=False: "Case" if masked else facts.name)
    desk.session.set_overlay(corner=corner)
    desk.session.set_settings(replace(desk.session.settings, mask_names=True))
    desk.session.set_overlay(corner=corner)
    pictures = []
    for facts, texts_of_her in ((JANE, CORNER), (ANN, (("Patient name", "Poe, Annabel"), *CORNER[1:]))):
        desk.open(study_of(patient=facts, corner=texts_of_her))
        pictures.append(pixels_of(desk.window.grid))
    assert np.array_equal(*pictures)


def test_what_leads_to_the_person_is_left_out_of_the_full_set():
    image = study_of(corner=CORNER).images[0]
    assert identity.corner(image, masked=True) == (("kVp", "29"),)
    assert identity.corner(image) == CORNER


def test_a_code_is_the_same_for_a_person_and_another_for_another():
    assert identity.person(JANE, masked=True) == identity.person(replace(JANE), masked=True)
    assert identity.person(JANE, masked=True) != identity.person(ANN, masked=True)


def test_a_file_name_is_not_shown_when_masked():
    nameless = replace(study_of().images[0], label="")
    assert "dcm" not in identity.label(nameless, masked=True)
    assert identity.label(nameless) == nameless.path.name


def test_masked_names_cannot_be_searched_for(four_views):
    press(four_views, Qt.Key.Key_M, CTRL_SHIFT)
    panel = four_views.window.panels["StudiesPanel"]
    panel.search.setText("doe")
    assert panel.rows.rowCount() == 0
    panel.search.setText(identity.person(JANE, masked=True))
    assert panel.rows.rowCount() == 2


def test_masked_a_note_that_cites_the_file_is_said_in_few_words(desk, pixels_of):
    desk.session.set_settings(replace(desk.session.settings, mask_names=True, corner="full"))
    pictures = []
    for born in ("19650230", "19710931"):
        note = Note("birth-date-invalid", f"The birth date '{born}' is not a date.", "warning")
        desk.open(study_of("RCC", notes=(note,)))
        pictures.append(pixels_of(desk.window.grid))
    assert np.array_equal(*pictures)


SECRET = Path("/films of DOE JANE/DOE JANE 1.png")
"""Folder and file are called after the person."""


def said_anywhere(window: QWidget) -> list[str]:
    """Return all that widgets and their lists show, hint at, or tell a screen reader."""
    said = []
    for widget in window.findChildren(QWidget):
        said += [widget.toolTip(), widget.accessibleName(), widget.windowTitle()]
        said += [widget.text()] if isinstance(widget, (QLabel, QAbstractButton, QLineEdit)) else []
        if isinstance(widget, QListWidget):
            items = [widget.item(n) for n in range(widget.count())]
            said += [part for item in items for part in (item.text(), item.toolTip())]
    rows = window.panels["StudiesPanel"].rows
    said += [str(rows.data(rows.index(n))) for n in range(rows.rowCount())]
    return said + [view.scene.failed for view in window.grid.viewports if view.scene is not None]


def loose_pictures(count: int):
    facts = {"patient": PatientFacts(), "kind": "raster", "corner": (), "acquired": None}
    study = study_of(*["X"] * count, **facts)
    images = tuple(
        replace(image, label="", path=SECRET.with_stem(f"DOE JANE {n}"), sop_uid=f"{n}")
        for n, image in enumerate(study.images)
    )
    return replace(study, images=images, description=SECRET.parent.name)


@pytest.mark.parametrize("what", ["exam", "one picture", "pictures"])
def test_masked_no_file_or_folder_is_named_anywhere(desk, what):
    if what == "exam":
        strange = replace(image_of("X"), label="", path=SECRET)
        study = study_of()
        study = replace(study, images=(*study.images, strange))
    else:
        study = loose_pictures(1 if what == "one picture" else 6)
    desk.open(study, left_out=(LeftOut(SECRET.with_suffix(".txt"), f"is a duplicate of {SECRET}"),))
    desk.session.marking.draw("length", study.images[-1], 0, ((100.0, 100.0), (120.0, 140.0)))
    desk.library.fail(study.images[0], f"{SECRET}: ends before its last pixel")
    desk.library.cache.clear()
    desk.window.grid.refresh()
    assert any("DOE" in said for said in said_anywhere(desk.window))
    press(desk, Qt.Key.Key_M, CTRL_SHIFT)
    assert [said for said in said_anywhere(desk.window) if "DOE" in said.upper()] == []
    said = []
    desk.session.message.connect(said.append)
    desk.window.grid.walking.tell()
    desk.session.set_settings(replace(desk.session.settings, remind_unseen=True))
    desk.window.commands.mark_read()
    desk.library.nothing_found.emit(desk.session.collection)
    assert said
    assert not any("DOE" in sentence for sentence in said)
    press(desk, Qt.Key.Key_M, CTRL_SHIFT)
    assert any("DOE" in said for said in said_anywhere(desk.window))


def test_masked_what_was_opened_lately_is_not_listed(qtbot, desk):
    menu = RecentMenu(desk.session, desk.window, remember=True)
    recent.save(recent.added((), [SECRET]))
    menu.open_in(desk.window)
    assert any("DOE" in action.text() for action in menu.actions())
    menu.close()
    desk.window.commands.mask()
    menu.open_in(desk.window)
    assert [action.text() for action in menu.actions()] == ["Not shown while names are masked"]
    menu.close()
