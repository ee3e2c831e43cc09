"""Giving freed memory back to the system."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable


def _glibc_trim() -> Callable[[int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):  # another C library
        return None
    trim.argtypes, trim.restype = [ctypes.c_size_t], ctypes.c_int
    return trim  # type: ignore[no-any-return]


_trim = _glibc_trim()


def give_back() -> None:
    """Let go of what was freed; takes milliseconds, so call it on a worker thread.

    glibc keeps blocks of up to 32 MB for later: after four frames that is half as much as their pixels.
    Elsewhere it does nothing.
    """
    if _trim is not None:
        _trim(0)
