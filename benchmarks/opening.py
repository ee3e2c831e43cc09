"""``open-4up-j2k``, ``open-8up-j2k`` and ``first-look-4up-j2k``: full-size JPEG 2000 views on the screen.

Ours is everything from the folder's name to the painted window: finding, headers, decoding, windowing,
resampling, painting. The peer's is gdcm's decoding alone, one file after the other. Eight views are an
exam under its prior; a first look is painted from the reduced resolutions that the files hold.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import gdcm
import numpy as np
import numpy.typing as npt
from pydicom.pixels import pixel_array

from app.commands.window import Workstation
from app.services.develop import thumbnail
from benchmarks.exam import eight_views, four_views
from benchmarks.result import BenchmarkError, Result, alternate, best_setting, judge
from benchmarks.workstation import hang_with_priors, opened, run_until, show

ROUNDS = 5
ALIKE = 0.97
"""Correlation of a first look with the full decode, thumbnails of both, from which it is recognisable."""
Stored = npt.NDArray[np.uint16]


def run(name: str, folder: Path) -> Result:
    """Measure ours and gdcm on the same files, which are in the disk cache."""
    files = eight_views(folder) if name == "open-8up-j2k" else four_views(folder)
    settings = {how: _timed(decode, files) for how, decode in DECODERS.items()}
    best = best_setting(settings, rounds=1 if len(files) > 4 else 2)
    place = files[0].parent.parent if len(files) > 4 else files[0].parent
    ours = {"open-4up-j2k": _open, "open-8up-j2k": _open_with_prior, "first-look-4up-j2k": _look}[name]
    runs = alternate(lambda: ours(place), settings[best], ROUNDS)
    what = "all panes" if name.startswith("open") else "four first looks"
    return judge(
        name,
        f"s until {what} are painted",
        runs,
        better="lower",
        peer="gdcm, serial decode alone",
        peer_config=f"{best} (of {', '.join(DECODERS)}){_on_one_core(settings[best])}",
    )


def _on_one_core(measure: Callable[[], float]) -> str:
    """Tell what the peer takes without the threads that it starts itself; not what it is compared by."""
    if not hasattr(os, "sched_setaffinity"):
        return ""
    cores = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(cores)})
        return f"; on one core {measure():.2f} s"
    finally:
        os.sched_setaffinity(0, cores)


def _open(folder: Path) -> float:
    # A new workstation each time, so that nothing is in its cache; making it is not part of opening.
    with opened() as workstation:
        return show(workstation, folder)


def _open_with_prior(folder: Path) -> float:
    with opened() as workstation:
        hang_with_priors(workstation)
        return show(workstation, folder, panes=8)


def _look(folder: Path) -> float:
    """Return the seconds until each pane shows its image, if only refining; see that it is recognisable."""
    with opened() as workstation:
        grid = workstation.window.grid
        start = time.perf_counter()
        workstation.session.open_paths([folder])
        run_until(lambda: len(_painted(workstation)) == 4, 60, "four first looks")
        workstation.window.repaint()
        seconds = time.perf_counter() - start
        looks = [thumbnail(frame) for frame in _painted(workstation)]
        run_until(lambda: grid.loading == (4, 4), 60, "four panes")
        for look, frame in zip(looks, _painted(workstation), strict=True):
            alike = float(np.corrcoef(look.ravel(), thumbnail(frame).ravel())[0, 1])
            if alike < ALIKE:
                raise BenchmarkError(f"a first look is not recognisable (correlation {alike:.2f})")
        return seconds


def _painted(workstation: Workstation) -> list:  # type: ignore[type-arg]
    """Return the frames of the panes that have painted one."""
    views = workstation.window.grid.viewports
    return [view.scene.frame for view in views if view.scene and view.scene.frame and view.raster.paintings]


def _timed(decode: Callable[[str], Stored], files: list[Path]) -> Callable[[], float]:
    def measure() -> float:
        start = time.perf_counter()
        for file in files:
            decode(str(file))
        return time.perf_counter() - start

    return measure


def read_into_buffer(file: str) -> Stored:
    """Decode with gdcm into a buffer of ours: no text in between."""
    reader = gdcm.ImageRegionReader()
    reader.SetFileName(file)
    reader.ReadInformation()
    columns, rows = gdcm.ImageHelper.GetDimensionsValue(reader.GetFile())[:2]
    region = gdcm.BoxRegion()
    region.SetDomain(0, columns - 1, 0, rows - 1, 0, 0)
    reader.SetRegion(region)
    buffer = bytearray(reader.ComputeBufferLength())
    reader.ReadIntoBuffer(buffer)
    return np.frombuffer(buffer, "<u2").reshape(rows, columns)


def get_buffer(file: str) -> Stored:
    """Decode with gdcm's image reader, as its examples do."""
    reader = gdcm.ImageReader()
    reader.SetFileName(file)
    reader.Read()
    image = reader.GetImage()
    columns, rows = image.GetDimension(0), image.GetDimension(1)
    return np.frombuffer(image.GetBuffer().encode("utf-8", "surrogateescape"), "<u2").reshape(rows, columns)


def through_pydicom(file: str) -> Stored:
    """Decode with gdcm behind pydicom."""
    stored: Stored = pixel_array(file, decoding_plugin="gdcm")
    return stored


DECODERS: dict[str, Callable[[str], Stored]] = {
    "ImageRegionReader.ReadIntoBuffer": read_into_buffer,
    "ImageReader.GetBuffer": get_buffer,
    "pydicom with the gdcm plug-in": through_pydicom,
}
"""The ways to decode with gdcm from Python; the fastest is the peer."""
