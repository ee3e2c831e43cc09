"""The grid: no gap, one scale, and what stands in panes without pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ui_desk import breast, frame_of, study_of

from app.core.imaging.geometry import Affine
from app.core.imaging.image import Spacing
from app.ui.overlays.warnings import sentence
from app.ui.welcome import WELCOME


def test_an_empty_window_says_what_to_do(desk, pixels_of):
    assert "Drop a folder" in WELCOME
    seen = pixels_of(desk.window.grid)
    assert seen.max() > 60


def test_why_nothing_opened_stands_below_until_images_come(desk, pixels_of):
    grid = desk.window.grid
    plain = pixels_of(grid)
    desk.session.message.emit("No mammogram was found there.")
    changed = np.argwhere((pixels_of(grid) != plain).any(axis=2))
    assert changed[:, 0].min() > grid.height() // 2  # below the line that says what to do
    desk.open(study_of())
    pixels_of(desk.window)
    assert grid.welcome.why == ""


def test_chest_walls_meet_without_gap_or_line(four_views, pixels_of):
    four_views.session.set_overlay(corner="off")
    grid = four_views.window.grid
    right, left = grid.viewports[0].geometry(), grid.viewports[1].geometry()
    assert right.x() + right.width() == left.x()
    seen = pixels_of(grid)[..., 0]
    row = right.height() // 2
    meeting = seen[row, left.x() - 3 : left.x() + 3]
    assert meeting.min() > 80
    assert np.ptp(meeting.astype(int)) <= 2


def test_an_odd_width_leaves_no_column_uncovered(four_views):
    four_views.window.resize(1201, 801)
    grid = four_views.window.grid
    covered = sum(grid.viewports[i].width() for i in (0, 1))
    assert covered == grid.width()


def test_all_images_share_one_millimetre_scale(desk):
    study = study_of()
    fine = replace(study.images[1], spacing=Spacing(0.05, 0.05, "at detector"))
    desk.open(replace(study, images=(study.images[0], fine, *study.images[2:])))
    scales = [view.scale for view in desk.window.grid.viewports]
    assert scales == pytest.approx([scales[0]] * 4)
    per_pixel = [view.scene.affine.scales[0] for view in desk.window.grid.viewports]
    assert per_pixel[1] == pytest.approx(per_pixel[0] / 2)


def test_a_missing_view_leaves_its_pane_empty_and_says_so(desk):
    desk.open(study_of("LCC", "RMLO", "LMLO"))
    empty = desk.window.grid.viewports[0]
    assert sentence(empty.scene)[0] == "No RCC in this study"
    assert empty.accessibleName() == "Pane 1: No RCC"


def test_a_failed_image_says_why_in_its_own_pane(desk):
    study = desk.open(study_of(), decoded=False)
    assert sentence(desk.pane.scene)[0] == "Loading"
    desk.library.fail(study.images[0], "RCC.dcm: the pixel data is truncated")
    assert sentence(desk.pane.scene)[0] == "RCC.dcm: the pixel data is truncated"
    assert desk.window.grid.loading == (1, 4)


def test_an_incomplete_image_wears_a_mark_that_no_key_takes_away(desk, pixels_of):
    study = desk.open(study_of(), decoded=False)
    image = study.images[0]
    desk.library.give(frame_of(image, breast("RCC")))
    desk.session.set_overlay(corner="off", boxes=False)
    plain = pixels_of(desk.pane)
    desk.library.give(frame_of(image, breast("RCC"), incomplete=True))
    marked = pixels_of(desk.pane)
    middle = marked.shape[0] // 2
    assert (marked[middle - 16 : middle + 16] != plain[middle - 16 : middle + 16]).any()


def test_a_refining_image_says_so_and_is_not_counted_as_there(desk):
    study = desk.open(study_of(), decoded=False)
    image = study.images[0]
    half = breast("RCC", 120, 80)
    made = frame_of(image, half, refining=True, to_stored=Affine.scale_edges(2.0), breast=(24, 48, 216, 160))
    desk.library.give(made)
    assert desk.pane.scene.frame is made
    assert desk.window.grid.loading == (0, 4)
    assert desk.window.status.text("work") == "refining 0/4"


def test_a_refining_picture_lies_where_the_full_one_will(desk, pixels_of):
    study = desk.open(study_of(), decoded=False)
    desk.session.set_overlay(corner="off")
    image, whole = study.images[0], breast("RCC")
    half = whole.reshape(120, 2, 80, 2).mean(axis=(1, 3)).astype(np.uint16)
    box = frame_of(image, whole).breast
    made = frame_of(image, half, refining=True, to_stored=Affine.scale_edges(2.0), breast=box)
    desk.library.give(made)
    before = pixels_of(desk.pane)[30:, :, 0] > 60
    desk.library.give(frame_of(image, whole))
    after = pixels_of(desk.pane)[30:, :, 0] > 60
    assert np.mean(before != after) < 0.02
