"""Typed reading of JSON objects: each wrong field is one sentence that names it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from model_zoo.errors import BundleError

T = TypeVar("T")
_REQUIRED: Any = object()


class Fields:
    """A JSON object read field by field.

    Parameters
    ----------
    where
        Where the object stands, as the sentences name it, for example ``phantom-lesions: preprocess``.
    value
        What json.loads gave; anything but an object raises `BundleError`.
    """

    def __init__(self, where: str, value: object) -> None:
        self.where = where
        if not isinstance(value, Mapping):
            raise BundleError(f"{where} must be an object, not {_kind(value)}")
        self._value = value
        self._seen: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._value

    def finish(self) -> None:
        """Refuse fields that nothing asked for: a misspelt field must not be ignored in silence."""
        unknown = sorted(str(name) for name in self._value if name not in self._seen)
        if unknown:
            raise self.error(unknown[0], "is not a field of this format")

    def error(self, name: str, reason: str) -> BundleError:
        """Return the error for one field."""
        return BundleError(f"{self.where}: {name} {reason}")

    def raw(self, name: str, default: Any = _REQUIRED) -> Any:
        """Return the value as it stands; a missing field without default is refused."""
        self._seen.add(name)
        if name not in self._value:
            if default is _REQUIRED:
                raise self.error(name, "is missing")
            return default
        return self._value[name]

    def text(self, name: str, default: Any = _REQUIRED, *, empty: bool = False) -> str:
        """Return a string; an empty one is refused unless `empty`."""
        value = self.raw(name, default)
        if not isinstance(value, str):
            raise self.error(name, f"must be a text, not {_kind(value)}")
        if not value.strip() and not empty:
            raise self.error(name, "must not be empty")
        return value

    def choice(self, name: str, among: tuple[str, ...], default: Any = _REQUIRED) -> str:
        """Return one of the given words."""
        value = self.text(name, default)
        if value not in among:
            raise self.error(name, f"must be one of {', '.join(among)}, not {value!r}")
        return value

    def flag(self, name: str, default: Any = _REQUIRED) -> bool:
        """Return true or false."""
        value = self.raw(name, default)
        if not isinstance(value, bool):
            raise self.error(name, f"must be true or false, not {_kind(value)}")
        return value

    def number(
        self,
        name: str,
        default: Any = _REQUIRED,
        *,
        low: float = -math.inf,
        high: float = math.inf,
    ) -> float:
        """Return a finite number in [low, high]."""
        return _number(self, name, self.raw(name, default), low, high)

    def whole(self, name: str, default: Any = _REQUIRED, *, low: int, high: int) -> int:
        """Return a whole number in [low, high]."""
        value = self.raw(name, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.error(name, f"must be a whole number, not {_kind(value)}")
        if not low <= value <= high:
            raise self.error(name, f"must lie in {low} to {high}, not be {value}")
        return value

    def maybe(self, name: str, read: Callable[[str], T]) -> T | None:
        """Return what `read` makes of the field, or None where it is null or missing."""
        return None if self.raw(name, None) is None else read(name)

    def texts(self, name: str, default: Any = _REQUIRED, *, among: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return a list of distinct, non-empty strings (each of `among`, if that is given)."""
        value = self.raw(name, default)
        if not isinstance(value, list | tuple):
            raise self.error(name, f"must be a list, not {_kind(value)}")
        for item in value:
            if not isinstance(item, str) or not item.strip():
                raise self.error(name, "must hold texts only, none empty")
            if among and item not in among:
                raise self.error(name, f"may hold {', '.join(among)}, not {item!r}")
        if len(set(value)) != len(value):
            raise self.error(name, "names something twice")
        return tuple(value)

    def numbers(
        self, name: str, default: Any = _REQUIRED, *, low: float = -math.inf, high: float = math.inf
    ) -> tuple[float, ...]:
        """Return a list of finite numbers, each in [low, high]."""
        value = self.raw(name, default)
        if not isinstance(value, list | tuple):
            raise self.error(name, f"must be a list, not {_kind(value)}")
        return tuple(_number(self, name, item, low, high) for item in value)

    def fields(self, name: str, default: Any = _REQUIRED) -> Fields:
        """Return a nested object as `Fields`."""
        return Fields(f"{self.where}: {name}", self.raw(name, default))

    def each(self, name: str, default: Any = _REQUIRED) -> tuple[Fields, ...]:
        """Return a list of nested objects."""
        value = self.raw(name, default)
        if not isinstance(value, list | tuple):
            raise self.error(name, f"must be a list, not {_kind(value)}")
        return tuple(Fields(f"{self.where}: {name} {i + 1}", item) for i, item in enumerate(value))

    def mapping(self, name: str, default: Any = _REQUIRED) -> dict[str, Any]:
        """Return an object as a plain dictionary, unread."""
        value = self.raw(name, default)
        if not isinstance(value, Mapping):
            raise self.error(name, f"must be an object, not {_kind(value)}")
        return dict(value)


def _number(fields: Fields, name: str, value: object, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise fields.error(name, f"must be a number, not {_kind(value)}")
    if not math.isfinite(value) or not low <= value <= high:
        raise fields.error(name, f"must lie in {low:g} to {high:g}, not be {value:g}")
    return float(value)


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else type(value).__name__)
