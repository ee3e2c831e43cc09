"""Make the demo exam, open it, analyse it; with no display: the same tour off-screen, as pictures."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import platformdirs

from app.commands import picture
from app.commands.demo_truth import Box, read_truth
from app.commands.tour import walk
from app.commands.window import Workstation, has_display, open_window
from app.core.errors import MammoviewError
from app.core.phantom.demo import DemoExam, demo_exam

SIZE = (1920, 1080)
MODEL = "phantom-lesions"
SMALL = "size=416x256 mm=0.56"
"""Changes to its recipe that make a training short."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare --screenshots, and --loop with what goes with it."""
    parser.add_argument(
        "--screenshots",
        metavar="DIR",
        help="write pictures into DIR (default without a display: screenshots)",
    )
    parser.add_argument(
        "--loop",
        nargs="?",
        const="",
        metavar="MANIFEST",
        help="instead, off-screen: audit, correct, retrain, compare, on phantoms made for it or on MANIFEST",
    )
    parser.add_argument(
        "--model", action="append", metavar="NAME", help=f"of --loop, one or two (default: {MODEL})"
    )
    parser.add_argument("--recipe", metavar="NAME", help="of --loop (default: the first model's)")
    parser.add_argument("--epochs", type=int, default=4, metavar="N", help="of --loop (default: 4)")


def run(arguments: argparse.Namespace) -> int:
    """Open the demo on a display, or write its pictures."""
    if arguments.loop is not None:
        return _loop(arguments)
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


def _show_truth(workstation: Workstation, exam: DemoExam) -> dict[tuple[str, str], tuple[Box, ...]]:
    """Hand the known boxes, by image key, to the grid; they are drawn when the reader asks for them."""
    truth = read_truth(exam.truth)
    images = [image for study in workstation.session.studies for image in study.images]
    known = {image.key: truth.get(image.sop_uid, ()) for image in images}
    workstation.window.grid.set_truth(known)
    return known


def _show(exam: DemoExam) -> int:
    workstation = _open(exam, off_screen=False)
    workstation.session.analyse((MODEL,))
    workstation.window.showMaximized()
    return workstation.run()


def _tour(exam: DemoExam, folder: Path) -> int:
    workstation = _open(exam, off_screen=True)
    try:
        picture.analysed(workstation, (MODEL,))
        walk(workstation, _show_truth(workstation, exam), folder)
    finally:
        workstation.window.close()
        workstation.close()
    return 0


def _loop(arguments: argparse.Namespace) -> int:
    """Go through the researcher's loop; what is done in it is kept in a folder that goes with it."""
    from app.commands.asked_trainer import phantoms
    from app.commands.research_tour import Loop, walk_loop

    models = tuple(dict.fromkeys(arguments.model or (MODEL,)))
    kept = Path(platformdirs.user_cache_dir("mammoview", appauthor=False)) / "tour"
    with tempfile.TemporaryDirectory(prefix="mammoview-tour-") as name:
        scratch = Path(name)
        manifest = Path(arguments.loop).absolute() if arguments.loop else phantoms(scratch)
        recipe = arguments.recipe or models[0]
        changes = "" if arguments.loop else SMALL
        walk_loop(
            Loop(manifest, models, recipe, arguments.epochs, changes, kept),
            Path(arguments.screenshots or "screenshots"),
            scratch,
        )
    return 0
