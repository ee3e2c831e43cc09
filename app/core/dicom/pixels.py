"""Pixels of one frame as stored values: uncompressed here, compressed in the decoder pool."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy.typing as npt

from app.core.dicom.codecs import PICTURE, RLE, TOO_SMALL, FrameJob
from app.core.dicom.codestream import CodecError
from app.core.dicom.elements import BROKEN, value
from app.core.dicom.header import BIG_ENDIAN, DEFLATED, NATIVE, Header, read_header
from app.core.dicom.layout import HTJ2K, JPEG_2000, PixelLayout, read_layout
from app.core.dicom.native import filled, unpack, without_tail
from app.core.dicom.offsets import ITEM, Span, frame_spans
from app.core.dicom.pool import shared_pool
from app.core.errors import ReadError
from app.core.imaging.image import Image

CUT = "ends before its last pixel"


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Decoded pixels.

    Attributes
    ----------
    stored
        Read-only, uint16 or int16, shape (rows, columns), in stored orientation, before any grey-scale
        transform.
    incomplete
        True when the file ended before the frame did: what is missing is padding (or the darkest value).
    factor
        How many stored pixels a side one value stands for: 1, or 2, 4, 8 for a first look.
    """

    stored: npt.NDArray[Any]
    incomplete: bool = False
    factor: int = 1


def warm_up() -> None:
    """Start the decoder processes, so that the first frame does not wait for them."""
    shared_pool().warm_up()


def read_frame(image: Image, frame: int = 0, *, allow_incomplete: bool = False) -> Frame:
    """Return the stored values of one frame.

    Parameters
    ----------
    image
        As `app.core.dicom.reader.read_image` gave it.
    frame
        0-based.
    allow_incomplete
        Return what there is of a frame that the file cuts short, marked; without it that is an error.

    Raises
    ------
    ReadError
        No such frame, a file that changed, ended early or cannot be decoded.
    """
    if not 0 <= frame < image.frames:
        raise ReadError(image.path, f"has no frame {frame + 1} (it has {image.frames})")
    if image.kind == "raster":
        return Frame(_decoded(image.path, _picture_job(image)))
    located = _locate(image)
    layout = located.layout
    if layout.transfer_syntax in NATIVE:
        return _native(image, frame, located, allow_incomplete)
    job = _job(image, frame, located)
    if not _is_cut(job, located.size):
        try:
            return Frame(_decoded(image.path, job))
        except ReadError as error:
            if not (allow_incomplete and error.reason == CUT):
                raise
    if not allow_incomplete:
        raise ReadError(image.path, CUT)
    return _as_far_as_possible(image, frame, job)


def first_look(image: Image, frame: int = 0, *, reduce: int = 2) -> Frame | None:
    """Return a frame at reduced resolution, quickly, or None where its codec cannot.

    Parameters
    ----------
    reduce
        Powers of two; JPEG 2000 and HTJ2K hold the resolutions 1/2, 1/4, 1/8 ... The smallest that the file
        holds, where it holds none as small as that.

    Notes
    -----
    Values are those of the wavelet's low band, scaled as the full image; they are not means of pixels,
    so the picture must be marked as refining and never be measured. Takes 1/10 of the time at 1/4.
    """
    if image.kind == "raster" or image.transfer_syntax not in JPEG_2000 | HTJ2K:
        return None
    if not 0 <= frame < image.frames:
        raise ReadError(image.path, f"has no frame {frame + 1} (it has {image.frames})")
    if image.grey_of(frame).signed or min(image.rows, image.columns) < 64 << reduce:
        return None
    located = _locate(image)
    job = _job(image, frame, located)
    if _is_cut(job, located.size):
        return None
    for halvings in range(reduce, 0, -1):
        try:
            values = shared_pool().decode(replace(job, reduce=halvings))
        except CodecError as error:
            if str(error) != TOO_SMALL:
                return None  # the full decode will say what is wrong
        else:
            return Frame(values, factor=1 << halvings)
    return None


@dataclass(frozen=True, slots=True, eq=False)
class _Located:
    layout: PixelLayout
    spans: tuple[tuple[Span, ...], ...]
    size: int
    words: bool
    inflated: bytes | None = None


def _locate(image: Image) -> _Located:
    try:
        state = os.stat(image.path)
    except OSError as error:
        raise ReadError(image.path, "does not exist any more") from error
    located = _located(image.path, state.st_mtime_ns, state.st_size)
    layout = located.layout
    if (layout.rows, layout.columns, layout.frames) != (image.rows, image.columns, image.frames):
        raise ReadError(image.path, "has changed since it was opened")
    return located


@functools.lru_cache(maxsize=64)
def _located(path: Path, changed_ns: int, size: int) -> _Located:
    """Return where the frames of a file lie; remembered, for a tomosynthesis header takes a while."""
    header = read_header(path)
    layout = read_layout(header)
    words = header.pixels is None or header.pixels.vr != "OB"
    if not layout.encapsulated:
        # The inflated bytes are not kept: 27 MB per file would be outside the library's budget.
        return _Located(layout, (), header.size, words)
    try:
        with path.open("rb") as file:
            extended = _extended_offsets(header)
            rle = layout.transfer_syntax == RLE
            spans = frame_spans(path, file, layout.offset, layout.frames, rle=rle, extended=extended)
    except OSError as error:
        raise ReadError(path, "cannot be read") from error
    return _Located(layout, tuple(tuple(one) for one in spans), size, words)


def _extended_offsets(header: Header) -> bytes | None:
    try:
        found = value(header.dataset, "ExtendedOffsetTable")
    except BROKEN:
        return None
    return bytes(found) if isinstance(found, (bytes, bytearray)) else None


def _native(image: Image, frame: int, located: _Located, allow_incomplete: bool) -> Frame:
    layout = located.layout
    start = layout.offset + frame * layout.frame_bytes
    raw = _read(image.path, start, layout)
    if raw[:4] == ITEM and layout.length < layout.frame_bytes * layout.frames:
        raise ReadError(image.path, "holds compressed pixels under an uncompressed transfer syntax")
    big = layout.transfer_syntax == BIG_ENDIAN
    values = unpack(raw, layout, big_endian=big, words=located.words)
    wanted = layout.rows * layout.columns
    incomplete = values.size < wanted
    if incomplete and not allow_incomplete:
        raise ReadError(image.path, CUT)
    if incomplete:
        values = filled(values, layout, image.grey_of(frame))
    stored = values[:wanted].reshape(layout.rows, layout.columns)
    stored.setflags(write=False)
    return Frame(stored, incomplete)


def _read(path: Path, start: int, layout: PixelLayout) -> bytes:
    inflated = read_header(path).inflated if layout.transfer_syntax == DEFLATED else None
    # A pixel data element that is shorter than its frames ends there, whatever follows in the file.
    length = max(0, min(layout.frame_bytes, layout.offset + layout.length - start))
    length += length % 2 and layout.bits_allocated == 8
    if inflated is not None:
        return inflated[start : start + length]
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(length)
    except OSError as error:
        raise ReadError(path, "cannot be read") from error


def _job(image: Image, frame: int, located: _Located) -> FrameJob:
    layout = located.layout
    return FrameJob(
        path=str(image.path),
        spans=located.spans[frame],
        transfer_syntax=layout.transfer_syntax,
        rows=layout.rows,
        columns=layout.columns,
        bits_allocated=layout.bits_allocated,
        bits_stored=layout.bits_stored,
        signed=layout.signed,
    )


def _picture_job(image: Image) -> FrameJob:
    return FrameJob(str(image.path), (), PICTURE, image.rows, image.columns, 16, 16, False)


def _is_cut(job: FrameJob, size: int) -> bool:
    return not job.spans or any(offset + length > size for offset, length in job.spans)


def _decoded(path: Path, job: FrameJob) -> npt.NDArray[Any]:
    try:
        return shared_pool().decode(job)
    except CodecError as error:
        raise ReadError(path, str(error)) from error


def _as_far_as_possible(image: Image, frame: int, job: FrameJob) -> Frame:
    if not job.spans:
        raise ReadError(image.path, "ends before this frame")
    try:
        stored = without_tail(shared_pool().decode(replace(job, lenient=True)), image.grey_of(frame))
    except CodecError as error:
        raise ReadError(image.path, CUT) from error
    stored.setflags(write=False)
    return Frame(stored, incomplete=True)
