"""The window on real files: from disk to a settled picture."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from dicom_files import phantom_pixels, write_mg
from PySide6.QtGui import QImage

from app.core.settings import Settings
from app.services.library import Library
from app.services.session import Session
from app.ui import snapshot
from app.ui.main_window import MainWindow

VIEWS = {"RCC": ("P", "L"), "LCC": ("A", "R"), "RMLO": ("P", "FL"), "LMLO": ("A", "FR")}


@pytest.fixture
def open_window(qtbot):
    """A function: open paths in a real window and settle it."""
    opened = []

    def make(*paths, size=(1000, 700)):
        library = Library(Settings())
        window = MainWindow(Session(library, None, Settings()), remember=False)
        qtbot.addWidget(window)
        window.resize(*size)
        window.show()
        opened.append(library)
        window.session.open_paths(paths)
        snapshot.settle(window, 180)
        return window

    yield make
    for library in opened:
        library.stop()


@pytest.fixture
def exam(tmp_path):
    """Four small DICOM files and one that is none."""
    for label, letters in VIEWS.items():
        chest = "right" if label[0] == "R" else "left"
        pixels = phantom_pixels(240, 160, chest=chest)
        write_mg(
            tmp_path / f"{label}.dcm",
            pixels,
            laterality=label[0],
            view=label[1:],
            orientation=letters,
            window=(1200, 2400, "NORMAL"),
        )
    (tmp_path / "notes.txt").write_text("not an image")
    return tmp_path


def test_an_exam_from_disk_is_hung_and_settled(open_window, exam):
    window = open_window(exam)
    picture = snapshot.grab(window)
    assert picture.size() == window.size()
    assert window.grid.loading == (4, 4)
    labels = [view.scene.image.label for view in window.grid.viewports]
    assert sorted(labels) == sorted(VIEWS)
    assert window.panels["LeftOutPanel"].list.count() == 1
    grid = window.grid.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    bright = np.frombuffer(grid.constBits(), np.uint8).reshape(grid.height(), -1)[:, : grid.width()]
    meeting = grid.width() // 2
    assert bright[grid.height() // 4, meeting - 30 : meeting + 30].min() > 60


def test_the_study_list_shows_its_thumbnails(open_window, exam):
    window = open_window(exam)
    images = window.session.screen.study.images
    assert all(window.thumbnails.of(image) is not None for image in images)


def test_a_truncated_file_is_marked_incomplete_and_the_rest_still_opens(open_window, exam):
    whole = (exam / "RCC.dcm").read_bytes()
    (exam / "RCC.dcm").write_bytes(whole[: len(whole) - 30000])
    window = open_window(exam)
    scenes = {view.scene.pane.wants: view.scene for view in window.grid.viewports}
    frame = scenes["RCC"].frame
    assert scenes["RCC"].failed or (frame is not None and frame.incomplete)
    assert scenes["LCC"].frame is not None
    assert not scenes["LCC"].frame.incomplete


def test_the_window_comes_without_torch_and_without_pyqtgraph():
    code = (
        "import sys, app.ui.main_window, app.services.session;"
        "print([m for m in ('torch', 'pyqtgraph', 'qtawesome', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.shared_data
def test_the_real_exam_hangs_with_chest_walls_touching(open_window, shared_data):
    window = open_window(shared_data / "screening-exam", size=(1600, 900))
    labels = [view.scene.image.label for view in window.grid.viewports]
    assert labels == ["RCC", "LCC", "RMLO", "LMLO"]
    assert [view.scene.pane.justify for view in window.grid.viewports] == ["right", "left", "right", "left"]


def test_the_smallest_picture_has_its_size_and_qt_says_nothing(open_window, exam, capfd):
    window = open_window(exam, size=(320, 240))
    picture = snapshot.grab(window)
    assert (picture.width(), picture.height()) == (320, 240)
    assert "QPainter" not in capfd.readouterr().err
