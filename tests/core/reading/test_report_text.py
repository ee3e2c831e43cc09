"""The report in words and as HTML: order, what stands in it, and that nothing in it can act."""

from __future__ import annotations

from datetime import date
from html.parser import HTMLParser

from made_reports import finding, sound

from app.core.imaging.image import Image, PatientFacts, Study
from app.core.reading.lexicon import load_lexicon
from app.core.reading.report import begun, imaged, normal
from app.core.reading.report_html import KeyPicture, page
from app.core.reading.report_text import Heading, finding_text, plain, sections

LEXICON = load_lexicon()


def _image(label: str, **facts) -> Image:
    return Image(path="x", sop_uid=label, laterality=label[0], label=label, source="ffdm", **facts)  # type: ignore[arg-type]


def test_sections_stand_in_the_usual_order():
    report = sound(findings=(finding(laterality="L"), finding(uid="f-2")), remarks="Painful.")
    assert [section.title for section in sections(report, LEXICON)] == [
        "Indication",
        "Technique",
        "Comparison",
        "Breast density",
        "Right breast",
        "Left breast",
        "Assessment",
        "Recommendation",
        "Remarks",
    ]


def test_a_finding_without_a_breast_is_not_lost():
    titles = [each.title for each in sections(sound(findings=(finding(laterality=""),)), LEXICON)]
    assert "Breast not stated" in titles


def test_a_finding_says_kind_descriptors_size_and_place_with_their_planes():
    text = finding_text(
        finding(
            descriptors=(("shape", "oval"), ("margin", "circumscribed")),
            associated=("skin-retraction",),
            size_mm=12.4,
            size_basis="÷1.8 magnified",
            region="upper-outer",
            clock=10,
            estimated=True,
            depth="middle",
            nipple_mm=40.0,
            nipple_basis="at detector",
            text="Since 2024.",
        ),
        LEXICON,
    )
    assert text == (
        "Mass, shape oval, margin circumscribed, 12 mm ÷1.8 magnified. Upper outer quadrant, 10 o'clock "
        "(estimated), middle third, 40 mm from the nipple at detector. With skin retraction. Since 2024."
    )


def test_what_the_reader_confirmed_is_not_called_estimated():
    assert "estimated" not in finding_text(finding(region="upper-outer", clock=10), LEXICON)


def test_the_plain_text_says_assessments_overall_who_and_when():
    text = plain(sound(right="2", left="4B", findings=(finding(laterality="L"),)), LEXICON)
    assert "Overall: BI-RADS 4B, moderately suspicious" in text
    assert "Dr. Ito, 2026-11-03 10:41 UTC" in text
    assert "Research use only" in text


def test_a_report_begins_with_views_and_dates_of_the_files():
    study = Study("1", PatientFacts(), date(2026, 11, 3), (_image("LCC"), _image("RCC"), _image("RMLO")))
    prior = Study("2", PatientFacts(), date(2024, 12, 1), ())
    report = begun(study, (prior,))
    assert report.technique == "Digital mammography: RCC, RMLO, LCC."
    assert report.comparison == "Exams of 1 Dec 2024."
    assert begun(study).comparison == "No earlier exams at hand."


def test_a_normal_report_speaks_of_the_breasts_that_were_imaged():
    assert imaged([_image("RCC")]) == ("R",)
    assert imaged([_image("LCC"), _image("RCC")]) == ("R", "L")
    one = normal(sound(right="", left="", overall="4A", recommendation=""), LEXICON, ("R",))
    assert (one.right, one.left, one.overall, one.recommendation) == ("1", "", "", "Routine screening.")


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes = dict(attrs)

    def handle_data(self, data):
        self.text += data


def _parsed(html: str) -> _Tags:
    parser = _Tags()
    parser.feed(html)
    return parser


EVIL = '<script>alert("x")</script><img src=//evil>'


def test_no_text_of_a_patient_or_reader_becomes_markup():
    evil = finding(text=EVIL, size_mm=1.0, size_basis=EVIL, kind=EVIL, region=EVIL, depth=EVIL)
    report = sound(
        findings=(evil,),
        **dict.fromkeys(("indication", "technique", "comparison", "density", "remarks", "reader"), EVIL),
        **dict.fromkeys(("recommendation", "right", "left", "overall", "changed"), EVIL),
    )
    heading = Heading(EVIL, EVIL, EVIL, EVIL, EVIL)
    parsed = _parsed(page(report, LEXICON, heading, [KeyPicture(EVIL + '" onload="x', b"png")]))
    assert "script" not in parsed.tags
    assert parsed.tags.count("img") == 1  # the key image
    assert EVIL in parsed.text


def test_a_picture_s_caption_cannot_add_an_attribute():
    html = page(sound(), LEXICON, Heading("A"), [KeyPicture('" onload="x', b"png")])
    assert 'onload="x"' not in html
    assert _parsed(html).text.count('" onload="x') == 1


def test_the_page_asks_for_nothing_from_a_network_and_names_the_patient():
    html = page(sound(), LEXICON, Heading("Doe, Jane", "P-1", "", "3 Nov 2026"), [KeyPicture("RCC", b"png")])
    assert "http:" not in html
    assert "https:" not in html
    assert "<link" not in html
    assert "default-src 'none'" in html
    text = _parsed(html).text
    assert all(word in text for word in ("Doe, Jane", "P-1", "3 Nov 2026", "Research use only"))


def test_what_is_not_known_of_a_patient_has_no_row():
    assert [name for name, _ in Heading("Doe, Jane", study="3 Nov 2026").rows] == ["Patient", "Exam"]
