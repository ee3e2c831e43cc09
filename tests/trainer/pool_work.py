"""Work for other processes, in a module that is imported quickly."""

from __future__ import annotations

import os
import signal
import time


def square(number: int) -> int:
    return number * number


def killed_at(number: int) -> int:
    """Ends its process as the kernel does when memory is short, at one number."""
    if number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.01)
    return number
