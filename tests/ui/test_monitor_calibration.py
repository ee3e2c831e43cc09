"""True size on the window: refused where the screen is not known, a millimetre where it is, and written."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from PySide6.QtCore import Qt
from ui_desk import image_of, study_of
from ui_hand import press

from app.core.imaging.image import Spacing, Study
from app.core.settings import load, save
from app.ui.commands.image import UNKNOWN
from app.ui.dialogs.calibrate import LENGTH, CalibrateDialog
from app.ui.monitors import monitor_of
from app.ui.overlays.corner_text import foot

Key, Shift = Qt.Key, Qt.KeyboardModifier.ShiftModifier


def measured(desk, pitch: float) -> None:
    """Say that the reader measured the screen."""
    key = monitor_of(desk.window.screen()).key
    settings = replace(desk.session.settings, monitors=MappingProxyType({key: str(pitch)}))
    desk.session.set_settings(settings)


def millimetres(desk, index: int) -> float:
    """Return device pixels per millimetre of the breast in a pane, down the rows."""
    scene = desk.window.grid.viewports[index].scene
    return float(scene.affine.scales[0] / scene.frame.image.spacing.row_mm)


def test_true_size_is_refused_with_one_sentence_where_the_screen_is_not_known(four_views):
    press(four_views, Key.Key_4, Shift)
    assert four_views.session.screen.panes[0].viewport.sizing == "same"
    assert four_views.window.status.text("message") == UNKNOWN
    assert UNKNOWN.count(".") == 1


def test_a_millimetre_of_the_breast_is_one_on_the_screen_for_current_and_prior_alike(desk):
    """On pixels of 0.2 mm a millimetre is 5 device pixels, whatever the image's own spacing."""
    measured(desk, 0.2)
    coarse = image_of("LCC", spacing=Spacing(0.25, 0.25, "at film"))
    study = study_of("RCC")
    desk.open(Study(study.uid, study.patient, study.date, (*study.images, coarse)))
    press(desk, Key.Key_4, Shift)
    assert [millimetres(desk, index) for index in (0, 1)] == pytest.approx([5.0, 5.0])
    assert desk.window.status.text("size") == "true size, calibrated"
    scene = desk.window.grid.viewports[0].scene
    assert foot(scene, scene.image)[-1].text.endswith("true size, calibrated")
    assert desk.window.actions_by_id["true_size"].isChecked()


def test_zooming_goes_on_from_true_size(four_views):
    measured(four_views, 0.2)
    press(four_views, Key.Key_4, Shift)
    press(four_views, Key.Key_Plus)
    assert millimetres(four_views, 0) == pytest.approx(5.0 * 1.25)
    assert four_views.window.status.text("size") == "true size, calibrated ×1.2"


def test_another_measurement_changes_what_is_on_screen_at_once(four_views):
    measured(four_views, 0.2)
    press(four_views, Key.Key_4, Shift)
    measured(four_views, 0.1)
    assert millimetres(four_views, 0) == pytest.approx(10.0)


def test_a_screen_that_is_no_longer_known_is_said(four_views):
    measured(four_views, 0.2)
    press(four_views, Key.Key_4, Shift)
    four_views.session.set_settings(replace(four_views.session.settings, monitors=MappingProxyType({})))
    assert four_views.window.status.text("size") == "same size, screen not known"


def test_an_image_without_spacing_is_fitted_and_says_so_at_true_size_too(desk):
    measured(desk, 0.2)
    plain = image_of("RCC", spacing=None)
    study = Study("s", plain.patient, None, (plain, image_of("LCC", "s")))
    desk.open(study)
    desk.session.set_active(0)
    press(desk, Key.Key_4, Shift)
    assert desk.window.status.text("size") == "fit, size unknown"


@pytest.fixture
def dialog(four_views, qtbot, monkeypatch, tmp_path) -> CalibrateDialog:
    monkeypatch.setenv("MAMMOVIEW_CONFIG", str(tmp_path))
    made = CalibrateDialog(four_views.window)
    qtbot.addWidget(made)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    made.show()
    return made


def test_the_line_is_as_long_as_is_said(dialog):
    shot = dialog.line.grab().toImage()
    lit = np.array(
        [[shot.pixelColor(x, y).value() > 150 for x in range(shot.width())] for y in range(shot.height())]
    )
    columns = np.nonzero(lit.any(axis=0))[0]
    assert columns[-1] - columns[0] == dialog.line.device_px == LENGTH
    assert lit[:, columns[0]].sum() > 10  # strokes at both ends
    assert lit[:, columns[-1]].sum() > 10


def test_the_ruler_calibrates_this_screen_and_is_kept(four_views, dialog, tmp_path):
    dialog.length.setValue(140.0)
    dialog.store()
    assert not dialog.isVisible()
    pitch = four_views.window.grid.pitch
    assert (pitch.mm, pitch.basis) == (pytest.approx(0.25), "calibrated")
    assert load(tmp_path / "settings.json").monitors == dict(four_views.session.settings.monitors)


def test_what_was_chosen_for_the_time_being_is_not_kept_with_it(four_views, dialog, tmp_path):
    save(replace(load(), mask_names=True))
    four_views.session.set_settings(replace(four_views.session.settings, mask_names=False))
    dialog.length.setValue(140.0)
    dialog.store()
    assert load(tmp_path / "settings.json").mask_names
    assert not four_views.session.settings.mask_names


def test_a_length_that_no_screen_has_is_refused_in_place(four_views, dialog):
    dialog.length.setValue(3.0)
    dialog.store()
    assert dialog.isVisible()
    assert "measure from stroke to stroke" in dialog.warning.text()
    assert four_views.window.grid.pitch is None


def test_a_calibration_can_be_forgotten(four_views, dialog, qtbot):
    dialog.length.setValue(140.0)
    dialog.store()
    again = CalibrateDialog(four_views.window)
    qtbot.addWidget(again)
    assert "0.2500 mm a pixel, calibrated" in again.known.text()
    assert again.length.value() == pytest.approx(140.0)
    again.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    again.forget()
    assert four_views.window.grid.pitch is None
