"""The lexicons: what ships is whole, what is wrong is refused with a reason."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

from app.core.errors import MammoviewError, ReadError
from app.core.reading.lexicon import load_lexicon, read_lexicon


def _data() -> dict:
    return json.loads(files("resources").joinpath("lexicons", "birads-5.json").read_text("utf-8"))


def _read(tmp_path, data, name="birads-5"):
    path = tmp_path / f"{name}.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return read_lexicon(path)


def test_the_first_lexicon_has_the_densities_and_categories_of_the_field_notes():
    lexicon = load_lexicon()
    assert lexicon.name == "birads-5"
    assert [term.code for term in lexicon.density] == ["a", "b", "c", "d"]
    assert [each.code for each in lexicon.assessments] == ["1", "2", "3", "6", "0", "4A", "4B", "4C", "5"]


def test_masses_have_shape_margin_and_density_and_calcifications_form_and_distribution():
    lexicon = load_lexicon()
    groups = {kind.code: [group.code for group in kind.groups] for kind in lexicon.kinds}
    assert groups["mass"] == ["shape", "margin", "density"]
    assert groups["calcifications"] == ["morphology", "distribution"]
    assert {"distortion", "asymmetry"} <= set(groups)
    assert lexicon.associated


def test_every_category_that_asks_for_an_action_proposes_one_of_its_own():
    for each in load_lexicon().assessments:
        assert each.recommendation.endswith(".")
        assert each.action == (each.code not in ("1", "2"))


def test_another_edition_is_another_file(tmp_path):
    data = _data() | {"name": "birads-2025", "title": "another"}
    assert _read(tmp_path, data, "birads-2025").name == "birads-2025"


def test_a_lexicon_that_is_not_there_is_one_sentence():
    with pytest.raises(MammoviewError, match="birads-1999 is not part of this version"):
        load_lexicon("birads-1999")
    with pytest.raises(MammoviewError, match="no lexicon"):
        load_lexicon("../settings")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d.update(version=2), "version 2 is not 1"),
        (lambda d: d.update(format="x"), "format is not"),
        (lambda d: d.pop("density"), "lacks density"),
        (lambda d: d.update(extra=1), "unknown field extra"),
        (lambda d: d.update(name="other"), "not the file's own"),
        (lambda d: d["density"].append({"code": "a", "text": "again"}), "'a' twice"),
        (lambda d: d["assessments"][0].update(action=1), "action is not true or false"),
        (lambda d: d["assessments"][0].update(finding="perhaps"), "none, may or must"),
        (lambda d: d["kinds"][0].update(text=""), "text is not a text"),
        (lambda d: d["kinds"][0]["groups"][0].update(terms=[]), "at least one entry"),
    ],
)
def test_a_wrong_lexicon_is_refused_with_its_reason(tmp_path, change, reason):
    data = _data()
    change(data)
    with pytest.raises(ReadError, match=reason):
        _read(tmp_path, data)


def test_a_file_that_is_no_json_is_refused(tmp_path):
    path = tmp_path / "birads-5.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ReadError, match="not a JSON file"):
        read_lexicon(path)
