"""Every plot, and the made-up results that it draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import forecast
from forecast.case.folder import Case
from tests.report.plots.base import collected, explained, moved, tree_of

#: Each plot by its name, and what makes up the result that it draws.
PLOTS: dict[str, Callable[[Case], Any]] = {
    "plot_trend": tree_of,
    "plot_area": tree_of,
    "plot_hindsight": tree_of,
    "plot_outlook": tree_of,
    "plot_evidence": explained,
    "plot_evidence_map": explained,
    "plot_changed": moved,
    "plot_collect": collected,
    "plot_judgements": tree_of,
}


def draw(name: str, case: Case, **options: Any) -> Any:
    """Draw a plot of a made-up result of a case."""
    return getattr(forecast, name)(case, PLOTS[name](case), **options)
