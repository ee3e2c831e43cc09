"""What all commands say and take: sentences, progress, numbers of processes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from trainer.processes import leads


def say(sentence: str) -> None:
    """Print a sentence at once."""
    print(sentence, flush=True)


def counter(word: str) -> Callable[[int, int], None]:
    """Return a report that draws ``word done/total`` on a terminal and keeps quiet elsewhere."""
    show = sys.stderr.isatty() and leads()

    def report(done: int, total: int) -> None:
        if show:
            end = "\n" if done == total else ""
            print(f"\r{word} {done}/{total}", end=end, file=sys.stderr, flush=True)

    return report


def workers(text: str) -> int:
    """Return a number of processes from the command line."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes")
    return int(text)


def metric_sentence(name: str, entry: dict[str, object]) -> str:
    """Return an entry of metrics.json as words: value, interval, number and unit."""
    if entry["value"] is None:
        return f"{name} undefined ({entry['n']} {entry['unit']}s)"
    interval = "no interval" if entry["low"] is None else f"{entry['low']:.3f} to {entry['high']:.3f}"
    return f"{name} {entry['value']:.3f} [{interval}], n = {entry['n']}"
