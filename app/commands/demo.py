"""Make the demo exam, open it, analyse it; with no display: the same tour off-screen, as pictures."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import platformdirs

from app.commands import picture
from app.commands.demo_truth import read_truth
from app.commands.window import Workstation, has_display, open_window
from app.core.errors import MammoviewError
from app.core.phantom.demo import DemoExam, demo_exam

SIZE = (2560, 1440)
MODEL = "phantom-lesions"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare --screenshots."""
    parser.add_argument(
        "--screenshots",
        metavar="DIR",
        help="write pictures into DIR (default without a display: screenshots)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Open the demo on a display, or write its pictures."""
    print("Making the synthetic demo exam (once, about 15 s) ...", flush=True)
    exam = make()
    if arguments.screenshots is None and has_display():
        return _show(exam)
    return _tour(exam, Path(arguments.screenshots or "screenshots"))


def make() -> DemoExam:
    """Return the demo exam from the cache folder, made on first use; a temporary one if that fails."""
    try:
        return demo_exam(Path(platformdirs.user_cache_dir("mammoview", appauthor=False)) / "demo-exam")
    except (MammoviewError, OSError):
        return demo_exam(Path(tempfile.mkdtemp(prefix="mammoview-")) / "demo-exam")


def _open(exam: DemoExam, *, off_screen: bool) -> Workstation:
    # What is tried on the demo exam is never kept among the reader's own work.
    workstation = open_window(off_screen=off_screen, keep=False)
    workstation.window.resize(*SIZE)
    workstation.window.show()
    picture.open_and_hang(workstation, [*exam.current, *exam.prior])
    _show_truth(workstation, exam)
    workstation.session.set_overlay(boxes=True)
    return workstation


def _show_truth(workstation: Workstation, exam: DemoExam) -> None:
    """Hand the known boxes to the grid; they are drawn when the reader asks for them."""
    truth = read_truth(exam.truth)
    images = [image for study in workstation.session.studies for image in study.images]
    workstation.window.grid.set_truth({image.key: truth.get(image.sop_uid, ()) for image in images})


def _show(exam: DemoExam) -> int:
    workstation = _open(exam, off_screen=False)
    workstation.session.analyse((MODEL,))
    workstation.window.showMaximized()
    return workstation.run()


def _tour(exam: DemoExam, folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    workstation = _open(exam, off_screen=True)
    try:
        picture.analysed(workstation, (MODEL,))
        for name, sentence, step in _steps(workstation):
            step()
            picture.take(workstation, folder / f"{name}.png")
            print(f"{folder / name}.png  {sentence}", flush=True)
    finally:
        workstation.window.close()
        workstation.close()
    return 0


def _steps(workstation: Workstation) -> list[tuple[str, str, Callable[[], None]]]:
    """Return the stations of the tour: file name, what it shows, what the reader does to get there."""
    session = workstation.session
    return [
        ("01-four-views", "four views hung, the model's findings in amber", lambda: None),
        ("02-heat-map", "the heat map above them", lambda: session.show_heat_map(True)),
        (
            "03-truth",
            "the known lesions in white dashes",
            lambda: session.set_overlay(heatmap=False, truth=True),
        ),
        (
            "04-cc-pair",
            "stage 2: the CC pair",
            lambda: (session.set_overlay(truth=False), session.set_stage(1))[0],
        ),
        (
            "05-one-view",
            "one view at the full height, with the full corner text",
            lambda: (session.set_stage(0), session.toggle_single(0), session.set_overlay(corner="full"))[0],
        ),
        (
            "06-images-only",
            "all bars and panels folded away",
            lambda: (
                session.toggle_single(0),
                workstation.window.fold_panels(),
                workstation.window.fold_bars(),
            )[0],
        ),
    ]
