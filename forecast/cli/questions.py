"""Commands that analyse a forecast: trend, explain, whatif, sensitivity and collect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from typer import Option

from forecast.case.errors import Fault, InputError, listed
from forecast.cli import errors, output
from forecast.cli.output import AsJson, AsOf, Cases, Chains, Debug, Draws, Seed
from forecast.cli.progress import progress_bar, progress_bars

if TYPE_CHECKING:
    import xarray as xr

    from forecast.case.folder import Case

#: The columns of an imagined report, in the order of ``--add``.
ADDED = (
    "date", "indicator", "value", "source", "reported", "credibility", "repeats", "independence",
    "testimony", "unit",
)  # fmt: skip

#: What a file can be, by the end of its name; the last is a page to look at with a pointer.
PICTURES, PAGE = (".png", ".svg", ".pdf"), ".html"

Texts = list[str] | None  #: An option that may be given several times

commands = typer.Typer()


@commands.command(epilog="Example: forecast trend scenarios/isis-jn-2014 --as-of 2014-11-23 --to trend.png")
def trend(
    cases: Cases,
    to: Annotated[
        Path | None,
        Option(metavar="FILE", help="Draw to a .png, .svg, .pdf or .html file, not the terminal."),
    ] = None,
    browser: Annotated[bool, Option("--browser", help="Open the interactive trend in the browser.")] = False,
    as_of: AsOf = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Draw the trend of the probabilities; nothing is issued."""
    import webbrowser

    from forecast.report.json import trend
    from forecast.report.text.trend import print_trend
    from forecast.run import check, infer, inputs_of

    def one(path: Path) -> None:
        case = check(path)
        with progress_bars() as progress:
            tree = infer(case, inputs_of(case, as_of), progress=progress, notify=output.remark)
        if as_json:
            output.document(trend(case, tree))
        if file := to or (case.path / "output" / "trend.html" if browser else None):
            _save(case, tree, file)
            output.lines([] if as_json else [f"The trend is in {file}."])
            if browser and not webbrowser.open(file.resolve().as_uri()):
                output.remark(f"no browser could be opened: open {file} yourself")
        elif not as_json:
            print_trend(case, tree)

    _check_file(to, len(cases))
    errors.each(cases, one, debug=debug, apart=not as_json)


def _check_file(to: Path | None, cases: int) -> None:
    """Refuse a file that cannot be written, or not for so many cases, before anything is inferred."""
    allowed = (*PICTURES, PAGE)
    if to is None:
        return
    if to.suffix.lower() not in allowed:
        problem, right, fix = "no such form of picture", listed(allowed), "end the name in one of these"
    elif not to.absolute().parent.is_dir():
        problem, right, fix = "there is no such folder", "a folder that is there", "make it first"
    elif cases > 1:
        problem, right = f"one file for {cases} cases", "one case"
        fix = "give one case, or leave --to out"
    else:
        return
    raise SystemExit(errors.report(InputError([Fault("--to", 0, str(to), problem, right, fix)])))


def _save(case: Case, tree: xr.DataTree, to: Path) -> None:
    from forecast.report.plots.base import save
    from forecast.report.plots.trend import plot_trend

    if to.suffix.lower() == PAGE:
        to.parent.mkdir(exist_ok=True)
        plot_trend(case, tree, backend="plotly").write_html(to, include_plotlyjs=True)
    elif missing := save(plot_trend(case, tree), to):
        output.remark(f"{to}: the plot's font has no {missing}: boxes stand in their place.")


@commands.command(epilog="Example: forecast explain scenarios/isis-jn-2014 --as-of 2014-11-23")
def explain(
    cases: Cases,
    changed: Annotated[
        bool, Option("--changed", help="Also say what moved it since the last issued forecast.")
    ] = False,
    question_was: Annotated[
        Path | None, Option(metavar="FILE", help="The question as it was then, if it has been edited since.")
    ] = None,
    top: Annotated[int, Option(min=1, help="How many cells and reports to name.")] = 8,
    as_of: AsOf = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say why: the weight of evidence of each cell and report, and what was taken away from it."""
    from forecast.analysis.weight_of_evidence import explain
    from forecast.inference.engine import update
    from forecast.report import json
    from forecast.report.text.explanation import changed_lines, explain_lines
    from forecast.run import changed_since_issue, checked

    def one(path: Path) -> None:
        case, ledger = checked(path)
        tree = update(case, as_of=as_of)
        why, moved = explain(case, tree=tree), None
        if changed:
            moved = changed_since_issue(case, tree, ledger=ledger, question_was=question_was)
        if as_json:
            more = {"changed": json.dataset(moved) if moved is not None else None} if changed else {}
            output.document({"case": case.name, "explain": json.dataset(why)} | more)
        else:
            output.lines(explain_lines(why, top=top, width=output.width()))
            output.lines(["", *changed_lines(moved, width=output.width())] if changed else [])

    errors.each(cases, one, debug=debug)


@commands.command(
    epilog='Example: forecast whatif scenarios/isis-jn-2014 --add "2014-11-20,fighting,no,rferl"'
)
def whatif(
    cases: Cases,
    add: Annotated[
        Texts, Option(metavar="REPORT", help='Imagine a report: "DATE,INDICATOR,VALUE,SOURCE[,...]".')
    ] = None,
    drop: Annotated[Texts, Option(metavar="ID", help="Leave a report out.")] = None,
    drop_source: Annotated[Texts, Option(metavar="ID", help="Leave out all that a source reported.")] = None,
    changes: Annotated[
        Texts,
        Option("--set", metavar="NAME=VALUE", help='Judge otherwise: "reliability sohr=A", "prior=even".'),
    ] = None,
    as_of: AsOf = None,
    draws: Draws = 2000,
    chains: Chains = 4,
    seed: Seed = 0,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Forecast with other evidence or judgements, beside the forecast as it is. Nothing is written."""
    from forecast.analysis.whatif import whatif
    from forecast.report import json
    from forecast.report.text.tables import whatif_lines

    def one(path: Path) -> None:
        imagined, judged = [_report(text) for text in add or ()], dict(_pair(text) for text in changes or ())
        with progress_bar(path.name) as progress:
            data = whatif(
                path, as_of=as_of, add=imagined, drop=drop or (), drop_sources=drop_source or (), set=judged,
                draws=draws, chains=chains, seed=seed, progress=progress,
            )  # fmt: skip
        if as_json:
            output.document(json.whatif(data))
        else:
            output.lines(whatif_lines(data, width=output.width()))

    errors.each(cases, one, debug=debug)


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
    """Parse "NAME=VALUE" into name and value."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        fix = 'write, e.g., --set "reliability sohr=A"'
        raise InputError([Fault("--set", 0, text, "not a change", allowed="NAME=VALUE", fix=fix)])
    return key.strip(), value.strip()


@commands.command(epilog="Example: forecast sensitivity scenarios/isis-jn-2014 --as-of 2014-11-23")
def sensitivity(
    cases: Cases,
    top: Annotated[int, Option(min=1, help="How many judgements to list, and to try with learning.")] = 10,
    as_of: AsOf = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say what the answer hangs on: judgements, their flip values, and the fewest reports that change it."""
    from forecast.analysis.sensitivity.sensitivity import sensitivity
    from forecast.report import json
    from forecast.report.text.sensitivity import sensitivity_lines
    from forecast.run import check

    def one(path: Path) -> None:
        case = check(path)
        with progress_bar(case.name) as progress:
            data = sensitivity(case, as_of=as_of, top=top, progress=progress)
        if as_json:
            output.document({"case": case.name, "sensitivity": json.dataset(data)})
        else:
            output.lines(sensitivity_lines(data, top=top, width=output.width()))

    errors.each(cases, one, debug=debug)


@commands.command(epilog="Example: forecast collect scenarios/isis-jn-2014 --as-of 2014-11-23")
def collect(
    cases: Cases,
    period: Annotated[
        Literal["present", "next"], Option(help="The period that would be reported on.")
    ] = "next",
    indicator: Annotated[
        Texts, Option(metavar="ID", help="Only this indicator, with all its sources.")
    ] = None,
    source: Annotated[Texts, Option(metavar="ID", help="Ask this source about every indicator.")] = None,
    cost: Annotated[Texts, Option(metavar="NAME=NUMBER", help='What asking costs: "sohr=2".')] = None,
    top: Annotated[int, Option(min=1, help="Lines to print.")] = 15,
    as_of: AsOf = None,
    draws: Draws = 1000,
    chains: Chains = 4,
    seed: Seed = 0,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Rank possible reports of the next or present period by expected information gain."""
    from forecast.analysis.collect import collect
    from forecast.case.folder import load_case
    from forecast.case.in_force import checked_as_of
    from forecast.report import json
    from forecast.report.text.tables import collect_lines

    def one(path: Path) -> None:
        case, costs = load_case(path), dict(_cost(text) for text in cost or ())
        day = checked_as_of(case.question, as_of)
        with progress_bar(path.name) as progress:
            table = collect(
                case, as_of=day, period=period, indicators=indicator or None, sources=source or None,
                costs=costs or None, draws=draws, chains=chains, seed=seed, progress=progress,
            )  # fmt: skip
        if as_json:
            output.document(json.collect(case, day, table))
        else:
            every, width = bool(indicator), output.width()
            output.lines(collect_lines(case, day, table, top=top, every=every, width=width))

    errors.each(cases, one, debug=debug)


def _cost(text: str) -> tuple[str, float]:
    """Return name and cost of "NAME=COST"."""
    name, _, number = text.partition("=")
    try:
        return name.strip(), float(number)
    except ValueError:
        fix = 'write, e.g., --cost "sohr=2" or --cost "fighting sohr=5"'
        allowed = "NAME=NUMBER, the name that of a source, of an indicator, or both"
        raise InputError([Fault("--cost", 0, text, "not a cost", allowed=allowed, fix=fix)]) from None
