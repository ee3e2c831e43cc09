"""The frozen test: chosen once, never trained on, and every refusal names the case."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from training_desk import TEST, TRAIN, VAL, Desk, make_desk, nothing, row, until, write_splits

from app.core.errors import MammoviewError
from app.services.training import asked, frozen, history
from app.services.training.frozen import FrozenTestError
from app.services.training.look import Looker


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return make_desk(tmp_path, monkeypatch)


def guard(made: Desk, manifest: Path, *fold: tuple[str, ...]) -> None:
    splits = write_splits(made.folder / "other.json", manifest, fold)
    frozen.guard(frozen.find(), manifest, splits, 0)


@pytest.mark.parametrize(
    ("fold", "part"), [((("p5", "n1"), ("n2",), ()), "train"), ((("n1",), ("p5",), ()), "tune")]
)
def test_a_patient_of_the_frozen_test_is_refused_by_name(
    made: Desk, fold: tuple[tuple[str, ...], ...], part: str
) -> None:
    rows = [row(number, patient, made.folder) for number, patient in enumerate(("n1", "p5", "n2"), 20)]
    with pytest.raises(FrozenTestError, match=rf"image-21 of patient p5 would {part} .*frozen test phantoms"):
        guard(made, made.manifest_of("m.csv", *rows), *fold)


def test_a_renamed_patient_is_known_by_her_file(made: Desk) -> None:
    # Image 4 is of p5, who tests.
    known = hashlib.sha256(b"p54").hexdigest()
    rows = [row(30, "n1", made.folder), row(31, "renamed", made.folder, sha256=known)]
    manifest = made.manifest_of("m.csv", *rows)
    with pytest.raises(FrozenTestError, match=r"image-31 of patient renamed .*its file is image image-4"):
        guard(made, manifest, ("n1", "renamed"), (), ())


def test_who_only_tests_is_welcome(made: Desk) -> None:
    rows = [row(40, "n1", made.folder), row(41, "p5", made.folder)]
    guard(made, made.manifest_of("m.csv", *rows), ("n1", "p1"), ("p4",), ("p5",))


def test_a_curated_set_that_would_train_on_a_test_patient_never_starts(made: Desk) -> None:
    rows = [row(number, patient, made.folder) for number, patient in enumerate(("p1", "p2", "p6"), 50)]
    manifest = made.manifest_of("curated.csv", *rows)
    splits = write_splits(made.folder / "curated.json", manifest, (("p1", "p6"), ("p2",), ()))
    with pytest.raises(FrozenTestError, match=r"patient p6"):
        made.begin(manifest=str(manifest), splits=str(splits))
    assert Looker().look_all() == ()


def test_without_splits_another_manifest_is_divided_as_the_frozen_test_is(made: Desk) -> None:
    patients = (*TRAIN, *VAL, *TEST, "new")
    rows = [row(number, patient, made.folder) for number, patient in enumerate(patients)]
    job = made.begin(manifest=str(made.manifest_of("curated.csv", *rows)), epochs=1)
    view = until(job, lambda view: not view.is_busy)
    assert view.done[0] == "split"
    assert view.status == "finished", view.sentence
    fold = json.loads((job.folder / "splits.json").read_text())["folds"][0]
    assert fold == {"train": [*TRAIN, "new"], "val": list(VAL), "test": list(TEST)}


def test_files_that_change_after_the_start_are_looked_at_again(
    made: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row(number, patient, made.folder) for number, patient in enumerate(("p1", "p2", "p4"), 60)]
    manifest = made.manifest_of("m.csv", *rows)
    splits = write_splits(made.folder / "m.json", manifest, (("p1",), ("p2",), ("p4",)))
    monkeypatch.setenv("FAKE_FAIL", "fit")
    job = made.begin(manifest=str(manifest), splits=str(splits), epochs=1)
    until(job, lambda view: not view.is_busy)
    rows.append(row(63, "p6", made.folder))
    made.manifest_of("m.csv", *rows)
    write_splits(splits, manifest, (("p1", "p6"), ("p2",), ("p4",)))
    monkeypatch.delenv("FAKE_FAIL")
    asked.go_on(job.id, report=nothing)
    view = until(job, lambda view: not view.is_busy and "image-63" in view.sentence)
    assert view.status == "failed"


def test_a_frozen_test_is_chosen_once(made: Desk) -> None:
    with pytest.raises(MammoviewError, match="chosen once"):
        frozen.freeze("phantoms", made.manifest, made.splits, 0)
    assert [entry.who for entry in history.read().entries] == ["Dr. Who"]
    assert frozen.load("phantoms").patients == set(TEST)


def test_the_trainer_divides_where_no_splits_are_given(made: Desk) -> None:
    test = asked.freeze("second", made.manifest, None, 0, "me", report=nothing)
    assert test.patients == {"p6"}, "the pretended trainer tests on the last patient"


@pytest.mark.parametrize(
    ("name", "said"), [("", "no name"), ("No Name", "small letters"), ("../up", "small letters")]
)
def test_names_are_plain(made: Desk, name: str, said: str) -> None:
    with pytest.raises(MammoviewError, match=said):
        frozen.freeze(name, made.manifest, made.splits, 0)


def test_splits_of_another_manifest_and_folds_that_are_not_there_are_refused(made: Desk) -> None:
    other = made.manifest_of("other.csv", row(1, "p1", made.folder))
    with pytest.raises(MammoviewError, match="another manifest"):
        frozen.freeze("other", other, made.splits, 0)
    with pytest.raises(MammoviewError, match="no fold 3, only 0 to 0"):
        frozen.freeze("other", made.manifest, made.splits, 3)
    empty = write_splits(made.folder / "empty.json", made.manifest, (TRAIN, VAL, ()))
    with pytest.raises(MammoviewError, match="no image"):
        frozen.freeze("other", made.manifest, empty, 0)


def change(path: Path, **facts: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


def test_a_frozen_test_that_was_altered_stops_everything(made: Desk) -> None:
    path = frozen.folder_of_all() / "phantoms" / "frozen.json"
    whole = path.read_text()
    change(path, patients=["p6"])
    with pytest.raises(MammoviewError, match="altered"):
        made.begin()
    content = json.loads(whole) | {"patients": ["p6"]}
    facts = {key: value for key, value in content.items() if key not in ("format", "version", "hash")}
    change(path, hash=hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest())
    with pytest.raises(MammoviewError, match="not the one that was chosen"):
        made.begin()
    path.write_text("{")
    assert "damaged" in asked.choices(report=nothing).problem
    path.unlink()
    assert "is gone" in asked.choices(report=nothing).problem


@pytest.mark.parametrize("name", ["manifest.csv", "splits.json"])
def test_changed_files_of_a_frozen_test_are_noticed(made: Desk, name: str) -> None:
    path = frozen.folder_of_all() / "phantoms" / name
    path.write_text(path.read_text().replace("p5", "p1"))
    with pytest.raises(MammoviewError, match=r"changed|hash"):
        made.begin()


def test_splits_edited_by_hand_are_refused(made: Desk) -> None:
    made.splits.write_text(made.splits.read_text().replace("p5", "p9"))
    with pytest.raises(MammoviewError, match="edited by hand"):
        made.begin(splits=str(made.splits))
