"""Every test in this folder asks an independent program, and is marked so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import judging
import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies below this folder with ``judge``."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.judge)


@pytest.fixture(scope="session")
def need() -> Callable[[str], str]:
    """``need("dcm2pnm")`` gives the judge's path, or skips (fails with ``REQUIRE_JUDGES=1``)."""
    return judging.need
