"""Heat maps over the cases of an audit: what is asked, kept, hidden and drawn on request."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dicom_files import write_mg

from app.core.audit.blinded import Session
from app.core.audit.cases import AuditModel, no_answers, table_of
from app.core.audit.columns import sheet_of
from app.core.manifest import Row, file_sha256
from app.services.audit.maps import LOOKS, CaseMap, CaseMaps
from app.services.audit.state import AuditState
from app.services.inference.audited import audit_model
from app.services.inference.process import no_predictors, run_look

sys.path.insert(0, str(Path(__file__).parents[2] / "model_zoo"))
from tiny_bundles import tiny_bundle

from model_zoo.bundle import Bundle, amend
from model_zoo.spec import Aggregation
from model_zoo.suitability import Domain, Views
from model_zoo.verdicts import WORDS

SIDES = ("L", "R")


class Here:
    """The process of models, in this one: what it was asked is counted."""

    def __init__(self) -> None:
        self.asked: list[list[str | None]] = []

    def look(self, request, report):
        self.asked.append([view.laterality for view in request.views])
        return run_look(request, report, no_predictors())

    def interrupt(self) -> None: ...

    def stop(self) -> None: ...


def bundle_of(folder: Path, source: str = "ffdm", failed: bool = False, **changes) -> Bundle:
    domain = Domain((source,), ("presentation",), 32, 32, True, "Trained on nothing.")
    made = tiny_bundle(folder / "tiny-mean", slope=4.0, domain=domain, **changes)
    if not failed:
        return made
    tests = {name: {"result": "passed"} for name in WORDS} | {"marker": {"result": "failed"}}
    block = {"explanations": {"methods": {"signed": {"tests": tests}}}}
    return amend(made, {"metrics.json": json.dumps(block).encode()})


@pytest.fixture
def rows(tmp_path: Path) -> tuple[Row, ...]:
    """Two exams of two breasts; in each image the last 32 columns are bright, the others black."""
    made = []
    for number in range(4):
        path = tmp_path / f"{number}.dcm"
        pixels = np.zeros((64, 64), np.uint16)
        pixels[:, 32:] = 4095
        write_mg(path, pixels, window=(2048, 4096))
        made.append(
            Row(f"i{number}", f"p{number // 2}", "s", SIDES[number % 2], "CC", path, 0, file_sha256(path),
                64, 64, None, "ffdm", "", "", "", "normal", "made: made up")
        )  # fmt: skip
    return tuple(made)


@pytest.fixture
def begin(qtbot, rows):
    """Make the maps of an audit of these rows by a bundle."""
    begun: list[CaseMaps] = []

    class Room:
        def __init__(self, bundle: Bundle, model: AuditModel | None = None) -> None:
            self.process = Here()
            self.maps = CaseMaps(process=self.process)
            begun.append(self.maps)
            model = model or audit_model(bundle)
            table = table_of(rows, [no_answers(model, len(rows))])
            self.folders = {model.name: bundle.folder} if model.digest else {}
            self.state = AuditState(sheet=sheet_of(table, 0, 0.5))

        def go(self, row: int, **changes) -> None:
            self.state = replace(self.state, current=row, **changes)
            self.maps.present(self.state, self.folders, "cpu")

        def settled(self) -> CaseMap:
            qtbot.waitUntil(lambda: all(one.look is not None for one in self.maps.state.of))
            (one,) = self.maps.state.of
            return one

    yield Room
    for each in begun:
        each.stop()


def test_a_map_is_of_the_bright_half_and_lies_on_the_image(begin, tmp_path) -> None:
    room = begin(bundle_of(tmp_path))
    room.go(0)
    assert (room.maps.state.of, room.process.asked) == ((), []), "nothing is made before it is wanted"
    room.maps.show(True)
    evidence = room.settled().evidence
    assert evidence.values.shape == (16, 16), "stride 4"
    assert np.all(evidence.values[:, :8] == 0)
    assert np.all(evidence.values[:, 8:] > 0)
    # The middle of the first 4 by 4 pixels, whose centres are 0 to 3.
    assert np.allclose(evidence.affine @ [0, 0, 1], [1.5, 1.5])
    assert np.allclose(evidence.affine @ [15, 8, 1], [61.5, 33.5])


def test_the_looks_kept_of_a_fine_map_take_little_memory() -> None:
    assert LOOKS * np.zeros((144, 80), np.float32).nbytes < 10e6  # the map of mias-lesions 0.2.0


def test_going_back_shows_the_kept_map_at_once(begin, tmp_path) -> None:
    room = begin(bundle_of(tmp_path))
    room.go(0)
    room.maps.show(True)
    first = room.settled().evidence
    room.go(2)
    assert room.maps.state.of[0].evidence is None, "never the map of another case"
    room.settled()
    room.go(0)
    assert room.maps.state.of[0].evidence is first
    assert len(room.process.asked) == 2
    room.maps.show(False)
    assert room.maps.state.of == ()


def test_the_other_breast_is_looked_at_only_by_a_model_that_compares_both(begin, tmp_path, qtbot) -> None:
    views = Views(("LCC", "RCC"), ("CC",))
    alone = begin(bundle_of(tmp_path / "alone", views=views))
    alone.go(0)
    alone.maps.show(True)
    assert alone.settled().evidence is not None, "the other stands in for the view that is required"
    alone.go(1)
    alone.settled()
    assert alone.process.asked == [["L", "R"], ["R", "L"]]
    both = begin(bundle_of(tmp_path / "both", aggregation=Aggregation("classifier", "logit", bilateral=0.5)))
    both.go(0)
    both.maps.show(True)
    both.settled()
    both.go(1)
    assert both.maps.state.of[0].evidence is not None, "it was looked at with the first"
    assert both.process.asked == [["L", "R"]]


def test_a_map_that_failed_its_tests_waits_to_be_asked_for_in_each_exam(begin, tmp_path) -> None:
    room = begin(bundle_of(tmp_path, failed=True))
    room.go(0)
    room.maps.show(True)
    assert room.settled().evidence is None
    room.maps.show(True)
    assert room.maps.state.of[0].evidence is None, "to show maps is not to ask for a failed one"
    assert not room.maps.state.waits
    room.maps.show_anyway("tiny-mean")
    assert room.maps.state.of[0].evidence is not None
    room.go(1)
    room.settled()
    assert room.maps.state.of[0].evidence is not None, "the same exam"
    room.go(2)
    assert room.settled().evidence is None


def test_outside_its_domain_a_map_is_drawn_where_the_reader_turned_maps_on(begin, tmp_path) -> None:
    room = begin(bundle_of(tmp_path, source="film"))
    room.go(0)
    room.maps.show(True)
    assert room.settled().evidence is not None, "this was the request"
    room.go(2)
    assert room.settled().evidence is None
    assert room.maps.state.waits
    room.maps.show(True)
    assert room.maps.state.of[0].evidence is not None


def test_a_blinded_reader_sees_no_map_before_the_answer(begin, tmp_path) -> None:
    room = begin(bundle_of(tmp_path))
    room.go(0, blinded=Session("pilot", "a", False, (0,)))
    told = []
    room.maps.changed.connect(told.append)
    room.maps.show(True)
    assert (room.maps.state.of, room.process.asked) == ((), [])
    assert [state.wanted for state in told] == [True], "that they are wanted is told though none is there"
    room.go(0, blinded=Session("pilot", "a", True, (0,)))
    assert room.settled().evidence is not None, "the arm with the model"


def test_what_went_wrong_is_a_sentence_and_is_tried_again(begin, tmp_path, rows) -> None:
    bundle = bundle_of(tmp_path)
    room = begin(bundle, AuditModel("elsewhere", "1"))
    room.go(0)
    room.maps.show(True)
    assert "known from a prediction file only" in room.settled().failure
    room = begin(bundle)
    room.folders["tiny-mean"] = tmp_path / "gone"
    room.go(0)
    room.maps.show(True)
    assert "gone: there is no such folder" in room.settled().failure
    room.folders["tiny-mean"] = bundle.folder
    room.maps.show(True)
    room.go(0)
    assert room.settled().failure == ""
    rows[2].path.unlink()
    room.go(2)
    assert "is not there" in room.settled().failure
