"""``forecast new``: a first case to start from."""

from __future__ import annotations

from pathlib import Path

from forecast.cli import errors


def run(case: Path, *, debug: bool = False) -> int:
    """Write a new case and say what to do next; return the exit code."""
    from forecast.case.folder import new_case

    try:
        new_case(case)
    except Exception as error:
        return errors.report(error, debug=debug)
    print(f"Wrote {case}: edit question.yaml and evidence.csv, then run: forecast update {case}")
    return errors.DONE
