"""The window of trainings: begin, watch, close and open again, compare, promote, take back."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QColor
from test_accessible_names import unnamed
from training_desk import Desk, look, make_desk, row, until, write_splits

sys.path.insert(0, str(Path(__file__).parents[1] / "model_zoo"))
from tiny_bundles import tiny_bundle

from app.core import settings
from app.services.inference import shelf
from app.services.training import frozen, history
from app.services.training.events import Progress
from app.services.training.job import jobs_folder, read_state
from app.services.training.look import Broken
from app.ui import theme
from app.ui.panels.training import words
from app.ui.panels.training.curves import curves_of
from app.ui.panels.training.window import TrainingWindow, open_training


@pytest.fixture
def made(tmp_path, monkeypatch) -> Desk:
    monkeypatch.setenv("FAKE_EPOCH_S", "0.05")
    return make_desk(tmp_path, monkeypatch)


def opened(desk, qtbot) -> TrainingWindow:
    desk.window.commands.training()
    window = desk.window.findChild(TrainingWindow)
    qtbot.waitUntil(lambda: window.form.recipe.count() > 1)
    return window


@pytest.fixture
def room(desk, made, qtbot):
    """The window of trainings over the workstation's own."""
    window = opened(desk, qtbot)
    yield window
    for view in window.service.views:
        if not isinstance(view, Broken) and view.is_busy:
            window.service.stop(view.job.id)
            until(view.job, lambda view: not view.is_busy)


def fill(room: TrainingWindow, made: Desk, **facts) -> None:
    form = room.form
    form.recipe.setCurrentIndex(form.recipe.findData("phantom-lesions"))
    form.manifest.setText(str(facts.get("manifest", made.manifest)))
    form.splits.setText(str(facts.get("splits", "")))
    form.name.setText("my-model")
    form.against.setCurrentIndex(form.against.findData(facts.get("against", "phantom-lesions")))
    form.epochs.setValue(facts.get("epochs", 3))


def started(room: TrainingWindow, made: Desk, qtbot, **facts):
    fill(room, made, **facts)
    room.form.start.click()
    qtbot.waitUntil(lambda: room.stack.currentWidget() is room.page)
    return room._chosen().job


def wait_for(room: TrainingWindow, qtbot, *statuses: str) -> None:
    qtbot.waitUntil(lambda: room._chosen() is not None and room._chosen().status in statuses)


def test_the_reading_room_has_one_more_entry_in_its_menu_and_nothing_else(desk, room):
    assert desk.window.actions_by_id["training"].text() == "Training…"
    assert not desk.window.actions_by_id["training"].shortcuts()
    assert room.isWindow()
    assert open_training(desk.window) is room, "one of them at a time"


def test_a_training_is_watched_to_its_results(room, made, qtbot):
    started(room, made, qtbot)
    wait_for(room, qtbot, "finished")
    page = room.page
    assert page.tabs.currentIndex() == 2
    assert page.title.text() == "my-model 1.0.0"
    assert page.curves.loss.plot.getPlotItem().listDataItems()
    assert "measuring on the frozen test" in page.log.toPlainText()
    outcome = page.outcome
    assert "density a" in outcome.worse.text()
    texts = [outcome.groups.item(0, column).text() for column in range(outcome.groups.columnCount())]
    assert texts == ["density a", "0.700", "0.500", "-0.200", "-0.250 to -0.150", "0.040", "8", "▼ worse"]
    assert outcome.groups.item(0, 0).foreground().color() == QColor(theme.WORSE)
    others = [
        outcome.groups.item(line, 0).foreground().color() for line in range(1, outcome.groups.rowCount())
    ]
    assert QColor(theme.WORSE) not in others
    assert outcome.numbers.item(0, 2).text() == "0.600 to 0.800"
    assert outcome.numbers.item(0, 3).text() == "0.500"
    assert outcome.numbers.item(1, 1).text() == words.NONE
    room.new.click()
    room._ask_freeze("")
    assert unnamed(room) == []


def test_promoting_needs_a_reason_and_can_be_taken_back(desk, room, made, qtbot, monkeypatch, tmp_path):
    monkeypatch.setenv("FAKE_BUNDLES", str(tmp_path / "store"))
    tiny_bundle(tmp_path / "store" / "my-model-1.0.0", name="my-model", model_version="1.0.0")
    desk.session.set_settings(settings.replace(desk.session.settings, reader="Dr. A"))
    settings.save(settings.replace(settings.load(), models=("phantom-lesions",)))
    started(room, made, qtbot)
    wait_for(room, qtbot, "finished")
    outcome = room.page.outcome
    assert not outcome.promote.isEnabled()
    outcome.why.setText("finds more")
    assert outcome.promote.isEnabled()
    with qtbot.waitSignal(desk.window.models_wanted):
        outcome.promote.click()
    assert shelf.installed()["my-model"].version == "1.0.0"
    assert desk.session.settings.models == settings.load().models == ("my-model",)
    qtbot.waitUntil(lambda: not outcome.demote.isHidden())
    assert outcome.promote.isHidden()
    assert outcome.decided.text().startswith("Promoted 20")
    assert outcome.decided.text().endswith("UTC by Dr. A: finds more")
    room.history.click()
    qtbot.waitUntil(lambda: room.past.table.rowCount() == 2)
    newest = [room.past.table.item(0, column).text() for column in range(1, 6)]
    assert newest == ["promoted", "my-model", "1.0.0", "Dr. A", "finds more"]
    room.listing.setCurrentRow(0)
    outcome.why.setText("misses more")
    with qtbot.waitSignal(desk.window.models_wanted):
        outcome.demote.click()
    assert "my-model" not in shelf.installed()
    assert desk.session.settings.models == ("phantom-lesions",)


def test_not_now_is_written_down_and_what_cannot_be_promoted_is_said(room, made, qtbot):
    started(room, made, qtbot, epochs=1)  # the pretended trainer made an empty bundle
    wait_for(room, qtbot, "finished")
    before = set(shelf.installed())
    room.page.outcome.why.setText("why not")
    room.page.outcome.promote.click()
    qtbot.waitUntil(lambda: not room.said.isHidden())
    assert "bundle.json" in room.said.text()
    room.page.outcome.why.setText("worse in dense breasts")
    room.page.outcome.decline.click()
    qtbot.waitUntil(lambda: history.read().entries[-1].action == "declined")
    assert history.read().entries[-1].why == "worse in dense breasts"
    assert set(shelf.installed()) == before


def test_a_training_goes_on_when_the_window_is_closed_and_is_found_again(
    desk, room, made, qtbot, monkeypatch
):
    made.hold(monkeypatch)
    job = started(room, made, qtbot)
    wait_for(room, qtbot, "running")
    room.close()
    qtbot.waitUntil(lambda: desk.window.findChild(TrainingWindow) is None)
    assert look(job).is_busy
    again = opened(desk, qtbot)
    qtbot.waitUntil(lambda: again.stack.currentWidget() is again.page)
    assert again._chosen().job == job
    made.release()
    wait_for(again, qtbot, "finished")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_pause_resume_stop_and_what_a_kill_leaves(room, made, qtbot, monkeypatch):
    made.hold(monkeypatch)
    job, page = started(room, made, qtbot), room.page
    qtbot.waitUntil(lambda: room._chosen().progress.epoch >= 1)
    assert (page.pause.isHidden(), page.resume.isHidden(), page.stop.isHidden()) == (False, True, False)
    assert "left" in page.line.text()
    page.pause.click()
    wait_for(room, qtbot, "paused")
    assert (page.pause.isHidden(), page.resume.isHidden(), page.stop.isHidden()) == (True, False, False)
    page.resume.click()
    wait_for(room, qtbot, "running")
    os.kill(read_state(job.folder).process.pid, signal.SIGKILL)
    wait_for(room, qtbot, "failed")
    assert "signal 9" in page.state.text()
    assert page.state.property("role") == "warning"
    page.resume.click()
    wait_for(room, qtbot, "running")
    page.stop.click()
    wait_for(room, qtbot, "stopped")
    assert page.state.text().startswith("Stopped ")
    assert (page.pause.isHidden(), page.resume.isHidden(), page.stop.isHidden()) == (True, False, True)


def test_a_patient_of_the_frozen_test_is_refused_in_the_form(room, made, qtbot):
    rows = [row(number, patient, made.folder) for number, patient in enumerate(("p1", "p6", "p4"), 70)]
    manifest = made.manifest_of("m.csv", *rows)
    splits = write_splits(made.folder / "m.json", manifest, (("p1", "p6"), ("p4",), ()))
    fill(room, made, manifest=manifest, splits=splits)
    room.form.start.click()
    qtbot.waitUntil(lambda: not room.form.problem.isHidden())
    assert "image-71 of patient p6 would train the model" in room.form.problem.text()
    assert room.form.start.isEnabled()
    assert not jobs_folder().exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda form: form.manifest.clear(), "Say which images"),
        (lambda form: form.recipe.setCurrentIndex(form.recipe.count() - 1), "Say which recipe"),
        (lambda form: form.changes.setText("lr"), "lr: a change has the form key=value"),
        (lambda form: form.changes.setText('"'), "A quotation mark is open"),
    ],
)
def test_the_form_says_what_is_missing(room, made, change, said):
    fill(room, made)
    change(room.form)
    room.form.start.click()
    assert room.form.problem.text().startswith(said)


def test_what_is_wished_is_what_is_asked_for(room, made, qtbot):
    fill(room, made)
    room.form.hours.setValue(1.5)
    room.form.changes.setText("lr=1e-3 title='two words'")
    with qtbot.waitSignal(room.form.begun) as heard:
        room.form.start.click()
    (wish,) = heard.args
    assert (wish.recipe, wish.epochs, wish.hours) == ("phantom-lesions", 3, 1.5)
    assert wish.changes == ("lr=1e-3", "title=two words")
    qtbot.waitUntil(lambda: room.stack.currentWidget() is room.page)
    job = room._chosen().job
    assert job.changes == ("lr=1e-3", "title=two words", "train.epochs=3", "train.hours=1.5")


def test_what_to_compare_with_stays_when_the_choices_are_listed_again(room, made):
    form = room.form
    fill(room, made)
    assert form.against.currentData() == "phantom-lesions", "as the recipe proposes"
    form.against.setCurrentIndex(form.against.findData(""))
    form.present(form._choices)
    assert form.against.currentData() == ""
    other = next(one for one in form._choices.recipes if one.key != "phantom-lesions")
    form.recipe.setCurrentIndex(form.recipe.findData(other.key))
    form.recipe.setCurrentIndex(form.recipe.findData("phantom-lesions"))
    assert form.against.currentData() == "phantom-lesions", "another recipe proposes anew"


def test_a_frozen_test_is_chosen_in_a_dialog(room, made, qtbot):
    room.form.manifest.setText(str(made.manifest))
    room.form.choose.click()
    dialog = room._freezing
    assert dialog.manifest.text() == str(made.manifest)
    dialog.name.setText("phantoms")
    dialog.freeze.click()
    qtbot.waitUntil(lambda: "chosen once" in dialog.warning.text())
    dialog.name.setText("second")
    dialog.freeze.click()
    qtbot.waitUntil(lambda: room._freezing is None)
    assert room.form.frozen.currentData() == "second"
    assert frozen.load("second").patients == {"p6"}


def test_a_broken_record_is_a_page_of_its_own(room, made, qtbot):
    folder = jobs_folder() / "20200101-000000-old"
    folder.mkdir(parents=True)
    (folder / "job.json").write_text("{")
    qtbot.waitUntil(lambda: room.listing.count() == 1)
    room.listing.setCurrentRow(0)
    assert room.stack.currentWidget() is room.broken
    assert "damaged" in room.broken.text()
    assert str(folder / "job.json") in room.broken.text()


def test_an_edition_without_a_trainer_says_so_and_starts_nothing(desk, made, qtbot, monkeypatch):
    monkeypatch.setenv("MAMMOVIEW_TRAINER", "/nowhere/trainer")
    desk.window.commands.training()
    room = desk.window.findChild(TrainingWindow)
    qtbot.waitUntil(lambda: not room.form.problem.isHidden())
    assert "there is no trainer" in room.form.problem.text()
    assert not room.form.start.isEnabled()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (59.6, "1 min"), (3599, "1 h"), (12000, "3 h 20 min"), (187200, "2 d 4 h")],
)
def test_times_to_wait(seconds, text):
    assert words.seconds(seconds) == text


def test_losses_and_measures_are_drawn_apart():
    point = ((1.0, 0.5),)
    names = ("train_loss", "val_loss", "val_auc", "val_spread", "data_wait", "train_dense")
    losses, others = curves_of(Progress(metrics=dict.fromkeys(names, point), loss=((0.5, 1.0),)))
    assert list(losses) == ["val_loss", "train_loss", "train_dense", "batch"]
    assert list(others) == ["val_auc"]
