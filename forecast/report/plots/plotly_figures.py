"""Plotly figures of the trend and of the evidence map.

Plotly reads a small part of HTML in every text, formulas between dollars, and ``%{...}`` in templates. The
analyst's words go through :func:`escaped`, and hovers are plain texts, not templates.
"""

from __future__ import annotations

import html
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.report.plots.series import day_text
from forecast.report.styles import FAINT, GRID, INK, spread_labels

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from forecast.report.plots.series import EvidenceMap, NumberedReport, TrendPanel, TrendSeries

#: Pixels of a plotly figure for an inch of a printed one, and the usual width of a plot on the screen.
_INCH, _USUAL = 96, 750.0


def escaped(text: object, *, width: int = 0) -> str:
    """Return a text of the analyst as plotly shows it unchanged, broken into lines of so many characters.

    >>> escaped("<b>5 $</b>")
    '&lt;b&gt;5 &#36;&lt;/b&gt;'
    """
    whole = " ".join(str(text).split())
    lines = textwrap.wrap(str(text), width, break_on_hyphens=False) if width else [whole]
    return "<br>".join(html.escape(line).replace("$", "&#36;") for line in lines)


def new_figure(title: str, subtitle: str, *, height: float, width: float | None) -> go.Figure:
    """Return an empty plotly figure of a size in inches; without a width it fills its container."""
    import plotly.graph_objects as go

    head = escaped(textwrap.shorten(title, 160, placeholder=" ..."), width=80)
    below = escaped(subtitle, width=115)
    lines = (head + below).count("<br>")
    layout: dict[str, Any] = {
        "template": None,
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "font": {"color": INK, "size": 13},
        "title": {"text": f"{head}<br><sup>{below}</sup>", "x": 0.01, "xanchor": "left"},
        "height": _INCH * height,
        "margin": {"l": 60, "r": 30, "t": 110 + 22 * lines, "b": 50},
        "hovermode": "closest",
        "hoverlabel": {"align": "left", "bgcolor": "white"},
    }
    return go.Figure(layout=layout | ({"width": _INCH * width} if width else {}))


def plot_panels(title: str, subtitle: str, panels: list[TrendPanel], width: float | None) -> go.Figure:
    """Draw the trend and the outlook of each unit, one below another."""
    figure = new_figure(title, subtitle, height=1.6 + 3.9 * len(panels), width=width)
    names = [escaped(panel.unit) for panel in panels]
    figure.set_subplots(len(panels), 1, subplot_titles=names, vertical_spacing=0.3 / (1 + len(panels)))
    figure.update_annotations(x=0, xanchor="left", font={"size": 14, "color": INK})
    for row, panel in enumerate(panels, start=1):
        place = {"row": row, "col": 1}
        for series in (*panel.trend, *panel.outlook):
            _draw_band(figure, series, 0.13 if len(panel.trend) <= 4 else 0.07, place)
        for series in panel.trend:
            _draw_line(figure, series, place, mode="lines+markers", width=2.0, legend=row == 1)
        for series in panel.outlook:
            _draw_line(figure, series, place, mode="lines", width=1.2, legend=False)
        for series in panel.without_news:
            dotted = {"color": series.style.colour, "width": 1.2, "dash": "dot"}
            group = {"showlegend": False, "legendgroup": escaped(series.title), "hoverinfo": "skip"}
            figure.add_scatter(
                x=series.days, y=series.probability, mode="lines", line=dotted, **group, **place
            )
        _draw_numbers(figure, panel, place, legend=row == 1)
        note = f"as of {day_text(panel.as_of)}"
        note += f", outlook to {day_text(panel.last)}" if panel.outlook else ""
        # Plotly takes the mean of the ends to place a note, which it cannot do with dates of numpy.
        as_of = float(panel.as_of.astype("datetime64[ms]").astype(float))
        line = {"color": INK, "width": 1}
        figure.add_vline(x=as_of, line=line, annotation_text=note, annotation_position="top", **place)
        figure.update_yaxes(range=[0, 1], tickformat=".0%", gridcolor=GRID, zeroline=False, **place)
        figure.update_xaxes(
            minor={"tickvals": panel.period_ends, "ticks": "outside", "ticklen": 4, "tickcolor": FAINT},
            showgrid=False,
            range=[panel.first, panel.last] if panel.first < panel.last else None,
            **place,
        )
    return figure


def _draw_band(figure: go.Figure, series: TrendSeries, opacity: float, place: dict[str, int]) -> None:
    """Draw the central 90 %, shown and hidden together with its line."""
    figure.add_scatter(
        x=[*series.days, *series.days[::-1]],
        y=[*series.high, *series.low[::-1]],
        fill="toself",
        fillcolor=series.style.tint(opacity),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        legendgroup=escaped(series.title),
        **place,
    )


def _draw_line(
    figure: go.Figure, series: TrendSeries, place: dict[str, int], *, mode: str, width: float, legend: bool
) -> None:
    """Draw a scenario's probability; hovering shows the day, the number and its band."""
    style, title = series.style, escaped(series.title)
    edge = {"color": style.colour, "width": 1}
    points = zip(series.days, series.probability, series.low, series.high, strict=True)
    hover = [f"{title}<br>{str(day)[:10]}: {p:.1%} ({low:.1%} to {high:.1%})" for day, p, low, high in points]
    figure.add_scatter(
        x=series.days,
        y=series.probability,
        mode=mode,
        line={"color": style.colour, "dash": style.dash, "width": width},
        marker={"color": style.colour, "symbol": style.symbol, "size": 7, "line": edge},
        name=escaped(series.title, width=28),
        legendgroup=title,
        showlegend=legend,
        hoverinfo="text",
        hovertext=hover,
        **place,
    )


def _draw_numbers(figure: go.Figure, panel: TrendPanel, place: dict[str, int], *, legend: bool) -> None:
    """Draw hover points and report numbers above them without overlap."""
    labels = panel.labels
    days = np.array([panel.first, panel.last, *(label.day for label in labels)], dtype="datetime64[s]")
    first, last, *days = days.astype(float).tolist()
    places = [_USUAL * (day - first) / max(last - first, 1.0) for day in days]
    apart = spread_labels(places, [9.0 + 8.0 * len(label.text) for label in labels], high=_USUAL)
    box: dict[str, Any] = {"font": {"size": 11, "color": INK}, "bgcolor": "white", "bordercolor": INK}
    box |= {"arrowcolor": INK, "arrowwidth": 0.8, "arrowhead": 0}
    for label, x, middle in zip(labels, places, apart, strict=True):
        at = {"x": label.day, "y": label.height, "ax": middle - x, "ay": -32 if label.height < 0.9 else 32}
        figure.add_annotation(text=label.text, **at, **box, **place)
    figure.add_scatter(
        x=[label.day for label in labels],
        y=[label.height for label in labels],
        mode="markers",
        marker={"color": "white", "size": 6, "line": {"color": INK, "width": 1.2}},
        hoverinfo="text",
        hovertext=["<br><br>".join(_hover(one) for one in label.reports) for label in labels],
        name="reports, by number",
        showlegend=legend and bool(labels),
        **place,
    )


def _hover(one: NumberedReport) -> str:
    report = one.report
    lines = [
        f"{one.number}: {one.indicator} = {report.value}",
        f"{one.source}, {report.date}, known {report.reported}; {one.scenario} {one.weight}",
        report.note,
        report.citation,
    ]
    return "<br>".join(escaped(line, width=80) for line in lines if line)


def plot_map(shown: EvidenceMap, width: float | None) -> go.Figure:
    """Draw the weights of evidence as a heat map."""
    figure = new_figure(shown.title, shown.subtitle, height=2.2 + 0.36 * len(shown.rows), width=width)
    rows, columns = ([escaped(name, width=60) for name in names] for names in (shown.rows, shown.columns))
    hover = [
        [f"{row}<br>{column}: {text} decibans" for column, text in zip(columns, texts, strict=True)]
        for row, texts in zip(rows, shown.texts, strict=True)
    ]
    figure.add_heatmap(
        x=list(range(len(columns))),
        y=list(range(len(rows))),
        z=shown.weights,
        zmin=-shown.limit,
        zmax=shown.limit,
        colorscale="RdBu",
        text=shown.texts,
        texttemplate="%{text}",
        hoverinfo="text",
        hovertext=hover,
        xgap=2,
        ygap=2,
        colorbar={"title": {"text": "decibans"}},
    )
    names = [name if len(name) <= 86 else f"{name[:86].rstrip()}…" for name in shown.rows]  # two lines
    plain: dict[str, Any] = {"zeroline": False, "showgrid": False}
    down = plain | {"tickvals": list(range(len(rows))), "range": [len(rows) - 0.5, -0.5], "automargin": True}
    across = plain | {"tickvals": list(range(len(columns))), "side": "top"}
    text = [escaped(name, width=46) for name in names]
    figure.update_yaxes(ticktext=text, tickfont={"size": 11}, **down)
    figure.update_xaxes(ticktext=[escaped(name, width=18) for name in shown.columns], **across)
    figure.update_layout(margin_t=figure.layout.margin.t + 60)
    return figure
