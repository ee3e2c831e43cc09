"""The audit as a service: what is opened, counted, judged, hidden and reported; no model runs here."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from dicom_files import write_mg

from app.core.audit.cases import AuditModel, ViewSaid
from app.core.audit.columns import sheet_of
from app.core.audit.filters import Among, CaseFilter
from app.core.audit.kept import ExamRecord, KeptAnswers
from app.core.audit.outcomes import FN, OUTCOMES, TP
from app.core.manifest import file_sha256, write_manifest
from app.core.reading.store import Store
from app.services.audit import blinded, loading
from app.services.audit.audit import Audit
from app.services.audit.predicting import Run, plan_of
from app.services.library import Library

sys.path.insert(0, str(Path(__file__).parents[2] / "core" / "audit"))
from made_cases import lesion, row

PLACE = (10.0, 10.0, 30.0, 30.0)


@pytest.fixture
def data(tmp_path: Path):
    """Eight images of two patients with real files, a manifest, and predictions of all but the last."""
    rows = []
    for number in range(8):
        path = tmp_path / f"{number}.dcm"
        write_mg(path, np.full((64, 64), 300 * (number + 1), np.uint16), window=(2048, 4096))
        ill = number in (0, 5)
        facts = {"path": path, "sha256": file_sha256(path), "rows": 64, "columns": 64}
        findings = (lesion(PLACE),) if ill else ()
        rows.append(row(number, "malignant" if ill else "normal", findings=findings, **facts))
    write_manifest(rows, tmp_path / "m.csv")
    scores = (0.9, 0.2, 0.7, 0.3, 0.6, 0.4, 0.1)
    (tmp_path / "p.json").write_text(json.dumps(predictions(rows, scores)))
    return tmp_path


def predictions(rows, scores) -> dict:
    views = [
        {
            "sop_uid": "", "path": str(one.path), "model": "m", "laterality": one.laterality,
            "view": one.view, "status": "scored", "reason": None, "score": score,
            "heatmap": None, "notes": [],
            "findings": [
                {"label": "mass", "score": score, "calibrated": False, "frame": 0, "box": list(PLACE)}
            ],
        }
        for one, score in zip(rows, scores, strict=False)
    ]  # fmt: skip
    return {
        "format": "mammoview-prediction",
        "version": 1,
        "models": [
            {
                "name": "m",
                "version": "1",
                "outputs": {"score": {"of": "x", "prevalence": None, "calibrated": True}},
            }
        ],
        "studies": [
            {
                "study_uid": "1",
                "status": "partial",
                "breasts": {},
                "exam_score": None,
                "views": views,
                "by_model": [],
            }
        ],
    }


class Opened:
    """An audit of the data, and all that it said."""

    def __init__(self, qtbot, folder: Path, store: Store | None = None, reader: str = "a") -> None:
        self.library = Library()
        self.audit = Audit(self.library, store, reader, folder=folder / "own")
        self.qtbot = qtbot
        self.said: list[str] = []
        self.stopped = False
        self.audit.message.connect(self.said.append)

    def open(self, *paths: Path, predictions: tuple[Path, ...] = (), models: tuple[str, ...] = ()) -> Audit:
        self.audit.open(paths, models, predictions)
        self.qtbot.waitUntil(lambda: not self.audit.state.loading)
        return self.audit

    def wait(self, done) -> None:
        self.qtbot.waitUntil(done)

    def stop(self) -> None:
        if not self.stopped:
            self.stopped = True
            self.audit.stop()
            self.library.stop()


@pytest.fixture
def begin(qtbot, data: Path):
    """Make audits that are stopped whatever becomes of the test: no thread may outlive its window."""
    made: list[Opened] = []

    def one(store: Store | None = None, reader: str = "a") -> Opened:
        made.append(Opened(qtbot, data, store, reader))
        return made[-1]

    yield one
    for each in made:
        each.stop()


@pytest.fixture
def opened(begin, data: Path) -> Opened:
    made = begin()
    made.open(data / "m.csv", predictions=(data / "p.json",))
    return made


def words(audit: Audit) -> list[str]:
    return [OUTCOMES[code] for code in audit.state.sheet.outcome]


def test_a_manifest_with_predictions_is_a_table_with_outcomes(opened: Opened) -> None:
    audit = opened.audit
    assert words(audit) == ["TP", "TN", "FP", "TN", "FP", "FN", "TN", "not predicted"]
    assert audit.state.notes == ("p.json: 1 of 8 images have no prediction in it.",)
    matrix = audit.state.matrix
    assert (matrix.tp, matrix.fp, matrix.fn, matrix.tn, matrix.without_score) == (1, 2, 1, 3, 1)
    opened.wait(lambda: audit.plots is not None)
    assert audit.plots.roc.area.n == 7


def test_the_threshold_moves_outcomes_matrix_and_queue(opened: Opened) -> None:
    audit = opened.audit
    audit.set_filter(CaseFilter((Among("outcome", ("FN",)),)))
    assert list(audit.state.queue) == [5]
    audit.set_threshold(0.95)
    assert list(audit.state.queue) == [0, 5]
    assert (audit.state.matrix.tp, audit.state.matrix.fn) == (0, 2)


def test_a_cell_becomes_the_queue_and_the_case_on_screen_follows(opened: Opened) -> None:
    audit = opened.audit
    audit.show_cell(FN)
    assert (list(audit.state.queue), audit.state.current) == ([5], 5)
    assert audit.state.picked == "FN (image) at 0.500"
    audit.show_cell(TP)
    assert audit.state.current == 0
    audit.set_filter(CaseFilter())
    assert (audit.state.picked, len(audit.state.queue)) == ("", 8)


def test_going_through_the_queue_shows_each_exam_with_the_case_first(opened: Opened) -> None:
    audit, shown = opened.audit, []
    audit.case_changed.connect(shown.append)
    audit.sort_by("loss", True)
    assert list(audit.state.queue[:2]) == [2, 4] or list(audit.state.queue[:2]) == [2, 5]
    audit.pick(4)
    opened.wait(lambda: any(one.row == 4 for one in shown))
    case = next(one for one in shown if one.row == 4)
    assert case.rows == (4, 5, 6, 7)
    assert [(one.laterality, one.view) for one in case.images] == [
        ("L", "CC"),
        ("R", "CC"),
        ("L", "MLO"),
        ("R", "MLO"),
    ]
    assert case.failure == ""
    place = audit.state.place
    audit.next_case()
    assert audit.state.place == place + 1
    audit.previous_case()
    assert audit.state.current == 4


def test_a_file_that_moved_is_a_sentence_and_the_rest_goes_on(opened: Opened, data: Path) -> None:
    audit, shown = opened.audit, []
    opened.wait(lambda: audit.state.current is not None)
    (data / "6.dcm").rename(data / "away")
    audit.case_changed.connect(shown.append)
    audit.pick(6)
    opened.wait(lambda: any(one.row == 6 for one in shown))
    case = shown[-1]
    assert "6.dcm: the file named by the manifest is not there" in case.failure
    assert [image is None for image in case.images] == [True, False, False, False]


def test_truth_meets_prediction_on_the_image(opened: Opened) -> None:
    found = opened.audit.matching(0)
    assert [one.state for one in found.lesions] == ["found"]
    assert opened.audit.matching(2).boxes[0].state == "false"


def test_verdicts_are_undone_across_cases_and_given_twice_are_taken_back(opened: Opened) -> None:
    audit = opened.audit
    audit.set_verdict("model wrong", [2])
    audit.set_note("scar", [4])
    audit.set_tags(["clip ", "clip", ""], [4])
    assert audit.verdict(2).verdict == "model wrong"
    assert (audit.verdict(4).note, audit.verdict(4).tags, audit.tags) == ("scar", ("clip",), ("clip",))
    assert (audit.verdict(2).score, audit.verdict(2).threshold, audit.verdict(2).given) == (
        0.7,
        0.5,
        "normal",
    )
    audit.undo()
    audit.undo()
    assert audit.verdict(4) is None
    audit.redo()
    assert audit.verdict(4).note == "scar"
    audit.set_verdict("model wrong", [2])
    assert audit.verdict(2) is None
    with pytest.raises(ValueError, match="no verdict"):
        audit.set_verdict("nonsense", [2])


def test_two_readers_in_one_store_keep_both_verdicts(begin, data: Path) -> None:
    ours = begin(Store(data / "work.sqlite"), "a")
    theirs = begin(Store(data / "work.sqlite"), "b")
    for one in (ours, theirs):
        one.open(data / "m.csv", predictions=(data / "p.json",))
    ours.audit.set_verdict("agree", [2])
    theirs.audit.set_verdict("label wrong", [2], "benign")
    for one in (ours, theirs):
        one.wait(lambda one=one: one.audit.state.sheet.said.verdict[2] == "readers differ")
        one.wait(lambda one=one: not one.audit.state.pending)
    ours.audit.undo()
    theirs.wait(lambda: theirs.audit.state.sheet.said.verdict[2] == "label wrong")
    assert theirs.audit.verdict(2).label == "benign"
    ours.stop()
    theirs.stop()
    again = begin(Store(data / "work.sqlite"), "b")
    audit = again.open(data / "m.csv", predictions=(data / "p.json",))
    again.wait(lambda: audit.verdict(2) is not None)
    assert audit.state.undo == "verdict: label wrong (1 case)"


def test_blinded_the_truth_is_hidden_until_the_answer(opened: Opened, data: Path) -> None:
    audit = opened.audit
    audit.begin_blinded("pilot", [0, 2, 5])
    assert sorted(audit.state.queue) == [0, 2, 5]
    first = audit.state.current
    assert audit.state.hidden(first)
    assert audit.state.model_hidden(first)
    assert audit.matching(first) is None
    audit.export_csv(data / "queue.csv")
    assert not (data / "queue.csv").exists()
    audit.answer(9)
    assert audit.state.hidden(first)
    audit.image_painted(first)
    audit.answer(4, [(1, 2, 3, 4)])
    assert not audit.state.hidden(first)
    assert audit.matching(first) is not None
    audit.answer(1)
    assert audit.state.blinded.answers[first].assessment == 4
    assert opened.said[-1] == "This case is not waiting for an answer."
    audit.end_blinded()
    audit.begin_blinded("pilot", [0, 2, 5])
    assert first not in audit.state.blinded.left
    audit.end_blinded()
    (reading,) = audit.studies_of_readers()
    assert reading.results[0].answered == 1
    audit.export_csv(data / "answers.csv", answers=True)
    assert len((data / "answers.csv").read_text().splitlines()) == 2


def test_an_answer_is_not_undone_once_the_truth_was_seen(begin, data: Path) -> None:
    one = begin(Store(data / "work.sqlite"), "a")
    audit = one.open(data / "m.csv", predictions=(data / "p.json",))
    audit.begin_blinded("pilot", [0, 2])
    audit.set_verdict("agree", [7])
    one.wait(lambda: audit.verdict(7) is not None)
    first = audit.state.current
    audit.answer(2)
    assert audit.state.undo == "verdict: agree (1 case)"
    audit.undo()
    audit.undo()
    assert audit.verdict(7) is None
    assert audit.state.blinded.answers[first].assessment == 2
    one.wait(lambda: not audit.state.pending)
    one.stop()
    two = begin(Store(data / "work.sqlite"), "a")
    audit = two.open(data / "m.csv", predictions=(data / "p.json",))
    audit.begin_blinded("pilot", [0, 2])
    two.wait(lambda: first in audit.state.blinded.answers)
    audit.undo()
    assert audit.state.undo == ""
    assert audit.state.blinded.answers[first].assessment == 2


def test_another_reader_ends_the_blinded_reading(opened: Opened) -> None:
    audit = opened.audit
    audit.begin_blinded("pilot", [0, 2])
    audit.set_reader("a")
    assert audit.state.blinded.reader == "a"
    audit.set_reader("dr b")
    assert audit.state.blinded is None
    assert opened.said[-1] == "The blinded reading was ended: the reader is another now."
    audit.answer(4)
    assert opened.said[-1] == "This case is not waiting for an answer."
    audit.begin_blinded("pilot", [0, 2])
    audit.answer(4)
    assert [answer.reader for answer in audit.state.blinded.answers.values()] == ["dr b"]


def test_the_seconds_of_an_answer_begin_when_its_image_is_painted_first(opened: Opened, monkeypatch) -> None:
    audit, now = opened.audit, [100.0]
    monkeypatch.setattr(blinded, "time", SimpleNamespace(monotonic=lambda: now[0]))
    audit.pick(7)
    audit.begin_blinded("pilot", [0, 2])
    first = audit.state.current
    for moment, painted in ((103.0, 7), (110.0, first), (112.0, first)):  # 7 is still painted, then decoded
        now[0] = moment
        audit.image_painted(painted)
    now[0] = 115.0
    audit.answer(2)
    assert audit.state.blinded.answers[first].seconds == 5.0
    audit.next_case()
    second = audit.state.current
    now[0] = 119.0  # its image cannot be painted: the time since it was asked for
    audit.answer(2)
    assert audit.state.blinded.answers[second].seconds == 4.0


def test_no_file_tells_the_truth_while_a_blinded_reading_goes_on(opened: Opened, data: Path) -> None:
    audit = opened.audit
    audit.begin_blinded("pilot", [0, 2])
    audit.answer(4)
    audit.export_csv(data / "answers.csv", answers=True)
    assert not (data / "answers.csv").exists()
    assert "has to be ended first" in opened.said[-1]
    audit.end_blinded()
    audit.export_csv(data / "answers.csv", answers=True)
    assert len((data / "answers.csv").read_text().splitlines()) == 2


def test_with_the_model_only_the_truth_is_hidden(opened: Opened) -> None:
    opened.audit.begin_blinded("pilot", [0], with_model=True)
    assert opened.audit.state.hidden(0)
    assert not opened.audit.state.model_hidden(0)


def test_filters_are_kept_and_a_damaged_file_of_them_is_a_note(begin, data: Path) -> None:
    one = begin()
    audit = one.open(data / "m.csv", predictions=(data / "p.json",))
    audit.set_filter(CaseFilter((Among("outcome", ("FN", "FP")),)))
    audit.save_filter(" wrong ")
    assert [each.name for each in audit.state.saved] == ["wrong"]
    one.stop()
    file = data / "own" / "audit-filters.json"
    assert json.loads(file.read_text())["filters"][0]["name"] == "wrong"
    file.write_text("{")
    two = begin()
    audit = two.open(data / "m.csv", predictions=(data / "p.json",))
    assert any("damaged" in note for note in audit.state.notes)
    assert len(audit.state.table) == 8


def test_a_report_is_one_folder_without_any_address(opened: Opened, data: Path) -> None:
    audit = opened.audit
    opened.wait(lambda: audit.plots is not None)
    audit.set_note("<script>alert(1)</script>", [0])
    audit.write_report(data / "report", [0, 5], "two")
    opened.wait(lambda: any(said.startswith("Written") for said in opened.said))
    page = (data / "report" / "index.html").read_text()
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page
    assert page.count("<figure>") == 2
    assert "1 of 2" in page
    numbers = json.loads((data / "report" / "numbers.json").read_text())
    assert numbers["matrix"]["tp"] == 1
    assert len((data / "report" / "cases.csv").read_text().splitlines()) == 9


def test_curves_of_what_was_counted_before_stand_beside_no_new_matrix(opened: Opened, data: Path) -> None:
    audit, told = opened.audit, []
    changes = (
        lambda: audit.set_unit("breast"),
        lambda: audit.set_subgroup(CaseFilter((Among("laterality", ("L",)),))),
        lambda: opened.open(data / "m.csv", predictions=(data / "p.json",)),
    )
    for change in changes:
        opened.wait(lambda: audit.plots is not None)
        old = audit.plots
        told.clear()
        audit.plots_changed.connect(told.append)
        change()
        assert audit.plots is not old
        assert told[0] is None
        audit.plots_changed.disconnect(told.append)
    opened.wait(lambda: audit.plots is not None)
    audit.set_unit("patient")
    audit.write_report(data / "early")
    assert opened.said[-1].startswith("There is nothing to report yet")
    assert not (data / "early").exists()


def test_curves_of_before_the_answers_that_just_came_are_not_reported(opened: Opened, data: Path) -> None:
    audit = opened.audit
    opened.wait(lambda: audit.plots is not None)
    table = audit.state.table
    plan = plan_of(table.rows, [[row == 7 for row in range(8)]])
    audit._run = Run((table.answers[0].model,), plan)
    audit._run.add(0, [(0, ExamRecord((ViewSaid("scored", "", 0.8),) * 4, ("",) * 4, "complete"))])
    audit._take_news()
    assert audit.state.matrix.without_score == 0
    audit.write_report(data / "early")
    assert opened.said[-1].startswith("There is nothing to report yet")


@pytest.mark.parametrize(
    ("paths", "predictions", "models", "word"),
    [
        (("none.csv",), ("p.json",), (), "none.csv: the table cannot be read (No such file or directory)"),
        (("latin.csv",), ("p.json",), (), "latin.csv: the table cannot be read (it is no UTF-8 text)"),
        (("nowhere",), ("p.json",), (), "nowhere: does not exist"),
        (("m.csv",), ("none.json",), (), "cannot be read"),
        (("m.csv",), ("other.json",), (), "of another manifest"),
        (("m.csv",), (), ("no-such-model",), "no-such-model"),
        (("m.csv",), (), (), "needs a model or a prediction file"),
        ((), (), (), "needs a manifest"),
    ],
)
def test_what_cannot_be_opened_is_a_sentence_and_what_is_open_stays(
    opened: Opened, data: Path, paths, predictions, models, word: str
) -> None:
    other = json.loads((data / "p.json").read_text())
    for view in other["studies"][0]["views"]:
        view["path"] = "/elsewhere" + view["path"]
    (data / "other.json").write_text(json.dumps(other))
    (data / "latin.csv").write_bytes(b"image_id\n\xe9\n")
    files = [tuple(data / name for name in names) for names in (paths, predictions)]
    opened.open(*files[0], predictions=files[1], models=models)
    assert word in opened.said[-1]
    assert len(opened.audit.state.table) == 8


def test_a_manifest_without_any_truth_says_so_and_can_still_be_looked_at(begin, data: Path) -> None:
    text = (data / "m.csv").read_text().replace(",malignant,", ",,").replace(",normal,", ",,")
    (data / "blank.csv").write_text(text)
    one = begin()
    audit = one.open(data / "blank.csv", predictions=(data / "p.json",))
    assert any(note.startswith("Nothing is known of what is true") for note in audit.state.notes)
    assert set(words(audit)) == {"no truth", "not predicted"}
    assert (audit.state.matrix.without_truth, audit.state.matrix.without_score) == (7, 1)


@pytest.mark.parametrize(
    ("label", "positive", "notes", "truth"),
    [
        (
            "malignant",
            (("D",), ()),
            [
                "No label here is among those that are positive for a (D): outcomes, curves and the matrix "
                "stay empty.",
                "What is true is by the positive labels of a (D), for b too, whose own are others "
                "(all that are not normal).",
            ],
            {-1},
        ),
        (
            "normal",
            (("malignant",),),
            ["No label here is among those that are positive for a (malignant): no case counts as positive."],
            {0},
        ),
        ("malignant", (("malignant", "benign"), ("benign", "malignant")), [], {0, 1}),
    ],
)
def test_positive_labels_that_do_not_fit_the_manifest_or_each_other_are_said(
    data: Path, monkeypatch, label: str, positive, notes: list[str], truth: set[int]
) -> None:
    (data / "l.csv").write_text((data / "m.csv").read_text().replace(",malignant,", f",{label},"))
    models = [AuditModel(name, positive=own) for name, own in zip("ab", positive, strict=False)]
    monkeypatch.setattr(loading.audited, "chosen", lambda names: [(model, data) for model in models])
    kept = KeptAnswers(data / "kept.sqlite")
    loaded = loading.load(loading.Wanted((data / "l.csv",), ("a",)), kept, lambda done, total: None)
    kept.close()
    assert list(loaded.notes) == notes
    assert set(loaded.table.truth.tolist()) == truth


def test_without_a_bundle_nothing_is_asked(opened: Opened) -> None:
    assert opened.audit.missing == 0
    opened.audit.predict()
    assert opened.said[-1] == "No bundle is chosen: these predictions come from files alone."


def test_another_table_ends_the_blinded_reading_of_the_one_before(opened: Opened, data: Path) -> None:
    opened.audit.begin_blinded("pilot", [5, 6])
    lines = (data / "m.csv").read_text().splitlines()
    (data / "short.csv").write_text("\n".join(lines[:3]) + "\n")
    audit = opened.open(data / "short.csv", predictions=(data / "p.json",))
    audit.set_verdict("agree", [0])
    assert audit.state.blinded is None
    assert (len(audit.state.table), audit.verdict(0).verdict) == (2, "agree")


def test_a_folder_without_a_manifest_is_cases_without_truth(begin, data: Path) -> None:
    one = begin()
    audit = one.open(data, predictions=(data / "p.json",))
    assert len(audit.state.table) == 8
    assert {row.label for row in audit.state.table.rows} == {""}
    assert audit.state.table.rows[0].sha256 == file_sha256(audit.state.table.rows[0].path)
    assert any("files were left out" in note for note in audit.state.notes)
    assert sorted(score for score in audit.state.answers.score if score == score) == [
        0.1,
        0.2,
        0.3,
        0.4,
        0.6,
        0.7,
        0.9,
    ]


def test_a_thumbnail_of_a_case_in_sight_comes_and_is_told_once_it_is_there(opened: Opened) -> None:
    audit, told = opened.audit, []
    audit.thumbnail_ready.connect(told.append)
    assert audit.thumbnail(7) is None
    opened.wait(lambda: 7 in told)
    assert audit.thumbnail(7).max() > 0


def test_a_case_whose_header_its_small_picture_read_already_comes_on_screen(opened: Opened) -> None:
    audit, shown = opened.audit, []
    audit.case_changed.connect(shown.append)
    audit.thumbnail(7)
    opened.wait(lambda: audit.thumbnail(7) is not None)
    audit.pick(7)  # the others of its exam are still to be read
    opened.wait(lambda: bool(shown) and shown[-1].row == 7)
    assert shown[-1].rows == (7, 4, 5, 6)
    assert all(shown[-1].images)


def settled(opened: Opened) -> None:
    """Wait until no job is on its way."""
    opened.wait(lambda: not opened.audit._jobs.running)


def test_a_click_on_the_froc_is_forgotten_once_a_blinded_reading_begins(opened: Opened) -> None:
    audit = opened.audit
    settled(opened)
    audit.show_froc(0.45)
    audit.begin_blinded("pilot", [0, 1, 2, 4, 5, 6])
    before, current, said = list(audit.state.queue), audit.state.current, len(opened.said)
    settled(opened)
    assert (list(audit.state.queue), audit.state.current) == (before, current)
    audit.show_froc(0.45)  # nor may one that comes while cases wait for an answer tell their truth
    settled(opened)
    assert (list(audit.state.queue), audit.state.current) == (before, current)
    assert len(opened.said) == said


@pytest.mark.parametrize("choose", ["cell", "filter", "rule"])
def test_what_is_chosen_after_a_click_on_the_froc_stays(opened: Opened, choose: str) -> None:
    audit = opened.audit
    settled(opened)
    audit.show_froc(0.45)
    if choose == "cell":
        audit.show_cell(TP)
    elif choose == "filter":
        audit.set_filter(CaseFilter((Among("label", ("normal",)),)))
    else:
        audit.set_rule("iou50")
    before, picked, said = list(audit.state.queue), audit.state.picked, len(opened.said)
    settled(opened)
    assert (list(audit.state.queue), audit.state.picked) == (before, picked)
    assert len(opened.said) == said


def test_answers_that_come_while_the_froc_s_cases_are_sought_are_told(opened: Opened) -> None:
    audit = opened.audit
    settled(opened)
    before = list(audit.state.queue)
    audit.show_froc(0.45)
    sheet = audit.state.sheet
    table = sheet.table.with_answers(sheet.table.answers)  # as `Audit` does with news
    audit._show(sheet_of(table, sheet.lead, sheet.threshold, sheet.said))
    settled(opened)
    assert opened.said[-1] == "The models answered more cases meanwhile: click the point again."
    assert list(audit.state.queue) == before
    audit.show_froc(0.45)
    settled(opened)
    assert list(audit.state.queue) != before
