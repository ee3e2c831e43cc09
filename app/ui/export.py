"""What leaves the program: pictures and reports, written off the GUI thread.

Pictures carry no patient's data unless the reader asks for it each time; the clipboard never does.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QBuffer, QIODevice, QObject, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QCheckBox, QFileDialog, QWidget

from app.core.errors import MammoviewError
from app.core.imaging.image import Image
from app.core.reading.handles import identity
from app.core.reading.lexicon import Lexicon
from app.core.reading.report import Report, day
from app.core.reading.report_html import KeyPicture, body, page
from app.core.reading.report_text import Heading
from app.services.jobs import Job, Jobs
from app.services.library import ImageKey
from app.services.reporting import ReportState
from app.ui import identity as named
from app.ui import pictures, theme, wording
from app.ui.printing import Plate, pdf

KINDS: Final = "PDF (*.pdf);;Web page (*.html)"
BURN_IN: Final = "Write the patient's name, age and date into the picture"
OTHER_STUDY: Final = "The report was not written: another study was opened."
NOT_READY: Final = "The images are still being read: ask again in a moment."


class Export(QObject):
    """Answers the actions that save, copy and print; `message` says what became of it.

    `finished` carries a path once its file is there.
    """

    message = Signal(str)
    finished = Signal(object)

    def __init__(self, window) -> None:
        super().__init__(window)
        self._window, self._session = window, window.session
        self._jobs = Jobs(1, self)
        self._gathering: _KeyImages | None = None

    # Pictures

    def copy_screen(self) -> None:
        """Put all panes on the clipboard, nobody named."""
        if self._can_take(whole=True):
            self._copy(pictures.screen_picture(self._window.grid), "The screen")

    def copy_image(self) -> None:
        """Put the active pane on the clipboard, nobody named."""
        scene = self._window.grid.active_scene
        if self._can_take(whole=False) and scene is not None:
            self._copy(pictures.image_picture(scene), "The image")

    def save_screen(self) -> None:
        """Ask for a file and write all panes into it as PNG."""
        if not self._can_take(whole=True):
            return
        asked = ask_picture(self._window, "Save screen as PNG", "screen.png")
        if asked is not None and self._can_take(whole=True):  # others may have come while it was asked
            path, identified = asked
            self._save(pictures.screen_picture(self._window.grid, identified=identified), path)

    def save_image(self) -> None:
        """Ask for a file and write the active pane into it as PNG."""
        scene = self._window.grid.active_scene
        if not self._can_take(whole=False) or scene is None or scene.image is None:
            return
        name = f"{scene.image.label or 'image'}.png"
        asked = ask_picture(self._window, "Save image as PNG", name)
        if asked is not None:
            path, identified = asked
            self._save(pictures.image_picture(scene, identified=identified), path)

    def _can_take(self, *, whole: bool) -> bool:
        """Tell whether there is something to take and all of it is read; say so if not."""
        grid = self._window.grid
        scenes = (
            [grid.viewports[index].scene for index in grid.visible_panes] if whole else [grid.active_scene]
        )
        if not any(scene is not None and scene.frame is not None for scene in scenes):
            self.message.emit("There is no image to take.")
            return False
        if not all(pictures.is_ready(scene) for scene in scenes):
            self.message.emit(NOT_READY)
            return False
        return True

    def _copy(self, picture: QImage, what: str) -> None:
        QGuiApplication.clipboard().setImage(picture)
        self.message.emit(f"{what} is on the clipboard, without the patient's data.")

    def _save(self, picture: QImage, path: Path) -> None:
        self._start(_write_picture, picture, path)

    # Reports

    def copy_report(self, text: str) -> None:
        """Put the report on the clipboard as text."""
        QGuiApplication.clipboard().setText(text)
        self.message.emit("The report is on the clipboard.")

    def save_report(self, state: ReportState) -> None:
        """Ask for a file and write the report into it, as its name says: PDF or HTML."""
        if state.study is None or not state.is_written:
            self.message.emit(state.refused or "No report was begun.")
            return
        suggested = f"report{f' {state.study.date.isoformat()}' if state.study.date else ''}.pdf"
        path = ask_report(self._window, suggested)
        if path is None:
            return
        heading = heading_of(state, masked=self._session.settings.mask_names)
        work = self._session.work.state.work
        if work.study != state.study.key:  # opened while it was asked
            self.message.emit(OTHER_STUDY)
            return
        chosen = work.key_images
        self._gathering = _KeyImages(self._session, chosen, self)
        self._gathering.ready.connect(
            lambda plates: self._write(state.report, state.lexicon, heading, plates, path)
        )
        self._gathering.failed.connect(self.message)
        self._gathering.start()

    def _write(
        self, report: Report, lexicon: Lexicon, heading: Heading, plates: tuple[Plate, ...], path: Path
    ) -> None:
        self._start(_write_report, report, lexicon, heading, plates, path, theme.family())

    # Within

    def _start(self, work: Callable[..., Path], *args: object) -> None:
        self._jobs.start(Job(work, args), done=self._done, failed=self._failed)

    @Slot(object, object)
    def _done(self, job: Job, path: Any) -> None:
        self.message.emit(f"Written: {path.name}")
        self.finished.emit(path)

    @Slot(object, object)
    def _failed(self, job: Job, error: Any) -> None:
        words = str(error) if isinstance(error, MammoviewError) else "The file could not be made."
        self._window.show_error(words)


class _KeyImages(QObject):
    """Paints key images one after the other as their whole frames arrive; `ready` carries the plates."""

    ready = Signal(object)
    failed = Signal(str)

    def __init__(self, session, chosen: tuple[tuple[str, int], ...], parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        images = {identity(image): image for study in session.studies for image in study.images}
        self._left = [(images[uid], frame) for uid, frame in chosen if uid in images]
        self._plates: list[Plate] = []
        self._is_over = False

    def start(self) -> None:
        """Begin; an image that cannot be read ends it with a sentence."""
        self._session.library.frame_ready.connect(self._arrived)
        self._session.library.frame_failed.connect(self._not_read)
        self._session.leaving.connect(self._left_study)
        self._go_on()

    @Slot()
    def _go_on(self) -> None:
        if self._is_over:
            return
        if self._left:
            image, number = self._left[0]
            sentence = self._session.library.failure(image, number)
            if sentence:
                self._end()
                sentence = named.UNREAD if self._session.settings.mask_names else sentence
                self.failed.emit(f"The report was not written: {sentence}")
                return
            frame = self._session.library.frame(image, number)
            if frame is None or frame.refining:
                return
            self._left.pop(0)
            self._plates.append(Plate(pictures.key_picture(self._session, frame), caption(image, number)))
            QTimer.singleShot(0, self, self._go_on)  # one a turn: the window answers in between
            return
        self._end()
        self.ready.emit(tuple(self._plates))

    @Slot(object, int)
    def _arrived(self, key: ImageKey, frame: int) -> None:
        if self._left and (self._left[0][0].key, self._left[0][1]) == (key, frame):
            self._go_on()

    @Slot(object, int, str)
    def _not_read(self, key: ImageKey, frame: int, sentence: str) -> None:
        self._arrived(key, frame)

    @Slot()
    def _left_study(self) -> None:
        if self._left:
            self._end()
            self.failed.emit(OTHER_STUDY)

    def _end(self) -> None:
        self._is_over = True
        library = self._session.library
        library.frame_ready.disconnect(self._arrived)
        library.frame_failed.disconnect(self._not_read)
        self._session.leaving.disconnect(self._left_study)


def heading_of(state: ReportState, *, masked: bool = False) -> Heading:
    """Return whose report it is, as its pages say; `masked` names nobody."""
    study = state.study
    assert study is not None
    born, date = study.patient.birth_date, study.date
    return Heading(
        named.person(study.patient, masked=masked),
        named.number(study.patient, masked=masked),
        day(born) if born and not masked else "",
        day(date) if date else "",
        "" if masked else next((image.accession for image in study.images if image.accession), ""),
    )


def caption(image: Image, frame: int) -> str:
    """Return the line below a key image: view, date, frame."""
    parts = [image.label or "no view stated"]
    parts += [wording.day(image.acquired or image.study_date)] if image.acquired or image.study_date else []
    parts += [f"frame {frame + 1} of {image.frames}"] if image.frames > 1 else []
    return ", ".join(parts)


def ask_picture(parent: QWidget, title: str, name: str) -> tuple[Path, bool] | None:
    """Ask where to save a picture, and whether the patient is to be named in it (not unless ticked)."""
    dialog = QFileDialog(parent, title, name, "PNG (*.png)")
    # A box of our own has room only in Qt's dialog, not in the platform's.
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix("png")
    tick = QCheckBox(BURN_IN)
    layout = dialog.layout()
    if layout is not None:
        layout.addWidget(tick)
    if not dialog.exec():
        return None
    return Path(dialog.selectedFiles()[0]), tick.isChecked()


def ask_report(parent: QWidget, name: str) -> Path | None:
    """Ask where to save a report; the name's ending says as what, PDF without one."""
    chosen, kind = QFileDialog.getSaveFileName(parent, "Save report", name, KINDS)
    if not chosen:
        return None
    path = Path(chosen)
    if path.suffix.lower() in (".pdf", ".html", ".htm"):
        return path
    ending = ".html" if "html" in kind else ".pdf"
    wanted = path.with_name(path.name + ending)
    # The dialog asked about the name without its ending: nothing is written over unasked.
    others = (path.with_name(f"{path.name} {number}{ending}") for number in count(2))
    return next(each for each in chain([wanted], others) if not each.exists())


def png(picture: QImage) -> bytes:
    """Return a picture as PNG bytes."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not picture.save(buffer, "PNG"):  # type: ignore[call-overload]
        raise MammoviewError("The picture could not be made.")
    return bytes(buffer.data().data())


def _write_picture(picture: QImage, path: Path, *, report: Callable[[int, int], None]) -> Path:
    return _written(path, png(picture))


def _write_report(
    statement: Report,
    lexicon: Lexicon,
    heading: Heading,
    plates: tuple[Plate, ...],
    path: Path,
    family: str,
    *,
    report: Callable[[int, int], None],
) -> Path:
    """Write a report as PDF or HTML, by the ending of `path`."""
    if path.suffix.lower() in (".html", ".htm"):
        images = [KeyPicture(plate.caption, png(plate.picture)) for plate in plates]
        return _written(path, page(statement, lexicon, heading, images).encode("utf-8"))
    return _written(path, pdf(body(statement, lexicon), heading, plates, family))


def _written(path: Path, data: bytes) -> Path:
    """Write a file in one step, so that a full disk leaves no half of it."""
    temporary = path.with_name(path.name + ".new")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise MammoviewError(f"{path}: cannot be written ({error.strerror or error})") from error
    return path
