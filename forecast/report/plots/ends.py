"""Names beside the ends of lines, so that no legend is needed; and what parts knowledge from outlook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast.report.number_format import percent
from forecast.report.plots import base
from forecast.report.plots.series import day_text
from forecast.report.styles import INK, SMALL, ScenarioStyle, spread_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

#: Names are cut to a line each where, in two lines, they would fill more of the height than this.
_FULL = 0.7

#: Inches between the axes and a name's start: the thread from the line's end, and the percentage.
THREAD, NUMBER = 0.18, 0.52


@dataclass(frozen=True, slots=True)
class End:
    """Where a line ends, and what is written there."""

    title: str
    style: ScenarioStyle
    place: float
    probability: float


def column(titles: Sequence[str], width: float) -> float:
    """Return how many inches to keep on the right of the axes in a figure so many inches wide."""
    longest = max(base.inches(title) for title in titles)
    return THREAD + NUMBER + min(longest, 0.235 * width) + base.EDGE


def draw_ends(axes: Axes, ends: Sequence[End], room: float, *, hatched: bool = False) -> None:
    """Write each scenario's number and name beside the end of its line, none over another.

    Before each stands its marker or, where areas end, a patch with its hatching.
    """
    from matplotlib.patches import Rectangle

    wide, tall = base.size_of(axes)
    for lines in (2, 1):
        names = [base.fit(end.title, room, lines=lines) for end in ends]
        heights = [(0.025 + base.LINE * (name.count("\n") + 1)) / tall for name in names]
        if sum(heights) <= _FULL:
            break
    places = spread_labels([end.place for end in ends], heights)
    for end, name, place in zip(ends, names, places, strict=True):
        colour = end.style.colour
        arrow: dict[str, Any] = {"arrowstyle": "-", "color": colour, "linewidth": 0.8}
        axes.annotate(
            "",
            xy=(1.0, end.place),
            xytext=(1 + (THREAD - 0.06 * hatched) / wide, place),
            xycoords="axes fraction",
            arrowprops=arrow | {"shrinkA": 0, "shrinkB": 0},
            annotation_clip=False,
        )
        start = THREAD + NUMBER - 0.06
        number = percent(end.probability)
        base.text_at(
            axes, 1 + start / wide, place, number, colour=end.style.text_colour, bold=True, side="right"
        )
        base.text_at(axes, 1 + (THREAD + NUMBER) / wide, place, name, colour=end.style.text_colour)
        if hatched:
            corner = (1 + (THREAD - 0.06) / wide, place - 0.06 / tall)
            patch = Rectangle(corner, 0.14 / wide, 0.12 / tall, transform=axes.transAxes, clip_on=False)
            patch.set(facecolor=colour, alpha=0.75, edgecolor="white", hatch=4 * end.style.hatch, linewidth=0)
            axes.add_patch(patch)
        else:
            axes.plot(
                [1.0, 1 + THREAD / wide],
                [end.place, place],
                transform=axes.transAxes,
                linestyle="",
                marker=end.style.marker,
                color=colour,
                markersize=4.5,
                clip_on=False,
                zorder=4,
            )


def mark_today(axes: Axes, today: Any, last: Any, *, ground: bool = True) -> None:
    """Draw a line at the as-of date, and say what is knowledge and what is outlook, on its own `ground`."""
    from matplotlib.dates import date2num

    axes.axvline(today, color=INK, linewidth=0.9, zorder=2)
    if last > today and ground:
        axes.axvspan(today, last, color=base.AHEAD, zorder=0, linewidth=0)
    wide, tall = base.size_of(axes)
    first, end = axes.get_xlim()
    place = wide * (float(date2num(today)) - first) / (end - first)  # type: ignore[no-untyped-call]
    known, ahead = f"as of {day_text(today)}", f"outlook to {day_text(last)}"
    above, gap, small = 1 + 0.1 / tall, 0.05, SMALL - 0.5
    widths = [base.inches(one, size=small) + gap for one in (known, ahead)]
    if last > today and widths[0] <= place + base.LEFT and widths[1] <= wide - place:
        base.text_at(axes, (place - gap) / wide, above, known, size=small, side="right")
        base.text_at(axes, (place + gap) / wide, above, ahead, size=small)
        return
    # There is no room on one of the sides: both in one, as near to the line as the figure allows.
    both = f"{known}, {ahead}" if last > today else known
    length = base.inches(both, size=small)
    start = min(max(place - length / 2, 0.0), max(wide - length, 0.0))
    base.text_at(axes, start / wide, above, both, size=small)
