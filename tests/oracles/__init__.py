"""Brute-force twins of the engine: slow, plain, and written from the design's text alone.

Nothing here imports the model or the engine. A number is either a float or an array with one entry per draw
of the judgements; the code is loops over dictionaries, and numpy only carries the draws.

``theta``        draws of all judgements from the prior
``filing``       what gets into the log
``number_cells`` counts and measures: noise, errors of reading; in 50 digits, too
``cells``        what each cell says of each scenario, given the judgements
``dynamics``     how the scenario moves; ``event_course`` of an event question
``paths``        the posterior over scenarios by enumerating every path
``hidden``       the same by enumerating the hidden values of states that go on, too
``runs``         the same, exactly, by the period in which the scenario was entered: for longer questions
``sampling``     plain importance sampling from the prior
``closed_form``  exact answers with the judgements integrated out, where these exist
"""

from __future__ import annotations

from tests.oracles.cells import cell_likelihood, weighted_cells
from tests.oracles.closed_form import regime_closed_form, static_closed_form
from tests.oracles.hidden import hidden_posterior
from tests.oracles.paths import enumerate_posterior, trend_dates
from tests.oracles.runs import log_joint, run_posterior
from tests.oracles.sampling import importance_sampling, posterior_theta
from tests.oracles.theta import draw_theta, mean_theta

__all__ = [
    "cell_likelihood",
    "draw_theta",
    "enumerate_posterior",
    "hidden_posterior",
    "importance_sampling",
    "log_joint",
    "mean_theta",
    "posterior_theta",
    "regime_closed_form",
    "run_posterior",
    "static_closed_form",
    "trend_dates",
    "weighted_cells",
]
