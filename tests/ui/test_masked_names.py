"""Names masked for teaching: nothing on the screen leads to the person, and a person keeps her code."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget
from ui_desk import study_of
from ui_hand import press

from app.core.imaging.image import PatientFacts
from app.ui import identity
from app.ui.overlays.corner_text import head

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
