"""Weight of evidence of each report, in decibans: change of the log odds when it is left out."""

from __future__ import annotations

from datetime import date

import numpy as np

from forecast.case.evidence import Evidence, Report
from forecast.model.cell_sequence import CellSequence, first_change
from forecast.model.evidence_index import EvidenceIndex
from forecast.model.hmm import Filtered, filter_particles, forward
from forecast.model.parameters import TINY, Layout


def at_means(layout: Layout, draws: np.ndarray | None = None) -> np.ndarray:
    """Return theta with every judgement at its mean, (D,), how claims are filed as in draws (..., D).

    For that is no judgement of the analyst's: the log teaches it, and silence may weigh much more, or less,
    than before anything was learnt.
    """
    mean, first = layout.mean.copy(), layout.starts.get("noise", layout.size)
    if draws is not None:
        mean[first:] = draws[..., first:].mean(axis=tuple(range(draws.ndim - 1)))
    return mean


def weights_of_evidence(
    layout: Layout, evidence: Evidence, as_of: date, *, draws: np.ndarray | None = None
) -> tuple[tuple[Report, ...], np.ndarray]:
    """Return the live reports and the weight of evidence of each, (report, scenario), in decibans.

    W(s) = 10 log10 [odds(s | all reports) / odds(s | all but this one)] (Good 1950), of the scenario in the
    period of the as-of date against all others, with the judgements at their means (:func:`at_means`).
    Leaving one of two reports of the same thing out changes little, since the other remains; a cell whose
    only report is left out is unknown, not silent.
    """
    known = EvidenceIndex.known_on(layout, evidence, as_of)
    log = known.log
    base, reports = known.snapshot(as_of).sequence, evidence.known(as_of)
    without = []
    for report in reports:
        key = log.key(report)
        known.update_cells([key], as_of, frozenset([report.id]), unknown=True)
        without.append(known.snapshot(as_of).sequence)
        known.update_cells([key], as_of)
    log_odds = _LogOdds(layout, at_means(layout, draws), known, base)
    weight = np.empty((len(reports), layout.scenarios))
    for n, (report, sequence) in enumerate(zip(reports, without, strict=True)):
        weight[n] = log_odds(base, log.key(report)[0]) - log_odds(sequence, log.key(report)[0])
    return reports, weight * 10 / np.log(10)


class _LogOdds:
    """The filter at the judgements' means, run again from where a sequence differs from the base."""

    def __init__(self, layout: Layout, theta: np.ndarray, known: EvidenceIndex, base: CellSequence) -> None:
        self._theta, self._arrays, self._cells = theta[None], layout.arrays, known.cells()
        self._base = base
        self._start = filter_particles(self._theta, base, self._cells, self._arrays)

    def __call__(self, sequence: CellSequence, unit: int) -> np.ndarray:
        work, begin = Filtered(*(array.copy() for array in self._start)), first_change(self._base, sequence)
        forward(self._theta, sequence, begin, self._cells, self._arrays, work)
        p = np.clip(work.alpha[0, unit, -1], TINY, None)
        rest = np.array([p[np.arange(len(p)) != s].sum() for s in range(len(p))])
        return np.log(p) - np.log(np.maximum(rest, TINY))
