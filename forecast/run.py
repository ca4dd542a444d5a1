"""The weekly run: check, infer, compare with the last issue, write the brief, issue.

Analyses, record and report, which do not know each other, meet here. Nothing is printed. What is heavy is
imported by the function that needs it, so that a second run within the week, which infers nothing, is quick.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from forecast._version import __version__
from forecast.case.errors import InputError
from forecast.case.folder import Case, load_case
from forecast.case.in_force import checked_as_of, in_force, version_with
from forecast.record.ledger import LEDGER, Entry, Inputs, read_ledger

if TYPE_CHECKING:
    import xarray as xr

    from forecast.case.question import Question
    from forecast.inference.data_tree import Engine
    from forecast.report.brief.data import BriefData
    from forecast.report.summary import Summary

type Status = Literal["issued", "issued before", "nothing changed", "dry run", "refused"]
type Progress = Callable[[str, float], None]
type Notify = Callable[[str], None]

#: The case's folder for all that can be computed again, and what a run writes there.
OUTPUT, DOCUMENT, PAGE, MARKDOWN, PLOT = "output", "forecast.json", "brief.html", "brief.md", "trend.png"

#: Draws of each chain for the order in which to look for reports, where the last digits do not matter.
DRAWS = 500

COMPILING = "First run: compiling the numerical code, once; this takes about a minute."
COMPILING_NUTS = "nuts: compiling the model first; this takes a minute or more."


@dataclass(frozen=True, slots=True)
class Weekly:
    """A weekly run of one case.

    `status` is "issued"; "issued before" (written anew, in the ledger already); "nothing changed" (neither
    inferred nor written: `rows` are the ledger's of this very forecast, and there is no `tree` and no
    `summary`); "dry run"; or "refused" (by the engine: nothing was written). `document` is the forecast as
    one line of JSON, "" where it was refused or not asked for; `brief_data` is what a written brief shows.
    """

    case: Case
    inputs: Inputs
    status: Status
    document: str = ""
    rows: tuple[Entry, ...] = ()
    tree: xr.DataTree | None = None
    summary: Summary | None = None
    brief_data: BriefData | None = None

    @property
    def refused(self) -> str:
        """The reason why the numbers must not be issued, or ""."""
        return "" if self.tree is None else str(self.tree.attrs.get("refused", ""))

    @property
    def output(self) -> Path:
        """The folder of the brief, the plot and the document."""
        return self.case.path / OUTPUT


def weekly(
    case: Case | Path | str,
    *,
    as_of: date | None = None,
    engine: Engine = "smc",
    draws: int = 2000,
    chains: int = 4,
    tolerance: float = 0.01,
    seed: int = 0,
    dry_run: bool = False,
    document: bool = True,
    progress: Progress | None = None,
    notify: Notify | None = None,
    on_summary: Callable[[Summary], None] | None = None,
) -> Weekly:
    """Forecast a case, write brief and trend plot to its `output/`, and issue the forecast to its ledger.

    Nothing is written before all that can fail has been done. What was issued from the very same inputs, and
    still lies in `output/`, is not inferred again.

    Parameters
    ----------
    case, as_of, engine, draws, chains, tolerance, seed
        As for :func:`forecast.update`.
    dry_run : bool
        Write and issue nothing.
    document : bool
        On a dry run: whether the JSON document is made, for which the engine is run a few times more.
    progress, notify : function, optional
        Are given what is being done with the share of it that is done, and remarks for a person who waits.
    on_summary : function, optional
        Is given the summary before anything is written; if it raises, nothing is.

    Raises
    ------
    InputError
        If question, evidence or ledger are at fault, or no scenario allows the evidence.

    Examples
    --------
    >>> forecast.weekly("scenarios/isis-jn-2014", as_of=date(2014, 11, 23)).status  # doctest: +SKIP
    'issued'
    """
    case, ledger = checked(case)
    inputs = inputs_of(case, as_of, engine, draws, chains, tolerance, seed)
    rows, text = issued_before(case, ledger, inputs)
    if rows and not dry_run:
        return Weekly(case, inputs, "nothing changed", text, rows)
    return _anew(case, ledger, inputs, dry_run, document, progress, notify, on_summary)


def _anew(
    case: Case,
    ledger: Sequence[Entry],
    inputs: Inputs,
    dry_run: bool,
    document: bool,
    progress: Progress | None,
    notify: Notify | None,
    on_summary: Callable[[Summary], None] | None,
) -> Weekly:
    """Infer a forecast, and write and issue it unless it is a dry run."""
    from forecast.record.issue import issue
    from forecast.report.json import document as json_document

    tree, summary = _inferred(case, ledger, inputs, progress, notify)
    run = Weekly(case, inputs, "dry run", tree=tree, summary=summary)
    if on_summary:
        on_summary(summary)
    if run.refused:
        return replace(run, status="refused")
    if dry_run and not document:
        return run
    change = _change(case, tree, ledger, progress)
    text = json.dumps(json_document(summary, tree, change), allow_nan=False) + "\n"
    if dry_run:
        return replace(run, document=text)
    brief_data = gather(summary, tree, ledger, change=change)
    _write(summary, tree, brief_data, notify)
    status: Status = "issued" if issue(case, tree) else "issued before"
    (run.output / DOCUMENT).write_text(text, encoding="utf-8")  # last of all: it vouches for the rest
    return replace(run, status=status, document=text, brief_data=brief_data)


def _inferred(
    case: Case, ledger: Sequence[Entry], inputs: Inputs, progress: Progress | None, notify: Notify | None
) -> tuple[xr.DataTree, Summary]:
    """Return the result and its summary."""
    from forecast.analysis.filing import with_reporting_ignored
    from forecast.report.summary import summarise

    tree = infer(case, inputs, progress=progress, notify=notify)
    return tree, summarise(case, tree, ledger, filed=with_reporting_ignored(case, tree))


def weekly_many(
    cases: Iterable[Path | str], run: Callable[[Path], Weekly] = weekly
) -> Iterator[tuple[Path, Weekly | Exception]]:
    """Make the weekly run of several cases, one after the other, going on past those that fail.

    `run` is what is done with each: :func:`weekly`, or a partial of it that sets options. Yields each folder
    as soon as it is done, with its run, or with the error that ended it.

    Examples
    --------
    >>> for path, run in weekly_many(["a", "b"], partial(weekly, seed=1)):  # doctest: +SKIP
    ...     print(path, run if isinstance(run, Exception) else run.status)
    """
    for path in map(Path, cases):
        try:
            done: Weekly | Exception = run(path)
        except Exception as error:
            done = error
        yield path, done


class Brief(NamedTuple):
    """A brief that was written: its file, and the summary that it shows."""

    path: Path
    summary: Summary


def brief(
    case: Case | Path | str,
    *,
    format: Literal["html", "md"] = "html",
    as_of: date | None = None,
    progress: Progress | None = None,
    notify: Notify | None = None,
) -> Brief:
    """Write the weekly brief to the case's `output/` without issuing a forecast.

    Parameters
    ----------
    format : {"html", "md"}
        "html" writes the page; "md" the Markdown, the page and the trend plot. The path is of what is asked.
    case, as_of, progress, notify
        As for :func:`weekly`, which raises the same errors.

    Examples
    --------
    >>> forecast.brief("scenarios/isis-jn-2014", as_of=date(2014, 11, 23)).path  # doctest: +SKIP
    PosixPath('scenarios/isis-jn-2014/output/brief.html')
    """
    case, ledger = checked(case)
    tree, summary = _inferred(case, ledger, inputs_of(case, as_of), progress, notify)
    brief_data = gather(summary, tree, ledger, change=_change(case, tree, ledger, progress))
    folder = _write(summary, tree, brief_data, notify, page_only=format == "html")
    return Brief(folder / (PAGE if format == "html" else MARKDOWN), summary)


def check(case: Path | str) -> Case:
    """Read a case folder; its `warnings` do not stand in the way of a forecast.

    Raises
    ------
    InputError
        With every fault of ``question.yaml``, ``evidence.csv`` and ``forecasts.csv`` at once.

    Examples
    --------
    >>> check("scenarios/isis-jn-2014").warnings  # doctest: +SKIP
    ()
    """
    return checked(case)[0]


def checked(case: Case | Path | str) -> tuple[Case, tuple[Entry, ...]]:
    """Return a case and its ledger, or raise every fault of all three files at once."""
    folder = case.path if isinstance(case, Case) else Path(case)
    try:
        loaded = case if isinstance(case, Case) else load_case(folder)
    except InputError as error:
        try:
            read_ledger(folder / LEDGER)
        except InputError as other:
            raise InputError([*error.faults, *other.faults]) from error
        raise
    return loaded, read_ledger(folder / LEDGER)


def issued_before(case: Case, ledger: Sequence[Entry], inputs: Inputs) -> tuple[tuple[Entry, ...], str]:
    """Return the ledger's rows of this very forecast and its document; nothing if it is to be made anew.

    It is to be made anew if it was never issued, if a row of it is missing, or if what lies in the output
    folder is not all of it: the document there must have the ledger's probabilities to the last digit.
    """
    rows = tuple(entry for entry in ledger if entry.inputs == inputs)
    scenarios = case.on(inputs.as_of).question.scenario_ids
    wanted = {(unit, id) for unit in case.question.unit_names for id in scenarios}
    if {(row.unit, row.scenario) for row in rows} != wanted or len(rows) != len(wanted):
        return (), ""
    recorded = {(row.unit, row.scenario): (row.probability, row.horizon_probability) for row in rows}
    try:
        text = (case.path / OUTPUT / DOCUMENT).read_text(encoding="utf-8")
        written = _numbers(json.loads(text))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # gone, or not what was written there
        return (), ""
    whole = all((case.path / OUTPUT / name).exists() for name in (PAGE, MARKDOWN, PLOT))
    return (rows, text) if whole and written == recorded else ((), "")


def _numbers(document: dict[str, Any]) -> dict[tuple[str, str], tuple[float, float]]:
    """Return the probabilities of a document, now and at the horizon, by unit and scenario."""
    return {
        (view.get("unit", ""), one["id"]): (one["probability"], one["at_horizon"]["probability"])
        for view in document.get("units", [document])
        for one in view["scenarios"]
    }


def inputs_of(
    case: Case,
    as_of: date | None = None,
    engine: Engine = "smc",
    draws: int = 2000,
    chains: int = 4,
    tolerance: float = 0.01,
    seed: int = 0,
) -> Inputs:
    """Return everything that decides a forecast's numbers."""
    day = checked_as_of(case.question, as_of)
    return Inputs(day, case.digest, engine, draws, chains, tolerance, seed, __version__)


def infer(
    case: Case, inputs: Inputs, *, progress: Progress | None = None, notify: Notify | None = None
) -> xr.DataTree:
    """Infer the forecast that the inputs decide, saying first what will take a minute."""
    from forecast.inference.engine import update
    from forecast.model.jit import cache_is_cold

    if notify and (inputs.engine == "nuts" or cache_is_cold()):
        notify(COMPILING_NUTS if inputs.engine == "nuts" else COMPILING)
    names = ("as_of", "engine", "draws", "chains", "tolerance", "seed")
    settings: dict[str, Any] = {name: getattr(inputs, name) for name in names}
    return update(case, **settings, progress=progress and partial(progress, case.name))


def changed_since_issue(
    case: Case,
    tree: xr.DataTree,
    *,
    ledger: Sequence[Entry] | None = None,
    question_was: Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> xr.Dataset | None:
    """Split the move since the last issued forecast, None if none was issued before.

    Parameters
    ----------
    case, tree
        The case, and what :func:`forecast.update` returned for it.
    ledger : sequence of Entry, optional
        The forecasts issued so far; default: what the ledger in the case's folder holds.
    question_was : Path, optional
        The question's file as it was then, where it has been edited since.
    progress : function, optional
        Is given the share that is done: the engine is run a few times.

    Returns
    -------
    Dataset or None
        See :func:`forecast.analysis.attribution.changed`.

    Raises
    ------
    InputError
        If the ledger, or the older question, cannot be understood.

    Examples
    --------
    >>> changed_since_issue(case, forecast.update(case))  # doctest: +SKIP
    """
    import numpy as np

    from forecast.analysis.attribution import IssuedForecast, changed
    from forecast.record.issue import inputs, last_issue

    rows = last_issue(read_ledger(case.path / LEDGER) if ledger is None else ledger, inputs(tree))
    by_name = {(row.unit, row.scenario): row for row in rows}
    units = case.question.unit_names
    scenarios = _issued_scenarios(case.question, inputs(tree).as_of, {row.scenario for row in rows})
    if any((unit, id) not in by_name for unit in units for id in scenarios) or not scenarios:
        return None
    now = np.array([[by_name[unit, id].probability for id in scenarios] for unit in units])
    horizon = np.array([[by_name[unit, id].horizon_probability for id in scenarios] for unit in units])
    issued = IssuedForecast(rows[0].as_of, rows[0].digest, now, horizon, scenarios)
    return changed(case, tree, issued, question_was=question_was, progress=progress)


def _issued_scenarios(question: Question, day: date, issued: set[str]) -> tuple[str, ...]:
    """Return the scenarios in which an issued forecast is given: those of an era, or today's; or none."""
    present = in_force(question, day).scenario_ids
    form = version_with(question, issued, by=version_with(question, present))
    if form is not None:
        return question.versions[form].scenario_ids
    return present if issued >= set(present) else ()


def _change(
    case: Case, tree: xr.DataTree, ledger: Sequence[Entry], progress: Progress | None
) -> xr.Dataset | None:
    """Split the move since the last issue where that takes seconds: with the engine nuts it takes minutes."""
    if tree.attrs["engine"] != "smc":
        return None
    shown = progress and partial(progress, f"{case.name}, what moved it")
    return changed_since_issue(case, tree, ledger=ledger, progress=shown)


def gather(
    summary: Summary, tree: xr.DataTree, ledger: Sequence[Entry] = (), *, change: xr.Dataset | None = None
) -> BriefData:
    """Ask every analysis once for what the brief says beyond the summary.

    Parameters
    ----------
    summary, tree
        What :func:`forecast.summarise` picked from the result, and the result itself.
    ledger : sequence of Entry, optional
        The forecasts issued so far, which are laid over the trend.
    change : Dataset, optional
        What :func:`forecast.changed_since_issue` returned.

    Examples
    --------
    >>> brief_data = forecast.gather(forecast.summarise(case, tree), tree)  # doctest: +SKIP
    """
    from forecast.analysis.collect import collect_from
    from forecast.analysis.influence import report_effects, source_effects
    from forecast.analysis.late_reports import revisions
    from forecast.analysis.plug_in import plug_in_model
    from forecast.analysis.review import QUICK, review
    from forecast.analysis.sensitivity.sensitivity import swing_most
    from forecast.analysis.source_agreement import corroboration
    from forecast.analysis.weight_of_evidence import explain
    from forecast.report.brief.data import BriefData

    day = summary.inputs.as_of
    case = summary.case.on(day)
    question = case.question
    model = plug_in_model(question, case.evidence, day, tree)
    closed = question.period(day) == question.period(question.horizon) or not question.sources
    earlier = (one for one in ledger if question.opened <= one.as_of <= day and one.inputs != summary.inputs)
    return BriefData(
        regime=summary.regime,
        change=change,
        explanation=explain(case, tree=tree, model=model),
        source_effects=source_effects(case, model),
        revisions=revisions(case, tree, summary.since),
        report_effects=report_effects(case, model),
        swings=swing_most(tree, model),
        collection=None if closed else collect_from(case, tree, model, draws=DRAWS),
        corroboration=corroboration(case, day),
        failed_checks=tuple(check for check in review(tree, checks=QUICK) if check.verdict != "PASS"),
        trend=tree["trend"].to_dataset(),
        outlook=tree["outlook"].to_dataset(),
        issued=tuple(earlier),
    )


def _write(
    summary: Summary, tree: xr.DataTree, data: BriefData, notify: Notify | None, *, page_only: bool = False
) -> Path:
    """Write the page, and the Markdown with the trend plot, to the output folder; return the folder."""
    from forecast.report.brief.markdown import brief_markdown
    from forecast.report.brief.write import brief_html

    texts = {PAGE: brief_html(summary, data)}
    if not page_only:
        from forecast.report.plots.base import save
        from forecast.report.plots.trend import plot_trend

        texts[MARKDOWN] = brief_markdown(summary, data, picture=PLOT)
        plot = plot_trend(summary.case, tree)
    folder = summary.case.path / OUTPUT
    folder.mkdir(exist_ok=True)
    (folder / DOCUMENT).unlink(missing_ok=True)  # it vouches for what is written over now
    if not page_only and (missing := save(plot, folder / PLOT)) and notify:
        notify(f"{PLOT}: the plot's font has no {missing}: boxes stand in their place.")
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder
