"""The errors of the workstation's core: each is one sentence for the reader."""

from __future__ import annotations

from pathlib import Path


class MammoviewError(Exception):
    """Work that could not be done; ``str(error)`` is one sentence without a line break."""

    def __init__(self, sentence: str) -> None:
        super().__init__(" ".join(sentence.split()))


class ReadError(MammoviewError):
    """A file that cannot be read or shown.

    Parameters
    ----------
    path
        The file (or folder) that failed, as the user would find it.
    reason
        Why, in plain words, lower case, without a full stop.
    """

    def __init__(self, path: Path | str, reason: str) -> None:
        self.path = Path(path)
        self.reason = " ".join(str(reason).split())
        super().__init__(f"{path}: {self.reason}")

    def __reduce__(self) -> tuple[type[ReadError], tuple[Path, str]]:
        # Errors cross the decoder's process boundary; Exception's own pickling passes one argument.
        return (type(self), (self.path, self.reason))


class Cancelled(Exception):
    """Raised by ``report(done, total)`` inside a job that the reader cancelled."""
