"""The synthetic exam: same seed same pixels, truth that holds, views that agree."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from app.core.phantom.anatomy import FIELD_MM, Position, draw_breast, skin_distance
from app.core.phantom.exam import CANONICAL, VIEWS, PhantomExam, make_exam
from app.core.phantom.lesions import Lesion

SMALL = (416, 320)


@pytest.fixture(scope="module")
def exams() -> list[PhantomExam]:
    return [
        make_exam(seed, shape=SMALL, lesions=[kind, "mass"], prior=seed == 0)
        for seed, kind in enumerate(("mass", "calc", "asymmetry"))
    ]


def test_the_same_seed_gives_the_same_pixels_and_truth() -> None:
    one, two = (make_exam(7, shape=SMALL, lesions="any") for _ in range(2))
    for first, second in zip(one.views, two.views, strict=True):
        assert np.array_equal(first.pixels, second.pixels)
        assert [mark.box for mark in first.truth] == [mark.box for mark in second.truth]
    assert one.lesions == two.lesions


def test_another_seed_gives_another_breast() -> None:
    one, two = (make_exam(seed, shape=SMALL, lesions="none", density="b") for seed in (1, 2))
    assert not np.array_equal(one.views[0].pixels > 0, two.views[0].pixels > 0)


def test_an_exam_has_four_views_in_canonical_orientation(exams: list[PhantomExam]) -> None:
    for exam in exams:
        assert tuple((view.side, view.view) for view in exam.views) == VIEWS
        for view in exam.views:
            assert view.orientation == CANONICAL[view.side, view.view]
            assert view.pixels.shape == SMALL
            assert view.pixels.dtype == np.uint16


@pytest.mark.parametrize("shape", [(416, 320), (300, 300), (333, 257)])
def test_spacing_makes_every_shape_cover_the_field(shape: tuple[int, int]) -> None:
    view = make_exam(0, shape=shape, lesions="none", views=VIEWS[:1]).views[0]
    assert view.pixels.shape == shape
    covered = [count * view.spacing_mm for count in shape]
    assert all(size >= field - 1e-9 for size, field in zip(covered, FIELD_MM, strict=True))
    assert any(abs(size - field) < 1e-9 for size, field in zip(covered, FIELD_MM, strict=True))


def test_the_chest_wall_is_at_the_right_edge_of_a_right_breast(exams: list[PhantomExam]) -> None:
    for exam in exams:
        for view in exam.views:
            breast = view.pixels > 0
            left, right = breast[:, 0].sum(), breast[:, -1].sum()
            assert (right > 0 and left == 0) if view.side == "R" else (left > 0 and right == 0)
            middle = np.nonzero(breast)[1].mean()
            assert (view.nipple[1] < middle) == (view.side == "R")


def test_the_muscle_is_at_the_top_of_an_oblique_view(exams: list[PhantomExam]) -> None:
    for exam in exams:
        for view in exam.views[2:]:
            edge = view.pixels[:, -20:-4] if view.side == "R" else view.pixels[:, 4:20]
            assert np.median(edge[10:40]) > 1.25 * np.median(edge[(edge > 0).all(axis=1)][-40:-10])


def test_padding_is_zero_outside_and_nowhere_in_the_breast(exams: list[PhantomExam]) -> None:
    for exam in exams:
        for view in exam.views:
            breast = view.pixels > 0
            assert 0.1 < breast.mean() < 0.8
            # One piece, no holes: every row's breast pixels are one run that begins at the chest wall.
            inward = breast[:, ::-1] if view.side == "R" else breast
            assert (np.diff(inward.astype(int), axis=1) <= 0).mean() > 0.999
            assert view.pixels.max() <= 4095


def test_boxes_are_the_tight_bounds_of_masks(exams: list[PhantomExam]) -> None:
    for exam in exams:
        for view in exam.views:
            for mark in view.truth:
                rows, columns = np.nonzero(mark.mask)
                assert mark.box == (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)
                assert not (mark.mask & (view.pixels == 0)).any()


def test_every_lesion_is_marked_in_both_views_of_its_breast_and_no_other(exams: list[PhantomExam]) -> None:
    for exam in exams:
        for index, lesion in enumerate(exam.lesions):
            seen = {view.label for view in exam.views for mark in view.truth if mark.lesion == index}
            assert seen == {lesion.side + "CC", lesion.side + "MLO"}


def test_a_lesion_is_as_deep_behind_the_nipple_in_both_views(exams: list[PhantomExam]) -> None:
    for exam in exams:
        for index, lesion in enumerate(exam.lesions):
            for view in exam.views:
                for mark in (mark for mark in view.truth if mark.lesion == index):
                    middle = (mark.box[1] + mark.box[3]) / 2 - 0.5
                    depth = abs(middle - view.nipple[1]) * view.spacing_mm
                    assert depth == pytest.approx(lesion.position.depth, abs=0.2 * lesion.diameter_mm + 2)


def test_lateral_is_up_in_cc_and_superior_is_up_in_mlo() -> None:
    cc, mlo = draw_breast(3, "L", "b").views
    assert cc.place(Position(30, 10, 0))[1] == pytest.approx(cc.nipple[1] - 10)
    assert cc.place(Position(30, 0, 10))[1] == pytest.approx(cc.nipple[1])
    assert mlo.place(Position(30, 0, 10))[1] < mlo.nipple[1]
    assert mlo.place(Position(30, 10, 0))[1] < mlo.nipple[1]
    assert cc.nipple[0] - cc.place(Position(30, 4, 5))[0] == pytest.approx(30)
    assert mlo.nipple[0] - mlo.place(Position(30, 4, 5))[0] == pytest.approx(30)


@pytest.mark.parametrize("kind", ["mass", "asymmetry"])
def test_a_lesion_brightens_its_own_pixels_and_leaves_the_rest(kind: str) -> None:
    breast = draw_breast(5, "L", "b")
    with_lesion = make_exam(5, shape=SMALL, density="b", lesions=[kind])  # type: ignore[list-item]
    without = make_exam(5, shape=SMALL, density="b", lesions="none")
    assert breast.density == with_lesion.density
    marked = 0
    for one, other in zip(with_lesion.views, without.views, strict=True):
        change = one.pixels.astype(int) - other.pixels
        for mark in one.truth:
            marked += 1
            assert change[mark.mask].mean() > 100
        if not one.truth:
            assert not change.any()
    assert marked == 2


def test_calcifications_are_bright_specks_inside_their_mask() -> None:
    # At 0.2 mm a calcification of twice 0.3 mm covers whole pixels.
    cluster = Lesion("calc", "cluster", "L", Position(40, 5, 5), 14, 1.5, "punctate", seed=3)
    one, other = (
        make_exam(
            4, shape=(1165, 895), density="b", lesions=lesions, views=(("L", "CC"),), calc_scale=2
        ).views[0]
        for lesions in ([cluster], "none")
    )
    change = one.pixels.astype(int) - other.pixels
    specks = change > 300
    count = cv2.connectedComponents(specks.astype(np.uint8))[0] - 1
    assert 4 <= count <= 30
    assert not (specks & ~one.truth[0].mask).any()


def test_a_lesion_keeps_its_millimetres_at_any_pixel_size() -> None:
    sizes = []
    for shape in ((416, 320), (832, 640)):
        view = make_exam(1, shape=shape, density="a", lesions=[_round_mass()], views=(("L", "CC"),)).views[0]
        sizes.append((view.truth[0].box[2] - view.truth[0].box[0]) * view.spacing_mm)
    assert sizes[0] == pytest.approx(sizes[1], abs=1.2)
    assert sizes[0] == pytest.approx(16, abs=2.5)


def _round_mass() -> Lesion:
    return Lesion("mass", "round mass", "L", Position(45, 0, 5), 16, 0.6, "round", "circumscribed", 2)


def test_the_prior_is_the_same_breast_without_the_lesion(exams: list[PhantomExam]) -> None:
    exam = exams[0]
    prior = exam.prior
    assert prior is not None
    assert prior.lesions == ()
    assert all(view.truth == () for view in prior.views)
    assert prior.subject.patient_id == exam.subject.patient_id
    assert (exam.subject.study_date.year - prior.subject.study_date.year) == 2
    for now, then in zip(exam.views, prior.views, strict=True):
        both = ((now.pixels > 0) & (then.pixels > 0)).sum()
        either = ((now.pixels > 0) | (then.pixels > 0)).sum()
        assert 0.9 < both / either < 1.0
        # Another positioning, but by no more than centimetres.
        moved = np.subtract(now.nipple, then.nipple) * now.spacing_mm
        assert 0 < np.hypot(*moved) < 15


def test_density_orders_the_brightness_of_the_breast() -> None:
    means = []
    for density in "abcd":
        views = make_exam(3, shape=SMALL, density=density, lesions="none", views=VIEWS[:2]).views  # type: ignore[arg-type]
        means.append(np.mean([view.pixels[view.pixels > 0].mean() for view in views]))
    assert means == sorted(means)


def test_half_of_the_drawn_exams_are_normal() -> None:
    from app.core.phantom.exam import choose_lesions

    breasts = {side: draw_breast(0, side, "b") for side in ("R", "L")}  # type: ignore[arg-type]
    normal = sum(not choose_lesions(seed, breasts, None) for seed in range(60))  # type: ignore[arg-type]
    assert 18 <= normal <= 42


def test_an_unknown_lesion_is_refused() -> None:
    with pytest.raises(ValueError, match="no kind of lesion"):
        make_exam(0, shape=SMALL, lesions="tumour")  # type: ignore[arg-type]


def test_a_lesion_outside_of_the_breast_is_refused() -> None:
    lost = Lesion("mass", "round mass", "L", Position(-60, 0, 0), 10, 0.6, "round", "circumscribed")
    with pytest.raises(ValueError, match="outside of the L breast"):
        make_exam(0, shape=SMALL, lesions=[lost], views=(("L", "CC"),))


@pytest.mark.parametrize("seed", range(8))
def test_below_the_breast_of_an_mlo_the_abdomen_is_a_band_and_no_stem(seed: int) -> None:
    oblique = draw_breast(seed, "L", "b").views[1]
    inside = skin_distance(oblique, 466, 358, 0.5) > 0
    assert inside[-1].any(), "the abdomen goes on to the lower edge of the field"
    width_mm = inside.sum(axis=1) * 0.5
    assert width_mm[300:].min() > 12
    # Nor is the fold a notch: from one half millimetre to the next the skin never jumps.
    assert np.abs(np.diff(width_mm)).max() < 25
