"""What the plots for paper share: a figure laid out in inches, and text that is measured before it is set.

Nothing here goes through pyplot: no window, no global state. Texts of the analyst are never read as formulas.

The name of a row: words that may be cut, and words that may not.

The figure that the plots draw on.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

from matplotlib.figure import Figure

from forecast.report.styles import FAINT, GRID, INK, SMALL

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

    from matplotlib.axes import Axes

    from forecast.report.plots.series import Course


#: Width of a figure, in inches, where none is asked for: two columns of a paper, or a slide.
WIDE = 8.0

#: Margin on the left for the percentages, and all around, in inches.
LEFT, EDGE = 0.5, 0.1

#: A line of small text is so many inches high.
LINE = 0.155

#: Words beside each other may be this much wider than apart, in inches.
_HAIR = 0.01

#: A space at which no line is broken.
_FIRM = "\N{NO-BREAK SPACE}"

#: Ground of the part that is outlook.
AHEAD = "#F4F4F1"

#: What matplotlib warns of where a font lacks a character.
_LACKING = re.compile(r"Glyph (\d+) ")


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of so many inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = Picture(figsize=(width, height), dpi=150)
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: Path | str) -> str:
    """Write a figure to a file; return the characters that its font lacks, which show as boxes."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        figure.savefig(path)
    missing = {found[1]: None for one in told if (found := _LACKING.match(str(one.message)))}
    return "".join(chr(int(code)) for code in missing)


def inches(text: str, *, size: float = SMALL, bold: bool = False) -> float:
    """Return how wide the widest line of a text is set."""
    from matplotlib import rcParams

    fonts = tuple(rcParams["font.family"]), tuple(rcParams["font.sans-serif"]), rcParams["text.hinting"]
    return max(_measured(line, size, bold, fonts) for line in text.split("\n"))


@lru_cache(maxsize=4096)
def _measured(line: str, size: float, bold: bool, _fonts: Hashable) -> float:
    """Return the width of a line with the fonts that are chosen; a word is measured once."""
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.font_manager import FontProperties

    font = FontProperties(size=size, weight="bold" if bold else "normal")
    renderer = RendererAgg(1, 1, 72)  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():  # of characters that the font lacks `save` tells
        warnings.simplefilter("ignore")
        return renderer.get_text_width_height_descent(line, font, ismath=False)[0] / 72  # type: ignore[no-untyped-call]


def fit(text: str, width: float, *, size: float = SMALL, lines: int = 1, bold: bool = False) -> str:
    """Return a text broken into at most so many lines of a width in inches, its end left out if need be."""
    space = inches("n n", size=size, bold=bold) - inches("nn", size=size, bold=bold)
    words = [word for word in re.split(r"[ \t\r\n]+", text) if word]
    found: list[list[str]] = [[]]
    left = width
    while words:
        length = inches(words[0], size=size, bold=bold) + (space if found[-1] else 0.0)
        if length <= left - _HAIR:
            found[-1].append(words.pop(0))
            left -= length
        elif found[-1] and len(found) < lines:
            found.append([])
            left = width
        else:
            found[-1] = [_cut(" ".join([*found[-1], words[0]]), width, size, bold=bold)]
            break
    return "\n".join(" ".join(line) for line in found)


def fit_with(text: str, tail: str, width: float, *, size: float = SMALL, lines: int = 1) -> str:
    """Return a text with a tail that is kept where the text is too long."""
    # A tail that goes into a line is not broken.
    firm = tail.replace(" ", _FIRM) if inches(tail, size=size) <= width else tail

    def set_with(kept: str) -> str:
        return fit(f"{kept} {firm}", width, size=size, lines=lines).replace(_FIRM, " ")

    whole = set_with(text)
    if not tail or not whole.endswith("…"):
        return whole
    few, many = 0, len(text)
    while few < many:
        middle = (few + many + 1) // 2
        if set_with(f"{text[:middle].rstrip()}…").endswith("…"):
            many = middle - 1
        else:
            few = middle
    return set_with(f"{text[:few].rstrip()}…")


def _cut(text: str, width: float, size: float, *, bold: bool) -> str:
    """Return as much of a text as goes into a line, with dots for the rest."""
    few, many = 0, len(text)
    while few < many:
        middle = (few + many + 1) // 2
        if inches(text[:middle].rstrip() + "…", size=size, bold=bold) <= width:
            few = middle
        else:
            many = middle - 1
    return text[:few].rstrip() + "…"


def titled_figure(width: float, height: float, title: str, what: str) -> tuple[Figure, float]:
    """Return a figure with a title and a line below it, and how many inches these take at its top."""
    head = fit(title, width - 2 * EDGE, size=11.5, lines=2)
    below = fit(what, width - 2 * EDGE, lines=3)
    first, second = 0.2 * (head.count("\n") + 1), LINE * (below.count("\n") + 1)
    top = EDGE + first + 0.06 + second + 0.08
    figure = new_figure(width, top + height)
    style: dict[str, Any] = {"color": INK, "verticalalignment": "top", "parse_math": False}
    figure.text(EDGE / width, 1 - EDGE / (top + height), head, fontsize=11.5, **style)
    figure.text(EDGE / width, 1 - (EDGE + first + 0.06) / (top + height), below, fontsize=SMALL, **style)
    return figure, top


def add_axes(
    figure: Figure, left: float, top: float, width: float, height: float, *, like: Axes | None = None
) -> Axes:
    """Add axes, placed in inches from the figure's left and top; `like` others along x."""
    wide, tall = figure.get_size_inches()
    box = (left / wide, 1 - (top + height) / tall, width / wide, height / tall)
    axes = figure.add_axes(box, sharex=like)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.tick_params(labelsize=SMALL - 0.5, length=0, labelcolor=INK)
    axes.set_axisbelow(True)
    return axes


def size_of(axes: Axes) -> tuple[float, float]:
    """Return width and height of axes in inches."""
    figure, box = axes.get_figure(root=True), axes.get_position()
    assert figure is not None
    wide, tall = figure.get_size_inches()
    return box.width * wide, box.height * tall


def text_at(
    axes: Axes,
    x: float,
    y: float,
    text: str,
    *,
    size: float = SMALL,
    colour: str = INK,
    bold: bool = False,
    side: Literal["left", "center", "right"] = "left",
) -> None:
    """Write a text beside or in axes, at a place given in shares of them; `side` of it is there."""
    axes.text(
        x,
        y,
        text,
        transform=axes.transAxes,
        fontsize=size,
        color=colour,
        fontweight="bold" if bold else "normal",
        horizontalalignment=side,
        verticalalignment="center",
        parse_math=False,
    )


def percent_axis(axes: Axes, *, step: float = 0.25) -> None:
    """Let the vertical axis run from 0 to 100 %."""
    from matplotlib.ticker import MultipleLocator, PercentFormatter

    axes.set_ylim(0, 1)
    axes.yaxis.set_major_locator(MultipleLocator(step))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(axis="y", color=GRID, linewidth=0.6)


def date_axis(axes: Axes, first: Any, last: Any) -> None:
    """Let the horizontal axis run over the days, with room on the left; a lone day is in the middle."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

    axes.tick_params(axis="x", length=3, color=FAINT)
    days = date2num([first, last])  # type: ignore[no-untyped-call]
    if first == last:
        axes.set_xlim(days[0] - 3, days[0] + 3)
        axes.set_xticks([days[0]], [f"{first.astype('datetime64[D]').item():%d %b}"])
        return
    axes.set_xlim(days[0] - 0.012 * (days[1] - days[0]), days[1])
    if days[1] - days[0] < 4:
        axes.set_xticks([days[1]], [f"{last.astype('datetime64[D]').item():%d %b}"])
        return
    label = 0.65 if days[1] - days[0] < 70 else 0.42  # "27 Aug" is longer than "Aug"
    most = max(2, int(size_of(axes)[0] / label) + 1)
    locator = AutoDateLocator(minticks=1, maxticks=most)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    form = ConciseDateFormatter(locator, show_offset=False)  # type: ignore[no-untyped-call]
    form.formats[2] = "%d %b"  # a day without its month could be of any
    axes.xaxis.set_major_formatter(form)


def draw_band(axes: Axes, course: Course, *, crowd: int) -> None:
    """Draw the central 90 %, the paler the more of them lie over each other."""
    alpha = 0.13 if crowd <= 4 else 0.07
    axes.fill_between(
        course.days, course.low, course.high, color=course.style.colour, alpha=alpha, linewidth=0
    )


def draw_course(axes: Axes, course: Course, *, weight: float = 2.0) -> None:
    """Draw a scenario's probability; a thin line has no markers."""
    style = course.style
    axes.plot(
        course.days,
        course.probability,
        color=style.colour,
        linestyle=style.line,
        linewidth=weight,
        marker=style.marker,
        markersize=4.0 if weight > 1.5 else 0,
        markevery=max(1, len(course.days) // 10),
        solid_capstyle="round",
        clip_on=False,
        zorder=3,
    )


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a row: the tail stays where the head must be cut."""

    head: str
    tail: str = ""

    def __str__(self) -> str:
        """Return the whole of it."""
        return f"{self.head} {self.tail}".strip()


class Picture(Figure):
    """A figure that shows itself in a notebook, also where pyplot, which would see to it, is not loaded."""

    def _repr_png_(self) -> bytes:
        buffer = BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()
