from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from tiny_bundles import mean_weights, rewrite, tiny_bundle, tiny_spec

from model_zoo.bundle import amend, find_bundles, install, load_bundle, remove, verify, write_bundle
from model_zoo.errors import BundleError
from model_zoo.predictor import load_predictor


def refusal(folder: Path) -> str:
    with pytest.raises(BundleError) as caught:
        load_bundle(folder)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert str(folder) in sentence
    return sentence


def put(*path: str, value: Any) -> Any:
    def change(content: dict[str, Any]) -> None:
        for step in path[:-1]:
            content = content[step]
        content[path[-1]] = value

    return change


def test_a_written_bundle_loads_as_it_was(tmp_path: Path) -> None:
    spec = tiny_spec(title="Tiny", negatives=(0.1, 0.2, 0.2), metrics={"auc.image": {"value": 0.7}})
    bundle = write_bundle(tmp_path / "b", spec, mean_weights(), "# Card\n", {"format": "m"})
    assert (bundle.name, bundle.version, bundle.shipped) == ("tiny-mean", "1.0.0", False)
    assert bundle.card == "# Card\n"
    assert bundle.metrics == {"format": "m"}
    assert bundle.spec.to_json() == {**spec.to_json(), "files": dict(bundle.spec.files)}
    assert set(bundle.spec.files) == {"weights.safetensors", "MODEL_CARD.md", "metrics.json"}
    verify(bundle)


def test_writing_over_a_bundle_replaces_it_and_leaves_nothing_else(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "b")
    again = tiny_bundle(tmp_path / "b", model_version="1.1.0")
    assert again.version == "1.1.0"
    assert [entry.name for entry in tmp_path.iterdir()] == ["b"]


def test_writing_never_replaces_a_folder_that_is_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.txt").write_text("mine")
    with pytest.raises(BundleError, match="not replaced"):
        tiny_bundle(tmp_path / "b")
    assert (tmp_path / "b" / "thesis.txt").read_text() == "mine"


def test_a_write_that_fails_leaves_the_old_bundle(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "b")
    with pytest.raises(BundleError):
        write_bundle(tmp_path / "b", tiny_spec(name="Not A Name"), mean_weights(), "", {})
    assert load_bundle(tmp_path / "b").name == "tiny-mean"
    assert [entry.name for entry in tmp_path.iterdir()] == ["b"]


def test_a_changed_weights_file_is_refused(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "b")
    content = bytearray(bundle.weights.read_bytes())
    content[-1] ^= 1
    bundle.weights.write_bytes(content)
    assert "weights.safetensors was changed" in refusal(tmp_path / "b")


@pytest.mark.parametrize("name", ["weights.safetensors", "MODEL_CARD.md", "metrics.json", "bundle.json"])
def test_a_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    tiny_bundle(tmp_path / "b")
    (tmp_path / "b" / name).unlink()
    assert f"{name} is missing" in refusal(tmp_path / "b")


@pytest.mark.parametrize("name", ["old.pt", "old.PTH", "a.pkl", "a.ckpt", "pytorch_model.bin", "x.joblib"])
def test_a_file_that_may_hold_a_pickle_is_refused(tmp_path: Path, name: str) -> None:
    tiny_bundle(tmp_path / "b")
    (tmp_path / "b" / name).write_bytes(b"\x80\x04.")
    assert f"{name} may hold a pickle" in refusal(tmp_path / "b")


def test_a_pickle_is_refused_even_where_it_is_listed(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "b")
    (tmp_path / "b" / "sub").mkdir()
    (tmp_path / "b" / "sub" / "a.pt").write_bytes(b"\x80\x04.")
    rewrite(tmp_path / "b", lambda content: None, reseal=True)
    assert "sub/a.pt may hold a pickle" in refusal(tmp_path / "b")


def test_a_pickle_named_as_safetensors_is_refused(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "b")
    bundle.weights.write_bytes(b"\x80\x04\x95" + bytes(64) + b".")
    rewrite(tmp_path / "b", lambda content: None, reseal=True)
    assert "weights.safetensors is not a safetensors file" in refusal(tmp_path / "b")


def test_an_unlisted_file_is_refused_but_a_file_managers_litter_is_not(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "b")
    (tmp_path / "b" / ".DS_Store").write_bytes(b"x")
    load_bundle(tmp_path / "b")
    (tmp_path / "b" / "run.py").write_text("print()")
    assert "run.py is not listed" in refusal(tmp_path / "b")


@pytest.mark.parametrize("name", ["../x.txt", "/etc/passwd", "a/../../x", "C:\\x", "a\\..\\x"])
def test_a_path_that_leaves_the_bundle_is_refused(tmp_path: Path, name: str) -> None:
    tiny_bundle(tmp_path / "b")
    rewrite(tmp_path / "b", lambda content: content["files"].update({name: "0" * 64}))
    assert "leads out of the bundle" in refusal(tmp_path / "b")


@pytest.mark.parametrize("name", ["weights.safetensors", "bundle.json", "more"])
def test_a_link_is_refused(tmp_path: Path, name: str) -> None:
    tiny_bundle(tmp_path / "b")
    place = tmp_path / "b" / name
    if place.exists():
        place.rename(tmp_path / name)
    else:
        (tmp_path / name).mkdir()
    os.symlink(tmp_path / name, place)
    assert f"{name} is a link" in refusal(tmp_path / "b")


def test_an_unknown_architecture_is_refused(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "b")
    rewrite(tmp_path / "b", put("networks", "classifier", "architecture", value="transformer-9000"))
    assert "'transformer-9000' is not known here" in refusal(tmp_path / "b")


def test_a_detector_cannot_stand_in_for_a_classifier(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "b")
    rewrite(tmp_path / "b", put("networks", "classifier", "architecture", value="fcos-detector"))
    assert "is a detector, not a classifier" in refusal(tmp_path / "b")


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "b")
    rewrite(tmp_path / "b", put("version", value=2))
    assert "newer format (2) than this Mammoview reads (1)" in refusal(tmp_path / "b")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1, 2", b"\xff\xfe\x00", b'{"a": NaN}', b"[" * 100_000], ids=range(6)
)
def test_a_file_that_is_not_json_is_refused(tmp_path: Path, content: bytes) -> None:
    tiny_bundle(tmp_path / "b")
    (tmp_path / "b" / "bundle.json").write_bytes(content)
    assert "bundle.json is not JSON" in refusal(tmp_path / "b")


def test_json_that_is_no_object_is_refused(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "b")
    (tmp_path / "b" / "bundle.json").write_text("[]")
    assert "must be an object, not a list" in refusal(tmp_path / "b")


WRONG = [
    (("format",), "zip", "format must be"),
    (("version",), "1", "version must be a whole number"),
    (("name",), "Tiny Mean", "is not a bundle name"),
    (("name",), "../tiny", "is not a bundle name"),
    (("model_version",), "1.0", "model_version must be like 1.2.3"),
    (("task",), "segmentation", "task must be one of"),
    (("task",), "detection", "must name a detector for detection"),
    (("networks",), [], "networks must be an object"),
    (("networks", "classifier", "config"), 3, "config must be an object"),
    (("preprocess", "mask"), 1, "mask must be true or false"),
    (("preprocess", "resize", "rows"), 100, "rows must be a multiple of 32"),
    (("preprocess", "resize", "rows"), 10**9, "rows must lie in"),
    (("preprocess", "resize", "mm"), 0.2, "mm is needed by spacing"),
    (("preprocess", "normalise", "method"), "magic", "method must be one of"),
    (("preprocess", "colour"), True, "colour is not a field"),
    (("views", "allowed"), [], "allowed must name at least one view"),
    (("views", "allowed"), ["ABC"], "allowed may hold"),
    (("views", "required"), ["LXCC"], "not among the allowed views"),
    (("outputs", "score", "of"), "", "of must not be empty"),
    (("outputs", "score", "prevalence"), 1.5, "prevalence must lie in 0 to 1"),
    (("outputs", "score", "calibrated"), True, "prevalence is needed"),
    (("outputs", "findings"), ["mass"], "only a detector's"),
    (("aggregation", "view"), "detector-max", "the bundle has no detector"),
    (("aggregation", "exam"), "sum", "exam must be one of"),
    (("calibration", "method"), "oracle", "method must be one of"),
    (("operating_points",), [{"name": "a", "threshold": 2, "meaning": "b"}], "threshold must lie in"),
    (("negatives",), [0.2, 0.1], "negatives must never fall"),
    (("domain", "sources"), ["ultrasound"], "sources may hold"),
    (("domain", "trained_on"), None, "trained_on must be a text"),
    (("licence", "use"), "commercial", "use must be one of"),
    (("files",), {"MODEL_CARD.md": "abc"}, "64 hexadecimal digits"),
    (("files",), {}, "does not list weights.safetensors"),
    (("extra",), 1, "extra is not a field"),
]


@pytest.mark.parametrize(("path", "value", "sentence"), WRONG, ids=[f"{w[0][-1]}-{w[1]}" for w in WRONG])
def test_a_wrong_field_is_refused_by_name(
    tmp_path: Path, path: tuple[str, ...], value: object, sentence: str
) -> None:
    tiny_bundle(tmp_path / "b")
    rewrite(tmp_path / "b", put(*path, value=value))
    assert sentence in refusal(tmp_path / "b")


@pytest.mark.parametrize("name", sorted(set(tiny_spec().to_json()) - {"title", "metrics", "split_hash"}))
def test_a_missing_field_is_refused_by_name(tmp_path: Path, name: str) -> None:
    tiny_bundle(tmp_path / "b")
    optional = {"detection", "operating_points", "negatives"}
    rewrite(tmp_path / "b", lambda content: content.pop(name))
    if name in optional:
        load_bundle(tmp_path / "b")
    else:
        assert f"{name} is missing" in refusal(tmp_path / "b")


def with_weights(folder: Path, weights: dict[str, np.ndarray]) -> Path:
    bundle = tiny_bundle(folder)
    save_file(weights, str(bundle.weights))
    rewrite(folder, lambda content: None, reseal=True)
    return folder


def test_weights_of_no_network_are_refused(tmp_path: Path) -> None:
    folder = with_weights(tmp_path / "a", {**mean_weights(), "detector.x": np.zeros(1, np.float32)})
    assert "detector.x, which belongs to no network" in refusal(folder)
    assert "no weights of the classifier" in refusal(with_weights(tmp_path / "b", {}))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"classifier.head.bias": None}, "lacks classifier.head.bias"),
        ({"classifier.head.weight": np.zeros((1, 9), np.float32)}, r"of shape \(1, 9\), not \(1, 8\)"),
        ({"classifier.head.bias": np.array([np.nan], np.float32)}, "not finite"),
        ({"classifier.more": np.zeros(1, np.float32)}, "classifier.more, which the classifier does not have"),
    ],
)
def test_tensors_that_do_not_fit_the_network_are_refused(
    tmp_path: Path, change: dict[str, np.ndarray | None], sentence: str
) -> None:
    weights = {**mean_weights(), **change}
    bundle = load_bundle(with_weights(tmp_path / "b", {k: v for k, v in weights.items() if v is not None}))
    with pytest.raises(BundleError, match=sentence):
        load_predictor(bundle, "cpu")


def test_a_config_of_wrong_type_is_refused_when_the_network_is_built(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "b")
    rewrite(tmp_path / "b", put("networks", "classifier", "config", "widths", value="wide"))
    with pytest.raises(BundleError, match=r"widths must be a list, not a text"):
        load_predictor(load_bundle(tmp_path / "b"), "cpu")


def test_weights_changed_after_loading_are_not_run(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "b")
    save_file(mean_weights(2.0), str(bundle.weights))
    with pytest.raises(BundleError, match="changed since the bundle was loaded"):
        load_predictor(bundle, "cpu")
    with pytest.raises(BundleError, match="was changed"):
        verify(bundle)


def test_the_highest_version_of_a_name_wins_and_numbers_are_not_sorted_as_text(tmp_path: Path) -> None:
    for folder, version in (("a", "1.9.0"), ("b", "1.10.0"), ("c", "1.2.3")):
        tiny_bundle(tmp_path / folder, model_version=version)
    shelf = find_bundles([tmp_path])
    assert [bundle.version for bundle in shelf.bundles] == ["1.10.0"]
    assert shelf.refused == ()


def test_a_name_that_a_shipped_bundle_has_is_refused_and_broken_ones_do_not_stop_the_rest(
    tmp_path: Path,
) -> None:
    shipped, user = tmp_path / "shipped", tmp_path / "user"
    tiny_bundle(shipped / "tiny-mean")
    tiny_bundle(user / "mine", model_version="9.0.0")
    tiny_bundle(user / "other", name="other")
    (user / "broken").mkdir()
    (user / "broken" / "bundle.json").write_text("{")
    (user / "holiday-photos").mkdir()
    shelf = find_bundles([shipped, user, tmp_path / "not-there"])
    assert [(b.name, b.version, b.shipped) for b in shelf.bundles] == [
        ("other", "1.0.0", False),
        ("tiny-mean", "1.0.0", True),
    ]
    reasons = {refused.folder.name: refused.reason for refused in shelf.refused}
    assert set(reasons) == {"mine", "broken"}
    assert "a model named tiny-mean comes with Mammoview" in reasons["mine"]
    assert "is not JSON" in reasons["broken"]
    assert shelf.get("other").name == "other"
    with pytest.raises(BundleError, match="no model named nothing; installed: other, tiny-mean"):
        shelf.get("nothing")
    with pytest.raises(BundleError, match="is not JSON"):
        shelf.get("broken")


def test_installing_copies_only_listed_files(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "download")
    (tmp_path / "download" / ".DS_Store").write_bytes(b"x")
    installed = install(tmp_path / "download", tmp_path / "user", shipped=tmp_path / "none")
    assert installed.folder == tmp_path / "user" / "tiny-mean"
    assert [b.name for b in find_bundles([tmp_path / "none", tmp_path / "user"]).bundles] == ["tiny-mean"]
    assert sorted(entry.name for entry in installed.folder.iterdir()) == [
        "MODEL_CARD.md",
        "bundle.json",
        "metrics.json",
        "weights.safetensors",
    ]
    assert [entry.name for entry in (tmp_path / "user").iterdir()] == ["tiny-mean"]


def test_a_shipped_name_and_an_older_version_are_not_installed(tmp_path: Path) -> None:
    user = tmp_path / "user"
    tiny_bundle(tmp_path / "shipped" / "x")
    tiny_bundle(tmp_path / "new", name="mine", model_version="2.0.0")
    tiny_bundle(tmp_path / "old", name="mine", model_version="1.0.0")
    tiny_bundle(tmp_path / "clash")
    shipped = tmp_path / "shipped"
    with pytest.raises(BundleError, match="comes with Mammoview"):
        install(tmp_path / "clash", user, shipped=shipped)
    install(tmp_path / "new", user, shipped=shipped)
    with pytest.raises(BundleError, match=r"version 2.0.0 of mine, which is newer, is installed"):
        install(tmp_path / "old", user, shipped=shipped)
    assert load_bundle(user / "mine").version == "2.0.0"


def test_a_broken_bundle_is_not_installed(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "b")
    (tmp_path / "b" / "a.pt").write_bytes(b"")
    with pytest.raises(BundleError, match="pickle"):
        install(tmp_path / "b", tmp_path / "user", shipped=tmp_path / "none")
    assert not (tmp_path / "user").exists()


def test_removing_takes_every_version_of_the_name_and_nothing_else(tmp_path: Path) -> None:
    user = tmp_path / "user"
    tiny_bundle(user / "one")
    tiny_bundle(user / "two", model_version="2.0.0")
    tiny_bundle(user / "other", name="other")
    remove("tiny-mean", user, shipped=tmp_path / "none")
    assert [entry.name for entry in user.iterdir()] == ["other"]
    with pytest.raises(BundleError, match="no model named tiny-mean"):
        remove("tiny-mean", user, shipped=tmp_path / "none")


def test_a_shipped_bundle_cannot_be_removed(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "shipped" / "x")
    with pytest.raises(BundleError, match="cannot be removed"):
        remove("tiny-mean", tmp_path / "user", shipped=tmp_path / "shipped")
    assert (tmp_path / "shipped" / "x" / "bundle.json").exists()


@pytest.mark.parametrize("name", ["..", "../outside", "/etc", "", ".", "a/b", "A", "a--b", "-a"])
def test_removing_never_leaves_the_users_folder(tmp_path: Path, name: str) -> None:
    tiny_bundle(tmp_path / "outside")
    (tmp_path / "user").mkdir()
    with pytest.raises(BundleError, match="is not a bundle name"):
        remove(name, tmp_path / "user", shipped=tmp_path / "none")
    assert (tmp_path / "outside" / "bundle.json").exists()


def test_removing_a_linked_bundle_removes_the_link_only(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "elsewhere")
    (tmp_path / "user").mkdir()
    os.symlink(tmp_path / "elsewhere", tmp_path / "user" / "tiny-mean")
    remove("tiny-mean", tmp_path / "user", shipped=tmp_path / "none")
    assert list((tmp_path / "user").iterdir()) == []
    assert (tmp_path / "elsewhere" / "weights.safetensors").exists()


def test_bundle_json_says_what_docs_bundles_says(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "bundles.md").read_text()
    content = json.loads((tiny_bundle(tmp_path / "b").folder / "bundle.json").read_text())

    def names(value: object) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*(names(item) for item in value.values()), set())
        return set()

    words = re.findall(r'`\w+`|"\w+"', page)
    content.pop("files")
    content["networks"]["classifier"]["config"] = {}
    assert {name for name in names(content) if not {f"`{name}`", f'"{name}"'} & set(words)} == set()


def test_files_are_amended_and_sealed_anew_and_the_weights_are_not(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "b")
    first = amend(bundle, {"index.safetensors": b"vectors"})
    after = amend(first, {"metrics.json": b'{"explanations": {}}\n'})
    assert after.metrics == {"explanations": {}}
    assert (after.folder / "index.safetensors").read_bytes() == b"vectors", "what was added before stays"
    assert after.spec.files["weights.safetensors"] == bundle.spec.files["weights.safetensors"]
    assert load_bundle(bundle.folder).spec == after.spec
    with pytest.raises(BundleError, match="not replaced alone"):
        amend(after, {"weights.safetensors": b""})
    with pytest.raises(BundleError, match="not JSON"):
        amend(after, {"metrics.json": b"{"})
    assert load_bundle(bundle.folder).metrics == {"explanations": {}}, "refused as a whole"
    (after.folder / "MODEL_CARD.md").write_text("changed")
    with pytest.raises(BundleError, match="was changed"):
        amend(after, {"metrics.json": b"{}"})
