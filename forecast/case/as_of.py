"""Which day's knowledge a forecast uses."""

from __future__ import annotations

from datetime import date

from forecast.case.faults import Fault, InputError
from forecast.case.question import Question


def checked_as_of(question: Question, as_of: date | None = None, *, today: date | None = None) -> date:
    """Return the as-of date: the one asked for, or else the last day of the last finished period.

    Of a question that is settled it is the day on which it was, at the latest: there is no more to forecast.

    Parameters
    ----------
    question : Question
        The question; its as-of dates run from `opened` to `horizon`.
    as_of : date, optional
        The day asked for.
    today : date, optional
        The day from which periods count as finished; default: today by the system's clock.

    Returns
    -------
    date

    Raises
    ------
    InputError
        If the day asked for is before the question was opened or after its horizon.

    Examples
    --------
    >>> checked_as_of(question, today=date(2014, 11, 24))  # doctest: +SKIP
    datetime.date(2014, 11, 22)
    """
    if as_of is None:
        last = question.last_finished_day(today or date.today())
        return last if question.resolved is None else max(min(last, question.resolved.on), question.opened)
    if not question.opened <= as_of <= question.horizon:
        raise InputError(
            [
                Fault(
                    "as-of date",
                    0,
                    as_of.isoformat(),
                    "the question was not open on this day",
                    allowed=f"{question.opened} (opened) to {question.horizon} (horizon)",
                    fix="choose a day in between, or none for the last finished period",
                )
            ]
        )
    return as_of
