"""What Qt has to say about the environment is not for the reader's terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dicom_files import write_mg


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="locales of other systems are UTF-8")
@pytest.mark.parametrize(
    "locale", [{"LC_ALL": "C"}, {"LANG": "POSIX"}, {}], ids=["LC_ALL=C", "POSIX", "unset"]
)
def test_a_snapshot_without_a_utf8_locale_writes_nothing_to_stderr(
    locale: dict[str, str], root: Path, tmp_path: Path
) -> None:
    import numpy as np

    write_mg(tmp_path / "a.dcm", np.full((64, 64), 700, np.uint16))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "snapshot", str(tmp_path / "a.dcm"), "-o", str(tmp_path / "a.png")],
        cwd=root,
        env=kept | locale,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "a.png").exists()
