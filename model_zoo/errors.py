"""Errors of the model zoo: each is one sentence that names the bundle and the reason."""

from __future__ import annotations


class ModelError(Exception):
    """Model work that could not be done; ``str(error)`` is one sentence without a line break."""

    def __init__(self, sentence: str) -> None:
        super().__init__(" ".join(sentence.split()))


class BundleError(ModelError):
    """A bundle that is missing, damaged, of a newer format, or not to be trusted."""


class ViewError(ModelError):
    """A view that cannot be had; an adapter's ``pixels`` may raise it, and only that view fails."""


class Cancelled(Exception):  # noqa: N818
    """Raised by a caller's ``report(done, total)`` to stop work between two views."""
