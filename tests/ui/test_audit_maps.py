"""Heat maps in the window of audits: the key, the line below the image, a map that failed its tests."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
import shiboken6
from audit_desk import SIZE, press, show
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from ui_desk import FACTS

from app.core.reading.findings import Evidence, MapFacts, SecondLook, ViewLook
from app.services.audit import maps as case_maps
from app.ui.audit.window import open_audit

LINE = "hits the lesion 61 % of the time, centre guess 22 %; fails marker control"


class Model:
    """Answers in place of the worker process; `verdict` is what its map's tests came to."""

    verdict = "passed"

    def __call__(self, process, model, folder, exam, device, *, report):
        facts = FACTS.__class__(
            **{name: getattr(FACTS, name) for name in FACTS.__slots__}
            | {"name": model.name, "maps": (MapFacts("signed", self.verdict, LINE),)}
        )
        values = np.zeros((3, 2), np.float32)
        values[0, 0] = 1.0
        affine = np.array([[32.0, 0.0, 15.5], [0.0, 32.0, 15.5]])
        view = ViewLook((str(exam[0].path), ""), "", "scored", evidence=Evidence(values, affine, "signed"))
        return (SecondLook("s", facts, "findings", views=(view,)),)


@pytest.fixture
def model(monkeypatch) -> Model:
    found = Model()
    monkeypatch.setattr(case_maps, "look_at_case", found)
    return found


def colours(room) -> np.ndarray:
    """Return how far from grey each pixel of the first pane is."""
    image = room.views[0].grab().toImage()
    shape = (image.height(), image.bytesPerLine() // 4, 4)
    pixels = np.asarray(image.constBits()).reshape(shape)[:, : image.width(), :3].astype(int)
    return pixels.max(axis=2) - pixels.min(axis=2)


def ready(room, qtbot) -> None:
    qtbot.waitUntil(lambda: all(one.look is not None for one in room.maps.state.of))


def test_a_key_draws_the_map_over_the_image_with_what_was_measured_of_it(room, model, qtbot):
    show(room, qtbot, 0)
    qtbot.waitUntil(lambda: room.views[0].frame is not None)
    view = room.views[0]
    assert colours(room).max() < 40, "an image is grey"
    assert not room.case.maps.isVisible()
    press(room, Qt.Key.Key_H)
    ready(room, qtbot)
    assert room.case.heat.isChecked()
    assert room.case.maps.lines[0].text.text() == f"Tested: {LINE}"
    # The one cell that says something is the upper left: stored pixels 0 to 31 of both axes.
    where = np.argwhere(colours(room) > 60)
    corner, far = view.scene().affine.apply([(-0.5, -0.5), (63.5, 63.5)])
    assert len(where)
    assert np.all(where >= corner - 1)
    assert np.all(where <= far + 1), "a map falls to nothing at the cell beyond"
    press(room, Qt.Key.Key_H)
    assert not room.case.heat.isChecked()
    assert colours(room).max() < 40
    assert SIZE == (96, 64)


def test_a_map_that_failed_is_hidden_until_it_is_asked_for(room, model, qtbot):
    model.verdict = "failed"
    show(room, qtbot, 0)
    room.case.heat.click()
    ready(room, qtbot)
    line = room.case.maps.lines[0]
    assert line.text.text() == f"The heat map of made failed its tests and is hidden: it {LINE}."
    assert room.views[0].evidence is None
    line.button.click()
    assert room.views[0].evidence is not None
    assert (line.text.text(), line.button.isVisible()) == (f"Tested: {LINE}", False)
    show(room, qtbot, 2)
    ready(room, qtbot)
    assert room.views[0].evidence is None, "another exam"
    press(room, Qt.Key.Key_H)
    assert room.maps.state.of == (), "what is hidden can be turned off"
    assert not room.case.maps.isVisible()


def test_another_colour_map_is_painted_at_once(room, bench, model, qtbot):
    show(room, qtbot, 0)
    qtbot.waitUntil(lambda: room.views[0].frame is not None)
    room.case.heat.click()
    ready(room, qtbot)
    before = colours(room)
    bench.session.set_settings(replace(bench.session.settings, colour_map="viridis"))
    assert np.any(colours(room) != before)


def test_a_blinded_reader_is_told_why_there_is_no_map(room, model, qtbot):
    room.audit.begin_blinded("pilot", range(4))
    press(room, Qt.Key.Key_H)
    assert room.case.heat.isChecked()
    assert room.maps.state.of == ()
    assert room.said.text() == "Heat maps are hidden until the case is answered."


def test_a_closed_window_hears_no_more_of_the_overlay(bench, qtbot, tmp_path):
    window = open_audit(bench, tmp_path / "kept")
    gone = weakref.ref(window)
    window.close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not shiboken6.isValid(window)
    bench.session.set_overlay(opacity=0.33)  # an error in a slot fails the test
    del window
    gc.collect()
    assert gone() is None
