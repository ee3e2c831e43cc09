"""Write one frame as a 16-bit grey PNG of P-values."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.commands.arguments import from_one
from app.commands.output import write_png
from app.core.dicom.pixels import read_frame
from app.core.dicom.reader import complete, read_image
from app.core.errors import ReadError
from app.core.imaging.background import surroundings
from app.core.imaging.greyscale import automatic_window, render
from app.core.imaging.image import Grey, Image, Voi, Window
from app.core.imaging.orientation import canonical, turn

FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of DESIGN.md's ``render``."""
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("-o", dest="out", metavar="OUT.PNG", required=True)
    grey = parser.add_mutually_exclusive_group()
    grey.add_argument("--voi", type=from_one, metavar="N", help="1-based: windows in file order, then LUTs")
    grey.add_argument("--window", type=float, nargs=2, metavar=("C", "W"))
    parser.add_argument(
        "--function", choices=FUNCTIONS, help="with --window; default: the file's, else LINEAR"
    )
    parser.add_argument("--frame", type=from_one, default=1, metavar="N", help="1-based")
    parser.add_argument("--invert", action="store_true")
    parser.add_argument(
        "--oriented", action="store_true", help="canonical hang instead of stored orientation"
    )
    parser.set_defaults(parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Read, window, turn, write."""
    _check(arguments)
    pixels = rendered(
        Path(arguments.file),
        frame=arguments.frame - 1,
        voi=arguments.voi,
        window=tuple(arguments.window) if arguments.window else None,
        function=arguments.function,
        invert=arguments.invert,
        oriented=arguments.oriented,
    )
    write_png(Path(arguments.out), pixels)
    return 0


def _check(arguments: argparse.Namespace) -> None:
    if arguments.function and not arguments.window:
        arguments.parser.exit(2, "mammoview render: --function needs --window\n")
    if arguments.window and not (np.isfinite(arguments.window).all() and arguments.window[1] > 0):
        arguments.parser.exit(2, "mammoview render: --window needs finite numbers and a width above 0\n")


def rendered(
    path: Path,
    *,
    frame: int = 0,
    voi: int | None = None,
    window: tuple[float, float] | None = None,
    function: str | None = None,
    invert: bool = False,
    oriented: bool = False,
) -> npt.NDArray[np.uint16]:
    """Return P-values of a 0-based frame at native size; raises `ReadError`."""
    image = read_image(path)
    if frame >= image.frames:
        raise ReadError(path, f"has {image.frames} frame{'s' if image.frames > 1 else ''}, not {frame + 1}")
    stored = read_frame(image, frame).stored
    image = complete(image, stored)
    grey = image.grey_of(frame)
    chosen = _window(path, grey, window, function) if window else _alternative(path, stored, grey, voi)
    mask = surroundings(stored, grey).black(invert=invert)
    pixels = render(stored, grey, chosen, mask=mask, invert=invert)
    return turn(pixels, _hang(image)) if oriented else pixels


def _hang(image: Image):  # type: ignore[no-untyped-def]
    return canonical(image.orientation, image.laterality, image.view)


def _window(path: Path, grey: Grey, window: tuple[float, float], function: str | None) -> Window:
    if function is None:
        first = next((voi for voi in grey.voi if isinstance(voi, Window)), None)
        function = first.function if first else "LINEAR"
    if function == "LINEAR" and window[1] < 1:
        raise ReadError(path, "a LINEAR window needs a width of at least 1")
    return Window(window[0], window[1], function)  # type: ignore[arg-type]


def _alternative(path: Path, stored: npt.NDArray[np.generic], grey: Grey, number: int | None) -> Voi:
    """Return an alternative by its 1-based place in the file; None is the first that is possible."""
    if number in grey.missing:
        raise ReadError(path, f"has an impossible grey-scale alternative {number}")
    if not grey.voi and number in (None, 1):
        return automatic_window(stored, surroundings(stored, grey).dark, grey)
    if number is None:
        return grey.voi[0]
    index = number - 1 - sum(place < number for place in grey.missing)
    if index >= len(grey.voi):
        count = len(grey.voi) + len(grey.missing)
        raise ReadError(path, f"has {count or 1} grey-scale alternatives, not {number}")
    return grey.voi[index]
