"""Made exams, and a main window on a library that decodes nothing: tests put the frames on its shelf."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.core.imaging.background import Surroundings
from app.core.imaging.geometry import Affine
from app.core.imaging.image import (
    Collection,
    Grey,
    Image,
    LeftOut,
    Patient,
    PatientFacts,
    Spacing,
    Study,
    Window,
)
from app.core.imaging.pyramid import build
from app.core.reading.findings import Finding, ModelFacts, SecondLook, ViewLook
from app.services.frames import FramePixels
from app.services.library import Library
from app.services.session import Session
from app.ui.main_window import MainWindow

LETTERS = {"RCC": ("P", "L"), "LCC": ("A", "R"), "RMLO": ("P", "FL"), "LMLO": ("A", "FR")}
ROWS, COLUMNS = 240, 160
FACTS = ModelFacts(
    name="test-model",
    version="1.2.0",
    task="detection",
    score_of="a lesion in this exam",
    calibrated=False,
    prevalence=0.25,
    operating_point=(0.4, "90 % specificity"),
    negatives=(0.1, 0.2, 0.3, 0.9),
    trained_on="Nothing at all.",
    licence="Apache-2.0",
    use="any",
)


def image_of(label: str, study: str = "study-1", **facts: Any) -> Image:
    """Return the facts of one made view."""
    given: dict[str, Any] = {
        "path": Path(f"{study}-{label}.dcm"),
        "sop_uid": f"{study}-{label}",
        "study_uid": study,
        "rows": ROWS,
        "columns": COLUMNS,
        "laterality": label[0] if label[0] in "RL" else None,
        "view": label[1:] if label[0] in "RL" else None,
        "label": label,
        "orientation": LETTERS.get(label),
        "spacing": Spacing(0.1, 0.1, "at detector"),
        "grey": (
            Grey(voi=(Window(2000, 3000, explanation="NORMAL"), Window(1500, 800, explanation="HARD"))),
        ),
        "patient": PatientFacts(id="P-1", name="Doe^Jane", sex="F"),
        "age": "061Y",
        "acquired": datetime(2026, 11, 3, 10, 41),
        "intent": "presentation",
        "corner": (("kVp", "29"), ("Institution", "St Elsewhere")),
    }
    return Image(**(given | facts))


def breast(label: str, rows: int = ROWS, columns: int = COLUMNS) -> np.ndarray:
    """Return hung pixels: a half disc of 1500 on 0, its flat side at the chest wall."""
    row, col = np.mgrid[0:rows, 0:columns]
    depth = columns - 1 - col if label[0] == "R" else col
    inside = np.hypot((row - rows / 2) / (0.4 * rows), depth / (0.7 * columns)) < 1
    return np.where(inside, 1500, 0).astype(np.uint16)


def frame_of(image: Image, stored: np.ndarray, **facts: Any) -> FramePixels:
    """Return a decoded frame; what is 0 counts as air."""
    mask = stored == 0
    rows, cols = np.nonzero(~mask)
    given: dict[str, Any] = {
        "image": image,
        "frame": 0,
        "stored": stored,
        "mask": mask,
        "pyramid": build(stored, Surroundings(mask, None), image.grey_of(0)),
        "alternatives": image.grey_of(0).voi,
        "refining": False,
        "incomplete": False,
        "breast": (int(rows.min()), int(cols.min()), int(rows.max()) + 1, int(cols.max()) + 1),
        "to_stored": Affine.identity(),
    }
    return FramePixels(**(given | facts))


class Shelf(Library):
    """A library that is given its collection and its frames."""

    def _pump(self) -> None: ...

    def put(self, *studies: Study, left_out: tuple[LeftOut, ...] = ()) -> None:
        people: dict[str, list[Study]] = {}
        for study in studies:
            people.setdefault(study.patient.id, []).append(study)
        patients = tuple(Patient(found[0].patient, tuple(found)) for found in people.values())
        self._set_collection(Collection(patients, left_out))

    def give(self, frame: FramePixels) -> None:
        if frame.refining:
            self._looks[frame.key] = frame
        else:
            self._looks.pop(frame.key, None)
            self.cache.put(frame)
        self.frame_ready.emit(*frame.key)

    def fail(self, image: Image, sentence: str) -> None:
        self._failures[(image.key, 0)] = sentence
        self.frame_failed.emit(image.key, 0, sentence)


class Oracle(QObject):
    """An inference that says what it is told."""

    look_changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Study] = []
        self.cancelled = 0

    def run(self, study: Study, models: tuple[str, ...] | None) -> None:
        self.asked.append(study)

    def cancel(self) -> None:
        self.cancelled += 1

    def say(self, study: Study, state: str = "findings", **facts: Any) -> SecondLook:
        views = tuple(
            ViewLook(i.key, i.label, "scored", score=0.5, findings=(finding(),)) for i in study.images
        )
        given: dict[str, Any] = {
            "views": views if state == "findings" else (),
            "exam_score": 0.5,
            "model": FACTS,
        }
        look = SecondLook(study.key, state=state, **(given | facts))  # type: ignore[arg-type]
        self.look_changed.emit(look)
        return look


def finding(
    box: tuple[float, float, float, float] = (100.0, 100.0, 120.0, 130.0), score: float = 0.5
) -> Finding:
    """Return a finding of frame 0."""
    return Finding("mass", score, False, 0, box)


def study_of(*labels: str, uid: str = "study-1", day: date = date(2026, 11, 3), **facts: Any) -> Study:
    """Return a study of made views; its description tells it apart."""
    images = tuple(image_of(label, uid, **facts) for label in labels or LETTERS)
    return Study(uid, images[0].patient, day, images, f"visit {uid}")


class Desk:
    """The main window with the parts a test talks to."""

    def __init__(self, window: MainWindow, library: Shelf, oracle: Oracle) -> None:
        self.window, self.library, self.oracle = window, library, oracle
        self.session: Session = window.session

    def open(self, *studies: Study, left_out: tuple[LeftOut, ...] = (), decoded: bool = True) -> Study:
        """Put studies on the shelf, with their pixels, and return the first."""
        self.library.put(*studies, left_out=left_out)
        if decoded:
            for study in studies:
                for image in study.images:
                    self.library.give(frame_of(image, breast(image.label or "R")))
        return studies[0]

    @property
    def pane(self):
        """The viewport of the active pane."""
        return self.window.grid.viewports[self.session.screen.active]
