"""How measurements become a result: medians, the ratio's direction, taking turns, the peer at its best."""

from __future__ import annotations

import importlib
import json
from itertools import count
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks.result import BenchmarkError, Result, alternate, best_setting, judge


def test_seconds_below_the_peers_give_a_ratio_above_one() -> None:
    result = judge("x", "s", [(1.0, 3.0), (2.0, 4.0), (9.0, 5.0)], better="lower", peer="p", peer_config="c")
    assert (result.value, result.peer_value, result.ratio) == (2.0, 4.0, 2.0)


def test_frames_above_the_peers_give_a_ratio_above_one() -> None:
    result = judge("x", "frames/s", [(60.0, 10.0)], better="higher", peer="p", peer_config="c")
    assert result.ratio == 6.0


def test_both_take_turns_in_going_first_after_one_round_that_does_not_count() -> None:
    order: list[str] = []
    clock = count()

    def runner(name: str) -> float:
        order.append(name)
        return float(next(clock))

    runs = alternate(lambda: runner("ours"), lambda: runner("theirs"), 3)
    assert order == ["ours", "theirs", "ours", "theirs", "theirs", "ours", "ours", "theirs"]
    assert runs == [(2.0, 3.0), (5.0, 4.0), (6.0, 7.0)]


def test_the_peer_is_measured_at_its_best_setting() -> None:
    settings = {"slow": lambda: 3.0, "fast": lambda: 1.0}
    assert best_setting(settings) == "fast"
    assert best_setting(settings, better="higher") == "slow"


def test_every_benchmark_that_is_offered_has_a_module_that_runs_it() -> None:
    for module in set(command.BENCHMARKS.values()):
        assert callable(importlib.import_module(module).run)


def test_the_names_are_those_of_the_design() -> None:
    """DESIGN.md, the files: benchmarks."""
    names = (
        "window-drag-4up window-drag-8up pan-4up zoom-4up open-4up-j2k open-8up-j2k first-look-4up-j2k "
        "stage-switch start memory-4up analyse-4view analyse-4view-overhead train-input-warm "
        "train-input-cold evaluate-overhead audit-50k"
    )
    assert {*command.BENCHMARKS} - {*command.MORE} == set(names.split())
    assert {*command.MORE} <= {*command.BENCHMARKS}


def test_a_benchmark_that_fails_is_named_and_the_others_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(name: str, folder: Path) -> dict[str, object]:
        if name == "start":
            raise BenchmarkError("the window was not painted")
        return Result(name, 1.0, "s", "p", "c", 2.0, 2.0, ((1.0, 2.0),)).as_json()

    monkeypatch.setattr(command, "measure", measure)
    out = tmp_path / "out.json"
    assert command.main(["start", "memory-4up", "-o", str(out)]) == 1
    assert capsys.readouterr().err == "benchmarks: start: the window was not painted\n"
    report = json.loads(out.read_text())
    assert (report["format"], report["version"]) == ("mammoview-benchmarks", 1)
    (result,) = report["results"]
    assert set(result) == {
        *("name", "value", "unit", "peer", "peer_config", "peer_value", "ratio", "runs"),
    }
    assert report["machine"]["cores"] >= 1


def test_the_name_of_the_audits_table_measures_all_that_is_asked_of_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[str] = []

    def measure(name: str, folder: Path) -> dict[str, object]:
        measured.append(name)
        return Result(name, 1.0, "ms", "goal", "c", 2.0, 2.0, ((1.0, 2.0),)).as_json()

    monkeypatch.setattr(command, "measure", measure)
    assert command.main(["audit-table", "audit-drag", "-o", str(tmp_path / "out.json")]) == 0
    assert measured == ["audit-table", "audit-scroll", "audit-drag", "audit-next-case"]
