"""Every mark comes back from its text as it was; a bad text is noted and harms nothing else."""

from __future__ import annotations

import json
import math
import random
import sys
from dataclasses import fields, replace
from typing import get_args

import pytest

from app.core.reading.annotations import POINTS, Annotation, Decision, Kind, Proposal
from app.core.reading.items import (
    annotation_item,
    annotation_of,
    annotation_text,
    key_image_item,
    mark_text,
    read_annotation,
    work_of,
)

WORDS = (
    "",
    "mass",
    'a "quoted" \\ word',
    "Größe, µ, 乳房",
    "line\nbreak\tand \0 nul",
    "\ud800 half a pair",
    "🩻",
)
EDGES = (0.0, -0.0, -0.5, 1e-300, 1e300, 0.1 + 0.2, sys.float_info.max, math.pi, 4095.5)


def any_annotation(chance: random.Random, kind: Kind) -> Annotation:
    """Return a mark of a kind with anything that its types allow."""
    fewest, most = POINTS[kind]
    count = most or chance.randint(fewest, 60)

    def number() -> float:
        return chance.choice((*EDGES, chance.uniform(-1e4, 1e4), chance.random() * 2.0**-30))

    proposal = Proposal(
        chance.choice(WORDS),
        chance.choice(WORDS),
        chance.choice(WORDS),
        chance.random(),
        chance.random() < 0.5,
        (number(), number(), number(), number()),
    )
    return Annotation(
        uid=chance.choice(WORDS) + str(chance.getrandbits(64)),
        image=chance.choice(("1.2.840.113619", "../a/b%2F", *WORDS)),
        frame=chance.randrange(100),
        kind=kind,
        points=tuple((number(), number()) for _ in range(count)),
        text=chance.choice(WORDS),
        proposal=chance.choice((None, proposal)),
        decision=chance.choice((None, *get_args(Decision))),
        reader=chance.choice(WORDS),
        made="2026-11-03T10:41:00+00:00",
    )


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_mark_comes_back_as_it_was(kind: Kind) -> None:
    chance = random.Random(kind)
    for _ in range(200):
        mark = any_annotation(chance, kind)
        text, item = annotation_text(mark), annotation_item(mark.uid)
        assert text.isascii()
        assert item.isascii()
        back = read_annotation(text)
        assert back == mark
        # Equality passes over the sign of zero and the type of a number.
        assert repr(back) == repr(mark)
        assert annotation_of(item) == mark.uid
        work, notes = work_of("s", {item: text})
        assert (work.annotations, notes) == ((mark,), ())


def plain() -> dict[str, object]:
    """Return the fields of a good mark."""
    mark = Annotation(
        "u",
        "1.2",
        0,
        "length",
        ((1.0, 2.0), (3.0, 4.0)),
        proposal=Proposal("m", "1", "mass", 0.5, True, (0, 0, 1, 1)),
    )
    return dict(json.loads(annotation_text(mark)))


BAD = {
    "not JSON": "{",
    "nothing": "",
    "a list": "[]",
    "not a number": json.dumps(plain() | {"points": [[math.nan, 0.0], [1.0, 1.0]]}),
    "infinite": json.dumps(plain() | {"points": [[math.inf, 0.0], [1.0, 1.0]]}),
    "infinite in disguise": json.dumps(plain()).replace("[1.0, 2.0]", "[1e999, 2.0]"),
    "past any float": json.dumps(plain()).replace("[1.0, 2.0]", f"[1{'0' * 400}, 2.0]"),
    "one point": json.dumps(plain() | {"points": [[1.0, 1.0]]}),
    "three coordinates": json.dumps(plain() | {"points": [[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]}),
    "a truth for a number": json.dumps(plain() | {"points": [[True, 1.0], [2.0, 2.0]]}),
    "a text for a number": json.dumps(plain() | {"points": [["1", 1.0], [2.0, 2.0]]}),
    "unknown kind": json.dumps(plain() | {"kind": "scribble"}),
    "kind that cannot be looked up": json.dumps(plain() | {"kind": ["length"]}),
    "unknown decision": json.dumps(plain() | {"decision": "maybe"}),
    "decision that cannot be looked up": json.dumps(plain() | {"decision": {}}),
    "frame below 0": json.dumps(plain() | {"frame": -1}),
    "frame between": json.dumps(plain() | {"frame": 0.5}),
    "frame true": json.dumps(plain() | {"frame": True}),
    "another's name": json.dumps(plain() | {"uid": "v"}),
    "no name": json.dumps(plain() | {"uid": ""}),
    "a field too many": json.dumps(plain() | {"colour": "red"}),
    "a field too few": json.dumps({key: value for key, value in plain().items() if key != "frame"}),
    "a field twice": json.dumps(plain())[:-1] + ', "frame": 1}',
    "a proposal without a box": json.dumps(plain() | {"proposal": {"model": "m"}}),
    "a proposal that is a text": json.dumps(plain() | {"proposal": "m"}),
    "far too deep": "[" * 100_000,
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_a_bad_mark_is_noted_and_the_others_are_read(text: str) -> None:
    good = json.dumps(plain())
    assert work_of("s", {"annotation/u": good})[1] == ()
    items = {"annotation/u": text, "read": mark_text("Dr Roe", "2026"), "report": '{"density": "b"}'}
    work, notes = work_of("s", items)
    assert work.annotations == ()
    assert (work.read, work.report) == (True, '{"density": "b"}')
    assert len(notes) == 1


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ("report", "density b"),
        ("report", "[]"),
        ("read", "true"),
        ("key-image/1.2/first", mark_text("", "2026")),
        ("key-image/1.2/-1", mark_text("", "2026")),
        ("key-image/1.2/0", "{}"),
        ("verdict", "{}"),
        ("", ""),
    ],
)
def test_other_bad_items_are_noted_too(item: str, text: str) -> None:
    work, notes = work_of("s", {item: text})
    assert (work.key_images, work.report, work.read) == ((), "", False)
    assert len(notes) == 1


def test_key_images_come_in_the_order_in_which_they_were_chosen() -> None:
    items = {
        key_image_item(("1.2", 0)): mark_text("", "2026-11-03T10:00:03.000000+00:00"),
        key_image_item(("a/b\ud800", 7)): mark_text("", "2026-11-03T10:00:01.000000+00:00"),
        key_image_item(("1.3", 0)): None,
    }
    assert work_of("s", items)[0].key_images == (("a/b\ud800", 7), ("1.2", 0))


def test_what_was_deleted_is_not_there() -> None:
    assert work_of("s", {"annotation/u": None, "report": None, "read": None}) == (
        replace(work_of("s", {})[0]),
        (),
    )


def test_the_text_names_every_field_of_a_mark() -> None:
    assert set(plain()) == {each.name for each in fields(Annotation)}
