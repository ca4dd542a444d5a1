"""A review of a forecast: what to look at before it is used, each with its verdict, reason and remedy.

It reads the result alone, also one that was kept in a file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from textwrap import wrap

import xarray as xr

from forecast.analysis import review_evidence, review_numbers
from forecast.analysis.verdict import Check, Verdict

CHECKS = (
    review_numbers.refused,
    review_numbers.monte_carlo_error,
    review_numbers.chains_agree,
    review_numbers.effective_draws,
    review_numbers.gaps,
    review_evidence.drift,
    review_evidence.surprise,
    review_evidence.conflict,
    review_evidence.leaning,
    review_evidence.grades,
    review_numbers.judgement_against_evidence,
)

#: Those that take no ArviZ, which a short command has no time to import.
QUICK = tuple(
    c for c in CHECKS if c not in (review_numbers.chains_agree, review_numbers.judgement_against_evidence)
)


def review(
    tree: xr.DataTree, *, checks: Iterable[Callable[[xr.DataTree], Check | None]] = CHECKS
) -> list[Check]:
    """Check whether the sums of a forecast were done well, and whether evidence and judgements fit.

    Parameters
    ----------
    tree : xarray.DataTree
        What :func:`forecast.update` returned, or that read again from a file. What it does not hold is not
        checked.
    checks : iterable of functions
        What to check; default: everything.

    Returns
    -------
    list of Check
        One for each thing that was checked: PASS, REVIEW (somebody should look before the forecast is used)
        or FAIL (the numbers should not be issued as they are), with the reason and what to do.

    Examples
    --------
    >>> tree = forecast.update("scenarios/isis-jn-2014")  # doctest: +SKIP
    >>> print(*review_lines(review(tree)), sep=chr(10))  # doctest: +SKIP
    """
    return [found for check in checks if (found := check(tree)) is not None]


def review_lines(checks: Iterable[Check], *, width: int = 100) -> list[str]:
    """Return a review as lines of text: a summary, then what FAILs, what is to REVIEW, and what PASSes.

    Examples
    --------
    >>> review_lines([Check("Gaps in the trend", "PASS", "All 3 dates of the trend have an answer.")])
    ['1 PASS', '', 'PASS    Gaps in the trend', '        All 3 dates of the trend have an answer.']
    """
    every = list(checks)
    counts = Counter(check.verdict for check in every)
    verdicts: tuple[Verdict, ...] = ("FAIL", "REVIEW", "PASS")
    lines = [", ".join(f"{counts[verdict]} {verdict}" for verdict in verdicts if counts[verdict])]
    indent = " " * 8
    for check in sorted(every, key=lambda check: verdicts.index(check.verdict)):
        lines += ["", f"{check.verdict:<8}{check.name}"]
        for text in (check.reason, check.action and f"-> {check.action}"):
            lines += wrap(text, width, initial_indent=indent, subsequent_indent=indent)
    return lines
