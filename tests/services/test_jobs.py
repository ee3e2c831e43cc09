"""Jobs: answers on the GUI thread, progress, cancelling, whatever goes wrong."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import QObject, Slot
from pytestqt.qtbot import QtBot

from app.core.errors import ReadError
from app.services.jobs import Job, Jobs


class Receiver(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.results: list[Any] = []
        self.errors: list[Exception] = []
        self.steps: list[tuple[int, int]] = []
        self.ends = 0
        self.threads: set[threading.Thread] = set()

    @Slot(object, object)
    def done(self, job: Job, result: Any) -> None:
        self.results.append((job.tag, result))
        self.threads.add(threading.current_thread())

    @Slot(object, object)
    def failed(self, job: Job, error: Exception) -> None:
        self.errors.append(error)

    @Slot(object, int, int)
    def progress(self, job: Job, done: int, total: int) -> None:
        self.steps.append((done, total))

    @Slot(object)
    def ended(self, job: Job) -> None:
        self.ends += 1


def start(jobs: Jobs, to: Receiver, work: Callable[..., Any], *args: Any, tag: object = None) -> Job:
    job = Job(work, args, tag)
    return jobs.start(job, done=to.done, failed=to.failed, progress=to.progress, ended=to.ended)


def test_an_answer_comes_on_the_gui_thread_with_the_tag_of_its_question(qtbot: QtBot) -> None:
    jobs, to = Jobs(2), Receiver()
    worker: list[threading.Thread] = []

    def add(a: int, b: int, report: Any) -> int:
        worker.append(threading.current_thread())
        return a + b

    start(jobs, to, add, 2, 3, tag="question")
    qtbot.waitUntil(lambda: to.ends == 1)
    assert to.results == [("question", 5)]
    assert to.threads == {threading.current_thread()}
    assert worker[0] is not threading.current_thread()


def test_an_error_is_delivered_whatever_it_is(qtbot: QtBot) -> None:
    jobs, to = Jobs(2), Receiver()

    def fail(error: Exception, report: Any) -> None:
        raise error

    for error in (ReadError("a.dcm", "is broken"), ZeroDivisionError(), MemoryError(), RecursionError()):
        start(jobs, to, fail, error)
    qtbot.waitUntil(lambda: to.ends == 4)
    assert {type(error) for error in to.errors} == {ReadError, ZeroDivisionError, MemoryError, RecursionError}
    assert to.results == []


def test_a_cancelled_job_stops_at_its_next_report_and_says_nothing(qtbot: QtBot) -> None:
    jobs, to = Jobs(1), Receiver()
    started = threading.Event()
    reached: list[int] = []

    def count(report: Any) -> str:
        for number in range(2000):
            started.set()
            report(number, 2000)
            reached.append(number)
            time.sleep(0.005)
        return "never"

    job = start(jobs, to, count)
    assert started.wait(60)
    job.cancel()
    qtbot.waitUntil(lambda: to.ends == 1)
    assert (to.results, to.errors) == ([], [])
    assert len(reached) < 1999


def test_a_job_cancelled_while_it_waits_is_never_begun(qtbot: QtBot) -> None:
    jobs, to = Jobs(1), Receiver()
    gate = threading.Event()
    begun: list[str] = []

    def wait(report: Any) -> None:
        gate.wait(60)

    def note(report: Any) -> None:
        begun.append("begun")

    start(jobs, to, wait)
    start(jobs, to, note).cancel()
    gate.set()
    qtbot.waitUntil(lambda: to.ends == 2)
    assert begun == []


def test_progress_is_thinned_and_ends_at_the_total(qtbot: QtBot) -> None:
    jobs, to = Jobs(1), Receiver()

    def many(report: Any) -> None:
        for number in range(1, 10001):
            report(number, 10000)

    start(jobs, to, many)
    qtbot.waitUntil(lambda: to.ends == 1)
    assert to.steps[-1] == (10000, 10000)
    assert len(to.steps) < 200


def test_a_job_lives_until_its_end_though_nobody_else_holds_it(qtbot: QtBot) -> None:
    jobs, to = Jobs(2), Receiver()

    def slowly(number: int, report: Any) -> int:
        time.sleep(0.02)
        return number

    for number in range(20):
        start(jobs, to, slowly, number, tag=number)
    gc.collect()
    qtbot.waitUntil(lambda: to.ends == 20)
    assert sorted(result for _, result in to.results) == list(range(20))
    qtbot.waitUntil(lambda: jobs.running == 0)


def test_an_answer_to_an_object_that_is_gone_is_dropped(qtbot: QtBot) -> None:
    jobs, to, other = Jobs(1), Receiver(), Receiver()
    gate = threading.Event()

    def wait(report: Any) -> int:
        gate.wait(60)
        return 1

    job = Job(wait, ())
    jobs.start(job, done=to.done, ended=other.ended)
    to.deleteLater()
    qtbot.wait(20)
    gate.set()
    qtbot.waitUntil(lambda: other.ends == 1)


def test_receivers_must_be_methods_of_qobjects() -> None:
    def work(report: Any) -> None: ...

    with pytest.raises(TypeError):
        Jobs(1).start(Job(work, ()), done=lambda job, result: None)


def test_closing_waits_for_what_runs(qtbot: QtBot) -> None:
    jobs, to = Jobs(1), Receiver()
    begun = threading.Event()
    finished: list[int] = []

    def work(report: Any) -> None:
        begun.set()
        time.sleep(0.1)
        finished.append(1)

    start(jobs, to, work)
    assert begun.wait(60)
    assert jobs.close()
    assert finished == [1]
