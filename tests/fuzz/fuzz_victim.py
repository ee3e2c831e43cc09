"""A process that runs the commands' own ``main`` on one file after the other; it may die of one.

Takes a path per line on stdin and answers with one line of JSON on what was stdout.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from app.cli import main
from app.core.dicom.reader import read_image
from app.core.errors import MammoviewError
from app.services.develop import decode_frame, decode_look, decode_thumbnail


def window(path: str) -> int:
    """Do with every frame what the window does."""
    try:
        image = read_image(Path(path))
        for frame in {0, image.frames - 1}:
            for work in (decode_look, decode_frame, decode_thumbnail):
                with contextlib.suppress(MammoviewError):
                    work(image, frame, lambda done, total: None)
    except MammoviewError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def commands(path: str, out: str) -> dict[str, Callable[[], int]]:
    """Return what is run on a file."""
    return {
        "info": lambda: main(["info", path, "--json"]),
        "render": lambda: main(["render", path, "-o", out]),
        "oriented": lambda: main(["render", path, "--oriented", "--frame", "2", "-o", out]),
        "window": lambda: window(path),
    }


def family() -> Iterator[int]:
    """Yield this process and its children (the decoders)."""
    yield os.getpid()
    for task in Path("/proc/self/task").glob("*/children"):
        yield from map(int, task.read_text().split())


def forget_peaks() -> None:
    """Let the kernel begin anew with the peaks of memory (proc(5), clear_refs 5)."""
    for process in family():
        with contextlib.suppress(OSError):
            Path(f"/proc/{process}/clear_refs").write_text("5")


def peak_mib() -> int:
    """Return the sum of the peaks of this process and its children; what they share counts twice."""
    total = 0
    for process in family():
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{process}/status").read_text()
            total += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return total // 1024


def run(work: Callable[[], int], captured: dict[int, int]) -> dict[str, object]:
    """Run one command and return all that can be seen of it from outside."""
    for fd in captured.values():
        os.ftruncate(fd, 0)
        os.lseek(fd, 0, os.SEEK_SET)
    forget_peaks()
    began, raised, code = time.perf_counter(), "", -1
    try:
        code = work()
    except BaseException:  # noqa: BLE001
        raised = traceback.format_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    out, err = (_read(captured[stream]) for stream in (1, 2))
    seconds = round(time.perf_counter() - began, 3)
    return {"code": code, "out": out, "err": err, "raised": raised, "seconds": seconds, "mib": peak_mib()}


def _read(fd: int) -> str:
    size = os.fstat(fd).st_size
    return os.pread(fd, size, 0).decode("utf-8", "backslashreplace")


def serve() -> None:
    """Answer until stdin ends."""
    answers = os.fdopen(os.dup(1), "w")
    with tempfile.TemporaryDirectory(prefix="mammoview-fuzz-") as folder:
        captured = {stream: os.open(Path(folder) / str(stream), os.O_RDWR | os.O_CREAT) for stream in (1, 2)}
        for stream, fd in captured.items():
            os.dup2(fd, stream)
        # What the process itself writes goes on at the end of what was cut.
        for stream in (1, 2):
            os.set_inheritable(stream, True)
        for line in sys.stdin:
            name = line.rstrip("\n")
            out = str(Path(folder) / "out.png")
            results = {}
            for command, work in commands(name, out).items():
                results[command] = run(work, captured)
            print(json.dumps(results), file=answers, flush=True)


if __name__ == "__main__":
    serve()
