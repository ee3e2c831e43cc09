"""What models said, kept on disk as it comes: an audit that was killed goes on where it was.

One SQLite file for all audits. An answer is known by the hash of the bundle and by its exam: the files'
hashes and the facts that the manifest states of them. A file that moved keeps its answer, another bundle or a
changed file has none. Each exam is one transaction: a kill leaves it whole or not there.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from app.core.audit.cases import ExamSaid, SaidBox, ViewSaid
from app.core.errors import ReadError
from app.core.manifest import Row
from app.core.stated import stored_orientation
from app.core.transactions import readers_beside_writer, transaction

FILE_NAME: Final = "predictions.sqlite"
_APPLICATION_ID: Final = 0x4D4D5650
_VERSION: Final = 1
_PATIENCE_S: Final = 10.0
"""How long another program may hold the lock before answers are not kept."""

_PIPELINE: Final = 1
"""Raised when the same bundle would say something else of the same file."""

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS answers (
    bundle TEXT NOT NULL,
    exam TEXT NOT NULL,
    said TEXT NOT NULL,
    PRIMARY KEY (bundle, exam)
) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class ExamRecord:
    """What a bundle said about one exam, its images in the order of the exam's rows.

    Attributes
    ----------
    uids
        SOP Instance UID of each image, empty where its file has none or cannot be read.
    status
        ``complete``, ``partial``, ``declined`` or ``failed``, as `predict` writes it.
    """

    views: tuple[ViewSaid, ...]
    uids: tuple[str, ...]
    status: str
    breasts: Mapping[str, float | None] = field(default_factory=dict)
    exam: float | None = None
    remarks: tuple[str, ...] = ()

    def at(self, places: Sequence[int]) -> ExamSaid:
        """Return it by place of the images in a table."""
        return ExamSaid(dict(zip(places, self.views, strict=True)), self.breasts, self.exam, self.remarks)


def failed_record(rows: int, reason: str) -> ExamRecord:
    """Return the record of an exam that could not be looked at at all."""
    return ExamRecord((ViewSaid("failed", reason),) * rows, ("",) * rows, "failed")


def exam_key(rows: Sequence[Row]) -> str:
    """Return what an exam is known by: a hash of its files' hashes and of what the manifest states."""
    facts = [
        [
            row.sha256 or f"{row.path}",
            row.frame,
            row.laterality,
            row.view,
            list(row.spacing_mm) if row.spacing_mm else None,
            row.source,
            stored_orientation(row),
        ]
        for row in rows
    ]
    return hashlib.sha256(json.dumps([_PIPELINE, facts]).encode()).hexdigest()


class KeptAnswers:
    """The file of answers, opened on first use and made where it is missing; for one thread at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None

    def find(self, bundle: str, exams: Sequence[str]) -> dict[str, ExamRecord]:
        """Return what a bundle (by hash) said about these exams (by key), as far as it is kept.

        An answer that cannot be read is passed over: it is asked for again.

        Raises
        ------
        ReadError
            The file cannot be read or is none of ours; one sentence.
        """
        found: dict[str, ExamRecord] = {}
        wanted = set(exams)
        with self._ready() as connection:
            for exam, text in connection.execute(
                "SELECT exam, said FROM answers WHERE bundle = ?", (bundle,)
            ):
                if exam in wanted:
                    with suppress(ValueError, KeyError, TypeError):
                        found[exam] = read_record(text)
        return found

    def keep(self, bundle: str, answers: Iterable[tuple[str, ExamRecord]]) -> None:
        """Keep what a bundle said about exams, all of these or none.

        Raises
        ------
        ReadError
            It cannot be written (a full disk); what was kept before stays.
        """
        rows = [(bundle, exam, record_text(record)) for exam, record in answers]
        with self._ready() as connection, transaction(connection):
            connection.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", rows)

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    @contextmanager
    def _ready(self) -> Iterator[sqlite3.Connection]:
        try:
            if self._connection is None:
                self._connection = self._opened()
            yield self._connection
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise ReadError(self.path, _reason(error)) from error

    def _opened(self) -> sqlite3.Connection:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):  # for its owner's eyes only, as the reader's own work
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        connection = sqlite3.connect(
            self.path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False
        )
        try:
            # Looked at and made in one transaction: another window may make the same file at this moment.
            with transaction(connection):
                _make(connection, self.path)
            readers_beside_writer(connection, _PATIENCE_S)
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection


def _make(connection: sqlite3.Connection, path: Path) -> None:
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    filled = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0
    if filled and application != _APPLICATION_ID:
        raise ReadError(path, "is no file of answers of Mammoview and is left as it is")
    if version > _VERSION:
        raise ReadError(path, "was written by a newer Mammoview and is left as it is")
    connection.execute(_TABLE)
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {_VERSION}")


def _reason(error: Exception) -> str:
    name = "_".join(str(getattr(error, "sqlite_errorname", "")).split("_")[:2])
    return {
        "SQLITE_FULL": "the answers cannot be kept (the disk is full)",
        "SQLITE_BUSY": "the answers cannot be kept (another program holds it locked)",
        "SQLITE_READONLY": "the answers cannot be kept (it cannot be written)",
        "SQLITE_CANTOPEN": "the answers cannot be kept (it cannot be opened)",
        "SQLITE_IOERR": "the answers cannot be kept (the disk failed)",
        "SQLITE_CORRUPT": "is damaged; move it away, and the models are asked again",
        "SQLITE_NOTADB": "is damaged; move it away, and the models are asked again",
    }.get(name, f"the answers cannot be kept ({getattr(error, 'strerror', None) or error})")


def record_text(record: ExamRecord) -> str:
    """Return a record as JSON text; `read_record` gives it back."""
    views = [
        {
            "uid": uid,
            "status": view.status,
            "reason": view.reason,
            "score": view.score,
            "boxes": [[box.label, box.score, list(box.box), box.calibrated] for box in view.boxes],
            "notes": list(view.notes),
            **({"classes": dict(view.classes)} if view.classes else {}),
        }
        for view, uid in zip(record.views, record.uids, strict=True)
    ]
    data = {
        "status": record.status,
        "breasts": dict(record.breasts),
        "exam": record.exam,
        "remarks": list(record.remarks),
        "views": views,
    }
    return json.dumps(data, separators=(",", ":"), allow_nan=False)


def read_record(text: str) -> ExamRecord:
    """Return the record of a JSON text; ValueError, KeyError or TypeError where it is none."""
    data: dict[str, Any] = json.loads(text)
    views = tuple(
        ViewSaid(
            view["status"],
            view["reason"],
            view["score"],
            tuple(SaidBox(label, score, tuple(box), sure) for label, score, box, sure in view["boxes"]),
            tuple(view["notes"]),
            view.get("classes", {}),
        )
        for view in data["views"]
    )
    uids = tuple(view["uid"] for view in data["views"])
    return ExamRecord(views, uids, data["status"], data["breasts"], data["exam"], tuple(data["remarks"]))
