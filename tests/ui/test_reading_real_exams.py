"""A reader at work on real exams: every key and drag answers, and what was changed can be taken back."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from ui_desk import Desk
from ui_hand import LEFT, MIDDLE, RIGHT, drag, press, turn

from app.core.settings import Settings
from app.services.inference import catalogue
from app.services.inference.service import Inference
from app.services.library import Library
from app.services.session import Session
from app.ui.main_window import MainWindow
from app.ui.snapshot import settle

pytestmark = pytest.mark.shared_data
Key, Shift = Qt.Key, Qt.KeyboardModifier.ShiftModifier


def furnished():
    """The whole workstation, for real files and real models; tidied up afterwards."""
    settings = Settings(device="cpu")
    library = Library(settings)
    looks = Inference(library, settings)
    session = Session(library, looks, settings)
    window = MainWindow(session, remember=False)
    window.resize(1280, 800)
    window.show()
    yield Desk(window, library, looks)
    looks.stop()
    library.stop()
    window.close()
    window.deleteLater()


def opened(room, *paths):
    """Open paths and wait until all that is to be seen is exact."""
    room.session.open_paths(paths)
    settle(room.window)
    assert room.session.screen.study is not None
    return room


@pytest.fixture(scope="module")
def furniture(qapp, shared_data):
    """One workstation with the screening exam, for the tests that leave it as they found it."""
    for room in furnished():
        yield opened(room, shared_data / "screening-exam")


@pytest.fixture
def exam(furniture):
    """The workstation with the screening exam, as hung."""
    furniture.session.open_study(furniture.session.studies[0].key)
    furniture.session.set_tool("window")
    return furniture


def seen(room, pixels_of):
    settle(room.window)
    return pixels_of(room.window.grid)


@pytest.mark.parametrize(
    "keys",
    [
        [(Key.Key_I, None)],
        [(Key.Key_H, None)],
        [(Key.Key_V, None)],
        [(Key.Key_Plus, None), (Key.Key_Plus, None)],
        [(Key.Key_F, None)],
        [(Key.Key_3, Shift)],
    ],
    ids=["invert", "flip", "turn over", "zoom", "fit", "actual pixels"],
)
def test_what_a_key_changes_reset_brings_back_to_the_pixel(exam, pixels_of, keys):
    before = seen(exam, pixels_of)
    for key, modifier in keys:
        press(exam, key, modifier or Qt.KeyboardModifier.NoModifier)
    assert not np.array_equal(seen(exam, pixels_of), before)
    press(exam, Key.Key_R)
    np.testing.assert_array_equal(seen(exam, pixels_of), before)


@pytest.mark.parametrize("button", [LEFT, MIDDLE, RIGHT], ids=["window", "pan", "zoom"])
def test_a_drag_moves_both_breasts_and_reset_brings_them_back(exam, pixels_of, button):
    before = seen(exam, pixels_of)
    drag(exam.window.grid.viewports[0], (150, 150), (24, -36), button)
    changed = (seen(exam, pixels_of) != before).any(axis=-1)
    half = changed.shape[1] // 2
    assert changed[:, :half].any()
    assert changed[:, half:].any()
    press(exam, Key.Key_R)
    np.testing.assert_array_equal(seen(exam, pixels_of), before)


def test_all_stages_can_be_walked_and_the_first_looks_as_before(exam, pixels_of):
    before = seen(exam, pixels_of)
    stages, presses = exam.session.screen.stages, 0
    while exam.session.screen.stage < stages - 1:  # in a walk a press goes to the next place first
        press(exam, Key.Key_Space)
        presses += 1
        assert presses < 10 * stages
        assert all(not view.scene.failed for view in exam.window.grid.viewports)
    for _ in range(stages + 1):
        press(exam, Key.Key_Space, Shift)
    np.testing.assert_array_equal(seen(exam, pixels_of), before)


def test_magnifier_full_screen_and_wheel_leave_nothing_behind(exam, pixels_of):
    before = seen(exam, pixels_of)
    view = exam.window.grid.viewports[3]
    press(exam, Key.Key_M, Shift)
    QTest.mousePress(view, LEFT, pos=QPoint(120, 120))
    assert not np.array_equal(seen(exam, pixels_of), before)
    QTest.mouseRelease(view, LEFT, pos=QPoint(120, 120))
    press(exam, Key.Key_W)
    QTest.mouseDClick(view, LEFT, pos=QPoint(120, 120))
    assert exam.session.screen.single == 3
    QTest.mouseDClick(view, LEFT, pos=QPoint(120, 120))
    turn(view, (120, 120), 1, Qt.KeyboardModifier.ControlModifier)
    press(exam, Key.Key_R)
    exam.session.set_active(0)
    np.testing.assert_array_equal(seen(exam, pixels_of), before)


def test_wrong_paths_say_one_sentence_each_and_the_exam_stays(exam, qtbot, pixels_of, tmp_path):
    before = seen(exam, pixels_of)
    (tmp_path / "letter.dcm").write_text("Dear colleague")
    (tmp_path / "nothing.dcm").touch()
    (tmp_path / "empty").mkdir()
    for name in ("letter.dcm", "nothing.dcm", "empty", "missing"):
        with qtbot.waitSignal(exam.session.message) as said:
            exam.session.open_paths([tmp_path / name])
        assert len(said.args[0]) > 10
        assert "Traceback" not in said.args[0]
        qtbot.waitUntil(lambda: not exam.library.opening)
    np.testing.assert_array_equal(seen(exam, pixels_of), before)


@pytest.fixture
def room(qapp):
    """A workstation with nothing open."""
    yield from furnished()


def test_films_said_to_be_films_get_their_second_look(room, qtbot, shared_data):
    """The model of film oblique views reads two pictures once the reader has said what they are."""
    films = shared_data / "mini-mias" / "png"
    opened(room, films / "mdb001.png", films / "mdb002.png")
    session = room.session

    def look():
        session.analyse(("mias-abnormality",))
        qtbot.waitUntil(lambda: bool(session.looks) and session.looks[0].state != "running")
        return session.looks[0]

    assert "mias-abnormality" in [bundle.name for bundle in catalogue.find().bundles]
    assert look().state == "declined"
    left, right = sorted(session.screen.study.images, key=lambda image: image.path)
    session.describe(left, "L", "MLO", "film", 0.2, folder=True)
    right = next(image for image in session.screen.study.images if image.path == right.path)
    session.describe(right, "R", "MLO", right.source, right.spacing.row_mm)
    assert session.looks == ()  # what was said about the old facts is gone
    answer = look()
    assert [view.status for view in answer.views] == ["scored", "scored"]
    assert answer.exam_score is not None
    assert answer.state in ("no findings", "findings")
