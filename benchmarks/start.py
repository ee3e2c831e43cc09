"""``start``: from starting the program to a painted main window, beside ``python -c "import torch"``."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.result import BenchmarkError, Result, alternate, judge

ROUNDS = 7

PAINTED = """
import sys
from app.commands.window import open_window

workstation = open_window(off_screen=True)
workstation.window.resize(2560, 1440)
workstation.window.show()
workstation.application.processEvents()
workstation.window.repaint()
print("torch" if "torch" in sys.modules else "painted", flush=True)
workstation.close()
"""


def run(name: str, folder: Path) -> Result:
    """Measure both from a fresh process to the moment that matters, files in the disk cache."""
    runs = alternate(painted, import_torch, ROUNDS)
    return judge(
        name,
        "s until the window is painted",
        runs,
        better="lower",
        peer='python -c "import torch"',
        peer_config="files in the disk cache, byte code compiled",
    )


def painted() -> float:
    """Return the seconds until the main window is painted; torch must not be imported by then."""
    start = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", PAINTED], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline().strip()
        seconds = time.perf_counter() - start
    if said == "torch":
        raise BenchmarkError("torch was imported before the window was painted")
    if said != "painted" or process.returncode != 0:
        raise BenchmarkError(f"the window was not painted (exit code {process.returncode})")
    return seconds


def import_torch() -> float:
    """Return the seconds that ``python -c "import torch"`` takes."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch"], check=True, capture_output=True)
    return time.perf_counter() - start
