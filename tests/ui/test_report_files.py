"""The report as a file: every page says whose it is, nothing is lost between pages, key images go with it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest
from pdf_text import pages
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog
from ui_desk import breast, frame_of, study_of

from app.core.imaging.image import PatientFacts
from app.core.reading.lexicon import load_lexicon
from app.core.reading.report import Report, ReportFinding
from app.core.reading.report_html import body
from app.core.reading.report_json import to_json
from app.core.reading.report_text import Heading
from app.ui import export, theme
from app.ui.pictures import KEY_SIZE
from app.ui.printing import Plate, pdf

LEXICON = load_lexicon()
HEADING = Heading("Doe, Jane", "P-1", "1 Jan 1965", "3 Nov 2026", "A-7")
TITLES = ("Indication", "Technique", "Comparison", "Breastdensity", "Rightbreast", "Leftbreast")
TITLES = (*TITLES, "Assessment", "Recommendation", "Remarks")


def _printed(report: Report, plates=()) -> list[str]:
    return pages(pdf(body(report, LEXICON), HEADING, plates, theme.family()))


def _long(findings: int) -> Report:
    made = tuple(
        ReportFinding(f"f{n}", "R" if n % 2 else "L", text=f"Word{n}. " + "Seen before and unchanged. " * 3)
        for n in range(findings)
    )
    return Report(findings=made, remarks="Last of all.")


@pytest.mark.parametrize("findings", [0, 30])
def test_every_page_says_whose_it_is_what_it_is_for_and_its_number(qapp, findings):
    printed = _printed(_long(findings), [Plate(QImage(10, 10, QImage.Format.Format_RGB32), "RCC")])
    assert len(printed) == 2 if not findings else len(printed) > 2
    for number, text in enumerate(printed, start=1):
        for word in ("Doe,Jane", "P-1", "1Jan1965", "3Nov2026", "A-7", "Researchuseonly"):
            assert word in text
        assert f"Page{number}of{len(printed)}" in text


def test_nothing_is_lost_or_said_twice_between_pages(qapp):
    whole = "".join(_printed(_long(40)))
    for number in range(40):
        assert len(re.findall(rf"Word{number}\.", whole)) == 1
    assert whole.count("Lastofall.") == 1


@pytest.mark.parametrize("findings", range(4, 24))
def test_no_heading_stands_alone_at_the_end_of_a_page(qapp, findings):
    for text in _printed(_long(findings)):
        assert not text.endswith(TITLES)


def test_key_images_stand_four_to_a_page_with_their_captions(qapp):
    rows, columns = KEY_SIZE
    plates = [Plate(QImage(columns, rows, QImage.Format.Format_RGB32), f"Image{n}") for n in range(5)]
    data = pdf(body(Report(), LEXICON), HEADING, plates, theme.family())
    text, first, second = pages(data)
    assert "Image" not in text
    assert re.findall(r"Image\d", first) == ["Image0", "Image1", "Image2", "Image3"]
    assert re.findall(r"Image\d", second) == ["Image4"]
    assert len(re.findall(rb"/Width 1000\s*/Height 1360", data)) >= 1


def test_the_file_s_own_facts_name_nobody(qapp):
    data = pdf(body(Report(), LEXICON), HEADING, (), theme.family())
    assert b"Doe" not in data
    assert "Doe".encode("utf-16-be") not in data


def _save(desk, monkeypatch, path) -> None:
    monkeypatch.setattr(export, "ask_report", lambda *a: path)
    desk.window.commands.save_report()


def test_a_report_is_saved_with_its_key_images(four_views, monkeypatch, qtbot, tmp_path):
    four_views.window.commands.normal_report()
    for uid in ("study-1-RCC", "study-1-LMLO"):
        four_views.session.work.toggle_key_image(uid)
    with qtbot.waitSignal(four_views.window.export.finished):
        _save(four_views, monkeypatch, tmp_path / "report.pdf")
    printed = pages((tmp_path / "report.pdf").read_bytes())
    assert len(printed) == 2
    assert "BI-RADS1" in printed[0]
    assert "Doe,Jane" in printed[1]
    assert printed[1].index("RCC") < printed[1].index("LMLO")
    assert [each.name for each in tmp_path.iterdir()] == ["report.pdf"]


class _Images(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.sources += [value for name, value in attrs if name in ("src", "href")]


def test_the_web_page_holds_its_images_itself(four_views, monkeypatch, qtbot, tmp_path):
    four_views.window.commands.normal_report()
    four_views.session.work.toggle_key_image("study-1-RCC")
    with qtbot.waitSignal(four_views.window.export.finished):
        _save(four_views, monkeypatch, tmp_path / "report.html")
    parser = _Images()
    parser.feed((tmp_path / "report.html").read_text("utf-8"))
    assert len(parser.sources) == 1
    assert parser.sources[0].startswith("data:image/png;base64,")


def test_what_is_being_typed_is_in_the_file(four_views, monkeypatch, qtbot, tmp_path):
    four_views.window.commands.normal_report()
    four_views.window.report.fields["remarks"].setPlainText("Typed just now.")
    with qtbot.waitSignal(four_views.window.export.finished):
        _save(four_views, monkeypatch, tmp_path / "report.html")
    assert "Typed just now." in (tmp_path / "report.html").read_text("utf-8")


def test_masked_names_are_masked_on_paper_too(four_views, monkeypatch, qtbot, tmp_path):
    four_views.session.set_settings(replace(four_views.session.settings, mask_names=True))
    four_views.window.commands.normal_report()
    with qtbot.waitSignal(four_views.window.export.finished):
        _save(four_views, monkeypatch, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text("utf-8")
    assert "Doe" not in text
    assert "P-1" not in text


def test_a_key_image_still_on_its_way_is_waited_for(desk, monkeypatch, qtbot, tmp_path):
    study = desk.open(study_of("RCC"), decoded=False)
    desk.window.commands.normal_report()
    desk.session.work.toggle_key_image(study.images[0].sop_uid)
    path = tmp_path / "report.pdf"
    _save(desk, monkeypatch, path)
    desk.library.give(frame_of(study.images[0], breast("RCC"), refining=True))
    qtbot.wait(50)
    assert not path.exists()
    with qtbot.waitSignal(desk.window.export.finished):
        desk.library.give(frame_of(study.images[0], breast("RCC")))
    assert len(pages(path.read_bytes())) == 2


def test_a_key_image_that_cannot_be_read_is_said(desk, monkeypatch, tmp_path):
    study = desk.open(study_of("RCC"), decoded=False)
    desk.window.commands.normal_report()
    desk.session.work.toggle_key_image(study.images[0].sop_uid)
    said = []
    desk.window.export.message.connect(said.append)
    _save(desk, monkeypatch, tmp_path / "report.pdf")
    desk.library.fail(study.images[0], "RCC.dcm: is damaged")
    assert said == ["The report was not written: RCC.dcm: is damaged"]


def test_another_study_opened_meanwhile_ends_it(desk, monkeypatch, tmp_path):
    study, other = study_of("RCC"), study_of("RCC", uid="study-2", day=date(2020, 1, 1))
    desk.open(study, other, decoded=False)
    desk.window.commands.normal_report()
    desk.session.work.toggle_key_image(desk.session.screen.study.images[0].sop_uid)
    said = []
    desk.window.export.message.connect(said.append)
    _save(desk, monkeypatch, tmp_path / "report.pdf")
    desk.session.next_study()
    assert said == ["The report was not written: another study was opened."]


def test_another_study_opened_while_the_file_is_chosen_lends_no_key_images(desk, monkeypatch, tmp_path):
    study, other = study_of("RCC"), study_of("RCC", uid="study-2", day=date(2020, 1, 1))
    desk.open(study, other)
    desk.session.open_study(other.key)
    desk.session.work.toggle_key_image(other.images[0].sop_uid)
    desk.session.open_study(study.key)
    desk.window.commands.normal_report()

    def chosen_late(*_):
        desk.session.open_study(other.key)
        return tmp_path / "report.html"

    said = []
    desk.window.export.message.connect(said.append)
    monkeypatch.setattr(export, "ask_report", chosen_late)
    desk.window.commands.save_report()
    assert said == ["The report was not written: another study was opened."]
    assert desk.window.export._gathering is None


def test_without_a_report_nothing_is_asked(four_views, monkeypatch, tmp_path):
    said = []
    for source in (four_views.window.export, four_views.session):
        source.message.connect(said.append)
    _save(four_views, monkeypatch, tmp_path / "report.pdf")
    four_views.window.commands.copy_report()
    assert said == ["No report was begun."] * 2
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_is_not_understood_does_not_leave_as_an_empty_one(four_views, monkeypatch, tmp_path):
    newer = to_json(Report(changed="2026-11-03T10:41:00+00:00")).replace('"version":1', '"version":2')
    four_views.session.work.set_report(newer)
    said = []
    four_views.window.export.message.connect(said.append)
    _save(four_views, monkeypatch, tmp_path / "report.pdf")
    assert len(said) == 1
    assert "newer version" in said[0]
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_cannot_be_written_is_one_sentence(four_views, monkeypatch, qtbot, tmp_path):
    four_views.window.commands.normal_report()
    said = []
    monkeypatch.setattr(four_views.window, "show_error", said.append)
    path = tmp_path / "gone" / "report.pdf"
    _save(four_views, monkeypatch, path)
    qtbot.waitUntil(lambda: bool(said))
    assert said == [f"{path}: cannot be written (No such file or directory)"]


@pytest.mark.parametrize(
    ("chosen", "kind", "name"),
    [
        ("a.pdf", "", "a.pdf"),
        ("a.HTML", "", "a.HTML"),
        ("a", "Web page (*.html)", "a.html"),
        ("a", "PDF (*.pdf)", "a.pdf"),
        ("a.b", "PDF (*.pdf)", "a.b.pdf"),
    ],
)
def test_the_name_s_ending_says_what_is_written(desk, monkeypatch, tmp_path, chosen, kind, name):
    answer = (str(tmp_path / chosen), kind)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: answer)
    assert export.ask_report(desk.window, "x") == tmp_path / name


def test_a_name_without_an_ending_never_overwrites_a_file(desk, monkeypatch, tmp_path):
    (tmp_path / "a.pdf").touch()
    (tmp_path / "a 2.pdf").touch()
    answer = (str(tmp_path / "a"), "PDF (*.pdf)")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: answer)
    assert export.ask_report(desk.window, "x") == tmp_path / "a 3.pdf"


def test_a_patient_s_name_does_not_become_markup_in_a_file(desk, monkeypatch, qtbot, tmp_path):
    evil = PatientFacts(id="<script>", name="<script>alert(1)</script>")
    desk.open(study_of("RCC", patient=evil))
    desk.window.commands.normal_report()
    with qtbot.waitSignal(desk.window.export.finished):
        _save(desk, monkeypatch, tmp_path / "report.html")
    assert "<script" not in (tmp_path / "report.html").read_text("utf-8").lower()
