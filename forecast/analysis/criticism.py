"""Criticism of a case: whether the cells of its evidence point the same way."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import xarray as xr

from forecast.case.folder import Case, as_case
from forecast.case.in_force import checked_as_of
from forecast.inference.conflict import conflict as conflict_of
from forecast.model.problem import build_problem


def conflict(case: Case | str | Path, *, as_of: date | None = None) -> xr.Dataset:
    """Measure the conflict in the evidence of a case, as known on a date (Jensen et al. 1991).

    conf(e_1..e_n) = 10 log10 [P(e_1) ... P(e_n) / P(e_1..e_n)], e_i the cells, judgements at their means:
    above 0, the cells would have been easier to come by if they had nothing to do with one another.

    Parameters
    ----------
    case : Case or path
        A case folder.
    as_of : date, optional
        The day whose knowledge is used; default: as for :func:`forecast.update`.

    Returns
    -------
    xarray.Dataset
        In decibans: `conflict` of all cells, `cell_conflict` of each cell with all others, `pair_conflict`
        of the worst pairs (`first`, `second`); and by `path`, one scenario throughout or one and then
        another, its `prior_probability`, its `probability` given the evidence, its `gain` from the one to
        the other, and whether that `explains` the conflict. With units, all but cells and pairs by `unit`.

    Raises
    ------
    InputError
        If the folder cannot be read, or the question was not open on the day.

    Examples
    --------
    >>> found = conflict("scenarios/isis-jn-2014", as_of=date(2014, 11, 23))  # doctest: +SKIP
    >>> found["cell_conflict"].to_series().nlargest(3)  # doctest: +SKIP
    """
    case = as_case(case)
    day = checked_as_of(case.question, as_of)
    return conflict_of(build_problem(case.on(day).question, case.evidence, day))
