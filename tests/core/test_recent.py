"""The list of what was opened lately."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from app.core.errors import ReadError
from app.core.recent import MOST, MOST_PATHS, added, load, save, title


def test_what_is_saved_comes_back_newest_first(tmp_path: Path) -> None:
    file = tmp_path / "config" / "recent.json"
    recent = added(added((), [Path("/exams/a")]), [Path("/exams/b"), Path("/exams/c")])
    save(recent, file)
    assert load(file) == ((Path("/exams/b"), Path("/exams/c")), (Path("/exams/a"),))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_opening_again_moves_up_and_does_not_double() -> None:
    recent = added(added(added((), [Path("/a")]), [Path("/b")]), [Path("/a")])
    assert recent == ((Path("/a"),), (Path("/b"),))


def test_the_list_is_short_and_a_thousand_files_are_kept_as_their_folder() -> None:
    recent: tuple[tuple[Path, ...], ...] = ()
    for number in range(MOST + 5):
        recent = added(recent, [Path(f"/{number}")])
    assert len(recent) == MOST
    assert recent[0] == (Path(f"/{MOST + 4}"),)
    many = added((), [Path(f"/exam/{number}.dcm") for number in range(MOST_PATHS + 1)])
    assert many == ((Path("/exam"),),)


@pytest.mark.parametrize("text", ["", "{", '{"a": 1}', "[1, 2]", '[["/a", 3]]', "[[]]"])
def test_a_damaged_list_is_an_empty_one(tmp_path: Path, text: str) -> None:
    file = tmp_path / "recent.json"
    file.write_text(text)
    assert load(file) == ()
    assert load(tmp_path / "none.json") == ()


def test_what_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReadError, match=r"recent\.json: cannot be written"):
        save(((Path("/a"),),), tmp_path / "file" / "recent.json")


def test_titles_say_the_last_two_parts() -> None:
    assert title((Path("/data/exams/Monday"),)) == "exams/Monday"
    assert title((Path("/data/a.dcm"), Path("/data/b.dcm"))) == "data/a.dcm and 1 more"
    assert title((Path("/"),)) == "/"
