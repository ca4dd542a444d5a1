"""``forecast whatif``: the forecast with other evidence or judgements, beside the one as it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.case.errors import Fault, InputError, listed
from forecast.case.warnings import from_json
from forecast.cli import errors
from forecast.cli.progress import progress_bar

if TYPE_CHECKING:
    import xarray as xr

#: The columns of an imagined report, in the order of ``--add``.
ADDED = (
    "date", "indicator", "value", "source", "reported", "credibility", "repeats", "independence",
    "testimony", "unit",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    drop_sources: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    as_of: date | None = None
    draws: int = 2000
    chains: int = 4
    seed: int = 0
    as_json: bool = False


def run(cases: Sequence[Path], options: Options, *, debug: bool = False) -> int:
    """Forecast each case both ways and print them side by side; return the exit code."""
    return errors.each(cases, lambda path: _whatif(path, options), debug=debug)


def _whatif(path: Path, options: Options) -> None:
    from forecast.analysis.whatif import whatif

    add = [_report(text) for text in options.add]
    judged = dict(_pair(text) for text in options.set)
    with progress_bar(path.name) as progress:
        data = whatif(
            path,
            as_of=options.as_of,
            add=add,
            drop=options.drop,
            drop_sources=options.drop_sources,
            set=judged,
            draws=options.draws,
            chains=options.chains,
            seed=options.seed,
            progress=progress,
        )
    print(json.dumps(document(data)) if options.as_json else "\n".join(lines(data)))


def _report(text: str) -> dict[str, str]:
    """Return an imagined report from "date,indicator,value,source[,reported[,credibility[,...]]]"."""
    cells = [cell.strip() for cell in text.split(",")]
    if not 4 <= len(cells) <= len(ADDED):
        problem = "not an imagined report"
        fix = 'write, e.g., --add "2014-11-20,senior_meeting,yes,ap"'
        allowed = f"{listed(ADDED)}, separated by commas, the first four of them at least"
        raise InputError([Fault("--add", 0, text, problem, allowed=allowed, fix=fix)])
    return {column: cell for column, cell in zip(ADDED, cells, strict=False) if cell}


def _pair(text: str) -> tuple[str, str]:
    """Return name and value of "KEY=VALUE"."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        fix = 'write, e.g., --set "reliability sohr=A"'
        raise InputError([Fault("--set", 0, text, "not a change", allowed="NAME=VALUE", fix=fix)])
    return key.strip(), value.strip()


def document(data: xr.Dataset) -> dict[str, Any]:
    """Return a what-if as one JSON document."""
    rows = []
    for unit in data["unit"].values.tolist() if "unit" in data.dims else [None]:
        part = data if unit is None else data.sel(unit=unit)
        for scenario in part["scenario"].values.tolist():
            one = part.sel(scenario=scenario)
            row: dict[str, Any] = {"id": scenario} | ({} if unit is None else {"unit": unit})
            for variant in one["variant"].values.tolist():
                at = one.sel(variant=variant)
                row[variant.replace(" ", "_")] = {
                    str(name): float(value) for name, value in at.items() if "difference" not in str(name)
                }
            row["difference"] = {
                str(name).replace("_difference", ""): float(value)
                for name, value in one.items()
                if "difference" in str(name)
            }
            rows.append(row)
    known = {name: data.attrs[name] for name in ("case", "as_of", "horizon", "digest", "seed")}
    warnings = [str(warning) for warning in from_json(data.attrs["warnings"])]
    return known | {"changes": json.loads(data.attrs["changes"]), "scenarios": rows, "warnings": warnings}


def lines(data: xr.Dataset) -> list[str]:
    """Return a what-if as lines of text: what was changed, and the probabilities in per cent."""
    found = [f"{data.attrs['case']}, as of {data.attrs['as_of']}. What if:"]
    found += [f"  · {change}" for change in json.loads(data.attrs["changes"])]
    width = max(len(s) for s in data["scenario"].values.tolist()) + 2
    for unit in data["unit"].values.tolist() if "unit" in data.dims else [None]:
        part = data if unit is None else data.sel(unit=unit)
        for when, title in (
            ("now", "Now"),
            ("horizon", f"On {data.attrs['horizon']}"),
            ("ever", "Ever until then"),
        ):
            found += ["", f"{'' if unit is None else f'{unit}. '}{title}, per cent (90 % band in brackets)"]
            found.append(f"{'':{width}}{'as it is':>16}{'what if':>16}{'difference':>16}")
            for scenario in part["scenario"].values.tolist():
                one = part.sel(scenario=scenario)
                cells = "".join(f"{_band(one.isel(variant=v), when):>16}" for v in range(2))
                found.append(f"{scenario:{width}}{cells}{_difference(one, when):>16}")
    warnings = [f"  · {warning}" for warning in from_json(data.attrs["warnings"])]
    return found + (["", "What if warns besides:", *warnings] if warnings else [])


def _band(one: xr.Dataset, when: str) -> str:
    p = f"{100 * float(one[when]):.1f}"
    if f"{when}_low" not in one:
        return p
    return f"{p} ({100 * float(one[f'{when}_low']):.0f}-{100 * float(one[f'{when}_high']):.0f})"


def _difference(one: xr.Dataset, when: str) -> str:
    p = f"{100 * float(one[f'{when}_difference']):+.1f}"
    error = f"{when}_difference_mcse"
    return f"{p} ± {200 * float(one[error]):.1f}" if error in one else p
