"""The trainer's error: one sentence for the person at the command line."""

from __future__ import annotations

from app.core.errors import MammoviewError


class TrainerError(MammoviewError):
    """Work of the trainer that could not be done; the command then ends with exit code 1."""


class LeakageError(TrainerError):
    """A patient, or identical pixels, in two parts of a split: nothing measured on it would be true."""
