"""The researcher's loop, whole, on phantoms: nothing is pretended, every program is the real one.

Audit window and its workers, matrix, keys, reading window with its second look, the trainer's commands, and
the window of trainings with the keeper's processes; each step is checked by what is on disk or by counting.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from training_desk import kill, write_splits

from app.commands.window import Workstation, open_window
from app.core import settings
from app.core.audit.outcomes import FN, FP, TN, TP
from app.core.manifest import Row
from app.core.reading.annotations import Annotation
from app.core.settings import Settings
from app.services.inference import shelf
from app.services.training import frozen, history
from app.services.training.job import jobs_folder
from app.services.training.look import Broken, JobView
from app.ui import snapshot
from app.ui.audit.opening import OpenDialog
from app.ui.audit.table_model import COLUMNS
from app.ui.audit.window import AuditWindow
from app.ui.panels.training.window import TrainingWindow
from trainer import cli

pytestmark = pytest.mark.real_training

READER = "dr a"
IN_USE = "phantom-lesions"
EXAMS, SHAPE = 9, "320x256"
TINY = (
    "size=64x64 mm=2.0 batch=4"
    " networks.classifier.config.stem=8 'networks.classifier.config.widths=[8, 16]'"
    " 'networks.classifier.config.blocks=[1, 1]' 'networks.classifier.config.strides=[1, 2]'"
    " networks.detector.config.stem=8 'networks.detector.config.widths=[8, 16]'"
    " 'networks.detector.config.blocks=[1, 1]' 'networks.detector.config.strides=[1, 2]'"
    " networks.detector.config.channels=32 networks.detector.config.convs=1"
)
WAIT_MS = 600_000
Key, Left = Qt.Key, Qt.MouseButton.LeftButton


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Nine exams with a lesion each, in one breast, indexed."""
    exams, made = str(tmp_path / "exams"), tmp_path / "phantoms.csv"
    how = ("--exams", str(EXAMS), "--shape", SHAPE, "--seed", "77", "--lesions", "any", "--contrast", "1.5")
    assert cli.main(["phantom", "-o", exams, *how]) == 0
    assert cli.main(["index", "phantom", exams, "-o", str(made)]) == 0
    return made


@pytest.fixture
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot) -> Iterator[Workstation]:
    """The workstation as `mammoview` opens it, with data, models and preferences of its own."""
    for name in ("DATA", "MODELS", "CONFIG", "CACHE"):
        monkeypatch.setenv(f"MAMMOVIEW_{name}", str(tmp_path / name.lower()))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    settings.save(Settings(reader=READER, models=(IN_USE,), device="cpu"))
    made = open_window(off_screen=True, keep=True)
    qtbot.addWidget(made.window)
    made.window.resize(1400, 900)
    made.window.show()
    yield made
    for room in made.window.findChildren(TrainingWindow):
        for view in room.service.views:
            if not isinstance(view, Broken) and view.is_busy:
                kill(view.job)
        room.service.close()
        room.close()
    for audit in made.window.findChildren(AuditWindow):
        audit.close()
    made.window.close()
    made.close()


def rows_of(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return {row["image_id"]: row for row in csv.DictReader(file)}


def boxes_of(row: dict[str, str]) -> list[list[float]]:
    return [finding["box"] for finding in json.loads(row["findings"])]


def records_of(manifest: Path) -> list[dict[str, Any]]:
    """The record of what readers did, without its head line."""
    lines = manifest.with_name(f"{manifest.name}.curation.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines[1:]]


def click(widget: QWidget) -> None:
    QTest.mouseClick(widget, Left)


def press(window: QWidget, key: Qt.Key, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(window.windowHandle(), key, keys)


def drag(view: QWidget, start: QPointF, end: QPointF, qtbot) -> None:
    """Drag the left button, as slowly as a hand does; the events of QTest hold no button while they move."""
    none, no = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    moves = [(QEvent.Type.MouseMove, start + (end - start) * part / 4, none, Left) for part in range(1, 5)]
    press, release = QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease
    for kind, at, button, held in ((press, start, Left, Left), *moves, (release, end, Left, none)):
        QApplication.sendEvent(view, QMouseEvent(kind, at, view.mapToGlobal(at), button, held, no))
        qtbot.wait(20)


def listed(room: AuditWindow, key: str) -> list[str]:
    """What a column of the table says, case by case."""
    place = next(number for number, column in enumerate(COLUMNS) if column.key == key)
    cases = room.table.cases
    return [cases.index(row, place).data() for row in range(cases.rowCount())]


def predicted(station: Workstation, manifest: Path, qtbot) -> AuditWindow:
    """Open the manifest in the window of audits and have the model asked, in processes of its own."""
    qtbot.waitUntil(lambda: bool(station.window.models), timeout=WAIT_MS)
    station.window.actions_by_id["audit"].trigger()
    room = station.window.findChild(AuditWindow)
    room.resize(1600, 1000)
    dialog = room.findChild(OpenDialog)
    dialog.images.setText(str(manifest))
    dialog.first.setCurrentIndex(dialog.first.findData(IN_USE))
    click(dialog.open_button)
    qtbot.waitUntil(lambda: room.table.cases.rowCount() == 4 * EXAMS, timeout=WAIT_MS)
    assert set(listed(room, "score")) == {""}
    click(room.head.predict)
    qtbot.waitUntil(lambda: "" not in listed(room, "score") and room.head.running.isHidden(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: room.audit.plots is not None, timeout=WAIT_MS)
    room.activateWindow()  # off-screen nobody gives a window back what its dialog took
    room.table.setFocus()
    return room


def drag_threshold(room: AuditWindow, to: float, qtbot) -> None:
    """Drag the line in the scores with the mouse."""
    qtbot.waitUntil(lambda: room.plots.curves.curve is not None, timeout=WAIT_MS)
    plot = room.plots.scores.plot
    plot.grab()  # the axes take their room with the first painting
    view = plot.getPlotItem().getViewBox()

    def at(score: float) -> QPointF:
        middle = view.mapViewToScene(QPointF(score, view.viewRect().center().y()))
        return QPointF(plot.mapFromScene(middle))

    drag(plot.viewport(), at(room.plots.scores.line.value()), at(to), qtbot)


def on_screen(room: AuditWindow) -> Row:
    return room.audit.state.table.rows[room.audit.state.current]


def correct(room: AuditWindow, label: str, qtbot) -> Row:
    """Say by key that the label of the case on screen is wrong, and what it should be; return the case."""
    row = room.audit.state.current
    qtbot.waitUntil(lambda: room.panes.case is not None and room.panes.case.row == row, timeout=WAIT_MS)
    press(room, Key.Key_L, Qt.KeyboardModifier.ShiftModifier)
    offered = room.case.label.view()
    for _ in range(offered.model().rowCount()):
        if offered.currentIndex().data() == label:
            break
        QTest.keyClick(offered, Key.Key_Down)
    assert offered.currentIndex().data() == label, "it is not offered"
    QTest.keyClick(offered, Key.Key_Return)
    assert room.audit.verdict(row).label == label
    return on_screen(room)


def read_exam(station: Workstation, room: AuditWindow, qtbot) -> None:
    """Open the exam of the case on screen in the reading window, and ask for the second look."""
    session, window = station.session, station.window
    click(room.case.read)
    qtbot.waitUntil(lambda: len(session.screen.panes) == 4, timeout=WAIT_MS)
    snapshot.settle(window)
    window.activateWindow()
    window.grid.setFocus()
    press(window, Key.Key_A)
    qtbot.waitUntil(lambda: bool(session.looks) and session.looks[0].state == "findings", timeout=WAIT_MS)


def accept_and_draw(station: Workstation, row: Row, qtbot) -> tuple[Annotation, Annotation]:
    """Draw the lesion of an image with the mouse, then accept the first finding by key; return both marks."""
    session, window = station.session, station.window

    def marks() -> tuple[Annotation, ...]:
        state = session.work.state
        return () if state.pending else tuple(state.work.annotations)

    press(window, Key.Key_B)
    uid = next(image.sop_uid for image in session.screen.study.images if image.path == row.path)
    number = next(n for n, pane in enumerate(session.screen.panes) if pane.viewport.image.sop_uid == uid)
    view = window.grid.viewports[number]
    row0, col0, row1, col1 = row.findings[0].box
    corners = ((row0 - 0.5, col0 - 0.5), (row1 - 0.5, col1 - 0.5))  # edges of a box, at pixel centres
    drag(view, *(view.scene.to_qt(*view.scene.affine.apply([at])[0].tolist()) for at in corners), qtbot)
    qtbot.waitUntil(lambda: len(marks()) == 1, timeout=WAIT_MS)
    press(window, Key.Key_X)
    press(window, Key.Key_Y)
    qtbot.waitUntil(lambda: len(marks()) == 2, timeout=WAIT_MS)
    accepted, drawn = sorted(marks(), key=lambda mark: mark.proposal is None)
    assert (accepted.decision, accepted.proposal.model, accepted.reader) == ("accepted", IN_USE, READER)
    assert (drawn.kind, drawn.reader) == ("rectangle", READER)
    return accepted, drawn


def curated(tmp_path: Path, manifest: Path, capsys) -> Path:
    """Index what readers did, with the rest; the snapshot has a hash and gives the same bytes again."""
    made, snapshot = tmp_path / "curated.csv", tmp_path / "snapshot"
    given = ("--images", str(manifest), "--rest", "--snapshot", str(snapshot))
    capsys.readouterr()
    assert cli.main(["index", "curated", str(tmp_path / "data"), "-o", str(made), *given]) == 0
    said = json.loads((snapshot / "snapshot.json").read_text())
    assert f"snapshot {said['hash']} up to change" in capsys.readouterr().out
    again = tmp_path / "again.csv"
    assert cli.main(["index", "curated", str(snapshot), "-o", str(again)]) == 0
    assert again.read_bytes() == made.read_bytes()
    return made


def frozen_by_hand(station: Workstation, manifest: Path, patient: str, qtbot) -> TrainingWindow:
    """Choose the fold in which a patient tests as the frozen test, in the window of trainings."""
    splits = manifest.with_name("splits.json")
    assert cli.main(["split", str(manifest), "--folds", "3", "-o", str(splits)]) == 0
    folds = json.loads(splits.read_text())["folds"]
    station.window.actions_by_id["training"].trigger()
    room = station.window.findChild(TrainingWindow)
    qtbot.waitUntil(lambda: room.form.recipe.count() > 1, timeout=WAIT_MS)
    room.form.manifest.setText(str(manifest))
    click(room.form.choose)
    dialog = room._freezing
    dialog.name.setText("phantoms")
    dialog.splits.setText(str(splits))
    dialog.fold.setValue(next(number for number, fold in enumerate(folds) if patient in fold["test"]))
    click(dialog.freeze)
    qtbot.waitUntil(lambda: room.form.frozen.currentData() == "phantoms", timeout=WAIT_MS)
    return room


def refused(room: TrainingWindow, curated: Path, patient: str, qtbot) -> str:
    """Ask for a training on splits that let a patient of the frozen test train; return what is said."""
    test = frozen.load("phantoms").patients
    others = sorted({row["patient_id"] for row in rows_of(curated).values()} - test)
    parts = ((*others[:-1], patient), others[-1:], sorted(test - {patient}))
    form = room.form
    form.manifest.setText(str(curated))
    form.splits.setText(str(write_splits(curated.with_name("own.json"), curated, parts)))
    form.recipe.setCurrentIndex(form.recipe.findData(IN_USE))
    form.against.setCurrentIndex(form.against.findData(IN_USE))
    form.name.setText("my-phantoms")
    form.device.setCurrentText("cpu")
    form.epochs.setValue(1)
    form.changes.setText(TINY)
    click(form.start)
    qtbot.waitUntil(lambda: not form.problem.isHidden(), timeout=WAIT_MS)
    assert not jobs_folder().exists()
    return form.problem.text()


def trained(room: TrainingWindow, qtbot) -> JobView:
    """Let the patients stand as in the frozen test, start, and wait for the end of all steps."""
    room.form.splits.clear()
    click(room.form.start)
    qtbot.waitUntil(lambda: room.stack.currentWidget() is room.page, timeout=WAIT_MS)

    def ended() -> bool:
        view = room._chosen()
        return view is not None and not view.is_busy

    qtbot.waitUntil(ended, timeout=WAIT_MS)
    view = room._chosen()
    assert view.status == "finished", (view.sentence, view.log)
    return view


def decide(room: TrainingWindow, button: str, why: str, qtbot) -> None:
    """Write why, press a button of the results, and wait until the history says so."""
    before = len(history.read().entries)
    outcome = room.page.outcome
    qtbot.waitUntil(lambda: not getattr(outcome, button).isHidden(), timeout=WAIT_MS)
    outcome.why.setText(why)
    click(getattr(outcome, button))
    qtbot.waitUntil(lambda: len(history.read().entries) == before + 1, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: why in outcome.decided.text(), timeout=WAIT_MS)


def test_from_predictions_to_a_model_that_was_promoted_and_taken_back(
    manifest: Path, station: Workstation, tmp_path: Path, qtbot, capsys
) -> None:
    truth = rows_of(manifest)

    # The model is asked in the background; the false negatives are those below the threshold by counting.
    room = predicted(station, manifest, qtbot)
    drag_threshold(room, 0.7, qtbot)
    threshold = room.audit.state.sheet.threshold
    assert threshold == pytest.approx(0.7, abs=0.01)
    scores = dict(zip(listed(room, "image"), map(float, listed(room, "score")), strict=True))
    positive = {name for name, row in truth.items() if row["label"] == "lesion"}
    recalled = {name for name, score in scores.items() if score >= threshold}
    counted = {TP: positive & recalled, FN: positive - recalled, FP: recalled - positive}
    counted[TN] = truth.keys() - positive - recalled
    for cell, names in counted.items():
        assert room.matrix.cells[cell].text().split()[-1] == str(len(names))
    click(room.matrix.cells[FN])
    missed = listed(room, "image")
    assert set(missed) == counted[FN]
    assert len(missed) >= 4

    # Two labels are corrected by key; a third case is read, where one finding is accepted and one is drawn.
    corrected = []
    for _ in range(2):
        corrected.append(correct(room, "normal", qtbot))
        press(room, Key.Key_Space)
    known = {row.patient_id for row in corrected}
    for _ in missed:
        if (case := on_screen(room)).patient_id not in known:
            break
        press(room, Key.Key_Space)
    assert case.patient_id not in known, "nobody else was missed"
    assert {row.image_id for row in corrected} < set(missed)
    assert case.image_id in missed
    read_exam(station, room, qtbot)
    other = next(
        row
        for row in room.audit.state.table.rows
        if row.patient_id == case.patient_id and row.findings and row.image_id != case.image_id
    )
    accepted, drawn = accept_and_draw(station, other, qtbot)

    # The curated set says that and nothing else.
    table = curated(tmp_path, manifest, capsys)
    after = rows_of(table)
    assert after.keys() == truth.keys()
    said = {row.image_id for row in corrected}
    assert {name for name in truth if after[name]["label"] != truth[name]["label"]} == said
    for name in said:
        assert (after[name]["label"], boxes_of(after[name])) == ("normal", [])
    records = {record["image_id"]: record for record in records_of(table)}
    (taken,), (made,) = (records[row.image_id]["findings"] for row in (case, other))
    assert (taken["is"], taken["reader"], taken["proposal"]["model"]) == ("accepted", READER, IN_USE)
    assert taken["proposal"]["box"] == list(accepted.proposal.box)
    assert boxes_of(after[case.image_id]) == boxes_of(truth[case.image_id]), "known before: it stays"
    assert (made["is"], made["box"]) == ("added", list(drawn.box))
    assert boxes_of(after[other.image_id]) == [pytest.approx(other.findings[0].box, abs=1.0)]
    assert boxes_of(after[other.image_id]) == [list(drawn.box)]

    # The frozen test is chosen once; a corrected case of one of its patients must not train.
    patient = corrected[0].patient_id
    desk = frozen_by_hand(station, manifest, patient, qtbot)
    sentence = refused(desk, table, patient, qtbot)
    assert f"of patient {patient} would train the model" in sentence
    assert "belongs to the frozen test phantoms" in sentence

    # Trained by processes of its own, measured on the frozen test, compared with the model in use.
    view = trained(desk, qtbot)
    test = frozen.load("phantoms").patients
    run = json.loads((view.job.folder / "run" / "run.json").read_text())
    assert set(run["trained_on"]).isdisjoint(test)
    assert set(run["tuned_on"]).isdisjoint(test)
    metrics = json.loads((view.job.folder / "report" / "metrics.json").read_text())
    assert metrics["n"]["patients"] == len(test)
    assert view.was_compared, view.log
    outcome = desk.page.outcome
    names = [outcome.differences.item(line, 0).text() for line in range(outcome.differences.rowCount())]
    assert "auc.image" in names

    # Declined, promoted, taken back: all stands as before, and the history has it.
    before = shelf.installed()
    decide(desk, "decline", "one epoch is too little", qtbot)
    assert shelf.installed() == before
    decide(desk, "promote", "to see what it does", qtbot)
    assert shelf.installed()["my-phantoms"].version == view.job.version
    assert station.session.settings.models == ("my-phantoms",)
    decide(desk, "demote", "it sees nothing", qtbot)
    assert shelf.installed() == before
    assert station.session.settings.models == (IN_USE,)
    click(desk.history)
    qtbot.waitUntil(lambda: desk.past.table.rowCount() == 4, timeout=WAIT_MS)
    lines = [[desk.past.table.item(line, column).text() for column in (1, 2, 4, 5)] for line in range(4)]
    assert lines == [
        ["demoted", "my-phantoms", READER, "it sees nothing"],
        ["promoted", "my-phantoms", READER, "to see what it does"],
        ["not promoted", "my-phantoms", READER, "one epoch is too little"],
        ["frozen test chosen", "phantoms", READER, f"{len(test)} patients"],
    ]
