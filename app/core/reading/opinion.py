"""What a descriptor model says about one finding of the report, in the workstation's own words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """What one group of descriptors adds to the log-odds of cancer.

    Attributes
    ----------
    title, terms
        The group, and what was said of it in words; no terms: it was left out and adds nothing.
    log_odds
        Natural logarithm, above 0 towards cancer.
    low, high
        95 % interval of the ensemble.
    """

    title: str
    terms: tuple[str, ...]
    log_odds: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Opinion:
    """Probability of cancer of a finding as it was described, or why there is none.

    Attributes
    ----------
    model, version, of
        Which bundle, and what the probability is of.
    probability, low, high
        0..1, and the 95 % interval of the estimate.
    prevalence
        The chance of cancer before the descriptors, 0..1, as it was asked for.
    trained_at
        Share of cancers in the training data, 0..1.
    shares
        One per group, in the model's order.
    notes
        Sentences for the reader.
    refused
        Why nothing is said, as a sentence; all numbers are 0 then.
    """

    model: str
    version: str
    of: str = ""
    probability: float = 0.0
    low: float = 0.0
    high: float = 0.0
    prevalence: float = 0.0
    trained_at: float = 0.0
    shares: tuple[Share, ...] = ()
    notes: tuple[str, ...] = ()
    refused: str = ""
