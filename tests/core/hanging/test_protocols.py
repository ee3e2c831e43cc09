"""Hanging protocols: what is shipped, and how a wrong file is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import MammoviewError, ReadError
from app.core.hanging.catalogue import all_protocols, load_protocols, read_protocols
from app.core.hanging.parsing import read_protocol


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
        "diagnostic",
        "implants",
        "mosaic",
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
    stages = load_protocols()[0].stages
    own = [
        stage for stage in stages if not any(pane.needed or pane.modifiers != "any" for pane in stage.panes)
    ]
    alone = [title for view in ("RCC", "LCC", "RMLO", "LMLO") for title in (view, f"{view}, all pixels")]
    assert [stage.title for stage in own] == ["Four views", "CC pair", "MLO pair", *alone]
    assert [stage.title for stage in own if stage.walk] == alone[1::2]
    assert {stage.sizing for stage in own if stage.walk} == {"actual"}


def test_a_right_file_is_read(tmp_path: Path) -> None:
    assert read_protocol(write(tmp_path, right())).stages[0].panes[0].wants == "RCC"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("{", "JSON"),
        ([], "object"),
        (right(format="other"), "format"),
        (right(version=3), "version 3 is not 1 or 2"),
        (right(version=True), "version True"),
        (right(version="2"), "version '2'"),
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
        (right(stages=stage(sizing="same")), "unknown field sizing"),
        (right(stages=stage(panes=[{"row": 0, "column": 0, "needed": True}])), "unknown field needed"),
        (right(stages=stage(panes=[{"row": 0, "column": 0, "view": ["CC"]}])), "view ['CC']"),
        (right(version=2, stages=stage(sizing="huge")), "sizing 'huge' is not same, fit or actual"),
        (right(version=2, stages=stage(sizing=["fit"])), "sizing ['fit']"),
        (right(version=2, stages=stage(walk=1)), "walk is not true or false"),
        (
            right(
                version=2, stages=stage(columns=2, walk=True, panes=[{"row": 0, "column": n} for n in (0, 1)])
            ),
            "walk but not one pane",
        ),
        (right(version=2, stages=stage(panes=[{"row": 0, "column": 0, "modifiers": "M"}])), "modifiers 'M'"),
        (right(version=2, stages=stage(panes=[{"row": 0, "column": 0, "modifiers": []}])), "modifiers []"),
        (right(version=2, stages=stage(panes=[{"row": 0, "column": 0, "modifiers": ["Q"]}])), "modifier 'Q'"),
        (right(version=2, stages=stage(panes=[{"row": 0, "column": 0, "view": ["CC", 1]}])), "view 1"),
        (right(version=2, stages=stage(panes=[{"row": 0, "column": 0, "tile": -1}])), "tile"),
        ("[" * 100_000, "JSON"),
        (" " * (1 << 20) + "{}", "too large"),
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


def test_version_2_tells_modifiers_views_tiles_size_and_walk(tmp_path: Path) -> None:
    panes = [
        {"row": 0, "column": 0, "laterality": "R", "view": ["ML", "LM"], "modifiers": ["M", "S"]},
        {"row": 0, "column": 1, "modifiers": "standard", "tile": 2, "needed": True, "prior": 1},
    ]
    alone = stage(sizing="actual", walk=True)
    stages = [*stage(columns=2, sizing="fit", panes=panes), *alone]
    read = read_protocol(write(tmp_path, right(version=2, stages=stages)))
    first, second = read.stages
    assert (first.sizing, first.walk, second.sizing, second.walk) == ("fit", False, "actual", True)
    assert first.panes[0].views == ("ML", "LM")
    assert first.panes[0].modifiers == ("M", "S")
    assert first.panes[0].wants == "RML or RLM magnification or spot"
    assert (first.panes[1].tile, first.panes[1].needed, first.panes[1].modifiers) == (2, True, "standard")


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(right()), encoding="utf-8-sig")
    assert read_protocol(path).title == "Mine"


def test_the_readers_own_protocol_stands_beside_the_shipped_ones(tmp_path: Path) -> None:
    write(tmp_path, right(order=15))
    found, refused = all_protocols(tmp_path)
    assert [protocol.name for protocol in found[:3]] == ["screening-cc-mlo", "mine", "screening-mlo-cc"]
    assert len(found) == len(load_protocols()) + 1
    assert refused == ()


def test_the_readers_own_protocol_takes_the_place_of_its_namesake(tmp_path: Path) -> None:
    write(tmp_path, right(name="cc-pair", title="My pair"), "cc-pair.json")
    found, _ = all_protocols(tmp_path)
    assert [protocol.title for protocol in found if protocol.name == "cc-pair"] == ["My pair"]
    assert len(found) == len(load_protocols())


def test_a_wrong_protocol_of_the_reader_is_told_and_the_rest_still_work(tmp_path: Path) -> None:
    write(tmp_path, right())
    write(tmp_path, right(name="cc-pair", stages=[]), "cc-pair.json")
    found, refused = all_protocols(tmp_path)
    assert len(refused) == 1
    assert "cc-pair.json" in refused[0]
    assert "at least one stage" in refused[0]
    titles = {protocol.name: protocol.title for protocol in found}
    assert (titles["mine"], titles["cc-pair"]) == ("Mine", "CC pair")


def test_no_folder_of_own_protocols_is_no_mistake(tmp_path: Path) -> None:
    assert all_protocols(tmp_path / "nowhere") == (load_protocols(), ())


def test_the_example_of_the_documentation_is_right(tmp_path: Path, root: Path) -> None:
    text = (root / "docs" / "hanging.md").read_text(encoding="utf-8")
    example = text.split("```json")[1].split("```")[0]
    read = read_protocol(write(tmp_path, example, f"{json.loads(example)['name']}.json"))
    assert len(read.stages) >= 2
