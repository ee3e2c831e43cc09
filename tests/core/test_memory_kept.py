"""What a program of its own frees it gets again without asking the system."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import resource, sys
import numpy as np
from app.core.memory import keep_memory
if sys.argv[1] == "keep":
    assert keep_memory()
np.ones(4_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(4_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(root: Path, how: str) -> int:
    """Pages that the system had to provide for twenty blocks of 32 MB, one after the other."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], cwd=root, capture_output=True, text=True, check=True
    )
    return int(ran.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="no glibc")
def test_blocks_that_were_freed_are_taken_again(root: Path) -> None:
    # How large its pages are is the system's own affair: a block that is mapped anew takes one at least.
    assert faults(root, "give back") >= 19
    assert faults(root, "keep") < 16
