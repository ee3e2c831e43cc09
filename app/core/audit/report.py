"""An audit as a folder that a browser shows with no network and no script.

``index.html`` (diagrams as SVG and the chosen pictures within it), ``cases.csv`` (every case, whatever was
chosen) and ``numbers.json``. Every number has its unit, its count and its interval.
"""

from __future__ import annotations

from pathlib import Path

from app.core.audit.report_page import page
from app.core.audit.reported import AuditReport, cases_csv, numbers_json
from app.core.errors import ReadError
from app.core.files import write_json, write_text


def write_report(folder: Path, report: AuditReport) -> Path:
    """Write the report into a folder (made where missing) and return its page.

    Raises
    ------
    ReadError
        It cannot be written; each file in it is whole or as it was.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / "cases.csv", cases_csv(report.sheet))
        write_json(folder / "numbers.json", numbers_json(report))
        write_text(folder / "index.html", page(report))
    except OSError as error:
        raise ReadError(folder, f"the report cannot be written ({error.strerror})") from error
    return folder / "index.html"
