"""The commands that ask about a forecast: why it is so, what would change it, what to look for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from forecast.cli.output import AsJson, AsOf, Cases, Debug

questions = typer.Typer()


@questions.command(epilog="Example: forecast explain scenarios/isis-jn-2014 --as-of 2014-11-23")
def explain(
    cases: Cases,
    changed: Annotated[
        bool, typer.Option("--changed", help="Also say what moved it since the last issued forecast.")
    ] = False,
    question_was: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The question as it was then, if it has been edited since."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many cells and reports to name.")] = 8,
    as_of: AsOf = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say why: the weight of evidence of each cell and report, and what was taken away from it."""
    from forecast.cli.explain import Options, run

    options = Options(changed=changed, question_was=question_was, as_of=as_of, top=top, as_json=as_json)
    raise typer.Exit(run(cases, options, debug=debug))


@questions.command(
    epilog='Example: forecast whatif scenarios/isis-jn-2014 --add "2014-11-20,fighting,no,rferl"'
)
def whatif(
    cases: Cases,
    add: Annotated[
        list[str] | None,
        typer.Option(metavar="REPORT", help='Imagine a report: "DATE,INDICATOR,VALUE,SOURCE[,...]".'),
    ] = None,
    drop: Annotated[list[str] | None, typer.Option(metavar="ID", help="Leave a report out.")] = None,
    drop_source: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Leave out all that a source reported.")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help='Judge otherwise: "reliability sohr=A", "prior=even".'
        ),
    ] = None,
    as_of: AsOf = None,
    draws: Annotated[int, typer.Option(min=1, help="Draws per chain.")] = 2000,
    chains: Annotated[int, typer.Option(min=1, help="Independent particle systems.")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random numbers.")] = 0,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Forecast with other evidence or judgements, beside the forecast as it is. Nothing is written."""
    from forecast.cli.whatif import Options, run

    options = Options(
        add=tuple(add or ()),
        drop=tuple(drop or ()),
        drop_sources=tuple(drop_source or ()),
        set=tuple(changes or ()),
        as_of=as_of,
        draws=draws,
        chains=chains,
        seed=seed,
        as_json=as_json,
    )
    raise typer.Exit(run(cases, options, debug=debug))


@questions.command(epilog="Example: forecast sensitivity scenarios/isis-jn-2014 --as-of 2014-11-23")
def sensitivity(
    cases: Cases,
    top: Annotated[
        int, typer.Option(min=1, help="How many judgements to list, and to try with learning.")
    ] = 10,
    as_of: AsOf = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say what the answer hangs on: judgements, their flip values, and the fewest reports that change it."""
    from forecast.cli.sensitivity import Options, run

    raise typer.Exit(run(cases, Options(top=top, as_of=as_of, as_json=as_json), debug=debug))


@questions.command(epilog="Example: forecast collect scenarios/isis-jn-2014 --as-of 2014-11-23")
def collect(
    cases: Cases,
    period: Annotated[
        Literal["present", "next"], typer.Option(help="The period that would be reported on.")
    ] = "next",
    indicator: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this indicator, with all its sources.")
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Ask this source about every indicator.")
    ] = None,
    cost: Annotated[
        list[str] | None, typer.Option(metavar="NAME=NUMBER", help='What asking costs: "sohr=2".')
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Lines to print.")] = 15,
    as_of: AsOf = None,
    draws: Annotated[int, typer.Option(min=1, help="Draws per chain.")] = 1000,
    chains: Annotated[int, typer.Option(min=1, help="Independent particle systems.")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random numbers.")] = 0,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say what to look for next: the information that each report is expected to bring."""
    from forecast.cli.collect import Options, run

    options = Options(
        period=period,
        indicators=tuple(indicator or ()),
        sources=tuple(source or ()),
        costs=tuple(cost or ()),
        top=top,
        as_of=as_of,
        draws=draws,
        chains=chains,
        seed=seed,
        as_json=as_json,
    )
    raise typer.Exit(run(cases, options, debug=debug))
