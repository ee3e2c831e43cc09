"""The second look as a service: in a process of its own, cancellable, cached, never a traceback."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from dicom_files import write_mg

from app.core.imaging.image import Image
from app.core.settings import Settings
from app.services.inference.exam import gather
from app.services.inference.process import LookRequest, bundle_digest, no_predictors, run_look
from app.services.inference.service import Inference
from app.services.library import Library

sys.path.insert(0, str(Path(__file__).parents[1] / "model_zoo"))
from tiny_bundles import flat_view, tiny_bundle

from model_zoo.errors import ModelError
from model_zoo.spec import OperatingPoint
from model_zoo.suitability import Domain, Views


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return tiny_bundle(
        tmp_path_factory.mktemp("models") / "tiny-mean",
        slope=4.0,
        offset=-2.0,
        domain=Domain(("ffdm",), ("presentation",), 32, 32, True, "Trained on nothing."),
        views=Views((), ("CC", "MLO")),
        operating_points=(OperatingPoint("half", 0.5, "a flat image of half brightness"),),
    )


@pytest.fixture
def looks(qtbot, bundle, monkeypatch):
    monkeypatch.setenv("MAMMOVIEW_MODELS", str(bundle.folder.parent))
    settings = Settings(models=("tiny-mean",), device="cpu")
    library = Library(settings)
    service = Inference(library, settings)
    service.heard = []
    service.look_changed.connect(service.heard.append)
    yield service
    service.stop()
    library.stop()


def study_of(folder, level, qtbot, looks):
    path = write_mg(folder / f"{level}.dcm", np.full((64, 64), level, np.uint16), window=(2048, 4096))
    library = looks._library
    library.open([path])
    qtbot.waitUntil(lambda: not library.opening and bool(library.collection.patients))
    return library.collection.patients[0].studies[0]


def finished(qtbot, looks):
    qtbot.waitUntil(lambda: bool(looks.heard) and looks.heard[-1].state != "running")
    return looks.heard[-1]


@pytest.mark.parametrize(("level", "state"), [(1000, "no findings"), (3000, "findings")])
def test_a_look_runs_and_ends_on_its_side_of_the_operating_point(tmp_path, qtbot, looks, level, state):
    study = study_of(tmp_path, level, qtbot, looks)
    looks.run(study)
    look = finished(qtbot, looks)
    assert looks.heard[0].state == "running"
    assert (look.study_key, look.state) == (study.key, state)
    (view,) = look.views
    assert view.key == study.images[0].key
    assert view.score == pytest.approx(1 / (1 + math.exp(-(4 * level / 4095 - 2))), abs=2e-3)
    assert view.evidence is not None


def test_a_second_look_at_the_same_study_comes_from_the_cache_at_once(tmp_path, qtbot, looks):
    study = study_of(tmp_path, 1000, qtbot, looks)
    looks.run(study)
    first = finished(qtbot, looks)
    looks.heard.clear()
    looks.run(study)
    assert looks.heard == [first]


def test_a_cancelled_look_reads_not_run_and_nothing_follows(tmp_path, qtbot, looks):
    study = study_of(tmp_path, 1000, qtbot, looks)
    looks.run(study)
    looks.cancel()
    assert looks.heard[-1].state == "not run"
    heard = len(looks.heard)
    qtbot.wait(1500)
    assert len(looks.heard) == heard
    looks.run(study)  # and it can be asked again
    assert finished(qtbot, looks).state == "no findings"


def test_a_dead_process_is_one_sentence_and_the_next_look_works(tmp_path, qtbot, looks):
    study = study_of(tmp_path, 1000, qtbot, looks)
    looks.run(study)
    qtbot.waitUntil(lambda: looks._process._process is not None)
    looks._process._process.kill()
    look = finished(qtbot, looks)
    assert look.state == "failed"
    assert "process" in look.remarks[0]
    looks.run(study)
    qtbot.waitUntil(lambda: looks.heard[-1].state == "no findings")


def test_a_model_that_is_not_there_is_told(tmp_path, qtbot, looks):
    study = study_of(tmp_path, 1000, qtbot, looks)
    looks.run(study, ("absent",))
    assert looks.heard[-1].state == "failed"
    assert "absent" in looks.heard[-1].remarks[0]


def test_a_bundle_installed_anew_in_its_folder_is_not_answered_by_the_old_weights(tmp_path):
    folder, network = tmp_path / "tiny-mean", no_predictors()
    scores = []
    for offset in (-2.0, 2.0):
        tiny_bundle(folder, slope=0.0, offset=offset)
        request = LookRequest(folder, "cpu", (flat_view("R", "CC", 0.5),), heatmaps=False)
        scores += [view.score for view in run_look(request, lambda done, total: None, network).views]
    assert scores == pytest.approx([1 / (1 + math.exp(2)), 1 / (1 + math.exp(-2))], abs=1e-6)
    assert len(network) == 1


def test_answers_depend_on_all_of_a_bundle_not_on_its_weights_alone(tmp_path):
    tiny_bundle(tmp_path / "tiny-mean", offset=1.0)
    before = bundle_digest(tmp_path / "tiny-mean")
    tiny_bundle(tmp_path / "tiny-mean", offset=1.0, operating_points=(OperatingPoint("half", 0.5, "half"),))
    assert bundle_digest(tmp_path / "tiny-mean") != before


def test_a_folder_that_is_gone_is_refused_in_a_sentence(tmp_path):
    request = LookRequest(tmp_path / "gone", "cpu", (flat_view("R", "CC", 0.5),))
    with pytest.raises(ModelError, match="gone"):
        run_look(request, lambda done, total: None, no_predictors())


def test_what_every_model_refuses_by_its_facts_is_not_decoded(bundle):
    decoded = []

    def read(image):
        decoded.append(image.view)
        return flat_view("L", image.view, 0.5, source="ffdm")

    views = (None, "CC", "SPECIMEN")
    images = [Image(Path(f"{n}.dcm"), str(n), view=view, source="ffdm") for n, view in enumerate(views)]
    gathered = gather(images, read, specs=(bundle.spec,))
    assert decoded == ["CC"]
    answer = run_look(LookRequest(bundle.folder, "cpu", gathered), lambda *_: None, no_predictors())
    assert [view.status for view in answer.views] == ["declined", "scored", "declined"]
    assert answer.views[0].reason == "The view is not known; the model reads CC and MLO."


@pytest.mark.parametrize("decoded", [True, False])
def test_a_place_is_looked_at_in_the_frame_asked_for(tmp_path, qtbot, looks, monkeypatch, decoded):
    frames = np.stack([np.full((64, 64), level, np.uint16) for level in (1000, 2000, 3000)])
    path = write_mg(tmp_path / "three.dcm", frames, window=(2048, 4096))
    looks._library.open([path])
    qtbot.waitUntil(lambda: bool(looks._library.collection.patients))
    (image,) = looks._library.collection.patients[0].studies[0].images
    if decoded:
        looks._library.set_screen([(image, 2)])
        qtbot.waitUntil(lambda: looks._library.frame(image, 2) is not None)
    requests = []
    monkeypatch.setattr(looks._process, "inside", lambda request, report: requests.append(request))
    looks.look_inside(image, (5.0, 5.0), "tiny-mean", None, 2)
    qtbot.waitUntil(lambda: bool(requests))
    (view,) = [each.view for each in requests]
    assert view.frame == 2
    assert float(view.pixels.mean()) / 65535 == pytest.approx(3000 / 4095, abs=1e-3), "of 16 bits"
