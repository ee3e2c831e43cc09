"""Descriptor models: how likely is cancer, given what a reader says of a lesion? numpy only.

For the workstation's calculator::

    calculator = tabular.load(bundle)                  # a bundle of the task ``descriptors``
    calculator.vocabulary                              # groups and their terms, for the drop-down lists
    calculator.prevalence                              # of the training data; the default below
    told = calculator.explain({"shape": "oval", "margin": ["circumscribed"]}, prevalence=0.02)
    told.probability, told.interval                    # 0..1, (low, high)
    for share in told.contributions:                   # one per group, in the vocabulary's order
        share.title, share.terms, share.log_odds, share.low, share.high
    told.notes                                         # sentences to show with it

The model is additive: ``told.prior + sum of the contributions = told.log_odds``, exactly, where
``prior`` is the logit of the pre-test prevalence. The prevalence is corrected for by moving the
log-odds from that of the training data to that asked for (Bayes' rule; it holds as far as lesions of
one kind look the same in both populations). A group that is not given contributes nothing: there is
one table for each set of groups that may be given, fitted on every lesion that has all of these (and
maybe more), so that leaving a group out is no statement about the lesion. Nothing given: the
probability is the prevalence.

The interval is that of the estimate (95 %, from a patient-bootstrap ensemble), not of the outcome.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load as read_tensors

from model_zoo.bundle import Bundle
from model_zoo.calibration import logit, sigmoid
from model_zoo.descriptors import Descriptors, Group
from model_zoo.errors import BundleError, ModelError
from model_zoo.seal import WEIGHTS_FILE

Floats = npt.NDArray[np.float64]
Given = Mapping[str, str | Iterable[str]]
"""Terms by group; a group that is missing, empty or "" is not given."""

GIVEN, WEIGHTS, MEMBERS = "descriptors.given", "descriptors.weights", "descriptors.members"
LEVEL = 0.95
FEW = 20
"""A term that fewer lesions of the training part had is named in the notes."""
_LOWEST = 1e-6


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one group adds to the log-odds.

    Attributes
    ----------
    group, title
        Name and title of the group.
    terms
        Names of the terms given, in the vocabulary's order; empty: not given, and all else 0.
    log_odds
        Above 0 towards cancer; natural logarithm.
    low, high
        95 % interval of the ensemble; `log_odds` always lies in it.
    """

    group: str
    title: str
    terms: tuple[str, ...]
    log_odds: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a model says about one lesion.

    Attributes
    ----------
    probability
        0..1, at the prevalence asked for.
    interval
        (low, high), 95 %, of the estimate.
    prevalence
        The pre-test prevalence it was asked for.
    prior
        logit(prevalence).
    log_odds
        ``math.fsum`` of `prior` and the contributions; `probability` is its inverse logit.
    contributions
        One per group, in the vocabulary's order.
    notes
        Sentences for the reader.
    """

    probability: float
    interval: tuple[float, float]
    prevalence: float
    prior: float
    log_odds: float
    contributions: tuple[Contribution, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Calculator:
    """A descriptor model ready to be asked; made by `load`.

    Attributes
    ----------
    name, of
        The bundle's name, and what the probability is of.
    vocabulary
        The groups with their terms.
    prevalence
        Share of positives in the training data.
    tables
        By the set of groups given (a flag per group) what each term adds, (terms,).
    members
        The same of each member of the ensemble, (members, terms).
    """

    name: str
    of: str
    vocabulary: Descriptors
    prevalence: float
    tables: Mapping[tuple[bool, ...], Floats]
    members: Mapping[tuple[bool, ...], Floats]

    def explain(self, descriptors: Given, prevalence: float | None = None) -> Explanation:
        """Return probability, interval and each group's contribution.

        Parameters
        ----------
        descriptors
            Terms by group name, one or several of them; leave a group out if it was not judged.
        prevalence
            The chance of cancer before the descriptors are looked at, above 0 and below 1;
            None: the share of positives in the training data.

        Raises
        ------
        ModelError
            One sentence on an unknown group or term, several terms where one is taken, or an
            impossible prevalence.
        """
        share = self._share(prevalence)
        chosen = self._chosen(descriptors)
        given = tuple(bool(places) for places in chosen)
        contributions, whole = self._contributions(chosen, given)
        prior = logit(share, _LOWEST)
        total = math.fsum((prior, *(one.log_odds for one in contributions)))
        low, high = _interval(whole, math.fsum(one.log_odds for one in contributions))
        probability = sigmoid(total)
        interval = (min(probability, sigmoid(prior + low)), max(probability, sigmoid(prior + high)))
        return Explanation(
            probability, interval, share, prior, total, tuple(contributions), self._notes(chosen, given)
        )

    def _share(self, prevalence: float | None) -> float:
        share = self.prevalence if prevalence is None else prevalence
        if not _LOWEST <= share <= 1 - _LOWEST:
            raise ModelError(f"{self.name}: a prevalence must lie between 0 and 1, not be {share:g}")
        return share

    def _chosen(self, descriptors: Given) -> list[tuple[int, ...]]:
        """Return the places of the terms given, by group."""
        known = [group.name for group in self.vocabulary.groups]
        for name in descriptors:
            if name not in known:
                raise ModelError(f"{self.name} takes {', '.join(known)}, but no {name!r}")
        return [self._places(group, descriptors.get(group.name, ())) for group in self.vocabulary.groups]

    def _places(self, group: Group, words: str | Iterable[str]) -> tuple[int, ...]:
        listed = [words] if isinstance(words, str) else list(words)
        places = set()
        for word in listed:
            if not word.strip():
                continue
            place = group.find(word)
            if place is None:
                names = ", ".join(term.name for term in group.terms)
                raise ModelError(f"{self.name}: {group.name} {word!r} is not known; known are {names}")
            places.add(place)
        if len(places) > 1 and not group.many:
            raise ModelError(f"{self.name}: {group.name} takes one term, not {len(places)}")
        return tuple(sorted(places))

    def _contributions(
        self, chosen: list[tuple[int, ...]], given: tuple[bool, ...]
    ) -> tuple[list[Contribution], Floats]:
        """Return each group's contribution, and each member's sum over all groups, (members,)."""
        if not any(given):
            groups = self.vocabulary.groups
            return [Contribution(group.name, group.title, (), 0.0, 0.0, 0.0) for group in groups], np.zeros(0)
        table, members = self.tables[given], self.members[given]
        made, start = [], 0
        whole = np.zeros(len(members))
        for group, places in zip(self.vocabulary.groups, chosen, strict=True):
            columns = [start + place for place in places]
            value = math.fsum(float(table[column]) for column in columns)
            each = members[:, columns].sum(axis=1)
            whole += each
            terms = tuple(group.terms[place].name for place in places)
            made.append(Contribution(group.name, group.title, terms, value, *_interval(each, value)))
            start += len(group.terms)
        return made, whole

    def _notes(self, chosen: list[tuple[int, ...]], given: tuple[bool, ...]) -> tuple[str, ...]:
        if not any(given):
            return ("Nothing is given, so the probability is the prevalence.",)
        notes = []
        for group, places in zip(self.vocabulary.groups, chosen, strict=True):
            for term in (group.terms[place] for place in places):
                if term.seen < FEW:
                    notes.append(
                        f"{group.title}, {term.title}: only {term.seen} lesions in the training data had it."
                    )
        return tuple(notes)


def _interval(members: Floats, value: float) -> tuple[float, float]:
    """Return the ensemble's interval, widened where the value lies outside of it."""
    if not members.size:
        return value, value
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(members, [tail, 1 - tail])
    return min(value, float(low)), max(value, float(high))


def load(bundle: Bundle) -> Calculator:
    """Return the calculator of a bundle.

    Raises
    ------
    BundleError
        A bundle of another task, or tables that are damaged, changed since loading, or do not fit.
    """
    spec, where = bundle.spec, bundle.folder
    if spec.descriptors is None or spec.outputs.score.prevalence is None:
        raise BundleError(f"{bundle.name} reads images, so it takes no descriptors")
    try:
        content = bundle.weights.read_bytes()
    except OSError as error:
        raise BundleError(f"{where}: {WEIGHTS_FILE} cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != spec.files[WEIGHTS_FILE]:
        raise BundleError(f"{where}: {WEIGHTS_FILE} was changed: its sha256 is not the one in bundle.json")
    try:
        tensors = read_tensors(content)
    except (SafetensorError, ValueError) as error:
        raise BundleError(f"{where}: {WEIGHTS_FILE} is not a safetensors file: {error}") from error
    given, weights, members = _checked(str(where), tensors, spec.descriptors)
    keys = [tuple(bool(flag) for flag in row) for row in given]
    return Calculator(
        name=spec.name,
        of=spec.outputs.score.of,
        vocabulary=spec.descriptors,
        prevalence=spec.outputs.score.prevalence,
        tables={key: weights[place] for place, key in enumerate(keys)},
        members={key: members[:, place] for place, key in enumerate(keys)},
    )


def _checked(
    where: str, tensors: Mapping[str, npt.NDArray[np.generic]], words: Descriptors
) -> tuple[npt.NDArray[np.bool_], Floats, Floats]:
    """Return the tables in double precision, (sets, groups), (sets, terms), (members, sets, terms)."""
    if set(tensors) != {GIVEN, WEIGHTS, MEMBERS}:
        raise BundleError(f"{where}: {WEIGHTS_FILE} must hold {GIVEN}, {WEIGHTS} and {MEMBERS}, nothing else")
    given = np.asarray(tensors[GIVEN])
    sets = 2 ** len(words.groups) - 1
    if given.shape != (sets, len(words.groups)) or not np.isin(given, (0, 1)).all():
        raise BundleError(f"{where}: {GIVEN} must name each set of the {len(words.groups)} groups")
    if len({tuple(row) for row in given.tolist() if any(row)}) != sets:
        raise BundleError(f"{where}: {GIVEN} must name each set of the {len(words.groups)} groups once")
    weights, members = (np.asarray(tensors[name]) for name in (WEIGHTS, MEMBERS))
    for name, array, shape in (
        (WEIGHTS, weights, (sets, words.terms)),
        (MEMBERS, members, (*members.shape[:1], sets, words.terms)),
    ):
        if array.dtype.kind != "f" or array.shape != shape or not array.size:
            raise BundleError(f"{where}: {name} does not fit {sets} sets of {words.terms} terms")
        if not np.isfinite(array).all():
            raise BundleError(f"{where}: {name} holds values that are not finite")
    return given.astype(np.bool_), weights.astype(np.float64), members.astype(np.float64)
