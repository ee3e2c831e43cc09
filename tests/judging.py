"""Independent programs that judge ours: ``from judging import need``.

A judge that is not installed skips the test, unless the environment says ``REQUIRE_JUDGES=1`` (as
``.ci/run`` does): then the test fails, so that a judge is never silently left out.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

PACKAGES = {
    "dciodvfy": "dicom3tools",
    "dcentvfy": "dicom3tools",
    "dcsrdump": "dicom3tools",
    "gdcm": "libgdcm-tools",
}
"""Debian package by how the program's name begins; everything else is from dcmtk."""


def need(tool: str) -> str:
    """Return the full path of a judge, such as ``dcm2pnm``.

    Where it is missing: skips the test, or fails it if the environment says ``REQUIRE_JUDGES=1``.
    """
    # The virtual environment brings gdcm's programs too: the library under test, which is no judge of itself.
    own = Path(sys.prefix) / "bin"
    folders = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if Path(folder) != own]
    path = shutil.which(tool, path=os.pathsep.join(folders))
    if path is not None:
        return path
    package = next((name for start, name in PACKAGES.items() if tool.startswith(start)), "dcmtk")
    sentence = f"the judge {tool} is not installed (Debian: apt-get install {package})"
    if os.environ.get("REQUIRE_JUDGES") == "1":
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)
