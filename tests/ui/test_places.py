"""Where windows stand: kept for each set of monitors, and never out of reach."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QRect, QSettings, QSize
from PySide6.QtWidgets import QWidget

from app.core.hanging.true_size import Monitor
from app.ui import places
from app.ui.monitors import set_name, within_reach
from app.ui.places import Places, first_size

LEFT, RIGHT = QRect(0, 0, 1920, 1040), QRect(1920, 0, 2048, 2560)
ONE = Monitor("DP-1", "Made Up", "1", (2048, 2560), (338.0, 422.0))
TWO = replace(ONE, name="DP-2", serial="2")


@pytest.mark.parametrize(
    "window", [QRect(100, 50, 1200, 800), QRect(1900, 0, 2048, 2000), QRect(-900, 200, 1200, 800)]
)
def test_a_window_that_can_be_reached_stays(window):
    assert within_reach(window, [LEFT, RIGHT]).topLeft() == window.topLeft()


@pytest.mark.parametrize(
    "window",
    [
        QRect(2100, 100, 1200, 800),  # stood on the right monitor, which is gone
        QRect(100, 3000, 1200, 800),
        QRect(-1190, 100, 1200, 800),  # a strip of ten pixels
        QRect(100, -500, 1200, 800),  # its title bar is above the screen
    ],
)
def test_a_window_out_of_reach_comes_to_the_primary_monitor_whole(window):
    found = within_reach(window, [LEFT])
    assert LEFT.contains(found)
    assert found.size() == window.size()


def test_a_window_larger_than_the_monitor_is_made_to_fit():
    found = within_reach(QRect(3000, 0, 5000, 3000), [LEFT])
    assert LEFT.contains(found)
    assert within_reach(QRect(10, 10, 5000, 3000), [LEFT]).size() == LEFT.size()


def test_without_a_screen_nothing_moves():
    assert within_reach(QRect(1, 2, 3, 4), []) == QRect(1, 2, 3, 4)


def test_a_set_of_monitors_has_one_name_in_any_order_and_another_with_one_gone():
    assert set_name([ONE, TWO]) == set_name([TWO, ONE])
    assert len({set_name([ONE, TWO]), set_name([ONE]), set_name([TWO]), set_name([])}) == 4
    assert "/" not in set_name([replace(ONE, model="a/b")])


@pytest.fixture
def desk_of(monkeypatch):
    """A function: pretend that these monitors are there."""

    def pretend(*monitors: Monitor) -> None:
        monkeypatch.setattr(places, "monitor_of", lambda screen: monitors[0])
        monkeypatch.setattr(places, "set_name", lambda _: set_name(monitors))

    return pretend


def test_each_set_of_monitors_has_its_own_place(qtbot, tmp_path, desk_of):
    store = QSettings(str(tmp_path / "places.ini"), QSettings.Format.IniFormat)
    kept, window = Places(store), QWidget()
    qtbot.addWidget(window)
    desk_of(ONE, TWO)
    window.setGeometry(40, 60, 300, 200)
    kept.keep("main", window)
    desk_of(ONE)
    window.setGeometry(200, 160, 400, 250)
    kept.keep("main", window)
    desk_of(TWO, ONE)
    assert kept.restore("main", window)
    assert window.geometry() == QRect(40, 60, 300, 200)
    desk_of(ONE)
    assert kept.restore("main", window)
    assert window.geometry() == QRect(200, 160, 400, 250)


def test_monitors_never_seen_together_take_the_last_place(qtbot, tmp_path, desk_of):
    kept, window = Places(QSettings(str(tmp_path / "p.ini"), QSettings.Format.IniFormat)), QWidget()
    qtbot.addWidget(window)
    desk_of(ONE)
    window.setGeometry(40, 60, 300, 200)
    kept.keep("main", window)
    window.setGeometry(0, 0, 100, 100)
    desk_of(TWO)
    assert kept.restore("main", window)
    assert window.geometry() == QRect(40, 60, 300, 200)
    assert not kept.restore("window-2", window)


def test_a_window_whose_monitor_is_gone_comes_back_into_reach(qtbot, monkeypatch):
    window = QWidget()
    qtbot.addWidget(window)
    window.setGeometry(5000, 4000, 300, 200)
    monkeypatch.setattr(places, "usable", lambda: [LEFT])
    Places.put_within_reach(window)
    assert LEFT.contains(window.geometry())


def test_nothing_is_kept_where_nothing_may_be(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    Places(None).keep("main", window)
    assert not Places(None).restore("main", window)


def test_the_first_window_ever_fits_a_small_screen(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    assert first_size(window, (1600, 1000), QSize(3840, 2160)) == QSize(1600, 1000)
    laptop = first_size(window, (1600, 1000), QSize(1366, 768))
    assert laptop.width() <= 1366
    assert laptop.height() <= 768 - 30  # a title bar stands above it
