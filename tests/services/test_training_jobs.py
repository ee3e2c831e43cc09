"""Trainings as processes: they survive the window, are found again, paused, stopped, killed, and go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from training_desk import Desk, look, make_desk, nothing, until

from app.core.errors import MammoviewError
from app.services.training import alive, asked, keeper
from app.services.training.alive import Process
from app.services.training.job import (
    Job,
    State,
    jobs_folder,
    read_job,
    read_state,
    want,
    write_job,
    write_state,
)
from app.services.training.look import Broken, JobView, Looker

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return make_desk(tmp_path, monkeypatch)


@pytest.fixture
def held(made: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Whose trainings do not end by themselves before `release`."""
    made.hold(monkeypatch)
    return made


def in_epoch(view: JobView, number: int) -> bool:
    return view.progress.epoch >= number


def pids(job: Job) -> tuple[Process, Process]:
    state = read_state(job.folder)
    assert state is not None
    assert state.keeper is not None
    assert state.process is not None
    return state.keeper, state.process


def ended(view: JobView) -> bool:
    return not view.is_busy


def told(job: Job) -> list[str]:
    return (job.folder / "run" / "words").read_text().splitlines()


def test_a_training_runs_to_its_comparison_on_the_frozen_test(made: Desk) -> None:
    job = made.begin(against="phantom-lesions", epochs=3)
    view = until(job, ended)
    assert (view.status, view.done) == ("finished", ("guard", "fit", "export", "evaluate", "compare"))
    assert view.progress.epochs == 3
    assert view.progress.loss
    words = (job.folder / "report" / "words").read_text().splitlines()
    assert words[1] == str(job.bundle)
    assert words[words.index("--part") + 1] == "test"
    assert "frozen/phantoms/splits.json" in words[words.index("--splits") + 1]
    assert view.results is not None
    assert view.results.numbers[0].low == 0.6
    assert [one.value for one in view.results.worse] == ["a"], "a loss that is shown, and no other"


def test_a_training_outlives_the_program_that_began_it(held: Desk) -> None:
    program = (
        "import sys; from training_desk import *; from app.services.training.asked import Wish, begin\n"
        f"print(begin({held.wish()!r}, report=nothing).id)"
    )
    tests = str(Path(__file__).parents[1])
    path = os.pathsep.join((tests, str(Path(tests).parent)))
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
    job = read_job(jobs_folder() / done.stdout.strip())
    assert look(job).is_busy
    held.release()
    assert until(job, ended).status == "finished"


@posix
def test_a_killed_trainer_is_a_sentence_and_goes_on_from_its_last_epoch(held: Desk) -> None:
    job = held.begin()
    until(job, lambda view: in_epoch(view, 2))
    os.kill(pids(job)[1].pid, signal.SIGKILL)
    view = until(job, ended)
    assert view.status == "failed"
    assert view.resumable
    assert "signal 9" in view.sentence
    assert "epoch 2" in view.sentence or "epoch 3" in view.sentence
    assert "--resume" not in told(job)
    held.release()
    asked.go_on(job.id, report=nothing)
    view = until(job, ended)
    assert view.status == "finished", view.sentence
    assert "--resume" in told(job)
    epochs = [json.loads(line)["epoch"] for line in _events(job) if '"kind": "epoch"' in line]
    assert epochs == [0, 1, 2, 3], "no epoch was trained twice"


def _events(job: Job) -> list[str]:
    return (job.folder / "events.jsonl").read_text().splitlines()


@posix
def test_when_everything_was_killed_it_is_said_and_can_go_on(held: Desk) -> None:
    job = held.begin()
    until(job, lambda view: in_epoch(view, 1))
    keeper, process = pids(job)
    os.kill(keeper.pid, signal.SIGKILL)
    assert until(job, lambda view: not alive.is_alive(keeper)).status == "running", "the trainer still trains"
    with pytest.raises(MammoviewError, match="still runs"):
        asked.go_on(job.id, report=nothing)
    os.kill(process.pid, signal.SIGKILL)
    view = until(job, ended)
    assert view.status == "failed"
    assert view.sentence.startswith("Ended from outside while training")
    held.release()
    asked.go_on(job.id, report=nothing)
    assert until(job, ended).status == "finished"


@posix
def test_a_paused_training_does_nothing_until_it_goes_on(held: Desk) -> None:
    job = held.begin()
    until(job, lambda view: in_epoch(view, 1))
    asked.tell(job.id, "pause", report=nothing)
    until(job, lambda view: view.status == "paused")
    before = len(_events(job))
    time.sleep(0.6)
    assert len(_events(job)) == before, "it tells of a step twenty times a second"
    held.release()
    asked.go_on(job.id, report=nothing)
    assert until(job, ended).status == "finished"


@posix
@pytest.mark.parametrize("wanted", ["stop", "go on"])
def test_a_paused_step_whose_keeper_was_killed_hears_the_window(held: Desk, wanted: str) -> None:
    job = held.begin()
    until(job, lambda view: in_epoch(view, 1))
    asked.tell(job.id, "pause", report=nothing)
    until(job, lambda view: view.status == "paused")
    killed, step = pids(job)
    os.kill(killed.pid, signal.SIGKILL)
    while alive.is_alive(killed):
        time.sleep(0.02)
    try:
        view = look(job)
        assert view.status == "paused"
        assert "keeper was ended" in view.sentence
        if wanted == "stop":
            asked.tell(job.id, "stop", report=nothing)
        else:
            asked.go_on(job.id, report=nothing)
            assert look(job).status == "running"
            held.release()
        view = until(job, ended)
    finally:
        alive.tell(step, signal.SIGKILL)
    assert view.status == "failed"
    assert ("interrupted" in view.log) == (wanted == "stop"), "the trainer itself heard it"
    if wanted == "stop":
        held.release()
    asked.go_on(job.id, report=nothing)
    assert until(job, ended).status == "finished"


@posix
def test_a_stopped_training_keeps_what_it_learnt_and_goes_on(held: Desk) -> None:
    job = held.begin()
    until(job, lambda view: in_epoch(view, 1))
    asked.tell(job.id, "pause", report=nothing)
    until(job, lambda view: view.status == "paused")
    asked.tell(job.id, "stop", report=nothing)
    view = until(job, ended)
    assert view.status == "stopped"
    assert view.sentence.startswith("Stopped ")
    assert "it can go on from there" in view.sentence
    held.release()
    asked.go_on(job.id, report=nothing)
    assert until(job, ended).status == "finished"


def test_what_the_trainer_refuses_is_its_own_sentence(made: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_FAIL", "fit")
    view = until(made.begin(), ended)
    assert (view.status, view.sentence) == ("failed", "fit: it was not to be")


def test_a_comparison_that_fails_leaves_the_measurement(made: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_FAIL", "compare")
    view = until(made.begin(against="phantom-lesions"), ended)
    assert view.status == "finished"
    assert view.results is not None
    assert view.results.numbers
    assert view.results.problems == ("compare: it was not to be",)


@posix
def test_a_process_that_took_over_the_number_is_neither_believed_nor_signalled(made: Desk) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        job = _written()
        process = Process(stranger.pid, "another-boot:1")
        write_state(job.folder, State(keeper=process, process=process, step="fit"))
        view = look(job)
        assert view.status == "failed"
        assert "Ended from outside" in view.sentence
        asked.tell(job.id, "stop", report=nothing)
        alive.tell(process, signal.SIGTERM)
        time.sleep(0.1)
        assert stranger.poll() is None
        assert alive.is_alive(alive.process(stranger.pid))
    finally:
        stranger.kill()
        stranger.wait()


@posix
def test_one_that_has_ended_and_waits_for_its_parent_is_not_alive() -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    known = alive.process(child.pid)
    end = time.monotonic() + 180
    while alive.is_alive(known):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert child.returncode is None, "nobody has asked for it yet"
    child.wait()


def _written() -> Job:
    names = ("version", "recipe", "manifest", "splits", "device", "frozen", "against", "made")
    job = Job(id="some", name="my-model", fold=0, seed=0, changes=("a=1",), **dict.fromkeys(names, "x"))
    write_job(job)
    return job


def test_what_is_written_is_read_again(made: Desk) -> None:
    job = _written()
    assert read_job(job.folder) == job
    state = State(Process(1, "x"), None, "fit", ("guard",), True, "failed", "why", {"compare": "no"})
    write_state(job.folder, state)
    assert read_state(job.folder) == state


def test_a_keeper_that_ends_while_it_is_looked_at_has_not_failed(
    made: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its record is read; then it writes the end and goes; only then it is asked whether it is alive."""
    job = _written()
    gone = State(keeper=Process(1, "gone"), step="evaluate", done=("guard", "fit", "export"))
    write_state(job.folder, gone)

    def late(process: Process | None) -> bool:
        write_state(job.folder, replace(gone, ended="finished", sentence="All is done."))
        return False

    monkeypatch.setattr(alive, "is_alive", late)
    view = look(job)
    assert (view.status, view.sentence) == ("finished", "All is done.")


@pytest.mark.parametrize("file", ["job.json", "state.json"])
@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"format": "other"}', "FORMAT", "NEWER", "\udcff"], ids=range(8)
)
def test_a_broken_record_is_a_sentence_and_the_others_are_listed(made: Desk, file: str, text: str) -> None:
    job = _written()
    write_state(job.folder, State(step="fit"))
    path = job.folder / file
    kind = "job" if file == "job.json" else "state"
    versions = {"version_of_format": 1, "version": 1}
    if text == "NEWER":
        versions = dict.fromkeys(versions, 99)
    if text in ("FORMAT", "NEWER"):
        text = json.dumps({"format": f"mammoview-training-{kind}", **versions})
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    (jobs_folder() / "another").mkdir()
    views = Looker().look_all()
    assert [type(view) for view in views] == [Broken, Broken]
    assert any(str(path) in view.sentence for view in views if isinstance(view, Broken))


def test_one_keeper_is_enough(held: Desk) -> None:
    job = held.begin()
    until(job, lambda view: in_epoch(view, 1))
    command = [sys.executable, "-m", "app.cli", "training", "keep", str(job.folder)]
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert "at work already" in second.stderr
    asked.tell(job.id, "stop", report=nothing)
    until(job, ended)
    listed = subprocess.run([*command[:4]], capture_output=True, text=True, check=True)
    assert listed.stdout.startswith(f"{job.id}  stopped: Stopped")


def test_asked_twice_to_go_on_one_keeper_is_started(made: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    job, started = _written(), []
    write_state(job.folder, State(step="fit", ended="stopped"))

    def start(folder: Path) -> None:
        want(folder, "run")
        started.append(folder)

    monkeypatch.setattr(asked, "_start_keeper", start)
    asked.go_on(job.id, report=nothing)
    asked.go_on(job.id, report=nothing)
    assert started == [job.folder]


def test_of_two_keepers_begun_at_once_one_goes_away(made: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    job = _written()
    monkeypatch.setattr(keeper, "LEAVING_S", 0.2)
    with alive.lock(job.folder / "lock"), pytest.raises(MammoviewError, match="at work already"):
        # The first has written nothing yet.
        keeper.keep(job.folder)
    assert read_state(job.folder) is None
    assert keeper.keep(job.folder).ended == "failed", "its frozen test is made up"


def test_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from app.services.training import alive\n"
        "held = alive.lock(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    path = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        try:
            assert other.stdout.readline().strip() == b"held"
            assert alive.lock(path) is None
        finally:
            other.kill()
    held = alive.lock(path)
    assert held is not None
    held.close()


def test_versions_rise(made: Desk) -> None:
    first, second = made.begin(epochs=1), made.begin(epochs=1)
    assert (first.version, second.version) == ("1.0.0", "1.0.1")
    assert first.id != second.id
    for job in (first, second):
        until(job, ended)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"name": "No Name"}, "small letters"),
        ({"name": "phantom-lesions"}, "comes with Mammoview"),
        ({"against": "nobody"}, "no model named nobody"),
        ({"recipe": "/nowhere.toml"}, "cannot be read"),
        ({"manifest": "/nowhere.csv"}, "cannot be read"),
        ({"frozen": "other"}, "cannot be read"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_before_anything_starts(
    made: Desk, facts: dict[str, str], said: str
) -> None:
    with pytest.raises(MammoviewError, match=said):
        made.begin(**facts)
    assert Looker().look_all() == ()


def test_an_edition_without_the_trainer_says_so(made: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAMMOVIEW_TRAINER")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(made.folder / "mammoview"))
    assert "without the trainer" in asked.choices(report=nothing).problem
    with pytest.raises(MammoviewError, match="without the trainer"):
        made.begin()
    beside = made.folder / ("mammoview-trainer.exe" if sys.platform == "win32" else "mammoview-trainer")
    beside.touch()
    assert asked.choices(report=nothing).problem == ""
