"""Decoded frames as the screen needs them, and the cache that holds them, bounded in bytes."""

from __future__ import annotations

import ctypes
import os
import sys
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.core.imaging.geometry import Affine
from app.core.imaging.image import Image, Voi
from app.core.imaging.pyramid import Pyramid

FrameKey = tuple[tuple[str, str], int]
"""(image key, 0-based frame)."""

MIB = 1 << 20
LARGEST_DEFAULT_MIB = 4096


@dataclass(frozen=True, slots=True, eq=False)
class FramePixels:
    """One decoded frame with all that is derived from its pixels once.

    Attributes
    ----------
    image
        The facts completed by what only pixels tell (orientation, with its note).
    frame
        0-based.
    stored
        Read-only stored values; (rows, columns) of the image, or smaller while `refining`.
    mask
        bool, same shape: True where padding or background air.
    pyramid
        Area means of `stored`; its level 0 shares memory with it.
    alternatives
        The VOI alternatives: the file's own, else the automatic one; never empty.
    refining
        True: from a reduced resolution, to be looked at and never measured; the full frame follows.
    incomplete
        True: the file's pixel data was truncated; the rest is filled. To be marked INCOMPLETE.
    breast
        (row0, col0, row1, col1) of the breast, edges at pixel corners, half-open, in stored pixels
        of the *full* resolution.
    to_stored
        Affine from pixel centres of `stored` to pixel centres of the full resolution; the identity
        unless `refining`.
    """

    image: Image
    frame: int
    stored: npt.NDArray[np.generic]
    mask: npt.NDArray[np.bool_]
    pyramid: Pyramid
    alternatives: tuple[Voi, ...]
    refining: bool
    incomplete: bool
    breast: tuple[int, int, int, int]
    to_stored: Affine

    @property
    def key(self) -> FrameKey:
        """The identity under which the frame is cached."""
        return (self.image.key, self.frame)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays held; the pyramid's level 0 is `stored` and its mask is `mask`."""
        return self.stored.nbytes + self.mask.nbytes + self.pyramid.nbytes


class FrameCache:
    """Frames by key, the least recently used thrown out first.

    Never one that is pinned (the current screen); one that is kept (the study being read) only when
    nothing else is left.

    Parameters
    ----------
    budget
        Bytes that may be held; the pinned frames (the current screen) may exceed it.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._frames: OrderedDict[FrameKey, FramePixels] = OrderedDict()
        self._sizes: dict[FrameKey, int] = {}
        self._bytes = 0
        self._pinned: frozenset[FrameKey] = frozenset()
        self._kept: frozenset[FrameKey] = frozenset()

    @property
    def nbytes(self) -> int:
        """Bytes held now."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._frames)

    def __contains__(self, key: FrameKey) -> bool:
        return key in self._frames

    def get(self, key: FrameKey) -> FramePixels | None:
        """Return a frame and mark it as just used."""
        frame = self._frames.get(key)
        if frame is not None:
            self._frames.move_to_end(key)
        return frame

    def peek(self, key: FrameKey) -> FramePixels | None:
        """Return a frame without marking it as used."""
        return self._frames.get(key)

    def put(self, frame: FramePixels) -> None:
        """Add or replace a frame, then throw out what no longer fits."""
        self.remove(frame.key)
        self._frames[frame.key] = frame
        self._sizes[frame.key] = frame.nbytes
        self._bytes += self._sizes[frame.key]
        self._evict()

    def pin(self, keys: Iterable[FrameKey]) -> None:
        """Keep these frames whatever comes; replaces the earlier pins."""
        self._pinned = frozenset(keys)
        self._evict()

    def keep(self, keys: Iterable[FrameKey]) -> None:
        """Throw these frames out last; replaces those kept before."""
        self._kept = frozenset(keys)

    def room(self) -> int:
        """Return the bytes that could be added without losing pinned or kept frames."""
        held = self._pinned | self._kept
        return self.budget - sum(size for key, size in self._sizes.items() if key in held)

    def remove(self, key: FrameKey) -> None:
        """Forget one frame, if it is there."""
        if self._frames.pop(key, None) is not None:
            self._bytes -= self._sizes.pop(key)

    def forget(self, image_key: tuple[str, str]) -> None:
        """Forget all frames of an image."""
        for key in [key for key in self._frames if key[0] == image_key]:
            self.remove(key)

    def clear(self) -> None:
        """Forget everything but the budget."""
        self._frames.clear()
        self._sizes.clear()
        self._bytes = 0
        self._pinned = self._kept = frozenset()

    def _evict(self) -> None:
        others = [key for key in self._frames if key not in self._pinned and key not in self._kept]
        kept = [key for key in self._frames if key not in self._pinned and key in self._kept]
        for key in (*others, *kept):
            if self._bytes <= self.budget:
                return
            self.remove(key)


def default_budget(cache_mib: int) -> int:
    """Return the cache's bytes: as set, or for 0 a quarter of the machine's memory, at most 4 GiB."""
    if cache_mib > 0:
        return cache_mib * MIB
    return min(physical_memory() // 4, LARGEST_DEFAULT_MIB * MIB)


def physical_memory() -> int:
    """Return the machine's memory in bytes; 8 GiB where the system does not tell."""
    if sys.platform == "win32":
        return _windows_memory()
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return 8 << 30


def _windows_memory() -> int:
    class MemoryStatus(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "free", "page", "page_free", "virtual")),
            ("virtual_free", ctypes.c_ulonglong),
            ("extended", ctypes.c_ulonglong),
        )

    status = MemoryStatus()
    status.length = ctypes.sizeof(status)
    windll = getattr(ctypes, "windll", None)
    if windll is None or not windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return 8 << 30
    return int(status.total)
