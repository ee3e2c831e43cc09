"""What the tests of heat maps say of stand-ins whose maps are known by construction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from made_maps import (
    GRID,
    SIZE,
    StandIn,
    blob_evidence,
    blob_finder,
    breast_mask,
    made_case,
    made_cases,
    maps_of,
)

from model_zoo.architectures import build_network
from model_zoo.verdicts import WORDS, read_verdicts, shown_method, verdict_of
from trainer.honesty.cases import Case
from trainer.honesty.controls import measure_blank, measure_marker
from trainer.honesty.networks import NetworkMaps, _of_classifier, layers
from trainer.honesty.perturb import measure_perturbed
from trainer.honesty.place import energy_in, measure_places, points_at
from trainer.honesty.randomise import measure_randomised
from trainer.honesty.references import coverage, reference_maps
from trainer.honesty.rules import RULES, Rule, rule
from trainer.honesty.similarity import correlation, ssim
from trainer.honesty.steady import measure_repeated, measure_turned


def all_tests(cases: list[Case]) -> dict[str, Any]:
    maps = maps_of(cases)
    network = cases[0].network
    made = measure_places(cases, maps) | measure_perturbed(cases, maps) | measure_turned(cases, maps)
    made["randomised"] = measure_randomised(cases[:6], maps[:6])
    made["marker"] = measure_marker(cases, maps)
    made["blank"] = measure_blank([network], np.zeros((1, *SIZE), np.float32), maps)
    made["repeat"] = measure_repeated([(network, network)], cases)
    return made


def results(tests: dict[str, Any]) -> dict[str, str]:
    return {name: test["result"] for name, test in tests.items()}


def test_evidence_that_is_the_planted_blob_passes_everything() -> None:
    tests = all_tests(made_cases(blob_finder()))
    assert results(tests) == dict.fromkeys(WORDS, "passed")
    assert tests["pointing"]["value"] == 1.0
    assert tests["flip"]["value"] == pytest.approx(1.0)
    assert tests["repeat"]["value"] == pytest.approx(1.0)
    # Evidence and box fill a cell by the same share e: energy is sum(e^2) / sum(e). Along an axis 12 pixels
    # fill cells of 8 by 1 and 1/2 (1.25 / 1.5) at best, by 3/4 and 3/4 at worst.
    assert 0.75**2 <= tests["energy"]["value"] <= (1.25 / 1.5) ** 2
    assert verdict_of(results(tests)) == "passed"


@pytest.mark.parametrize("guess", ["centre", "breast", "edges"])
def test_a_guess_that_knows_no_lesion_fails(guess: str) -> None:
    def draw(image: np.ndarray) -> np.ndarray:
        return reference_maps(image, breast_mask(), GRID)[guess]

    tests = all_tests(made_cases(StandIn(draw)))
    assert tests["pointing"]["result"] == "failed"
    assert tests["energy"]["result"] == "failed"
    assert tests["randomised"]["result"] == "failed", "no weight changes it"
    assert tests["energy"]["margin"]["value"] <= 0
    assert verdict_of(results(tests)) == "failed"


def test_a_map_that_goes_to_what_is_brightest_fails_the_marker_control() -> None:
    def brightest(image: np.ndarray) -> np.ndarray:
        return image.reshape(GRID[0], 8, GRID[1], 8).max(axis=(1, 3)) ** 8

    cases = made_cases(StandIn(brightest))
    tests = measure_marker(cases, maps_of(cases))
    assert (tests["result"], tests["value"]) == ("failed", 1.0)
    assert measure_places(cases, maps_of(cases))["pointing"]["value"] == 1.0, "without a marker it is right"


def test_a_map_that_draws_on_nothing_fails_the_blank_image() -> None:
    network = StandIn(lambda image: np.ones(GRID, np.float32))
    found = measure_blank([network], np.zeros((2, *SIZE), np.float32), maps_of(made_cases(network, 3)))
    assert (found["result"], found["value"]) == ("failed", 1.0)


def test_a_map_that_stays_where_it_is_while_the_image_turns_fails() -> None:
    corner = np.zeros(GRID, np.float32)
    corner[2, 1] = 1.0
    cases = made_cases(StandIn(lambda image: corner))
    found = measure_turned(cases, maps_of(cases))
    assert (found["flip"]["result"], found["shift"]["result"]) == ("failed", "failed")


def test_two_trainings_that_draw_elsewhere_are_not_repeatable() -> None:
    def column(number: int) -> StandIn:
        return StandIn(lambda image: np.eye(1, GRID[1], number, dtype=np.float32).repeat(GRID[0], 0))

    left, right = column(1), column(9)
    found = measure_repeated([(left, right)], made_cases(left))
    assert found["result"] == "failed"
    assert measure_repeated([], made_cases(left))["result"] == "not measured"


def test_a_score_that_hangs_on_something_else_fails_deletion_and_insertion() -> None:
    class Elsewhere(StandIn):
        """Draws the blob, and scores by the tissue around it."""

        def look(self, images: np.ndarray) -> Any:
            seen = super().look(images)
            return type(seen)(seen.maps, images[:, 60:64, 30:34].std(axis=(1, 2)).astype(np.float64))

    cases = made_cases(Elsewhere(blob_evidence))
    found = measure_perturbed(cases, maps_of(cases))
    assert (found["deletion"]["result"], found["insertion"]["result"]) == ("failed", "failed")


def test_few_images_are_not_measured() -> None:
    tests = all_tests(made_cases(blob_finder(), 4))
    assert tests["pointing"]["result"] == tests["marker"]["result"] == "not measured"
    assert verdict_of(results(tests)) == "incomplete"


# Numbers by hand


def test_a_box_covers_its_share_of_each_cell() -> None:
    covered = coverage(np.array([[0.0, 4.0, 8.0, 8.0]]), (16, 16), (2, 2))
    assert covered.tolist() == [[0.5, 0.0], [0.0, 0.0]]
    small = coverage(np.array([[3.2, 3.2, 3.3, 3.3]]), (16, 16), (2, 2))
    assert small[0, 0] == pytest.approx(1 / 64), "a box smaller than a pixel is one pixel"


def test_pointing_and_energy_by_hand() -> None:
    covered = np.array([[0.5, 0.0], [0.0, 0.0]], np.float32)
    assert points_at(np.array([[2, 1], [0, 1]], np.float32), covered) == 1.0
    assert points_at(np.array([[1, 2], [0, 1]], np.float32), covered) == 0.0
    assert energy_in(np.array([[2, 1], [0, 1]], np.float32), covered) == 0.25
    empty = np.zeros((2, 2), np.float32)
    assert (points_at(empty, covered), energy_in(empty, covered)) == (0.0, 0.0)


def test_similarity_by_hand() -> None:
    values = np.random.default_rng(0).random(GRID, np.float32)
    empty = np.zeros(GRID, np.float32)
    assert ssim(values, 3 * values) == pytest.approx(1.0), "each map is scaled to its own maximum"
    assert ssim(values, empty) == 0.0
    assert np.isnan(ssim(empty, empty))
    assert correlation(values, 2 * values + 1) == pytest.approx(1.0)
    assert correlation(values, 1 - values) == pytest.approx(-1.0)
    one, other = np.zeros(GRID, np.float32), np.zeros(GRID, np.float32)
    one[2, 2], other[13, 9] = 1, 1
    assert ssim(one, other) < 0.1, "the empty ground around two far points does not make them alike"


def test_a_rule_holds_at_its_own_limit_as_it_says() -> None:
    expected = {"above": "failed", "at least": "passed", "below": "failed", "at most": "passed"}
    for side, result in expected.items():
        assert Rule("x", "n", side, 0.5, 2).judge(0.5, 2) == result  # type: ignore[arg-type]
    assert Rule("x", "n", "at least", 0.5, 2).judge(0.9, 1) == "not measured"
    assert rule("marker").judge(float("nan"), 50) == "not measured"
    assert [one.name for one in RULES] == list(WORDS)


# A network


def tiny_network(seed: int) -> Any:
    torch.manual_seed(seed)
    config = {"stem": 8, "widths": [8], "blocks": [1], "strides": [2], "norm": "group"}
    return build_network("evidence-classifier", config)


class Greys(torch.nn.Module):
    """A pooled classifier that learns in one step: ten channels, one per grey, and a linear head."""

    stride = 8.0

    def __init__(self) -> None:
        super().__init__()
        self.head = torch.nn.Linear(10, 1)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        greys = torch.arange(10)[:, None, None] / 10
        return torch.nn.functional.avg_pool2d(((x - greys).abs() <= 0.05).float(), 8)

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        return self.head(features.mean(dim=(2, 3)))

    def fit(self, images: torch.Tensor, labels: torch.Tensor) -> None:
        """Least squares of -1 and 1 on the pooled channels."""
        pooled = self.features(images).mean(dim=(2, 3))
        given = torch.cat([pooled, torch.ones(len(pooled), 1)], dim=1).double()
        made = torch.linalg.lstsq(
            given, 2 * labels.double()[:, None] - 1, rcond=1e-6, driver="gelsd"
        ).solution
        self.head.weight.data, self.head.bias.data = made[:10].T.float(), made[10].float()


def trained(labels_are_true: bool) -> NetworkMaps:
    """Show the network blobs and none, and tell it the truth or noise."""
    cases = [made_case(number, blob_finder()) for number in range(32)]
    blobs = np.stack([case.pixels for case in cases])
    plain = blobs[::-1].copy()
    plain[np.abs(plain - 0.8) < 0.01] = 0.3
    images = torch.from_numpy(np.concatenate([blobs, plain]))[:, None]
    # Half of each kind is called positive: labels without a grain of truth in them.
    labels = torch.tensor([1.0] * 32 + [0.0] * 32 if labels_are_true else [1.0, 0.0] * 32)
    network = Greys()
    network.fit(images, labels)
    return NetworkMaps(network.requires_grad_(False), _of_classifier("signed"))


def test_a_network_that_learnt_blobs_points_at_new_ones_and_one_that_learnt_noise_does_not() -> None:
    found = {}
    for truth in (True, False):
        network = trained(truth)
        cases = [made_case(100 + number, network) for number in range(24)]
        found[truth] = measure_places(cases, maps_of(cases))["pointing"]
    assert found[True]["result"] == "passed"
    assert found[False]["result"] == "failed"


def test_shuffling_keeps_the_values_of_each_tensor_and_begins_at_the_top() -> None:
    network = NetworkMaps(tiny_network(1), _of_classifier("signed"))
    names = layers(network.network)
    assert names[0] == "head"
    assert names[-1] == "trunk.stem.0"
    before = dict(network.network.named_parameters())
    top = dict(network.shuffled(0.5, 3).network.named_parameters())
    assert torch.equal(before["trunk.stem.0.weight"], top["trunk.stem.0.weight"])
    whole = dict(network.shuffled(1.0, 3).network.named_parameters())
    stem = whole["trunk.stem.0.weight"]
    assert not torch.equal(stem, before["trunk.stem.0.weight"])
    assert torch.equal(stem.flatten().sort().values, before["trunk.stem.0.weight"].flatten().sort().values)


def test_the_same_layer_of_all_members_is_shuffled_together() -> None:
    config = {"stem": 8, "widths": [8], "blocks": [1], "strides": [2], "norm": "group"}
    single, three = (layers(build_network("evidence-classifier", config | {"members": n})) for n in (1, 3))
    assert len(single) == len(three)


# Words


def test_the_line_says_how_often_it_hits_and_what_it_fails() -> None:
    tests = {name: {"result": "passed"} for name in WORDS} | {
        "pointing": {"result": "passed", "value": 0.61, "references": {"centre": 0.22}},
        "marker": {"result": "failed"},
    }
    (said,) = read_verdicts({"explanations": {"methods": {"signed": {"tests": tests}}}})
    assert said.verdict == "failed"
    assert said.line == "hits the lesion 61 % of the time, centre guess 22 %; fails marker control"
    tests["marker"] = {"result": "passed"}
    (said,) = read_verdicts({"explanations": {"methods": {"signed": {"tests": tests}}}})
    assert (said.verdict, said.line.partition("; ")[2]) == ("passed", "passes all tests")
    tests["repeat"] = {"result": "not measured"}
    (said,) = read_verdicts({"explanations": {"methods": {"signed": {"tests": tests}}}})
    assert said.verdict == "passed"
    assert said.line.endswith("not measured: repeatability; passes the rest")
    assert read_verdicts({}) == read_verdicts({"explanations": {"methods": {"signed": 3}}}) == ()


def test_a_bundle_shows_its_detectors_map_only_where_the_classifiers_failed_and_that_did_not() -> None:
    def shown(**results: str) -> str:
        methods = {name: {"tests": {"flip": {"result": result}}} for name, result in results.items()}
        return shown_method({"explanations": {"methods": methods}})

    assert shown_method({}) == shown(signed="passed", detector="passed") == "signed"
    assert shown(signed="failed", detector="passed") == "detector"
    assert shown(signed="failed", detector="failed") == shown(signed="failed") == "signed"
    assert shown(detector="passed") == "signed", (
        "of a bundle without a classifier the default is the detector's"
    )
