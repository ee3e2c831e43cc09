"""Hanging protocols: what is shipped, and how a wrong file is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import MammoviewError, ReadError
from app.core.hanging.protocols import load_protocols, read_protocol, read_protocols


def right(**changes: Any) -> dict[str, Any]:
    pane = {"row": 0, "column": 0, "laterality": "R", "view": "CC"}
    data = {
        "format": "mammoview-hanging-protocol",
        "version": 1,
        "name": "mine",
        "title": "Mine",
        "order": 1,
        "needs": 1,
        "stages": [{"title": "One", "rows": 1, "columns": 2, "panes": [pane]}],
    }
    return {**data, **changes}


def stage(**changes: Any) -> list[dict[str, Any]]:
    return [{"title": "One", "rows": 1, "columns": 1, "panes": [{"row": 0, "column": 0}], **changes}]


def write(folder: Path, data: object, name: str = "mine.json") -> Path:
    path = folder / name
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def test_the_shipped_protocols_are_right_and_in_menu_order() -> None:
    names = [protocol.name for protocol in load_protocols()]
    assert names == [
        "screening-cc-mlo",
        "screening-mlo-cc",
        "cc-pair",
        "mlo-pair",
        "single",
        "screening-priors",
    ]


@pytest.mark.parametrize(
    ("name", "upper", "lower"),
    [("screening-cc-mlo", "CC", "MLO"), ("screening-mlo-cc", "MLO", "CC")],
)
def test_four_views_hang_the_right_breast_on_screen_left(name: str, upper: str, lower: str) -> None:
    four = next(protocol for protocol in load_protocols() if protocol.name == name).stages[0]
    places = {(pane.row, pane.column): pane.wants for pane in four.panes}
    assert places == {
        (0, 0): f"R{upper}",
        (0, 1): f"L{upper}",
        (1, 0): f"R{lower}",
        (1, 1): f"L{lower}",
    }


def test_the_four_view_protocol_steps_through_pairs_and_single_views() -> None:
    stages = [stage.title for stage in load_protocols()[0].stages]
    assert stages == ["Four views", "CC pair", "MLO pair", "RCC", "LCC", "RMLO", "LMLO"]


def test_a_right_file_is_read(tmp_path: Path) -> None:
    assert read_protocol(write(tmp_path, right())).stages[0].panes[0].wants == "RCC"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("{", "JSON"),
        ([], "object"),
        (right(format="other"), "format"),
        (right(version=2), "version 2"),
        (right(name="Mine!"), "lower-case"),
        (right(name="other"), "file's own"),
        (right(title=""), "title"),
        (right(order="first"), "order"),
        (right(needs=-1), "needs"),
        (right(extra=1), "unknown field extra"),
        ({key: value for key, value in right().items() if key != "stages"}, "lacks stages"),
        (right(stages=[]), "at least one stage"),
        (right(stages=stage(rows=0)), "grid of 0 x 1"),
        (right(stages=stage(rows=99)), "grid of 99 x 1"),
        (right(stages=stage(panes=[])), "no panes"),
        (right(stages=stage(panes=[{"row": 1, "column": 0}])), "outside its grid"),
        (right(stages=stage(panes=[{"row": 0, "column": 0}] * 2)), "two panes in one place"),
        (right(stages=stage(panes=[{"row": 0, "column": 0, "laterality": "B"}])), "laterality 'B'"),
        (right(stages=stage(panes=[{"row": 0, "column": 0, "view": "AP"}])), "view 'AP'"),
        (right(stages=stage(panes=[{"row": 0, "column": True}])), "column"),
        (right(stages=stage(panes=[{"row": 0, "column": 0, "prior": 0.5}])), "prior"),
    ],
)
def test_a_wrong_file_is_refused_with_one_sentence_that_names_it(
    tmp_path: Path, data: object, reason: str
) -> None:
    path = write(tmp_path, data)
    with pytest.raises(ReadError) as caught:
        read_protocol(path)
    assert str(path) in str(caught.value)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"gone\.json"):
        read_protocol(tmp_path / "gone.json")


def test_a_wrong_file_does_not_keep_the_others_out(tmp_path: Path) -> None:
    write(tmp_path, right())
    write(tmp_path, "{", "broken.json")
    protocols, refused = read_protocols(tmp_path)
    assert [protocol.name for protocol in protocols] == ["mine"]
    assert len(refused) == 1
    assert "broken.json" in refused[0]
    with pytest.raises(MammoviewError, match=r"broken\.json"):
        load_protocols(tmp_path)
