"""A progress bar on standard error, for work that turns out to be long."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Work that is done before this shows nothing (seconds).
PATIENCE = 2.0

_WIDTH = 30


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[float], None] | None]:
    """Give a function that takes the share done (0 to 1) and shows it; None if nobody is watching.

    The bar appears after :data:`PATIENCE` seconds and is wiped at the end.

    Examples
    --------
    >>> with progress_bar("isis-jn-2014") as progress:
    ...     if progress:
    ...         progress(0.5)
    """
    if not sys.stderr.isatty():
        yield None
        return
    started = time.monotonic()
    drawn = 0

    def show(share: float) -> None:
        nonlocal drawn
        if time.monotonic() - started < PATIENCE:
            return
        full = round(_WIDTH * min(max(share, 0.0), 1.0))
        text = f"{label} {'█' * full}{'░' * (_WIDTH - full)} {share:4.0%}"
        sys.stderr.write("\r" + text)
        sys.stderr.flush()
        drawn = len(text)

    try:
        yield show
    finally:
        if drawn:
            sys.stderr.write("\r" + " " * drawn + "\r")
            sys.stderr.flush()
