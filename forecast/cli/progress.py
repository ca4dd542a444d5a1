"""Progress bar on standard error, shown only for work of more than two seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE = 2.0  #: Work that is done before this shows nothing (seconds)


@contextmanager
def progress_bars() -> Iterator[Callable[[str, float], None] | None]:
    """Give a function that takes what is being done and the share done; None where there is no terminal.

    The bar appears :data:`PATIENCE` seconds after the work began and is wiped when the share is 1, or at the
    end.
    """
    if not sys.stderr.isatty():
        yield None
        return
    began: dict[str, float] = {}
    drawn: list[Progress] = []

    def wipe() -> None:
        while drawn:
            drawn.pop().stop()

    def show(label: str, share: float) -> None:
        now = time.monotonic()
        if share >= 1:
            began.pop(label, None)
            wipe()
        elif now - began.setdefault(label, now) >= PATIENCE:
            if not drawn:
                drawn.append(_bar(label))
            bar = drawn[0]
            bar.update(bar.task_ids[0], description=label, completed=max(share, 0.0), refresh=True)

    try:
        yield show
    finally:
        wipe()


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[float], None] | None]:
    """Give a function that takes the share done of one piece of work; see :func:`progress_bars`."""
    with progress_bars() as show:
        yield show and partial(show, label)


def _bar(label: str) -> Progress:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
    bar = Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False)
    bar.add_task(escape(label), total=1.0)
    bar.start()
    return bar
