"""Text in the corners: what stands there in each level, and on which side."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ui_desk import Desk, image_of, study_of

from app.core.imaging.image import Note, PatientFacts, Spacing
from app.ui import theme
from app.ui.overlays import corner_text
from app.ui.overlays.corner_text import badges, doubts, foot, head, never_off, table_places
from app.ui.overlays.orientation import letters_of
from app.ui.overlays.scale_bar import bar_of


def scene_of(desk: Desk, label: str = "RCC", **facts: object):
    """Open an exam whose image `label` has other facts; return the scene of its pane."""
    study = study_of()
    images = tuple(image_of(i.label, **facts) if i.label == label else i for i in study.images)
    desk.open(replace(study, images=images))
    scenes = [view.scene for view in desk.window.grid.viewports]
    return next(scene for scene in scenes if scene.image.label == label)


def test_the_upper_corner_says_view_person_age_and_time(desk):
    scene = scene_of(desk)
    assert [line.text for line in head(scene, scene.image)] == ["RCC", "Doe, Jane  61 y", "3 Nov 2026 10:41"]


def test_the_lower_corner_says_window_zoom_and_size(desk):
    scene = scene_of(desk)
    window, zoom = (line.text for line in foot(scene, scene.image))
    assert window == "C 2000  W 3000  NORMAL"
    assert zoom.startswith("×")
    assert zoom.endswith("same size")


def test_a_dragged_window_is_written_as_it_stands(desk):
    scene_of(desk)
    desk.session.drag_window(0, 0.1, 2.0)
    scene = desk.window.grid.viewports[0].scene
    # Centre 2000 + 0.1 * 3000, width 3000 * 2.
    assert foot(scene, scene.image)[0].text == "C 2300  W 6000  NORMAL"


@pytest.mark.parametrize(
    ("facts", "badge"),
    [
        ({"implant": True}, "IMPLANT"),
        ({"intent": "processing"}, "FOR PROCESSING"),
        ({"partial": ("SUPERIOR",)}, "PARTIAL SUPERIOR"),
        ({"frames": 7}, "frame 1/7"),
    ],
)
def test_what_must_not_be_overlooked_is_a_badge(desk, facts, badge):
    scene = scene_of(desk, **facts)
    assert badge in [line.text for line in badges(scene, scene.image)]


def test_a_flipped_and_inverted_pane_wears_badges_until_the_next_study(desk):
    desk.open(study_of(), study_of(uid="study-0"))
    desk.session.flip(0, "h")
    desk.session.invert(0)
    scene = desk.window.grid.viewports[0].scene
    assert [line.text for line in badges(scene, scene.image)] == ["FLIPPED", "INVERTED"]
    desk.session.next_study()
    scene = desk.window.grid.viewports[0].scene
    assert badges(scene, scene.image) == ()


def test_inferred_facts_and_warnings_are_amber_and_plain_notes_are_not_there(desk):
    notes = (
        Note("a", "Chest wall found.", "inferred"),
        Note("b", "Odd.", "warning"),
        Note("c", "Fine.", "info"),
    )
    scene = scene_of(desk, notes=notes)
    lines = doubts(scene.image, whole=True)
    assert [line.text for line in lines] == ["Chest wall found.", "Odd."]
    assert {line.colour for line in lines} == {theme.WARNING}


def test_the_short_level_names_doubts_in_few_words(desk):
    notes = (Note("view-inferred", "A sentence.", "inferred"), Note("date-invalid", "Another.", "warning"))
    scene = scene_of(desk, notes=notes)
    assert [line.text for line in doubts(scene.image, whole=False)] == ["view inferred, date invalid"]


def test_a_picture_of_nobody_says_its_file(desk):
    scene = scene_of(desk, patient=PatientFacts(), acquired=None, age="")
    assert [line.text for line in head(scene, scene.image)] == ["RCC", "study-1-RCC.dcm"]


def test_text_stands_away_from_the_chest_wall_and_follows_a_flip(desk):
    desk.open(study_of())
    sides = [view.scene.free_left for view in desk.window.grid.viewports]
    assert sides == [True, False, True, False]
    desk.session.flip(0, "h")
    assert not desk.window.grid.viewports[0].scene.free_left


@pytest.mark.parametrize(
    ("label", "expected"), [("RCC", "RLAP"), ("LCC", "LRPA"), ("RMLO", None), ("LMLO", None)]
)
def test_orientation_letters_follow_the_canonical_hang(desk, label, expected):
    scene = scene_of(desk, label)
    top, right, bottom, left = letters_of(scene)
    # Canonical: RCC P\L, LCC A\R, RMLO P\FL, LMLO A\FR: rows run to the right, columns down.
    assert right == ("P" if label[0] == "R" else "A")
    assert left == ("A" if label[0] == "R" else "P")
    assert bottom == {"RCC": "L", "LCC": "R", "RMLO": "FL", "LMLO": "FR"}[label]
    if expected:
        assert top == expected[0]


def test_letters_change_places_when_the_reader_flips(desk):
    scene_of(desk)
    desk.session.flip(0, "h")
    desk.session.flip(0, "v")
    assert letters_of(desk.window.grid.viewports[0].scene) == ("L", "A", "R", "P")


def test_the_scale_bar_is_as_long_as_it_says(desk):
    scene = scene_of(desk, spacing=Spacing(0.2, 0.1, "at detector"))
    length, wide = bar_of(scene, scene.image)
    # Horizontally the RCC shows columns, 0.1 mm apart.
    per_column = abs(scene.affine.matrix[1, 1])
    assert wide == pytest.approx(length / 0.1 * per_column)


def test_an_image_without_spacing_has_no_millimetres(desk):
    scene = scene_of(desk, spacing=None)
    length, wide = bar_of(scene, scene.image)
    assert wide == pytest.approx(length * scene.affine.scales[0])
    assert desk.window.status.text("spacing") == "pixels, no millimetres"


@pytest.mark.parametrize("level", ["short", "full", "off"])
def test_every_level_is_painted(desk, pixels_of, level):
    scene_of(desk)
    desk.session.set_overlay(corner="off")
    plain = pixels_of(desk.pane)
    desk.session.set_overlay(corner=level)
    more = int((pixels_of(desk.pane) != plain).any(axis=-1).sum())
    assert (more == 0) == (level == "off")
    if level == "full":
        desk.session.set_overlay(corner="short")
        assert more > int((pixels_of(desk.pane) != plain).any(axis=-1).sum())


def test_flips_and_inversion_are_marked_also_when_the_corner_text_is_off(desk):
    scene = scene_of(desk)
    assert never_off(scene, scene.image) == ()
    desk.session.set_overlay(corner="off")
    desk.session.flip(0, "h")
    desk.session.invert(0)
    scene = desk.window.grid.viewports[0].scene
    assert [line.text for line in never_off(scene, scene.image)] == ["RCC", "FLIPPED", "INVERTED"]


def test_the_full_set_fills_columns_and_tells_how_many_lines_found_no_room():
    """Lines are 14 apart: four fit into 60, the letter's 16 on both sides of 500 are far away."""
    places = table_places([100.0] * 9, 0.0, 60.0, 500.0, 200.0)
    assert places[:5] == [(0.0, 14.0), (0.0, 28.0), (0.0, 42.0), (0.0, 56.0), (116.0, 14.0)]
    assert len(places) == 8  # a third column would begin at 232
    assert table_places([100.0], 0.0, 10.0, 500.0, 200.0) == []


def test_what_has_no_room_is_told_by_an_ellipsis(desk, monkeypatch):
    written = []
    monkeypatch.setattr(corner_text, "edged_text", lambda painter, at, text, *_: written.append((at, text)))
    corner = tuple((f"Fact {number}", "long " * 8) for number in range(60))
    desk.open(study_of("RCC", corner=corner))
    desk.session.set_overlay(corner="full")
    desk.window.resize(1024, 600)
    written.clear()
    desk.pane.repaint()
    facts = [text for _, text in written if text.startswith("Fact ")]
    (more,) = [text for _, text in written if text.startswith("… ")]
    assert 0 < len(facts) < 60
    assert more == f"… {60 - len(facts)} more"
    height = desk.pane.height()
    assert all(0 < at.y() < height for at, _ in written)


def test_doubts_that_are_longer_than_the_pane_end_in_an_ellipsis(desk, monkeypatch):
    written = []
    monkeypatch.setattr(corner_text, "edged_text", lambda painter, at, text, *_: written.append((at, text)))
    notes = tuple(Note(f"doubt-{number}", "A sentence of doubt. " * 6, "warning") for number in range(30))
    desk.open(study_of("RCC", notes=notes))
    desk.session.set_overlay(corner="full")
    written.clear()
    desk.pane.repaint()
    doubts = [(at.y(), text) for at, text in written if "doubt" in text]
    window = next(at.y() for at, text in written if text.startswith("C "))
    assert max(doubts)[1].endswith("…")
    assert max(doubts)[0] < window
