"""A reading day on the real window, ended by SIGKILL: what was shown as kept is there when it opens again."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dicom_files import phantom_pixels, uid_of, write_mg

SCRIPT = Path(__file__).with_name("reading_day.py")
ROOT = Path(__file__).parents[2]
VIEWS = {"RCC": ("P", "L"), "LCC": ("A", "R"), "RMLO": ("P", "FL"), "LMLO": ("A", "FR")}
ROWS, COLUMNS = 400, 300
BEADS = ((150.0, 40.0), (150.0, 120.0))
"""Stored (row, col) in LCC: 80 columns of 0.1 mm apart."""
KILLS = int(os.environ.get("KILLS", "6"))
"""Of the whole window; the store alone is killed fifty times in core/reading/test_store_killed.py."""


@pytest.fixture
def exam(tmp_path: Path) -> Path:
    """A four-view exam with two beads in LCC."""
    folder = tmp_path / "exam"
    folder.mkdir()
    for label, orientation in VIEWS.items():
        chest = "right" if label[0] == "R" else "left"
        pixels = phantom_pixels(ROWS, COLUMNS, chest=chest, seed=len(label))
        if label == "LCC":
            for row, col in BEADS:
                pixels[int(row) - 2 : int(row) + 3, int(col) - 2 : int(col) + 3] = 4095
        write_mg(
            folder / f"{label}.dcm",
            pixels,
            laterality=label[0],
            view=label[1:],
            orientation=orientation,
            window=(2048, 4096),
            StudyInstanceUID=uid_of("day"),
        )
    (tmp_path / "beads.json").write_text(json.dumps(BEADS))
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    names = {"MAMMOVIEW_DATA": "data", "MAMMOVIEW_CONFIG": "config", "MAMMOVIEW_MODELS": "models"}
    return {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONPATH": str(ROOT),
        **{name: str(tmp_path / folder) for name, folder in names.items()},
    }


def start(what: str, exam: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIPT), what, str(exam)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def lines_until(process: subprocess.Popen[str], key: str) -> list[dict]:
    """The program's lines up to the one that has `key`."""
    assert process.stdout is not None
    found: list[dict] = []
    for line in process.stdout:
        found.append(json.loads(line))
        if key in found[-1]:
            return found
    assert process.stderr is not None
    pytest.fail(f"the program ended: {process.stderr.read()[-2000:]}")


def look(exam: Path, environment: dict[str, str]) -> dict:
    process = start("look", exam, environment)
    out, err = process.communicate(timeout=180)
    assert process.returncode == 0, err[-2000:]
    return json.loads(out.splitlines()[-1])


def test_a_day_s_work_survives_kill_9(exam: Path, environment: dict[str, str]) -> None:
    process = start("read", exam, environment)
    said = lines_until(process, "report")
    process.send_signal(signal.SIGKILL)
    process.wait(180)
    stages, measured, marks, _ = said
    assert stages["last"] == stages["count"] - 1
    assert stages["stages"][:3] == ["Four views", "CC pair", "MLO pair"]
    assert ["8.0 mm at detector"] in measured["measured"]
    assert len(marks["marks"]) == 1  # the second was drawn and undone
    points = marks["marks"][0]["points"]
    assert points == [pytest.approx(list(at), abs=0.6) for at in BEADS]

    again = look(exam, environment)
    assert again["marks"] == marks["marks"]
    assert ["8.0 mm at detector"] in again["shown"]
    assert "Screening after 24 months" in json.dumps(again["report"])
    assert len(again["key_images"]) == 1
    assert again["read"] == 1


def test_a_mark_shown_as_kept_is_never_lost(exam: Path, environment: dict[str, str]) -> None:
    """Killed at random moments, again and again over the same store."""
    chance = random.Random(20261121)
    kept: set[str] = set()
    for number in range(KILLS):
        process = start("draw", exam, environment)
        found = lines_until(process, "found")[-1]["found"]
        assert found >= len(kept), f"lost before kill {number + 1}"
        time.sleep(chance.uniform(0.05, 0.7))
        process.send_signal(signal.SIGKILL)
        out, _ = process.communicate(timeout=180)
        # A last line may be cut off by the kill itself: it was not told whole.
        told = [line for line in out.splitlines(keepends=True) if line.endswith("}\n")]
        kept |= {json.loads(line)["saved"] for line in told}
    assert kept  # the loop did draw
    again = {mark["uid"] for mark in look(exam, environment)["marks"]}
    assert kept <= again
    store = next((Path(environment["MAMMOVIEW_DATA"])).glob("*.sqlite*"))
    with sqlite3.connect(store) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
