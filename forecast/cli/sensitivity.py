"""``forecast sensitivity``: which judgements and which reports the answer hangs on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from forecast.cli import errors
from forecast.cli.explain import dictionary
from forecast.cli.progress import progress_bar


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    top: int = 10
    as_of: date | None = None
    as_json: bool = False


def run(cases: Sequence[Path], options: Options, *, debug: bool = False) -> int:
    """Say of each case what its forecast hangs on; return the exit code."""
    return errors.each(cases, lambda path: _sensitivity(path, options), debug=debug)


def _sensitivity(path: Path, options: Options) -> None:
    from forecast.analysis.sensitivity.sensitivity import sensitivity
    from forecast.record.ledger import check
    from forecast.report.sensitivities import sensitivity_lines

    case = check(path)
    with progress_bar(case.name) as progress:
        data = sensitivity(case, as_of=options.as_of, top=options.top, progress=progress)
    if options.as_json:
        print(json.dumps({"case": case.name, "sensitivity": dictionary(data)}, allow_nan=False))
    else:
        print("\n".join(sensitivity_lines(data, top=options.top)))
