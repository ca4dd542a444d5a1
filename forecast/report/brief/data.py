"""Results of the analyses shown in the brief beside the summary, made by :func:`forecast.gather`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from forecast.inference.result import of_unit
from forecast.report.sentences import CHANGE_PARTS

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import pandas as pd
    import xarray as xr

    from forecast.analysis.influence import ReportEffect, SourceEffect
    from forecast.analysis.late_reports import Revision
    from forecast.analysis.review import Check
    from forecast.analysis.source_agreement import Corroboration
    from forecast.record.ledger import Entry
    from forecast.report.summary import UnitForecast

#: A difference of probability of less than this is not worth a row; an awaited report must move this much.
LEAST_CHANGE, LEAST_EFFECT = 0.0005, 0.005


class Part(NamedTuple):
    """One term of a sum: its value for each scenario, and the reports behind it."""

    meaning: str
    values: Sequence[float]
    reports: Sequence[str] = ()


class Change(NamedTuple):
    """The change of each scenario's probability since the last issue: before, its parts, and after."""

    when: str
    before: Sequence[float]
    parts: tuple[Part, ...]
    after: Sequence[float]


@dataclass(frozen=True, slots=True)
class BriefData:
    """The answers of the analyses to what a weekly reader asks next.

    ``change`` is None where no forecast was issued before, and for the engine nuts, with which it would take
    minutes; ``collection`` is None where the question ends in the present period. ``explanation`` holds the
    weights of evidence, ``swings`` the judgements on which the forecast depends most, ``issued`` earlier
    forecasts.
    """

    regime: bool
    change: xr.Dataset | None
    explanation: xr.Dataset
    source_effects: tuple[SourceEffect, ...]
    revisions: tuple[Revision, ...]
    report_effects: tuple[ReportEffect, ...]
    swings: xr.Dataset
    collection: pd.DataFrame | None
    corroboration: Corroboration
    failed_checks: tuple[Check, ...]
    trend: xr.Dataset
    outlook: xr.Dataset
    issued: tuple[Entry, ...]

    @property
    def largest_weights(self) -> dict[str, float]:
        """The largest absolute weight of evidence of each report, by id."""
        largest = np.abs(self.explanation["report_weight"].values).max(axis=1, initial=0.0)
        return dict(zip(self.explanation["report"].values.tolist(), largest.tolist(), strict=True))

    @property
    def notes(self) -> list[str]:
        """What is to be known about the split of the change."""
        return [] if self.change is None else list(json.loads(self.change.attrs["note"]))

    def changes(self, unit: str) -> list[Change]:
        """Return the change since the last issue, at the horizon (of a regime) and now, where it is known."""
        if self.change is None:
            return []
        data, steps = of_unit(self.change, unit), self.change["step"].values.tolist()
        mine = data["report_unit"].values == unit
        reports = [
            data["report"].values[mine & (data["report_step"].values == step)].tolist() for step in steps
        ]
        changes = []
        for when, name in {"horizon": "at the horizon", "now": "now"}.items():
            if when == "now" or self.regime:
                moves = [data[when].sel(step=step).values.tolist() for step in steps]
                parts = map(Part, (CHANGE_PARTS[step] for step in steps), moves, reports)
                before, after = data[f"{when}_issued"], data[f"{when}_after"].isel(step=-1)
                changes.append(Change(name, before.values.tolist(), tuple(parts), after.values.tolist()))
        return changes

    def weights(self, unit: str) -> list[Part]:
        """Return the terms of the log odds of each scenario now, in decibans; the last one is their sum."""
        data = of_unit(self.explanation, unit)
        reported = data["weight"].values[data["cell_unit"].values == unit].sum(axis=0)
        terms = {
            "before any evidence": data["before"].values,
            "reports and silence": reported,
            **({"not shared out between cells": data["interaction"].values} if self.regime else {}),
            "what learning adds": data["learning"].values,
            "this forecast, now": data["engine"].values,
        }
        return [Part(meaning, values.tolist()) for meaning, values in terms.items()]

    def effects(self) -> list[tuple[SourceEffect, tuple[float, ...]]]:
        """Return source effects with the differences at the horizon (regime) or now."""
        return [(one, one.horizon if self.regime else one.now) for one in self.source_effects]

    def strongest(self, unit: UnitForecast, sign: int) -> list[ReportEffect]:
        """Return the three next reports that would move the leading scenario most, an indicator once."""
        place = unit.leading_place
        chosen: dict[str, ReportEffect] = {}
        for effect in sorted(self.report_effects, key=lambda effect: -sign * effect.horizon[place]):
            if effect.unit == unit.name and sign * effect.horizon[place] >= LEAST_EFFECT:
                chosen.setdefault(effect.indicator, effect)
        return list(chosen.values())[:3]

    def to_ask(self, most: int, unit: str = "") -> list[dict[Hashable, Any]]:
        """Return the rows of the collection that promise most, an indicator once, of one unit or of all."""
        if self.collection is None:
            return []
        table = self.collection[self.collection["unit"] == unit] if unit else self.collection
        once = table.drop_duplicates([name for name in ("unit", "indicator") if name in table])
        return once.head(most).to_dict("records")
