"""The real window keeps the reader's work in its folder; pictures, checks and the demo never touch it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.commands.window import Workstation, open_window
from app.core.reading.annotations import new_annotation
from app.core.reading.store import Store
from app.core.settings import data_folder

Open = Callable[..., Workstation]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAMMOVIEW_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def opened(qtbot: QtBot, folder: Path) -> Iterator[Open]:
    every: list[Workstation] = []

    def open_it(**how: bool) -> Workstation:
        every.append(open_window(**how))
        return every[-1]

    yield open_it
    for workstation in every:
        workstation.window.close()
        workstation.close()


def marked(workstation: Workstation) -> str:
    mark = new_annotation("length", "1.2", 0, ((1.0, 2.0), (3.0, 4.0)))
    workstation.session.work.begin("s")
    workstation.session.work.add(mark)
    return mark.uid


@pytest.mark.parametrize("how", [{"off_screen": True}, {"keep": False}])
def test_pictures_and_the_demo_neither_read_nor_write_the_store(
    opened: Open, folder: Path, how: dict[str, bool]
) -> None:
    kept = opened(keep=True)
    uid = marked(kept)
    kept.close()
    before = sorted((file.name, file.read_bytes()) for file in folder.iterdir())
    other = opened(**how)
    other.session.work.begin("s")
    assert other.session.work.state.work.annotations == ()
    assert marked(other) != uid
    other.session.work.set_read("s")
    other.close()
    assert sorted((file.name, file.read_bytes()) for file in folder.iterdir()) == before


def test_the_window_keeps_what_was_done_last_when_it_is_closed(opened: Open, folder: Path) -> None:
    workstation = opened()
    uid = marked(workstation)
    workstation.close()
    assert data_folder() == folder
    assert list(Store(folder / "work.sqlite").items("s")) == [f"annotation/{uid}"]


def test_the_window_says_for_as_long_as_it_is_so_that_nothing_is_saved(
    opened: Open, folder: Path, qtbot: QtBot
) -> None:
    folder.mkdir()
    (folder / "work.sqlite").write_bytes(b"no store at all" * 100)
    workstation = opened()
    status = workstation.window.status
    qtbot.waitUntil(lambda: status.text("unsaved") == "Marks are not being saved")
    marked(workstation)
    qtbot.wait(50)
    assert status.text("unsaved") == "Marks are not being saved"
    assert str(folder / "work.sqlite") in status._labels["unsaved"].toolTip()
