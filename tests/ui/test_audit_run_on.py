"""Where models run for an audit: chosen in the window, kept in the settings, a cluster that is not there."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from batch_threads import work_in_threads
from clusters import local_cluster
from dicom_files import write_mg
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

import app.core.spread
from app.core.manifest import Row, file_sha256, write_manifest
from app.core.settings import FILE_NAME, load
from app.ui.audit.run_on import RunOnDialog
from app.ui.audit.window import AuditWindow, open_audit

sys.path.insert(0, str(Path(__file__).parents[1] / "model_zoo"))
from tiny_bundles import tiny_bundle

from model_zoo.suitability import Domain, Views

LEVELS = (800, 1600, 2400, 3200)
NOBODY = "tcp://127.0.0.1:9"
KEPT = "What was answered is kept; More, Where models run names another cluster or this machine."


@pytest.fixture
def asking(bench, qtbot, tmp_path: Path, monkeypatch) -> AuditWindow:
    """The window of audits on four flat images that a small model was not asked about yet."""
    monkeypatch.setenv("MAMMOVIEW_CONFIG", str(tmp_path / "config"))
    monkeypatch.setattr(app.core.spread, "_PATIENCE", 0.5)
    bundle = tiny_bundle(
        tmp_path / "tiny-mean", slope=4.0, offset=-2.0, views=Views(("CC",), ("CC",)),
        domain=Domain(("ffdm",), ("presentation",), 32, 32, True, "Trained on nothing."),
    )  # fmt: skip
    rows = []
    for number, level in enumerate(LEVELS):
        path = tmp_path / f"{number}.dcm"
        write_mg(path, np.full((64, 64), level, np.uint16), window=(2048, 4096))
        patient, side = f"p{number // 2}", "LR"[number % 2]
        rows.append(
            Row(f"i{number}", patient, patient, side, "CC", path, 0, file_sha256(path), 64, 64, None,
                "ffdm", "", "", "", "normal", "made: up")
        )  # fmt: skip
    write_manifest(rows, tmp_path / "m.csv")
    window = open_audit(bench, tmp_path / "kept")
    qtbot.waitExposed(window)
    window.open([tmp_path / "m.csv"], [str(bundle.folder)])
    qtbot.waitUntil(lambda: window.audit.state.sheet is not None)
    return window


def let_run_on(window: AuditWindow, address: str, processes: int = 0) -> None:
    window.head.place.trigger()
    dialog = window.findChildren(RunOnDialog)[-1]
    dialog.scheduler.clear()
    QTest.keyClicks(dialog.scheduler, address)
    dialog.workers.setValue(processes)
    QTest.mouseClick(dialog.keep_button, Qt.MouseButton.LeftButton)


def expected() -> list[float]:
    """Return sigmoid(4 P - 2) of each flat image under a window of all 12 bits."""
    return [1 / (1 + math.exp(-(4 * level / 4095 - 2))) for level in LEVELS]


def test_a_cluster_that_is_not_there_costs_nothing_and_one_that_is_answers(asking, qtbot, tmp_path):
    window = asking
    assert window.head.predict.toolTip().endswith("that are missing, here")
    let_run_on(window, f" {NOBODY} ")
    assert load(tmp_path / "config" / FILE_NAME).audit_scheduler == NOBODY, "it is remembered"
    assert window.head.predict.toolTip().endswith(f"on the cluster {NOBODY}")
    window.head.predict.click()
    assert window.audit.state.predicting is not None
    qtbot.waitUntil(lambda: window.audit.state.predicting is None)
    assert (
        window.said.text() == f"The cluster {NOBODY} cannot be used: no dask scheduler answers there. {KEPT}"
    )
    assert (window.head.predict.isVisible(), window.head.predict.text()) == (True, "Predict 4")
    with local_cluster() as cluster:
        let_run_on(window, cluster.scheduler_address)
        window.head.predict.click()
        assert window.said.text() == "", "what was said of the other is over"
        qtbot.waitUntil(lambda: window.audit.missing == 0 and window.audit.state.predicting is None)
    assert window.audit.state.answers.score == pytest.approx(expected(), abs=1e-3)
    assert window.said.text() == "Everything is predicted."


def test_without_dask_the_sentence_says_what_to_install_and_this_machine_goes_on(asking, qtbot, monkeypatch):
    window = asking
    work_in_threads(monkeypatch)
    monkeypatch.setitem(sys.modules, "distributed", None)
    let_run_on(window, NOBODY)
    window.head.predict.click()
    qtbot.waitUntil(lambda: window.audit.state.predicting is None)
    assert (
        f"{NOBODY} cannot be used: dask.distributed is not installed (pip install 'mammoview"
        in window.said.text()
    )
    let_run_on(window, "", processes=1)
    assert window.head.predict.toolTip().endswith("here, by 1 process")
    window.head.predict.click()
    qtbot.waitUntil(lambda: window.audit.missing == 0 and window.audit.state.predicting is None)
    assert window.audit.state.answers.score == pytest.approx(expected(), abs=1e-3)


def test_waiting_for_a_silent_cluster_is_stopped_at_once(asking, qtbot, monkeypatch):
    window = asking
    monkeypatch.setattr(app.core.spread, "_PATIENCE", 60)
    let_run_on(window, NOBODY)
    window.head.predict.click()
    job = window.audit._predicting
    window.head.cancel.click()
    assert window.audit.state.predicting is None
    qtbot.waitUntil(lambda: job not in window.audit._jobs._alive, timeout=20_000)
    assert window.head.predict.text() == "Predict 4"


def test_settings_that_cannot_be_kept_are_said_in_the_dialog(asking, bench, monkeypatch, tmp_path):
    (tmp_path / "config").write_text("a file where the folder should be")
    let_run_on(asking, NOBODY)
    dialog = asking.findChild(RunOnDialog)
    assert dialog.isVisible()
    assert "settings.json: cannot be written" in dialog.warning.text()
    assert bench.session.settings.audit_scheduler == "", "nothing was changed"
