"""Words of the command line that several commands share."""

from __future__ import annotations

import argparse


def from_one(word: str) -> int:
    """Return a whole number that counts from 1, for argparse's ``type``."""
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word!r} is not a number from 1 on")
    return int(word)
