"""What the brief says beyond the summary, as the analyses returned it (:func:`forecast.gather`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecast.report.summary import of_unit

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from forecast.analysis.influence import Lead, Without
    from forecast.analysis.late_reports import Revised
    from forecast.analysis.review import Check
    from forecast.analysis.source_agreement import Origins
    from forecast.record.ledger import Entry


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
