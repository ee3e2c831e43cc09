"""Which cases an audit offers to be read next, what goes on record, and who is never offered."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_audit_service import Opened, begin, data, opened, settled  # noqa: F401 - fixtures
from training_desk import write_splits

from app.core.audit.choice import is_chosen, read_chosen
from app.core.audit.filters import Among, CaseFilter
from app.core.audit.outcomes import TP
from app.core.errors import MammoviewError
from app.core.manifest import read_manifest
from app.core.reading.log import read_log
from app.core.reading.store import Store
from app.core.settings import DATA_VARIABLE
from app.services.inference.audited import audit_model
from app.services.inference.case_vectors import CaseVectors, indexed
from app.services.inference.inside import VectorRequest
from app.services.training import frozen

sys.path.insert(0, str(Path(__file__).parents[2] / "model_zoo"))
from tiny_bundles import tiny_bundle

from model_zoo.bundle import Bundle, load_bundle
from model_zoo.index import Entry, image_mark, store_index

# Scores 0.9 0.2 0.7 0.3 0.6 0.4 0.1 and none; patient p0 has the first four. By the number of scores between
# each and the threshold of 0.5 the order is 4 (0.6), 2 and 5 (0.7, 0.4), 0 and 3 (0.9, 0.3), 1, 6.


def offer(opened: Opened, strategy: str, count: int = 20) -> list[int]:  # noqa: F811
    said = len(opened.said)
    opened.audit.offer_next(strategy, count)
    opened.wait(lambda: len(opened.said) > said)
    return [int(row) for row in opened.audit.state.queue]


def freeze(folder: Path, monkeypatch) -> None:
    """Choose patient p1 (the last four images) as the frozen test."""
    monkeypatch.setenv(DATA_VARIABLE, str(folder / "home"))
    write_splits(folder / "splits.json", folder / "m.csv", (("p0",), (), ("p1",)))
    frozen.freeze("held-out", folder / "m.csv", folder / "splits.json", 0)


def test_the_most_uncertain_come_first_and_what_has_a_verdict_does_not(opened) -> None:  # noqa: F811
    opened.audit.sort_by("score")
    opened.audit.set_verdict("agree", [4])
    opened.audit.set_note("seen", [2])
    assert offer(opened, "uncertainty", 3) == [2, 5, 0], "by the strategy, whatever the order before"
    assert opened.said[-1] == "next to read by uncertainty: 3 of 7 not yet read"
    assert opened.audit.state.picked == opened.said[-1]
    assert opened.audit.state.current == 2
    assert {row: one.rank for row, one in opened.audit.state.chosen.items()} == {2: 1, 5: 2, 0: 3}


def test_a_choice_is_on_record_with_the_image_and_no_undo_takes_it_back(begin, data) -> None:  # noqa: F811
    store = data / "work.sqlite"
    made = begin(Store(store), "dr a")
    made.open(data / "m.csv", predictions=(data / "p.json",))
    offer(made, "uncertainty", 2)
    made.wait(lambda: set(made.audit.state.chosen) == {2, 4})  # once the store was read
    made.audit.set_verdict("model wrong", [4])
    made.audit.undo()
    made.audit.undo()
    made.stop()
    edits = [edit for change in read_log(store).changes for edit in change.edits if is_chosen(edit.item)]
    kept = [read_chosen(edit.after) for edit in edits]
    assert [(one.image_id, one.strategy, one.rank, one.of) for one in kept] == [
        ("i4", "uncertainty", 1, 8),
        ("i2", "uncertainty", 2, 8),
    ]
    assert {(one.threshold, one.models, one.reader) for one in kept} == {(0.5, ("m 1",), "dr a")}
    again = begin(Store(store), "dr b")
    again.open(data / "m.csv", predictions=(data / "p.json",))
    again.wait(lambda: set(again.audit.state.chosen) == {2, 4})  # once the store was read


@pytest.mark.parametrize("strategy", ["uncertainty", "random"])
def test_patients_of_a_frozen_test_are_never_offered(opened, data, strategy, monkeypatch) -> None:  # noqa: F811
    freeze(data, monkeypatch)
    hashes = frozen.load("held-out").splits_hash
    assert sorted(offer(opened, strategy)) == [0, 1, 2, 3]
    assert "4 images of the frozen test are never offered" in opened.said[-1]
    assert {one.frozen for one in opened.audit.state.chosen.values()} == {hashes}


def test_a_frozen_patient_under_another_name_is_known_by_her_files(opened, data, monkeypatch) -> None:  # noqa: F811
    freeze(data, monkeypatch)
    text = (data / "m.csv").read_text().replace(",p1,", ",renamed,")
    (data / "renamed.csv").write_text(text)
    opened.open(data / "renamed.csv", predictions=(data / "p.json",))
    assert [row.patient_id for row in opened.audit.state.table.rows][4:] == ["renamed"] * 4
    assert sorted(offer(opened, "random")) == [0, 1, 2, 3]


def test_nothing_is_offered_while_the_frozen_test_cannot_be_read(opened, data, monkeypatch) -> None:  # noqa: F811
    freeze(data, monkeypatch)
    path = frozen.folder_of_all() / "held-out" / frozen.FILE
    path.write_text(path.read_text().replace('"p1"', '"p7"'))
    before = list(opened.audit.state.queue)
    assert offer(opened, "random") == before
    assert "the frozen test was altered" in opened.said[-1]


def test_a_strategy_without_what_it_needs_says_so(opened) -> None:  # noqa: F811
    offer(opened, "disagreement")
    assert opened.said[-1] == "disagreement needs the scores of two models"
    offer(opened, "diversity")
    assert opened.said[-1].startswith("m is known from a prediction file only; diversity needs the model")
    assert opened.audit.state.chosen == {}


@pytest.mark.parametrize("choose", ["cell", "filter", "froc"])
def test_cases_that_are_listed_while_the_next_are_chosen_stay_listed(opened, choose: str) -> None:  # noqa: F811
    audit = opened.audit
    settled(opened)
    audit.offer_next("uncertainty", 3)
    if choose == "cell":
        audit.show_cell(TP)
    elif choose == "filter":
        audit.set_filter(CaseFilter((Among("label", ("normal",)),)))
    else:
        audit.show_froc(0.45)
    assert opened.said[-1] == "What to read next was not listed: you chose other cases meanwhile."
    settled(opened)
    # By scores and labels: 0 is recalled and malignant; 0 and 5 are the malignant ones; of the FROC's point
    # 0.45 the false boxes are those above it on 2 and 4, and 5 is missed.
    listed = {"cell": [0], "filter": [1, 2, 3, 4, 6, 7], "froc": [5, 2, 4]}[choose]
    assert [int(row) for row in audit.state.queue] == listed
    assert audit.state.chosen == {}, "what was not listed is not on record"


def test_the_newest_request_for_the_next_cases_is_listed(opened) -> None:  # noqa: F811
    audit = opened.audit
    settled(opened)
    audit.show_froc(0.45)
    audit.offer_next("uncertainty", 3)
    settled(opened)
    assert [int(row) for row in audit.state.queue] == [4, 2, 5]
    assert not [said for said in opened.said if "missed lesion" in said], "the point of the FROC was let go"


def test_a_case_and_an_order_chosen_meanwhile_stay(opened) -> None:  # noqa: F811
    audit = opened.audit
    settled(opened)
    audit.pick(0)
    audit.offer_next("uncertainty", 3)
    audit.pick(6)
    audit.sort_by("score")
    settled(opened)
    assert audit.state.current == 6
    assert audit.state.picked.startswith("next to read by uncertainty: 3 of 8")
    # Scores 0.4, 0.6, 0.7.
    assert [int(row) for row in audit.state.queue] == [5, 4, 2]
    audit.next_case()
    assert audit.state.current == 5, "from there it goes on with the first"


def test_an_image_has_the_mean_of_its_places_in_the_bundle_s_index(tmp_path, data) -> None:  # noqa: F811
    rows = read_manifest(data / "m.csv").rows[:3]
    bundle = tiny_bundle(tmp_path / "b")
    assert indexed(bundle, rows) is None
    names = (rows[0].image_id, rows[0].image_id, rows[2].image_id)
    entries = [Entry(image_mark(name), "no lesion", (0.0, 0.0, 8.0, 8.0), "any: x") for name in names]
    store_index(bundle, entries, np.array([[1, 0], [3, 2], [5, 5]], np.float32), "made up")
    found = indexed(load_bundle(bundle.folder), rows)
    assert found[[0, 2]].tolist() == [[2, 1], [5, 5]]
    assert np.isnan(found[1]).all()


def with_index(folder: Path, rows, places) -> Bundle:
    """Return a bundle whose index has one place of each of the first images."""
    bundle = tiny_bundle(folder)
    entries = [
        Entry(image_mark(row.image_id), "no lesion", (0.0, 0.0, 8.0, 8.0), "any: x")
        for row in rows[: len(places)]
    ]
    vectors = np.array([[place, 0] for place in places], np.float32)
    store_index(bundle, entries, vectors, "made up")
    return load_bundle(folder)


def test_diversity_offers_what_is_least_like_what_was_read(begin, data, tmp_path) -> None:  # noqa: F811
    rows = read_manifest(data / "m.csv").rows
    bundle = with_index(tmp_path / "tiny-mean", rows, (0.0, 1.0, 10.0, 4.0, 11.0, 0.0, 0.0, 0.0))
    made = begin()
    made.open(data / "m.csv", models=(str(bundle.folder),))
    made.audit.set_verdict("agree", [0])
    # Read is what lies at 0: the farthest is 11, then 4, then 1 and 10 are both 1 away and the earlier comes.
    assert offer(made, "diversity", 3) == [4, 3, 1]
    assert {one.models for one in made.audit.state.chosen.values()} == {("tiny-mean 1.0.0",)}


class Network:
    """In place of the process: the vector of the n-th image asked about is (n, 0), the third has none.

    Where `hold` images were answered the next one takes until it is stopped.
    """

    def __init__(self, hold: int = -1) -> None:
        self.asked: list[VectorRequest] = []
        self.hold = hold
        self.stopped = 0

    def vector(self, request: VectorRequest, report) -> np.ndarray | None:
        self.asked.append(request)
        while len(self.asked) - 1 == self.hold:
            report(0, 1)
            time.sleep(0.005)
        return np.array([len(self.asked), 0], np.float32) if len(self.asked) != 3 else None

    def interrupt(self) -> None: ...

    def stop(self) -> None:
        self.stopped += 1


@pytest.fixture
def looked_at(begin, data, tmp_path):  # noqa: F811
    """An audit by a bundle whose index does not know all images, and what stands in for its network."""
    rows = read_manifest(data / "m.csv").rows
    bundle = with_index(tmp_path / "tiny-mean", rows, (0.0, 1.0))
    made = begin()
    made.open(data / "m.csv", models=(str(bundle.folder),))
    network = Network()
    made.audit._vectors = CaseVectors(network)
    return made, network


def test_images_that_the_index_does_not_know_are_shown_to_the_network(looked_at) -> None:
    made, network = looked_at
    made.audit.set_verdict("agree", [0])
    settled(made)
    made.audit.offer_next("diversity", 3)
    made.wait(lambda: made.audit.state.picked.startswith("next to read by diversity"))
    # Read is the one at 1: the farthest is 8; then 4, 3 away from 1 (5 is as far from 8, and comes later);
    # then 6, 2 away from 4 and 8.
    assert [int(row) for row in made.audit.state.queue] == [7, 3, 5]
    assert any(said.startswith("Looking at the cases for diversity: ") for said in made.said)
    assert len(network.asked) == 8
    made.audit.offer_next("diversity", 2)
    settled(made)
    made.wait(lambda: len(made.audit.state.queue) == 2)
    assert len(network.asked) == 8, "kept"


def test_choosing_other_cases_stops_the_network(looked_at) -> None:
    made, network = looked_at
    network.hold = 3
    made.audit.offer_next("diversity", 3)
    made.wait(lambda: len(network.asked) == 4)
    made.audit.show_cases([1, 2], "two")
    made.wait(lambda: not made.audit._looking.running)
    assert [int(row) for row in made.audit.state.queue] == [1, 2]
    assert made.audit.state.chosen == {}
    assert len(network.asked) == 4


def test_opening_other_data_stops_the_network(looked_at, data) -> None:  # noqa: F811
    made, network = looked_at
    network.hold = 3
    made.audit.offer_next("diversity", 3)
    made.wait(lambda: len(network.asked) == 4)
    made.open(data / "m.csv", predictions=(data / "p.json",))
    made.wait(lambda: not made.audit._looking.running)
    said = len(made.said)
    made.audit.set_filter(CaseFilter((Among("label", ("normal",)),)))
    assert len(made.said) == said, "nothing was on its way any more"
    assert len(network.asked) == 4


def test_a_vector_is_of_the_file_not_of_the_name_that_a_manifest_gives_it(data, tmp_path) -> None:  # noqa: F811
    one, other = (replace(row, image_id="1", sha256="") for row in read_manifest(data / "m.csv").rows[:2])
    bundle = tiny_bundle(tmp_path / "tiny-mean")
    vectors, every = CaseVectors(Network()), np.ones(1, np.bool_)
    model = audit_model(bundle)
    found = [
        vectors.of(model, bundle.folder, "cpu", [row], every, report=lambda done, total: None)[0, 0]
        for row in (one, other, one)
    ]
    assert found == [1, 2, 1]


def test_vectors_of_a_bundle_that_is_installed_meanwhile_are_not_mixed_in(data, tmp_path) -> None:  # noqa: F811
    folder, rows = tmp_path / "tiny-mean", read_manifest(data / "m.csv").rows[:2]
    model = audit_model(tiny_bundle(folder))

    class Replaced(Network):
        def vector(self, request: VectorRequest, report) -> np.ndarray | None:
            if self.asked:
                shutil.rmtree(folder)
                tiny_bundle(folder, slope=2.0)
            return super().vector(request, report)

    vectors, both = CaseVectors(Replaced()), np.ones(2, np.bool_)
    with pytest.raises(MammoviewError, match="another version of tiny-mean was put there"):
        vectors.of(model, folder, "cpu", rows, both, report=lambda done, total: None)
    assert len(vectors._kept) == 1


def test_patients_of_a_frozen_test_are_not_even_looked_at(looked_at, data, monkeypatch) -> None:  # noqa: F811
    freeze(data, monkeypatch)
    made, network = looked_at
    assert len(offer_when_listed(made)) == 3
    assert len(network.asked) == 4
    assert set(made.audit.state.queue) <= {0, 1, 3}


def offer_when_listed(made: Opened) -> list[int]:
    made.audit.offer_next("diversity", 8)
    made.wait(lambda: made.audit.state.picked.startswith("next to read"))
    return [int(row) for row in made.audit.state.queue]


def test_an_offer_is_forgotten_once_a_blinded_reading_begins(opened) -> None:  # noqa: F811
    audit = opened.audit
    opened.wait(lambda: not audit._jobs.running)
    audit.offer_next("uncertainty", 3)
    audit.begin_blinded("pilot", [5, 6])
    before, current, said = list(audit.state.queue), audit.state.current, len(opened.said)
    opened.wait(lambda: not audit._jobs.running)
    assert (list(audit.state.queue), audit.state.current) == (before, current)
    assert not audit.state.chosen
    assert len(opened.said) == said
