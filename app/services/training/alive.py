"""Whether a process that was started earlier still runs: its number together with when it began.

A number alone is given to another program once its first owner has ended; number and time are not.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

WINDOWS = sys.platform == "win32"
CAN_PAUSE = not WINDOWS
"""Windows has no signal that stops a program and lets it go on."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process, known by its number and by when it began (text that only this machine understands)."""

    pid: int
    began: str

    def to_json(self) -> dict[str, object]:
        """Return it as JSON."""
        return {"pid": self.pid, "began": self.began}


def of_json(value: object) -> Process | None:
    """Return a process as JSON names it; None for anything else."""
    if isinstance(value, dict) and isinstance(value.get("pid"), int) and isinstance(value.get("began"), str):
        return Process(value["pid"], value["began"])
    return None


def process(pid: int) -> Process:
    """Return a running process by its number."""
    return Process(pid, began(pid) or "unknown")


def is_alive(one: Process | None) -> bool:
    """Return whether that very process runs; one that has ended and waits for its parent does not."""
    return one is not None and one.pid > 0 and began(one.pid) == one.began


def began(pid: int) -> str | None:
    """Return when the process with a number began, as text to compare; None where none runs."""
    if sys.platform.startswith("linux"):
        return _linux(pid)
    return _windows(pid) if WINDOWS else _posix(pid)


def _linux(pid: int) -> str | None:
    """Return boot and clock ticks since then (proc(5): field 22 of stat; field 3 is Z for the ended)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The program's name, in parentheses, may itself hold blanks and parentheses.
    fields = text.rpartition(")")[2].split()
    if len(fields) < 20 or fields[0] in ("Z", "X"):
        return None
    return f"{_boot()}:{fields[19]}"


@lru_cache(maxsize=1)
def _boot() -> str:
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    return ""


def _posix(pid: int) -> str | None:
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=5, check=False, env={**os.environ, "LC_ALL": "C"}
        )
        state, _, when = done.stdout.strip().partition(" ")
        if when.strip() and not state.startswith("Z"):
            return " ".join(when.split())
    return None


def _windows(pid: int) -> str | None:
    import ctypes

    kernel = getattr(ctypes, "WinDLL")("kernel32", use_last_error=True)  # noqa: B009 - not known elsewhere
    kernel.OpenProcess.restype = ctypes.c_void_p
    handle = kernel.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
    if not handle:
        return None
    try:
        code, times = ctypes.c_ulong(), [ctypes.c_ulonglong() for _ in range(4)]
        held = ctypes.c_void_p(handle)
        still = kernel.GetExitCodeProcess(held, ctypes.byref(code)) and code.value == 259  # STILL_ACTIVE
        known = kernel.GetProcessTimes(held, *(ctypes.byref(one) for one in times))
        return str(times[0].value) if still and known else None
    finally:
        kernel.CloseHandle(ctypes.c_void_p(handle))


def tell_group(leader: int, what: signal.Signals) -> None:
    """Send a signal to a process and all that it started (POSIX); one that is gone is no matter."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, what)


def tell(one: Process, what: signal.Signals) -> None:
    """Send a signal to that very process; nothing is sent where its number has passed to another one."""
    if is_alive(one):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(one.pid, what)


def lock(path: Path) -> BinaryIO | None:
    """Return a file that this process holds alone until it is closed; None where another one holds it.

    The system lets it go when the process ends, however it ends (flock; byte locks on Windows). A folder of
    another machine that knows no locks holds nobody off.
    """
    file = path.open("ab")
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        file.close()
        return None
    except OSError:
        pass  # no locks here
    return file


def detached() -> dict[str, object]:
    """Return what `subprocess.Popen` needs so that a program survives the one that starts it."""
    if WINDOWS:
        # CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW
        return {"creationflags": 0x00000200 | 0x08000000}
    return {"start_new_session": True}
