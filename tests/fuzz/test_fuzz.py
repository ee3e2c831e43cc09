"""Mutated files through the commands' own main: the small run, and every file that ever failed.

The large run is ``make fuzz``; what a file may do is said in `fuzz_run`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fuzz_elements import parse
from fuzz_mutations import NAMES, mutated
from fuzz_run import Victim, faults, fuzz, judge, recipes
from fuzz_seeds import SYNTAXES, make_seeds

FAILED_ONCE = sorted((Path(__file__).parent / "seeds").glob("*.dcm"))

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="measures memory in /proc")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("seeds")


@pytest.fixture(scope="module")
def seeds(folder: Path) -> dict[str, bytes]:
    return make_seeds(folder)


@pytest.fixture(scope="module")
def victim() -> Iterator[Victim]:
    process = Victim()
    yield process
    process.end()


def test_what_is_mutated_can_be_read_in_every_transfer_syntax(
    seeds: dict[str, bytes], folder: Path, victim: Victim
) -> None:
    assert set(SYNTAXES) <= set(seeds)
    for name in seeds:
        outcome = victim.run(folder / f"{name}.dcm")
        assert not isinstance(outcome, str), f"{name}: {outcome}"
        assert [outcome[command]["code"] for command in ("info", "render", "window")] == [0, 0, 0], name


def test_every_mutation_changes_its_file_and_does_so_in_the_same_way_each_time(
    seeds: dict[str, bytes],
) -> None:
    for mutation in NAMES:
        made = [
            mutated("90-jpeg-2000", seeds["90-jpeg-2000"], mutation, number, seeds) for number in range(8)
        ]
        again = [
            mutated("90-jpeg-2000", seeds["90-jpeg-2000"], mutation, number, seeds) for number in range(8)
        ]
        assert made == again
        assert any(one != seeds["90-jpeg-2000"] for one in made), mutation


def test_the_elements_of_a_deflated_file_are_found_and_it_is_deflated_again(seeds: dict[str, bytes]) -> None:
    parsed = parse(seeds["deflated"])
    assert 0x7FE00010 in {one.tag for one in parsed.elements}
    assert parse(parsed.close(parsed.data)) == parsed


def test_150_mutated_files_end_in_one_sentence_or_a_picture(seeds: dict[str, bytes], tmp_path: Path) -> None:
    tally = fuzz(recipes(sorted(seeds), 150, seed=11), seeds, tmp_path)
    assert tally.files == 150
    assert not tally.failed, "\n".join(f"{recipe}: {clause}" for recipe, clause in tally.failed)
    # Some can still be read and some cannot: else nothing was tried.
    assert min(tally.outcomes["info 0"], tally.outcomes["info 1"], tally.outcomes["render 0"]) > 10


@pytest.mark.parametrize("path", FAILED_ONCE, ids=lambda path: path.stem)
def test_a_file_that_failed_once_fails_no_more(path: Path, victim: Victim) -> None:
    outcome = victim.run(path)
    wrong = judge(str(path), outcome)
    if wrong and all("took" in clause for clause in wrong):  # perhaps only a busy machine
        outcome = victim.run(path)
        wrong = judge(str(path), outcome)
    assert not wrong
    assert not isinstance(outcome, str)
    # A decoder that has to be replaced is contained, and still a defect.
    assert "crash" not in outcome["render"]["err"]


GOOD: dict[str, Any] = {
    "code": 1,
    "out": '{"format": "mammoview-info"}',
    "raised": "",
    "seconds": 0.1,
    "mib": 200,
}


@pytest.mark.parametrize(
    "bad",
    [
        {"err": ""},
        {"err": "mammoview: /a.dcm: is empty\nand more\n"},
        {"err": "mammoview: /a.dcm\n"},
        {"err": "mammoview: is empty\n"},
        {"code": -11},
        {"code": 2},
        {"code": 0, "err": "a warning\n"},
        {"raised": "Traceback\nValueError: x\n"},
        {"out": "Patient"},
        {"seconds": 10.5},
        {"mib": 2001},
    ],
    ids=str,
)
def test_the_judge_sees_what_may_not_be(bad: dict[str, Any]) -> None:
    good = GOOD | {"err": "mammoview: /a.dcm: is empty\n"}
    assert not list(faults("/a.dcm", "info", good))
    assert list(faults("/a.dcm", "info", good | bad))


def test_a_process_that_dies_is_a_failure() -> None:
    assert judge("/a.dcm", "the process died (-11)") == ["the process died (-11)"]
