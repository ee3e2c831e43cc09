"""The second look: what the panel says in each state, and how findings are reached."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from ui_desk import FACTS, finding
from ui_hand import press

from app.core.reading.findings import Evidence, MapFacts, ViewLook
from app.ui import wording
from app.ui.overlays.boxes import words
from app.ui.panels.second_look.findings_list import entries_of
from app.ui.panels.second_look.model_card import facts_of, score_sentence
from app.ui.panels.second_look.panel import native_words

STATES = {
    "running": ("Running, view 3 of 4", "AI running"),
    "no findings": ("No findings", "AI no findings"),
    "answered": ("Answered", "AI answered"),
    "findings": ("4 findings, score above the operating point", "AI findings"),
    "partly failed": ("Partly failed", "AI partly failed"),
    "failed": ("Failed", "AI failed"),
    "declined": ("Declined", "AI declined"),
    "outside its training domain": ("Outside its training domain", "AI outside domain"),
}


def say(desk, state, **facts):
    """Ask, and let the model answer."""
    desk.session.analyse()
    return desk.oracle.say(desk.session.screen.study, state, **facts)


def test_nothing_was_run_when_a_study_opens(four_views):
    panel = four_views.window.second_look
    assert panel.empty.isVisible()
    assert panel.run.isEnabled()
    assert four_views.window.top_bar._ai.text() == "AI off"
    assert not four_views.oracle.asked


def test_the_reading_set_is_named_before_it_runs(four_views):
    four_views.window.show_models((FACTS, replace(FACTS, name="other")))
    cards = [card for card in four_views.window.second_look._cards if card.isVisible()]
    assert [card.name.text() for card in cards] == ["test-model 1.2.0", "other 1.2.0"]
    assert [card.state.text() for card in cards] == ["Not run", "Not run"]
    assert cards[0]._rows[0][1].text() == "score, not a probability of a lesion in this exam"
    assert four_views.window.status.text("models") == "reading set: test-model, other"
    four_views.session.set_settings(replace(four_views.session.settings, models=("other",)))
    assert four_views.window.status.text("models") == "reading set: other"


@pytest.mark.parametrize("state", STATES)
def test_each_state_is_said_in_the_panel_and_in_the_bar(four_views, state):
    look = say(four_views, state, progress=(2, 4))
    card = four_views.window.second_look._cards[0]
    headline, short = STATES[state]
    assert wording.headline(look) == headline
    shown = card.banner.text() if card.banner.isVisible() else card.state.text()
    assert shown.startswith(headline)
    assert four_views.window.top_bar._ai.text() == short
    assert card.bar.isVisible() == (state == "running")
    assert four_views.window.second_look.stop.isVisible() == (state == "running")


@pytest.mark.parametrize("state", ["outside its training domain", "failed", "partly failed", "declined"])
def test_what_needs_the_readers_eye_stands_in_amber_with_its_reason(four_views, state):
    say(four_views, state, remarks=("It was trained on film scans.",))
    card = four_views.window.second_look._cards[0]
    assert card.banner.isVisible()
    assert "It was trained on film scans." in card.banner.text()


def test_the_panel_always_says_what_the_score_is_of_and_where_it_comes_from(four_views):
    look = say(four_views, "findings", exam_score=0.25, breasts=(("R", 0.25), ("L", 0.1)))
    card = four_views.window.second_look._cards[0]
    assert card.name.text() == "test-model 1.2.0"
    assert card.figure.text() == "0.25"
    assert card.meaning.text() == "score, not a probability of a lesion in this exam"
    facts = dict(facts_of(look))
    # 0.1 and 0.2 of 0.1, 0.2, 0.3, 0.9 are lower: half of the negatives.
    assert facts["Rank"] == "higher than 50 % of negatives (each one image)"
    assert facts["Operates at"] == "0.40: 90 % specificity"
    assert facts["Prevalence"] == "25 % positive"
    assert facts["Trained on"] == "Nothing at all."
    assert facts["Breasts"].split() == ["R", "0.25", "L", "0.10"]
    shown = [label.text() for pair in card._rows for label in pair if label.isVisible()]
    assert "higher than 50 % of negatives (each one image)" in shown


def test_classes_stand_in_one_line_per_breast_and_in_one_where_both_are_alike(four_views):
    dense = (("dense", 0.81), ("glandular", 0.17), ("fatty", 0.02))
    fatty = (("fatty", 0.7), ("glandular", 0.2), ("dense", 0.1))
    model = replace(FACTS, classes_of="density")
    look = say(four_views, "answered", model=model, breast_classes=(("L", dense), ("R", fatty)))
    card = four_views.window.second_look._cards[0]
    assert (card.state.text(), four_views.window.top_bar._ai.text()) == ("Answered", "AI answered")
    rows = [(name.text(), text.text()) for name, text in card._rows]
    right = rows.index(("Density R", "fatty 0.70, glandular 0.20, dense 0.10"))
    assert rows[right + 1] == ("Density L", "dense 0.81, glandular 0.17, fatty 0.02")
    both = facts_of(replace(look, breast_classes=(("L", dense), ("R", dense))))
    assert [row for row in both if "ensity" in row[0]] == [
        ("Density", "dense 0.81, glandular 0.17, fatty 0.02")
    ]
    assert not [row for row in facts_of(replace(look, breast_classes=())) if "ensity" in row[0]]


def test_no_percentile_is_made_up_where_negatives_are_unknown():
    assert wording.percentile(0.5, ()) is None


def test_research_use_only_stands_in_panel_and_status_line(four_views):
    from PySide6.QtWidgets import QLabel

    texts = [
        label.text() for label in four_views.window.second_look.findChildren(QLabel) if label.isVisible()
    ]
    assert any("Research use only" in text for text in texts)
    assert four_views.window.status.text("research") == "Research use only"


def test_findings_are_listed_by_view_right_before_left(four_views):
    look = say(four_views, "findings")
    headings = [entry.view for entry in entries_of((look,)) if entry.finding is None]
    assert headings == ["RCC", "LCC", "RMLO", "LMLO"]


def test_a_view_that_failed_says_why_among_the_findings():
    from app.core.reading.findings import SecondLook

    view = ViewLook(("p", "u"), "RCC", "failed", reason="too few pixels")
    entries = entries_of((SecondLook("s", FACTS, "partly failed", (view,)),))
    assert [entry.text for entry in entries] == ["", "failed: too few pixels"]


def test_views_that_a_model_does_not_read_are_not_among_those_without_findings(four_views):
    views = tuple(
        ViewLook(i.key, i.label, "scored" if i.view == "MLO" else "declined", score=0.1)
        for i in four_views.session.screen.study.images
    )
    look = say(four_views, "no findings", views=views)
    assert wording.headline(look) == "No findings in 2 of 4 views"


def test_an_exam_without_a_score_of_which_views_were_scored_says_how_many(four_views):
    first, *others = (ViewLook(i.key, i.label, "declined") for i in four_views.session.screen.study.images)
    views = (replace(first, status="scored", score=0.95), *others)
    by_breast = replace(FACTS, unit="breast")  # whose operating point no view's score is compared with
    look = say(four_views, "declined", model=by_breast, views=views, exam_score=None)
    assert wording.headline(look) == "Declined in part: 1 of 4 views scored, no exam score"


def test_findings_below_the_threshold_leave_the_list(four_views):
    say(four_views, "findings")
    panel = four_views.window.second_look
    assert panel.findings.count() == 8  # four headings, four findings
    four_views.session.set_overlay(score_threshold=0.6)
    assert panel.findings.count() == 0


def test_a_click_on_a_finding_jumps_to_it(four_views):
    say(four_views, "findings")
    listed = four_views.window.second_look.findings
    place = listed.visualItemRect(listed.item(3)).center()  # LCC's
    QTest.mouseClick(listed.viewport(), Qt.MouseButton.LeftButton, pos=place)
    screen = four_views.session.screen
    assert screen.active == 1
    view = four_views.window.grid.viewports[1]
    box = finding().box
    middle = ((box[0] + box[2]) / 2 - 0.5, (box[1] + box[3]) / 2 - 0.5)
    rows, cols = view.device_size
    assert view.scene.affine.apply([middle])[0] == pytest.approx(((rows - 1) / 2, (cols - 1) / 2), abs=1.0)
    assert view.scene.shown == box


def test_x_goes_round_through_the_findings(four_views):
    say(four_views, "findings")
    seen = []
    for _ in range(5):
        press(four_views, Qt.Key.Key_X)
        seen.append(four_views.session.screen.active)
    assert seen == [0, 1, 2, 3, 0]


def test_x_without_findings_says_so(four_views):
    said = []
    four_views.session.message.connect(said.append)
    press(four_views, Qt.Key.Key_X)
    assert said == ["No finding is listed."]


def test_sliders_move_the_overlay_and_follow_it(four_views):
    controls = four_views.window.second_look.controls
    controls.sliders["opacity"].setValue(80)
    assert four_views.session.overlay.opacity == pytest.approx(0.8)
    four_views.session.set_overlay(threshold=0.1)
    assert controls.sliders["threshold"].value() == 10


def test_the_heat_map_is_transparent_below_its_threshold(four_views, pixels_of):
    study = four_views.session.screen.study
    four_views.session.set_overlay(corner="off", boxes=False)
    plain = pixels_of(four_views.window.grid)
    low = np.full((8, 8), 0.2, np.float32)
    low[0, 0] = 1.0
    affine = np.array([[30.0, 0.0, 14.5], [0.0, 20.0, 9.5]])
    views = tuple(
        ViewLook(image.key, image.label, "scored", evidence=Evidence(low, affine, "test"))
        for image in study.images
    )
    say(four_views, "findings", views=views)
    four_views.session.set_overlay(heatmap=True, threshold=0.5)
    changed = (pixels_of(four_views.window.grid) != plain).any(axis=-1)
    assert changed.any()
    assert changed.mean() < 0.1


def test_the_panel_says_how_coarse_a_heat_map_is():
    evidence = Evidence(np.zeros((40, 31), np.float32), np.array([[64.0, 0, 0], [0, 64.0, 0]]), "signed")
    assert native_words(evidence) == (
        "class activation map, 31 × 40 cells, one per 64 image pixels; evidence, not an outline"
    )


def mapped(four_views, name, *, in_domain):
    """A model's answer with a map of each view, as far as known without a score outside its domain."""
    level = 1.0 if in_domain else 2.0
    heat = Evidence(np.full((2, 2), level, np.float32), np.eye(2, 3), "signed")
    views = tuple(
        ViewLook(
            image.key, image.label, "scored" if in_domain else "declined", evidence=heat, in_domain=in_domain
        )
        for image in four_views.session.screen.study.images
    )
    state = "no findings" if in_domain else "outside its training domain"
    return say(four_views, state, model=replace(FACTS, name=name), views=views, exam_score=None)


def drawn(four_views):
    """The level of the map that each pane draws."""
    scenes = [view.scene for view in four_views.window.grid.viewports]
    return [None if scene.evidence is None else float(scene.evidence.values.max()) for scene in scenes]


def test_outside_its_domain_a_map_is_drawn_only_after_the_reader_asked(four_views):
    four_views.session.set_overlay(heatmap=True)  # on since the study before
    mapped(four_views, "stranger", in_domain=False)
    panel = four_views.window.second_look
    assert drawn(four_views) == [None] * 4
    assert "only on request (Heat map)" in panel.native.text()
    assert not four_views.window.actions_by_id["heat_map"].isChecked()
    press(four_views, Qt.Key.Key_A, Qt.KeyboardModifier.ShiftModifier)
    assert drawn(four_views) == [2.0] * 4
    assert panel.native.text().startswith("stranger: class activation map")
    press(four_views, Qt.Key.Key_A, Qt.KeyboardModifier.ShiftModifier)
    assert drawn(four_views) == [None] * 4


def test_showing_maps_is_no_request_for_those_of_views_outside_the_domain(four_views):
    look = mapped(four_views, "native", in_domain=True)
    views = (look.views[0], *(replace(view, in_domain=False, status="declined") for view in look.views[1:]))
    say(four_views, look.state, model=look.model, views=views, exam_score=None)
    four_views.session.show_heat_map(True)
    assert drawn(four_views) == [1.0, None, None, None]
    # They are offered, and come when they are asked for.
    box = four_views.window.second_look.controls.owner
    assert [box.itemText(row) for row in range(box.count())] == ["native, views outside its domain too"]
    assert not box.isHidden()
    box.setCurrentIndex(0)
    box.activated.emit(0)
    assert drawn(four_views) == [1.0] * 4
    assert box.isHidden()


def test_a_request_holds_for_the_open_study_only(four_views):
    study = four_views.session.screen.study
    mapped(four_views, "stranger", in_domain=False)
    four_views.session.show_heat_map(True)
    assert drawn(four_views) == [2.0] * 4
    four_views.session.open_study(study.key)
    mapped(four_views, "stranger", in_domain=False)
    assert drawn(four_views) == [None] * 4


def test_a_model_that_has_an_answer_comes_before_one_that_was_not_made_for_the_study(four_views):
    mapped(four_views, "stranger", in_domain=False)
    say(four_views, "findings")
    panel = four_views.window.second_look
    assert [card.name.text().split()[0] for card in panel._cards] == ["test-model", "stranger"]
    four_views.session.set_overlay(score_threshold=0.6)
    assert [card.state.isVisible() for card in panel._cards] == [True, False]  # the stranger's is in amber
    assert four_views.window.top_bar._ai.text() == "AI findings"


def test_the_reader_chooses_whose_map_is_drawn(four_views):
    mapped(four_views, "stranger", in_domain=False)
    assert not four_views.window.second_look.controls.owner.isVisible()
    mapped(four_views, "native", in_domain=True)
    four_views.session.set_overlay(heatmap=True)
    panel = four_views.window.second_look
    assert drawn(four_views) == [1.0] * 4
    assert panel.native.text().startswith("native: ")
    box = panel.controls.owner
    assert [box.itemText(row) for row in range(2)] == ["stranger (outside its domain)", "native"]
    assert (box.isVisible(), box.currentText()) == (True, "native")
    box.setCurrentIndex(0)
    box.activated.emit(0)
    assert drawn(four_views) == [2.0] * 4
    assert panel.native.text().startswith("stranger: ")


@pytest.mark.parametrize(
    ("scores", "boxes", "threshold", "line"),
    [
        ((0.1, 0.3), 2, 0.0, "2 findings, score below the operating point"),
        ((0.1, 0.5), 1, 0.0, "1 finding, score above the operating point"),
        ((0.1, 0.5), 0, 0.0, "Score above the operating point, no place marked"),
        ((0.1, 0.5), 2, 0.6, "2 findings, 2 below your threshold not shown, score above the operating point"),
    ],
)
def test_state_list_and_marks_never_contradict_each_other(four_views, scores, boxes, threshold, line):
    """The made model operates at 0.4; every box scores 0.5."""
    images = four_views.session.screen.study.images
    views = tuple(
        ViewLook(image.key, image.label, "scored", score=score, findings=(finding(),) * (index < boxes))
        for index, (image, score) in enumerate(zip(images[:2], scores, strict=True))
    )
    say(four_views, "findings", views=views)
    four_views.session.set_overlay(score_threshold=threshold)
    panel = four_views.window.second_look
    assert panel._cards[0].state.text() == line
    listed = [row.finding for row in entries_of(four_views.session.looks, threshold) if row.finding]
    assert len(listed) == (boxes if threshold == 0 else 0)


def test_outside_its_domain_nothing_is_called_a_probability(four_views):
    calibrated = replace(FACTS, calibrated=True)
    look = replace(say(four_views, "outside its training domain"), model=calibrated)
    assert score_sentence(look).startswith("score, not a probability")
    assert score_sentence(replace(look, state="findings")).startswith("probability of")
    found = replace(finding(), calibrated=True)
    assert words(found, in_domain=True) == "mass  50 %"
    assert words(found, in_domain=False) == "mass  0.50"


def test_what_failed_can_be_run_again(four_views):
    say(four_views, "failed", remarks=("The bundle is damaged.",))
    assert four_views.window.second_look.run.isVisible()
    press(four_views, Qt.Key.Key_A)
    assert len(four_views.oracle.asked) == 2


def judged(four_views, name, verdict):
    """A model's answer with maps of a kind that was tested."""
    look = mapped(four_views, name, in_domain=True)
    line = "hits the lesion 61 % of the time, centre guess 22 %"
    line += "; fails marker control" if verdict == "failed" else "; passes all tests"
    model = replace(look.model, maps=(MapFacts("signed", verdict, line),))
    return say(four_views, look.state, model=model, views=look.views, exam_score=None)


def test_the_panel_says_in_one_line_what_was_measured_of_the_map(four_views):
    judged(four_views, "native", "passed")
    four_views.session.show_heat_map(True)
    panel = four_views.window.second_look
    assert drawn(four_views) == [1.0] * 4
    words = "Tested: hits the lesion 61 % of the time, centre guess 22 %; passes all tests"
    assert (panel.tested.isVisible(), panel.tested.text.text()) == (True, words)
    assert not panel.tested.show_anyway.isVisible()


def test_a_map_that_was_never_tested_says_so(four_views):
    mapped(four_views, "native", in_domain=True)
    four_views.session.show_heat_map(True)
    assert drawn(four_views) == [1.0] * 4
    assert four_views.window.second_look.tested.text.text().startswith("Not tested")


def test_a_map_that_failed_is_hidden_until_the_reader_wants_it_anyway(four_views):
    judged(four_views, "native", "failed")
    four_views.session.show_heat_map(True)
    panel = four_views.window.second_look
    assert drawn(four_views) == [None] * 4
    assert not four_views.window.actions_by_id["heat_map"].isChecked()
    assert "failed its tests and is hidden: it hits the lesion 61 %" in panel.tested.text.text()
    assert panel.native.text() == ""
    panel.tested.show_anyway.click()
    assert drawn(four_views) == [1.0] * 4
    assert "fails marker control" in panel.tested.text.text(), "what it failed is still said"
    assert not panel.tested.show_anyway.isVisible()
    # For this study only, and written down nowhere.
    four_views.session.open_study(four_views.session.screen.study.key)
    judged(four_views, "native", "failed")
    assert drawn(four_views) == [None] * 4


def test_of_two_models_the_one_whose_maps_did_not_fail_is_drawn(four_views):
    judged(four_views, "bad", "failed")
    mapped(four_views, "good", in_domain=True)
    four_views.session.show_heat_map(True)
    panel = four_views.window.second_look
    assert panel.native.text().startswith("good: ")
    box = panel.controls.owner
    assert sorted(box.itemText(row) for row in range(2)) == ["bad, failed its tests", "good"]
