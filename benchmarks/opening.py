"""``open-4up-j2k``: four full-size JPEG 2000 views painted from the full decode, beside gdcm's serial decode.

Ours is everything from the folder's name to the painted window: finding, headers, decoding, windowing,
resampling, painting. The peer's is decoding alone, one file after the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import gdcm
import numpy as np
import numpy.typing as npt
from pydicom.pixels import pixel_array

from benchmarks.exam import four_views
from benchmarks.result import Result, alternate, best_setting, judge
from benchmarks.workstation import opened, show

ROUNDS = 5
Stored = npt.NDArray[np.uint16]


def run(name: str, folder: Path) -> Result:
    """Measure both on the same files, which are in the disk cache."""
    files = four_views(folder)
    settings = {how: _timed(decode, files) for how, decode in DECODERS.items()}
    best = best_setting(settings, rounds=2)
    runs = alternate(lambda: _open(files[0].parent), settings[best], ROUNDS)
    return judge(
        name,
        "s until four panes are painted",
        runs,
        better="lower",
        peer="gdcm, serial decode alone",
        peer_config=f"{best} (of {', '.join(DECODERS)})",
    )


def _open(folder: Path) -> float:
    # A new workstation each time, so that nothing is in its cache; making it is not part of opening.
    with opened() as workstation:
        return show(workstation, folder)


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
