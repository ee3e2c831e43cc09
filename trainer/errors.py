"""The trainer's error: one sentence for the person at the command line."""

from __future__ import annotations

from app.core.errors import MammoviewError


class TrainerError(MammoviewError):
    """Work of the trainer that could not be done; the command then ends with exit code 1."""
