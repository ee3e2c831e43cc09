"""The window of what a model sees at a place: asked from the context menu, for the place it was opened at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, QPoint, QPointF, Signal
from ui_desk import FACTS

from app.core.reading.inside import ChannelPicture, InsidePlace, LikeCase
from app.ui.looking_inside import LookingInside

CASE = LikeCase("abc", "mass, malignant", 0.83, (0.0, 0.0, 9.0, 9.0), "any: x")


class Service(QObject):
    inside_found = Signal(object)
    inside_failed = Signal(str)

    def __init__(self):
        super().__init__()
        self.asked = []

    def look_inside(self, image, place, model, layer=None, frame=0):
        self.asked.append((image, place, model, layer, frame))


def no_pictures(manifest, cases, *, report):
    return {}


def answer(image, place, **changes):
    pixels = np.zeros((8, 6), np.uint8)
    pixels[3, 2] = 255
    channels = (ChannelPicture(4, 3.25, pixels), ChannelPicture(0, 1.0, pixels))
    facts = ("test-model", image.key, place, ("stem", "last"), 1, (3, 2), channels, (CASE,), "Nearest of 9.")
    return replace(InsidePlace(*facts), **changes)


def opened(desk):
    """Right-click the middle of the first pane, choose the entry; return service, window and place."""
    window, service = desk.window, Service()
    window.show_models((FACTS,))
    window.inside = LookingInside(service, no_pictures, window)
    view = window.grid.viewports[0]
    middle = QPoint(view.width() // 2, view.height() // 2)
    window.open_pane_menu(0, view.mapToGlobal(middle))
    window.actions_by_id["look_inside"].trigger()
    return service, window.inside, view.stored_at(QPointF(middle))


def test_the_place_of_the_menu_is_asked_about_and_shown(four_views):
    service, inside, place = opened(four_views)
    image = four_views.window.grid.viewports[0].scene.frame.image
    assert service.asked == [(image, place, FACTS.name, None, 0)]
    shown = inside.shown
    assert shown.isVisible()
    assert shown.state.text() == "Looking..."
    service.inside_found.emit(answer(image, place))
    assert [tile.isVisible() for tile in shown.tiles[:3]] == [True, True, False]
    assert shown.tiles[0].words.text() == "Channel 5, +3.2 SD"
    assert shown.cases[0].words.text() == "mass, malignant\nsimilarity 0.83"
    assert (shown.layers.currentText(), shown.note.text()) == ("last", "Nearest of 9.")
    # The cross leaves the cell itself free: its bright pixel is seen.
    picture = shown.tiles[0].picture.pixmap().toImage()
    across, down = (2.5 * picture.width() / 6, 3.5 * picture.height() / 8)
    assert picture.pixelColor(int(across), int(down)).lightness() == 255
    shown.layers.activated.emit(0)
    assert service.asked[-1] == (image, place, "test-model", 0, 0)
    shown.close()


def test_the_frame_on_screen_is_the_one_asked_about(four_views, monkeypatch):
    view = four_views.window.grid.viewports[0]
    shown = replace(view.scene.frame, frame=2)
    monkeypatch.setattr(view, "scene", replace(view.scene, frame=shown))
    service, inside, place = opened(four_views)
    assert service.asked == [(shown.image, place, FACTS.name, None, 2)]
    inside.shown.layers.activated.emit(0)
    assert service.asked[-1][4] == 2, "and so with another layer"
    inside.shown.close()


def test_an_answer_about_another_place_is_not_shown(four_views):
    service, inside, place = opened(four_views)
    image = four_views.window.grid.viewports[0].scene.frame.image
    service.inside_found.emit(answer(image, (place[0] + 1, place[1])))
    assert inside.shown.state.text() == "Looking..."
    service.inside_failed.emit("test-model never saw the view ML.")
    assert inside.shown.state.text() == "test-model never saw the view ML."
    assert not any(tile.isVisible() for tile in inside.shown.tiles)
    inside.shown.close()


def test_without_a_place_the_reader_is_told_how(four_views):
    said = []
    four_views.session.message.connect(said.append)
    service, inside, _ = opened(four_views)
    four_views.window.actions_by_id["look_inside"].trigger()  # the place was used
    assert said[-1].startswith("Right-click a place")
    assert len(service.asked) == 1
    inside.shown.close()


def test_pictures_come_from_the_manifest_that_was_chosen(four_views):
    service, inside, place = opened(four_views)
    image = four_views.window.grid.viewports[0].scene.frame.image
    service.inside_found.emit(answer(image, place))
    assert (inside.shown.cases[0].picture.isVisible(), inside.shown.find.isVisible()) == (False, True)
    inside.shown.present_pictures({CASE: np.full((20, 10), 128, np.uint8)})
    assert inside.shown.cases[0].picture.isVisible()
    assert not inside.shown.find.isVisible()
    inside.shown.close()
