"""Promoting and demoting: what is installed, what is read with, and the history that tells it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from training_desk import Desk, make_desk

sys.path.insert(0, str(Path(__file__).parents[1] / "model_zoo"))
from tiny_bundles import tiny_bundle

from app.core import settings
from app.core.errors import MammoviewError
from app.services.inference import catalogue, shelf
from app.services.training import history, promotion
from app.services.training.job import Job

SHIPPED = "phantom-lesions"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return make_desk(tmp_path, monkeypatch)


def job(version: str, *, name: str = "mine", against: str = SHIPPED) -> Job:
    texts = dict.fromkeys(("recipe", "manifest", "splits", "device", "frozen", "made"), "x")
    one = Job(
        id=f"{name}-{version}",
        name=name,
        version=version,
        fold=0,
        seed=0,
        changes=(),
        against=against,
        **texts,
    )
    offset = float(version.split(".")[-1])
    tiny_bundle(one.bundle, name=name, model_version=version, offset=offset)
    return one


def version_in_use(name: str = "mine") -> str | None:
    found = shelf.installed().get(name)
    return found.version if found else None


def actions() -> list[tuple[str, str]]:
    return [(one.action, one.version) for one in history.read().entries if one.action != "froze"]


def test_promoted_demoted_and_all_of_it_told(made: Desk) -> None:
    promotion.promote(job("1.0.0"), "finds more", "Dr. A", compared=False)
    promotion.promote(job("1.0.1"), "fewer false boxes", "Dr. B", compared=False)
    assert version_in_use() == "1.0.1"
    back = promotion.demote("mine", "misses calcifications", "Dr. C")
    assert (back.version, version_in_use()) == ("1.0.0", "1.0.0")
    promotion.demote("mine", "not even that", "Dr. C")
    assert version_in_use() is None
    with pytest.raises(MammoviewError, match="could be taken back"):
        promotion.demote("mine", "again", "Dr. C")
    assert actions() == [("promoted", "1.0.0"), ("promoted", "1.0.1"), ("demoted", "1.0.0"), ("demoted", "")]
    entries = [one for one in history.read().entries if one.action != "froze"]
    assert [one.who for one in entries] == ["Dr. A", "Dr. B", "Dr. C", "Dr. C"]
    assert entries[1].before == entries[0].digest == entries[2].digest
    assert all(one.t.endswith("+00:00") for one in entries)


def test_an_older_version_is_put_back_whole(made: Desk) -> None:
    first = job("1.0.0")
    promotion.promote(first, "why", "", compared=False)
    before = {path.name: path.read_bytes() for path in (catalogue.user_folder() / "mine").iterdir()}
    promotion.promote(job("1.0.1"), "why", "", compared=False)
    promotion.demote("mine", "why", "")
    assert {path.name: path.read_bytes() for path in (catalogue.user_folder() / "mine").iterdir()} == before


def test_what_a_reader_installed_by_hand_comes_back(made: Desk) -> None:
    catalogue.install(tiny_bundle(made.folder / "own", name="mine", model_version="3.0.0").folder)
    promotion.promote(job("1.0.0"), "older, and better", "", compared=False)
    assert version_in_use() == "1.0.0"
    promotion.demote("mine", "it was not", "")
    assert version_in_use() == "3.0.0"


def test_the_new_model_takes_the_place_of_the_one_it_was_compared_with(made: Desk) -> None:
    settings.save(settings.Settings(models=("cbis-mass-detector", SHIPPED)))
    entry = promotion.promote(job("1.0.0"), "why", "", compared=True)
    assert settings.load().models == entry.reading_set == ("cbis-mass-detector", "mine")
    promotion.demote("mine", "why", "")
    assert settings.load().models == ("cbis-mass-detector", SHIPPED)


def test_a_reading_set_changed_since_is_left_to_the_reader(made: Desk) -> None:
    promotion.promote(job("1.0.0"), "why", "", compared=True)
    settings.save(replace(settings.load(), models=("mine", "mias-abnormality")))
    promotion.demote("mine", "why", "")
    assert settings.load().models == ("mias-abnormality",)


@pytest.mark.parametrize(
    ("before", "old", "after"),
    [
        ((), "", ()),
        ((), "new", ()),
        ((), "a", ("new", "b")),
        (("a",), "", ("a", "new")),
        (("a", "b"), "b", ("a", "new")),
        (("b",), "a", ("b", "new")),
        (("a", "new"), "a", ("new",)),
    ],
)
def test_reading_sets(before: tuple[str, ...], old: str, after: tuple[str, ...]) -> None:
    assert promotion.reading_set(before, ("a", "b", "new"), old, "new") == after


def test_no_reason_no_promotion(made: Desk) -> None:
    with pytest.raises(MammoviewError, match="say in one line why"):
        promotion.promote(job("1.0.0"), " \n ", "", compared=False)
    assert version_in_use() is None
    assert actions() == []


def test_a_shipped_model_is_never_touched(made: Desk) -> None:
    with pytest.raises(MammoviewError, match="comes with Mammoview"):
        promotion.promote(job("9.0.0", name=SHIPPED), "why", "", compared=False)
    with pytest.raises(MammoviewError, match="comes with Mammoview"):
        shelf.take_away(SHIPPED)
    assert shelf.installed()[SHIPPED].shipped


def test_a_bundle_that_was_changed_is_not_promoted(made: Desk) -> None:
    one = job("1.0.0")
    (one.bundle / "MODEL_CARD.md").write_text("better than it is")
    with pytest.raises(MammoviewError, match=r"MODEL_CARD\.md"):
        promotion.promote(one, "why", "", compared=False)
    assert version_in_use() is None


def test_nothing_is_exchanged_when_the_history_cannot_be_written(
    made: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    promotion.promote(job("1.0.0"), "why", "", compared=False)

    def full(entry: history.Entry) -> history.Entry:
        raise MammoviewError("history.jsonl: the history cannot be written (No space left on device)")

    with monkeypatch.context() as patch:
        patch.setattr(history, "append", full)
        with pytest.raises(MammoviewError, match="No space left"):
            promotion.promote(job("1.0.1"), "why", "", compared=True)
        assert version_in_use() == "1.0.0"
        assert settings.load().models == ()
        with pytest.raises(MammoviewError, match="No space left"):
            promotion.demote("mine", "why", "")
        assert version_in_use() == "1.0.0"
    assert actions() == [("promoted", "1.0.0")]


def test_an_archive_that_lost_the_old_model_says_so_and_leaves_the_new_one(made: Desk) -> None:
    first = promotion.promote(job("1.0.0"), "why", "", compared=False)
    promotion.promote(job("1.0.1"), "why", "", compared=False)
    kept = promotion.archive_folder() / first.digest[:16] / "mine"
    kept.rename(kept.with_name("elsewhere"))
    with pytest.raises(MammoviewError, match="not in the archive any more"):
        promotion.demote("mine", "why", "")
    assert version_in_use() == "1.0.1"


def test_lines_are_only_added_and_a_damaged_one_is_passed_over(made: Desk) -> None:
    promotion.promote(job("1.0.0"), "first", "", compared=False)
    with history.path().open("ab") as stream:
        stream.write(b'{"half a line')
    promotion.decline(job("1.0.1"), "worse in dense\nbreasts", "Dr. D")
    before = history.path().read_bytes()
    found = history.read()
    assert found.damaged == 1
    assert [one.action for one in found.entries] == ["froze", "promoted", "declined"]
    assert found.entries[-1].why == "worse in dense breasts"
    promotion.demote("mine", "why", "")
    assert history.path().read_bytes().startswith(before)
    assert all(json.loads(line) for line in history.path().read_bytes().splitlines() if b"half" not in line)
