"""Which image hangs where: candidates, missing views, tray, priors, the default protocol."""

from __future__ import annotations

from datetime import date, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from app.core.hanging.candidates import tiles_of
from app.core.hanging.catalogue import load_protocols
from app.core.hanging.hang import choose_protocol, hang, nearest, reading_order, stage_with, stages_of
from app.core.hanging.layout import Layout, LayoutPane, justify_of, top_of
from app.core.hanging.priors import can_be_of, is_of_person, prior_label, priors_of
from app.core.hanging.protocols import PaneRule, Protocol, Stage
from app.core.imaging.image import Collection, Image, Note, Patient, PatientFacts, Study

PROTOCOLS = load_protocols()
FOUR = PROTOCOLS[0]


def image(name: str, **facts: Any) -> Image:
    """An image named like ``RCC``; a dash and anything makes another of the same view."""
    label = name.split("-")[0]
    facts.setdefault("intent", "presentation")
    facts.setdefault("laterality", label[0] if label[:1] in ("R", "L") else None)
    facts.setdefault("view", label[1:] or None)
    facts.setdefault("study_uid", "now")
    return Image(path=Path(f"/{name}.dcm"), sop_uid=name, **facts)


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
    assert (layout.rows, layout.columns, layout.stages) == (2, 2, 3 + 2 * 4)


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
    assert hang(study(*FOUR_VIEWS), (), FOUR, stage=99).stage_title == "LMLO, all pixels"


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


# Stages that find something, priors, modifiers, mosaics

BY_NAME = {protocol.name: protocol for protocol in PROTOCOLS}
BEFORE = study(
    *(image(f"{view}-before", study_uid="before") for view in ("RCC", "LCC", "RMLO", "LMLO")),
    day=date(2024, 11, 3),
    uid="before",
)


def titles(protocol: str, now: Study, *priors: Study) -> tuple[str, ...]:
    return hang(now, priors, BY_NAME[protocol]).stage_titles


def screenful(protocol: str, title: str, now: Study, *priors: Study) -> dict[tuple[int, int], list[str]]:
    """Return what each place of a stage shows, best first, by (row, column)."""
    stage = titles(protocol, now, *priors).index(title)
    layout = hang(now, priors, BY_NAME[protocol], stage)
    assert layout.stage_title == title
    return {(each.row, each.column): names(each.candidates) for each in layout.panes}


def test_with_a_prior_eight_images_hang_the_priors_above() -> None:
    found = screenful("screening-priors", "Priors above", study(*FOUR_VIEWS), BEFORE)
    views = ("RCC", "LCC", "RMLO", "LMLO")  # right breast on screen-left, field/display.md A3.4 and A3.5
    assert [found[0, column] for column in range(4)] == [[f"{view}-before"] for view in views]
    assert [found[1, column] for column in range(4)] == [[view] for view in views]


@pytest.mark.parametrize("view", ["RCC", "LCC", "RMLO", "LMLO"])
def test_then_and_now_hangs_the_older_on_the_left(view: str) -> None:
    found = screenful("screening-priors", f"{view} then and now", study(*FOUR_VIEWS), BEFORE)
    assert found == {(0, 0): [f"{view}-before"], (0, 1): [view]}


@pytest.mark.parametrize("protocol", ["screening-cc-mlo", "screening-mlo-cc", "screening-priors"])
@pytest.mark.parametrize("view", ["CC", "MLO"])
def test_a_pair_hangs_under_its_prior(protocol: str, view: str) -> None:
    found = screenful(protocol, f"{view}, priors above", study(*FOUR_VIEWS), BEFORE)
    assert found == {
        (0, 0): [f"R{view}-before"],
        (0, 1): [f"L{view}-before"],
        (1, 0): [f"R{view}"],
        (1, 1): [f"L{view}"],
    }


def test_the_default_hangs_the_four_views_first_and_the_prior_after_the_pairs() -> None:
    assert titles("screening-cc-mlo", study(*FOUR_VIEWS), BEFORE)[:5] == (
        "Four views",
        "CC pair",
        "MLO pair",
        "CC, priors above",
        "MLO, priors above",
    )


@pytest.mark.parametrize("protocol", sorted(BY_NAME))
def test_no_stage_asks_for_a_prior_that_is_not_there(protocol: str) -> None:
    now = study(*FOUR_VIEWS)
    for number in range(len(titles(protocol, now))):
        layout = hang(now, (), BY_NAME[protocol], number)
        assert not any(each.wants.startswith("prior") for each in layout.panes)


@pytest.mark.parametrize("protocol", sorted(BY_NAME))
@pytest.mark.parametrize(
    "views", [("RCC",), ("LMLO", "LCC"), ("RMLO", "LMLO"), ("RCC", "LCC", "RMLO", "LMLO")]
)
@pytest.mark.parametrize("priors", [(), (BEFORE,)])
def test_stepping_never_shows_an_empty_screen_and_the_count_is_right(
    protocol: str, views: tuple[str, ...], priors: tuple[Study, ...]
) -> None:
    now = study(*(image(view) for view in views))
    layouts = [
        hang(now, priors, BY_NAME[protocol], number) for number in range(len(BY_NAME[protocol].stages))
    ]
    count = layouts[0].stages
    assert {layout.stages for layout in layouts} == {count} == {len(layouts[0].stage_titles)}
    assert [layout.stage for layout in layouts[:count]] == list(range(count))
    assert [layout.stage_title for layout in layouts[:count]] == list(layouts[0].stage_titles)
    assert len({layout.number for layout in layouts[:count]}) == count
    found = [any(each.candidates for each in layout.panes) for layout in layouts[:count]]
    # Where nothing at all fits, the protocol's first stage says what it wants; the images wait in the tray.
    assert all(found) or (count == 1 and layouts[0].tray)


def test_a_stage_keeps_its_place_when_stages_before_it_come_and_go() -> None:
    without, with_prior = (stages_of(study(*FOUR_VIEWS), priors, FOUR) for priors in ((), (BEFORE,)))
    rcc = titles("screening-cc-mlo", study(*FOUR_VIEWS)).index("RCC")
    again = nearest(with_prior, without[rcc])
    assert titles("screening-cc-mlo", study(*FOUR_VIEWS), BEFORE)[again] == "RCC"
    assert nearest(without, with_prior[3]) == 2  # that stage is gone: the one before it


def test_a_prior_is_the_latest_study_that_has_the_view() -> None:
    right = study(image("RCC-last", study_uid="last"), image("RMLO-last"), day=date(2025, 11, 3), uid="last")
    now = study(*FOUR_VIEWS)
    found = screenful("screening-cc-mlo", "CC, priors above", now, right, BEFORE)
    assert (found[0, 0], found[0, 1]) == (["RCC-last"], ["LCC-before"])
    layout = hang(now, (right, BEFORE), FOUR, 3)
    assert [each.prior for each in layout.panes] == ["PRIOR, -12 months", "PRIOR, -24 months", "", ""]


def test_what_no_pane_takes_of_a_prior_that_is_shown_waits_in_the_tray_behind_the_studys_own() -> None:
    lateral, own = image("RML-before"), image("LXCCL")
    before = Study("before", BEFORE.patient, BEFORE.date, (*BEFORE.images, lateral))
    assert hang(study(*FOUR_VIEWS, own), (before,), FOUR).tray == (own, lateral)
    # A protocol that shows no prior leaves priors to the study list.
    assert hang(study(*FOUR_VIEWS, own), (before,), BY_NAME["implants"]).tray == (own,)


MAGNIFIED = image("RMMLO", laterality="R", view="MLO", modifiers=("M",))
SPOT = image("LSCC", laterality="L", view="CC", modifiers=("S",))


def test_a_close_up_hangs_beside_its_standard_view_fitted() -> None:
    now = study(*FOUR_VIEWS, MAGNIFIED, SPOT)
    assert screenful("diagnostic", "RMLO, close-ups", now) == {(0, 0): ["RMLO"], (0, 1): ["RMMLO"]}
    assert screenful("diagnostic", "LCC, close-ups", now) == {(0, 0): ["LCC"], (0, 1): ["LSCC"]}
    assert "RCC, close-ups" not in titles("diagnostic", now)
    stage = titles("diagnostic", now).index("RMLO, close-ups")
    assert hang(now, (), BY_NAME["diagnostic"], stage).sizing == "fit"


def test_the_other_diagnostic_views_have_stages_of_their_own() -> None:
    lateral, exaggerated = image("RML"), image("LXCCL")
    tangential = image("RTAN", laterality="R", view="CC", modifiers=("TAN",))
    now = study(*FOUR_VIEWS, lateral, exaggerated, tangential, image("RSPECIMEN", laterality="R"))
    right = screenful("diagnostic", "Right three views", now)
    assert right == {(0, 0): ["RCC"], (0, 1): ["RMLO"], (0, 2): ["RML"]}
    assert screenful("diagnostic", "CC, exaggerated CC", now)[1, 1] == ["LXCCL"]
    assert screenful("diagnostic", "Right special views", now)[0, 1] == ["RTAN"]
    assert screenful("diagnostic", "Specimen", now) == {(0, 0): ["RSPECIMEN"]}
    assert hang(now, (), BY_NAME["diagnostic"]).tray == ()


IMPLANTS = tuple(
    image(f"{view}ID", laterality=view[0], view=view[1:], modifiers=("ID",), implant=True)
    for view in ("RCC", "LCC", "RMLO", "LMLO")
)


def test_implant_displaced_views_hang_beside_the_standard_ones_not_in_their_place() -> None:
    now = study(*FOUR_VIEWS, *IMPLANTS)
    found = screenful("implants", "CC, displaced below", now)
    assert found == {(0, 0): ["RCC"], (0, 1): ["LCC"], (1, 0): ["RCCID"], (1, 1): ["LCCID"]}
    eight = screenful("implants", "Displaced below", now)
    assert [eight[1, n] for n in range(4)] == [["RCCID"], ["LCCID"], ["RMLOID"], ["LMLOID"]]
    assert screenful("implants", "LMLO, displaced", now) == {(0, 0): ["LMLO"], (0, 1): ["LMLOID"]}


def test_a_screening_of_implants_has_its_displaced_views_in_a_stage_of_the_default() -> None:
    now = study(*FOUR_VIEWS, *IMPLANTS)
    found = screenful("screening-cc-mlo", "Implant displaced", now)
    assert [found[0, 0], found[1, 1]] == [["RCCID"], ["LMLOID"]]
    assert screenful("screening-cc-mlo", "Four views", now)[0, 0][0] == "RCC"


def tile(number: int, **facts: Any) -> Image:
    taken = datetime(2026, 11, 3, 10, number)
    return image(f"RCC-tile{number}", partial=("anterior",), acquired=taken, **facts)


def test_the_tiles_of_a_mosaic_share_the_pane_of_their_view_in_the_order_they_were_taken() -> None:
    now = study(tile(2), tile(3), tile(1), image("LCC"))
    assert names(pane(hang(now, (), FOUR), "RCC").candidates) == ["RCC-tile1", "RCC-tile2", "RCC-tile3"]
    assert hang(now, (), FOUR).tray == ()


def test_a_mosaic_lies_side_by_side_in_its_own_stage() -> None:
    now = study(image("RCC"), tile(2), tile(1), image("LCC"), image("RMLO"))
    found = screenful("mosaic", "RCC mosaic", now)
    assert (found[0, 0], found[0, 1], found[0, 2]) == (["RCC-tile1"], ["RCC-tile2"], [])
    assert "LCC mosaic" not in titles("mosaic", now)


def test_only_partial_views_of_one_view_and_visit_are_tiles_of_one_mosaic() -> None:
    one, two = tile(1), tile(2)
    others = (
        image("RCC"),
        image("LCC-part", partial=("medial",)),
        tile(3, modifiers=("ID",)),
        Image(Path("/old"), "old", study_uid="before", laterality="R", view="CC", partial=("medial",)),
    )
    assert tiles_of((one, *others, two), one) == (one, two)
    assert tiles_of((one, *others), one) == ()
    assert tiles_of((image("RCC"), one, two), image("RCC")) == ()


@pytest.mark.parametrize("protocol", sorted(BY_NAME))
def test_nothing_is_hidden_whatever_the_study_holds(protocol: str) -> None:
    now = study(
        *FOUR_VIEWS,
        *IMPLANTS,
        MAGNIFIED,
        SPOT,
        *(tile(number) for number in range(1, 9)),
        image("RML-spot", laterality="R", view="ML", modifiers=("S",)),
        image("LXCCL"),
        image("x", laterality=None, view=None),
        image("RCC-tomo", source="dbt", frames=60),
    )
    held: set[str] = set()
    for number in range(len(titles(protocol, now, BEFORE))):
        layout = hang(now, (BEFORE,), BY_NAME[protocol], number)
        held |= {name for each in layout.panes for name in names(each.candidates)} | set(names(layout.tray))
    assert held >= set(names(now.images))
    if any(rule.prior for stage in BY_NAME[protocol].stages for rule in stage.panes):
        assert held == set(names(now.images)) | set(names(BEFORE.images))


def test_a_jump_counts_the_stages_that_find_something() -> None:
    now = study(*FOUR_VIEWS)
    for priors in ((), (BEFORE,)):
        stage = stage_with(now, FOUR, now.images[0].key, priors)
        assert stage == 0
    extra = study(image("RCC"), image("LCC"), image("RCCID", view="CC", modifiers=("ID",)))
    only_displaced = BY_NAME["implants"]
    found = stage_with(extra, only_displaced, extra.images[2].key)
    assert found is not None
    shown = hang(extra, (), only_displaced, found)
    assert any("RCCID" in names(each.candidates) for each in shown.panes)


def test_priors_are_wanted_after_the_study_itself() -> None:
    first, others, earlier = reading_order(study(*FOUR_VIEWS, image("LXCCL")), FOUR, (BEFORE,))
    assert names(first) == ["RCC", "LCC", "RMLO", "LMLO"]
    assert names(others) == ["LXCCL"]
    assert names(earlier) == ["RCC-before", "LCC-before", "RMLO-before", "LMLO-before"]


# Whose


JANE = PatientFacts(id="7", issuer="A", name="Doe^Jane", birth_date=date(1960, 1, 1), sex="F")


@pytest.mark.parametrize(
    "forged",
    [
        PatientFacts(id="8", issuer="A", name="Doe^Jane", birth_date=date(1960, 1, 1), sex="F"),
        PatientFacts(id="7", issuer="B", name="Doe^Jane", birth_date=date(1960, 1, 1), sex="F"),
        PatientFacts(id="7", issuer="A", name="Roe^Ann", birth_date=date(1960, 1, 1), sex="F"),
        PatientFacts(id="7", issuer="A", name="Doe^Jane", birth_date=date(1961, 1, 1), sex="F"),
        PatientFacts(id="7", issuer="A", name="Doe^Jane", birth_date=date(1960, 1, 1), sex="M"),
    ],
)
def test_a_forged_collection_makes_no_prior_of_another_person(forged: PatientFacts) -> None:
    now = Study("now", JANE, date(2026, 1, 1), (image("RCC", patient=JANE),))
    wrong = Study("wrong", forged, date(2024, 1, 1), (image("RCC-wrong", patient=forged),))
    hidden = Study("hidden", JANE, date(2023, 1, 1), (image("RCC-hidden", patient=forged),))
    right = Study("right", JANE, date(2022, 1, 1), (image("RCC-right", patient=JANE),))
    collection = Collection((Patient(JANE, (now, wrong, hidden, right)),))
    assert [each.uid for each in priors_of(collection, now)] == ["right"]
    assert not can_be_of(forged, JANE)


@pytest.mark.parametrize("number", ["", "0000", "UNKNOWN", "anonymous"])
def test_an_id_that_names_nobody_gives_no_priors(number: str) -> None:
    nobody = PatientFacts(id=number)
    now = Study("now", nobody, date(2026, 1, 1), (image("RCC", patient=nobody),))
    old = Study("old", nobody, date(2024, 1, 1), (image("RCC-old", patient=nobody),))
    assert priors_of(Collection((Patient(nobody, (now, old)),)), now) == ()


def test_spelling_makes_no_other_person() -> None:
    loud = PatientFacts(id="7", issuer="A", name="DOE^JANE", birth_date=None, sex="")
    assert can_be_of(loud, JANE)
    assert is_of_person(Study("old", loud, date(2024, 1, 1), (image("RCC", patient=loud),)), JANE)
