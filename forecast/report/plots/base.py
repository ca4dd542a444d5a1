"""Matplotlib helpers: figures and axes, text fitted by measured width, axis scales, lines and bands.

No function uses pyplot, so no window opens and no global state changes. Texts of the analyst are never read
as formulas. Lengths are in inches.
"""

from __future__ import annotations

import re
import warnings
from bisect import bisect_left
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from matplotlib.figure import Figure

from forecast.report.styles import FAINT, GRID, INK, SMALL

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from pathlib import Path

    import numpy as np
    from matplotlib.axes import Axes

    from forecast.report.plots.series import TrendSeries


type Style = dict[str, Any]  #: Options of a function of matplotlib, by name
WIDE = 8.0  #: Width of a figure where none is asked for: two columns of a paper, or a slide
EDGE, LINE = 0.1, 0.155  #: Margin around a figure, and the height of a line of small text

#: Names of rows are set in this size, in at most two lines, on at most this share of the figure's width.
ROW_SIZE, _ROW_SHARE = SMALL - 1, 0.36

_NO_BREAK = "\N{NO-BREAK SPACE}"
_LACKING = re.compile(r"Glyph (\d+) ")  #: What matplotlib warns of where a font lacks a character


class RowLabel(NamedTuple):
    """The name of a row: the head may be shortened, the tail may not."""

    head: str
    tail: str = ""


class NotebookFigure(Figure):
    """A figure that a notebook shows, also where pyplot, which otherwise sees to it, is not loaded."""

    def _repr_png_(self) -> bytes:
        buffer = BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = NotebookFigure(figsize=(width, height), dpi=150)
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: Path | str) -> str:
    """Write a figure to a file; return the characters that its font lacks, which show as boxes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        figure.savefig(path)
    missing = {match[1]: None for one in caught if (match := _LACKING.match(str(one.message)))}
    return "".join(chr(int(code)) for code in missing)


def titled_figure(width: float, height: float, title: str, subtitle: str) -> tuple[Figure, float]:
    """Return a figure with so much height below its title, and the height that title and subtitle take."""
    head = fit(title, width - 2 * EDGE, size=11.5, lines=2)
    below = fit(subtitle, width - 2 * EDGE, lines=3)
    second = EDGE + 0.2 * (head.count("\n") + 1) + 0.06
    top = second + LINE * (below.count("\n") + 1) + 0.08
    figure = new_figure(width, top + height)
    for text, size, y in ((head, 11.5, EDGE), (below, SMALL, second)):
        style: Style = {"color": INK, "verticalalignment": "top", "parse_math": False}
        figure.text(EDGE / width, 1 - y / (top + height), text, fontsize=size, **style)
    return figure, top


def titled_grid(
    width: float, height: float, title: str, subtitle: str, number: int = 1, columns: int = 1, **options: Any
) -> tuple[Figure, list[Axes]]:
    """Return a titled figure in constrained layout, and so many axes in rows of so many columns."""
    figure, top = titled_figure(width, height, title, subtitle)
    figure.set_layout_engine(
        "constrained", rect=(0, 0, 1, height / (top + height)), w_pad=0.08, h_pad=0.06, wspace=0, hspace=0
    )
    grid = figure.subplots(-(-number // columns), columns, squeeze=False, **options)
    panels, others = grid.flat[:number].tolist(), grid.flat[number:]
    for axes in panels:
        style_axes(axes)
    for axes in others:
        axes.remove()
    return figure, panels


def grid_shape(number: int, most: int) -> tuple[int, int]:
    """Return the rows and columns of so many panels, with at most so many columns and no empty row.

    >>> grid_shape(4, 3), grid_shape(8, 3), grid_shape(8, 4)
    ((2, 2), (3, 3), (2, 4))
    """
    rows = -(-number // max(1, min(number, most)))
    return rows, -(-number // rows)


def add_axes(
    figure: Figure, left: float, top: float, width: float, height: float, *, like: Axes | None = None
) -> Axes:
    """Add axes, placed from the figure's left and top; `like`: axes to share the horizontal axis with."""
    wide, tall = figure.get_size_inches()
    box = (left / wide, 1 - (top + height) / tall, width / wide, height / tall)
    axes = figure.add_axes(box, sharex=like)
    style_axes(axes)
    return axes


def style_axes(axes: Axes) -> None:
    """Draw only the lower edge of axes, and no ticks."""
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.tick_params(labelsize=SMALL - 0.5, length=0, labelcolor=INK)
    axes.set_axisbelow(True)


def size_of(axes: Axes) -> tuple[float, float]:
    """Return width and height of axes outside of a constrained layout."""
    figure, box = axes.get_figure(root=True), axes.get_position()
    assert figure is not None
    wide, tall = figure.get_size_inches()
    return box.width * wide, box.height * tall


def text_at(axes: Axes, x: float, y: float, text: str, *, size: float = SMALL, **style: Any) -> None:
    """Write a text at a place given in shares of axes, its vertical middle there."""
    own: Style = {"color": INK, "verticalalignment": "center", "transform": axes.transAxes}
    axes.text(x, y, text, fontsize=size, parse_math=False, **own | style)


def inches(text: str, *, size: float = SMALL, bold: bool = False) -> float:
    """Return the width of the widest line of a text."""
    from matplotlib import rcParams

    fonts = tuple(rcParams["font.family"]), tuple(rcParams["font.sans-serif"]), rcParams["text.hinting"]
    space = _measured("n n", size, bold, fonts) - _measured("nn", size, bold, fonts)
    return max(
        sum(_measured(word, size, bold, fonts) for word in line.split(" ") if word) + space * line.count(" ")
        for line in text.split("\n")
    )


@lru_cache(maxsize=4096)
def _measured(word: str, size: float, bold: bool, _fonts: Hashable) -> float:
    """Return the width of a word; measuring is slow, and the chosen fonts are part of the cache's key."""
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.font_manager import FontProperties

    font = FontProperties(size=size, weight="bold" if bold else "normal")
    renderer = RendererAgg(1, 1, 72)  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():  # `save` reports characters that the font lacks
        warnings.simplefilter("ignore")
        return renderer.get_text_width_height_descent(word, font, ismath=False)[0] / 72  # type: ignore[no-untyped-call]


def fit(
    text: str, width: float, *, tail: str = "", size: float = SMALL, lines: int = 1, bold: bool = False
) -> str:
    """Return a text with its tail in at most so many lines of a width; only the text is shortened."""

    def fits(line: str) -> bool:
        return inches(line, size=size, bold=bold) <= width - 0.01

    whole = _broken(text, fits, lines)
    if not tail:
        return whole
    end = tail.replace(" ", _NO_BREAK) if fits(tail) else tail

    def with_tail(start: str) -> str:
        return _broken(f"{start} {end}", fits, lines)

    whole = with_tail(text)
    if whole.endswith("…"):
        whole = with_tail(_shortened(text, lambda start: not with_tail(start).endswith("…")))
    return whole.replace(_NO_BREAK, " ")


def _broken(text: str, fits: Callable[[str], bool], lines: int) -> str:
    """Return a text in lines that fit, its end left out if need be; no line is broken at a no-break space."""
    done: list[str] = []
    line = ""
    for word in filter(None, re.split(r"[ \t\r\n]+", text)):
        longer = f"{line} {word}".lstrip(" ")
        if line and len(done) + 1 < lines and not fits(longer):
            done.append(line)
            longer = word
        line = longer
        if not fits(line):
            line = _shortened(line, fits)
            break
    return "\n".join([*done, line])


def _shortened(text: str, fits: Callable[[str], bool]) -> str:
    """Return the longest start of a text that fits with an ellipsis."""
    starts = [f"{text[:size].rstrip()}…" for size in range(len(text) + 1)]
    too_long = bisect_left(starts, True, lo=1, key=lambda start: not fits(start))
    return starts[too_long - 1]


def row_labels(labels: Sequence[RowLabel], width: float) -> list[str]:
    """Return the names of rows as they are set in a figure of this width."""
    room = _ROW_SHARE * width
    return [fit(label.head, room, tail=label.tail, size=ROW_SIZE, lines=2) for label in labels]


def rows_height(names: Sequence[str]) -> float:
    """Return the height of rows, of two lines each if one name has two."""
    return (0.3 if any("\n" in name for name in names) else 0.21) * max(len(names), 1)


def rows_room(names: Sequence[str], width: float) -> float:
    """Return the width that is left beside the names of rows in a figure of this width."""
    return width - max((inches(name, size=ROW_SIZE) for name in names), default=0.0) - 4 * EDGE


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Place rows from 0 downwards, and write their names on the left."""
    axes.set_ylim(max(len(names), 1) - 0.5, -0.5)
    style: Style = {"fontsize": ROW_SIZE, "linespacing": 1.0, "parse_math": False}
    axes.set_yticks(range(len(names)), names, **style)


def value_axis(
    axes: Axes, limits: tuple[float, float] | None, label: str = "", *, zero: float = 0.0, most: int = 9
) -> None:
    """Set range, name and grid lines of the horizontal axis; with a range, draw a line at `zero`."""
    if limits:
        axes.set_xlim(*limits)
        axes.axvline(zero, color=FAINT, linewidth=0.8, zorder=1)
    axes.grid(axis="x", color=GRID, linewidth=0.5)
    axes.tick_params(axis="x", length=3, color=FAINT)
    axes.locator_params(axis="x", nbins=most)
    axes.set_xlabel(label, fontsize=SMALL - 0.5, color=INK, parse_math=False)


def name_panel(axes: Axes, name: str, colour: str, width: float) -> None:
    """Write a name above axes of this width."""
    style: Style = {"fontsize": SMALL, "fontweight": "bold", "color": colour, "parse_math": False}
    axes.set_title(fit(name, width, lines=2, bold=True), loc="left", pad=3, **style)


def percent_axis(axes: Axes, *, step: float = 0.25) -> None:
    """Let the vertical axis run from 0 to 100 %."""
    from matplotlib.ticker import MultipleLocator, PercentFormatter

    axes.set_ylim(0, 1)
    axes.yaxis.set_major_locator(MultipleLocator(step))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(axis="y", color=GRID, linewidth=0.6)


def date_axis(axes: Axes, first: np.datetime64, last: np.datetime64, width: float) -> None:
    """Let the horizontal axis of this width run over the days, with some room on the left."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

    axes.tick_params(axis="x", length=3, color=FAINT)
    start, end = date2num([first, last])  # type: ignore[no-untyped-call]
    axes.set_xlim((start - 3, end + 3) if start == end else (start - 0.012 * (end - start), end))
    if end - start < 4:
        axes.set_xticks([end], [f"{last.astype('datetime64[D]').item():%d %b}"])
        return
    label = 0.65 if end - start < 70 else 0.42  # "27 Aug" is longer than "Aug"
    locator = AutoDateLocator(minticks=1, maxticks=max(2, int(width / label) + 1))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    form = ConciseDateFormatter(locator, show_offset=False)  # type: ignore[no-untyped-call]
    form.formats[2] = "%d %b"  # a day without its month could be of any
    axes.xaxis.set_major_formatter(form)


def draw_band(axes: Axes, series: TrendSeries, *, bands: int = 1) -> None:
    """Draw the central 90 %, paler where many bands overlap."""
    alpha = 0.13 if bands <= 4 else 0.07
    colour = series.style.colour
    axes.fill_between(series.days, series.low, series.high, color=colour, alpha=alpha, linewidth=0)


def draw_line(axes: Axes, series: TrendSeries, *, weight: float = 2.0, line: Any = None) -> None:
    """Draw a scenario's probability in its own or a given line style; thin lines have no markers."""
    own, every = series.style, max(1, len(series.days) // 10)
    style: Style = {"color": own.colour, "linestyle": line or own.line, "linewidth": weight}
    style |= {"marker": own.marker, "markersize": 4.0 if weight > 1.5 else 0, "markevery": every}
    style |= {"solid_capstyle": "round", "clip_on": False, "zorder": 3}
    axes.plot(series.days, series.probability, **style)
