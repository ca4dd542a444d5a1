"""The trend plot: how probable each scenario was on each day, how sure, what moved it, and what lies ahead.

Scenarios differ in colour, in line style and in marker, so that the plot can be read by the colour-blind and
from a black-and-white print. Their names stand beside their lines, so that no legend is needed.
"""

from __future__ import annotations

import re
import textwrap
import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from forecast.report.labels import spread
from forecast.report.looks import FAINT, INK, SMALL, Look, drawn, look_of
from forecast.report.report_strip import draw_reports
from forecast.report.summary import of_unit
from forecast.report.wording import percent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from forecast.case.folder import Case


# The layout, in inches; left and right as shares of the width.
_WIDE, _TALL, _ROW = 10.5, 3.6, 0.4
_TITLE, _ABOVE, _BETWEEN, _BELOW = 0.65, 0.45, 0.4, 0.4
_LEFT, _RIGHT = 0.065, 0.76

#: What matplotlib warns of where a font lacks a character.
_LACKING = re.compile(r"Glyph (\d+) ")

#: Ground of the part that is outlook.
_AHEAD = "#F4F4F1"


def trend_plot(case: Case, tree: xr.DataTree) -> Figure:
    """Draw the trend of a forecast and its outlook.

    Parameters
    ----------
    case : Case
        The case, for titles and for the reports' dates.
    tree : DataTree
        What :func:`forecast.update` returned for it.

    Returns
    -------
    matplotlib.figure.Figure
        Save it with ``figure.savefig(path)``, or with :func:`save`, which names the characters that the font
        lacks. No window is opened, and no global state is touched.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    units = case.question.units or ("",)
    strip = _ROW * tree["outlook"].sizes["scenario"]
    panel = _ABOVE + _TALL + _BETWEEN + strip + _BELOW
    figure = Figure(figsize=(_WIDE, _TITLE + panel * len(units)), dpi=150)
    FigureCanvasAgg(figure)
    for place, unit in enumerate(units):
        top = _TITLE + panel * place + _ABOVE
        chances = figure.add_axes(_box(figure, top, _TALL))
        reports = figure.add_axes(_box(figure, top + _TALL + _BETWEEN, strip), sharex=chances)
        _draw_chances(chances, case, tree, unit)
        draw_reports(reports, case, tree, unit)
        if unit:
            chances.set_title(
                unit, loc="left", fontsize=10, fontweight="bold", color=INK, pad=18, parse_math=False
            )
    _write_title(figure, case.question.title)
    return figure


def save(figure: Figure, path: Path | str) -> str:
    """Write a figure to a file; return the characters that its font lacks, which show as boxes."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        figure.savefig(path)
    missing = {found[1]: None for one in told if (found := _LACKING.match(str(one.message)))}
    return "".join(chr(int(code)) for code in missing)


def _box(figure: Figure, top: float, height: float) -> tuple[float, float, float, float]:
    """Return where axes stand (left, bottom, width, height as shares), from inches below the figure's top."""
    whole = figure.get_figheight()
    return _LEFT, 1 - (top + height) / whole, _RIGHT - _LEFT, height / whole


def _write_title(figure: Figure, title: str) -> None:
    height = figure.get_figheight()
    what = "Probability of each scenario as it was known on each day, with its central 90%"
    short = textwrap.shorten(title, 95)
    figure.text(0.012, 1 - 0.30 / height, short, fontsize=12.5, color=INK, parse_math=False)
    figure.text(0.012, 1 - 0.52 / height, what, fontsize=SMALL + 0.5, color=INK)


def _draw_chances(axes: Axes, case: Case, tree: xr.DataTree, unit: str) -> None:
    """Draw each scenario's probability with its band, up to today and on to the horizon."""
    trend = of_unit(tree["trend"].to_dataset(), unit)
    outlook = of_unit(tree["outlook"].to_dataset(), unit)
    looks = look_of(drawn(case, tree))
    today, regime = trend["as_of"].values[-1], case.question.dynamics is not None
    last = outlook["date"].values[-1] if regime else today
    ends = []
    for scenario in drawn(case, tree):
        own, look = trend.sel(scenario=scenario.id), looks[scenario.id]
        if "in_force" in own:
            own = own.isel(as_of=np.flatnonzero(own["in_force"].values))
        _draw_course(axes, own["as_of"].values, own, look, weight=2.0)
        if scenario.id not in outlook["scenario"]:
            _name_ended(axes, own.isel(as_of=-1), scenario.title, look)
            continue
        ahead = outlook.sel(scenario=scenario.id)
        if regime:
            # The first date of the outlook is the present period's end; until then it is what it is today.
            days = np.concatenate([[today], ahead["date"].values])
            _draw_course(axes, days, ahead.isel(date=[0, *range(len(days) - 1)]), look, weight=1.1)
        end = ahead.isel(date=-1) if regime else own.isel(as_of=-1)
        ends.append((scenario.title, float(end["probability"]), look))
    if regime:
        axes.axvspan(today, last, color=_AHEAD, zorder=0, linewidth=0)
    start = np.datetime64(case.question.opened).astype(trend["as_of"].dtype)
    _set_up(axes, start, last)
    _mark_days(axes, today, last, early=bool((today - start) < 0.2 * (last - start)))
    _label_ends(axes, ends)


def _name_ended(axes: Axes, last: xr.Dataset, title: str, look: Look) -> None:
    """Write a scenario's name where its line stops, before the day on which it ended."""
    place = (last["as_of"].values, float(last["probability"]))
    style: dict[str, Any] = {"fontsize": SMALL, "color": look.colour, "parse_math": False}
    axes.annotate(title, place, (-4, 5), textcoords="offset points", ha="right", **style)


def _draw_course(axes: Axes, days: Any, course: xr.Dataset, look: Look, *, weight: float) -> None:
    probability = course["probability"].values
    axes.fill_between(
        days, course["low"].values, course["high"].values, color=look.colour, alpha=0.13, linewidth=0
    )
    axes.plot(
        days,
        probability,
        color=look.colour,
        linestyle=look.line,
        linewidth=weight,
        marker=look.marker,
        markersize=4.5 if weight > 1.5 else 0,
        markevery=max(1, len(days) // 10),
        solid_capstyle="round",
        zorder=3,
    )


def _set_up(axes: Axes, first: Any, last: Any) -> None:
    from matplotlib.dates import date2num
    from matplotlib.ticker import MultipleLocator, PercentFormatter

    axes.set_ylim(0, 1)
    # A little room on the left, so that the first marker is whole; a lone point stands in the middle.
    room = 0.012 * (last - first) if first < last else np.timedelta64(3, "D")
    axes.set_xlim(*date2num([first - room, last if first < last else last + room]))  # type: ignore[no-untyped-call]
    axes.yaxis.set_major_locator(MultipleLocator(0.25))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(axis="x", labelbottom=False, length=0)
    axes.tick_params(axis="y", labelsize=SMALL, length=0, labelcolor=INK)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)


def _mark_days(axes: Axes, today: Any, last: Any, *, early: bool) -> None:
    """Say which part is knowledge and which is outlook; `early`: there is no room left of today's line."""

    def note(text: str, side: Literal["left", "right"]) -> None:
        axes.annotate(
            text,
            (today, 1.0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            xytext=(4 if side == "left" else -4, 4),
            horizontalalignment=side,
            fontsize=SMALL,
            color=INK,
        )

    axes.axvline(today, color=INK, linewidth=0.9, zorder=2)
    known, ahead = f"as of {_day(today)}", f"outlook to {_day(last)}"
    if early:
        note(f"{known}, {ahead}" if last > today else known, "left")
    else:
        note(known, "right")
        if last > today:
            note(ahead, "left")


def _label_ends(axes: Axes, ends: Sequence[tuple[str, float, Look]]) -> None:
    """Write each scenario's number and name beside the end of its line, none over another."""
    texts = [textwrap.wrap(title, 24) for title, _, _ in ends]
    # Heights as shares of the axes: a line of text is about 13 points high.
    line = 13.0 / (72 * _TALL)
    places = spread([p for _, p, _ in ends], [line * (len(text) + 0.3) for text in texts])
    for text, place, (_, probability, look) in zip(texts, places, ends, strict=True):
        axes.annotate(
            "",
            xy=(1.0, probability),
            xytext=(1.03, place),
            xycoords="axes fraction",
            arrowprops={
                "arrowstyle": "-",
                "color": look.colour,
                "linewidth": 0.8,
                "shrinkA": 0,
                "shrinkB": 0,
            },
            annotation_clip=False,
        )
        style: dict[str, Any] = {"fontsize": 9.5, "color": look.colour, "verticalalignment": "center"}
        axes.text(
            1.08,
            place,
            percent(probability),
            transform=axes.transAxes,
            ha="right",
            fontweight="bold",
            **style,
        )
        name = "\n".join(text)
        axes.text(1.09, place, name, transform=axes.transAxes, ha="left", parse_math=False, **style)
        axes.plot(
            [1.0],
            [probability],
            transform=axes.transAxes,
            marker=look.marker,
            color=look.colour,
            markersize=5.5,
            clip_on=False,
            zorder=4,
        )


def _day(moment: Any) -> str:
    day = moment.astype("datetime64[D]").item()
    return f"{day.day} {day:%B %Y}"
