"""A block of memory shared with a decoder's process, without a name that could be left behind.

POSIX: an anonymous file, handed over through the pipe; its pages go when the last map goes, however
either side dies. Windows: a named map of the page file, which goes with its last handle.
"""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
import uuid
from multiprocessing import reduction
from multiprocessing.connection import Connection

_WINDOWS = sys.platform == "win32"


class Block:
    """Shared memory as its owner sees it.

    Parameters
    ----------
    size
        In bytes, at least 1.

    Attributes
    ----------
    memory
        The map; lives as long as an array that was made on it.
    """

    def __init__(self, size: int) -> None:
        self._handle = -1
        self.name = ""
        if _WINDOWS:
            self.name = f"mammoview-{uuid.uuid4()}"
            self.memory = mmap.mmap(-1, size, tagname=self.name)  # type: ignore[call-arg,unused-ignore]
            return
        self._handle = _anonymous_file()
        try:
            os.ftruncate(self._handle, size)
            self.memory = mmap.mmap(self._handle, size)
        except OSError:
            self.close()
            raise

    def hand_over(self, pipe: Connection, pid: int) -> None:
        """Give the other process its access (it calls `receive`)."""
        if not _WINDOWS:
            reduction.send_handle(pipe, self._handle, pid)

    def close(self) -> None:
        """Give up the handle; the map stays."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def receive(pipe: Connection, name: str, size: int) -> mmap.mmap:
    """Map the block that the other side hands over."""
    if _WINDOWS:
        return mmap.mmap(-1, size, tagname=name)  # type: ignore[call-arg,unused-ignore]
    handle = reduction.recv_handle(pipe)
    try:
        return mmap.mmap(handle, size)
    finally:
        os.close(handle)


def _anonymous_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("mammoview-frame", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
