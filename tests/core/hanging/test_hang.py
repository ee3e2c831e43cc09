"""Which image hangs where: candidates, missing views, tray, priors, the default protocol."""

from __future__ import annotations

from datetime import date, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from app.core.hanging.hang import choose_protocol, hang, prior_label, priors_of
from app.core.hanging.layout import Layout, LayoutPane, justify_of, top_of
from app.core.hanging.protocols import PaneRule, Protocol, Stage, load_protocols
from app.core.imaging.image import Collection, Image, Note, Patient, PatientFacts, Study

PROTOCOLS = load_protocols()
FOUR = PROTOCOLS[0]


def image(name: str, **facts: Any) -> Image:
    """An image named like ``RCC``; a dash and anything makes another of the same view."""
    label = name.split("-")[0]
    facts.setdefault("intent", "presentation")
    facts.setdefault("laterality", label[0] if label[:1] in ("R", "L") else None)
    facts.setdefault("view", label[1:] or None)
    return Image(path=Path(f"/{name}.dcm"), sop_uid=name, study_uid="now", **facts)


def study(*images: Image, day: date | None = date(2026, 11, 3), uid: str = "now") -> Study:
    return Study(uid, PatientFacts(id="1"), day, images)


def names(images: tuple[Image, ...]) -> list[str]:
    return [each.sop_uid for each in images]


def pane(layout: Layout, wants: str) -> LayoutPane:
    return next(each for each in layout.panes if each.wants == wants)


FOUR_VIEWS = tuple(image(name) for name in ("LMLO", "RCC", "RMLO", "LCC"))


def test_each_view_finds_its_pane() -> None:
    layout = hang(study(*FOUR_VIEWS), (), FOUR)
    found = {each.wants: names(each.candidates) for each in layout.panes}
    assert found == {"RCC": ["RCC"], "LCC": ["LCC"], "RMLO": ["RMLO"], "LMLO": ["LMLO"]}
    assert layout.tray == ()
    assert (layout.rows, layout.columns, layout.stages) == (2, 2, 7)


def test_a_missing_view_leaves_its_pane_empty_and_says_what_it_wants() -> None:
    layout = hang(study(image("RCC"), image("RMLO")), (), FOUR)
    missing = [each.wants for each in layout.panes if not each.candidates]
    assert missing == ["LCC", "LMLO"]


@pytest.mark.parametrize(
    "best_first",
    [
        [image("RCC-shown"), image("RCC-unsaid", intent=None), image("RCC-raw", intent="processing")],
        [image("RCC-a"), image("RCC-id", modifiers=("ID",)), image("RCC-mag", modifiers=("M",))],
        [image("RCC-ffdm", source="ffdm"), image("RCC-synthetic", source="synthetic2d")],
        [image("RCC-whole"), image("RCC-part", partial=("anterior",))],
        [
            image("RCC-raw", intent="processing", modifiers=("M",), partial=("anterior",)),
            image("RCC-cut", notes=(Note("cut-out", "A cut-out of a mammogram.", "warning"),)),
        ],
        [
            image("RCC-late", acquired=datetime(2026, 11, 3, 10, 16)),
            image("RCC-early", acquired=datetime(2026, 11, 3, 10, 15, 59)),
            image("RCC-undated"),
        ],
        # The intent outweighs the time, and a standard view a later magnification.
        [
            image("RCC-shown", acquired=datetime(2026, 11, 3, 10, 15)),
            image("RCC-spot", modifiers=("M", "S"), acquired=datetime(2026, 11, 3, 11, 0)),
            image("RCC-raw", intent="processing", acquired=datetime(2026, 11, 3, 12, 0)),
        ],
    ],
)
def test_candidates_come_best_first_in_whatever_order_they_were_found(best_first: list[Image]) -> None:
    for order in permutations(best_first):
        layout = hang(study(*order), (), FOUR)
        assert names(pane(layout, "RCC").candidates) == [each.sop_uid for each in best_first]


def test_what_no_pane_asked_for_waits_in_the_tray() -> None:
    others = (
        image("RXCCL"),
        image("CC", laterality=None, view="CC"),
        image("R-unknown", view=None),
        image("BCC", laterality="B", view="CC"),
        image("RSPECIMEN"),
        image("nothing", laterality=None, view=None),
    )
    layout = hang(study(*FOUR_VIEWS, *others), (), FOUR)
    assert layout.tray == others


def test_views_of_other_stages_are_not_in_the_tray() -> None:
    layout = hang(study(*FOUR_VIEWS), (), FOUR, stage=1)
    assert [each.wants for each in layout.panes] == ["RCC", "LCC"]
    assert layout.tray == ()


def test_every_image_is_in_a_pane_or_in_the_tray_with_every_protocol() -> None:
    images = (*FOUR_VIEWS, image("RCC-raw", intent="processing"), image("LML"), image("x", laterality=None))
    for protocol in PROTOCOLS:
        held: set[str] = set()
        for number in range(len(protocol.stages)):
            layout = hang(study(*images), (), protocol, number)
            held |= {name for each in layout.panes for name in names(each.candidates)}
            held |= set(names(layout.tray))
        assert held == set(names(images))


def test_a_tomosynthesis_beside_its_2d_image_waits_in_the_tray() -> None:
    tomo = image("RCC-tomo", source="dbt", frames=60)
    layout = hang(study(*FOUR_VIEWS, tomo), (), FOUR)
    assert names(pane(layout, "RCC").candidates) == ["RCC"]
    assert layout.tray == (tomo,)


def test_a_tomosynthesis_alone_is_hung() -> None:
    tomo = image("LCC-tomo", source="dbt", frames=60)
    layout = hang(study(image("RCC"), tomo), (), FOUR)
    assert pane(layout, "LCC").candidates == (tomo,)


def test_a_stage_beyond_the_last_is_the_last() -> None:
    assert hang(study(*FOUR_VIEWS), (), FOUR, stage=99).stage_title == "LMLO"


@pytest.mark.parametrize(
    ("views", "protocol"),
    [
        (("RCC", "LCC", "RMLO", "LMLO"), "screening-cc-mlo"),
        (("RCC", "LCC"), "screening-cc-mlo"),
        (("LMLO", "LCC"), "screening-cc-mlo"),
        (("RMLO",), "single"),
        (("RMLO", "RMLO-2"), "single"),
        (("x",), "single"),
        (("RXCCL", "LXCCL"), "single"),
    ],
)
def test_a_study_gets_four_views_if_two_of_them_are_there_else_one_image(
    views: tuple[str, ...], protocol: str
) -> None:
    images = tuple(image(view) for view in views)
    assert choose_protocol(study(*images), PROTOCOLS).name == protocol


def test_the_preferred_protocol_comes_first_where_it_fits() -> None:
    assert choose_protocol(study(*FOUR_VIEWS), PROTOCOLS, "screening-mlo-cc").name == "screening-mlo-cc"
    assert choose_protocol(study(*FOUR_VIEWS), PROTOCOLS, "single").name == "single"
    assert choose_protocol(study(image("RMLO")), PROTOCOLS, "screening-mlo-cc").name == "single"


def test_one_image_pages_through_the_whole_study_in_screening_order() -> None:
    single = next(protocol for protocol in PROTOCOLS if protocol.name == "single")
    layout = hang(study(image("LMLO"), image("LCC"), image("x", view=None)), (), single)
    assert names(layout.panes[0].candidates) == ["LCC", "LMLO", "x"]
    assert layout.tray == ()


def test_a_pane_may_ask_for_a_prior() -> None:
    rules = (PaneRule(0, 0, "R", "CC", prior=1), PaneRule(0, 1, "R", "CC"))
    protocol = Protocol("compare", "Compare", 1, 1, (Stage("RCC", 1, 2, rules),))
    before = study(image("RCC-before"), day=date(2024, 11, 3), uid="before")
    layout = hang(study(image("RCC")), (before,), protocol)
    assert names(pane(layout, "prior RCC").candidates) == ["RCC-before"]
    assert pane(layout, "prior RCC").prior == "PRIOR, -24 months"
    assert pane(layout, "RCC").prior == ""
    assert hang(study(image("RCC")), (), protocol).panes[0].candidates == ()


@pytest.mark.parametrize(
    ("earlier", "label"),
    [
        (date(2024, 11, 3), "PRIOR, -24 months"),
        (date(2024, 10, 27), "PRIOR, -24 months"),
        (date(2025, 11, 10), "PRIOR, -12 months"),
        (date(2026, 10, 3), "PRIOR, -1 month"),
        (date(2026, 10, 24), "PRIOR, -10 days"),
        (date(2026, 11, 2), "PRIOR, -1 day"),
        (date(2027, 11, 3), "LATER, +12 months"),
        (None, "PRIOR"),
    ],
)
def test_the_prior_label_counts_months_between_the_dates(earlier: date | None, label: str) -> None:
    assert prior_label(earlier, date(2026, 11, 3)) == label


def test_priors_are_the_patients_earlier_dated_studies_newest_first() -> None:
    days = (date(2024, 1, 1), date(2026, 11, 3), date(2022, 1, 1), None, date(2027, 1, 1))
    now, *others = (
        study(day=day, uid=uid)
        for day, uid in [
            (days[1], "now"),
            (days[0], "two"),
            (days[2], "four"),
            (None, "none"),
            (days[4], "later"),
        ]
    )
    stranger = Patient(PatientFacts(id="2"), (study(day=date(2020, 1, 1), uid="stranger"),))
    collection = Collection((stranger, Patient(now.patient, (now, *others))))
    assert [each.uid for each in priors_of(collection, now)] == ["two", "four"]


def test_the_chest_wall_of_the_right_breast_touches_the_right_edge_of_its_pane() -> None:
    assert justify_of(image("RCC")) == "right"
    assert justify_of(image("LCC")) == "left"
    assert justify_of(image("x", laterality=None)) == "none"
    assert justify_of(image("RSPECIMEN")) == "none"
    assert justify_of(None) == "none"


def test_obliques_touch_the_top_and_cranio_caudals_do_not() -> None:
    assert top_of(image("RMLO"))
    assert not top_of(image("RCC"))
    assert not top_of(image("x", laterality=None, view="MLO"))
