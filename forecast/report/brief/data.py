"""What the brief says beyond the summary: why, what moved it, what would, and what to doubt; asked for once.

Nothing is computed here: each answer comes from the analysis that owns it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from forecast.analysis.collect import collect_from
from forecast.analysis.influence import Lead, Without, leads, without_sources
from forecast.analysis.late_reports import Revised, revised
from forecast.analysis.plug_in import plug_in_model
from forecast.analysis.review import QUICK, review
from forecast.analysis.sensitivity.sensitivity import swing_most
from forecast.analysis.source_agreement import Origins, origins
from forecast.analysis.weight_of_evidence import explain
from forecast.report.changes import changed_since_issue
from forecast.report.summary import of_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    import xarray as xr

    from forecast.analysis.review import Check
    from forecast.case.folder import Case
    from forecast.record.ledger import Entry
    from forecast.report.summary import Summary

#: Draws of each chain for the order in which to look for things, where the last digits do not matter.
DRAWS = 500


@dataclass(frozen=True, slots=True)
class Findings:
    """The answers of the analyses to what a weekly reader asks next.

    ``change`` is None where no forecast was issued before, and for the engine nuts, with which it would take
    minutes. ``asked`` is None where the question ends in the present period.
    """

    change: xr.Dataset | None
    why: xr.Dataset
    without: tuple[Without, ...]
    revised: tuple[Revised, ...]
    leads: tuple[Lead, ...]
    swings: xr.Dataset
    asked: pd.DataFrame | None
    origins: Origins
    doubts: tuple[Check, ...]
    trend: xr.Dataset
    outlook: xr.Dataset
    issued: tuple[Entry, ...]

    @property
    def sizes(self) -> dict[str, float]:
        """The largest weight of evidence of each report, by id, whichever its direction."""
        largest = np.abs(self.why["report_weight"].values).max(axis=1, initial=0.0)
        return dict(zip(self.why["report"].values.tolist(), largest.tolist(), strict=True))

    def of_unit(self, unit: str) -> tuple[xr.Dataset, xr.Dataset]:
        """Return trend and outlook of one unit."""
        return of_unit(self.trend, unit), of_unit(self.outlook, unit)


def gather(
    summary: Summary,
    tree: xr.DataTree,
    ledger: Sequence[Entry] = (),
    *,
    change: xr.Dataset | None = None,
) -> Findings:
    """Ask every analysis once.

    Parameters
    ----------
    summary : Summary
        What :func:`forecast.report.summary.summarise` picked from the result.
    tree : DataTree
        The result itself.
    ledger : sequence of Entry, optional
        The forecasts issued so far, which are laid over the trend.
    change : Dataset, optional
        What :func:`change_of` returned.

    Returns
    -------
    Findings
    """
    day = summary.inputs.as_of
    case = summary.case.on(day)
    last = case.question.period(day) == case.question.period(case.question.horizon)
    model = plug_in_model(case.question, case.evidence, day)
    closed = last or not case.question.sources
    return Findings(
        change=change,
        why=explain(case, tree=tree, model=model),
        without=without_sources(case, day, model=model),
        revised=revised(case, tree, summary.since),
        leads=leads(case, day),
        swings=swing_most(case, tree, model=model),
        asked=None if closed else collect_from(case, tree, draws=DRAWS, model=model),
        origins=origins(case, day),
        doubts=tuple(check for check in review(tree, checks=QUICK) if check.verdict != "PASS"),
        trend=tree["trend"].to_dataset(),
        outlook=tree["outlook"].to_dataset(),
        issued=tuple(entry for entry in ledger if _earlier(entry, summary)),
    )


def change_of(
    case: Case, tree: xr.DataTree, *, progress: Callable[[float], None] | None = None
) -> xr.Dataset | None:
    """Split the move since the last issue, where that takes seconds; see :class:`Findings`."""
    return changed_since_issue(case, tree, progress=progress) if tree.attrs["engine"] == "smc" else None


def _earlier(entry: Entry, summary: Summary) -> bool:
    """Tell whether a forecast was issued for a day of the trend, and is not this very one."""
    opened: date = summary.case.question.opened
    return opened <= entry.as_of <= summary.inputs.as_of and entry.inputs != summary.inputs
