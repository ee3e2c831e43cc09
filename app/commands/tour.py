"""The tour of the demo exam: what a reader does with it, one picture a station."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.commands import picture
from app.commands.demo_truth import Box
from app.commands.output import write_bytes
from app.commands.window import Workstation

if TYPE_CHECKING:
    from app.core.imaging.image import Image
    from app.core.reading.annotations import Kind, Point

REST_S = 5.0


@dataclass(frozen=True, slots=True)
class Station:
    """One picture: its file's name, what it shows, what the reader does to get there.

    `dialog` names the dialog that is the picture; empty: the window.
    """

    name: str
    sentence: str
    step: Callable[[], None]
    dialog: str = ""


def walk(workstation: Workstation, truth: dict[tuple[str, str], tuple[Box, ...]], folder: Path) -> None:
    """Go from station to station and write a picture of each into a folder.

    Parameters
    ----------
    truth
        The known boxes by image key, in stored pixels.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for station in Tour(workstation, truth).stations():
        station.step()
        picture.settle(workstation)
        out = folder / f"{station.name}.png"
        if station.dialog:
            write_bytes(out, picture.png_of(dialog_of(workstation, station.dialog)))
        else:
            picture.take(workstation, out)
        print(f"{out}  {station.sentence}", flush=True)


def dialog_of(workstation: Workstation, name: str):  # type: ignore[no-untyped-def]
    """Return a picture of a dialog of the main window."""
    from app.ui.dialogs import DIALOGS

    dialog = DIALOGS[name](workstation.window)
    dialog.ensurePolished()
    dialog.adjustSize()
    return dialog.grab()


class Tour:
    """The stations, in order; each begins where the one before it ended."""

    def __init__(self, workstation: Workstation, truth: dict[tuple[str, str], tuple[Box, ...]]) -> None:
        self._workstation = workstation
        self._session = workstation.session
        self._window = workstation.window
        self._truth = truth

    def stations(self) -> Iterator[Station]:
        """Yield every station."""
        session = self._session
        yield Station("01-four-views", "four views hung, the model's findings in amber", lambda: None)
        yield Station("02-heat-map", "the heat map above them", lambda: session.show_heat_map(True))
        yield Station("03-truth", "the known lesions in white dashes", self._known)
        yield Station("04-with-prior", "both exams, the prior above", self._priors)
        yield Station("05-then-and-now", "one view, then on the left, now on the right", self._then_and_now)
        yield Station("06-mlo-pair", "the MLO pair", lambda: self._stage("screening-cc-mlo", "MLO pair"))
        yield Station("07-all-pixels", "one view at actual pixels, place by place", self._all_pixels)
        yield Station("08-measurements", "marks, with their basis", self._measure)
        yield Station("09-linked-cursor", "the same place in the other views", self._point)
        yield Station("10-report", "the report, with the finding's place from the mark", self._report)
        yield Station("11-settings", "the preferences", lambda: None, "settings")
        yield Station("12-keys", "every action and its key (F1)", lambda: None, "keys")
        yield Station("13-images-only", "all bars and panels folded away", self._fold)

    def _known(self) -> None:
        self._session.set_overlay(heatmap=False, truth=True)

    def _priors(self) -> None:
        self._session.set_overlay(truth=False, boxes=False)
        self._session.set_protocol("screening-priors")

    def _then_and_now(self) -> None:
        self._stage("screening-priors", "RCC then and now")

    def _stage(self, protocol: str, title: str) -> None:
        """Hang the stage of a protocol that has a title."""
        session = self._session
        session.set_protocol(protocol)
        while session.screen.stage_title != title and session.screen.stage + 1 < session.screen.stages:
            session.next_stage()

    def _all_pixels(self) -> None:
        self._stage("screening-cc-mlo", "RCC, all pixels")
        walking = self._window.grid.walking
        for _ in range(3):
            picture.settle(self._workstation)
            self._workstation.settle(lambda: not walking.waiting, REST_S, "the walk")
            if not walking.step(1):
                break
        self._workstation.settle(lambda: not walking.waiting, REST_S, "the walk")

    def _measure(self) -> None:
        """Mark the nipples, and what the truth knows: its length, its area, its place."""
        self._stage("screening-cc-mlo", "Four views")
        picture.settle(self._workstation)
        for image in self._images():
            self._draw("nipple", image, (self._nipple(image),))
            for row0, col0, row1, col1 in self._truth.get(image.key, ()):
                middle = (row0 + row1) / 2
                if image.laterality == "R":
                    self._draw("length", image, ((middle, col0), (middle, col1)))
                else:
                    self._draw("ellipse", image, ((row0, col0), (row1, col1)))
        first = next(each for each in self._session.work.state.work.annotations if each.kind == "length")
        self._session.work.select(first.uid)

    def _draw(self, kind: Kind, image: Image, points: tuple[Point, ...]) -> None:
        self._session.marking.draw(kind, image, 0, points)
        self._workstation.settle(lambda: not self._session.work.state.pending, REST_S, "the mark")

    def _images(self) -> tuple[Image, ...]:
        views = (pane.viewport.image for pane in self._session.screen.panes)
        return tuple(image for image in views if image is not None)

    def _nipple(self, image: Image) -> Point:
        """Return the breast's point farthest from the chest wall; the phantom's files hang as stored."""
        frame = self._session.library.frame(image)
        assert frame is not None
        rows, columns = np.nonzero(~frame.mask)
        column = int(columns.min() if image.laterality == "R" else columns.max())
        return (float(rows[columns == column].mean()), float(column))

    def _point(self) -> None:
        """Point at the mass in RCC."""
        mass = next(each for each in self._session.work.state.work.annotations if each.kind == "length")
        session = self._session
        session.work.select(mass.uid)
        session.set_overlay(pointer=True)

    def _report(self) -> None:
        self._session.set_overlay(pointer=False)
        panel = self._window.report
        panel.write()
        panel.reporting.change("report: density", density="c")
        panel.add_finding(True)
        panel.reporting.assess("right", "4C")
        panel.reporting.assess("left", "4B")

    def _fold(self) -> None:
        self._session.work.select("")
        self._window.fold_panels()
        self._window.fold_bars()
