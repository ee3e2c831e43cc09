"""What bundle.json says, typed and checked: see docs/bundles.md for every field.

Reading is strict: an unknown field, a wrong type or a value out of range is refused with one
sentence that names it, because a field that is silently ignored changes what a model answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any, Literal, cast

from model_zoo.aggregation import Aggregation as Aggregation
from model_zoo.aggregation import ClassPooling as ClassPooling
from model_zoo.aggregation import Pooling as Pooling
from model_zoo.aggregation import Space as Space
from model_zoo.aggregation import ViewScore as ViewScore
from model_zoo.aggregation import read_aggregation
from model_zoo.architectures import architecture_names, role_of
from model_zoo.calibration import Calibration, read_calibration
from model_zoo.descriptors import Descriptors, read_descriptors
from model_zoo.errors import BundleError
from model_zoo.fields import Fields
from model_zoo.outputs import ClassOutputs as ClassOutputs
from model_zoo.outputs import Outputs as Outputs
from model_zoo.outputs import Score as Score
from model_zoo.outputs import Unit as Unit
from model_zoo.outputs import read_outputs
from model_zoo.preprocess import Preprocess, read_preprocess
from model_zoo.suitability import Domain, Views, read_domain, read_views

FORMAT = "mammoview-bundle"
FORMAT_VERSION = 1

Task = Literal["classification", "detection", "classification+detection", "descriptors"]

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_NAME_RULE = "small letters, digits and single hyphens between them, at most 64"
_VERSION = re.compile(r"(?:0|[1-9]\d{0,5})(?:\.(?:0|[1-9]\d{0,5})){2}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ROLES = {
    "classification": {"classifier"},
    "detection": {"detector"},
    "classification+detection": {"classifier", "detector"},
    "descriptors": set[str](),
}


@dataclass(frozen=True, slots=True)
class Network:
    """One network of a bundle; its tensors are prefixed with its role and a dot in weights.safetensors."""

    architecture: str
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Detection:
    """How boxes become findings.

    Attributes
    ----------
    score_threshold
        Boxes that score less are left out.
    nms_iou
        Of two boxes of one label that overlap more than this, the better one stays.
    max_per_view
        At most so many findings per view, the best first.
    """

    score_threshold: float = 0.05
    nms_iou: float = 0.3
    max_per_view: int = 20


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold on the score and what it means, for example ``90 % specificity on MIAS normals``."""

    name: str
    threshold: float
    meaning: str


@dataclass(frozen=True, slots=True)
class Licence:
    """The licence's name, and whether use is for research only."""

    name: str
    use: Literal["research", "any"]


@dataclass(frozen=True, slots=True)
class BundleSpec:
    """Everything that bundle.json says.

    Attributes
    ----------
    networks
        By role: ``classifier``, ``detector``; none for the task ``descriptors``.
    descriptors
        The words that a model of the task ``descriptors`` takes; None for all others. `preprocess`,
        `views`, `aggregation`, `detection`, `calibration` and all of `domain` but its sentence are of
        images: with ``descriptors`` they stand at rest and are not in bundle.json.
    negatives
        Scores of negatives at evenly spaced quantiles, rising; for the percentile among negatives.
    metrics
        Short numbers for the reader: name to value, low, high and a note; metrics.json is complete.
    split_hash
        The hash in the splits.json that trained it; empty for one trained without.
    files
        sha256 by file name, of every file but bundle.json.
    """

    name: str
    model_version: str
    task: Task
    networks: Mapping[str, Network]
    preprocess: Preprocess
    views: Views
    outputs: Outputs
    aggregation: Aggregation
    calibration: Calibration
    domain: Domain
    licence: Licence
    detection: Detection = field(default_factory=Detection)
    operating_points: tuple[OperatingPoint, ...] = ()
    negatives: tuple[float, ...] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    split_hash: str = ""
    title: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    descriptors: Descriptors | None = None

    @property
    def reads_images(self) -> bool:
        """False for a model that is told descriptors and looks at no image."""
        return self.descriptors is None

    @property
    def release(self) -> tuple[int, int, int]:
        """The version as three numbers that sort."""
        major, minor, patch = (int(part) for part in self.model_version.split("."))
        return major, minor, patch

    def to_json(self) -> dict[str, Any]:
        """Return the content of bundle.json."""
        return {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "name": self.name,
            "model_version": self.model_version,
            "title": self.title,
            "task": self.task,
            **(self._of_images() if self.descriptors is None else self._of_descriptors(self.descriptors)),
            "outputs": self.outputs.to_json(),
            "operating_points": [asdict(point) for point in self.operating_points],
            "negatives": list(self.negatives),
            "metrics": dict(self.metrics),
            "split_hash": self.split_hash,
            "licence": asdict(self.licence),
            "files": dict(self.files),
        }

    def _of_images(self) -> dict[str, Any]:
        return {
            "networks": {
                role: {"architecture": net.architecture, "config": dict(net.config)}
                for role, net in self.networks.items()
            },
            "preprocess": self.preprocess.to_json(),
            "views": self.views.to_json(),
            "detection": asdict(self.detection),
            "aggregation": self.aggregation.to_json(),
            "calibration": self.calibration.to_json(),
            "domain": self.domain.to_json(),
        }

    def _of_descriptors(self, words: Descriptors) -> dict[str, Any]:
        return {"descriptors": words.to_json(), "domain": {"trained_on": self.domain.trained_on}}


def check_name(name: str) -> str:
    """Return a bundle name; `BundleError` unless it is small letters, digits and single hyphens."""
    if not _is_name(name):
        raise BundleError(f"{name!r} is not a bundle name: {_NAME_RULE}")
    return name


def _is_name(name: str) -> bool:
    return len(name) <= 64 and _NAME.fullmatch(name) is not None


def read_spec(where: str, value: object) -> BundleSpec:
    """Return the typed content of bundle.json.

    Parameters
    ----------
    where
        The bundle as the sentences name it (its folder).
    value
        What json.loads gave.

    Raises
    ------
    BundleError
        One sentence on the first thing that is wrong.
    """
    top = Fields(where, value)
    _check_format(top)
    name, version = top.text("name"), top.text("model_version")
    if not _is_name(name):
        raise top.error("name", f"{name!r} is not a bundle name: {_NAME_RULE}")
    if not _VERSION.fullmatch(version):
        raise top.error("model_version", f"must be like 1.2.3, not {version!r}")
    task = cast(Task, top.choice("task", tuple(_ROLES)))
    blocks = _descriptor_blocks(top) if task == "descriptors" else _image_blocks(top, task)
    spec = BundleSpec(
        name=name,
        model_version=version,
        task=task,
        outputs=read_outputs(top.fields("outputs"), task),
        licence=_licence(top.fields("licence")),
        operating_points=tuple(_operating_point(item) for item in top.each("operating_points", [])),
        negatives=top.numbers("negatives", [], low=0.0, high=1.0),
        metrics=top.mapping("metrics", {}),
        split_hash=top.text("split_hash", "", empty=True),
        title=top.text("title", "", empty=True),
        files=_files(top),
        **blocks,
    )
    if any(b < a for a, b in pairwise(spec.negatives)):
        raise top.error("negatives", "must never fall")
    _check_classes(top, spec)
    top.finish()
    return spec


def _check_classes(top: Fields, spec: BundleSpec) -> None:
    """Refuse classes that the classifier has no outputs for, and a pooling of classes that are not there."""
    classes = spec.outputs.classes
    if classes is None:
        if spec.aggregation.classes != "own":
            raise top.error("aggregation", "pools classes, but outputs names none")
        return
    count = spec.networks["classifier"].config.get("outputs", 1)
    if count != 1 + len(classes.names):
        raise top.error(
            "outputs",
            f"names {len(classes.names)} classes, so the classifier needs outputs = "
            f"{1 + len(classes.names)} (its score and the classes), not {count}",
        )


def _image_blocks(top: Fields, task: Task) -> dict[str, Any]:
    """Return the fields of a specification that only a model of images has."""
    networks = _networks(top.fields("networks"), task)
    calibration = read_calibration(top.fields("calibration"))
    return {
        "networks": networks,
        "preprocess": read_preprocess(top.fields("preprocess")),
        "views": read_views(top.fields("views")),
        "aggregation": read_aggregation(top.fields("aggregation"), networks, calibration),
        "calibration": calibration,
        "domain": read_domain(top.fields("domain")),
        "detection": _detection(top.fields("detection", {})),
    }


def _descriptor_blocks(top: Fields) -> dict[str, Any]:
    """Return the same fields for a model of descriptors: its words, and the image's at rest."""
    domain = top.fields("domain")
    trained_on = domain.text("trained_on")
    domain.finish()
    return at_rest(trained_on) | {"descriptors": read_descriptors(top.fields("descriptors"))}


def at_rest(trained_on: str) -> dict[str, Any]:
    """Return what stands in the fields of images where there are none."""
    return {
        "networks": {},
        "preprocess": Preprocess(),
        "views": Views((), ()),
        "aggregation": Aggregation("classifier", "logit"),
        "calibration": Calibration(),
        "domain": Domain((), (), 1, 1, True, trained_on),
    }


def _check_format(top: Fields) -> None:
    if top.text("format") != FORMAT:
        raise top.error("format", f"must be {FORMAT!r}, not {top.text('format')!r}")
    version = top.whole("version", low=0, high=10**6)
    if version > FORMAT_VERSION:
        raise BundleError(
            f"{top.where} is of a newer format ({version}) than this Mammoview reads ({FORMAT_VERSION})"
        )
    if version < 1:
        raise top.error("version", f"must be {FORMAT_VERSION}, not {version}")


def _networks(fields: Fields, task: Task) -> dict[str, Network]:
    networks: dict[str, Network] = {}
    for role in ("classifier", "detector"):
        if role not in fields:
            continue
        item = fields.fields(role)
        known = architecture_names()
        name = item.text("architecture")
        if name not in known:
            raise item.error("architecture", f"{name!r} is not known here; known are {', '.join(known)}")
        if role_of(name) != role:
            raise item.error("architecture", f"{name!r} is a {role_of(name)}, not a {role}")
        networks[role] = Network(name, item.mapping("config", {}))
        item.finish()
    fields.finish()
    if set(networks) != _ROLES[task]:
        raise BundleError(f"{fields.where} must name a {' and a '.join(sorted(_ROLES[task]))} for {task}")
    return networks


def _detection(fields: Fields) -> Detection:
    block = Detection(
        fields.number("score_threshold", 0.05, low=0.0, high=1.0),
        fields.number("nms_iou", 0.3, low=0.0, high=1.0),
        fields.whole("max_per_view", 20, low=1, high=1000),
    )
    fields.finish()
    return block


def _operating_point(fields: Fields) -> OperatingPoint:
    point = OperatingPoint(
        fields.text("name"), fields.number("threshold", low=0.0, high=1.0), fields.text("meaning")
    )
    fields.finish()
    return point


def _licence(fields: Fields) -> Licence:
    use = cast(Literal["research", "any"], fields.choice("use", ("research", "any")))
    licence = Licence(fields.text("name"), use)
    fields.finish()
    return licence


def _files(top: Fields) -> dict[str, str]:
    files = top.mapping("files")
    for name, digest in files.items():
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise top.error("files", f"must give the sha256 of {name!r} as 64 hexadecimal digits")
    return cast(dict[str, str], files)
