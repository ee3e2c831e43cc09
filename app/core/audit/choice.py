"""How a case came to be read, as items of the reader's store: the strategy bends the set that is curated.

Items of the pseudo-study `app.core.audit.verdicts.AUDIT`, one for each image; the log keeps earlier choices.
They belong to no reader's undo history: a choice that was made is not unmade.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, Final
from urllib.parse import quote

from app.core.audit.verdicts import AUDIT
from app.core.reading.history import Change, Edit

_CHOSEN: Final = "chosen/"


@dataclass(frozen=True, slots=True)
class Chosen:
    """One case that was offered.

    Attributes
    ----------
    image
        Identity of the image, as `app.core.audit.verdicts.identity` makes it.
    image_id, patient_id
        Of the manifest.
    strategy, value, rank, of, seed, threshold
        See `app.core.audit.next_case`; `rank` from 1 among those offered at once, out of a pool of `of`.
    models
        ``name version`` of those whose scores or embeddings were used.
    frozen
        Hash of the splits whose test patients were kept out, or empty.
    reader, made
        Who asked for it, and when (ISO 8601, UTC).
    """

    image: str
    image_id: str
    patient_id: str
    strategy: str
    value: float
    rank: int
    of: int
    seed: int
    threshold: float | None
    models: tuple[str, ...]
    frozen: str
    reader: str
    made: str


_FIELDS: Final = frozenset(each.name for each in fields(Chosen))


def chosen_item(image: str) -> str:
    """Return the name of the item that says how an image was chosen."""
    return _CHOSEN + quote(image, safe="")


def is_chosen(item: str) -> bool:
    """Tell whether an item says how an image was chosen."""
    return item.startswith(_CHOSEN)


def chosen_text(chosen: Chosen) -> str:
    """Return a choice as JSON text; `read_chosen` gives it back."""
    return json.dumps(asdict(chosen), sort_keys=True, separators=(",", ":"), allow_nan=False)


def read_chosen(text: str) -> Chosen:
    """Return the choice of a JSON text.

    Raises
    ------
    ValueError
        For anything that `chosen_text` would not have written.
    """
    data: Any = json.loads(text)
    if not isinstance(data, dict) or set(data) != _FIELDS or not isinstance(data["models"], list):
        raise ValueError("it does not have the fields it should")
    return Chosen(**{**data, "models": tuple(str(each) for each in data["models"])})


def choosing(chosen: Iterable[Chosen], items: dict[str, str | None]) -> tuple[Change, ...]:
    """Return the changes that record choices, to be committed one by one.

    Parameters
    ----------
    items
        The items of `AUDIT` as they are in the store now.
    """
    changes = []
    for each in chosen:
        item = chosen_item(each.image)
        edit = Edit(item, items.get(item), chosen_text(each))
        label = f"{each.strategy}: case {each.rank} offered"
        changes.append(Change(AUDIT, label, (edit,), "", each.reader, each.made))
    return tuple(changes)
