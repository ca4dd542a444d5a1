"""Cases and results of any size, made by hand, with all that plots read; and how to read a picture back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

import forecast
from forecast.analysis.attribution import STEPS
from forecast.case.evidence import Evidence, Report
from forecast.case.folder import Case
from forecast.case.judgement import Positive, Proportions
from forecast.case.question import Indicator, Moves, Question, Scenario, Source

OPENED, HORIZON, AS_OF = date(2014, 8, 24), date(2015, 6, 30), date(2015, 3, 12)
TITLES = (
    "Continued conflict between the two groups",
    "Tactical cooperation",
    "Operational partnership in the north and in the south",
    "Merger",
    "One absorbs the other after a defeat in the field",
    "Truce without cooperation, by the mediation of a third party",
    "Both are beaten",
    "None of these",
)
HOSTILE = r"<script>alert('$x$')</script> %{y} _{ \frac{ $5 & <b>"
SIZES = {"small": (3, 12), "large": (8, 300)}  # scenarios, reports


def case_of(
    size: str = "small", *, regime: bool = True, units: tuple[str, ...] = (), hostile: bool = False
) -> Case:
    """Return a case; `hostile`: with titles, notes and values that try to be something else."""
    number, reports = SIZES[size]
    titles = (*TITLES[: number - 1], TITLES[-1])
    if hostile:
        titles = tuple(f"{HOSTILE} {title}" for title in titles)
    ids = [f"s{n}" for n in range(number - 1)] + ["other"]
    many = 6 if size == "small" else 24
    question = Question(
        title=f"{HOSTILE} {'and so on ' * 30}" if hostile else "Will the two groups move to partnership?",
        opened=OPENED,
        horizon=HORIZON,
        scenarios=tuple(Scenario(id, title, id == "other") for id, title in zip(ids, titles, strict=True)),
        prior=Proportions((1 / number,) * number, 20.0),
        indicators=tuple(_indicator(n, number, hostile=hostile) for n in range(many)),
        sources=tuple(
            Source(id, HOSTILE if hostile else f"Source {id}", Proportions((0.2, 0.8), 10.0))
            for id in ("sohr", "press", "isw")
        ),
        dynamics=Moves(
            (Positive(0.05, 20.0),) * number,
            tuple(
                Proportions(tuple(0.0 if i == j else 1 / (number - 1) for j in range(number)), 20.0)
                for i in range(number)
            ),
        )
        if regime
        else None,
        units=units,
    )
    told = tuple(
        report for unit in units or ("",) for report in _reports(question, reports, unit, hostile=hostile)
    )
    return Case("case", Path("scenarios/case"), question, Evidence(told), "0123456789abcdef" * 4, ())


def _indicator(n: int, scenarios: int, *, hostile: bool) -> Indicator:
    title = HOSTILE if hostile else f"Indicator {n}: senior leaders or envoys of both groups meet in the open"
    chance = Proportions((0.9, 0.1), 20.0)
    return Indicator(f"indicator_{n}", title, "category", ("no", "yes"), (chance,) * scenarios)


def _reports(question: Question, number: int, unit: str, *, hostile: bool) -> list[Report]:
    rng = np.random.default_rng(1)
    days = np.sort(rng.integers(0, (AS_OF - OPENED).days, number))
    return [
        Report(
            f"{unit}r{n}",
            OPENED + timedelta(days=int(day)),
            OPENED + timedelta(days=int(day)),
            question.indicators[n % len(question.indicators)].id,
            HOSTILE if hostile else "yes",
            ("sohr", "press", "isw")[n % 3],
            note=HOSTILE if hostile else f"What was said in report {n}, at some length.",
            citation="Somewhere, p. 3",
            unit=unit,
        )
        for n, day in enumerate(days)
    ]


def tree_of(case: Case, *, as_of: date = AS_OF) -> xr.DataTree:
    """Return a result with those groups that plots read; its numbers are made up, other ones by unit."""
    question, rng = case.question, np.random.default_rng(2)
    ids = [scenario.id for scenario in question.scenarios]
    weeks = question.period(as_of) + 1
    units = len(question.units) or 1
    steps = question.period(question.horizon) - question.period(as_of) + 1
    walk = np.cumsum(rng.normal(0, 0.25, (weeks + steps, units, len(ids))), axis=0) + np.log(
        np.arange(len(ids), 0, -1)
    )
    chances = np.exp(walk) / np.exp(walk).sum(axis=-1, keepdims=True)
    past = [min(question.last_day(week), as_of) for week in range(weeks)]
    future = [min(question.last_day(question.period(as_of) + n), HORIZON) for n in range(steps)]
    dims = ("unit", "scenario") if question.units else ("scenario",)
    coords = {"scenario": ids} | ({"unit": list(question.units)} if question.units else {})

    def shaped(values: np.ndarray) -> np.ndarray:
        return values if question.units else values[:, 0]

    def course(time: str, days: list[date], values: np.ndarray) -> xr.Dataset:
        parts = {"probability": values, "low": 0.6 * values, "high": values + 0.3 * (1 - values)}
        return xr.Dataset(
            {name: ((time, *dims), shaped(part)) for name, part in parts.items()},
            coords | {time: np.array(days, dtype="datetime64[ns]")},
        )

    flat = np.broadcast_to(chances[weeks - 1], chances[weeks:].shape)
    outlook = course("date", future, chances[weeks:] if question.dynamics else flat)
    live = [report.id for report in case.evidence.known(as_of)]
    later = np.roll(chances[:weeks], 1, axis=-1)
    return xr.DataTree.from_dict(
        {
            "/": xr.Dataset(attrs={"as_of": as_of.isoformat(), "horizon": HORIZON.isoformat()}),
            "trend": course("as_of", past, chances[:weeks]),
            "outlook": outlook.assign(ever=outlook["high"].max("date")),
            "hindsight": xr.Dataset(
                {
                    "filtered": (("period", *dims), shaped(chances[:weeks] * 0.9 + 0.1 / len(ids))),
                    "smoothed": (("period", *dims), shaped(later)),
                },
                coords
                | {
                    "period": np.arange(weeks),
                    "period_end": (
                        "period",
                        np.array([question.last_day(n) for n in range(weeks)], dtype="datetime64[ns]"),
                    ),
                },
            ),
            "evidence": xr.Dataset(
                {"weight_of_evidence": (("report", "scenario"), rng.normal(0, 2, (len(live), len(ids))))},
                {"scenario": ids, "report": np.array(live, dtype=str)},
            ),
            **judged(case),
        }
    )


def judged(case: Case) -> dict[str, xr.Dataset]:
    """Return the groups prior, posterior and drift: likelihoods, reliabilities, stays and moves."""
    rng, question = np.random.default_rng(3), case.question
    ids, sources = [s.id for s in question.scenarios], [s.id for s in question.sources]
    groups = {}
    for name, centre in (("prior", 2.0), ("posterior", 6.0)):
        variables: dict = {}
        coords: dict = {"scenario": ids, "source": sources, "leaving_scenario": ids}
        for indicator in question.indicators:
            yes = rng.beta(centre, 8, (2, 50, len(ids)))
            dims = ("chain", "draw", "scenario", f"{indicator.id}_value")
            variables[f"likelihood_{indicator.id}"] = dims, np.stack([1 - yes, yes], axis=-1)
            coords[f"{indicator.id}_value"] = list(indicator.values)
        variables["reliability"] = ("chain", "draw", "source"), rng.beta(8, centre, (2, 50, len(sources)))
        stays = 10 * centre / rng.gamma(9, 1, (2, 50, len(ids)))
        variables["lasts"] = ("chain", "draw", "leaving_scenario"), stays
        moves = [f"{one} to {other}" for one in ids for other in ids if one != other]
        coords["move"] = moves
        variables["then"] = ("chain", "draw", "move"), rng.beta(centre, 4, (2, 50, len(moves)))
        groups[name] = xr.Dataset(variables, coords)
    names = [f"likelihood {i.id} {s}" for i in question.indicators for s in ids]
    names += [f"reliability {s}" for s in sources] + [f"leave {s}" for s in ids] + [f"then {s}" for s in ids]
    entries = ["yes"] * (len(question.indicators) * len(ids)) + [""] * (len(sources) + len(ids))
    entries += [ids[(n + 1) % len(ids)] for n in range(len(ids))]
    groups["drift"] = xr.Dataset(
        {name: ("judgement", rng.uniform(0, 1, len(names))) for name in ("said", "now", "tail")},
        {"judgement": np.array(names), "entry": ("judgement", np.array(entries)), "draws": 8000},
    )
    return groups


def explained(case: Case) -> xr.Dataset:
    """Return an explanation such as `forecast.explain` returns."""
    rng, question = np.random.default_rng(4), case.question
    ids, units = [s.id for s in question.scenarios], question.units or ("",)
    dims = ("unit", "scenario") if question.units else ("scenario",)
    cells = [(u, n, i.id) for u in units for n, i in enumerate(question.indicators)]
    weight = rng.normal(0, 2, (len(cells), len(ids)))
    before = np.linspace(5, -12, len(ids))
    shared, learning = rng.normal(0, 0.3, (2, len(ids)))
    whole = np.stack([weight[[u == unit for u, _, _ in cells]].sum(axis=0) for unit in units])
    lines = {
        "before": np.broadcast_to(before, whole.shape),
        "interaction": np.broadcast_to(shared, whole.shape),
    }
    lines["at_means"] = before + whole + shared
    lines |= {"learning": np.broadcast_to(learning, whole.shape), "engine": lines["at_means"] + learning}
    by_indicator = weight.reshape(len(units), -1, len(ids))

    def shaped(value: np.ndarray) -> np.ndarray:
        return value if question.units else value[0]

    return xr.Dataset(
        {name: (dims, shaped(value)) for name, value in lines.items()}
        | {
            "weight": (("cell", "scenario"), weight),
            "cell_indicator": ("cell", [i for _, _, i in cells]),
            "cell_unit": ("cell", [u for u, _, _ in cells]),
            "cell_period_end": (
                "cell",
                np.array([question.last_day(n) for _, n, _ in cells], dtype="datetime64[ns]"),
            ),
            "indicator_weight": ((*dims[:-1], "indicator", "scenario"), shaped(by_indicator)),
        },
        {
            "scenario": ids,
            "cell": [f"{u} {i} {question.last_day(n)}".strip() for u, n, i in cells],
            "indicator": [i.id for i in question.indicators],
        }
        | ({"unit": list(units)} if question.units else {}),
        {
            "as_of": AS_OF.isoformat(),
            "method": "leave one out" if question.dynamics else "in the order of time",
        },
    )


def moved(case: Case) -> xr.Dataset:
    """Return a split move such as `forecast.changed_since_issue` returns."""
    rng, question = np.random.default_rng(5), case.question
    number, units = len(question.scenarios), len(question.units) or 1
    dims = ("unit", "scenario") if question.units else ("scenario",)
    chances = rng.dirichlet(np.full(number, 40.0), (len(STEPS) + 1, units))
    chances = chances if question.units else chances[:, 0]
    variables: dict = {}
    for when in ("now", "horizon"):
        variables[when] = (("step", *dims), np.diff(chances, axis=0))
        variables[f"{when}_after"] = (("step", *dims), chances[1:])
        variables[f"{when}_issued"] = (dims, chances[0])
        chances = chances[::-1]
    coords = {"scenario": [s.id for s in question.scenarios], "step": list(STEPS)}
    return xr.Dataset(
        variables,
        coords | ({"unit": list(question.units)} if question.units else {}),
        {"since": "2015-03-05", "as_of": AS_OF.isoformat(), "regime": int(question.dynamics is not None)},
    )


def collected(case: Case) -> pd.DataFrame:
    """Return a ranking such as `forecast.collect` returns."""
    rows = []
    for unit in case.question.units or ("",):
        for n, indicator in enumerate(case.question.indicators):
            gain = 0.05 / (n + 1)
            row: dict = {"unit": unit} if unit else {}
            row |= {"indicator": indicator.id, "source": ("sohr", "press", "")[n % 3]}
            for name, share in (("now", 3.0), ("reported", 2.0), ("horizon", 1.0)):
                row |= {name: gain * share, f"{name}_error": 0.1 * gain * share}
            rows.append(row)
    table = pd.DataFrame(rows)
    table.attrs["period_end"] = "2015-03-21"
    return table


def retitled(case: Case, **titles: str) -> Case:
    """Return a case whose scenarios with these ids have these titles."""
    scenarios = tuple(
        replace(scenario, title=titles.get(scenario.id, scenario.title))
        for scenario in case.question.scenarios
    )
    return replace(case, question=replace(case.question, scenarios=scenarios))


# --- reading a picture back --------------------------------------------------------------------------------


def shown(figure: Figure) -> list[Text]:
    """Return every text that is drawn, ticks included."""
    figure.canvas.draw()
    found = list(figure.texts)
    every = [*figure.axes, *(scale for axes in figure.axes for scale in axes.child_axes)]
    for axes in every:
        found += [child for child in axes.get_children() if isinstance(child, Text)]
        found += [axes.xaxis.label, axes.yaxis.label]
        legend = axes.get_legend()
        found += legend.get_texts() if legend else []
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks():
                inside = low <= tick.get_loc() <= high
                found += [label for label in (tick.label1, tick.label2) if inside and label.get_visible()]
    for legend in figure.legends:
        found += legend.get_texts()
    return [text for text in found if text.get_text().strip() and text.get_visible()]


def collisions(figure: Figure) -> list[tuple[str, str]]:
    """Return the pairs of texts that lie over each other by more than a hair, and what leaves the page."""
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    page = figure.bbox
    boxes = [(text.get_text(), Text.get_window_extent(text, renderer)) for text in shown(figure)]
    hair = 0.01 * figure.dpi
    clash = [
        (one, other)
        for (one, a), (other, b) in combinations(boxes, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > hair and min(a.y1, b.y1) - max(a.y0, b.y0) > hair
    ]
    outside = [
        (one, "the page's edge")
        for one, box in boxes
        if box.x0 < page.x0 or box.x1 > page.x1 or box.y0 < page.y0 or box.y1 > page.y1
    ]
    return clash + outside


def xs(line: Line2D) -> np.ndarray:
    """Return where a line's points are along x."""
    return np.asarray(line.get_xdata())


def ys(line: Line2D) -> np.ndarray:
    """Return where a line's points are along y."""
    return np.asarray(line.get_ydata())


def edges(area: PolyCollection) -> set[float]:
    """Return the heights through which the edge of an area runs."""
    return set(np.round(np.asarray(area.get_paths()[0].vertices)[:, 1], 9).tolist())


def words(figure: Figure) -> list[str]:
    """Return the texts of a figure, each on one line."""
    return [" ".join(text.get_text().split()) for text in shown(figure)]


# --- every plot ---

#: Each plot by its name, and what makes up the result that it draws.
PLOTS: dict[str, Callable[[Case], Any]] = {
    "plot_trend": tree_of,
    "plot_area": tree_of,
    "plot_hindsight": tree_of,
    "plot_outlook": tree_of,
    "plot_evidence": explained,
    "plot_evidence_map": explained,
    "plot_changed": moved,
    "plot_collect": collected,
    "plot_judgements": tree_of,
}


def draw(name: str, case: Case, **options: Any) -> Any:
    """Draw a plot of a made-up result of a case."""
    return getattr(forecast, name)(case, PLOTS[name](case), **options)
