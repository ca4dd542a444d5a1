"""Exit codes and error messages of the commands; tracebacks are shown only with ``--debug``."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Never

from forecast.case.errors import InputError

DONE, TOOLKIT_FAILED, INPUT_AT_FAULT = 0, 1, 2
DEBUG = "FORECAST_DEBUG"  #: Set to anything but nothing, it shows tracebacks


def report(error: Exception, *, debug: bool = False, case: str = "") -> int:
    """Print on standard error what went wrong, and return the exit code: the input's fault or the toolkit's.

    `case` is the one that it went wrong with, where there are several. Anything unexpected is the toolkit's
    own fault and takes one line; with `debug`, or FORECAST_DEBUG set, the traceback comes before it.
    """
    if case and not isinstance(error, BrokenPipeError):
        print(f"{case}:", file=sys.stderr)
    if isinstance(error, InputError):
        print(error, file=sys.stderr)
        return INPUT_AT_FAULT
    if isinstance(error, BrokenPipeError):  # the reader has seen enough, as in `forecast ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return TOOLKIT_FAILED
    if debug or os.environ.get(DEBUG):
        traceback.print_exception(error)
    what = " ".join(str(error).split()) or "no details"
    if isinstance(error, OSError):
        where, why = error.filename or "forecast", error.strerror or what
        fix = "see that the folder and its files may be written, and that there is space; then run it again"
        print(f"{where}: the system refused: {why}. To do: {fix}.", file=sys.stderr)
    else:
        blame = "This is a fault of the toolkit, not of your input"
        fix = f"set {DEBUG}=1 to see where it arose"
        print(f"forecast: {type(error).__name__}: {what}. {blame}; {fix}.", file=sys.stderr)
    return TOOLKIT_FAILED


def each(
    cases: Sequence[Path], work: Callable[[Path], int | None], *, debug: bool = False, apart: bool = False
) -> Never:
    """Do the same for each case, going on past those that fail, and leave with the exit code.

    What fails of several is named with its case; `apart`: an empty line stands between two cases. `work` may
    return an exit code of its own.
    """
    codes = []
    for place, path in enumerate(cases):
        if place and apart:
            print()
        try:
            codes.append(work(path) or DONE)
        except Exception as error:
            codes.append(report(error, debug=debug, case=path.name if len(cases) > 1 else ""))
    raise SystemExit(worst(codes))


def worst(codes: list[int]) -> int:
    """Return the exit code for several cases: a failure of the toolkit outranks an input at fault."""
    return TOOLKIT_FAILED if TOOLKIT_FAILED in codes else max(codes, default=DONE)
