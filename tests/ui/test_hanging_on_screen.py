"""Hanging as the reader sees it: mosaics, the tray, stages left out, own protocols, true titles."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from ui_desk import Desk, Oracle, Shelf, image_of, study_of
from ui_hand import press

from app.core.settings import Settings, config_folder
from app.services.session import Session
from app.ui.dialogs.settings import SettingsDialog
from app.ui.main_window import MainWindow
from app.ui.overlays.corner_text import badges

Key = Qt.Key


def texts(desk, index: int = 0) -> list[str]:
    scene = desk.window.grid.viewports[index].scene
    return [line.text for line in badges(scene, scene.image)]


def tile(number: int):
    taken = datetime(2026, 11, 3, 10, number)
    image = image_of("RCC", partial=("anterior",), acquired=taken)
    return replace(image, path=image.path.with_name(f"tile{number}.dcm"), sop_uid=f"tile{number}")


def with_images(*images):
    study = study_of()
    return replace(study, images=(*study.images, *images))


def test_the_tiles_of_a_mosaic_are_counted_and_paged_in_the_pane_of_their_view(desk):
    whole = study_of("LCC", "RMLO", "LMLO")
    desk.open(replace(whole, images=(*whole.images, tile(2), tile(1), tile(3))))
    assert texts(desk) == ["PARTIAL anterior", "1/3 mosaic"]
    found = [desk.session.screen.panes[0].viewport.image.sop_uid]
    for _ in range(3):
        press(desk, Key.Key_Right)
        found.append(desk.session.screen.panes[0].viewport.image.sop_uid)
    assert found == ["tile1", "tile2", "tile3", "tile1"]
    press(desk, Key.Key_Left)
    assert texts(desk) == ["PARTIAL anterior", "3/3 mosaic"]


def test_a_mosaic_behind_a_whole_view_is_counted_as_images_and_as_tiles(desk):
    desk.open(with_images(tile(1), tile(2)))
    assert texts(desk) == ["1/3"]
    press(desk, Key.Key_Right)
    assert texts(desk) == ["PARTIAL anterior", "1/2 mosaic", "2/3"]


def test_one_partial_view_alone_is_no_mosaic(desk):
    desk.open(with_images(tile(1)))
    press(desk, Key.Key_Right)
    assert texts(desk) == ["PARTIAL anterior", "2/2"]


def test_the_tray_holds_what_a_prior_on_screen_leaves_and_can_show_it(desk):
    prior = study_of("RCC", "LCC", "RXCCL", uid="study-0", day=date(2024, 11, 3))
    desk.open(with_images(image_of("LXCCL")), prior)
    tray = desk.window.panels["TrayPanel"]
    rows = [tray.list.item(number) for number in range(tray.list.count())]
    assert [row.text() for row in rows] == ["LXCCL", "RXCCL"]
    strange = desk.session.screen.tray[1]
    assert desk.session.prior_of(strange) == "PRIOR, -24 months"
    tray.list.itemActivated.emit(rows[1])
    pane = desk.session.screen.panes[0]
    assert (pane.viewport.image.sop_uid, pane.prior) == ("study-0-RXCCL", "PRIOR, -24 months")


def test_stepping_through_a_half_exam_skips_what_is_not_there_and_counts_right(desk):
    desk.open(study_of("RCC", "RMLO"))
    bar = desk.window.top_bar.hanging
    titles, counts = [], []
    for _ in range(desk.session.screen.stages):
        titles.append(desk.session.screen.stage_title)
        counts.append(bar.stage.text().split()[0])
        assert any(view.scene.frame is not None for view in desk.window.grid.viewports)
        desk.session.next_stage()
    assert titles == [
        "Four views", "CC pair", "MLO pair", "RCC", "RCC, all pixels", "RMLO", "RMLO, all pixels",
    ]  # fmt: skip
    assert counts == [f"{number}/7" for number in range(1, 8)]


@pytest.mark.parametrize("width", [1024, 1200, 1440, 1600, 1920, 2560])
def test_the_stages_title_is_whole_where_there_is_room_and_never_hides_who_is_read(desk, width):
    prior = study_of(uid="study-0", day=date(2024, 11, 3))
    desk.open(study_of(), prior)
    desk.window.resize(width, 800)
    bar = desk.window.top_bar
    for protocol in desk.session.protocols:
        desk.session.set_protocol(protocol.name)
        for stage in range(desk.session.screen.stages):
            desk.session.set_stage(stage)
            title = desk.session.screen.stage_title
            assert title in bar.hanging.stage.toolTip()
            if width >= 1600:
                assert bar.hanging.stage.text().endswith(f"  {title}")
            assert bar.hanging.stage.text().startswith(f"{stage + 1}/")
    QApplication.processEvents()  # the layout gives room to what was written
    assert bar._patient.text() == "Doe, Jane"


# The reader's own protocols


def own(name: str, **changes) -> dict:
    stage = {"title": "My RCC", "rows": 1, "columns": 1, "panes": [{"row": 0, "column": 0, "view": "CC"}]}
    return {
        "format": "mammoview-hanging-protocol",
        "version": 2,
        "name": name,
        "title": f"My {name}",
        "order": 99,
        "needs": 1,
        "stages": [stage],
    } | changes


@pytest.fixture
def protocols(monkeypatch, tmp_path):
    """A function: put files into the reader's folder."""
    monkeypatch.setenv("MAMMOVIEW_CONFIG", str(tmp_path))

    def put(**files) -> None:
        folder = config_folder() / "hanging_protocols"
        folder.mkdir(exist_ok=True)
        for name, data in files.items():
            text = data if isinstance(data, str) else json.dumps(data)
            (folder / f"{name}.json").write_text(text, encoding="utf-8")

    return put


def desk_with(qtbot, settings: Settings) -> Desk:
    library, oracle = Shelf(), Oracle()
    window = MainWindow(Session(library, oracle, settings), remember=False)
    qtbot.addWidget(window)
    window.resize(1200, 800)
    window.show()
    qtbot.waitExposed(window)
    return Desk(window, library, oracle)


def test_an_own_protocol_is_in_the_bar_and_the_settings_and_can_be_the_default(qtbot, protocols):
    protocols(mine=own("mine"))
    desk = desk_with(qtbot, Settings(protocol="mine"))
    desk.open(study_of())
    assert (desk.session.screen.protocol, desk.session.screen.stage_title) == ("mine", "My RCC")
    assert desk.window.top_bar.hanging.protocol.currentText() == "My mine"
    dialog = SettingsDialog(desk.window)
    qtbot.addWidget(dialog)
    chooser = dialog.editors["protocol"]
    listed = {chooser.itemData(n): chooser.itemText(n) for n in range(chooser.count())}
    assert listed == {protocol.name: protocol.title for protocol in desk.session.protocols}
    assert len(listed) == 10
    assert chooser.currentData() == "mine"


def test_wrong_protocols_are_told_once_at_start_and_the_rest_work(qtbot, protocols):
    wrong = own("lop", stages=[])
    protocols(mine=own("mine"), broken="{", lop=wrong)
    desk = desk_with(qtbot, Settings())
    qtbot.waitUntil(lambda: "broken.json" in desk.window.status.text("message"))
    told = desk.window.status.text("message")
    assert "is not a JSON file" in told
    assert "lop.json" in told
    assert "stages is not a list with at least one stage" in told
    assert {"mine", "screening-cc-mlo"} <= {protocol.name for protocol in desk.session.protocols}
    assert desk.window.width() == 1200  # a long sentence makes no wide window


def test_a_protocol_of_the_settings_that_is_gone_gives_the_first_that_fits(qtbot, protocols):
    desk = desk_with(qtbot, Settings(protocol="gone"))
    desk.open(study_of())
    assert desk.session.screen.protocol == "screening-cc-mlo"
