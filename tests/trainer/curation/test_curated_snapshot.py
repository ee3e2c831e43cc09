from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from reading_days import Day

from app.core.audit.choice import Chosen, choosing
from app.core.manifest import file_sha256
from trainer import cli


@pytest.fixture
def day(tmp_path: Path) -> Day:
    made = Day(tmp_path)
    made.answer("RCC", "accepted", "Ada")
    made.draw("LCC", (30.0, 20.0, 45.0, 40.0), "distortion", "Ben")
    made.report("Ada", right="4A", left="3", density="b")
    return made


def snapshot(day: Day, name: str, *options: str) -> dict[str, bytes]:
    folder, out = day.folder / name, day.folder / f"{name}.csv"
    images = ("--images", str(day.images))
    arguments = ["index", "curated", str(day.path), "-o", str(out), *images, "--snapshot", str(folder)]
    assert cli.main([*arguments, *options]) == 0
    assert (folder / "manifest.csv").read_bytes() == out.read_bytes()
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_store_gives_the_same_bytes(day: Day) -> None:
    assert snapshot(day, "one") == snapshot(day, "two")


def test_later_changes_are_no_part_of_it_where_its_change_is_named(day: Day) -> None:
    first = snapshot(day, "one")
    day.answer("RMLO", "accepted", "Ada")
    day.report("Ada", right="2", left="2", density="d")
    assert snapshot(day, "two")["manifest.csv"] != first["manifest.csv"]
    assert snapshot(day, "three", "--as-of", "3") == first


def test_a_snapshot_alone_makes_its_manifest_again(day: Day) -> None:
    files = snapshot(day, "one")
    day.store.close()
    day.path.unlink()
    for path in day.images.rglob("*.dcm"):
        path.unlink()
    out = day.folder / "again.csv"
    assert cli.main(["index", "curated", str(day.folder / "one"), "-o", str(out)]) == 0
    assert out.read_bytes() == files["manifest.csv"]
    assert out.with_name("again.csv.curation.jsonl").read_bytes() == files["manifest.csv.curation.jsonl"]


@pytest.mark.parametrize("verdict", [False, True])
def test_a_snapshot_keeps_how_its_own_images_were_chosen_and_no_others(day: Day, verdict: bool) -> None:
    for name in ("RCC", "gone"):
        file = day.images / "exam1" / "RCC.dcm"
        image = f"{file_sha256(file) if name == 'RCC' else 'f' * 64}/0"
        who = ("Ada", "2026-11-21T09:00:00+00:00")
        chosen = Chosen(image, f"exam1/{name}", f"P-{name}", "random", 0.5, 1, 4, 0, None, (), "", *who)
        for change in choosing([chosen], {}):
            day.store.commit(change)
    if verdict:
        day.verdict("RCC", "Ada", "label wrong", "malignant")
    files = snapshot(day, "one")
    record = files["manifest.csv.curation.jsonl"]
    assert b'"strategy":"random"' in record
    assert b"P-gone" not in files["changes.jsonl"]  # a patient of whom the set has no image
    out = day.folder / "again.csv"
    assert cli.main(["index", "curated", str(day.folder / "one"), "-o", str(out)]) == 0
    assert out.with_name("again.csv.curation.jsonl").read_bytes() == record


def test_a_snapshot_with_the_rest_of_a_manifest_and_other_rules(day: Day, capsys) -> None:
    table = day.images / "table.csv"
    paths = sorted(day.images.rglob("*.dcm"))
    table.write_text("path,label\n" + "".join(f"{p.relative_to(day.images)},normal\n" for p in paths[:3]))
    before = day.folder / "before.csv"
    assert cli.main(["index", "csv", str(day.images), "-o", str(before)]) == 0
    resolve = day.folder / "r.csv"
    resolve.write_text("case,reader\nexam1/RCC,leave-out\n")
    base = ["index", "curated", str(day.path), "-o", str(day.folder / "a.csv"), "--images", str(before)]
    more = ("--rest", "--resolve", str(resolve), "--reports", "override", "--conflicts", "latest")
    assert cli.main([*base, *more, "--snapshot", str(day.folder / "s")]) == 0
    again = ["index", "curated", str(day.folder / "s"), "-o", str(day.folder / "b.csv")]
    assert cli.main(again) == 0
    assert (day.folder / "b.csv").read_bytes() == (day.folder / "a.csv").read_bytes()
    capsys.readouterr()
    assert cli.main([*again, "--images", str(before)]) == 1
    assert "rules of its own" in capsys.readouterr().err


def test_the_hash_is_of_the_canonical_content(day: Day) -> None:
    files = snapshot(day, "one")
    content = json.loads(files["snapshot.json"])
    claimed = content.pop("hash")
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    assert claimed == hashlib.sha256(text.encode()).hexdigest()
    for name, sha256 in content["sha256"].items():
        assert sha256 == hashlib.sha256(files[name]).hexdigest()
    assert set(content["sha256"]) == set(files) - {"snapshot.json"}


@pytest.mark.parametrize("name", ["changes.jsonl", "before.csv", "manifest.csv", "snapshot.json"])
def test_an_altered_snapshot_is_refused(day: Day, capsys, name: str) -> None:
    snapshot(day, "one")
    path = day.folder / "one" / name
    path.write_bytes(
        path.read_bytes().replace(b"Ada", b"Eve").replace(b"leave-out", b"latest").replace(b"mass", b"cyst")
    )
    if name == "before.csv":
        path.write_bytes(path.read_bytes() + b"\n")
    out = day.folder / "again.csv"
    assert cli.main(["index", "curated", str(day.folder / "one"), "-o", str(out)]) == 1
    error = capsys.readouterr().err
    assert "not as it was when the snapshot was made" in error
    assert not out.exists()


def test_a_change_that_is_not_there_and_a_folder_that_is_taken_are_refused(day: Day, capsys) -> None:
    snapshot(day, "one")
    base = ["index", "curated", str(day.path), "--images", str(day.images), "-o", str(day.folder / "x.csv")]
    capsys.readouterr()
    assert cli.main([*base, "--as-of", "4"]) == 1
    assert "no change number 4 (the last is 3)" in capsys.readouterr().err
    assert cli.main([*base, "--snapshot", str(day.folder / "one")]) == 1
    assert "is not empty" in capsys.readouterr().err
