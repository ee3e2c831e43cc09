"""The report on disk: nothing is lost on the way, nothing that is not understood is let in."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from made_reports import finding, sound

from app.core.reading.report import Report
from app.core.reading.report_json import ReportError, from_json, to_json

FULL = sound(
    lexicon="birads-2025",
    exam="diagnostic",
    indication='lump, "hard" <1 week>\nsecond line é 乳',
    findings=(
        finding(
            descriptors=(("shape", "oval"), ("margin", "spiculated")),
            associated=("skin-retraction",),
            size_mm=12.5,
            size_basis="at detector",
            size_of="a-1",
            depth="middle",
            nipple_mm=40.0,
            nipple_basis="at detector",
            region="upper-outer",
            clock=10,
            estimated=True,
            marks=("a-1", "a-2"),
            text="seen before",
        ),
        finding(uid="f-2", laterality="", kind="other"),
    ),
    overall="4B",
    known_cancer=True,
    remarks="x",
)


@pytest.mark.parametrize("report", [Report(), FULL], ids=["empty", "full"])
def test_a_report_comes_back_as_it_was(report):
    assert from_json(to_json(report)) == report


def test_the_text_says_what_it_is():
    data = json.loads(to_json(FULL))
    assert (data["format"], data["version"], data["lexicon"]) == ("mammoview-report", 1, "birads-2025")


def test_a_report_of_a_newer_version_is_refused_and_not_called_damaged():
    data = json.loads(to_json(FULL)) | {"version": 2}
    with pytest.raises(ReportError, match="newer version") as caught:
        from_json(json.dumps(data))
    assert "damaged" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(format="other"),
        lambda d: d.update(version=True),
        lambda d: d.update(version=0),
        lambda d: d.update(colour="red"),
        lambda d: d.pop("remarks"),
        lambda d: d.update(remarks=None),
        lambda d: d.update(exam="both"),
        lambda d: d.update(known_cancer=1),
        lambda d: d.update(findings={}),
        lambda d: d["findings"].append("mass"),
        lambda d: d["findings"].append(dict(d["findings"][0])),
        lambda d: d["findings"][0].update(laterality="B"),
        lambda d: d["findings"][0].update(size_mm="12"),
        lambda d: d["findings"][0].update(size_mm=-1),
        lambda d: d["findings"][0].update(size_mm=True),
        lambda d: d["findings"][0].update(size_mm=float("nan")),
        lambda d: d["findings"][0].update(clock=13),
        lambda d: d["findings"][0].update(clock=1.5),
        lambda d: d["findings"][0].update(marks=[1]),
        lambda d: d["findings"][0].update(descriptors=[["shape"]]),
        lambda d: d["findings"][0].update(descriptors=["ab"]),
    ],
)
def test_what_is_not_of_the_right_kind_is_refused(change):
    data = json.loads(to_json(FULL))
    change(data)
    with pytest.raises(ReportError, match="The report is damaged"):
        from_json(json.dumps(data))


@pytest.mark.parametrize("text", ["", "null", "[]", "{", "12"])
def test_what_is_no_report_at_all_is_refused(text):
    with pytest.raises(ReportError):
        from_json(text)


def test_a_length_that_is_not_finite_is_refused():
    text = to_json(replace(FULL, findings=(finding(size_mm=float("inf")),)))
    with pytest.raises(ReportError):
        from_json(text)
