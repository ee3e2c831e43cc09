"""Images of cases: the next ones are decoded in advance, small pictures only of what is looked at."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from dicom_files import J2K, write_mg

from app.core.audit.cases import table_of
from app.core.manifest import file_sha256
from app.services.audit import pictures
from app.services.audit.pictures import CasePictures
from app.services.library import Library
from app.services.requests import Urgency

sys.path.insert(0, str(Path(__file__).parents[2] / "core" / "audit"))
from made_cases import row

COUNT = 8


@pytest.fixture
def library(qtbot):
    made = Library()
    yield made
    made.stop()


@pytest.fixture
def shown(library: Library, tmp_path: Path):
    """The pictures of eight images, four to an exam."""
    rows = []
    for number in range(COUNT):
        path = tmp_path / f"{number}.dcm"
        write_mg(path, np.full((64, 64), 300 * (number + 1), np.uint16), window=(2048, 4096))
        rows.append(row(number, path=path, sha256=file_sha256(path), rows=64, columns=64))
    made = CasePictures(library)
    made.begin(table_of(rows, []))
    yield made
    made.forget()
    made._jobs.close()
    made._thumbs.close()


def told_by(made: CasePictures) -> list[int]:
    told: list[int] = []
    made.thumbnail_ready.connect(told.append)
    return told


def decoded(made: CasePictures, number: int) -> bool:
    image = made._images.get(number)
    return image is not None and made._library.settled(image.key)


def test_the_next_case_is_decoded_in_advance_though_all_headers_are_known(shown, qtbot) -> None:
    told = told_by(shown)
    for number in range(COUNT):
        shown.thumbnail(number)
    qtbot.waitUntil(lambda: len(told) == COUNT)
    assert not decoded(shown, 5)
    shown.show(0, (5, 2))
    qtbot.waitUntil(lambda: decoded(shown, 5) and decoded(shown, 2))


def test_only_the_cases_that_come_next_are_decoded_not_the_rest_of_their_exams(shown, qtbot) -> None:
    shown.show(0, (5,))
    qtbot.waitUntil(lambda: decoded(shown, 5) and not shown._library.busy)
    assert not any(decoded(shown, number) for number in (4, 6, 7))


def test_cases_that_are_not_next_any_more_wait_no_longer(shown, library, qtbot, monkeypatch) -> None:
    monkeypatch.setattr(library, "_pump", lambda: None)  # whatever is asked for waits
    shown.show(0, (1, 2, 3))
    qtbot.waitUntil(lambda: bool(shown._ahead))
    shown.show(4, (3, 5))
    qtbot.waitUntil(lambda: shown._ahead[-1].path.stem == "5")
    waiting = [each for _, each in library._decoding.queue._waiting.values()]
    assert {each.image.path.stem for each in waiting if each.urgency is Urgency.NEXT} == {"3", "5"}


def test_no_small_picture_is_made_of_what_was_scrolled_past(shown, qtbot, monkeypatch) -> None:
    monkeypatch.setattr(pictures, "WANTED", 3)
    told = told_by(shown)
    for number in range(COUNT):
        assert shown.thumbnail(number) is None
    qtbot.waitUntil(lambda: len(told) == 3)
    qtbot.waitUntil(lambda: not shown._library.busy and shown._reading is None)
    assert told == [7, 6, 5]  # the one asked for last comes first
    assert shown.thumbnail(7).max() > 0
    assert shown.thumbnail(0) is None
    qtbot.waitUntil(lambda: told[-1] == 0)  # in sight again


def test_an_image_without_a_small_picture_is_not_asked_for_again(shown, qtbot, tmp_path: Path) -> None:
    told = told_by(shown)
    whole = (tmp_path / "3.dcm").read_bytes()
    (tmp_path / "3.dcm").unlink()
    (tmp_path / "4.dcm").write_bytes(whole[:200])
    for number in (3, 4, 5):
        shown.thumbnail(number)
    qtbot.waitUntil(lambda: told == [5])
    assert shown.thumbnail(3) is None
    assert shown.thumbnail(4) is None
    assert (shown._reading, shown._drawing, len(shown._wanted)) == (None, None, 0)


def test_an_image_known_to_have_no_small_picture_stops_no_others(shown, qtbot, tmp_path: Path) -> None:
    grey = np.full((64, 64), 900, np.uint16)
    path = write_mg(tmp_path / "3.dcm", grey, window=(2048, 4096), transfer_syntax=J2K)
    data = bytearray(path.read_bytes())
    start = data.rindex(b"\xff\x4f\xff\x51")  # the beginning of its codestream
    data[start:] = bytes(len(data) - start)
    path.write_bytes(data)
    table = shown._table
    for last in (5, 6):  # as the data is opened, and opened again
        shown.begin(table)
        told = told_by(shown)
        shown.thumbnail(3)
        qtbot.waitUntil(lambda told=told: 3 in told)
        shown.thumbnail(last)
        qtbot.waitUntil(lambda told=told, last=last: last in told)
        assert shown.thumbnail(3) is None
        assert shown.thumbnail(last) is not None


def test_a_failure_that_nobody_foresaw_stops_neither_the_others_nor_itself_anew(
    shown, qtbot, monkeypatch
) -> None:
    told, asked = told_by(shown), []

    def fails(rows, *, report):
        asked.append([number for number, _ in rows])
        if asked[-1] == [0]:
            raise ValueError("something")
        return pictures_read(rows, report=report)

    pictures_read = pictures.read_rows
    monkeypatch.setattr(pictures, "read_rows", fails)
    shown.thumbnail(0)
    qtbot.waitUntil(lambda: asked == [[0]])
    shown.thumbnail(1)
    qtbot.waitUntil(lambda: told == [1])
    assert shown.thumbnail(0) is None
    assert asked == [[0], [1]]


def test_opening_other_files_leaves_no_small_picture_waiting_for_ever(
    shown, library, qtbot, monkeypatch
) -> None:
    told = told_by(shown)
    monkeypatch.setattr(library, "_pump", lambda: None)
    shown.thumbnail(2)
    qtbot.waitUntil(lambda: shown._drawing is not None)
    monkeypatch.undo()
    library._decoding.forget()  # as opening does
    library.collection_changed.emit(library.collection)
    assert shown.thumbnail(6) is None
    qtbot.waitUntil(lambda: {2, 6} <= set(told))


def test_nothing_is_begun_while_the_table_is_scrolled(shown, qtbot, monkeypatch) -> None:
    monkeypatch.setattr(shown._rest, "isActive", lambda: True)
    told = told_by(shown)
    shown.thumbnail(0)
    qtbot.wait(2 * pictures.REST_MS)
    assert shown._reading is None
    assert shown._drawing is None
    monkeypatch.undo()
    shown.thumbnail(1)
    qtbot.waitUntil(lambda: told == [1, 0])
