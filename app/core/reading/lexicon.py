"""The words of a report as versioned data: the JSON files of ``resources/lexicons``.

One file is one lexicon, known by its name; a report keeps the name of the lexicon it was written
under. All texts are our own. Fields::

    {
      "format": "mammoview-lexicon", "version": 1,    always; of this format
      "name": "birads-5",                             the file's stem
      "title": "...",
      "density": [TERM, ...],                         TERM: {"code": ..., "text": ...}
      "kinds": [{"code", "text", "groups": [{"code", "text", "terms": [TERM, ...]}]}, ...],
      "associated": [TERM, ...], "depths": [TERM, ...], "regions": [TERM, ...],
      "assessments": [{"code", "text",                by the action called for, the mildest first
                       "calls_for": ...,              that action in words
                       "recommendation": ...,         the sentence proposed
                       "finding": "none|may|must",    whether such a breast has a finding
                       "action": true}],              whether the report must say what to do
      "recommendations": ["...", ...]                 sentences to choose from
    }
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final, Literal

from app.core.errors import MammoviewError, ReadError

FORMAT: Final = "mammoview-lexicon"
VERSION: Final = 1
DEFAULT: Final = "birads-5"
"""The lexicon of a new report."""

FindingRule = Literal["none", "may", "must"]


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the lexicon: `code` is what a report keeps, `text` what the reader sees."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Group:
    """Descriptors of which a finding has one, for example the margin of a mass."""

    code: str
    text: str
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a finding is, and what is said of it."""

    code: str
    text: str
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """One category; see the module for the meaning of each field."""

    code: str
    text: str
    calls_for: str
    recommendation: str
    finding: FindingRule
    action: bool


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All words of one edition; `assessments` are in the order of the action that they call for."""

    name: str
    title: str
    density: tuple[Term, ...]
    kinds: tuple[Kind, ...]
    associated: tuple[Term, ...]
    depths: tuple[Term, ...]
    regions: tuple[Term, ...]
    assessments: tuple[Assessment, ...]
    recommendations: tuple[str, ...]

    def kind(self, code: str) -> Kind | None:
        """Return the kind of finding of that code, or None."""
        return next((kind for kind in self.kinds if kind.code == code), None)

    def assessment(self, code: str) -> Assessment | None:
        """Return the category of that code, or None."""
        return next((each for each in self.assessments if each.code == code), None)


def text_of(terms: tuple[Term, ...], code: str) -> str:
    """Return the words for a code; a code that the lexicon lacks stands for itself."""
    return next((term.text for term in terms if term.code == code), code)


@lru_cache(maxsize=8)
def load_lexicon(name: str = DEFAULT) -> Lexicon:
    """Return one of the lexicons shipped with Mammoview.

    Raises
    ------
    MammoviewError
        Where there is none of that name, or its file is wrong.
    """
    if not name.replace("-", "").isalnum():
        raise MammoviewError(f"{name!r} is no lexicon")
    with as_file(files("resources").joinpath("lexicons", f"{name}.json")) as path:
        if not path.exists():
            raise MammoviewError(f"the lexicon {name} is not part of this version of Mammoview")
        return read_lexicon(path)


def read_lexicon(path: Path) -> Lexicon:
    """Read and check one lexicon.

    Raises
    ------
    ReadError
        When the file cannot be read, is no JSON or breaks the schema; names file and reason.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReadError(path, error.strerror or "cannot be read") from error
    except ValueError as error:
        raise ReadError(path, f"is not a JSON file ({error})") from error
    try:
        lexicon = _lexicon(data)
        if lexicon.name != path.stem:
            raise _WrongError(f"its name {lexicon.name!r} is not the file's own")
    except _WrongError as error:
        raise ReadError(path, f"is not a lexicon: {error}") from error
    return lexicon


class _WrongError(Exception):
    """A clause on what is wrong in the file being parsed."""


_TERMS: Final = ("density", "associated", "depths", "regions")


def _lexicon(data: Any) -> Lexicon:
    names = {"format", "version", "name", "title", "kinds", "assessments", "recommendations", *_TERMS}
    _keys(data, "the file", names)
    if data["format"] != FORMAT:
        raise _WrongError(f"format is not {FORMAT!r}")
    if data["version"] != VERSION:
        raise _WrongError(f"version {data['version']!r} is not {VERSION}")
    density, associated, depths, regions = (_terms(data[name], name) for name in _TERMS)
    kinds = tuple(_kind(item) for item in _list(data["kinds"], "kinds"))
    assessments = tuple(_assessment(item) for item in _list(data["assessments"], "assessments"))
    _unique([kind.code for kind in kinds], "kinds")
    _unique([each.code for each in assessments], "assessments")
    sentences = _list(data["recommendations"], "recommendations")
    if not all(isinstance(each, str) and each.strip() for each in sentences):
        raise _WrongError("a recommendation is not a text")
    name, title = _text(data, "name", "the file"), _text(data, "title", "the file")
    return Lexicon(name, title, density, kinds, associated, depths, regions, assessments, tuple(sentences))


def _kind(data: Any) -> Kind:
    _keys(data, "a kind", {"code", "text", "groups"})
    where = f"kind {data['code']!r}"
    if not isinstance(data["groups"], list):
        raise _WrongError(f"{where}: groups is not a list")
    groups = []
    for item in data["groups"]:
        _keys(item, f"a group of {where}", {"code", "text", "terms"})
        terms = _terms(item["terms"], f"{where}, {item['code']!r}")
        groups.append(Group(_text(item, "code", where), _text(item, "text", where), terms))
    _unique([group.code for group in groups], where)
    return Kind(_text(data, "code", where), _text(data, "text", where), tuple(groups))


def _assessment(data: Any) -> Assessment:
    texts = ("code", "text", "calls_for", "recommendation")
    _keys(data, "an assessment", {*texts, "finding", "action"})
    where = f"assessment {data['code']!r}"
    if data["finding"] not in ("none", "may", "must"):
        raise _WrongError(f"{where}: finding is not none, may or must")
    if not isinstance(data["action"], bool):
        raise _WrongError(f"{where}: action is not true or false")
    code, text, calls_for, proposed = (_text(data, name, where) for name in texts)
    return Assessment(code, text, calls_for, proposed, data["finding"], data["action"])


def _terms(data: Any, where: str) -> tuple[Term, ...]:
    found = []
    for item in _list(data, where):
        _keys(item, where, {"code", "text"})
        found.append(Term(_text(item, "code", where), _text(item, "text", where)))
    _unique([term.code for term in found], where)
    return tuple(found)


def _unique(codes: list[str], where: str) -> None:
    twice = next((code for code in codes if codes.count(code) > 1), None)
    if twice is not None:
        raise _WrongError(f"{where} has {twice!r} twice")


def _list(data: Any, where: str) -> list[Any]:
    if not isinstance(data, list) or not data:
        raise _WrongError(f"{where} is not a list with at least one entry")
    return data


def _keys(data: Any, where: str, needed: set[str]) -> None:
    if not isinstance(data, dict):
        raise _WrongError(f"{where} is not an object")
    if missing := sorted(needed - set(data)):
        raise _WrongError(f"{where} lacks {missing[0]}")
    if unknown := sorted(set(data) - needed):
        raise _WrongError(f"{where} has an unknown field {unknown[0]}")


def _text(data: dict[str, Any], key: str, where: str) -> str:
    value = data[key]
    if not isinstance(value, str) or not value.strip():
        raise _WrongError(f"{where}: {key} is not a text")
    return value
