"""The decoder's process: takes jobs from a pipe, decodes into shared memory, answers.

It imports as little as it can (numpy and one codec at a time), so that it is there in a moment.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from multiprocessing.connection import Connection

import numpy as np

from app.core.dicom.codecs import FrameJob, decode
from app.core.dicom.codestream import CodecError
from app.core.dicom.sharing import receive

READY = "ready"
_MOST_MIB = 1280
"""What a decoder may take beyond what it starts with: the largest honest frame needs 800 (OpenJPEG)."""
_MMAP_THRESHOLD = -3
"""M_MMAP_THRESHOLD of malloc.h; naming it also stops glibc from raising it."""


def serve(pipe: Connection) -> None:
    """Answer (job, block name) with None when the block is filled, or with a clause that says why not."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches the whole group
    _silence()
    _give_memory_back()
    _limit_memory()
    try:
        pipe.send(READY)
        while True:
            job, name = pipe.recv()
            pipe.send(_answer(pipe, job, name))
    except (EOFError, OSError):
        return  # the program that owns this process is gone


def read_spans(job: FrameJob) -> bytes:
    """Return the joined bytes of a frame's parts; fewer if the file ends early."""
    parts = []
    with open(job.path, "rb") as file:
        for offset, length in job.spans:
            file.seek(offset)
            parts.append(file.read(length))
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _answer(pipe: Connection, job: FrameJob, name: str) -> str | None:
    rows, columns = job.shape
    memory = receive(pipe, name, rows * columns * 2)
    try:
        shared = np.frombuffer(memory, np.uint16).reshape(job.shape)
        values = decode(read_spans(job), job, shared)
        if values is not shared:
            shared.view(values.dtype)[...] = values
    except CodecError as error:
        return str(error)
    except OSError as error:
        return f"cannot be read ({(error.strerror or 'input error').lower()})"
    except MemoryError:
        return "needs more memory to decode than there is"
    return None


def _give_memory_back() -> None:
    """Let glibc return large blocks at once: otherwise an idle worker keeps 50 MB of its last frame."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, 1 << 20)


def _limit_memory() -> None:
    """Let a codestream that lies not take what memory there is; a decoder then fails, or ends its process."""
    if not sys.platform.startswith("linux"):
        return
    import resource

    with contextlib.suppress(OSError, ValueError, IndexError):
        with open("/proc/self/statm", "rb") as file:
            held = int(file.read().split()[5]) * resource.getpagesize()  # data and stack, as the limit counts
        most = held + (_MOST_MIB << 20)
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard == resource.RLIM_INFINITY or most < hard:
            resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def _silence() -> None:
    """Send what native libraries print to nowhere: it would reach the user's terminal."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
