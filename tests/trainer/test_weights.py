"""Official weights: what is read, what is refused, and what a recipe without its file says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import safetensors
import torch
from tiny_training import Miniature, train

from trainer.ancestry import load_pretrained
from trainer.cli import main
from trainer.errors import TrainerError
from trainer.export import export
from trainer.recipe import read_recipe
from trainer.runs import read_run
from trainer.task import LesionTask
from trainer.weights import import_weights


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from torchvision.models import resnet34

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("official") / "resnet34-made.pth"
    torch.save(resnet34(weights=None).state_dict(), path)
    return path


TRANSFER = (
    "networks.classifier.architecture=transfer-classifier",
    "networks.classifier.config={trunk='resnet34'}",
    "size=64x64",
    "mm=2.0",
    "batch=4",
    "epochs=1",
    "dense_weight=0",
    "image_weight=1",
)


def test_the_first_kernel_is_summed_and_the_rest_taken_over(official: Path, tmp_path: Path) -> None:
    target = tmp_path / "r.safetensors"
    assert main(["import-weights", str(official), "-o", str(target)]) == 0
    before = torch.load(official, weights_only=True)
    with safetensors.safe_open(target, "pt") as content:
        assert content.metadata()["trunk"] == "resnet34"
        assert content.metadata()["source"] == "resnet34-made.pth"
        torch.testing.assert_close(content.get_tensor("conv1.weight")[:, 0], before["conv1.weight"].sum(1))
        name = "layer4.2.conv2.weight"
        torch.testing.assert_close(content.get_tensor(name), before[name])
        assert "fc.weight" not in list(content.keys())


def test_a_file_that_would_run_something_is_refused(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "ran"),)

    torch.save({"conv1.weight": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(TrainerError, match="no file of plain tensors"):
        import_weights(tmp_path / "trap.pth", tmp_path / "out.safetensors")
    assert not (tmp_path / "ran").exists()
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(TrainerError, match="none of resnet34"):
        import_weights(tmp_path / "other.pth", tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


def test_a_recipe_without_its_file_says_where_to_get_it(
    miniature: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["fit", "mias-abnormality", "--manifest", str(miniature.manifest.path)]
    words += ["--splits", str(miniature.splits_path), "-o", str(tmp_path / "run")]
    missing = tmp_path / "resnet34.safetensors"
    assert main([*words, "--set", *TRANSFER, f"pretrained={missing}"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "https://download.pytorch.org/models/resnet34-" in error
    assert "import-weights" in error
    assert not (tmp_path / "run").exists()


def test_a_training_starts_from_them_and_its_bundle_says_so(
    miniature: Miniature, official: Path, tmp_path: Path
) -> None:
    target = tmp_path / "resnet34.safetensors"
    import_weights(official, target)
    recipe = read_recipe("mias-abnormality", [*TRANSFER, f"pretrained={target}"])
    task = LesionTask(recipe.raw, 0)
    load_pretrained(task, str(target))
    wanted = torch.load(official, weights_only=True)["layer1.0.conv1.weight"]
    torch.testing.assert_close(task.state_dict()["networks.classifier.body.layer1.0.conv1.weight"], wanted)
    run = train(miniature, tmp_path / "run", recipe=recipe)
    assert any("ImageNet" in licence for licence in read_run(run).licences)
    bundle = export([run], tmp_path / "bundles", print)
    assert bundle.spec.licence.use == "research"
    assert "ImageNet" in (bundle.folder / "MODEL_CARD.md").read_text()
    recipe = read_recipe("mias-abnormality", [f"pretrained={target}"])
    with pytest.raises(TrainerError, match="fit a transfer-classifier only"):
        train(miniature, tmp_path / "other", recipe=recipe)
