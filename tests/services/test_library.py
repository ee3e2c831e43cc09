"""The library on real files: frames, failures, order, memory, and the GUI thread that never waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise, product
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
from dicom_files import J2K, TOMOSYNTHESIS, write_four_views, write_mg
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from app.core.dicom.pixels import read_frame
from app.core.dicom.reader import read_image
from app.core.imaging.image import Image
from app.core.settings import Settings
from app.services import decoding
from app.services import library as module
from app.services.assign import assigned
from app.services.develop import develop, thumbnail
from app.services.library import Library
from app.services.requests import Urgency
from app.services.session import Session


@pytest.fixture
def make(qtbot: QtBot) -> Iterator[Callable[..., Library]]:
    made: list[Library] = []

    def build(**settings: Any) -> Library:
        made.append(Library(Settings(**settings)))
        return made[-1]

    yield build
    for library in made:
        library.stop()


@pytest.fixture
def library(make: Callable[..., Library]) -> Library:
    return make()


def opened(qtbot: QtBot, library: Library, *paths: Path) -> dict[str, Image]:
    """Open paths, wait, and return the images by label."""
    with qtbot.waitSignal(library.collection_changed):
        library.open(paths)
    return {image.label: image for image in images(library)}


def images(library: Library) -> list[Image]:
    return [
        image
        for patient in library.collection.patients
        for study in patient.studies
        for image in study.images
    ]


def decoded(qtbot: QtBot, library: Library, image: Image, frame: int = 0) -> module.FramePixels:
    def there() -> bool:
        found = library.frame(image, frame)
        return found is not None and not found.refining

    qtbot.waitUntil(there)
    found = library.frame(image, frame)
    assert found is not None
    return found


def breast(rows: int, columns: int, *, chest: str = "right", high: int = 3000) -> np.ndarray:
    """Half an ellipse of tissue on air, its flat side at the chest wall."""
    down, across = np.mgrid[0:rows, 0:columns]
    away = (columns - 1 - across) if chest == "right" else across
    inside = ((down - rows / 2) / (0.4 * rows)) ** 2 + (away / (0.7 * columns)) ** 2 < 1
    grain = np.random.default_rng(1).integers(0, 400, (rows, columns))
    return np.where(inside, high + grain - 200, 20).astype(np.uint16)


def test_an_exam_is_found_and_decoded_bit_for_bit(qtbot: QtBot, library: Library, tmp_path: Path) -> None:
    pixels = breast(300, 200)
    write_mg(tmp_path / "a.dcm", pixels, laterality="R", view="CC", orientation=("P", "L"))
    image = opened(qtbot, library, tmp_path)["RCC"]
    frame = decoded(qtbot, library, image)
    assert np.array_equal(frame.stored, pixels)
    assert not frame.stored.flags.writeable
    assert not frame.refining
    assert not frame.incomplete
    assert len(frame.alternatives) == 1
    assert library.frame(image) is frame


def test_the_breast_and_the_air_are_found(qtbot: QtBot, library: Library, tmp_path: Path) -> None:
    write_mg(tmp_path / "a.dcm", breast(300, 200), laterality="R", view="CC", orientation=("P", "L"))
    frame = decoded(qtbot, library, opened(qtbot, library, tmp_path)["RCC"])
    # By the ellipse: rows 150 +- 120, columns from 199 - 140 to the chest wall.
    assert frame.breast == pytest.approx((30, 59, 270, 200), abs=4)
    assert frame.mask[5, 5]
    assert not frame.mask[150, 150]


@pytest.mark.parametrize("padding", [None, 0, 4000])
def test_the_air_is_set_aside_even_where_the_named_padding_is_never_used(
    qtbot: QtBot, library: Library, tmp_path: Path, padding: int | None
) -> None:
    write_mg(tmp_path / "a.dcm", breast(300, 200), view="CC", orientation=("P", "L"), padding=padding)
    frame = decoded(qtbot, library, opened(qtbot, library, tmp_path)["RCC"])
    assert frame.mask[5, 5]
    assert frame.pyramid.padding is None
    assert frame.breast == pytest.approx((30, 59, 270, 200), abs=4)


def test_named_padding_is_masked_exactly(qtbot: QtBot, library: Library, tmp_path: Path) -> None:
    pixels = breast(300, 200)
    pixels[:, :40] = 7
    write_mg(tmp_path / "a.dcm", pixels, view="CC", orientation=("P", "L"), padding=7)
    frame = decoded(qtbot, library, opened(qtbot, library, tmp_path)["RCC"])
    assert frame.pyramid.padding is not None
    assert np.array_equal(frame.pyramid.padding, pixels == 7)
    # A strip at one side is not what surrounds the breast: the air beside it is set aside too.
    assert frame.mask[pixels == 7].all()
    assert frame.mask[5, 60:].all()
    assert not frame.mask[150, 120:].any()


@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
def test_the_air_is_set_aside_with_padding_that_is_rare(
    qtbot: QtBot, library: Library, tmp_path: Path, photometric: str
) -> None:
    pixels = breast(300, 200)
    pixels[0, :24] = 0  # 0.04 % of the frame
    named = 0
    if photometric == "MONOCHROME1":
        pixels, named = (4095 - pixels).astype(np.uint16), 4095
    facts: dict[str, Any] = {"photometric": photometric, "padding": named}
    write_mg(tmp_path / "a.dcm", pixels, view="CC", orientation=("P", "L"), **facts)
    frame = decoded(qtbot, library, opened(qtbot, library, tmp_path)["RCC"])
    assert frame.mask[0, :24].all()
    assert frame.mask[5:30, :].all()
    assert frame.mask[280:, :].all()
    assert not frame.mask[150, 150]
    assert frame.breast == pytest.approx((30, 59, 270, 200), abs=4)


def test_the_frame_says_what_only_pixels_tell(qtbot: QtBot, library: Library, tmp_path: Path) -> None:
    write_mg(tmp_path / "a.dcm", breast(300, 200, chest="left"), view="CC", orientation=None)
    image = opened(qtbot, library, tmp_path)["RCC"]
    assert image.orientation is None
    frame = decoded(qtbot, library, image)
    assert frame.image.orientation is not None
    assert frame.image.orientation[0] == "A"  # the chest wall is at the left, anterior to the right
    assert "orientation-inferred" in [note.code for note in frame.image.notes]


def test_a_reduced_picture_comes_first_and_says_refining(
    qtbot: QtBot, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "THREADS", 1)  # else the whole of one small image may come first
    write_mg(tmp_path / "a.dcm", breast(1024, 768), view="CC", orientation=("P", "L"), transfer_syntax=J2K)
    image = opened(qtbot, library, tmp_path)["RCC"]
    seen: list[module.FramePixels] = []
    library.frame_ready.connect(lambda key, frame: seen.append(library.present(key, frame)))
    library.set_screen([(image, 0)])
    qtbot.waitUntil(lambda: bool(seen) and not seen[-1].refining)
    assert [frame.refining for frame in seen] == [True, False]
    look, whole = seen
    assert max(look.stored.shape) < max(whole.stored.shape)
    corners = look.to_stored.apply_box((0, 0, *look.stored.shape))
    assert corners == pytest.approx((0, 0, 1024, 768))
    assert look.breast == pytest.approx(whole.breast, abs=24)


def test_a_frame_that_cannot_be_decoded_fails_with_one_sentence(
    qtbot: QtBot, library: Library, tmp_path: Path
) -> None:
    path = write_mg(tmp_path / "a.dcm", breast(300, 200), view="CC", transfer_syntax=J2K)
    data = bytearray(path.read_bytes())
    start = data.rindex(b"\xff\x4f\xff\x51")
    data[start : start + 400] = bytes(400)
    path.write_bytes(data)
    image = opened(qtbot, library, tmp_path)["RCC"]
    with qtbot.waitSignal(library.frame_failed) as failed:
        assert library.frame(image) is None
    key, frame, sentence = failed.args
    assert (key, frame) == (image.key, 0)
    assert str(path) in sentence
    assert "\n" not in sentence
    assert library.failure(image) == sentence
    assert library.frame(image) is None  # and is not tried again
    qtbot.waitUntil(lambda: not library.busy)
    assert len(library._failures) == 1


def test_a_truncated_frame_is_shown_and_marked(qtbot: QtBot, library: Library, tmp_path: Path) -> None:
    path = write_mg(tmp_path / "a.dcm", breast(300, 200), view="CC", orientation=("P", "L"))
    path.write_bytes(path.read_bytes()[:-30000])
    image = opened(qtbot, library, tmp_path)["RCC"]
    assert decoded(qtbot, library, image).incomplete


def test_the_frames_beside_the_one_on_screen_are_decoded_too(
    qtbot: QtBot, library: Library, tmp_path: Path
) -> None:
    frames = np.stack([np.full((80, 60), 100 * number, np.uint16) for number in range(9)])
    write_mg(tmp_path / "a.dcm", frames, view="CC", orientation=("P", "L"), sop_class=TOMOSYNTHESIS)
    opened(qtbot, library, tmp_path)
    image = images(library)[0]
    assert image.frames == 9
    library.set_screen([(image, 4)])
    qtbot.waitUntil(lambda: not library.busy)
    there = [number for number in range(9) if library.settled(image.key, number)]
    assert there == [3, 4, 5]
    for number in there:
        frame = library.present(image.key, number)
        assert frame is not None
        assert frame.stored[0, 0] == 100 * number


def test_another_image_on_screen_leaves_a_waiting_thumbnail_of_many_frames_in_its_place(
    qtbot: QtBot, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = np.stack([np.full((80, 60), 100 * number, np.uint16) for number in range(9)])
    write_mg(tmp_path / "a.dcm", frames, view="CC", orientation=("P", "L"), sop_class=TOMOSYNTHESIS)
    write_mg(tmp_path / "b.dcm", breast(80, 60), view="MLO", orientation=("P", "L"))
    opened(qtbot, library, tmp_path)
    many, single = sorted(images(library), key=lambda image: -image.frames)
    with monkeypatch.context() as busy:
        busy.setattr(library, "_pump", lambda: None)  # all threads are taken
        library.thumbnail(many)
    with qtbot.waitSignal(library.thumbnail_ready) as told:
        library.set_screen([(single, 0)])
    assert told.args == [many.key]


def test_the_file_that_is_gone_fails_alone(qtbot: QtBot, library: Library, tmp_path: Path) -> None:
    write_four_views(tmp_path)
    found = opened(qtbot, library, tmp_path)
    found["RCC"].path.unlink()
    with qtbot.waitSignal(library.frame_failed):
        library.frame(found["RCC"])
    assert decoded(qtbot, library, found["LCC"]) is not None


def test_a_thumbnail_hangs_as_the_image_does(qtbot: QtBot, library: Library, tmp_path: Path) -> None:
    # Stored with the chest wall at the left although it is a right breast: P\L wants it at the right.
    pixels = breast(300, 200, chest="left")
    write_mg(tmp_path / "a.dcm", pixels, view="CC", orientation=("A", "L"), window=(2048, 4096))
    image = opened(qtbot, library, tmp_path)["RCC"]
    with qtbot.waitSignal(library.thumbnail_ready):
        assert library.thumbnail(image) is None
    small = library.thumbnail(image)
    assert small is not None
    assert small.dtype == np.uint8
    assert small.shape == (160, 107)
    assert small[80, -1] > 150
    assert small[80, 0] < 30


def test_a_thumbnail_of_a_decoded_frame_is_there_at_once(
    qtbot: QtBot, library: Library, tmp_path: Path
) -> None:
    write_four_views(tmp_path)
    image = opened(qtbot, library, tmp_path)["LMLO"]
    decoded(qtbot, library, image)
    assert library.thumbnail(image) is not None


def test_thumbnails_are_bounded_and_the_least_recently_used_goes_first(
    qtbot: QtBot, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "THUMBNAILS", 2)
    for number in range(3):
        write_mg(tmp_path / f"{number}.dcm", breast(300, 200), view="CC", orientation=("P", "L"))
    opened(qtbot, library, tmp_path)
    one, two, three = images(library)

    def there(image: Image) -> bool:
        return library.thumbnail(image) is not None

    for each in (one, two):
        qtbot.waitUntil(lambda each=each: there(each))
    assert there(one)
    qtbot.waitUntil(lambda: there(three))
    assert there(one)
    assert there(three)
    assert not there(two)
    qtbot.waitUntil(lambda: there(two))


def test_memory_stays_within_its_bound_but_for_the_screen(
    qtbot: QtBot, make: Callable[..., Library], tmp_path: Path
) -> None:
    library = make(cache_mib=1)
    write_four_views(tmp_path, size=(400, 300))  # 360 kB each with its mask: two fit into a MiB
    found = opened(qtbot, library, tmp_path)
    for image in found.values():
        decoded(qtbot, library, image)
        assert library.cache.nbytes <= 1 << 20
    library.set_screen((image, 0) for image in found.values())
    qtbot.waitUntil(lambda: all(library.settled(image.key) for image in found.values()))
    assert library.cache.nbytes > 1 << 20
    library.set_screen([])
    assert library.cache.nbytes <= 1 << 20


def test_prefetching_never_costs_the_study_that_is_read(
    qtbot: QtBot, make: Callable[..., Library], tmp_path: Path
) -> None:
    library = make(cache_mib=2)
    write_four_views(tmp_path / "a", size=(400, 300), StudyInstanceUID="1.1", PatientID="1")
    write_four_views(tmp_path / "b", size=(400, 300), StudyInstanceUID="1.2", PatientID="2")
    opened(qtbot, library, tmp_path)
    first, second = (patient.studies[0] for patient in library.collection.patients)
    library.set_study(first)
    library.prefetch(second.images)
    qtbot.waitUntil(lambda: not library.busy)
    assert all(library.settled(image.key) for image in first.images)
    assert not all(library.settled(image.key) for image in second.images)
    assert library.cache.nbytes <= 2 << 20


def test_the_next_study_is_decoded_before_it_is_opened(
    qtbot: QtBot, library: Library, tmp_path: Path
) -> None:
    write_four_views(tmp_path / "a", StudyInstanceUID="1.1", PatientID="1")
    write_four_views(tmp_path / "b", StudyInstanceUID="1.2", PatientID="2")
    session = Session(library)
    opened(qtbot, library, tmp_path)
    qtbot.waitUntil(lambda: not library.busy)
    session.next_study()
    assert session.screen.study is not None
    assert all(library.settled(image.key) for image in session.screen.study.images)


def test_the_screen_is_decoded_before_the_study_the_next_one_and_thumbnails(
    qtbot: QtBot, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_four_views(tmp_path / "a", StudyInstanceUID="1.1", PatientID="1")
    write_four_views(tmp_path / "b", StudyInstanceUID="1.2", PatientID="2")
    opened(qtbot, library, tmp_path)
    started: list[Urgency] = []
    whole = library._useful
    monkeypatch.setattr(
        library._decoding, "_useful", lambda request: started.append(request.urgency) or whole(request)
    )
    monkeypatch.setattr(decoding, "THREADS", 0)  # hold everything back while it is asked for
    first, second = (patient.studies[0] for patient in library.collection.patients)
    for image in (*first.images, *second.images):
        library.thumbnail(image)
    library.prefetch(second.images)
    library.set_screen([(first.images[3], 0)])
    library.set_study(first)
    library.prefetch(second.images)
    monkeypatch.setattr(decoding, "THREADS", 2)
    library._decoding.pump()
    qtbot.waitUntil(lambda: not library.busy)
    assert started == sorted(started)
    assert set(started) == set(Urgency)


def test_what_was_asked_of_an_older_collection_is_never_told(
    qtbot: QtBot, library: Library, tmp_path: Path
) -> None:
    write_four_views(tmp_path / "a", StudyInstanceUID="1.1", size=(600, 400))
    write_four_views(tmp_path / "b", StudyInstanceUID="1.2")
    old = opened(qtbot, library, tmp_path / "a")
    told: list[tuple[str, str]] = []
    library.frame_ready.connect(lambda key, frame: told.append(key))
    library.set_screen((image, 0) for image in old.values())
    # The new collection arrives while the old images are being decoded.
    opening = module.Job(module.find_images, ())
    library._opening = opening
    library._found(opening, library.collection)
    qtbot.wait(300)
    qtbot.waitUntil(lambda: not library.busy)
    assert told == []


def test_opening_can_be_cancelled_and_leaves_what_was_open(
    qtbot: QtBot, library: Library, tmp_path: Path
) -> None:
    write_four_views(tmp_path / "a")
    for number in range(200):
        (tmp_path / "b").mkdir(exist_ok=True)
        (tmp_path / "b" / f"{number}.txt").write_text("text")
    found = opened(qtbot, library, tmp_path / "a")
    with qtbot.assertNotEmitted(library.collection_changed, wait=300):
        library.open([tmp_path / "b"])
        assert library.opening
        library.cancel()
        assert not library.opening
    assert len(images(library)) == 4
    assert decoded(qtbot, library, found["RCC"]) is not None


def test_naming_an_image_by_hand_decodes_it_anew(qtbot: QtBot, library: Library, tmp_path: Path) -> None:
    write_mg(tmp_path / "a.dcm", breast(300, 200, chest="left"), laterality=None, view=None, orientation=None)
    opened(qtbot, library, tmp_path)
    image = images(library)[0]
    assert decoded(qtbot, library, image).image.orientation is None
    with qtbot.waitSignal(library.collection_changed):
        library.amend([assigned(image, "L", "CC")])
    (named,) = images(library)
    assert named.label == "LCC"
    frame = decoded(qtbot, library, named)
    assert frame.image.orientation is not None
    assert frame.image.orientation[0] == "A"


def test_the_gui_thread_never_waits_while_an_exam_opens(
    qtbot: QtBot, library: Library, tmp_path: Path
) -> None:
    for name, side, view, letters in (
        ("RCC", "R", "CC", ("P", "L")),
        ("LCC", "L", "CC", ("A", "R")),
        ("RMLO", "R", "MLO", ("P", "FL")),
        ("LMLO", "L", "MLO", ("A", "FR")),
    ):
        pixels = breast(2048, 1664, chest="right" if side == "R" else "left")
        write_mg(
            tmp_path / f"{name}.dcm",
            pixels,
            laterality=side,
            view=view,
            orientation=letters,
            transfer_syntax=J2K,
        )
    session = Session(library)
    timer = QTimer()
    timer.setInterval(2)
    ticks = [(time.monotonic(), time.thread_time())]
    timer.timeout.connect(lambda: ticks.append((time.monotonic(), time.thread_time())))
    timer.start()
    with beside() as others:
        session.open_paths([tmp_path])

        def all_there() -> bool:
            panes = session.screen.panes
            views = [pane.viewport.image for pane in panes if pane.viewport.image is not None]
            return len(views) == 4 and all(library.settled(view.key) for view in views)

        qtbot.waitUntil(all_there)
    timer.stop()
    assert len(ticks) > 20
    for (start, before), (end, after) in pairwise(ticks):
        assert after - before < 0.25, f"the GUI thread worked for {after - before:.3f} s at a stretch"
        # A machine that is busy lets every thread wait; what only the GUI thread waited for is its own fault.
        fault = end - start - stillest(others, start, end)
        assert fault < 0.25, f"the GUI thread stood still for {fault:.3f} s longer than another one"


@contextmanager
def beside() -> Iterator[list[float]]:
    """Collect the times at which a thread that does nothing else was awake."""
    awake, done = [time.monotonic()], Event()

    def tick() -> None:
        while not done.wait(0.002):
            awake.append(time.monotonic())

    thread = Thread(target=tick)
    thread.start()
    yield awake
    done.set()
    thread.join()


def stillest(awake: list[float], start: float, end: float) -> float:
    """Return the longest time between two awakenings, as far as it lies between two times."""
    gaps = ((max(one, start), min(two, end)) for one, two in pairwise([*awake, end]))
    return max((two - one for one, two in gaps if two > one), default=0.0)


def test_a_folder_without_mammograms_leaves_open_what_is_open(
    qtbot: QtBot, library: Library, tmp_path: Path
) -> None:
    full, empty, foreign = tmp_path / "full", tmp_path / "empty", tmp_path / "foreign"
    for folder in (full, empty, foreign):
        folder.mkdir()
    write_mg(full / "a.dcm", breast(300, 200, chest="left"))
    (foreign / "letter.dcm").write_text("Dear colleague")
    opened(qtbot, library, full)
    (image,) = images(library)
    pixels = decoded(qtbot, library, image)
    for folder, left_out in ((empty, []), (foreign, ["letter.dcm"])):
        with qtbot.waitSignal(library.nothing_found) as heard:
            library.open([folder])
        assert [item.path.name for item in heard.args[0].left_out] == left_out
        assert images(library) == [image]
        assert library.frame(image) is pixels
        assert not library.opening


@pytest.mark.parametrize(
    ("rows", "columns"), [*product((1, 2, 3, 8), (1, 2, 3, 7)), (1, 5000), (5000, 1), (3, 30000), (50000, 2)]
)
def test_an_image_of_a_few_pixels_is_shown_like_any_other(tmp_path: Path, rows: int, columns: int) -> None:
    for number in range(30 if rows * columns < 100 else 2):
        stored = np.random.default_rng(number).integers(0, 2, (rows, columns)).astype(np.uint16) * 4000
        path = write_mg(tmp_path / "a.dcm", stored, orientation=None)
        image = read_image(path)
        frame = develop(image, 0, read_frame(image))
        assert np.array_equal(frame.stored, stored)
        assert thumbnail(frame).size
        row0, col0, row1, col1 = frame.breast
        assert 0 <= row0 < row1 <= rows
        assert 0 <= col0 < col1 <= columns
