"""The reader's work as items of the store: a name and a text (JSON) each, read back strictly.

``annotation/<uid>``, ``key-image/<SOP Instance UID>/<frame>``, ``report``, ``read``. Names are quoted as in a
URL, so that any identity fits. What cannot be read back is noted and passed over; the store keeps it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from functools import lru_cache
from typing import Any, Final, get_args
from urllib.parse import quote, unquote

from app.core.reading.annotations import Annotation, Decision, Proposal
from app.core.reading.work import KeyImage, Work

REPORT: Final = "report"
READ: Final = "read"
_ANNOTATION: Final = "annotation/"
_KEY_IMAGE: Final = "key-image/"
_FIELDS: Final = frozenset(each.name for each in fields(Annotation))
_PROPOSAL_FIELDS: Final = frozenset(each.name for each in fields(Proposal))


def annotation_item(uid: str) -> str:
    """Return the name of an annotation's item."""
    return _ANNOTATION + _quoted(uid)


def key_image_item(key: KeyImage) -> str:
    """Return the name of a key image's item."""
    return f"{_KEY_IMAGE}{_quoted(key[0])}/{key[1]}"


def annotation_of(item: str) -> str | None:
    """Return the uid of the annotation that an item is, or None where it is something else."""
    return _unquoted(item.removeprefix(_ANNOTATION)) if item.startswith(_ANNOTATION) else None


def annotation_text(annotation: Annotation) -> str:
    """Return an annotation as JSON text, all fields by name; `read_annotation` gives it back."""
    data = asdict(annotation)
    data["points"] = [[float(row), float(col)] for row, col in annotation.points]
    if annotation.proposal is not None:
        data["proposal"]["score"] = float(annotation.proposal.score)
        data["proposal"]["calibrated"] = bool(annotation.proposal.calibrated)
        data["proposal"]["box"] = [float(edge) for edge in annotation.proposal.box]
    return _text(data)


@lru_cache(maxsize=4096)
def read_annotation(text: str) -> Annotation:
    """Return the annotation of a JSON text.

    Raises
    ------
    ValueError
        For anything that `annotation_text` would not have written.
    """
    data = _object(text, _FIELDS)
    points = tuple(_numbers(point, 2) for point in _list(data["points"]))
    if data["decision"] not in (None, *get_args(Decision)):
        raise ValueError("the decision is none")
    return Annotation(
        uid=_filled(data["uid"]),
        image=_string(data["image"]),
        frame=_frame(data["frame"]),
        kind=_string(data["kind"]),  # type: ignore[arg-type] # Annotation looks at it
        points=tuple((point[0], point[1]) for point in points),
        text=_string(data["text"]),
        proposal=None if data["proposal"] is None else _proposal(data["proposal"]),
        decision=data["decision"],
        reader=_string(data["reader"]),
        made=_string(data["made"]),
    )


def mark_text(reader: str, made: str) -> str:
    """Return the text of a read mark or a key image: who, and when (ISO 8601, UTC)."""
    return _text({"reader": reader, "made": made})


def read_report(text: str) -> str:
    """Return a report's text, which is a JSON object.

    Raises
    ------
    ValueError
        Where it is not.
    """
    if not isinstance(_loaded(text), dict):
        raise ValueError("it is no JSON object")
    return text


def work_of(study: str, items: Mapping[str, str | None]) -> tuple[Work, tuple[str, ...]]:
    """Return the work on a study from its items, and a clause on each that could not be read.

    Parameters
    ----------
    items
        Texts by name, in the order first made; None: deleted.
    """
    annotations: list[Annotation] = []
    chosen: list[tuple[str, KeyImage]] = []
    report, read, notes = "", False, []
    for item, text in items.items():
        if text is None:
            continue
        try:
            if item.startswith(_ANNOTATION):
                annotations.append(_of_name(item, text))
            elif item.startswith(_KEY_IMAGE):
                chosen.append((_when(text), _key_image(item)))
            elif item == REPORT:
                report = read_report(text)
            elif item == READ:
                _when(text)
                read = True
            else:
                raise ValueError("this version does not know it")
        except (ValueError, OverflowError, RecursionError) as error:
            notes.append(f"{item.split('/')[0]}: {error}")
    keys = tuple(key for _, key in sorted(chosen, key=lambda each: each[0]))
    return Work(study, tuple(annotations), keys, report, read), tuple(notes)


def _of_name(item: str, text: str) -> Annotation:
    annotation = read_annotation(text)
    if annotation_item(annotation.uid) != item:
        raise ValueError("its name is not its own")
    return annotation


def _key_image(item: str) -> KeyImage:
    image, _, frame = item.removeprefix(_KEY_IMAGE).rpartition("/")
    if not (frame.isascii() and frame.isdigit()):
        raise ValueError("it names no frame")
    return _unquoted(image), int(frame)


def _when(text: str) -> str:
    data = _object(text, frozenset({"reader", "made"}))
    _string(data["reader"])
    return _string(data["made"])


def _proposal(value: Any) -> Proposal:
    data = _known(value, _PROPOSAL_FIELDS)
    if not isinstance(data["calibrated"], bool):
        raise ValueError("calibrated is neither true nor false")
    box = _numbers(data["box"], 4)
    return Proposal(
        model=_string(data["model"]),
        version=_string(data["version"]),
        label=_string(data["label"]),
        score=_numbers([data["score"]], 1)[0],
        calibrated=data["calibrated"],
        box=(box[0], box[1], box[2], box[3]),
    )


def _text(data: Any) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _loaded(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number, object_pairs_hook=_each_once)
    except json.JSONDecodeError as error:
        raise ValueError("it is no JSON") from error


def _object(text: str, names: frozenset[str]) -> dict[str, Any]:
    return _known(_loaded(text), names)


def _known(value: Any, names: frozenset[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != names:
        raise ValueError("it does not have the fields it should")
    return value


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise ValueError("a field is there twice")
    return data


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is none")
    return value


def _filled(value: Any) -> str:
    if not _string(value):
        raise ValueError("it has no identity")
    return str(value)


def _frame(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("the frame is no number from 0")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("a list is none")
    return value


def _numbers(value: Any, count: int) -> tuple[float, ...]:
    """Return a list of so many finite numbers."""
    found = _list(value)
    if len(found) != count or not all(
        type(each) in (int, float) and abs(each) < float("inf") for each in found
    ):
        raise ValueError(f"{count} numbers are not there")
    return tuple(float(each) for each in found)


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")


def _unquoted(text: str) -> str:
    return unquote(text, errors="surrogatepass")
