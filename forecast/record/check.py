"""All checks of a case folder in one: question, evidence and ledger."""

from __future__ import annotations

from pathlib import Path

from forecast.case.faults import Fault, InputError
from forecast.case.folder import Case, load_case
from forecast.record.ledger import LEDGER, read_ledger


def check(case: Path | str) -> Case:
    """Read a case folder and raise everything that is wrong with it at once.

    Parameters
    ----------
    case : Path or str
        The case folder.

    Returns
    -------
    Case
        The case; its `warnings` are remarks that do not stand in the way of a forecast.

    Raises
    ------
    InputError
        With every fault of ``question.yaml``, ``evidence.csv`` and ``forecasts.csv``.

    Examples
    --------
    >>> from forecast.record.check import check
    >>> check("scenarios/isis-jn-2014").warnings  # doctest: +SKIP
    ()
    """
    faults: list[Fault] = []
    loaded: Case | None = None
    try:
        loaded = load_case(case)
    except InputError as error:
        faults += error.faults
    try:
        read_ledger(Path(case) / LEDGER)
    except InputError as error:
        faults += error.faults
    if faults or loaded is None:
        raise InputError(faults)
    return loaded
