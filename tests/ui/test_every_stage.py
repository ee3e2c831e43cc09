"""From disk to the screen: every stage of every protocol of an exam with everything and a prior."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from dicom_files import VIEW_CODES, code_item, phantom_pixels, uid_of, write_mg
from PySide6.QtWidgets import QApplication

from app.commands import snapshot
from app.core.errors import MammoviewError
from app.core.settings import Settings
from app.services.library import Library
from app.services.session import Session
from app.ui.main_window import MainWindow

LETTERS = {"CC": {"R": ("P", "L"), "L": ("A", "R")}, "MLO": {"R": ("P", "FL"), "L": ("A", "FR")}}
OTHER = {
    "ML": ("R-10224", "SRT", "medio-lateral"),
    "XCCL": ("R-1024A", "SRT", "cranio-caudal exaggerated laterally"),
    "SPECIMEN": ("127457009", "SCT", "tissue specimen from breast"),
}
# PS3.16 CID 4015, the codes of field/display.md A3.
MODIFIER = {"M": "R-102D6", "S": "R-102D7", "ID": "R-102D5", "TAN": "R-102C2", "RL": "R-102D3"}
PRIOR = {"StudyInstanceUID": uid_of("before"), "StudyDate": "20220305", "AcquisitionDate": "20220305"}
EXAM = [
    *((side, view, (), {}) for side in "RL" for view in ("CC", "MLO")),
    *((side, view, ("ID",), {}) for side in "RL" for view in ("CC", "MLO")),
    *((side, view, ("M", "S"), {}) for side in "RL" for view in ("CC", "MLO")),
    *((side, view, (), {}) for side in "RL" for view in ("ML", "XCCL")),
    ("R", "ML", ("S",), {}),
    ("L", "ML", ("M",), {}),
    ("R", "CC", ("TAN",), {}),
    ("L", "CC", ("RL",), {}),
    ("R", "SPECIMEN", (), {}),
    *((side, view, (), {"tile": n}) for side in "RL" for view in ("CC", "MLO") for n in (1, 2, 3, 4)),
    *((side, view, (), {"prior": True}) for side in "RL" for view in ("CC", "MLO")),
    ("L", "ML", (), {"prior": True}),
]  # fmt: skip


def write_exam(folder: Path) -> Path:
    for number, (side, view, modifiers, more) in enumerate(EXAM):
        item = code_item(*(VIEW_CODES.get(view) or OTHER[view]))
        item.ViewModifierCodeSequence = [code_item(MODIFIER[code], "SRT") for code in modifiers]
        facts = dict(PRIOR) if more.get("prior") else {}
        if "tile" in more:
            facts |= {"PartialView": "YES", "AcquisitionTime": f"1016{more['tile']:02}"}
        oblique = "CC" if "CC" in view else "MLO"
        write_mg(
            folder / f"{number:02}.dcm",
            phantom_pixels(96, 64, chest="right" if side == "R" else "left", seed=number),
            laterality=side,
            view=view,
            orientation=LETTERS[oblique][side],
            window=(1200, 2400, "NORMAL"),
            SOPInstanceUID=uid_of("every stage", number),
            ViewCodeSequence=[item],
            **facts,
        )
    return folder


@pytest.fixture
def window(qtbot, tmp_path):
    library = Library(Settings())
    window = MainWindow(Session(library, None, Settings()), remember=False)
    qtbot.addWidget(window)
    window.resize(1600, 900)
    window.show()
    window.session.open_paths([write_exam(tmp_path)])
    settle(window)
    yield window
    library.stop()


def settle(window: MainWindow) -> None:
    """Wait until every pane of the stage shows its image."""
    end = time.monotonic() + 180
    while True:
        QApplication.processEvents()
        done, wanted = window.grid.loading
        if wanted and done == wanted and not window.is_opening:
            return
        assert time.monotonic() < end
        time.sleep(0.002)


def test_every_stage_of_every_protocol_is_reached_and_shows_what_it_asks_for(window):
    session = window.session
    assert len(session.collection.patients) == 1
    assert session.screen.study.date.year == 2024
    reached: dict[str, list[str]] = {}
    for protocol in session.protocols:
        number = 0
        while number == 0 or number < session.screen.stages:
            number += 1
            snapshot._arrange(SimpleNamespace(session=session), protocol.name, number)  # type: ignore[arg-type]
            settle(window)
            screen = session.screen
            assert (screen.protocol, screen.stage) == (protocol.name, number - 1)
            assert window.top_bar.hanging.stage.text() == f"{number}/{screen.stages}  {screen.stage_title}"
            asked = protocol.stages[screen.number]
            for rule, pane, view in zip(asked.panes, screen.panes, window.grid.viewports, strict=True):
                image = pane.viewport.image
                if image is None:
                    continue
                assert view.scene.frame is not None
                assert not view.scene.failed
                assert pane.viewport.sizing == asked.sizing
                assert rule.laterality in (None, image.laterality)
                assert not rule.views or image.view in rule.views
                assert bool(rule.prior) == (image.study_date.year == 2022) == bool(pane.prior)
                if rule.modifiers == "standard":
                    assert image.modifiers == ()
                elif rule.modifiers != "any":
                    assert set(image.modifiers) & set(rule.modifiers)
            reached.setdefault(protocol.name, []).append(screen.stage_title)
    # The exam has everything but an inverse oblique.
    missing = {
        (protocol.name, stage.title)
        for protocol in session.protocols
        for stage in protocol.stages
        if stage.title not in reached[protocol.name]
    }
    assert missing == {("diagnostic", "Other obliques")}


def test_a_stage_or_protocol_that_is_not_there_is_said(window):
    station = SimpleNamespace(session=window.session)
    with pytest.raises(MammoviewError, match="protocol cc-pair has 2 stages for this study, not 3"):
        snapshot._arrange(station, "cc-pair", 3)  # type: ignore[arg-type]
    with pytest.raises(MammoviewError, match="no hanging protocol 'mine'; there are screening-cc-mlo"):
        snapshot._arrange(station, "mine", None)  # type: ignore[arg-type]


def test_the_command_shows_a_stage_of_the_readers_own_protocol_or_why_it_cannot(tmp_path, monkeypatch):
    """One run that works, one with a protocol that is wrong: exit 1 and one line that names it."""
    folder = tmp_path / "config" / "hanging_protocols"
    folder.mkdir(parents=True)
    monkeypatch.setenv("MAMMOVIEW_CONFIG", str(tmp_path / "config"))
    shipped = Path(snapshot.__file__).parents[2] / "resources" / "hanging_protocols" / "mlo-pair.json"
    (folder / "mine.json").write_text(shipped.read_text().replace('"mlo-pair"', '"mine"'))
    (folder / "lame.json").write_text("{}")
    exam = write_exam(tmp_path / "exam")
    parser = argparse.ArgumentParser()
    snapshot.add_arguments(parser)
    program = [sys.executable, "-m", "app.cli", "snapshot", str(exam), "-o", str(tmp_path / "out.png")]
    good = subprocess.run(
        [*program, "--size", "640x480", "--protocol", "mine", "--stage", "2"], capture_output=True, text=True
    )
    assert (good.returncode, good.stderr) == (0, "")
    assert (tmp_path / "out.png").stat().st_size > 1000
    bad = subprocess.run([*program, "--protocol", "lame"], capture_output=True, text=True)
    assert bad.returncode == 1
    assert bad.stderr.count("\n") == 1
    assert "lame.json" in bad.stderr
    assert "the file lacks format" in bad.stderr
