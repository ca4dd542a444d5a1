"""What a person judged, as a probability distribution over the number judged.

A judgement is a best estimate and a weight, the number of past cases it is worth; a weight of infinity
means exactly known. Three families cover everything a question asks for: proportions (likelihoods of
categories, reliabilities, priors, destinations), positive quantities (mean counts, leaving rates) and the
mean of a measure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Proportions:
    """A judgement of probabilities that sum to 1: Dirichlet(weight * mean), Beta when there are two.

    Attributes
    ----------
    mean : tuple of float
        Best estimates, summing to 1. An entry of 0 cannot happen, whatever the weight.
    weight : float
        Sum of the Dirichlet's parameters: the number of past cases the judgement is worth.
        ``math.inf``: exactly known.
    learn : bool
        Whether this question's evidence may revise the judgement.
    """

    mean: tuple[float, ...]
    weight: float
    learn: bool = True

    @property
    def exact(self) -> bool:
        """Whether nothing about it is uncertain."""
        return math.isinf(self.weight) or max(self.mean) == 1.0


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


Judgement = Proportions | Positive | MeasureMean
