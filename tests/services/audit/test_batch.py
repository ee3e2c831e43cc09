"""Models over a whole manifest: the answers of `predict_exam`, kept as they come, whatever dies meanwhile."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from batch_threads import begin, work_in_threads
from dicom_files import write_mg

from app.core.audit.cases import ViewSaid
from app.core.audit.kept import ExamRecord, KeptAnswers, exam_key
from app.core.audit.outcomes import OUTCOMES
from app.core.errors import Cancelled, MammoviewError
from app.core.manifest import Row, file_sha256, write_manifest
from app.services.audit.audit import Audit
from app.services.audit.loading import keys_of, said_before
from app.services.audit.predicting import Run, plan_of, predict
from app.services.inference.audited import audit_model
from app.services.inference.batch import ExamTask, _Hand, look_far, predict_all
from app.services.inference.exam import gather
from app.services.inference.process import LookRequest, bundle_digest, no_predictors, run_look
from app.services.inference.views import read_model_view
from app.services.library import Library

sys.path.insert(0, str(Path(__file__).parents[2] / "model_zoo"))
from tiny_bundles import tiny_bundle

from app.core.dicom.reader import read_image
from model_zoo.errors import ModelError
from model_zoo.suitability import Domain, Views


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return tiny_bundle(
        tmp_path_factory.mktemp("models") / "tiny-mean",
        slope=4.0,
        offset=-2.0,
        domain=Domain(("ffdm",), ("presentation",), 32, 32, True, "Trained on nothing."),
        views=Views((), ("CC", "MLO")),
    )


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> tuple[Row, ...]:
    """Three exams of two images each; the last image of the second is no DICOM file."""
    folder = tmp_path_factory.mktemp("images")
    made = []
    for number in range(6):
        side = "LR"[number % 2]
        path = folder / f"{number}.dcm"
        write_mg(path, np.full((64, 64), 500 * (number + 1), np.uint16), window=(2048, 4096))
        if number == 3:
            path.write_bytes(b"no image")
        made.append(
            Row(
                f"i{number}",
                f"p{number // 2}",
                f"s{number // 2}",
                side,
                "CC",
                path,
                0,
                file_sha256(path),
                64,
                64,
                None,
                "ffdm",
                "",
                "",
                "",
                "normal",
                "made: made up",
            )
        )
    return tuple(made)


@pytest.fixture
def threads(monkeypatch) -> None:
    work_in_threads(monkeypatch)


def quiet(done: int, total: int) -> None:
    pass


def run_over(rows, bundle, kept: Path, report=quiet, workers: int = 1) -> Run:
    model = audit_model(bundle)
    file = KeptAnswers(kept)
    known = {place for said in said_before(file, model, rows) for place in said.views}
    file.close()
    plan = plan_of(rows, [[place not in known for place in range(len(rows))]])
    run = Run((model,), plan)
    predict(run, [bundle.folder], kept, "cpu", workers, report=report)
    return run


def test_answers_are_those_of_a_look_and_a_bad_file_is_a_failed_image(
    threads, rows, bundle, tmp_path
) -> None:
    run = run_over(rows, bundle, tmp_path / "kept.sqlite")
    views = {place: said for exam in run.news()[0] for place, said in exam.views.items()}
    images = [
        replace(read_image(row.path), laterality=row.laterality, view=row.view, source="ffdm")
        for row in rows[:2]
    ]
    request = LookRequest(bundle.folder, "cpu", gather(images, read_model_view), False)
    asked = run_look(request, quiet, no_predictors())
    assert [views[k].score for k in (0, 1)] == pytest.approx([view.score for view in asked.views])
    assert [views[k].status for k in range(6)] == ["scored"] * 3 + ["failed"] + ["scored"] * 2
    assert "3.dcm" not in views[3].reason
    assert views[3].reason
    assert (run.images_done, run.failed) == (6, 1)


def test_what_was_kept_is_not_asked_again(threads, rows, bundle, tmp_path) -> None:
    kept = tmp_path / "kept.sqlite"

    def stop_after_one(done: int, total: int) -> None:
        if done:
            raise Cancelled

    with pytest.raises(Cancelled):
        run_over(rows, bundle, kept, stop_after_one)
    file = KeptAnswers(kept)
    before = file.find(audit_model(bundle).digest, tuple(keys_of(rows)))
    file.close()
    assert 1 <= len(before) < 3
    again = run_over(rows, bundle, kept)
    assert len(again.plan.tasks) == 3 - len(before)
    assert run_over(rows, bundle, kept).plan.tasks == ()


def test_two_exams_of_the_same_files_both_have_the_answer(rows, bundle, tmp_path) -> None:
    copy = tuple(replace(row, image_id=f"c{k}", patient_id="copy") for k, row in enumerate(rows[:2]))
    model = audit_model(bundle)
    kept = KeptAnswers(tmp_path / "kept.sqlite")
    views = (ViewSaid("scored", "", 0.25), ViewSaid("scored", "", 0.75))
    kept.keep(model.digest, [(exam_key(rows[:2]), ExamRecord(views, ("", ""), "complete"))])
    said = said_before(kept, model, (*rows, *copy))
    kept.close()
    scores = {place: view.score for exam in said for place, view in exam.views.items()}
    assert scores == {0: 0.25, 1: 0.75, 6: 0.25, 7: 0.75}


def test_a_killed_worker_costs_nothing(rows, bundle, tmp_path, monkeypatch) -> None:
    hands: list[_Hand] = []
    begin = _Hand.__post_init__
    monkeypatch.setattr(_Hand, "__post_init__", lambda hand: (begin(hand), hands.append(hand))[0])
    killed = []

    def kill(done: int, total: int) -> None:
        if not killed and hands and hands[0].held:
            os.kill(hands[0].process.pid, signal.SIGKILL)
            killed.append(True)

    run = run_over(rows, bundle, tmp_path / "kept.sqlite", kill)
    assert killed
    views = {place: said.status for exam in run.news()[0] for place, said in exam.views.items()}
    assert [views[k] for k in range(6)] == ["scored"] * 3 + ["failed"] + ["scored"] * 2


def test_an_exam_that_kills_every_worker_fails_alone_and_is_not_kept(
    threads, rows, bundle, monkeypatch
) -> None:
    hear = _Hand.hear
    said = {}

    def dies(hand: _Hand):
        if 1 in hand.held and next(iter(hand.held)) == 1:
            return None  # as of a process that has ended
        return hear(hand)

    monkeypatch.setattr(_Hand, "hear", dies)
    tasks = [ExamTask(rows[2 * k : 2 * k + 2], (0,)) for k in range(3)]
    predict_all(tasks, [bundle.folder], lambda number, made, good: said.update({number: (made, good)}), quiet)
    assert [said[k][1] for k in range(3)] == [True, False, True]
    assert "ended unexpectedly" in said[1][0][0][1].views[0].reason


class PipeConnection:
    """A pipe as on Windows: can be waited for, but is no `multiprocessing.connection.Connection`."""

    def __init__(self, pipe) -> None:
        self.fileno, self.recv, self.send, self.close = pipe.fileno, pipe.recv, pipe.send, pipe.close


def test_an_answer_is_heard_through_a_pipe_of_windows(rows, bundle, monkeypatch) -> None:
    monkeypatch.setattr(_Hand, "_start", lambda hand: begin(hand, PipeConnection))
    turns = 0

    def report(done: int, total: int) -> None:
        nonlocal turns
        turns += 1
        assert turns < 200, "the answer is never heard"

    took = []
    predict_all(
        [ExamTask(rows[:2], (0,))], [bundle.folder], lambda *said: took.append(said), report, device="cpu"
    )
    assert [number for number, _, _ in took] == [0]


def test_a_bundle_that_is_gone_is_one_sentence(rows, tmp_path) -> None:
    with pytest.raises(MammoviewError, match="gone"):
        predict_all([ExamTask(rows[:2], (0,))], [tmp_path / "gone"], lambda *one: None, quiet)


def test_a_file_that_changed_or_moved_is_a_failed_image_that_says_so(threads, rows, bundle, tmp_path) -> None:
    other = replace(rows[0], sha256="0" * 64), replace(rows[1], path=tmp_path / "away.dcm")
    run = run_over(other, bundle, tmp_path / "kept.sqlite")
    (exam,) = run.news()[0]
    assert [said.status for said in exam.views.values()] == ["failed", "failed"]
    assert "changed since the manifest was made" in exam.views[0].reason
    assert "not there" in exam.views[1].reason


def test_two_workers_say_what_one_says(threads, rows, bundle, tmp_path) -> None:
    made = []
    for workers in (1, 2):
        run = run_over(rows, bundle, tmp_path / f"{workers}.sqlite", workers=workers)
        made.append({place: said for exam in run.news()[0] for place, said in exam.views.items()})
    assert made[0] == made[1]


def test_an_audit_asks_shows_keeps_and_finds_it_again(threads, qtbot, rows, bundle, tmp_path) -> None:
    write_manifest(rows, tmp_path / "m.csv")
    for turn in range(2):
        library = Library()
        audit = Audit(library, folder=tmp_path / "own")
        audit.open([tmp_path / "m.csv"], [str(bundle.folder)])
        qtbot.waitUntil(lambda audit=audit: not audit.state.loading)
        assert audit.missing == (6 if turn == 0 else 0)
        if turn == 0:
            audit.predict(workers=1, device="cpu")
            assert audit.state.predicting.total == 6
            qtbot.waitUntil(lambda audit=audit: audit.state.predicting is None)
        words = [OUTCOMES[code] for code in audit.state.sheet.outcome]
        assert words.count("failed") == 1
        assert set(words) <= {"TN", "FP", "failed"}
        assert audit.state.matrix.without_score == 1
        audit.stop()
        library.stop()


def test_a_bundle_put_in_the_place_of_the_one_chosen_is_not_asked(rows, tmp_path) -> None:
    first = tiny_bundle(tmp_path / "tiny-mean", slope=1.0)
    run = Run((audit_model(first),), plan_of(rows, [[True] * 6]))
    text = (first.folder / "bundle.json").read_text()
    (first.folder / "bundle.json").write_text(text + " ")
    with pytest.raises(MammoviewError, match="another version of tiny-mean"):
        predict(run, [first.folder], tmp_path / "kept.sqlite", "cpu", 1, report=quiet)
    (first.folder / "bundle.json").unlink()
    with pytest.raises(MammoviewError, match="is gone"):
        predict(run, [first.folder], tmp_path / "kept.sqlite", "cpu", 1, report=quiet)


def test_no_answer_of_a_bundle_put_there_meanwhile_is_kept(threads, rows, tmp_path) -> None:
    def made(slope: float):
        return tiny_bundle(
            tmp_path / "b",
            slope=slope,
            domain=Domain(("ffdm",), ("presentation",), 32, 32, True, "Trained on nothing."),
            views=Views((), ("CC", "MLO")),
        )

    chosen = audit_model(made(4.0))
    run = Run((chosen,), plan_of(rows, [[True] * len(rows)]))

    def promote(done: int, total: int) -> None:
        if done == 1:
            shutil.rmtree(tmp_path / "b")
            made(-4.0)

    with pytest.raises(MammoviewError, match="another version of tiny-mean was put there"):
        predict(run, [tmp_path / "b"], tmp_path / "kept.sqlite", "cpu", 1, report=promote)
    file = KeptAnswers(tmp_path / "kept.sqlite")
    assert len(file.find(chosen.digest, tuple(keys_of(rows)))) == 1, "the one that came before"
    file.close()


def test_a_worker_elsewhere_with_another_version_of_the_model_does_not_answer(rows, bundle) -> None:
    task = ExamTask(rows[:2], (0,))
    (said,) = look_far(((bundle.folder,), (bundle_digest(bundle.folder),), "cpu", task))
    assert said[0] == 0
    with pytest.raises(ModelError, match="another version of it"):
        look_far(((bundle.folder,), ("0" * 64,), "cpu", task))
