"""Shared by all tests: Qt off-screen, the user's folders out of reach, and the real data if present.

This folder is on the path, so that ``from dicom_files import write_mg`` and ``from judging import need``
work from every test. Environment variables are set here, before any test imports Qt, numpy or torch, and
are inherited by the programs that tests start.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"

sys.path.insert(0, str(Path(__file__).parent))

_home = tempfile.TemporaryDirectory(prefix="mammoview-tests-")
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["MAMMOVIEW_CONFIG"] = str(Path(_home.name) / "config")
os.environ["MAMMOVIEW_DATA"] = str(Path(_home.name) / "data")
os.environ["MAMMOVIEW_MODELS"] = str(Path(_home.name) / "models")
for _kind in ("CONFIG", "CACHE", "DATA", "STATE"):
    os.environ[f"XDG_{_kind}_HOME"] = str(Path(_home.name) / _kind.lower())
# Two numerical libraries that each take every core slow each other down, and tests with a deadline with them;
# so do two processes of tests.
_each = "1" if "PYTEST_XDIST_WORKER" in os.environ else "2"
for _threads in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_threads, _each)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is marked ``shared_data`` where the real data is missing."""
    if (SHARED / "data").is_dir():
        return
    skip = pytest.mark.skip(reason=f"no real data at {SHARED / 'data'}")
    for item in items:
        if item.get_closest_marker("shared_data"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder ``../shared``; the test is skipped where it is missing."""
    if not SHARED.is_dir():
        pytest.skip(f"no shared folder at {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def shared_data(shared: Path) -> Path:
    """The folder of real data; the test is skipped where it is missing."""
    data = shared / "data"
    if not data.is_dir():
        pytest.skip(f"no real data at {data}")
    return data


@pytest.fixture(scope="session", autouse=True)
def _throw_the_home_away() -> Iterator[None]:
    yield
    _home.cleanup()


@pytest.fixture
def qtbot(qapp: object, request: pytest.FixtureRequest) -> object:
    """pytest-qt's, in place of its own: see `patient_bot`."""
    from patient_bot import PatientBot  # Qt only where a test asks for it

    return PatientBot(request)
