"""Elicited judgements as prior distributions: Dirichlet or Beta, Gamma, and Normal.

A judgement is a best estimate and a weight, the number of past cases it is worth; a weight of infinity
means exactly known. Three families cover everything a question asks for: proportions (likelihoods of
categories, reliabilities, priors, destinations), positive quantities (mean counts, leaving rates) and the
mean of a measure. As text a judgement is its best estimate and, in brackets, its weight.

>>> str(Proportions((0.9, 0.1), 20.0)), str(Positive(6.0, 120.0)), str(MeasureMean(1.2, 0.4, math.inf))
('0.1 (20)', '6 (20)', '1.2 ± 0.4 (exact)')
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, Self, cast

JudgementKind = Literal[
    "prior",
    "likelihood",
    "reliability",
    "testimony",
    "leave",
    "lasts",
    "then",
    "transition",
    "preparing",
    "ends_in_event",
    "filed",
    "noise",
]

#: What the name of a judgement gives after its kind, in this order.
NAMED: Mapping[JudgementKind, tuple[str, ...]] = MappingProxyType(
    {
        "prior": ("scenario",),
        "likelihood": ("indicator", "scenario", "value"),
        "reliability": ("source",),
        "testimony": ("source",),
        "leave": ("scenario",),
        "lasts": ("scenario",),
        "then": ("scenario", "value"),
        "transition": ("scenario", "value"),
        "preparing": ("scenario",),
        "ends_in_event": ("scenario",),
        "filed": ("value", "indicator"),
        "noise": (),
    }
)


@dataclass(frozen=True, slots=True)
class Proportions:
    """A judgement of probabilities that sum to 1: Dirichlet(weight * mean), Beta when there are two.

    ``mean``: best estimates, summing to 1; an entry of 0 cannot happen, whatever the weight. ``weight``: the
    sum of the Dirichlet's parameters, the number of past cases it is worth; ``math.inf`` is exactly known.
    ``learn``: whether this question's evidence may revise it.
    """

    mean: tuple[float, ...]
    weight: float
    learn: bool = True

    @property
    def exact(self) -> bool:
        """Whether nothing about it is uncertain."""
        return math.isinf(self.weight) or max(self.mean) == 1.0

    def __str__(self) -> str:
        """Return the best estimates and, in brackets, their weight; of two, the second alone."""
        shown = self.mean[1:] if len(self.mean) == 2 else self.mean
        return f"{', '.join(f'{p:.2g}' for p in shown)} ({_weight(self.weight)})"


@dataclass(frozen=True, slots=True)
class Positive:
    """A judgement of a positive quantity: Gamma with this mean and shape (rate = shape / mean).

    Used for the mean of a count (shape = mean * weight, so rate = weight) and for the rate of leaving a
    scenario, per period (mean = 1 / lasts, shape = weight). ``shape = math.inf``: exactly known. A mean
    of 0 (a scenario that is never left) is always exact.
    """

    mean: float
    shape: float
    learn: bool = True

    @property
    def exact(self) -> bool:
        """Whether nothing about it is uncertain."""
        return math.isinf(self.shape) or self.mean == 0.0

    def __str__(self) -> str:
        """Return the best estimate and, in brackets, its weight."""
        return f"{self.mean:.3g} ({_weight(self.shape / self.mean if self.mean else math.inf)})"


@dataclass(frozen=True, slots=True)
class MeasureMean:
    """A judgement of the mean of a measure: Normal(mean, sd / sqrt(weight)).

    ``sd`` is the known standard deviation of one period's value around that mean.
    """

    mean: float
    sd: float
    weight: float
    learn: bool = True

    @property
    def exact(self) -> bool:
        """Whether nothing about it is uncertain."""
        return math.isinf(self.weight)

    def __str__(self) -> str:
        """Return the best estimate, the standard deviation and, in brackets, the weight."""
        return f"{self.mean:.3g} ± {self.sd:.3g} ({_weight(self.weight)})"


@dataclass(frozen=True, slots=True)
class LogitNormal:
    """A judgement of a probability whose logit is Normal(logit(median), sd); sd = 0 is exactly known."""

    median: float
    sd: float = 1.0
    learn: bool = True

    @property
    def exact(self) -> bool:
        """Whether nothing about it is uncertain."""
        return self.sd == 0.0 or self.median == 1.0

    @property
    def mean(self) -> float:
        """The best estimate: the median."""
        return self.median

    def __str__(self) -> str:
        """Return the best estimate and, in brackets, the standard deviation of the logit."""
        return f"{self.median:.2g} ({'exact' if self.exact else f'logit sd {self.sd:.2g}'})"


@dataclass(frozen=True, slots=True)
class JudgementId:
    """Which judgement of a question, or which number of it, is meant; its text is the name in every result.

    ``kind`` may be "leave" (the rate of leaving a scenario), "lasts" (the mean stay, its inverse), "then"
    (where to), "transition" (a row of the matrix), "preparing" (the rate at which a preparation ends),
    "ends_in_event", "filed" (the chance that a claim is filed, by what it claims: event, quiet or again) or
    "noise" (the share of false claims that something happened). What is not meant, or all of which is, is
    "". ``value`` is one of a category's, or the scenario moved to; ``source`` may be the name of a testimony.
    """

    kind: JudgementKind
    indicator: str = ""
    scenario: str = ""
    value: str = ""
    source: str = ""

    def __str__(self) -> str:
        """Return the name: the kind, and what it is of."""
        return " ".join(part for part in (self.kind, *(getattr(self, n) for n in NAMED[self.kind])) if part)

    @classmethod
    def parse(cls, name: str) -> Self:
        """Return the judgement with a name; the last part of a name may have spaces.

        Raises ValueError if no judgement has such a name.
        """
        kind, *rest = name.split(" ", 1)
        if kind not in NAMED:
            raise ValueError(f"no judgement is called {name!r}")
        fields = NAMED[cast(JudgementKind, kind)]
        parts = rest[0].split(" ", len(fields) - 1) if rest else []
        return cls(cast(JudgementKind, kind), **dict(zip(fields, parts, strict=False)))


def _weight(weight: float) -> str:
    return "exact" if math.isinf(weight) else f"{weight:.3g}"


Judgement = Proportions | Positive | MeasureMean | LogitNormal
